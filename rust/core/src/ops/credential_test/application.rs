//! Looking at what is the application's and its user's, in their own tenant.

use super::plan::Plan;
use super::{settled, PATIENCE};
use crate::check::registration::{Registration, Seen, SELECT};
use crate::check::{mfa, Row};
use crate::delegated;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::{authorized, random_id, RequestSpec};
use crate::operation::Context;
use crate::tenant::TenantId;
use crate::token::{Target, Token, TokenRequest};
use reqwest::header::HeaderName;
use std::sync::Arc;

/// Reads the application's registration, as the user and as the application itself: either may be permitted to.
pub(super) async fn registration(context: &Context, plan: &Plan, answer: &Result<Arc<Token>>) -> Result<Seen> {
    let question = &plan.question;
    let environment = question.environment();
    let Ok(graph) = environment.endpoint(Service::Graph) else {
        return Ok(Seen::NotAsked("this environment has no Microsoft Graph"));
    };
    let home = own_tenant(plan, answer);
    // The two ways are one where there is no user, and no application is at home everywhere.
    let ways = [
        (false, plan.as_user),
        (true, plan.credential().has_proof() && !home.is_shared()),
    ];
    let id = plan.credential().application_id();
    let address = format!("{graph}/v1.0/applications(appId='{id}')?$select={SELECT}");
    let token = question
        .clone()
        .for_tenant(home)
        .for_target(Target::resource(environment.resource(Service::Graph))?)
        .force_refresh(false);
    let mut refusal = None;
    for (app_only, _) in ways.into_iter().filter(|(_, possible)| *possible) {
        match settled(read(context, &token.clone().app_only(app_only), &address).await)? {
            Ok(read) => return Ok(Seen::Read(read)),
            // What Graph says tells more than that there is no token at all.
            Err(error) => refusal = refusal.filter(is_from_graph).or(Some(error)),
        }
    }
    Ok(refusal.map_or(Seen::NotAsked("nobody could be asked"), Seen::Refused))
}

/// Where the application is registered, as far as it is known: a registration is an object of its own tenant alone.
fn own_tenant(plan: &Plan, answer: &Result<Arc<Token>>) -> TenantId {
    match answer {
        Ok(token) if plan.question.tenant().is_shared() => token.tenant().clone(),
        _ => plan.question.tenant().clone(),
    }
}

fn is_from_graph(error: &Error) -> bool {
    matches!(error.kind(), Kind::Denied | Kind::NotFound)
}

async fn read(context: &Context, token: &TokenRequest, address: &str) -> Result<Registration> {
    let spec = RequestSpec::get(address)?.retry(PATIENCE);
    let reply = authorized(&context.engine, token, spec).await?;
    match reply.is_success() {
        true => reply.json(),
        false => Err(reply
            .error("show the app registration")
            .for_tenant(token.tenant().as_str())),
    }
}

/// Asks Partner Center what it makes of the sign-in behind the refresh token.
pub(super) async fn partner_center_mfa(context: &Context, plan: &Plan) -> Result<Row> {
    let environment = plan.question.environment();
    let resource = environment.resource(Service::PartnerCenter);
    let answer = settled(ask(context, plan).await)?;
    Ok(mfa::judge_partner_center(resource, answer.as_ref().copied()))
}

/// The value of the header `isMfaCompliant`.
async fn ask(context: &Context, plan: &Plan) -> Result<Option<bool>> {
    let environment = plan.question.environment();
    let target = Target::resource(environment.resource(Service::PartnerCenter))?;
    let token = plan.question.clone().for_target(target);
    let name = HeaderName::from_static;
    let address = format!("{}/v1/customers?size=1", environment.endpoint(Service::PartnerCenter)?);
    let spec = RequestSpec::get(&address)?
        .header(name("validatemfa"), "true")?
        .header(name("ms-requestid"), &random_id()?)?
        .header(name("ms-correlationid"), &random_id()?)?
        .retry(PATIENCE);
    let reply = authorized(&context.engine, &token, spec).await?;
    let said = reply.header("ismfacompliant").map(str::trim);
    match said {
        Some(said) if said.eq_ignore_ascii_case("true") => return Ok(Some(true)),
        Some(said) if said.eq_ignore_ascii_case("false") && reply.is_success() => return Ok(Some(false)),
        _ if reply.is_success() => return Ok(None),
        _ => {}
    }
    let error = reply.error("list the customers").for_tenant(token.tenant().as_str());
    let code = error.service().map_or("", |service| service.code.as_str());
    Err(match delegated::partner_center::advice(code) {
        Some(advice) => error.advise(advice),
        None => error,
    })
}
