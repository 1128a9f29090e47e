//! Cloud Shell: a form is posted, and the identity is the one of whoever opened the shell.

use http::Method;
use serde_json::json;

use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::token;

pub(super) const PATH: &str = "/oauth2/token";

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    if call.path != PATH || call.method != Method::POST {
        return refused(404, "NotFound", "There is nothing here.");
    }
    if !call
        .header("metadata")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return refused(400, "BadRequest", "Required metadata header not specified");
    }
    let form = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let field = |name: &str| {
        url::form_urlencoded::parse(&call.body)
            .find(|(key, _)| form && key == name)
            .map(|(_, value)| value.into_owned())
    };
    if ["client_id", "object_id", "msi_res_id"]
        .iter()
        .any(|name| field(name).is_some() || call.parameter(name).is_some())
    {
        return refused(400, "BadRequest", "An identity cannot be chosen here.");
    }
    let Some(resource) = field("resource").filter(|resource| !resource.is_empty()) else {
        return refused(
            400,
            "AudienceNotSupported",
            "Audience is not a supported MSI token audience.",
        );
    };
    match token::issue(world, &world.platform.identities.system, &resource) {
        Some(issued) => reply::json(200, &issued.body(world)),
        None => refused(
            400,
            "AudienceNotSupported",
            &format!("Audience {resource} is not a supported MSI token audience."),
        ),
    }
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    reply::json(status, &json!({"error": {"code": code, "message": message}}))
}
