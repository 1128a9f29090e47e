//! Keys that stay with the host: it opens a signer, puts it into requests, and answers what the signer asks.

use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, ErrorOut, Handle, Out, Shared};
use crate::status::Status;
use crate::text;
use secureapp_core::signer::SignRequest;
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

/// A key that the host holds. Its queue is apart from every operation, so a signature can be asked for and given while an
/// operation's events wait to be read.
pub struct Signer {
    pub(crate) signer: Arc<secureapp_core::Signer>,
    current: Mutex<Option<SignRequest>>,
}

impl Handle for Signer {
    const NAME: &'static str = "signer";
    type Owner = Shared;
}

/// Opens a signer.
///
/// Ownership: `out` is the caller's, freed with `sa_signer_free`.
/// Threads: any.
///
/// # Safety
///
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_open(out: *mut *mut Signer, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        out.give(Signer {
            signer: Arc::new(secureapp_core::Signer::new()),
            current: Mutex::new(None),
        });
        Ok(Status::Ok)
    })
}

/// Waits up to `timeout_ms` for something to sign. `SA_STATUS_OK` gives its `id`, the JWS name of the `algorithm` (`PS256`,
/// `RS256`) and the `data` to sign, which is not hashed yet; `SA_STATUS_TIMED_OUT` gives nothing. An unanswered request fails
/// after 30 seconds.
///
/// Ownership: both texts belong to `signer` until the next `sa_signer_next` on it, or its free.
/// Threads: one reader at a time; every other function may run meanwhile.
///
/// # Safety
///
/// - `signer` is null or a live signer.
/// - `id`, `algorithm`, `algorithm_len`, `data`, `data_len` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_next(
    signer: *const Signer,
    timeout_ms: u32,
    id: *mut u64,
    algorithm: *mut *const u8,
    algorithm_len: *mut usize,
    data: *mut *const u8,
    data_len: *mut usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let id = unsafe { Out::new(id, "id") }?;
        // SAFETY: null or writable by contract.
        let algorithm = unsafe { Out::new(algorithm, "algorithm") }?;
        // SAFETY: null or writable by contract.
        let algorithm_len = unsafe { Out::new(algorithm_len, "algorithm_len") }?;
        // SAFETY: null or writable by contract.
        let data = unsafe { Out::new(data, "data") }?;
        // SAFETY: null or writable by contract.
        let data_len = unsafe { Out::new(data_len, "data_len") }?;
        id.write(0);
        text::lend(&[], &algorithm, &algorithm_len);
        text::lend(&[], &data, &data_len);
        // SAFETY: null or live by contract.
        let signer = unsafe { handle::share(signer) }?;
        let mut current = match signer.current.try_lock() {
            Ok(current) => current,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(
                    secureapp_core::Error::invalid("another thread is already reading this signer")
                        .advise("Read a signer from one thread."),
                )
            }
        };
        *current = signer.signer.next(Duration::from_millis(timeout_ms.into()))?;
        Ok(match &*current {
            None => Status::TimedOut,
            Some(request) => {
                id.write(request.id);
                text::lend(request.algorithm.as_bytes(), &algorithm, &algorithm_len);
                text::lend(&request.data, &data, &data_len);
                Status::Ok
            }
        })
    })
}

/// Answers a request with its signature. An id that is not waiting any more is ignored: its asker may have given up.
///
/// Threads: any.
///
/// # Safety
///
/// - `signer` is null or a live signer.
/// - `data` is readable for `len` bytes.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_reply(
    signer: *const Signer,
    id: u64,
    data: *const u8,
    len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let signer = unsafe { handle::share(signer) }?;
        // SAFETY: readable by contract.
        let signature = unsafe { text::bytes(data, len, "data") }?;
        if signature.is_empty() {
            return Err(secureapp_core::Error::invalid("a signature cannot be empty")
                .advise("Use sa_signer_fail to say that there is none."));
        }
        signer.signer.reply(id, signature.to_vec());
        Ok(Status::Ok)
    })
}

/// Refuses a request; `text` says why, for the person who needs the signature.
///
/// Threads: any.
///
/// # Safety
///
/// - `signer` is null or a live signer.
/// - `text` is readable for `len` bytes.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_fail(
    signer: *const Signer,
    id: u64,
    text: *const u8,
    len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let signer = unsafe { handle::share(signer) }?;
        // SAFETY: readable by contract.
        let reason = unsafe { text::text(text, len, "text") }?;
        signer.signer.fail(id, reason);
        Ok(Status::Ok)
    })
}

/// Refuses a request because the key cannot do its algorithm. Where the caller has not named one, another is asked for.
///
/// Threads: any.
///
/// # Safety
///
/// - `signer` is null or a live signer.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_decline(signer: *const Signer, id: u64, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let signer = unsafe { handle::share(signer) }?;
        signer.signer.decline(id);
        Ok(Status::Ok)
    })
}

/// Frees a signer; null is fine. Whoever waits for one of its signatures is told that the key's owner is gone.
///
/// # Safety
///
/// - `signer` is null or a live signer, and no other call on it will start.
#[no_mangle]
pub unsafe extern "C" fn sa_signer_free(signer: *mut Signer) {
    guard(ErrorOut::none(), || {
        // SAFETY: null or live by contract; null needs no closing.
        if let Ok(shared) = unsafe { handle::share(signer.cast_const()) } {
            shared.signer.close();
        }
        // SAFETY: by contract.
        unsafe { handle::free(signer) };
        Ok(Status::Ok)
    });
}
