//! Signs the identity platform's tokens.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::{Signer as OpensslSigner, Verifier};

use crate::options::Signature;

/// The identity platform's RS256 key.
pub(crate) struct Signer {
    key: PKey<Private>,
    key_id: String,
    modulus: String,
    exponent: String,
    signature: Signature,
}

impl Signer {
    pub(crate) fn new(signature: Signature) -> Result<Self, ErrorStack> {
        let rsa = Rsa::generate(2048)?;
        let modulus = rsa.n().to_vec();
        let key_id = URL_SAFE_NO_PAD.encode(&openssl::sha::sha256(&modulus)[..20]);
        Ok(Signer {
            key_id,
            modulus: URL_SAFE_NO_PAD.encode(&modulus),
            exponent: URL_SAFE_NO_PAD.encode(rsa.e().to_vec()),
            key: PKey::from_rsa(rsa)?,
            signature,
        })
    }

    /// The published key set.
    pub(crate) fn key_set(&self, issuer: &str) -> serde_json::Value {
        serde_json::json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "x5t": self.key_id,
            "n": self.modulus, "e": self.exponent, "issuer": issuer,
        }]})
    }

    /// A signed token with the claims given as JSON text. `version_1` adds the `x5t` header that version 1 tokens have.
    pub(crate) fn sign(&self, claims: &str, version_1: bool) -> Result<String, ErrorStack> {
        self.sign_with(self.signature, claims, version_1)
    }

    /// The same, always with a signature that verifies: for tokens that the sandbox itself takes as a proof.
    pub(crate) fn sign_rsa(&self, claims: &str, version_1: bool) -> Result<String, ErrorStack> {
        self.sign_with(Signature::Rsa, claims, version_1)
    }

    fn sign_with(&self, signature: Signature, claims: &str, version_1: bool) -> Result<String, ErrorStack> {
        let thumbprint = if version_1 {
            format!("\"x5t\":\"{}\",", self.key_id)
        } else {
            String::new()
        };
        let header = format!(
            "{{\"typ\":\"JWT\",\"alg\":\"RS256\",{thumbprint}\"kid\":\"{}\"}}",
            self.key_id
        );
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = match signature {
            Signature::Rsa => {
                let mut signer = OpensslSigner::new(MessageDigest::sha256(), &self.key)?;
                signer.sign_oneshot_to_vec(token.as_bytes())?
            }
            Signature::Filler => openssl::sha::sha512(token.as_bytes()).repeat(4),
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Whether a token ends in a signature of this key.
    pub(crate) fn verifies(&self, token: &str) -> bool {
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return false;
        };
        let verified = URL_SAFE_NO_PAD.decode(signature).ok().and_then(|signature| {
            let mut verifier = Verifier::new(MessageDigest::sha256(), &self.key).ok()?;
            verifier.verify_oneshot(&signature, signed.as_bytes()).ok()
        });
        verified.unwrap_or(false)
    }
}

/// An unsigned token (`alg` `none`), as the version 1 endpoint's id tokens are.
pub(crate) fn unsigned(claims: &str) -> String {
    format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(claims)
    )
}
