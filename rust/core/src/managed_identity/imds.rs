//! The instance metadata service of Azure's virtual machines.

use super::answer::Answer;
use super::client::{address, Platform};
use super::identity::Identity;
use super::patience::Manners;
use crate::error::Result;
use crate::http::RequestSpec;
use reqwest::header::HeaderName;

/// Link-local: it is not reachable from outside of the machine.
pub(super) const HOST: &str = "http://169.254.169.254";
pub(super) const PATH: &str = "/metadata/identity/oauth2/token";
pub(super) const METADATA: HeaderName = HeaderName::from_static("metadata");

pub(super) async fn ask(platform: &Platform, host: &str, identity: &Identity, resource: &str) -> Result<Answer> {
    let mut query = vec![("api-version", "2018-02-01"), ("resource", resource)];
    match identity {
        Identity::SystemAssigned => {}
        Identity::Client(id) => query.push(("client_id", id)),
        Identity::Object(id) => query.push(("object_id", id)),
        // Other platforms call it `mi_res_id`.
        Identity::Resource(id) => query.push(("msi_res_id", id)),
    }
    let spec = RequestSpec::to_platform(address(&format!("{host}{PATH}"), &query)?).header(METADATA, "true")?;
    platform.send(spec, Manners::Imds).await
}
