//! `credential_save`: writes a credential to a store and binds it to its place there.
//!
//! For a store of the host, the record holds what the host has to write, and `id`, by which it tells how that went.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::store::{Binding, Document, Place};
use crate::value::Value;
use std::sync::Arc;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let (mut place, environment) = super::place(session, request, &["credential", "singleUse"])?;
    let credential = Arc::clone(request.credential("credential")?);
    if let Place::Vault(place) = &mut place {
        // Its own application is what opens the vault then; held by itself, a credential would never be freed.
        place.access.take_if(|access| Arc::ptr_eq(access, &credential));
    }
    let single_use = request.flag("singleUse")?;
    super::refuse_single_use(&place, single_use)?;
    if matches!(&place, Place::Vault(place) if place.access.is_none() && !credential.has_proof()) {
        return Err(Error::invalid("the credential cannot open the vault that is to keep it")
            .advise("Give -VaultCredential: only an application with a secret or a certificate can reach its own store without its refresh token."));
    }
    if matches!(place, Place::Host { .. }) && credential.certificate().is_some() {
        return Err(Error::invalid(
            "a certificate is not stored, and without it the stored credential could not be used",
        )
        .advise("Use a key vault: Get-SecureAppCredential takes the certificate from -VaultCredential there."));
    }
    Ok(Operation::spawn(session, |context| async move {
        let stores = context.engine.stores();
        let now = context.engine.clock().now_ms();
        let binding = Arc::new(Binding::new(place, environment, single_use, now));
        let record = Value::map().with("store", binding.describe());
        let record = match binding.place() {
            Place::Vault(place) => {
                let vault = place.open(context.engine.tokens(), &credential);
                let document = Document::of(&credential, environment, now).single_use(single_use);
                context.or_cancelled(place.write(&vault, &document)).await?;
                credential.bind(binding);
                stores.written(&credential);
                record
            }
            Place::Host { .. } => {
                let document = Document::of(&credential, environment, now).write()?;
                let id = stores.bind_at_host(&credential, &binding);
                record.with("id", id).with("document", Value::Hidden(document))
            }
        };
        context.sink.record(record).await
    }))
}
