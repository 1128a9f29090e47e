//! One exchange with the token endpoint, from the form to the token.

use super::cache::{Inner, Tokens};
use super::failure::{self, Asked};
use super::grant::ServiceTime;
use super::lineage::Lineage;
use super::patience::Patience;
use super::request::{Grant, TokenRequest};
use super::wire::Success;
use super::{claimed_tenant, grant, identity, Renewal, Token};
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::Reply;
use crate::jwt;
use crate::operation::{log, or_cancelled};
use crate::secret::Secret;
use crate::store::exclusive::Exclusive;
use crate::tenant::TenantId;
use serde::Deserialize;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, UNIX_EPOCH};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// A token is refreshed this long before its end, or a quarter of its life if that is less.
const REFRESH_EARLY_MS: i64 = 5 * 60 * 1000;

/// Tells of an exchange while it runs.
pub(super) async fn told(
    request: &TokenRequest,
    how: Grant,
    exchange: impl Future<Output = Result<Arc<Token>>>,
) -> Result<Arc<Token>> {
    log::verbose(|| {
        format!(
            "Asking {} for a token for {} ({})",
            whom(request),
            request.subject(),
            how.name()
        )
    });
    let begun = Instant::now();
    let result = exchange.await;
    log::verbose(|| {
        let (subject, took) = (request.subject(), begun.elapsed().as_millis());
        match &result {
            Ok(token) => format!(
                "The token for {subject} came after {took} ms, good until {}",
                token.end()
            ),
            Err(_) => format!("No token for {subject} after {took} ms"),
        }
    });
    result
}

/// Who is asked: the platform of this machine, or the sign-in host.
fn whom(request: &TokenRequest) -> &str {
    match request.credential().managed_identity() {
        Some(identity) => identity.platform(),
        None => {
            let login = request.environment().known_endpoint(Service::Login).unwrap_or_default();
            login.strip_prefix("https://").unwrap_or(login)
        }
    }
}

/// Asks the service. A redemption heeds `abandoned` until it is sent; then it runs to its end, because its answer may
/// bring the only refresh token that is still good.
pub(super) async fn ask(
    inner: &Arc<Inner>,
    request: &TokenRequest,
    how: Grant,
    tenant: TenantId,
    lineage: Option<Arc<Lineage>>,
    abandoned: CancellationToken,
) -> Result<Arc<Token>> {
    if let Some(identity) = request.credential().managed_identity() {
        return identity::ask(inner, request, identity).await;
    }
    let (environment, credential) = (request.environment(), request.credential());
    let binding = credential
        .binding()
        .filter(|binding| binding.is_of(environment.instance()));
    let single_use =
        environment.single_use_refresh_tokens() || binding.as_ref().is_some_and(|binding| binding.single_use());
    let _turn = match &lineage {
        Some(lineage) if single_use => Some(turn(lineage, &abandoned).await?),
        _ => None,
    };
    let exclusive = match (&lineage, &binding) {
        (Some(lineage), Some(binding)) if single_use => {
            let tokens = Tokens::of(inner);
            let enter = Exclusive::enter(&tokens, &inner.stores, credential, binding, lineage.newest());
            or_cancelled(&abandoned, enter)
                .await
                .map_err(|error| request.name(error))?
        }
        _ => None,
    };
    let redeemed = match &exclusive {
        Some(exclusive) => Some(exclusive.token().clone()),
        None => lineage.as_ref().map(|lineage| lineage.newest()),
    };
    let exchanged = exchange(inner, request, how, &tenant, redeemed.as_ref(), single_use, abandoned).await;
    let (mut token, exclusive) = match (exchanged, exclusive) {
        (Err(error), Some(exclusive)) => return Err(exclusive.refused(error)),
        (Err(error), None) => return Err(error),
        (Ok((token, rotated)), exclusive) => {
            if let Some(lineage) = &lineage {
                if let Some((new, _)) = rotated.filter(|(_, home)| single_use || *home) {
                    let instance = environment.instance();
                    let application = credential.application_id();
                    inner
                        .lineages
                        .adopt(instance, application, lineage, &new, inner.clock.now_ms())?;
                    inner.stores.note(credential, instance);
                }
            }
            (token, exclusive)
        }
    };
    if let Some(exclusive) = exclusive {
        let tokens = Tokens::of(inner);
        if let Err(error) = exclusive.redeemed(&tokens, &inner.stores, credential).await {
            // The token is good all the same; the end of the command tells.
            inner.stores.complain(error);
        }
    }
    if let Some(lineage) = lineage {
        token.refresh_token = Renewal::Lineage(lineage);
    }
    Ok(Arc::new(token))
}

