//! Where a tenant's sign-in happens and who signs its id tokens, from its OpenID configuration (OpenID Connect Discovery
//! 1.0; Microsoft's "OpenID Connect on the Microsoft identity platform").

use super::Plan;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::RequestSpec;
use crate::token::about_tenant;
use serde::Deserialize;
use url::Url;

/// The parts of the configuration that a sign-in needs.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Authority {
    /// For the shared names with `{tenantid}` in the place of the tenant.
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) device_authorization_endpoint: Option<String>,
}

/// Asks for the configuration. Its endpoints must be on the environment's own sign-in host: secrets go nowhere else.
pub(super) async fn discover(plan: &Plan) -> Result<Authority> {
    let environment = &plan.environment;
    let login = environment.endpoint(Service::Login)?;
    let tenant = &plan.tenant;
    let spec = RequestSpec::get(&format!("{login}/{tenant}/v2.0/.well-known/openid-configuration"))?.limit(1 << 20);
    let reply = environment
        .http()?
        .send(&spec)
        .await
        .map_err(|error| plan.name(error))?;
    if !reply.is_success() {
        return Err(plan.name(about_tenant(&reply, environment, tenant)));
    }
    let authority: Authority = reply.json().map_err(|error| plan.name(error))?;
    let own = origin(login);
    let endpoints = [
        Some(&authority.authorization_endpoint),
        Some(&authority.token_endpoint),
        Some(&authority.jwks_uri),
        authority.device_authorization_endpoint.as_ref(),
    ];
    for endpoint in endpoints.into_iter().flatten() {
        if own.is_none() || origin(endpoint) != own {
            let host = Url::parse(endpoint)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned));
            return Err(plan.name(
                Error::new(
                    Kind::Protocol,
                    format!(
                        "{tenant} is signed in to at {}, not at {login}",
                        host.as_deref().unwrap_or("an unreadable address")
                    ),
                )
                .advise("The tenant belongs to another cloud: choose its environment with -Environment."),
            ));
        }
    }
    Ok(authority)
}

fn origin(address: &str) -> Option<(String, u16)> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

impl Authority {
    /// The issuer that a token of this tenant must name.
    pub(super) fn issuer_of(&self, tenant: Option<&str>) -> String {
        match tenant {
            Some(tenant) => self.issuer.replace("{tenantid}", tenant),
            None => self.issuer.clone(),
        }
    }
}
