//! The operations on stored credentials: `credential_save`, `credential_load`, `credential_remove`.

mod load;
mod remove;
mod save;

pub(super) use load::start as load;
pub(super) use remove::start as remove;
pub(super) use save::start as save;

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::store::{Place, VaultPlace};
use crate::vault::Address;
use std::sync::Arc;

/// The fields that name a place: a key vault's secret, or a host's store by the host's name of it.
const PLACE_FIELDS: [&str; 6] = [
    "environment",
    "name",
    "vault",
    "vaultCredential",
    "appOnly",
    "hostStore",
];

/// Reads [`PLACE_FIELDS`], and refuses what is neither one of them nor in `more`. The environment instance comes with it.
fn place(session: &Session, request: &Request, more: &[&str]) -> Result<(Place, u64)> {
    let known: Vec<&str> = PLACE_FIELDS.iter().chain(more).copied().collect();
    request.only(&known)?;
    let environment = session
        .engine()
        .environments()
        .find(request.opt_text("environment")?.unwrap_or_default())?;
    let instance = environment.instance();
    let name = request.text("name")?.trim().to_owned();
    if let Some(store) = request.opt_text("hostStore")? {
        let store = store.to_owned();
        return Ok((Place::Host { store, name }, instance));
    }
    let address = Address::parse(&environment, request.text("vault")?)?;
    let access = match request.opt_credential("vaultCredential")? {
        Some(credential) => Some(Arc::clone(credential)),
        None => None,
    };
    let place = VaultPlace {
        environment,
        address,
        name,
        access,
        app_only: request.flag("appOnly")?,
    };
    Ok((Place::Vault(place), instance))
}

/// A store of the host is reached from one thread of it, which a redemption cannot wait for.
fn refuse_single_use(place: &Place, single_use: bool) -> Result<()> {
    match place {
        Place::Host { store, .. } if single_use => Err(Error::invalid(format!(
            "the vault '{store}' cannot keep a refresh token that dies with its use"
        ))
        .advise("Keep it in a key vault: a single-use token has to be read and written around each redemption, which a SecretManagement vault does not allow.")),
        _ => Ok(()),
    }
}
