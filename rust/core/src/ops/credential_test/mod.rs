//! The `credential_test` operation: one row for each thing that has to be right before a credential works.
//!
//! The order is that of a sign-in: the host, the clock, the application and what proves it, its user's refresh token and how it
//! was obtained; then for each tenant consent, a token for each resource, and what the audit log takes. What cannot tell anything
//! after an earlier finding is not tried, and its row says so: a dead host costs one wait, and nothing secret is sent to a host
//! that does not answer like the sign-in service.

mod application;
mod plan;
mod tenant;

use crate::check::{accepted, clock, expiry, managed_identity, mfa, reachability, refresh_token, Row, Verdict};
use crate::engine::Session;
use crate::environment::Service;
use crate::error::Result;
use crate::http::{RequestSpec, Retry};
use crate::jwt;
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::token::{about_tenant, asks_for_consent, Token, TokenRequest};
use futures_util::{stream, StreamExt};
use plan::Plan;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Tenants, and in each its resources, that are tried at the same time.
const AT_ONCE: usize = 8;
/// What is only looked at is asked for at most twice: whoever diagnoses a dead host does not want to wait.
const PATIENCE: Retry = Retry {
    repeats: 1,
    waits: Duration::from_secs(5),
    budget: None,
};

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let plan = Plan::read(session.engine(), request)?;
    Ok(Operation::spawn(session, |context| run(context, plan)))
}

async fn run(context: Context, plan: Plan) -> Result<()> {
    context.or_cancelled(check(&context, &plan)).await
}

async fn check(context: &Context, plan: &Plan) -> Result<()> {
    let credential = plan.credential();
    if let Some(identity) = credential.managed_identity() {
        report(context, managed_identity::beside_the_point(identity)).await?;
    } else {
        let (reached, clock) = look(plan).await?;
        let goes_on = reached.verdict == Verdict::Pass;
        report(context, [reached, clock]).await?;
        if !goes_on {
            return report(context, plan.rest(reachability::CHECK)).await;
        }
    }

    let answer = ask(context, &plan.question).await?;
    let outcome = answer.as_ref().map(|_| ());
    let row = match credential.managed_identity() {
        Some(identity) => managed_identity::judge(identity, outcome),
        None if plan.is_abroad() && answer.as_ref().is_err_and(asks_for_consent) => {
            accepted::not_known_there(credential.application_id(), outcome)
        }
        None => accepted::judge(credential.application_id(), credential.proof().title(), outcome),
    };
    let goes_on = row.verdict == Verdict::Pass || row.verdict == Verdict::Skipped;
    report(context, [row]).await?;
    if !goes_on {
        let ended = answer.as_ref().err();
        let ended = ended.and_then(|error| expiry::ended(credential.application_id(), error));
        let rest = plan.rest(accepted::CHECK).into_iter();
        let rest = rest.filter(|row| ended.is_none() || row.check != expiry::SECRET);
        return report(context, ended.clone().into_iter().chain(rest)).await;
    }

    if credential.certificate().is_some() || credential.secret().is_some() {
        let seen = application::registration(context, plan, &answer).await?;
        report(context, plan.ends(&seen)).await?;
    }
    if plan.as_user && !check_user(context, plan, &answer).await? {
        return report(context, plan.rest(refresh_token::CHECK)).await;
    }

    let answer = &answer;
    let mut tenants = stream::iter(plan.tenants().to_vec())
        .map(|tenant| async move { tenant::rows(context, plan, &tenant, answer).await })
        .buffered(AT_ONCE);
    while let Some(rows) = tenants.next().await {
        report(context, rows?).await?;
    }
    Ok(())
}

/// The rows of the user behind the refresh token; false where it is dead.
async fn check_user(context: &Context, plan: &Plan, answer: &Result<Arc<Token>>) -> Result<bool> {
    let known = answer.as_ref().ok().and_then(|token| token.account());
    let account = known.unwrap_or(plan.account());
    let outcome = answer.as_ref().map(|_| ());
    let alive = refresh_token::judge(account, outcome, plan.acquired_on(), SystemTime::now());
    report(context, [alive]).await?;
    if answer.as_ref().is_err_and(refresh_token::is_dead) {
        return Ok(false);
    }
    let methods = answer.as_ref().map(|token| {
        let claims = jwt::claims(token.access_token().expose()).ok();
        claims.as_ref().and_then(mfa::methods)
    });
    report(context, [mfa::judge(account, methods, plan.credential().mfa())]).await?;
    if plan.asks_partner_center() {
        report(context, [application::partner_center_mfa(context, plan).await?]).await?;
    }
    Ok(true)
}

/// Asks the sign-in host for the tenant's public metadata; its answer also tells the time there.
async fn look(plan: &Plan) -> Result<(Row, Row)> {
    let (environment, tenant) = (plan.question.environment(), plan.question.tenant());
    let login = environment.endpoint(Service::Login)?;
    let host = login.strip_prefix("https://").unwrap_or(login);
    let spec = RequestSpec::get(&format!("{login}/{tenant}/v2.0/.well-known/openid-configuration"))?
        .limit(1 << 20)
        .retry(PATIENCE);
    let sent = SystemTime::now();
    let reply = environment.http()?.send(&spec).await;
    let received = SystemTime::now();
    Ok(match reply {
        Ok(reply) => {
            let clock = clock::judge(host, reply.server_time(), sent, received);
            let page = match reply.is_success() {
                true => Ok(reply.bytes()),
                false => Err(about_tenant(&reply, environment, tenant)),
            };
            (reachability::judge(host, tenant.as_str(), page), clock)
        }
        Err(error) if error.is_cancelled() => return Err(error),
        Err(error) => {
            let clock = Row::not_checked(clock::CHECK, host, "see the row Reachability");
            (reachability::judge(host, tenant.as_str(), Err(error)), clock)
        }
    })
}

/// The answer to a question for a token; only a stop is an error here.
async fn ask(context: &Context, question: &TokenRequest) -> Result<Result<Arc<Token>>> {
    settled(context.engine.tokens().acquire(question).await)
}

/// A refusal is an answer like any other; a stop is not.
fn settled<T>(answer: Result<T>) -> Result<Result<T>> {
    match answer {
        Err(error) if error.is_cancelled() => Err(error),
        answer => Ok(answer),
    }
}

async fn report(context: &Context, rows: impl IntoIterator<Item = Row>) -> Result<()> {
    for row in rows {
        context.sink.record(row.into_value()).await?;
    }
    Ok(())
}
