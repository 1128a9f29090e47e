//! How an application proves itself to the token endpoint.

use super::mark::{mark, Mark};
use super::token_file::TokenFile;
use super::{federated, trimmed, Credential};
use crate::certificate::{Algorithm, Certificate};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::managed_identity::{ManagedIdentity, Variables};
use crate::request::Request;
use crate::secret::Secret;
use crate::token::{assertion, Tokens};
use std::sync::Arc;

/// The type of every assertion that is a JSON Web Token (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The id of errors that say why there is no proof: the service was not asked.
pub(crate) const NO_PROOF: &str = "NoProof";

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
    /// A token of an issuer that the application trusts.
    TokenFile(TokenFile),
    /// A token of a managed identity that the application trusts.
    ManagedIdentity(Arc<Credential>),
}

/// The request that the proof is for.
pub(crate) struct Occasion<'a> {
    pub(crate) application_id: &'a str,
    /// The token endpoint that it is sent to.
    pub(crate) endpoint: &'a str,
    /// By the service's clock as far as it is known, in milliseconds since 1970.
    pub(crate) now_ms: i64,
    pub(crate) environment: &'a Arc<Environment>,
    /// Where the token comes from that is a proof itself.
    pub(crate) tokens: &'a Tokens,
}

/// Form fields, each a name and a value.
pub(crate) type Fields = Vec<(&'static str, Secret)>;

impl Proof {
    /// Reads `secret`, the certificate's fields with `assertionAlgorithm`, `federatedTokenFile` or `workloadIdentity`, or
    /// `federatedManagedIdentity` with the identity's fields.
    pub(super) fn from_request(request: &Request, variables: &Variables) -> Result<Proof> {
        let file = TokenFile::from_request(request, variables)?.map(Proof::TokenFile);
        let identity = match request.flag("federatedManagedIdentity")? {
            true => {
                let identity = ManagedIdentity::from_request(request, variables)?;
                Some(Proof::ManagedIdentity(Arc::new(Credential::of_managed_identity(
                    identity, None,
                )?)))
            }
            false => None,
        };
        match (Proof::own(request)?, file, identity) {
            (proof, None, None) => Ok(proof),
            (Proof::None, Some(proof), None) | (Proof::None, None, Some(proof)) => Ok(proof),
            _ => Err(
                Error::invalid("the credential has more than one proof of the application")
                    .advise("Give one of them: a secret, a certificate, a federated token file or a managed identity."),
            ),
        }
    }

    /// What the application was given itself.
    fn own(request: &Request) -> Result<Proof> {
        let secret = trimmed(request.opt_secret("secret")?, "client secret")?;
        let algorithm = algorithm(request)?;
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

    /// A certificate that is at hand already, with the request's `assertionAlgorithm`.
    pub(super) fn certificate(request: &Request, certificate: Certificate) -> Result<Proof> {
        let algorithm = algorithm(request)?;
        Ok(Proof::Certificate { certificate, algorithm })
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
            Proof::TokenFile(file) => mark(&[application_id, "token file", &file.path().to_string_lossy()]),
            Proof::ManagedIdentity(identity) => {
                let which = u128::from_le_bytes(*identity.proof_mark()).to_string();
                mark(&[application_id, "managed identity", &which])
            }
        }
    }

    /// The fields that prove it in one request. Called anew for each one that is sent: an assertion is never used twice.
    pub(crate) async fn fields(&self, occasion: &Occasion<'_>) -> Result<Fields> {
        match self {
            Proof::None => Ok(Vec::new()),
            Proof::Secret(secret) => Ok(vec![("client_secret", secret.clone())]),
            Proof::Certificate { certificate, algorithm } => {
                Ok(asserted(assertion::make(certificate, *algorithm, occasion).await?))
            }
            Proof::TokenFile(file) => Ok(asserted(file.read(occasion.endpoint).await?)),
            Proof::ManagedIdentity(identity) => Ok(asserted(federated::assertion(identity, occasion).await?)),
        }
    }

    /// What a person calls it; `None` where there is nothing.
    pub(crate) fn title(&self) -> Option<&'static str> {
        match self {
            Proof::None => None,
            Proof::Secret(_) => Some("secret"),
            Proof::Certificate { .. } => Some("certificate"),
            Proof::TokenFile(_) => Some("federated token file"),
            Proof::ManagedIdentity(_) => Some("managed identity"),
        }
    }
}

fn asserted(assertion: Secret) -> Fields {
    vec![
        ("client_assertion_type", Secret::from(JWT_BEARER)),
        ("client_assertion", assertion),
    ]
}

fn algorithm(request: &Request) -> Result<Option<Algorithm>> {
    match request
        .opt_text("assertionAlgorithm")?
        .filter(|text| !text.trim().is_empty())
    {
        Some(text) => Algorithm::parse(text).map(Some),
        None => Ok(None),
    }
}
