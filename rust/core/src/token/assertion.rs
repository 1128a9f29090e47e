//! Client assertions: JSON Web Tokens by which an application proves that it holds its certificate's key.
//!
//! Source: Microsoft's "Microsoft identity platform application authentication certificate credentials"; RFC 7523.

use crate::certificate::{Algorithm, Certificate};
use crate::credential::Occasion;
use crate::error::Result;
use crate::http;
use crate::secret::Secret;
use crate::signer;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::json;

/// The service advises five to ten minutes; the longer, the less it matters how long the request waits for its turn.
const LIFE_SECONDS: i64 = 10 * 60;

/// A new assertion for one request. Without an `algorithm` it is PS256, and RS256 where the key's owner declines that.
pub(crate) async fn make(
    certificate: &Certificate,
    algorithm: Option<Algorithm>,
    occasion: &Occasion<'_>,
) -> Result<Secret> {
    certificate.valid_at(occasion.now_ms)?;
    let first = algorithm.unwrap_or_else(|| certificate.usual_algorithm());
    match signed(certificate, first, occasion).await {
        Err(error) if algorithm.is_none() && first == Algorithm::Ps256 && error.id() == signer::DECLINED => {
            certificate.note_declined_pss();
            signed(certificate, Algorithm::Rs256, occasion).await
        }
        result => result,
    }
}

async fn signed(certificate: &Certificate, algorithm: Algorithm, occasion: &Occasion<'_>) -> Result<Secret> {
    let mut header = json!({"alg": algorithm.name(), "typ": "JWT"});
    match algorithm {
        Algorithm::Ps256 => header["x5t#S256"] = URL_SAFE_NO_PAD.encode(certificate.sha256()).into(),
        Algorithm::Rs256 => header["x5t"] = URL_SAFE_NO_PAD.encode(certificate.sha1()).into(),
    }
    let now = occasion.now_ms.div_euclid(1000);
    let claims = json!({
        "aud": occasion.endpoint,
        "iss": occasion.application_id,
        "sub": occasion.application_id,
        "jti": http::random_id()?,
        "nbf": now,
        "iat": now,
        "exp": now + LIFE_SECONDS,
    });
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
    let signature = certificate.sign(algorithm, token.as_bytes()).await?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(Secret::new(token))
}
