//! Tokens of managed identities: from the platform of this machine, kept and shared like any others.

use super::cache::Inner;
use super::exchange::refresh_on;
use super::request::TokenRequest;
use super::{claimed_tenant, Renewal, Token};
use crate::error::{Error, Kind, Result};
use crate::jwt;
use crate::managed_identity::ManagedIdentity;
use crate::tenant::TenantId;
use serde::Deserialize;
use std::sync::{Arc, OnceLock};

#[derive(Default, Deserialize)]
struct Claims {
    #[serde(default)]
    appid: String,
}

/// Asks the platform. An identity has one tenant, which its token names unless it is opaque; `request`'s own says nothing of
/// it and is looked at afterwards.
pub(super) async fn ask(inner: &Inner, request: &TokenRequest, identity: &ManagedIdentity) -> Result<Arc<Token>> {
    let resource = request.managed_resource()?;
    let issued = identity
        .token(&inner.platform, &resource)
        .await
        .map_err(|error| request.name(error))?;
    let claims: Claims = jwt::known_claims(issued.access_token.expose()).unwrap_or_default();
    let now = inner.clock.now_ms();
    let life = issued.life.saturating_mul(1000);
    let client_id = issued.client_id.filter(|id| !id.is_empty()).unwrap_or(claims.appid);
    Ok(Arc::new(Token {
        token_type: issued.token_type,
        expires_on: now.saturating_add(life),
        refresh_on: refresh_on(now, life, None),
        tenant: claimed_tenant(&issued.access_token).map_or_else(anywhere, Ok)?,
        application_id: client_id.to_ascii_lowercase(),
        target: request.target().clone(),
        refresh_token: Renewal::None,
        account: OnceLock::new(),
        access_token: issued.access_token,
    }))
}

/// What stands for a managed identity's tenant: it has one, whichever one is asked for.
pub(super) fn anywhere() -> Result<TenantId> {
    TenantId::parse("organizations")
}

/// Whether no other tenant was asked for, as far as its name tells.
pub(super) fn is_of_its_tenant(request: &TokenRequest, token: &Token) -> bool {
    request.tenant().is_shared() || token.known_tenant() == Some(request.tenant())
}

/// The token, unless it was asked for in another tenant than the identity's own, or in one that it cannot be told to be of.
pub(super) async fn of_its_tenant(inner: &Arc<Inner>, request: &TokenRequest, token: Arc<Token>) -> Result<Arc<Token>> {
    if is_of_its_tenant(request, &token) {
        return Ok(token);
    }
    if token.known_tenant().is_none() {
        let message = format!(
            "the platform's token does not say which tenant it is of, so it cannot be taken for one of {}",
            request.tenant()
        );
        return Err(request.name(Error::new(Kind::InvalidInput, message).advise(
            "Leave the tenant out: a managed identity has one tenant, and its token is given without a name then.",
        )));
    }
    let resolved = inner
        .resolve(request.environment(), request.tenant())
        .await
        .map_err(|error| request.name(error))?;
    if resolved == *token.tenant() {
        return Ok(token);
    }
    let message = format!(
        "the managed identity belongs to the tenant {}, and gets no tokens of another one",
        token.tenant()
    );
    Err(request.name(Error::new(Kind::InvalidInput, message).advise(
        "Leave the tenant out, or let the identity prove an application that is known there: New-SecureAppCredential -FederatedManagedIdentity.",
    )))
}
