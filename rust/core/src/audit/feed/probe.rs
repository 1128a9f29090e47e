//! Trying whether a tenant's feed can be read, without changing anything there.

use super::answer;
use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::http::{authorized, RequestSpec, Retry};
use crate::tenant::TenantId;
use crate::token::TokenRequest;
use url::Url;

/// Lists the tenant's subscriptions. `token` must be for `tenant`, given as its GUID; `publisher` is who runs this client.
pub(crate) async fn probe(
    engine: &Engine,
    token: &TokenRequest,
    tenant: &TenantId,
    publisher: &TenantId,
    retry: Retry,
) -> Result<()> {
    let endpoint = token.environment().endpoint(Service::Manage)?.trim_end_matches('/');
    let text = format!("{endpoint}/api/v1.0/{tenant}/activity/feed/subscriptions/list");
    let query = [("PublisherIdentifier", publisher.as_str())];
    let url = Url::parse_with_params(&text, query)
        .map_err(|cause| Error::invalid(format!("'{text}' is not an address: {cause}")))?;
    let spec = RequestSpec::get(url.as_str())?.retry(retry);
    let reply = authorized(engine, token, spec).await?;
    match reply.is_success() {
        true => Ok(()),
        false => Err(answer::error(&reply, "list the subscriptions", tenant.as_str())),
    }
}
