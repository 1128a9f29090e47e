//! How an application proves itself to the token endpoint.

use super::mark::{mark, Mark};
use super::trimmed;
use crate::certificate::{Algorithm, Certificate};
use crate::error::{Error, Result};
use crate::request::Request;
use crate::secret::Secret;
use crate::token::assertion;

/// The type of every assertion that is a JSON Web Token (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One way to prove oneself. A new one is a variant here with its mark, its form fields and its words.
pub(crate) enum Proof {
    /// Nothing: the client is public.
    None,
    Secret(Secret),
    Certificate {
        certificate: Certificate,
        /// `None`: PS256, or RS256 where the key cannot do that.
        algorithm: Option<Algorithm>,
    },
}

/// The request that the proof is for.
pub(crate) struct Occasion<'a> {
    pub(crate) application_id: &'a str,
    /// The token endpoint that it is sent to.
    pub(crate) endpoint: &'a str,
    /// By the service's clock as far as it is known, in milliseconds since 1970.
    pub(crate) now_ms: i64,
}

/// Form fields, each a name and a value.
pub(crate) type Fields = Vec<(&'static str, Secret)>;

impl Proof {
    /// Reads `secret` or the certificate's fields, and `assertionAlgorithm`.
    pub(super) fn from_request(request: &Request) -> Result<Proof> {
        let secret = trimmed(request.opt_secret("secret")?, "client secret")?;
        let algorithm = match request
            .opt_text("assertionAlgorithm")?
            .filter(|text| !text.trim().is_empty())
        {
            Some(text) => Some(Algorithm::parse(text)?),
            None => None,
        };
        match (secret, Certificate::from_request(request)?) {
            (Some(_), Some(_)) => Err(Error::invalid("the credential has both a secret and a certificate")
                .advise("Give one of them: the certificate is the stronger one.")),
            (_, None) if algorithm.is_some() => Err(Error::invalid(
                "an assertion's algorithm was given without a certificate",
            )
            .advise("Leave -AssertionAlgorithm out, or give a certificate.")),
            (Some(secret), None) => Ok(Proof::Secret(secret)),
            (None, Some(certificate)) => Ok(Proof::Certificate { certificate, algorithm }),
            (None, None) => Ok(Proof::None),
        }
    }

    /// Tells applications and what they prove themselves with apart; the same for the same ones.
    pub(super) fn mark(&self, application_id: &str) -> Result<Mark> {
        match self {
            Proof::None => mark(&[application_id, "none"]),
            Proof::Secret(secret) => mark(&[application_id, "secret", secret.expose()]),
            Proof::Certificate { certificate, .. } => {
                let (thumbprint, key) = certificate.identity();
                mark(&[application_id, "certificate", &thumbprint, key])
            }
        }
    }

    /// The fields that prove it in one request. Called anew for each one that is sent: an assertion is never used twice.
    pub(crate) async fn fields(&self, occasion: &Occasion<'_>) -> Result<Fields> {
        match self {
            Proof::None => Ok(Vec::new()),
            Proof::Secret(secret) => Ok(vec![("client_secret", secret.clone())]),
            Proof::Certificate { certificate, algorithm } => {
                let assertion = assertion::make(certificate, *algorithm, occasion).await?;
                Ok(vec![
                    ("client_assertion_type", Secret::from(JWT_BEARER)),
                    ("client_assertion", assertion),
                ])
            }
        }
    }

    /// What a person calls it; `None` where there is nothing.
    pub(crate) fn title(&self) -> Option<&'static str> {
        match self {
            Proof::None => None,
            Proof::Secret(_) => Some("secret"),
            Proof::Certificate { .. } => Some("certificate"),
        }
    }
}
