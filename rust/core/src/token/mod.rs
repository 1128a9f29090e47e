//! Tokens: asked for once, shared while they last, refreshed before they end.

mod advice;
pub(crate) mod assertion;
mod cache;
mod client;
mod exchange;
mod failure;
mod flights;
mod grant;
mod identity;
mod lineage;
mod patience;
mod refusals;
mod request;
mod resolve;
mod target;
mod user_assertion;
mod wire;

pub(crate) use cache::held::Filter;
pub use cache::Tokens;
pub(crate) use client::ask_as_client;
pub(crate) use failure::{
    about_tenant, asks_for_consent, consent_page, lacks_resource, read as read_service_error, refused, sign_in_refused,
    Question,
};
pub(crate) use lineage::Lineage;
pub(crate) use refusals::{Refusals, SharedRefusals};
pub use request::TokenRequest;
pub use target::Target;
pub use user_assertion::UserAssertion;
pub(crate) use wire::{Number, Success};

use crate::export::time::iso;
use crate::jwt;
use crate::secret::Secret;
use crate::tenant::TenantId;
use serde::Deserialize;
use std::sync::{Arc, OnceLock};

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
    refresh_token: Renewal,
    /// Read from the access token when it is first asked for: whoever asks for a token asks for it again.
    account: OnceLock<Option<String>>,
}

/// Which refresh token belongs to an access token.
#[derive(Debug)]
enum Renewal {
    None,
    /// The one that came with it and with nothing else.
    Own(Secret),
    Lineage(Arc<Lineage>),
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

    /// When it ends, for a person.
    fn end(&self) -> String {
        iso(self.expires_on)
    }

    /// The tenant's GUID, whatever name it was asked for by; where nothing tells it, the shared name that stood for it.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The tenant's GUID, where it is known: a shared name or a managed identity says none, and an opaque token does not either.
    pub fn known_tenant(&self) -> Option<&TenantId> {
        self.tenant.guid().is_some().then_some(&self.tenant)
    }

    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// What it was asked for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The refresh token to keep for its user. Of a redeemed one's lineage it is the newest now, which may be newer than the
    /// one that came with this token.
    pub fn refresh_token(&self) -> Option<Secret> {
        match &self.refresh_token {
            Renewal::None => None,
            Renewal::Own(token) => Some(token.clone()),
            Renewal::Lineage(lineage) => Some(lineage.newest()),
        }
    }

    /// The user's sign-in name from the token's claims; `None` for an application's own token.
    pub fn account(&self) -> Option<&str> {
        self.account
            .get_or_init(|| {
                let who: Who = jwt::known_claims(self.access_token.expose())?;
                who.upn.or(who.preferred_username).or(who.unique_name)
            })
            .as_deref()
    }
}

/// The tenant that an access token names; `None` for an opaque one.
fn claimed_tenant(token: &Secret) -> Option<TenantId> {
    #[derive(Deserialize)]
    struct Tenant {
        tid: String,
    }
    let claims: Tenant = jwt::known_claims(token.expose())?;
    TenantId::parse(&claims.tid)
        .ok()
        .filter(|tenant| tenant.guid().is_some())
}

/// The claims that name a user, in v1 tokens and in v2 tokens.
#[derive(Deserialize)]
struct Who {
    upn: Option<String>,
    preferred_username: Option<String>,
    unique_name: Option<String>,
}
