//! `vault_credential`: a credential that a certificate of a key vault proves, with its key here or left in the vault, or a
//! client secret that is kept there.

use crate::certificate::Certificate;
use crate::engine::Session;
use crate::error::{Error, Kind, Result};
use crate::operation::Operation;
use crate::request::{Field, Request};
use crate::vault::{Vault, VaultKey};
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

/// What proves the application.
enum Proof {
    Certificate {
        name: String,
        /// The vault signs, and the key stays there.
        remote: bool,
    },
    Secret {
        name: String,
    },
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let mut more = vec!["certificateName", "secretName", "version", "remote"];
    more.extend(CARRIED);
    let vault = super::vault(session, request, &more)?;
    let name = |key| Ok::<_, Error>(super::said(request, key)?.map(str::to_owned));
    let remote = request.flag("remote")?;
    let proof = match (name("certificateName")?, name("secretName")?) {
        (Some(name), None) => Proof::Certificate { name, remote },
        (None, Some(name)) if !remote => Proof::Secret { name },
        (None, Some(_)) => {
            return Err(
                Error::invalid("a vault signs with the key of a certificate, not with a secret")
                    .advise("Use -RemoteSigning with -CertificateName."),
            )
        }
        (Some(_), Some(_)) => {
            return Err(
                Error::invalid("both a certificate and a secret of the vault were named")
                    .advise("Use -CertificateName or -SecretName."),
            )
        }
        (None, None) => {
            return Err(
                Error::invalid("nothing in the vault was named that proves the application")
                    .advise("Use -CertificateName, or -SecretName for a client secret."),
            )
        }
    };
    let version = name("version")?;
    let carried = request.carry("credential", &CARRIED);
    Ok(Operation::spawn(session, |context| async move {
        let made = open(vault, proof, version.as_deref(), carried);
        let credential = Arc::new(context.or_cancelled(made).await?);
        context.made(&credential);
        context.sink.record(credential.describe()).await
    }))
}

async fn open(vault: Vault, proof: Proof, version: Option<&str>, carried: Request) -> Result<Credential> {
    let (name, remote) = match proof {
        Proof::Secret { name } => return with_secret(&vault, &name, version, carried).await,
        Proof::Certificate { name, remote } => (name, remote),
    };
    let found = vault.certificate(&name, version).await?;
    if !found.enabled {
        let message = format!("the certificate '{}' is disabled in its vault", found.name);
        return Err(Error::new(Kind::NotSignedIn, message)
            .with_id("CertificateDisabled")
            .advise("Enable it there, or name another version with -CertificateVersion."));
    }
    let vault = Arc::new(vault);
    // Before the key is asked for: of one that has expired a vault says no more than that it gives nothing out.
    let kept = Certificate::in_vault(&found.der, VaultKey::new(&vault, &found.name, &found.version))?;
    if remote {
        return Credential::with_certificate(&carried, kept);
    }
    let data = vault.certificate_secret(&found).await?;
    Credential::open(&carried.with("certificateData", Field::Secret(data)))
}

async fn with_secret(vault: &Vault, name: &str, version: Option<&str>, carried: Request) -> Result<Credential> {
    let found = vault.secret(name, version).await?;
    if found.managed {
        return Err(
            Error::invalid(format!("the secret '{}' holds a certificate with its key", found.name))
                .advise("Use -CertificateName with that name."),
        );
    }
    let value = found
        .value
        .ok_or_else(|| Error::new(Kind::Protocol, format!("the secret '{}' has no value", found.name)))?;
    Credential::open(&carried.with("secret", Field::Secret(value)))
}
