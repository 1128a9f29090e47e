//! Which host a resource's tokens may go to, and the addresses on it.

use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::token::Target;
use url::Url;

/// Stands in an address for the tenant's GUID.
const TENANT: &str = "{tenantId}";
/// A GUID of no tenant, to try an address before a tenant is known.
const SOME_TENANT: &str = "00000000-0000-0000-0000-000000000000";

/// An address on the host that a resource's tokens are for.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The host's base URL.
    home: Url,
    /// Where a URL of the resource's own name means the home: in an environment whose hosts have other names.
    alias: Option<Url>,
    /// Hosts below this one belong to the resource too: those of key vaults.
    below: bool,
    uri: String,
}

impl Place {
    /// What a token is to be for and where it goes. Without a resource and scopes the address says it: a relative one is
    /// Microsoft Graph's. An address that the resource's tokens may not go to is refused here, before anything is sent.
    pub(crate) fn choose(
        environment: &Environment,
        resource: Option<&str>,
        scopes: &[String],
        uri: &str,
    ) -> Result<(Target, Place)> {
        let uri = uri.trim();
        let graph = environment.resource(Service::Graph);
        let target = match (resource, scopes) {
            (Some(resource), []) => Target::resource(resource)?,
            (None, []) => Target::resource(resource_of(environment, uri)?)?,
            (None, scopes) => Target::scopes(scopes, graph)?,
            (Some(_), _) => {
                return Err(Error::invalid("a token is for a resource or for scopes, not for both")
                    .advise("Use -Resource (v1) or -Scope (v2)."))
            }
        };
        let place = Place::of(environment, &target.owner(graph), uri)?;
        place.address(SOME_TENANT)?;
        Ok((target, place))
    }

    fn of(environment: &Environment, resource: &str, uri: &str) -> Result<Place> {
        let named = Url::parse(resource).ok().filter(|url| url.scheme() == "https");
        let uri = uri.to_owned();
        if let Some(service) = service_of(environment, resource) {
            return Ok(Place {
                home: parse(environment.endpoint(service)?)?,
                alias: named,
                below: service == Service::KeyVault,
                uri,
            });
        }
        // Whoever a token's audience names by its address is who receives it.
        match named {
            Some(home) => Ok(Place { home, alias: None, below: false, uri }),
            None => Err(Error::invalid("it is not known which host takes tokens for this resource")
                .advise("Name the resource by its address (https://..), or get the token with Get-SecureAppAccessToken and send it yourself.")),
        }
    }

    /// The host, for a person.
    pub(crate) fn authority(&self) -> &str {
        &self.home[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// The address for a tenant.
    pub(crate) fn address(&self, tenant: &str) -> Result<Url> {
        let text = self.uri.replace(TENANT, tenant);
        let mut url = if is_relative(&text) {
            self.home.join(&text).map_err(|_| unreadable())?
        } else {
            absolute(&text)?
        };
        url.set_fragment(None);
        if self.alias.as_ref().is_some_and(|alias| alias.origin() == url.origin()) {
            // Neither can fail: both URLs are https and have hosts.
            let _ = url.set_host(self.home.host_str());
            let _ = url.set_port(self.home.port());
        }
        if url.origin() == self.home.origin() || (self.below && self.is_below(&url)) {
            return Ok(url);
        }
        let host = url.host_str().unwrap_or("no host");
        Err(Error::invalid(format!(
            "the address is on {host}, but tokens for this resource are for {}; nothing was sent",
            self.authority()
        ))
        .advise(
            "Name the resource of that host with -Resource, or the environment that it belongs to with -Environment.",
        ))
    }

    fn is_below(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let domain = self.home.host_str().unwrap_or_default();
        let is_below = host
            .strip_suffix(domain)
            .is_some_and(|name| name.len() > 1 && name.ends_with('.'));
        is_below && url.port_or_known_default() == self.home.port_or_known_default()
    }
}

/// The resource that an address belongs to where its user names none.
fn resource_of<'a>(environment: &'a Environment, uri: &str) -> Result<&'a str> {
    if is_relative(uri) {
        return Ok(environment.resource(Service::Graph));
    }
    let url = absolute(&uri.replace(TENANT, SOME_TENANT))?;
    let is_at = |base: &str| Url::parse(base).is_ok_and(|base| base.origin() == url.origin());
    services()
        .find(|service| {
            is_at(environment.resource(*service)) || environment.known_endpoint(*service).is_some_and(is_at)
        })
        .map(|service| environment.resource(service))
        .ok_or_else(|| {
            Error::invalid(format!(
                "the environment {} has no service on that host, so it is not known what the token is for",
                environment.name()
            ))
            .advise("Say it with -Resource or -Scope.")
        })
}

