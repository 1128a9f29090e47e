//! Credentials as handles: who asks, with the secrets kept on this side.

use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, ErrorOut, Handle, Out, Shared};
use crate::request::Request;
use crate::runtime;
use crate::status::Status;
use crate::value::Value;
use std::sync::Arc;

/// Who asks. Any thread may use it; secrets never leave it.
pub struct Credential(pub(crate) Arc<secureapp_core::Credential>);

impl Handle for Credential {
    const NAME: &'static str = "credential";
    type Owner = Shared;
}

/// Opens a credential from a request of kind `credential`: `applicationId`, and optionally `tenant` and `account` (texts),
/// `secret` and `refreshToken` (secrets), `acquiredOn` (time). Nothing is sent.
///
/// Instead of a secret, a certificate with its private key: `certificatePath` (PFX, PEM or DER), with `certificateKeyPath`
/// where the key is in a file of its own and `certificatePassword` (secret) where they are encrypted; or
/// `certificateData` (secret), the same as text (PEM, or a PFX in base64); or `certificate` (DER in base64) with
/// `privateKey` (secret: PKCS #8 or PKCS #1 DER in base64) or `signer`. `assertionAlgorithm` is `PS256` or `RS256`; without
/// it, PS256 where the key can do that. A refusal's `id` says why: `CertificatePassword`, `CertificateNoKey`,
/// `CertificateKeyMismatch`, `CertificateExpired`, `CertificateLegacy` (encrypted with algorithms that only another reader
/// may know), ..
///
/// Ownership: `out` is the caller's, freed with `sa_credential_free`.
/// Threads: any.
///
/// # Safety
///
/// - `request` is null or a live request.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_credential_open(
    request: *const Request,
    out: *mut *mut Credential,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: null or live by contract.
        let request = unsafe { handle::borrow(request) }?;
        runtime::init_openssl();
        out.give(Credential(Arc::new(secureapp_core::Credential::open(&request.0)?)));
        Ok(Status::Ok)
    })
}

/// What may be shown of a credential: a map of `applicationId`, `tenantId`, `account`, `acquiredOn`, `mfa` (null where it is
/// not known), `hasSecret`, `hasRefreshToken`, `refreshTokenExpiresOn`, `store` (where it is kept, or null), `hasCertificate`,
/// `warnings` (texts), and with a certificate `certificateThumbprint` (SHA-1), `certificateThumbprintSha256`,
/// `certificateSubject`, `certificateNotBefore`,
/// `certificateExpiresOn`. No secrets.
///
/// Ownership: `out` is the caller's, freed with `sa_value_free`.
/// Threads: any.
///
/// # Safety
///
/// - `credential` is null or a live credential.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_credential_describe(
    credential: *const Credential,
    out: *mut *mut Value,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: null or live by contract.
        let credential = unsafe { handle::share(credential) }?;
        out.give(Value::new(&credential.0.describe())?);
        Ok(Status::Ok)
    })
}

/// Frees a credential; null is fine. Requests and operations that use it keep it until they are done.
///
/// # Safety
///
/// - `credential` is null or a live credential that is not used again.
#[no_mangle]
pub unsafe extern "C" fn sa_credential_free(credential: *mut Credential) {
    guard(ErrorOut::none(), || {
        // SAFETY: by contract.
        unsafe { handle::free(credential) };
        Ok(Status::Ok)
    });
}
