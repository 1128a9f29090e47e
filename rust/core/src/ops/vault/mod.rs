//! The operations on a key vault: `vault_secret_get`, `vault_secret_list`, `vault_secret_set`, `vault_certificate_get`,
//! `vault_credential`.

mod certificate_get;
mod credential;
mod secret_get;
mod secret_list;
mod secret_set;

pub(super) use certificate_get::start as certificate_get;
pub(super) use credential::start as credential;
pub(super) use secret_get::start as secret_get;
pub(super) use secret_list::start as secret_list;
pub(super) use secret_set::start as secret_set;

use crate::engine::Session;
use crate::error::Result;
use crate::request::Request;
use crate::vault::{Address, Vault};
use std::sync::Arc;

/// The fields that every one of these requests has: who asks, and which vault.
const VAULT_FIELDS: [&str; 4] = ["credential", "environment", "vault", "appOnly"];

/// Reads [`VAULT_FIELDS`], and refuses what is neither one of them nor in `more`.
fn vault(session: &Session, request: &Request, more: &[&str]) -> Result<Vault> {
    let known: Vec<&str> = VAULT_FIELDS.iter().chain(more).copied().collect();
    request.only(&known)?;
    let environment = session
        .engine()
        .environments()
        .find(request.opt_text("environment")?.unwrap_or_default())?;
    let address = Address::parse(&environment, request.text("vault")?)?;
    Ok(Vault::new(
        session.engine().tokens().clone(),
        environment,
        Arc::clone(request.credential("credential")?),
        request.flag("appOnly")?,
        address,
    ))
}

/// A text that is absent or says nothing is none.
fn said<'a>(request: &'a Request, key: &str) -> Result<Option<&'a str>> {
    Ok(request.opt_text(key)?.map(str::trim).filter(|text| !text.is_empty()))
}