/// The service that a resource's name means: by the name, the host, or the application id.
fn service_of(environment: &Environment, resource: &str) -> Option<Service> {
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let wanted = plain(resource);
    services().find(|service| {
        plain(environment.resource(*service)) == wanted
            || environment.known_endpoint(*service).map(plain).as_ref() == Some(&wanted)
            || application_id(*service) == wanted
    })
}

/// All that have an API: the sign-in host takes no tokens.
fn services() -> impl Iterator<Item = Service> {
    Service::ALL.into_iter().filter(|service| *service != Service::Login)
}

/// "First-party Microsoft application IDs" and each API's own page on authentication.
fn application_id(service: Service) -> &'static str {
    match service {
        Service::Login => "",
        Service::Graph => "00000003-0000-0000-c000-000000000000",
        Service::PartnerCenter => "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd",
        Service::Manage => "c5393580-f805-4401-95e8-94b7a6ef2fc2",
        Service::Outlook => "00000002-0000-0ff1-ce00-000000000000",
        Service::AadGraph => "00000002-0000-0000-c000-000000000000",
        Service::KeyVault => "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    }
}

/// A path from the host's root. What begins otherwise may be anything, a secret in the wrong place too.
fn is_relative(uri: &str) -> bool {
    uri.starts_with('/') && !uri.starts_with("//") && !uri.starts_with("/\\")
}

fn absolute(uri: &str) -> Result<Url> {
    let url = Url::parse(uri).map_err(|_| unreadable())?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    plain.then_some(url).ok_or_else(unreadable)
}

fn parse(endpoint: &str) -> Result<Url> {
    Url::parse(endpoint)
        .map_err(|cause| Error::internal(format!("the environment's '{endpoint}' is no address: {cause}")))
}

