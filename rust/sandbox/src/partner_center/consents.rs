//! Consent to an application on a customer's behalf: `applicationconsents`.
//!
//! Sources: Partner Center developer documentation ("Get customer consent as Control Panel Vendor"), whose reference has POST
//! and DELETE and no way to read; the FAQ on granular delegated admin privileges for one API in each request, permissions
//! separated by commas, and no way to add to what is there.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::access::Access;
use crate::consent::{self, Grant};
use crate::estate::Tenant;
use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::World;

use super::refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consent {
    application_id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    application_grants: Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    enterprise_application_id: String,
    scope: String,
}

/// Serves `/v1/customers/{customer}/applicationconsents` and what is below it (`application`).
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    customer: &str,
    application: Option<&str>,
) -> Result<Reply, Box<Reply>> {
    if !access.has_scope("user_impersonation") {
        return Err(Box::new(refusal(403, "403", "The operation takes a user's token.")));
    }
    let no_customer = || Box::new(refusal(404, "600009", "The customer was not found."));
    let tenant = world
        .estate
        .find(customer)
        .filter(|tenant| {
            world.estate.administers(&access.tenant_id, tenant) && tenant.id.eq_ignore_ascii_case(customer)
        })
        .ok_or_else(no_customer)?;
    let health = tenant.health();
    if health.deleted {
        return Err(no_customer());
    }
    if !health.delegated_access || !health.consent_role {
        let text = "The user is not allowed to consent on behalf of the customer.";
        return Err(Box::new(refusal(403, "600030", text)));
    }
    match (&call.method, application) {
        (&Method::POST, None) => post(world, call, access, tenant),
        (&Method::DELETE, Some(id)) if id.eq_ignore_ascii_case(&access.application_id) => match consent::revoke(tenant)
        {
            true => Ok(reply::reply(204, "application/json", "")),
            false => Err(Box::new(refusal(404, "404", "The application consent was not found."))),
        },
        (&Method::DELETE, Some(_)) => Err(Box::new(refusal(404, "404", "The application consent was not found."))),
        _ => Err(Box::new(refusal(405, "405", "The method is not allowed."))),
    }
}

fn post(world: &World, call: &Call, access: &Access, tenant: &Tenant) -> Result<Reply, Box<Reply>> {
    let bad = |text: String| Box::new(refusal(400, "2000", &text));
    let consent: Consent = serde_json::from_slice(&call.body)
        .map_err(|_| bad("The request body is not an application consent.".into()))?;
    if !consent.application_id.eq_ignore_ascii_case(&access.application_id) {
        return Err(bad(
            "The applicationId is not the one that the token was issued to.".into()
        ));
    }
    let [wanted] = consent.application_grants.as_slice() else {
        return Err(bad("The request must hold exactly one application grant.".into()));
    };
    let resource = Some(wanted.enterprise_application_id.as_str())
        .filter(|id| is_guid(id))
        .and_then(|id| world.resource(id))
        .filter(|resource| *resource != Resource::Own && !is_missing(world, tenant, *resource))
        .ok_or_else(|| bad("The enterpriseApplicationId is not known in the customer's directory.".into()))?;
    let mut scopes = Vec::new();
    for name in wanted.scope.split(',').map(str::trim) {
        let scope = consent::find(resource, name).ok_or_else(|| bad(format!("The scope '{name}' is not valid.")))?;
        scopes.push(scope);
    }
    if !consent::grant(world, tenant, Grant { resource, scopes }) {
        return Err(Box::new(refusal(409, "409", "Permission entry already exists.")));
    }
    let body = json!({
        "applicationId": consent.application_id,
        "displayName": consent.display_name,
        "applicationGrants": [{
            "enterpriseApplicationId": wanted.enterprise_application_id,
            "scope": wanted.scope,
        }],
    });
    Ok(reply::json(201, &body))
}

fn is_missing(world: &World, tenant: &Tenant, resource: Resource) -> bool {
    let missing = tenant.health().missing_resources;
    missing.iter().any(|name| world.resource(name) == Some(resource))
}
