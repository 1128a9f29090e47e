//! Credentials as handles: who asks, with the secrets kept on this side.

use crate::guard::guard;
use crate::handle::{self, ErrorOut, Handle, Shared};
use crate::status::Status;
use std::sync::Arc;

/// Who asks. Any thread may use it; secrets never leave it.
pub struct Credential(pub(crate) Arc<secureapp_core::credential::Credential>);

impl Handle for Credential {
    const NAME: &'static str = "credential";
    type Owner = Shared;
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
