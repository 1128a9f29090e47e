//! Sessions: one caller's operations, cancelled together.

use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, ErrorOut, Handle, Out, Shared};
use crate::runtime;
use crate::status::Status;

/// One caller's operations (for a shell, one runspace). Any thread may use it.
pub struct Session(pub(crate) secureapp_core::Session);

impl Handle for Session {
    const NAME: &'static str = "session";
    type Owner = Shared;
}

/// Opens a session. The first one starts the library's threads.
///
/// Ownership: `out` is the caller's, freed with `sa_session_free`.
/// Threads: any.
///
/// # Safety
///
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_session_open(out: *mut *mut Session, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        out.give(Session(runtime::with(|live| Ok(live.engine.session()))?));
        Ok(Status::Ok)
    })
}

/// Cancels every operation of the session, and any that is started in it later.
///
/// Threads: any.
///
/// # Safety
///
/// - `session` is null or a live session.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_session_cancel(session: *const Session, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let session = unsafe { handle::share(session) }?;
        session.0.cancel();
        Ok(Status::Ok)
    })
}

/// Frees a session; null is fine. Its operations go on: cancel it first to end them.
///
/// # Safety
///
/// - `session` is null or a live session that is not used again.
#[no_mangle]
pub unsafe extern "C" fn sa_session_free(session: *mut Session) {
    guard(ErrorOut::none(), || {
        // SAFETY: by contract.
        unsafe { handle::free(session) };
        Ok(Status::Ok)
    });
}
