//! `credential_load`: makes a credential of what a store keeps, bound to its place there.
//!
//! For a store of the host, `document` is what the host has read.

use crate::engine::Session;
use crate::error::{Error, Kind, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::store::{Document, Place, Save};
use crate::vault::Vault;
use std::sync::Arc;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days before its end that a refresh token is warned about.
const WARN_DAYS: i64 = 14;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let (place, environment) = super::place(session, request, &["document", "singleUse"])?;
    let single_use = request.flag("singleUse")?;
    super::refuse_single_use(&place, single_use)?;
    let given = request.opt_secret("document")?.cloned();
    if let Place::Vault(place) = &place {
        if place.access.is_none() {
            return Err(Error::invalid(format!("nobody was named who may read the stored credential '{}'", place.name))
                .advise("Give -VaultCredential: an application with a secret or certificate, or a managed identity, that may read the vault."));
        }
    }
    Ok(Operation::spawn(session, |context| async move {
        let (text, name) = match &place {
            Place::Vault(place) => {
                let Some(access) = &place.access else {
                    return Err(Error::internal("a vault without anybody to read it"));
                };
                let vault = Vault::new(
                    context.engine.tokens().clone(),
                    Arc::clone(&place.environment),
                    Arc::clone(access),
                    place.app_only,
                    place.address.clone(),
                );
                let secret = context.or_cancelled(vault.secret(&place.name, None)).await?;
                (secret.value, place.name.clone())
            }
            Place::Host { name, .. } => (given, name.clone()),
        };
        let text =
            text.ok_or_else(|| Error::new(Kind::Protocol, format!("the stored credential '{name}' has no value")))?;
        let document = Document::read(&text)?;
        let single_use = single_use || document.is_single_use();
        super::refuse_single_use(&place, single_use)?;
        let access = match &place {
            Place::Vault(place) => place.access.as_deref(),
            Place::Host { .. } => None,
        };
        let credential = document.credential(access)?;
        if let Some(warning) = ending(&name, document.expires_on(), context.engine.clock().now_ms()) {
            context.sink.warning(warning).await?;
        }
        context.engine.stores().loaded(Save {
            credential: Arc::clone(&credential),
            place: Arc::new(place),
            environment,
            single_use,
            document,
        });
        let record = credential.describe();
        context.made(&credential);
        context.sink.record(record).await
    }))
}

/// What is said of a refresh token that is near its end, or past it.
fn ending(name: &str, expires_on: Option<i64>, now: i64) -> Option<String> {
    let left = expires_on?.saturating_sub(now);
    let days = left.div_euclid(DAY_MS);
    if left <= 0 {
        return Some(format!(
            "The refresh token of the stored credential '{name}' was last renewed more than 90 days ago and has most likely ended: get a new one for the user and save the credential again."
        ));
    }
    (days < WARN_DAYS).then(|| {
        format!("The refresh token of the stored credential '{name}' ends in {days} days unless it is used in the user's own tenant before; a use renews it and is stored.")
    })
}
