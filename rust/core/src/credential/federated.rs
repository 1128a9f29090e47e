//! A managed identity as the proof of an application that is registered in another tenant.
//!
//! Source: Microsoft's "Configure an application to trust a managed identity".

use super::proof::{Occasion, NO_PROOF};
use super::Credential;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// A token of `identity` for the exchange. It comes from the cache like any other: a thousand customers cost one request to
/// the platform.
pub(super) async fn assertion(identity: &Arc<Credential>, occasion: &Occasion<'_>) -> Result<Secret> {
    let target = Target::resource(audience(occasion.endpoint))?;
    let anywhere = TenantId::parse("organizations")?;
    let request = TokenRequest::new(Arc::clone(occasion.environment), Arc::clone(identity), anywhere, target);
    // Behind a pointer, because acquiring that token is the same kind of future as the one that waits for it.
    let acquired: BoxFuture<'_, _> = Box::pin(occasion.tokens.acquire(&request));
    match acquired.await {
        Ok(token) => Ok(token.access_token().clone()),
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => Err(unproved(error)),
    }
}

/// What the exchange is called in the cloud of this token endpoint.
fn audience(endpoint: &str) -> &'static str {
    let host = endpoint.strip_prefix("https://").unwrap_or(endpoint);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if host.ends_with(".us") {
        "api://AzureADTokenExchangeUSGov"
    } else if host.ends_with(".cn") {
        "api://AzureADTokenExchangeChina"
    } else {
        "api://AzureADTokenExchange"
    }
}

#[cold]
fn unproved(error: Error) -> Error {
    let message = format!("the application could not be proved: {}", error.message());
    let unproved = Error::new(error.kind(), message)
        .advise(error.advice())
        .with_retry_after(error.retry_after())
        .with_id(NO_PROOF);
    let unproved = match error.service() {
        Some(service) => unproved.with_service(service.clone()),
        None => unproved,
    };
    match error.is_retryable() {
        true => unproved,
        false => unproved.permanent(),
    }
}

#[cfg(test)]
mod tests {
    use super::audience;

    #[test]
    fn every_cloud_has_its_own_exchange() {
        assert_eq!(
            audience("https://login.microsoftonline.com/t/oauth2/token"),
            "api://AzureADTokenExchange"
        );
        assert_eq!(
            audience("https://localhost:4430/t/oauth2/token"),
            "api://AzureADTokenExchange"
        );
        assert_eq!(
            audience("https://login.microsoftonline.us/t/oauth2/token"),
            "api://AzureADTokenExchangeUSGov"
        );
        assert_eq!(
            audience("https://login.partner.microsoftonline.cn/t"),
            "api://AzureADTokenExchangeChina"
        );
    }
}
