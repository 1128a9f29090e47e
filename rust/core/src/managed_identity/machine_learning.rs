//! Azure Machine Learning, and the first version of App Service's endpoint, which Linux plans had for long.

use super::answer::Answer;
use super::client::{address, Platform};
use super::identity::Identity;
use super::patience::Manners;
use super::source::Workspace;
use crate::error::{Error, Result};
use crate::http::RequestSpec;
use reqwest::header::HeaderName;

const HEADER: HeaderName = HeaderName::from_static("secret");

pub(super) async fn ask(
    platform: &Platform,
    workspace: &Workspace,
    identity: &Identity,
    resource: &str,
) -> Result<Answer> {
    let client_id = match identity {
        Identity::SystemAssigned => workspace.usual_client_id.as_deref(),
        Identity::Client(id) => Some(id.as_str()),
        Identity::Object(_) | Identity::Resource(_) => {
            return Err(Error::invalid("here a managed identity is named by its client id only")
                .advise("Use -ManagedIdentityClientId."))
        }
    };
    let mut query = vec![("resource", resource), ("api-version", "2017-09-01")];
    query.extend(client_id.map(|id| ("clientid", id)));
    let url = address(&workspace.host.endpoint, &query)?;
    let spec = RequestSpec::to_platform(url).secret_header(HEADER, &workspace.host.header)?;
    platform.send(spec, Manners::Other).await
}
