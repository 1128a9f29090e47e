//! Certificates, with the key where the vault gives it out.

use super::explain::Right;
use super::secrets::{name_and_version, object};
use super::Vault;
use crate::certificate::pfx;
use crate::error::{Error, Kind, Result};
use crate::http::RequestSpec;
use crate::secret::Secret;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde::Deserialize;

/// One version of a certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// DER.
    pub(crate) der: Vec<u8>,
    pub(crate) enabled: bool,
    /// False where the policy keeps the key in the vault.
    pub(crate) exportable: bool,
}

#[derive(Deserialize)]
struct Bundle {
    id: String,
    cer: String,
    #[serde(default)]
    attributes: Option<Attributes>,
    #[serde(default)]
    policy: Option<Policy>,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    key_props: Option<KeyProperties>,
}

#[derive(Deserialize)]
struct KeyProperties {
    #[serde(default)]
    exportable: Option<bool>,
}

impl Vault {
    /// The newest version of a certificate, or the one named.
    pub(crate) async fn certificate(&self, name: &str, version: Option<&str>) -> Result<Certificate> {
        let path = object("certificates", name, version)?;
        let reply = self.send(RequestSpec::get(&self.url(&path))?).await?;
        if !reply.is_success() {
            return Err(self.refused(
                &reply,
                &format!("give the certificate '{name}'"),
                &Right::GET_CERTIFICATE,
            ));
        }
        let bundle: Bundle = reply.json()?;
        let (name, version) = name_and_version(&bundle.id)?;
        let der = STANDARD.decode(bundle.cer.trim()).map_err(|_| damaged(&name))?;
        let policy = bundle.policy.and_then(|policy| policy.key_props);
        Ok(Certificate {
            name,
            version,
            der,
            enabled: bundle
                .attributes
                .and_then(|attributes| attributes.enabled)
                .unwrap_or(true),
            exportable: policy.and_then(|key| key.exportable).unwrap_or(true),
        })
    }

    /// The certificate with its key as PKCS#12 with an empty password, in Base64, whichever way the vault keeps it.
    pub(crate) async fn certificate_with_key(&self, certificate: &Certificate) -> Result<Secret> {
        let value = self.certificate_secret(certificate).await?;
        if value.expose().trim_start().starts_with("-----BEGIN") {
            pkcs12(&value).ok_or_else(|| damaged(&certificate.name))
        } else {
            Ok(Secret::from(value.expose().trim()))
        }
    }

    /// The certificate with its key as the vault keeps both: in a secret of the same name and version ("About Azure Key Vault
    /// certificates"), as PKCS#12 in Base64 or as PEM. Where the policy keeps the key in the vault, this is refused.
    pub(crate) async fn certificate_secret(&self, certificate: &Certificate) -> Result<Secret> {
        let name = &certificate.name;
        if !certificate.exportable {
            return Err(
                Error::invalid(format!("the key of the certificate '{name}' cannot leave its vault"))
                    .advise("Let the vault sign with it: New-SecureAppCredential -RemoteSigning, which takes the role Key Vault Crypto User (keys/sign). Or use a certificate whose policy lets the key out."),
            );
        }
        let secret = self.secret(name, Some(&certificate.version)).await?;
        secret.value.ok_or_else(|| {
            Error::new(
                Kind::Protocol,
                format!("the secret of the certificate '{name}' has no value"),
            )
        })
    }
}

fn pkcs12(pem: &Secret) -> Option<Secret> {
    let key = PKey::private_key_from_pem(pem.expose().as_bytes()).ok()?;
    let mut chain = X509::stack_from_pem(pem.expose().as_bytes()).ok()?;
    let own = chain
        .iter()
        .position(|certificate| certificate.public_key().is_ok_and(|public| public.public_eq(&key)))?;
    let own = chain.remove(own);
    // The algorithms that every reader has: the password is empty in any case.
    let der = pfx::write(&key, &own, chain, "", "", pfx::Encryption::TripleDesSha1).ok()?;
    Some(Secret::new(STANDARD.encode(&*der)))
}

#[cold]
fn damaged(name: &str) -> Error {
    Error::new(Kind::Protocol, format!("the vault's certificate '{name}' cannot be read"))
        .advise("Look at the certificate in the vault: it must be a valid X.509 certificate, with its key in PKCS#12 or PEM form.")
}
