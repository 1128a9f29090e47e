//! Requests: a kind and named fields, filled by setters.

use crate::credential::Credential;
use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, Boxed, ErrorOut, Handle, Out};
use crate::signer::Signer;
use crate::status::Status;
use crate::text;
use secureapp_core::Field;
use std::sync::Arc;

/// What is asked for. Setting a field again replaces it. Used by one thread at a time; may be used for several calls.
pub struct Request(pub(crate) secureapp_core::Request);

impl Handle for Request {
    const NAME: &'static str = "request";
    type Owner = Boxed;
}

/// Makes an empty request of a kind: an operation's name, an item's, or a call's.
///
/// Ownership: `out` is the caller's, freed with `sa_request_free`.
/// Threads: any.
///
/// # Safety
///
/// - `kind` is readable for `kind_len` bytes.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_new(
    kind: *const u8,
    kind_len: usize,
    out: *mut *mut Request,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: readable by contract.
        let kind = unsafe { text::text(kind, kind_len, "kind") }?;
        out.give(Request(secureapp_core::Request::new(kind)));
        Ok(Status::Ok)
    })
}

/// Sets a text field.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `key` is readable for `key_len` bytes, `value` for `value_len`.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_set_text(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        // SAFETY: readable by contract.
        let value = unsafe { text::text(value, value_len, "value") }?;
        request.0.set(key, Field::Text(value.to_owned()));
        Ok(Status::Ok)
    })
}

/// Adds a text to a list field, which starts with its first text.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `key` is readable for `key_len` bytes, `value` for `value_len`.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_add_text(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        // SAFETY: readable by contract.
        let value = unsafe { text::text(value, value_len, "value") }?;
        request.0.add_text(key, value.to_owned())?;
        Ok(Status::Ok)
    })
}

/// Sets a secret field. The copy that is made is wiped when its last user lets go; the caller wipes its own.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `key` is readable for `key_len` bytes, `value` for `value_len`.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_set_secret(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        // SAFETY: readable by contract.
        let value = unsafe { text::secret(value, value_len, "value") }?;
        request.0.set(key, Field::Secret(value));
        Ok(Status::Ok)
    })
}

/// Sets a number. Flags are 0 and 1, times are milliseconds since 1970-01-01 UTC.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `key` is readable for `key_len` bytes.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_set_int(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    value: i64,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        request.0.set(key, Field::Int(value));
        Ok(Status::Ok)
    })
}

/// Sets a credential field. The request keeps the credential; its handle may be freed.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request, `credential` null or a live credential.
/// - `key` is readable for `key_len` bytes.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_set_credential(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    credential: *const Credential,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        // SAFETY: null or live by contract.
        let credential = unsafe { handle::share(credential) }?;
        request.0.set(key, Field::Credential(Arc::clone(&credential.0)));
        Ok(Status::Ok)
    })
}

/// Sets a signer field. Freeing the signer's handle ends it, for this request too.
///
/// Threads: one at a time.
///
/// # Safety
///
/// - `request` is null or a live request, `signer` null or a live signer.
/// - `key` is readable for `key_len` bytes.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_request_set_signer(
    request: *mut Request,
    key: *const u8,
    key_len: usize,
    signer: *const Signer,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live and unshared by contract.
        let request = unsafe { handle::borrow_mut(request) }?;
        // SAFETY: readable by contract.
        let key = unsafe { text::text(key, key_len, "key") }?;
        // SAFETY: null or live by contract.
        let signer = unsafe { handle::share(signer) }?;
        request.0.set(key, Field::Signer(Arc::clone(&signer.signer)));
        Ok(Status::Ok)
    })
}

/// Frees a request and wipes its secrets; null is fine.
///
/// # Safety
///
/// - `request` is null or a live request that is not used again.
#[no_mangle]
pub unsafe extern "C" fn sa_request_free(request: *mut Request) {
    guard(ErrorOut::none(), || {
        // SAFETY: by contract.
        unsafe { handle::free(request) };
        Ok(Status::Ok)
    });
}
