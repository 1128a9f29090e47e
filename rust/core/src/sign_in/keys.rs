//! The keys that sign id tokens (RFC 7517), and the one signature that they may carry (RS256, RFC 7518).

use super::authority::Authority;
use super::Plan;
use crate::error::{Error, Kind, Result};
use crate::http::RequestSpec;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde::Deserialize;

/// A published key set.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    kty: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

pub(super) async fn fetch(plan: &Plan, authority: &Authority) -> Result<KeySet> {
    let spec = RequestSpec::get(&authority.jwks_uri)?.limit(1 << 20);
    let reply = plan
        .environment
        .http()?
        .send(&spec)
        .await
        .map_err(|error| plan.name(error))?;
    if !reply.is_success() {
        return Err(plan.name(
            Error::new(
                Kind::Protocol,
                format!(
                    "the sign-in host does not give its signing keys (HTTP {})",
                    reply.status()
                ),
            )
            .advise("Try again in a few minutes."),
        ));
    }
    reply.json().map_err(|error| plan.name(error))
}

impl KeySet {
    /// Whether the key named `kid` (any, where the token names none) signed `input` with RS256.
    pub(super) fn verifies(&self, kid: Option<&str>, input: &str, signature: &[u8]) -> bool {
        self.keys
            .iter()
            .filter(|key| key.kty == "RSA" && (kid.is_none() || key.kid.as_deref() == kid))
            .filter_map(Key::public)
            .any(|key| {
                Verifier::new(MessageDigest::sha256(), &key)
                    .and_then(|mut verifier| verifier.verify_oneshot(signature, input.as_bytes()))
                    .unwrap_or(false)
            })
    }
}

impl Key {
    fn public(&self) -> Option<PKey<Public>> {
        let number = |text: &str| BigNum::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let rsa = Rsa::from_public_components(number(&self.n)?, number(&self.e)?).ok()?;
        // Shorter keys can be broken.
        (rsa.size() >= 256).then(|| PKey::from_rsa(rsa).ok())?
    }
}
