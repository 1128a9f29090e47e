//! The instance metadata service of virtual machines. Its replies and errors have the shape of the sign-in endpoint's.

use http::Method;
use serde_json::json;

use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::identity::{Named, Nobody};
use super::token;

pub(super) const PATH: &str = "/metadata/identity/oauth2/token";
const VERSIONS: [&str; 6] = [
    "2018-02-01",
    "2018-10-01",
    "2019-08-01",
    "2020-06-01",
    "2021-02-01",
    "2021-12-13",
];

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    match checked(call, &VERSIONS) {
        Err(refused) => refused.reply(),
        Ok(resource) => {
            let named = Named {
                client_id: call.parameter("client_id"),
                object_id: call.parameter("object_id"),
                // The other platforms' name for it, `mi_res_id`, is not known here and so has no effect.
                resource_id: call.parameter("msi_res_id"),
            };
            answer(world, &resource, &named)
        }
    }
}

/// The path, the method, the header and the parameters; the resource that is asked for.
pub(super) fn checked(call: &Call, versions: &[&str]) -> Result<String, Refused> {
    if call.path != PATH {
        return Err(Refused::new(404, "not_found", "The requested path does not exist."));
    }
    if call.method != Method::GET {
        return Err(Refused::new(405, "method_not_allowed", "Only GET is allowed here."));
    }
    if !call
        .header("metadata")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Err(Refused::new(
            400,
            "bad_request_102",
            "Required metadata header not specified",
        ));
    }
    // Whatever came through a proxy may come from elsewhere.
    if call.header("x-forwarded-for").is_some() || call.header("via").is_some() {
        return Err(Refused::new(400, "bad_request", "Proxied requests are not accepted."));
    }
    match call.parameter("api-version") {
        Some(version) if versions.contains(&version.as_str()) => {}
        _ => {
            let text = format!(
                "Bad request. api-version is invalid or was not specified. Newest versions: {}",
                versions.join(", ")
            );
            return Err(Refused::new(400, "bad_request", &text));
        }
    }
    call.parameter("resource")
        .filter(|resource| !resource.is_empty())
        .ok_or_else(|| Refused::new(400, "bad_request", "Invalid URL: the parameter resource is missing"))
}

pub(super) fn answer(world: &World, resource: &str, named: &Named) -> Reply {
    let identities = &world.platform.identities;
    let identity = match identities.find(named, world.platform.settings.has_system_identity()) {
        Ok(identity) => identity,
        Err(Nobody::Ambiguous) => {
            return refused(
                400,
                "bad_request",
                "Only one of client_id, object_id and msi_res_id may be given",
            )
        }
        Err(Nobody::NotAssigned) => return refused(400, "invalid_request", "Identity not found"),
    };
    match token::issue(world, identity, resource) {
        Some(issued) => reply::json(200, &issued.body(world)),
        None => refused(
            400,
            "invalid_resource",
            &format!(
                "AADSTS50001: The application named {resource} was not found in the tenant named {}. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in the \
                 tenant.\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
                world.estate.partner.id,
                world.random().guid(),
                world.random().guid(),
                crate::clock::identity_timestamp(world.clock.now()),
            ),
        ),
    }
}

/// A refusal before it is a reply.
pub(super) struct Refused {
    status: u16,
    error: &'static str,
    text: String,
}

impl Refused {
    fn new(status: u16, error: &'static str, text: &str) -> Self {
        Refused {
            status,
            error,
            text: text.to_owned(),
        }
    }

    pub(super) fn reply(self) -> Reply {
        refused(self.status, self.error, &self.text)
    }
}

pub(super) fn refused(status: u16, error: &str, description: &str) -> Reply {
    reply::json(status, &json!({"error": error, "error_description": description}))
}
