//! A credential that the service refuses as such is not offered in a thousand tenants.
//!
//! Most refusals are one tenant's own: no consent, no service principal, a policy. A wrong or expired secret, a certificate
//! that nobody registered and a dead refresh token are the same everywhere: offering them again only costs requests, and
//! fills every customer's sign-in log. Codes only spare requests here; where they change, each tenant is asked as before.

use super::advice::{self, Category};
use super::request::TokenRequest;
use super::{Token, Tokens};
use crate::error::{Error, ServiceError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Refusals in a row, each in another tenant, after which the credential is taken for refused everywhere. More than one: a
/// secret that is a minute old is not known to all of the service's nodes.
const ENOUGH: usize = 3;

/// Refresh tokens that are dead wherever they are redeemed: not used for too long, revoked, another application's.
const DEAD: [&str; 5] = [
    "AADSTS50173",
    "AADSTS70008",
    "AADSTS700007",
    "AADSTS700082",
    "AADSTS700084",
];

/// What one operation has seen of its credential.
#[derive(Default)]
pub(crate) struct Refusals {
    tenants: Vec<String>,
    first: Option<Error>,
}

impl Refusals {
    /// Takes note of an answer; a token says that the credential is good after all.
    pub(crate) fn note(&mut self, answer: &Result<Arc<Token>, Error>) {
        match answer {
            Ok(_) => *self = Refusals::default(),
            Err(error) if is_of_the_credential(error) => {
                let is_new = !self.tenants.iter().any(|tenant| tenant == error.tenant());
                if is_new && self.tenants.len() < ENOUGH {
                    self.tenants.push(error.tenant().to_owned());
                }
                self.first.get_or_insert_with(|| error.clone());
            }
            Err(_) => {}
        }
    }

    /// The answer to a question that need not be asked any more.
    pub(crate) fn answer(&self, request: &TokenRequest) -> Option<Error> {
        let first = self.first.as_ref().filter(|_| self.tenants.len() >= ENOUGH)?;
        let service = first.service()?;
        let message = format!(
            "no token for {} in {}: it was not asked for, because the service refuses the credential itself ({}, first in {})",
            request.target().title(),
            request.tenant(),
            service.code,
            first.tenant()
        );
        let refused = Error::new(first.kind(), message)
            .with_id("CredentialRefused")
            .advise(first.advice());
        Some(request.name(refused).with_service(ServiceError {
            error: service.error.clone(),
            code: service.code.clone(),
            trace_id: service.trace_id.clone(),
            correlation_id: service.correlation_id.clone(),
            ..ServiceError::default()
        }))
    }
}

/// The same for an operation whose tenants are worked on side by side.
#[derive(Default)]
pub(crate) struct SharedRefusals(Mutex<Refusals>);

impl SharedRefusals {
    /// Asks for a token, unless the credential has been refused often enough.
    pub(crate) async fn acquire(&self, tokens: &Tokens, question: &TokenRequest) -> Result<Arc<Token>, Error> {
        if let Some(error) = self.lock().answer(question) {
            if tokens.cached(question).is_none() {
                return Err(error);
            }
        }
        let answer = tokens.acquire(question).await;
        self.lock().note(&answer);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of_the_credential(error: &Error) -> bool {
    let Some(service) = error.service() else { return false };
    match service.error.as_str() {
        "invalid_client" => advice::find(&service.code).is_some_and(|row| row.category == Category::Credential),
        "invalid_grant" => DEAD.contains(&service.code.as_str()),
        _ => false,
    }
}
