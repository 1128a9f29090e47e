//! `vault_secret_list`: every secret of a vault, or every version of one, without the values.

use crate::engine::Session;
use crate::error::Result;
use crate::operation::Operation;
use crate::request::Request;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let vault = super::vault(session, request, &["name"])?;
    let name = super::said(request, "name")?.map(str::to_owned);
    Ok(Operation::spawn(session, |context| async move {
        let mut items = Vec::new();
        let list = vault.list_secrets(name.as_deref(), |item| items.push(item));
        context.or_cancelled(list).await?;
        for item in items {
            context.sink.record(item.into_value(vault.address().base())).await?;
        }
        Ok(())
    }))
}
