//! What a sign-in is worth: the checked id token, and a credential that holds the refresh token.

use super::authority::Authority;
use super::id_token::{self, Claims};
use super::{keys, Plan};
use crate::credential::{Acquired, Credential};
use crate::error::{Error, Kind, Result};
use crate::http::Reply;
use crate::jwt;
use crate::secret::Secret;
use crate::tenant::TenantId;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A sign-in that ended well.
pub(crate) struct SignedIn {
    pub(crate) credential: Arc<Credential>,
    pub(crate) account: Option<String>,
    /// `amr` as far as a token says it.
    pub(crate) methods: Vec<String>,
    pub(crate) mfa: Option<bool>,
}

#[derive(Deserialize)]
struct Success<'a> {
    #[serde(borrow, default)]
    access_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    client_info: Option<Cow<'a, str>>,
}

/// Reads the token endpoint's answer. Nothing of it is kept unless the id token is right.
pub(super) async fn read(plan: &Plan, authority: &Authority, reply: &Reply, nonce: Option<&str>) -> Result<SignedIn> {
    let success: Success<'_> = reply.json().map_err(|error| plan.name(error))?;
    let Some(id_token) = success.id_token.as_deref() else {
        return Err(plan.name(
            Error::new(
                Kind::Protocol,
                "the answer of the sign-in host has no id token, so nobody can say who signed in",
            )
            .advise("Check that the environment's sign-in host is the right one (Get-SecureAppEnvironment)."),
        ));
    };
    let keys = keys::fetch(plan, authority).await?;
    let server = reply.server_time().unwrap_or_else(SystemTime::now);
    let now = server
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64);
    let claims = id_token::verify(plan, authority, &keys, id_token, nonce, now)?;
    let account = claims.account().map(str::to_owned);
    if let Some(expected) = &plan.expected_account {
        if !claims.is(expected) {
            return Err(plan.name(
                Error::new(
                    Kind::NotSignedIn,
                    format!(
                        "{} signed in, but {expected} was expected",
                        account.as_deref().unwrap_or("somebody without a name")
                    ),
                )
                .advise("Nothing was kept. Sign in again and choose the right account; a private browser window offers no others."),
            ));
        }
    }
    let Some(refresh_token) = success.refresh_token.as_deref().filter(|text| !text.is_empty()) else {
        return Err(plan.name(
            Error::new(Kind::Protocol, "the sign-in worked, but it gave no refresh token").advise(
                "The application may not ask for offline_access: consent to it, and check that the tenant's policies allow \
                 refresh tokens.",
            ),
        ));
    };
    let methods = methods(&claims, success.access_token.as_deref());
    let mfa = (!methods.is_empty()).then(|| methods.iter().any(|method| method == "mfa"));
    let acquired = Acquired {
        refresh_token: Secret::from(refresh_token),
        account: account.clone(),
        tenant: home(&claims, success.client_info.as_deref()).or_else(|| concrete(plan)),
        on_ms: now.saturating_mul(1000),
        mfa,
    };
    Ok(SignedIn {
        credential: Arc::new(plan.credential.with_user(acquired)?),
        account,
        methods,
        mfa,
    })
}

/// The id token of the v2 endpoint does not always have `amr`; an access token in the v1 format does.
fn methods(claims: &Claims, access_token: Option<&str>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Methods {
        #[serde(default)]
        amr: Vec<String>,
    }
    if !claims.amr.is_empty() {
        return claims.amr.clone();
    }
    let known = access_token.and_then(jwt::known_claims::<Methods>);
    known.map(|known| known.amr).unwrap_or_default()
}

/// The user's own tenant, which is not that of the token where a partner signs in to a customer.
fn home(claims: &Claims, client_info: Option<&str>) -> Option<TenantId> {
    #[derive(Deserialize)]
    struct ClientInfo {
        utid: String,
    }
    let info: Option<ClientInfo> = client_info.and_then(jwt::part);
    let id = info.map(|info| info.utid).or_else(|| claims.tid.clone())?;
    TenantId::parse(&id).ok()
}

fn concrete(plan: &Plan) -> Option<TenantId> {
    (!plan.tenant.is_shared()).then(|| plan.tenant.clone())
}
