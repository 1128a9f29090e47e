//! The rows of one tenant: consent, a token for each resource, and what the audit log takes.

use super::plan::Plan;
use super::{ask, settled, AT_ONCE, PATIENCE};
use crate::audit;
use crate::check::exchange::Who;
use crate::check::{activity_feed, consent, exchange, organization, token, Row};
use crate::environment::Service;
use crate::error::Result;
use crate::exchange::AdminApi;
use crate::export::time::iso;
use crate::jwt;
use crate::operation::Context;
use crate::tenant::TenantId;
use crate::token::{Target, Token, TokenRequest};
use futures_util::{stream, StreamExt, TryStreamExt};
use serde_json::json;
use std::sync::Arc;

type Answer = Result<Arc<Token>>;

/// `first` is the answer to the plan's own question.
pub(super) async fn rows(context: &Context, plan: &Plan, tenant: &TenantId, first: &Answer) -> Result<Vec<Row>> {
    let question = plan.question.clone().for_tenant(tenant.clone());
    let is_own = tenant == plan.question.tenant();
    // For its rule of sign-ins Partner Center was asked a moment ago, with a token that is as new as any.
    let is_new = |target: &Target| is_own && plan.asks_partner_center() && plan.is_for(target, Service::PartnerCenter);
    let questions: Vec<TokenRequest> = plan
        .resources(tenant)
        .map(|target| {
            let question = question.clone().for_target(target.clone());
            question.force_refresh(!is_new(target))
        })
        .collect();
    let is_first = |asked: &TokenRequest| is_own && asked.target() == plan.question.target();
    // A question that has been asked already is not asked again.
    let asked: Vec<Option<Answer>> = stream::iter(questions.clone())
        .map(|question| async move {
            match is_first(&question) {
                true => Ok(None),
                false => ask(context, &question).await.map(Some),
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let answers: Vec<(&Target, &Answer)> = questions
        .iter()
        .zip(&asked)
        .map(|(question, answer)| (question.target(), answer.as_ref().unwrap_or(first)))
        .collect();

    // A shared name is nobody's: the tokens say where the user is at home.
    let home = answers.iter().find_map(|(_, answer)| answer.as_ref().ok());
    let home = home.filter(|_| tenant.is_shared()).map(|token| token.tenant());
    let name = home.unwrap_or(tenant).as_str();
    let mut rows = Vec::new();
    if plan.asks_for_consent() {
        let outcomes: Vec<_> = answers
            .iter()
            .map(|(target, answer)| (target.title(), answer.as_ref().map(|_| ())))
            .collect();
        rows.push(consent::judge(name, &outcomes));
    }
    rows.extend(answers.iter().map(|(target, answer)| judge(target, answer)));
    for (target, answer) in &answers {
        let question = question.clone().for_target((*target).clone()).force_refresh(false);
        let token = answer.as_ref().ok().map(Arc::as_ref);
        if plan.is_for(target, Service::Manage) {
            rows.push(feed(context, plan, name, &question, token).await?);
        }
        if plan.is_for(target, Service::Outlook) {
            rows.extend(exchange_rows(context, plan, name, &question, token).await?);
        }
    }
    Ok(rows.into_iter().map(|row| row.in_tenant(name)).collect())
}

fn judge(target: &Target, answer: &Answer) -> Row {
    // An opaque token is still a token; what it permits is then its service's secret.
    token::judge(target.title(), answer.as_ref().map(|token| permissions(token)))
}

fn permissions(token: &Token) -> Option<token::Permissions> {
    let claims = jwt::claims(token.access_token().expose()).ok()?;
    Some(token::Permissions::read(&claims))
}

const NO_TOKEN: &str = "see the row Token";

async fn feed(
    context: &Context,
    plan: &Plan,
    tenant: &str,
    question: &TokenRequest,
    token: Option<&Token>,
) -> Result<Row> {
    let Some(token) = token else {
        return Ok(Row::not_checked(activity_feed::CHECK, tenant, NO_TOKEN));
    };
    let publisher = match plan.credential().home_tenant() {
        Some(home) => settled(context.engine.tokens().resolve(question.environment(), home).await)?,
        None => Ok(token.tenant().clone()),
    };
    let answer = match publisher {
        Ok(publisher) => {
            settled(audit::feed::probe(&context.engine, question, token.tenant(), &publisher, PATIENCE).await)?
        }
        Err(error) => Err(error),
    };
    Ok(activity_feed::judge(tenant, answer.as_ref().copied()))
}

async fn exchange_rows(
    context: &Context,
    plan: &Plan,
    tenant: &str,
    question: &TokenRequest,
    token: Option<&Token>,
) -> Result<Vec<Row>> {
    let Some(token) = token else {
        let mut rows = [exchange::ROLE, exchange::AUDIT_SEARCH]
            .map(|check| Row::not_checked(check, tenant, NO_TOKEN))
            .to_vec();
        let name = plan.organization.as_ref();
        rows.extend(name.map(|name| Row::not_checked(organization::CHECK, name.as_str(), NO_TOKEN)));
        return Ok(rows);
    };
    let who = if plan.as_user { Who::User } else { Who::Application };
    let answer = settled(search(context, question, token.tenant()).await)?;
    let outcome = answer.as_ref().copied();
    let mut rows = vec![
        exchange::judge_role(tenant, who, permissions(token).as_ref(), outcome),
        exchange::judge_audit_search(tenant, outcome),
    ];
    if let Some(name) = &plan.organization {
        rows.push(organization_row(context, question, token, name).await?);
    }
    Ok(rows)
}

/// Searches the last minute of the audit log for one record: whoever may not, is told what is missing.
async fn search(context: &Context, question: &TokenRequest, organization: &TenantId) -> Result<()> {
    let now = context.engine.clock().now_ms();
    let parameters = json!({
        "StartDate": iso((now - 60_000) / 1000 * 1000),
        "EndDate": iso(now / 1000 * 1000),
        "ResultSize": 1,
    });
    AdminApi::new(Arc::clone(&context.engine), question.clone(), organization.clone())?
        .with_retry(PATIENCE)
        .call("Search-UnifiedAuditLog", &parameters)?
        .next()
        .await
        .map(|_| ())
}

async fn organization_row(context: &Context, question: &TokenRequest, token: &Token, name: &TenantId) -> Result<Row> {
    let tenant = token.tenant().as_str();
    let found = settled(context.engine.tokens().resolve(question.environment(), name).await)?;
    let found = found.as_ref().map(TenantId::as_str);
    let answer = match found {
        // What Connect-ExchangeOnline would be told.
        Ok(found) if found != tenant => settled(search(context, question, name).await)?,
        _ => Ok(()),
    };
    Ok(organization::judge(name.as_str(), tenant, found, answer.as_ref().err()))
}
