//! `vault_credential`: a credential that a certificate of a key vault proves, with its key here or left in the vault.

use crate::certificate::Certificate;
use crate::engine::Session;
use crate::error::Result;
use crate::operation::Operation;
use crate::request::{Field, Request};
use crate::vault::VaultKey;
use crate::Credential;
use std::sync::Arc;

/// The fields of a `credential` request that go into it unchanged.
const CARRIED: [&str; 6] = [
    "applicationId",
    "tenant",
    "account",
    "assertionAlgorithm",
    "refreshToken",
    "acquiredOn",
];

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let mut more = vec!["name", "version", "remote"];
    more.extend(CARRIED);
    let vault = super::vault(session, request, &more)?;
    let name = request.text("name")?.trim().to_owned();
    let version = super::said(request, "version")?.map(str::to_owned);
    let remote = request.flag("remote")?;
    let carried = request.carry("credential", &CARRIED);
    Ok(Operation::spawn(session, |context| async move {
        let read = async {
            let found = vault.certificate(&name, version.as_deref()).await?;
            if remote {
                let key = VaultKey::new(vault, &found.name, &found.version);
                return Credential::with_certificate(&carried, Certificate::in_vault(&found.der, key)?);
            }
            let data = vault.certificate_secret(&found).await?;
            Credential::open(&carried.with("certificateData", Field::Secret(data)))
        };
        let credential = Arc::new(context.or_cancelled(read).await?);
        context.made(&credential);
        context.sink.record(credential.describe()).await
    }))
}
