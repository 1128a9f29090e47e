//! `credential_remove`: deletes a stored credential from its key vault, which keeps it for a while.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::request::Request;
use crate::store::Place;
use crate::value::Value;
use crate::vault::Vault;
use std::sync::Arc;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let (place, _) = super::place(session, request, &[])?;
    let Place::Vault(place) = place else {
        return Err(Error::internal("a store of the host is not reached from here"));
    };
    let access = place.access.ok_or_else(|| {
        Error::invalid("nobody was named who may delete the stored credential").advise("Give -VaultCredential.")
    })?;
    Ok(Operation::spawn(session, |context| async move {
        let vault = Vault::new(
            context.engine.tokens().clone(),
            Arc::clone(&place.environment),
            access,
            place.app_only,
            place.address.clone(),
        );
        context.or_cancelled(vault.delete_secret(&place.name)).await?;
        context.sink.record(Value::map().with("name", place.name)).await
    }))
}
