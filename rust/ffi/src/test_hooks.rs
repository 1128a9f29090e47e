//! Deliberate defects. `build/sanitize.sh` builds with them and fails unless they are found.

use crate::error::Error;
use crate::guard::guard;
use crate::handle::ErrorOut;
use crate::status::Status;

/// Panics inside a call; the caller must see `SA_STATUS_INTERNAL`.
///
/// # Safety
///
/// - `err` is null or writable.
#[no_mangle]
#[allow(clippy::panic)]
pub unsafe extern "C" fn sa_test_panic(err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || panic!("on purpose"))
}

/// Reads the byte behind the end of a heap block made here; the address sanitizer must end the process.
#[no_mangle]
pub extern "C" fn sa_test_over_read(size: usize) -> u8 {
    let block = vec![1u8; size].into_boxed_slice();
    let end = block.as_ptr().wrapping_add(std::hint::black_box(size));
    // SAFETY: none; this is the defect.
    unsafe { end.read_volatile() }
}
