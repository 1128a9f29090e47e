//! Errors as handles: a number to branch on and a map for everything a person needs.

use crate::guard::guard;
use crate::handle::{self, Boxed, ErrorOut, Handle, Out};
use crate::status::Status;
use crate::text::lend;

/// What went wrong in one call. Made by the call that failed, freed with `sa_error_free`.
pub struct Error {
    status: Status,
    detail: Vec<u8>,
}

impl Handle for Error {
    const NAME: &'static str = "error";
    type Owner = Boxed;
}

impl Error {
    pub(crate) fn new(error: &secureapp_core::Error) -> Self {
        let value = error.to_value();
        let mut detail = Vec::with_capacity(value.encoded_len());
        value.encode(&mut detail);
        Error {
            status: Status::of(error.kind()),
            detail,
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &[u8] {
        &self.detail
    }
}

/// The status that the failed call returned, or `SA_STATUS_INVALID_INPUT` for null.
///
/// Threads: any.
///
/// # Safety
///
/// - `error` is null or a live error.
#[no_mangle]
pub unsafe extern "C" fn sa_error_status(error: *const Error) -> Status {
    guard(ErrorOut::none(), || {
        // SAFETY: null or live by contract.
        let error = unsafe { handle::borrow(error) }?;
        Ok(error.status)
    })
}

/// Everything that is known: a map of `kind`, `id` (a name of its own, mostly empty), `message`, `advice`, `tenant`,
/// `resource`, `httpStatus`, `error`, `suberror`, `code`, `description`, `claims`, `traceId`, `correlationId`, `timestamp`, `body`,
/// `retryAfterSeconds`.
///
/// Ownership: the bytes belong to `error` until it is freed.
/// Threads: any.
///
/// # Safety
///
/// - `error` is null or a live error.
/// - `data` and `len` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_error_detail(error: *const Error, data: *mut *const u8, len: *mut usize) -> Status {
    guard(ErrorOut::none(), || {
        // SAFETY: null or writable by contract.
        let data = unsafe { Out::new(data, "data") }?;
        // SAFETY: null or writable by contract.
        let len = unsafe { Out::new(len, "len") }?;
        lend(&[], &data, &len);
        // SAFETY: null or live by contract.
        let error = unsafe { handle::borrow(error) }?;
        lend(&error.detail, &data, &len);
        Ok(Status::Ok)
    })
}

/// Frees an error; null is fine.
///
/// # Safety
///
/// - `error` is null or a live error that is not used again.
#[no_mangle]
pub unsafe extern "C" fn sa_error_free(error: *mut Error) {
    guard(ErrorOut::none(), || {
        // SAFETY: by contract.
        unsafe { handle::free(error) };
        Ok(Status::Ok)
    });
}
