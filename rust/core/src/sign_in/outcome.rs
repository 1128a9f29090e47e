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
use crate::token::Success;
use crate::value::Value;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A sign-in that ended well.
pub(crate) struct SignedIn {
    pub(crate) credential: Arc<Credential>,
    pub(crate) account: Option<String>,
    /// `amr` as far as a token says it.
    pub(crate) methods: Vec<String>,
    pub(crate) mfa: Option<bool>,
    pub(crate) tokens: FirstTokens,
}

/// The tokens that came with a sign-in, for a host that has to hand them out.
pub(crate) struct FirstTokens {
    access_token: Option<Secret>,
    refresh_token: Secret,
    id_token: Secret,
    /// Milliseconds since 1970, by this machine's clock.
    expires_on: Option<i64>,
    /// The tenant that they are of, which need not be the user's own.
    tenant: Option<String>,
    scopes: Vec<String>,
}

impl FirstTokens {
    /// Adds them to a record.
    pub(crate) fn add_to(self, record: Value) -> Value {
        record
            .with("accessToken", self.access_token)
            .with("refreshToken", self.refresh_token)
            .with("idToken", self.id_token)
            .with("expiresOn", self.expires_on.map_or(Value::Null, Value::Time))
            .with("tokenTenantId", self.tenant)
            .with("scopes", self.scopes)
    }
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
                        "{} signed in, but another account was expected",
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
    let tokens = FirstTokens {
        access_token: success.access_token.as_deref().map(Secret::from),
        refresh_token: Secret::from(refresh_token),
        id_token: Secret::from(id_token),
        expires_on: expires_on(plan, &success, now),
        tenant: claims.tid.clone(),
        scopes: granted(plan, &success),
    };
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
        tokens,
    })
}

/// When the first access token ends; `None` where neither the answer nor the token says it.
fn expires_on(plan: &Plan, success: &Success<'_>, server_now: i64) -> Option<i64> {
    #[derive(Deserialize)]
    struct End {
        exp: i64,
    }
    let claimed = || Some(jwt::known_claims::<End>(success.access_token.as_deref()?)?.exp);
    let life = success.life(server_now, claimed)?;
    Some(plan.tokens.clock().now_ms().saturating_add(life * 1000))
}

/// What was granted, or what was asked for where the answer does not say.
fn granted(plan: &Plan, success: &Success<'_>) -> Vec<String> {
    match success.scope.as_deref().filter(|scope| !scope.trim().is_empty()) {
        Some(scope) => scope.split_ascii_whitespace().map(str::to_owned).collect(),
        None => plan.target.as_scopes().unwrap_or_default().to_vec(),
    }
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
