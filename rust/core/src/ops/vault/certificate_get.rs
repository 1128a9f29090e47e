//! `vault_certificate_get`: a certificate, with its key where the vault gives it out.

use crate::engine::Session;
use crate::error::Result;
use crate::operation::Operation;
use crate::request::Request;
use crate::value::Value;

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let vault = super::vault(session, request, &["name", "version"])?;
    let name = request.text("name")?.trim().to_owned();
    let version = super::said(request, "version")?.map(str::to_owned);
    Ok(Operation::spawn(session, |context| async move {
        let read = async {
            let certificate = vault.certificate(&name, version.as_deref()).await?;
            let pkcs12 = match certificate.exportable {
                true => Some(vault.certificate_with_key(&certificate).await?),
                false => None,
            };
            Ok((certificate, pkcs12))
        };
        let (certificate, pkcs12) = context.or_cancelled(read).await?;
        let record = Value::map()
            .with("vaultUri", vault.address().base())
            .with("name", certificate.name)
            .with("version", certificate.version)
            .with("certificate", Value::Bytes(certificate.der))
            .with("pkcs12", pkcs12.map_or(Value::Null, Value::Hidden));
        context.sink.record(record).await
    }))
}
