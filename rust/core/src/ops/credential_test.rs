//! The `credential_test` operation: one row for each thing that has to be right before a credential works.
//!
//! The order is that of a sign-in: the host, the clock, the application, its user's refresh token, a token for each
//! resource. What cannot tell anything after an earlier finding is not tried, and its row says so: a dead host costs one
//! wait, and nothing secret is sent to a host that does not answer like the sign-in service.

use crate::check::{accepted, clock, managed_identity, reachability, refresh_token, token, Row, Verdict};
use crate::engine::{Engine, Session};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::http::{RequestSpec, Retry};
use crate::jwt;
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{about_tenant, Target, Token, TokenRequest};
use futures_util::{stream, StreamExt};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Resources that are tried at the same time.
const AT_ONCE: usize = 8;
/// The sign-in host's metadata page is asked for at most twice: whoever diagnoses a dead host does not want to wait.
const PATIENCE: Retry = Retry {
    repeats: 1,
    waits: Duration::from_secs(5),
    budget: None,
};

/// What the request asks for, checked before anything is sent.
struct Plan {
    /// For a token in the tenant for the first of the resources, from the service and not from the cache.
    question: TokenRequest,
    resources: Vec<Target>,
}

impl Plan {
    fn read(engine: &Engine, request: &Request) -> Result<Self> {
        request.only(&["credential", "environment", "tenant", "resources"])?;
        let credential = Arc::clone(request.credential("credential")?);
        let environment = engine
            .environments()
            .find(request.opt_text("environment")?.unwrap_or_default())?;
        let tenant = match (request.opt_text("tenant")?, credential.home_tenant()) {
            (Some(text), _) => TenantId::parse(text)?,
            (None, Some(tenant)) => tenant.clone(),
            (None, None) if credential.has_refresh_token() || credential.managed_identity().is_some() => {
                TenantId::parse("organizations")?
            }
            (None, None) => {
                return Err(Error::invalid("it is not known in which tenant to try the credential")
                    .advise("Give -TenantId: an application without a user has to be told its tenant."))
            }
        };
        let named = request.texts("resources")?;
        let mut resources = Vec::new();
        for name in named {
            let target = Target::resource(name)?;
            if !resources.contains(&target) {
                resources.push(target);
            }
        }
        if resources.is_empty() {
            for service in [Service::Graph, Service::PartnerCenter, Service::Manage] {
                resources.push(Target::resource(environment.resource(service))?);
            }
        }
        let first = resources
            .first()
            .cloned()
            .ok_or_else(|| Error::internal("there is no resource to try"))?;
        let question = TokenRequest::new(environment, credential, tenant, first).force_refresh(true);
        Ok(Plan { question, resources })
    }

    /// The rows that can still come once `check` has been reported.
    fn rest(&self, after: &str, reason: &str) -> Vec<Row> {
        let credential = self.question.credential();
        let mut rows = Vec::new();
        if after == reachability::CHECK {
            rows.push(Row::not_checked(accepted::CHECK, credential.application_id(), reason));
        }
        if credential.has_refresh_token() && after != refresh_token::CHECK {
            rows.push(Row::not_checked(refresh_token::CHECK, self.account(), reason));
        }
        rows.extend(
            self.resources
                .iter()
                .map(|target| Row::not_checked(token::CHECK, target.title(), reason)),
        );
        rows
    }

    /// Whose the refresh token is, as far as the credential's maker knew.
    fn account(&self) -> &str {
        let credential = self.question.credential();
        credential.account().unwrap_or(credential.application_id())
    }

    fn acquired_on(&self) -> Option<SystemTime> {
        let millis = self.question.credential().describe().get("acquiredOn")?.as_i64()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
    }
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let plan = Plan::read(session.engine(), request)?;
    Ok(Operation::spawn(session, |context| run(context, plan)))
}

async fn run(context: Context, plan: Plan) -> Result<()> {
    context.or_cancelled(check(&context, &plan)).await
}

async fn check(context: &Context, plan: &Plan) -> Result<()> {
    let credential = plan.question.credential();
    if let Some(identity) = credential.managed_identity() {
        report(context, managed_identity::beside_the_point(identity)).await?;
    } else {
        let (reached, clock) = look(plan).await?;
        let goes_on = reached.verdict == Verdict::Pass;
        report(context, [reached, clock]).await?;
        if !goes_on {
            return report(context, plan.rest(reachability::CHECK, "see the row Reachability")).await;
        }
    }

    let answer = ask(context, &plan.question).await?;
    let outcome = answer.as_ref().map(|_| ());
    let row = match credential.managed_identity() {
        Some(identity) => managed_identity::judge(identity, outcome),
        None => accepted::judge(credential.application_id(), credential.proof().title(), outcome),
    };
    let goes_on = row.verdict == Verdict::Pass;
    report(context, [row]).await?;
    if !goes_on {
        return report(context, plan.rest(accepted::CHECK, "see the row Credential")).await;
    }

    if credential.has_refresh_token() {
        let known = answer.as_ref().ok().and_then(|token| token.account());
        let account = known.unwrap_or(plan.account());
        let outcome = answer.as_ref().map(|_| ());
        report(
            context,
            [refresh_token::judge(
                account,
                outcome,
                plan.acquired_on(),
                SystemTime::now(),
            )],
        )
        .await?;
        if answer.as_ref().is_err_and(refresh_token::is_dead) {
            return report(context, plan.rest(refresh_token::CHECK, "see the row RefreshToken")).await;
        }
    }

    report(context, [judge(plan.question.target(), &answer)]).await?;
    let others: Vec<TokenRequest> = plan
        .resources
        .iter()
        .skip(1)
        .map(|target| plan.question.clone().for_target(target.clone()))
        .collect();
    let mut others = stream::iter(others)
        .map(|question| async move {
            let answer = ask(context, &question).await?;
            Ok::<_, Error>(judge(question.target(), &answer))
        })
        .buffered(AT_ONCE);
    while let Some(row) = others.next().await {
        report(context, [row?]).await?;
    }
    Ok(())
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
    match context.engine.tokens().acquire(question).await {
        Err(error) if error.is_cancelled() => Err(error),
        answer => Ok(answer),
    }
}

fn judge(target: &Target, answer: &Result<Arc<Token>>) -> Row {
    let permissions = answer.as_ref().map(|token| {
        // An opaque token is still a token; what it permits is then its service's secret.
        jwt::claims(token.access_token().expose())
            .ok()
            .as_ref()
            .map(token::Permissions::read)
    });
    token::judge(target.title(), permissions)
}

async fn report(context: &Context, rows: impl IntoIterator<Item = Row>) -> Result<()> {
    for row in rows {
        context.sink.record(row.into_value()).await?;
    }
    Ok(())
}
