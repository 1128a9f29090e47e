//! `credential_remove`: deletes a stored credential from its key vault, which keeps it for a while. From a store of the host
//! the host has deleted it.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::store::Place;
use crate::value::Value;
use crate::vault::check_name;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let (place, _) = super::place(session, request, &[])?;
    if let Place::Vault(place) = &place {
        if place.access.is_none() {
            return Err(Error::invalid("nobody was named who may delete the stored credential")
                .advise("Give -VaultCredential."));
        }
        check_name(&place.name)?;
    }
    Ok(Operation::spawn(session, |context| async move {
        let stores = context.engine.stores();
        if let Place::Vault(vault_place) = &place {
            let Some(access) = &vault_place.access else {
                return Err(Error::internal("a vault without anybody to delete from it"));
            };
            let vault = vault_place.open(context.engine.tokens(), access);
            let delete = async {
                // A token may take long, and a write that is under way may need one too.
                vault.ready().await?;
                let _turns = stores.turns(&place).await;
                vault.delete_secret(&vault_place.name).await?;
                stores.removed(&place);
                Ok(())
            };
            context.or_cancelled(delete).await?;
        } else {
            stores.removed(&place);
        }
        context.sink.record(Value::map().with("name", place.name())).await
    }))
}
