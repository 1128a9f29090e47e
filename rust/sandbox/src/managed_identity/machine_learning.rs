//! Azure Machine Learning: the old App Service form with an endpoint of its own.

use http::Method;

use crate::reply::{Call, Reply};
use crate::world::World;

use super::identity::Named;
use super::{app_service, imds};

pub(super) const PATH: &str = "/MSI/auth/token";

pub(super) fn serve(world: &World, call: &Call) -> Reply {
    if call.path != PATH || call.method != Method::GET {
        return imds::refused(404, "not_found", "There is nothing here.");
    }
    if call.parameter("api-version").as_deref() != Some("2017-09-01") {
        return imds::refused(400, "bad_request", "The api-version is not supported.");
    }
    if call.header("secret") != Some(&world.platform.header) {
        return imds::refused(401, "unauthorized", "The header secret is missing or wrong.");
    }
    let named = Named {
        client_id: call.parameter("clientid"),
        ..Named::default()
    };
    app_service::answer(world, call, &named)
}
