//! Which host a vault is, and whether its environment's tokens may go there.

use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::http::is_loopback;
use url::Url;

/// A vault of an environment: its base URL, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    base: String,
    host: String,
}

impl Address {
    /// Reads a vault's name, or its address (`https://name.vault.azure.net`). The host is always below the domain of the
    /// environment's vaults, so that a token is sent nowhere else. A domain on this machine has no names below it: it is one
    /// vault, and every name means it.
    pub(crate) fn parse(environment: &Environment, text: &str) -> Result<Self> {
        let domain = environment.endpoint(Service::KeyVault)?;
        let domain_url = Url::parse(domain)
            .map_err(|cause| Error::internal(format!("the environment's '{domain}' is no address: {cause}")))?;
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::invalid("the vault's name is empty").advise(ADVICE));
        }
        let single = is_loopback(domain);
        if is_name(text) {
            if single {
                return Address::of(&domain_url);
            }
            let authority = &domain_url[url::Position::BeforeHost..url::Position::AfterPort];
            let url = format!("https://{}.{authority}", text.to_ascii_lowercase());
            return Address::of(&Url::parse(&url).map_err(|cause| unreadable(&cause.to_string()))?);
        }
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&full).map_err(|cause| unreadable(&cause.to_string()))?;
        let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
        if !plain || !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(unreadable("it is more than https and a host"));
        }
        let address = Address::of(&url)?;
        let same_port = url.port_or_known_default() == domain_url.port_or_known_default();
        let below = is_below(&address.host, domain_url.host_str().unwrap_or_default());
        if same_port && (below || (single && url.host() == domain_url.host())) {
            return Ok(address);
        }
        let name = environment.name();
        Err(
            Error::invalid(format!("what was given is no vault of the environment {name}, whose vaults are below {domain}"))
                .advise("Choose the vault's own cloud with -Environment, or name its domain in one of your own: Add-SecureAppEnvironment -KeyVaultEndpoint."),
        )
    }

    fn of(url: &Url) -> Result<Self> {
        match url.host_str() {
            Some(host) if !host.is_empty() => Ok(Address {
                base: url.as_str().trim_end_matches('/').to_owned(),
                host: host.to_owned(),
            }),
            _ => Err(unreadable("it has no host")),
        }
    }

    /// `https://name.vault.azure.net`, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether a token for `resource` may be sent to this vault: its host must be the resource's, or below it.
    pub(super) fn belongs_to(&self, resource: &Url) -> bool {
        let host = resource.host_str().unwrap_or_default();
        resource.scheme() == "https" && (self.host == host || is_below(&self.host, host))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)
    }
}

const ADVICE: &str = "Give the vault's name, or its address such as https://contoso.vault.azure.net.";

#[cold]
fn unreadable(why: &str) -> Error {
    // What was given is not repeated: it may be a secret in the wrong place.
    Error::invalid(format!(
        "what was given is neither a vault's name nor its address: {why}"
    ))
    .advise(ADVICE)
}

/// The rule of vault names: 3 to 24 letters, digits and hyphens, a letter first.
fn is_name(text: &str) -> bool {
    (3..=24).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_below(host: &str, domain: &str) -> bool {
    !domain.is_empty()
        && host
            .strip_suffix(domain)
            .and_then(|before| before.strip_suffix('.'))
            .is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environments;
    use crate::http;

    fn parse(environment: &str, text: &str) -> Result<String> {
        let environments = Environments::new(http::Options::default(), http::Limits::new());
        let definition = crate::environment::Definition {
            name: "Local".to_owned(),
            endpoints: [
                Some("https://localhost:1".to_owned()),
                None,
                None,
                None,
                None,
                None,
                Some("https://localhost:7".to_owned()),
            ],
            ..Default::default()
        };
        environments.add(definition, false)?;
        let environment = environments.find(environment)?;
        Address::parse(&environment, text).map(|address| address.base().to_owned())
    }

    #[test]
    fn a_name_and_an_address_are_the_same_vault() {
        for (environment, text, base) in [
            ("Public", "Contoso-kv", "https://contoso-kv.vault.azure.net"),
            (
                "Public",
                "https://contoso.vault.azure.net/",
                "https://contoso.vault.azure.net",
            ),
            ("Public", " contoso.vault.azure.net ", "https://contoso.vault.azure.net"),
            ("USGov", "contoso", "https://contoso.vault.usgovcloudapi.net"),
            ("China", "contoso", "https://contoso.vault.azure.cn"),
            ("Local", "anything", "https://localhost:7"),
            ("Local", "https://localhost:7", "https://localhost:7"),
        ] {
            assert_eq!(parse(environment, text).unwrap(), base);
        }
    }

    #[test]
    fn a_host_elsewhere_is_refused_before_anything_is_sent() {
        for (environment, text) in [
            ("Public", "https://contoso.vault.azure.net.evil.example"),
            ("Public", "https://evilvault.azure.net"),
            ("Public", "https://vault.azure.net"),
            ("Public", "https://contoso.vault.azure.net:444"),
            ("Public", "https://contoso.vault.azure.cn"),
            ("Public", "http://contoso.vault.azure.net"),
            ("Public", "https://user:pass@contoso.vault.azure.net"),
            ("Public", "https://contoso.vault.azure.net/secrets/a"),
            ("Public", "ab"),
            ("Public", "1contoso"),
            ("Local", "https://localhost:8"),
            ("Local", "https://127.0.0.1:7"),
        ] {
            assert_eq!(
                parse(environment, text).unwrap_err().kind(),
                crate::Kind::InvalidInput,
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_belongs_to_its_own_domain() {
        let address = Address::of(&Url::parse("https://contoso.vault.azure.net").unwrap()).unwrap();
        for (resource, fits) in [
            ("https://vault.azure.net", true),
            ("https://vault.azure.net/", true),
            ("https://contoso.vault.azure.net", true),
            ("https://ault.azure.net", false),
            ("https://management.azure.com", false),
            ("http://vault.azure.net", false),
        ] {
            assert_eq!(address.belongs_to(&Url::parse(resource).unwrap()), fits, "{resource}");
        }
    }
}
