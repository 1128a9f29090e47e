//! `vault_secret_get`: one secret with its value.

use crate::engine::Session;
use crate::error::Result;
use crate::operation::Operation;
use crate::request::Request;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let vault = super::vault(session, request, &["name", "version"])?;
    let name = request.text("name")?.trim().to_owned();
    let version = super::said(request, "version")?.map(str::to_owned);
    Ok(Operation::spawn(session, |context| async move {
        let secret = context.or_cancelled(vault.secret(&name, version.as_deref())).await?;
        context.sink.record(secret.into_value(vault.address().base())).await
    }))
}
