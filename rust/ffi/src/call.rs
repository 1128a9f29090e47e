//! Calls that are answered at once: environments, reading a token, reading JSON.

use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, ErrorOut, Out};
use crate::request::Request;
use crate::runtime;
use crate::status::Status;
use crate::value::Value;

/// Answers a request that needs neither network nor time, such as `environment.list` or `token.read`.
///
/// Ownership: `out` is the caller's, freed with `sa_value_free`.
/// Threads: any.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_call(request: *const Request, out: *mut *mut Value, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: null or live by contract.
        let request = unsafe { handle::borrow(request) }?;
        let value = runtime::with(|live| secureapp_core::immediate(&live.engine, &request.0))?;
        out.give(Value::new(&value)?);
        Ok(Status::Ok)
    })
}
