//! Azure Cloud Shell, whose identity is the one of whoever opened the shell.

use super::answer::Answer;
use super::client::{address, Platform};
use super::imds::METADATA;
use super::patience::Manners;
use crate::error::Result;
use crate::http::RequestSpec;
use url::form_urlencoded;

pub(super) async fn ask(platform: &Platform, endpoint: &str, resource: &str) -> Result<Answer> {
    let form: String = form_urlencoded::byte_serialize(resource.as_bytes()).collect();
    let spec = RequestSpec::to_platform(address(endpoint, &[])?)
        .header(METADATA, "true")?
        .posting(format!("resource={form}"));
    platform.send(spec, Manners::Other).await
}
