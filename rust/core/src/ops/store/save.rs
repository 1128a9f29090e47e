//! `credential_save`: writes a credential to a store and binds it to its place there.
//!
//! For a store of the host, the record holds what the host has to write, and `id`, by which it tells how that went.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::store::{Document, Place, Save};
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
        let save = Save {
            document: Document::of(&credential, environment, now, single_use)?,
            credential,
            place: Arc::new(place),
            environment,
            single_use,
        };
        let record = Value::map().with("store", save.place.describe());
        let record = match &*Arc::clone(&save.place) {
            Place::Vault(place) => {
                let vault = place.open(context.engine.tokens(), &save.credential);
                let write = async {
                    // A token may take long, and a write that is under way may need one too.
                    vault.ready().await?;
                    let _turns = stores.turns(&save.place).await;
                    place.save(&vault, &save.document).await?;
                    stores.saved(save);
                    Ok(())
                };
                context.or_cancelled(write).await?;
                record
            }
            Place::Host { .. } => {
                let document = save.document.write()?;
                let (id, _) = stores.host_saves(save);
                record.with("id", id).with("document", Value::Hidden(document))
            }
        };
        context.sink.record(record).await
    }))
}
