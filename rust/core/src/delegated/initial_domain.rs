//! The domain that a tenant was made with, which stays its name where nothing else does: in Graph's `organization` it is the
//! one of `verifiedDomains` that is `isInitial` (Microsoft's Graph reference, "verifiedDomain resource type").

use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::{self, RequestSpec};
use crate::token::{Target, TokenRequest, Tokens};
use reqwest::header::HeaderName;
use serde::Deserialize;

const ADVICE: &str =
    "Name the tenant by that domain (contoso.onmicrosoft.com), or pipe it in with its DefaultDomainName, as \
                      Get-DelegatedTenant does.";

#[derive(Deserialize)]
struct Organizations {
    #[serde(default)]
    value: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    #[serde(default)]
    verified_domains: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    name: String,
    #[serde(default)]
    is_initial: bool,
}

/// Asks Graph, with a token like that of `question`, in its tenant.
pub(crate) async fn initial_domain(tokens: &Tokens, question: &TokenRequest) -> Result<String> {
    let environment = question.environment();
    let token = question
        .clone()
        .for_target(Target::resource(environment.resource(Service::Graph))?);
    let url = format!(
        "{}/v1.0/organization?$select=id,verifiedDomains",
        environment.endpoint(Service::Graph)?
    );
    let spec = RequestSpec::get(&url)?
        .header(HeaderName::from_static("client-request-id"), &http::random_id()?)?
        .budget(question.budget().cloned());
    let named = |error: Error| error.for_tenant(question.tenant().as_str());
    let reply = http::authorized_by(tokens, &token, spec).await?;
    if !reply.is_success() {
        return Err(named(reply.error("give the tenant's initial domain").advise(ADVICE)));
    }
    let organizations: Organizations = reply.json().map_err(named)?;
    let mut domains = organizations.value.into_iter().flat_map(|one| one.verified_domains);
    let initial = domains.find(|domain| domain.is_initial);
    initial.map(|domain| domain.name).ok_or_else(|| {
        named(
            Error::new(
                Kind::Protocol,
                "Microsoft Graph does not say which domain the tenant was made with",
            )
            .advise(ADVICE),
        )
    })
}
