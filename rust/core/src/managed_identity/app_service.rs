//! App Service, Azure Functions and Container Apps.

use super::answer::Answer;
use super::client::{address, Platform};
use super::identity::Identity;
use super::patience::Manners;
use super::source::Guarded;
use crate::error::Result;
use crate::http::RequestSpec;
use reqwest::header::HeaderName;

const HEADER: HeaderName = HeaderName::from_static("x-identity-header");

pub(super) async fn ask(platform: &Platform, host: &Guarded, identity: &Identity, resource: &str) -> Result<Answer> {
    let mut query = vec![("resource", resource), ("api-version", "2019-08-01")];
    match identity {
        Identity::SystemAssigned => {}
        Identity::Client(id) => query.push(("client_id", id)),
        Identity::Object(id) => query.push(("principal_id", id)),
        Identity::Resource(id) => query.push(("mi_res_id", id)),
    }
    let spec = RequestSpec::to_platform(address(&host.endpoint, &query)?).secret_header(HEADER, &host.header)?;
    platform.send(spec, Manners::Other).await
}
