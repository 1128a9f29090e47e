//! A domain's tenant, found without credentials.
//!
//! The tenant's OpenID configuration names its GUID in `issuer` (Microsoft's "OpenID Connect on the Microsoft identity
//! platform"). A domain does not change its tenant while a process runs, so it is asked for once.

use super::failure;
use crate::environment::{Environment, Service};
use crate::error::{Error, Kind, Result};
use crate::http::{Budget, RequestSpec};
use crate::tenant::{self, TenantId};
use serde::Deserialize;

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    token_endpoint: String,
}

/// Asks the sign-in endpoint for the GUID of `domain`.
pub(super) async fn resolve(environment: &Environment, domain: &TenantId) -> Result<TenantId> {
    let login = environment.endpoint(Service::Login)?;
    let spec = RequestSpec::get(&format!("{login}/{domain}/v2.0/.well-known/openid-configuration"))?
        .limit(1 << 20)
        .budget(Budget::current());
    let reply = environment
        .http()?
        .send(&spec)
        .await
        .map_err(|error| error.for_tenant(domain.as_str()))?;
    if !reply.is_success() {
        return Err(failure::about_tenant(&reply, environment, domain));
    }
    let configuration: Configuration = reply.json().map_err(|error| error.for_tenant(domain.as_str()))?;
    let guid = guid_in(&configuration.issuer).or_else(|| guid_in(&configuration.token_endpoint));
    guid.ok_or_else(|| {
        Error::new(
            Kind::Protocol,
            format!("{} does not say which tenant {domain} is", reply.authority()),
        )
        .for_tenant(domain.as_str())
        .advise("Give the tenant's GUID instead of its domain.")
    })
}

fn guid_in(url: &str) -> Option<TenantId> {
    url.split('/')
        .find(|segment| tenant::parse_guid(segment).is_some())
        .and_then(|guid| TenantId::parse(guid).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_guid_among_the_segments() {
        let guid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        let found = guid_in(&format!("https://login.microsoftonline.com/{guid}/v2.0"));
        assert_eq!(found.map(|tenant| tenant.to_string()).as_deref(), Some(guid));
        assert_eq!(guid_in("https://login.microsoftonline.com/{tenantid}/v2.0"), None);
    }
}
