//! What this library is, and how it ends.

use crate::guard::guard;
use crate::handle::{ErrorOut, Out};
use crate::runtime;
use crate::status::Status;
use crate::text::lend;
use std::time::Duration;

/// The version of this interface; see `sa_abi_version`.
pub const ABI_VERSION: u32 = 1;

/// The version of the interface that this library has. It must equal the `SA_ABI_VERSION` its caller was built with.
#[no_mangle]
pub extern "C" fn sa_abi_version() -> u32 {
    ABI_VERSION
}

/// The product's version, such as `0.1.0`.
///
/// Ownership: the text is static.
/// Threads: any.
///
/// # Safety
///
/// - `text` and `len` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_version(text: *mut *const u8, len: *mut usize) -> Status {
    guard(ErrorOut::none(), || {
        // SAFETY: null or writable by contract.
        let text = unsafe { Out::new(text, "text") }?;
        // SAFETY: null or writable by contract.
        let len = unsafe { Out::new(len, "len") }?;
        lend(env!("CARGO_PKG_VERSION").as_bytes(), &text, &len);
        Ok(Status::Ok)
    })
}

/// Stops everything for good: cancels what runs, waits up to `timeout_ms` for it to put its files in order, and ends the
/// library's threads. Meant for the end of the process; nothing can be started afterwards. A second call does nothing.
///
/// Returns `SA_STATUS_OK`, or `SA_STATUS_TIMED_OUT` where something was still running.
/// Threads: any; a thread that waits in `sa_op_next` gets `SA_STATUS_CANCELLED`.
#[no_mangle]
pub extern "C" fn sa_shutdown(timeout_ms: u32) -> Status {
    guard(ErrorOut::none(), || {
        Ok(runtime::shutdown(Duration::from_millis(timeout_ms.into())))
    })
}
