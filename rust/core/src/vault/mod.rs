//! Azure Key Vault: secrets, certificates and signatures of one vault.
//!
//! Source: Azure Key Vault REST reference, version 7.4, and "Authentication, requests and responses" of its documentation:
//! a request without a token is answered with the tenant and the resource that a token is wanted for.

mod address;
mod certificates;
mod challenge;
mod explain;
mod keys;
mod secrets;

use explain::Right;

pub(crate) use address::Address;
pub(crate) use keys::VaultKey;
pub(crate) use secrets::{check_name, Properties, Step};

use crate::credential::Credential;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::{authorized_by, Reply, RequestSpec};
use crate::token::{asks_for_consent, TokenRequest, Tokens};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

const API_VERSION: &str = "7.4";
/// Larger than any bundle: a value has 25 KB at most, and JSON may write a byte as six.
const LARGEST_REPLY: usize = 1 << 20;

/// A vault, and who asks it. Makes its requests with a token for the tenant and the resource that the vault itself names.
pub(crate) struct Vault {
    tokens: Tokens,
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    app_only: bool,
    address: Address,
    token: OnceCell<TokenRequest>,
}

impl Vault {
    /// `app_only` asks as the application although the credential has a refresh token.
    pub(crate) fn new(
        tokens: Tokens,
        environment: Arc<Environment>,
        credential: Arc<Credential>,
        app_only: bool,
        address: Address,
    ) -> Self {
        Vault {
            tokens,
            environment,
            credential,
            app_only,
            address,
            token: OnceCell::new(),
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// `path` is made of words of the API and of names that were checked.
    fn url(&self, path: &str) -> String {
        format!("{}/{path}?api-version={API_VERSION}", self.address.base())
    }

    /// Sends with a token; the first request of all asks without one, to learn which token is wanted.
    async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        let token = self.token.get_or_try_init(|| self.ask_for_challenge()).await?;
        let reply = authorized_by(&self.tokens, token, spec.limit(LARGEST_REPLY)).await;
        reply.map_err(|error| self.advised(error))
    }

    /// Gets the token that its requests will need.
    pub(crate) async fn ready(&self) -> Result<()> {
        let token = self.token.get_or_try_init(|| self.ask_for_challenge()).await?;
        let token = self.tokens.acquire(token).await;
        token.map(drop).map_err(|error| self.advised(error))
    }

    async fn ask_for_challenge(&self) -> Result<TokenRequest> {
        // Never the request itself: its body may hold a secret.
        let spec = RequestSpec::get(&format!("{}&maxresults=1", self.url("secrets")))?.limit(LARGEST_REPLY);
        let reply = self.environment.http()?.send(&spec).await?;
        let wanted = challenge::read(&reply, &self.address)?;
        let request = TokenRequest::new(
            Arc::clone(&self.environment),
            Arc::clone(&self.credential),
            wanted.tenant,
            wanted.target,
        );
        Ok(request.app_only(self.app_only))
    }

    /// A user for whom nobody has consented stands in the way of an application that may need no consent.
    #[cold]
    fn advised(&self, error: Error) -> Error {
        let could_be_itself = !self.app_only && self.credential.has_refresh_token() && self.credential.has_proof();
        if !could_be_itself || !asks_for_consent(&error) {
            return error;
        }
        let advice = format!(
            "The credential's user was asked for: use -AppOnly where the application itself may open the vault. Otherwise let the user in. {}",
            error.advice()
        );
        error.advise(advice)
    }

    /// The error of a failed reply; `action` reads like "give the secret 'a'", and `right` is what that takes.
    fn refused(&self, reply: &Reply, action: &str, right: &Right) -> crate::Error {
        explain::refusal(reply, action, Some(right), &self.address)
    }

    /// The wait before the vault is asked again whether something has happened.
    fn first_wait(&self) -> Duration {
        self.environment.first_backoff()
    }
}
