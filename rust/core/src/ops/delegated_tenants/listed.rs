//! Who the customers are: those of the lists, and those that were named.

use super::{progress, Plan};
use crate::delegated::kept::Listed;
use crate::delegated::merge::{self, Customer};
use crate::delegated::{explain, read, Source};
use crate::environment::Service;
use crate::error::Result;
use crate::operation::{log, Context};
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use std::collections::HashMap;

/// The customers of all lists: read, or as they were read before where that is recent enough.
pub(super) async fn list(context: &Context, plan: &Plan) -> Result<Listed> {
    let engine = &context.engine;
    let now = engine.clock().now_ms();
    let kept = plan
        .maximum_age_ms
        .and_then(|age| engine.customers().since(now.saturating_sub(age), &plan.partner));
    if let Some(listed) = kept {
        log::verbose(|| {
            format!(
                "The partner's {} customers are as they were read before",
                listed.customers.len()
            )
        });
        return Ok(Listed::clone(&listed));
    }
    let (customers, is_whole) = read_all(context, &plan.partner).await?;
    let listed = Listed {
        customers,
        partner: partner_id(context, &plan.partner),
    };
    if is_whole {
        engine.customers().keep(now, &plan.partner, listed.clone());
    }
    Ok(listed)
}

/// Reads every list at the same time. One that fails is a warning; none at all is an error. True where none failed.
async fn read_all(context: &Context, partner: &TokenRequest) -> Result<(Vec<Customer>, bool)> {
    progress(context, "Asking Partner Center and Microsoft Graph", None, false);
    let one = |source| read::read(&context.engine, source, partner);
    let [first, second, third] = Source::ALL;
    let (a, b, c) = tokio::join!(one(first), one(second), one(third));
    let mut lists = Vec::new();
    let mut failures = Vec::new();
    for (source, result) in [(first, a), (second, b), (third, c)] {
        match result {
            Ok(listing) => lists.push((source, listing)),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => failures.push((source, error)),
        }
    }
    if lists.is_empty() {
        return Err(explain::nothing_read(&failures));
    }
    for (source, error) in &failures {
        context.sink.warning(explain::warning(*source, error)).await?;
    }
    for (source, listing) in &lists {
        if listing.invalid > 0 {
            context
                .sink
                .warning(explain::left_out(*source, listing.invalid))
                .await?;
        }
        log::verbose(|| format!("{}: {} customers", source.title(), listing.rows.len()));
    }
    let is_whole = failures.is_empty() && lists.iter().all(|(_, listing)| listing.invalid == 0);
    let rows = lists.into_iter().map(|(source, listing)| (source, listing.rows));
    Ok((merge::merge(rows), is_whole))
}

/// The customers that were named, in that order. Who is on no list, having no contract and no relationship, is named by its id
/// alone.
pub(super) async fn only(context: &Context, plan: &Plan, listed: Vec<Customer>) -> Result<Vec<Customer>> {
    let mut listed: HashMap<String, Customer> = listed
        .into_iter()
        .map(|customer| (customer.tenant_id.clone(), customer))
        .collect();
    let mut found: Vec<Customer> = Vec::new();
    for tenant in &plan.tenants {
        let tokens = context.engine.tokens();
        let id = match tokens.resolve(plan.partner.environment(), tenant).await {
            Ok(id) => id,
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                let target = Value::map().with("tenant", tenant.as_str());
                context.sink.failed(target, error).await?;
                continue;
            }
        };
        if found.iter().any(|customer| customer.tenant_id == id.as_str()) {
            continue;
        }
        found.push(listed.remove(id.as_str()).unwrap_or_else(|| Customer {
            tenant_id: id.to_string(),
            display_name: None,
            domain: tenant.guid().is_none().then(|| tenant.to_string()),
            relationship: None,
            sources: Vec::new(),
        }));
    }
    Ok(found)
}

/// The id of the partner's own tenant, which a token that a list was read with tells where the credential does not.
fn partner_id(context: &Context, partner: &TokenRequest) -> Option<String> {
    let environment = partner.environment();
    [Service::Graph, Service::PartnerCenter]
        .into_iter()
        .find_map(|service| {
            let target = Target::resource(environment.resource(service)).ok()?;
            let token = context.engine.tokens().cached(&partner.clone().for_target(target))?;
            token.known_tenant().map(ToString::to_string)
        })
}
