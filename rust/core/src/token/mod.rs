//! Tokens: asked for once, shared while they last, refreshed before they end.

mod advice;
mod cache;
mod exchange;
mod failure;
mod flights;
mod grant;
mod lineage;
mod request;
mod resolve;
mod target;
mod wire;

pub use cache::Tokens;
pub(crate) use failure::about_tenant;
pub use request::TokenRequest;
pub use target::Target;

use crate::jwt;
use crate::secret::Secret;
use crate::tenant::TenantId;

/// An access token and what is known about it.
#[derive(Debug)]
pub struct Token {
    access_token: Secret,
    token_type: String,
    /// Milliseconds since 1970, by this machine's clock.
    expires_on: i64,
    /// From when on it is worth a refresh, by the same clock.
    refresh_on: i64,
    tenant: TenantId,
    application_id: String,
    target: Target,
    refresh_token: Option<Secret>,
}

impl Token {
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// `Bearer`, unless the service says otherwise.
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// Milliseconds since 1970-01-01 UTC, by this machine's clock.
    pub fn expires_on(&self) -> i64 {
        self.expires_on
    }

    /// The tenant's GUID, whatever name it was asked for by.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// What it was asked for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The refresh token that came with it.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The user's sign-in name from the token's claims; `None` for an application's own token.
    pub fn account(&self) -> Option<String> {
        let claims = jwt::claims(self.access_token.expose()).ok()?;
        ["upn", "preferred_username", "unique_name"]
            .iter()
            .find_map(|name| claims.get(*name)?.as_str().map(str::to_owned))
    }
}
