//! App Service and Azure Functions: version 2019-08-01, and 2017-09-01 with other names for the same.

use http::Method;
use serde_json::json;

use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::identity::{Named, Nobody};
use super::token;

pub(super) const PATH: &str = "/msi/token";

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    if call.path != PATH || call.method != Method::GET {
        return refused(world, 404, "There is nothing here.");
    }
    // Both names of the identity's object id are known.
    let any = |names: [&str; 2]| names.iter().find_map(|name| call.parameter(name));
    let (header, named) = match call.parameter("api-version").as_deref() {
        Some("2019-08-01") => (
            "x-identity-header",
            Named {
                client_id: call.parameter("client_id"),
                object_id: any(["principal_id", "object_id"]),
                resource_id: call.parameter("mi_res_id"),
            },
        ),
        Some("2017-09-01") => (
            "secret",
            Named {
                client_id: call.parameter("clientid"),
                ..Named::default()
            },
        ),
        version => {
            let text = format!("The api-version '{}' is not supported.", version.unwrap_or_default());
            return refused(world, 400, &text);
        }
    };
    if call.header(header) != Some(&world.platform.header) {
        return refused(world, 401, &format!("The header {header} is missing or wrong."));
    }
    answer(world, call, &named)
}

/// What follows once the request is known to come from this machine.
pub(super) fn answer(world: &World, call: &Call, named: &Named) -> Reply {
    let Some(resource) = call.parameter("resource").filter(|resource| !resource.is_empty()) else {
        return refused(world, 400, "The parameter resource is required.");
    };
    let identities = &world.platform.identities;
    let identity = match identities.find(named, world.platform.settings.has_system_identity()) {
        Ok(identity) => identity,
        Err(Nobody::Ambiguous) => return refused(world, 400, "Only one of the identity's names may be given."),
        Err(Nobody::NotAssigned) => {
            let text =
                "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
            return refused(world, 400, text);
        }
    };
    match token::issue(world, identity, &resource) {
        Some(issued) => reply::json(200, &issued.short_body(world)),
        None => refused(
            world,
            400,
            &format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}.",
                world.estate.partner.id
            ),
        ),
    }
}

fn refused(world: &World, status: u16, message: &str) -> Reply {
    let body = json!({"statusCode": status, "message": message, "correlationId": world.random().guid()});
    reply::json(status, &body)
}