/// Does not repeat the text.
#[cold]
fn unreadable() -> Error {
    Error::invalid("what was given as the address is none that a request can be sent to").advise(
        "Give a path that begins with a slash, such as /v1.0/users, or a whole https address without a user name in it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::immediate;
    use crate::request::{Field, Request};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn environments() -> (Arc<Environment>, Arc<Environment>, tokio::runtime::Runtime) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = Engine::new(runtime.handle().clone());
        let text = |text: &str| Field::Text(text.to_owned());
        let add = Request::new("environment.add")
            .with("name", text("Own"))
            .with("loginHost", text("https://localhost:7000"))
            .with("graphHost", text("https://localhost:7001"));
        immediate(&engine, &add).unwrap();
        let find = |name| engine.environments().find(name).unwrap();
        (find("Public"), find("Own"), runtime)
    }

    fn at(environment: &Environment, resource: Option<&str>, uri: &str) -> Result<(String, String)> {
        let (target, place) = Place::choose(environment, resource, &[], uri)?;
        let address = place.address("11111111-2222-3333-4444-555555555555")?;
        Ok((target.title().to_owned(), address.to_string()))
    }

    #[test]
    fn an_address_says_what_the_token_is_for_and_a_resource_where_it_goes() {
        let (public, own, _runtime) = environments();
        for (resource, uri, target, address) in [
            (
                None,
                "/v1.0/users?$top=5",
                "https://graph.microsoft.com",
                "https://graph.microsoft.com/v1.0/users?$top=5",
            ),
            (
                None,
                "https://manage.office.com/api/v1.0/{tenantId}/x",
                "https://manage.office.com",
                "https://manage.office.com/api/v1.0/11111111-2222-3333-4444-555555555555/x",
            ),
            (
                Some("https://api.partnercenter.microsoft.com"),
                "/v1/customers",
                "https://api.partnercenter.microsoft.com",
                "https://api.partnercenter.microsoft.com/v1/customers",
            ),
            (
                Some("00000003-0000-0000-c000-000000000000"),
                "/v1.0/me",
                "00000003-0000-0000-c000-000000000000",
                "https://graph.microsoft.com/v1.0/me",
            ),
            (
                Some("https://management.azure.com/"),
                "/subscriptions",
                "https://management.azure.com/",
                "https://management.azure.com/subscriptions",
            ),
            (
                Some("https://vault.azure.net"),
                "https://mine.vault.azure.net/secrets",
                "https://vault.azure.net",
                "https://mine.vault.azure.net/secrets",
            ),
        ] {
            assert_eq!(
                at(&public, resource, uri).unwrap(),
                (target.to_owned(), address.to_owned()),
                "{uri}"
            );
        }
        // A script that names the public cloud's host runs against another one's without a change.
        let (target, address) = at(&own, None, "https://graph.microsoft.com/v1.0/users").unwrap();
        assert_eq!(
            (target.as_str(), address.as_str()),
            ("https://graph.microsoft.com", "https://localhost:7001/v1.0/users")
        );
    }

    #[test]
    fn a_token_is_for_its_own_resources_host_alone() {
        let (public, _, _runtime) = environments();
        for (resource, uri) in [
            (
                Some("https://graph.microsoft.com"),
                "https://graph.microsoft.us/v1.0/users",
            ),
            (
                Some("https://graph.microsoft.com"),
                "https://graph.microsoft.com.evil.example/",
            ),
            (Some("https://graph.microsoft.com"), "https://graph.microsoft.com:8443/"),
            (
                Some("https://graph.microsoft.com"),
                "https://graph.microsoft.com@evil.example/",
            ),
            (Some("https://vault.azure.net"), "https://evilvault.azure.net/"),
            (Some("https://vault.azure.net"), "https://vault.azure.net.evil.example/"),
            (
                Some("https://management.azure.com/"),
                "https://graph.microsoft.com/v1.0/users",
            ),
            (
                Some("https://login.microsoftonline.com"),
                "https://graph.microsoft.com/",
            ),
            (None, "https://evil.example/v1.0/users"),
            (None, "http://graph.microsoft.com/v1.0/users"),
            (None, "//evil.example/x"),
            (None, "/\\evil.example/x"),
            (None, "v1.0/users"),
            (None, ""),
            (Some("api://11111111-2222-3333-4444-555555555555"), "/x"),
        ] {
            assert!(at(&public, resource, uri).is_err(), "{uri}");
        }
        let error = at(&public, None, "Sx8~a-secret").unwrap_err();
        assert!(!error.message().contains("secret"), "{error}");
    }

    proptest! {
        #[test]
        fn no_address_leaves_the_resources_host(uri in "[/\\\\:@.?#%a-z{}]{0,24}", prefix in prop::sample::select(vec!["", "/", "https://", "https://graph.microsoft.com", "//"])) {
            let (public, _, _runtime) = environments();
            if let Ok((_, place)) = Place::choose(&public, Some("https://graph.microsoft.com"), &[], &format!("{prefix}{uri}")) {
                let url = place.address("x").unwrap();
                prop_assert_eq!(url.origin(), Url::parse("https://graph.microsoft.com").unwrap().origin());
                prop_assert!(url.username().is_empty());
            }
        }
    }
}
