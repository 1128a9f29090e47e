//! Whether a new secret or certificate works: a token is asked for with it.

use super::registrar::Registrar;
use crate::credential::Credential;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::token::{Target, TokenRequest};
use std::sync::Arc;

/// What the sign-in service says of an application, its service principal, its secret or its certificate before it knows them:
/// 700016 and 7000229, 7000215, 700027.
const UNKNOWN_YET: [&str; 4] = ["AADSTS700016", "AADSTS7000229", "AADSTS7000215", "AADSTS700027"];

/// Asks for the application's own token with `credential`, as often as it takes until the service knows what it is made of.
pub(crate) async fn prove(registrar: &Registrar, credential: &Arc<Credential>) -> Result<()> {
    let environment = registrar.environment();
    let target = Target::resource(environment.resource(Service::Graph))?;
    let question = TokenRequest::new(
        Arc::clone(environment),
        Arc::clone(credential),
        registrar.tenant().clone(),
        target,
    )
    .app_only(true)
    .force_refresh(true);
    registrar.progress("proving the new credential", None);
    let tokens = registrar.engine().tokens();
    let ask = || async { tokens.acquire(&question).await.map(drop) };
    registrar.patiently("the new credential", is_unknown_yet, ask).await
}

pub(super) fn is_unknown_yet(error: &Error) -> bool {
    error
        .service()
        .is_some_and(|service| UNKNOWN_YET.contains(&service.code.as_str()))
}
