//! Service Fabric: the only platform whose endpoint speaks HTTPS; callers know its certificate by the thumbprint.

use http::Method;
use serde_json::json;

use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::{imds, token};

/// The documented one, and the one that older clients send.
const VERSIONS: [&str; 2] = ["2020-05-01", "2019-07-01-preview"];

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    if call.path != imds::PATH || call.method != Method::GET {
        return refused(world, 404, "NotFound", "There is nothing here.");
    }
    if !call
        .parameter("api-version")
        .is_some_and(|version| VERSIONS.contains(&version.as_str()))
    {
        return refused(world, 400, "InvalidApiVersion", "The api-version is not supported.");
    }
    if call.header("secret") != Some(&world.platform.header) {
        return refused(
            world,
            401,
            "SecretHeaderNotFound",
            "Secret is not found in the request headers.",
        );
    }
    let Some(resource) = call.parameter("resource").filter(|resource| !resource.is_empty()) else {
        return refused(
            world,
            400,
            "ArgumentNullOrEmpty",
            "The parameter resource should not be null or empty string.",
        );
    };
    // The identity is the application's, as its manifest says; a request that names one is not refused.
    match token::issue(world, &world.platform.identities.user, &resource) {
        Some(issued) => reply::json(200, &issued.short_body(world)),
        None => refused(
            world,
            400,
            "ManagedIdentityNotFound",
            &format!("No token for {resource} can be had."),
        ),
    }
}

fn refused(world: &World, status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"error": {"code": code, "correlationId": world.random().guid(), "message": message}});
    reply::json(status, &body)
}
