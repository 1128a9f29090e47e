//! Keys that stay in the vault: signatures are made there.

use super::explain::Right;
use super::secrets::object;
use super::Vault;
use crate::error::{Error, Kind, Result};
use crate::http::RequestSpec;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One version of a key, and the vault that signs with it.
pub(crate) struct VaultKey {
    vault: Arc<Vault>,
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Signature {
    value: String,
}

impl VaultKey {
    /// The key of a certificate has the certificate's name and version.
    pub(crate) fn new(vault: &Arc<Vault>, name: &str, version: &str) -> Self {
        VaultKey {
            vault: Arc::clone(vault),
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Signs `data` with an algorithm by its JWS name; what is sent is its SHA-256 digest ("Sign", Key Vault REST reference).
    pub(crate) async fn sign(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>> {
        let digest = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(data));
        let body = format!("{{\"alg\":\"{algorithm}\",\"value\":\"{digest}\"}}");
        let path = format!("{}/sign", object("keys", &self.name, Some(&self.version))?);
        let spec = RequestSpec::post(&self.vault.url(&path))?
            .json(Zeroizing::new(body.into_bytes()))
            .repeatable(true);
        let reply = self.vault.send(spec).await?;
        if !reply.is_success() {
            return Err(self
                .vault
                .refused(&reply, &format!("sign with the key '{}'", self.name), &Right::SIGN));
        }
        let signature: Signature = reply.json()?;
        URL_SAFE_NO_PAD
            .decode(signature.value.trim_end_matches('='))
            .map_err(|_| Error::new(Kind::Protocol, "the vault's signature cannot be read").advise("Try again."))
    }
}