/// Sends the form and reads the answer: the token, and the refresh token that replaces the redeemed one.
async fn exchange(
    inner: &Arc<Inner>,
    request: &TokenRequest,
    how: Grant,
    tenant: &TenantId,
    redeemed: Option<&Secret>,
    single_use: bool,
    abandoned: CancellationToken,
) -> Result<(Token, Option<(Secret, bool)>)> {
    let asked = Asked::token(request, tenant, redeemed);
    let client = request.environment().http()?;
    let mut patience = Patience::new(request.credential(), client.first_backoff());
    loop {
        let time = ServiceTime {
            clock: Arc::clone(&inner.clock),
            ahead_ms: patience.ahead_ms(),
        };
        let mut spec = grant::spec(request, how, tenant, redeemed, time, Tokens::of(inner))?;
        if how == Grant::RefreshToken {
            spec = spec.abandon_unless_sent(abandoned.clone());
            if single_use {
                // A second try would use a dead token.
                spec = spec.repeatable(false);
            }
        }
        let reply = client.send(&spec).await.map_err(|error| request.name(error))?;
        match read(inner, request, tenant, &reply, &asked) {
            Ok(answer) => return Ok(answer),
            Err(error) => match patience.again(&error, &reply, inner.clock.now_ms()) {
                Some(wait) => {
                    log::verbose(|| {
                        let code = error.service().map_or("", |service| service.code.as_str());
                        format!(
                            "Proving the application anew in {:.1} s: this proof was not taken ({code})",
                            wait.as_secs_f64()
                        )
                    });
                    tokio::select! {
                        biased;
                        () = abandoned.cancelled() => return Err(Error::cancelled()),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                None => return Err(error),
            },
        }
    }
}

async fn turn(lineage: &Lineage, abandoned: &CancellationToken) -> Result<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        () = abandoned.cancelled() => Err(Error::cancelled()),
        permit = Arc::clone(lineage.turn()).acquire_owned() => {
            permit.map_err(|_| Error::internal("the queue of a refresh token was closed"))
        }
    }
}

/// The token, and the refresh token that replaces the redeemed one with whether it is the home tenant's.
fn read(
    inner: &Inner,
    request: &TokenRequest,
    tenant: &TenantId,
    reply: &Reply,
    asked: &Asked<'_>,
) -> Result<(Token, Option<(Secret, bool)>)> {
    if !reply.is_success() {
        return Err(failure::from_reply(reply, asked));
    }
    let success: Success<'_> = reply.json().map_err(|error| request.name(error))?;
    if success.error.is_some() {
        return Err(failure::from_reply(reply, asked));
    }
    #[derive(Deserialize)]
    struct End {
        exp: i64,
    }
    let access_token = match success.access_token.as_deref() {
        Some(text) if !text.is_empty() => Secret::from(text),
        _ => return Err(missing(request, reply, "access_token")),
    };
    let server_now = reply
        .server_time()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let now = inner.clock.now_ms();
    let server_now = server_now.map_or(now / 1000, |time| time.as_secs() as i64);
    let claimed_end = || jwt::known_claims::<End>(access_token.expose()).map(|claims| claims.exp);
    let Some(life) = success.life(server_now, claimed_end) else {
        return Err(missing(request, reply, "expires_in"));
    };
    let life = life * 1000;
    let advised = success
        .refresh_in
        .map(|seconds| seconds.0.saturating_mul(1000))
        .filter(|wait| *wait > 0);
    let home = tenant.is_shared().then(|| claimed_tenant(&access_token)).flatten();
    let new_refresh_token = success
        .refresh_token
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(Secret::from);
    let token = Token {
        token_type: success.token_type.as_deref().unwrap_or("Bearer").to_owned(),
        expires_on: now.saturating_add(life),
        refresh_on: refresh_on(now, life, advised),
        tenant: home.unwrap_or_else(|| tenant.clone()),
        application_id: request.credential().application_id().to_owned(),
        target: request.target().clone(),
        refresh_token: new_refresh_token.clone().map_or(Renewal::None, Renewal::Own),
        account: OnceLock::new(),
        access_token,
    };
    let home = is_home(request, &token, success.client_info.as_deref());
    Ok((token, new_refresh_token.map(|new| (new, home))))
}

/// From when on a token that lives `life` milliseconds from now is worth a refresh.
pub(super) fn refresh_on(now: i64, life: i64, advised: Option<i64>) -> i64 {
    let early = REFRESH_EARLY_MS.min(life / 4);
    now.saturating_add((life - early).min(advised.unwrap_or(i64::MAX)))
}

#[cold]
fn missing(request: &TokenRequest, reply: &Reply, field: &str) -> Error {
    request.name(
        Error::new(Kind::Protocol, format!("the answer of {} has no '{field}'", reply.authority()))
            .advise("Try again; if it stays so, check that the environment's sign-in host is the right one (Get-SecureAppEnvironment)."),
    )
}

/// True where the token's tenant is the user's own, from what the reply or the credential's maker says. Where neither does,
/// the refresh token in use stays: it is good for every tenant.
fn is_home(request: &TokenRequest, token: &Token, client_info: Option<&str>) -> bool {
    #[derive(Deserialize)]
    struct ClientInfo {
        utid: String,
    }
    match client_info.and_then(jwt::part) {
        Some(ClientInfo { utid: home }) => home.eq_ignore_ascii_case(token.tenant().as_str()),
        None => {
            let home = request.credential().home_tenant();
            home.is_some_and(|home| home == token.tenant() || home == request.tenant())
        }
    }
}
