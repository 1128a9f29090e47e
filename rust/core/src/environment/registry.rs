//! The environments of an engine, by name.

use super::{builtin, Definition, Environment, OnGone, Service, Shared};
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::request::Request;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use url::Url;

/// Names are compared without regard to case.
pub struct Environments {
    by_name: RwLock<BTreeMap<String, Arc<Environment>>>,
    shared: Arc<Shared>,
}

impl Environments {
    pub(crate) fn new(options: http::Options, limits: Arc<http::Limits>) -> Self {
        let shared = Arc::new(Shared {
            options,
            limits,
            on_gone: OnGone::new(),
        });
        let by_name = builtin::definitions()
            .map(|definition| {
                let key = definition.name.to_ascii_lowercase();
                (key, Arc::new(Environment::new(definition, Arc::clone(&shared))))
            })
            .collect();
        Environments {
            by_name: RwLock::new(by_name),
            shared,
        }
    }

    /// Has `tell` called with each instance that is removed or replaced, and once more when the last request with it has
    /// ended. Only the first call has an effect.
    pub(crate) fn on_gone(&self, tell: impl Fn(u64) + Send + Sync + 'static) {
        self.shared.on_gone.get_or_init(|| Box::new(tell));
    }

    /// How many requests may be in flight, for all environments together.
    pub(crate) fn limits(&self) -> &Arc<http::Limits> {
        &self.shared.limits
    }

    /// The environment of that name; an empty name means `Public`.
    pub fn find(&self, name: &str) -> Result<Arc<Environment>> {
        let key = if name.trim().is_empty() {
            "public".to_owned()
        } else {
            name.trim().to_ascii_lowercase()
        };
        let environments = self.read();
        environments.get(&key).cloned().ok_or_else(|| {
            let names: Vec<&str> = environments.values().map(|environment| environment.name()).collect();
            Error::new(Kind::NotFound, format!("there is no environment named '{name}'")).advise(format!(
                "Use one of {}, or define it with Add-SecureAppEnvironment.",
                names.join(", ")
            ))
        })
    }

    /// Every environment, by name.
    pub fn list(&self) -> Vec<Arc<Environment>> {
        self.read().values().cloned().collect()
    }

    /// Adds a new instance under the definition's name. Without `replace`, a name that is taken is refused; the built-in
    /// ones always are.
    pub fn add(&self, definition: Definition, replace: bool) -> Result<Arc<Environment>> {
        let key = definition.name.trim().to_ascii_lowercase();
        if key.is_empty() {
            return Err(Error::invalid("the environment's name is empty").advise("Give the environment a name."));
        }
        let environment = Arc::new(Environment::new(definition, Arc::clone(&self.shared)));
        // Builds the client now, so that a bad certificate is an error of this command and not of a later one.
        environment.http()?;
        let mut environments = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(existing) = environments.get(&key) {
            if existing.is_built_in() {
                return Err(
                    Error::invalid(format!("the environment {} is built in", existing.name()))
                        .advise("Choose another name."),
                );
            }
            if !replace {
                return Err(
                    Error::invalid(format!("there is already an environment named {}", existing.name()))
                        .advise("Choose another name, or replace it with -Force."),
                );
            }
        }
        let replaced = environments.insert(key, Arc::clone(&environment));
        drop(environments);
        if let Some(replaced) = replaced {
            self.shared.gone(replaced.instance());
        }
        Ok(environment)
    }

    /// Forgets a user-defined environment, and its tokens with it. What is under way with it goes on, and leaves nothing behind.
    pub fn remove(&self, name: &str) -> Result<()> {
        let found = self.find(name)?;
        if found.is_built_in() {
            return Err(Error::invalid(format!(
                "the environment {} is built in and cannot be removed",
                found.name()
            ))
            .advise("Only environments added with Add-SecureAppEnvironment can be removed."));
        }
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&found.name().to_ascii_lowercase());
        self.shared.gone(found.instance());
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Environment>>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Definition {
    /// Reads `environment.add`.
    pub(crate) fn from_request(request: &Request) -> Result<Self> {
        request.only(&[
            "name",
            "loginHost",
            "graphHost",
            "partnerCenterHost",
            "manageHost",
            "outlookHost",
            "aadGraphHost",
            "keyVaultHost",
            "loginResource",
            "graphResource",
            "partnerCenterResource",
            "manageResource",
            "outlookResource",
            "aadGraphResource",
            "keyVaultResource",
            "caPem",
            "singleUseRefreshTokens",
            "force",
        ])?;
        let mut definition = Definition {
            name: request.text("name")?.trim().to_owned(),
            ca_pem: request
                .opt_text("caPem")?
                .filter(|pem| !pem.trim().is_empty())
                .map(str::to_owned),
            single_use_refresh_tokens: request.flag("singleUseRefreshTokens")?,
            ..Definition::default()
        };
        for service in Service::ALL {
            let key = service.key();
            if let Some(url) = request
                .opt_text(&format!("{key}Host"))?
                .filter(|url| !url.trim().is_empty())
            {
                definition.endpoints[service as usize] = Some(base_url(service, url.trim())?);
            }
            let resource = request
                .opt_text(&format!("{key}Resource"))?
                .filter(|name| !name.trim().is_empty());
            definition.resources[service as usize] = resource.map(|name| name.trim().to_owned());
        }
        if definition.endpoints[Service::Login as usize].is_none() {
            return Err(
                Error::invalid(format!("the environment '{}' has no sign-in host", definition.name))
                    .advise("Give it with -LoginEndpoint, such as https://login.microsoftonline.com."),
            );
        }
        Ok(definition)
    }
}

impl Environment {
    /// What `environment.get` and `environment.list` say.
    pub(crate) fn to_value(&self) -> Value {
        let mut endpoints = Value::map();
        let mut resources = Value::map();
        for service in Service::ALL {
            endpoints = endpoints.with(service.key(), self.known_endpoint(service));
            resources = resources.with(service.key(), self.resource(service));
        }
        let cloud = if self.is_built_in() { self.name() } else { "Public" };
        for (key, name) in builtin::modules(cloud) {
            resources = resources.with(key, name);
        }
        Value::map()
            .with("name", self.name())
            .with("builtIn", self.is_built_in())
            .with("instance", self.instance() as i64)
            .with("singleUseRefreshTokens", self.single_use_refresh_tokens())
            .with("endpoints", endpoints)
            .with("resources", resources)
    }
}

/// `host`, `host:port` or `https://host[:port][/]` as a base URL without a slash at the end. Secrets go to these hosts, so
/// nothing but HTTPS will do.
fn base_url(service: Service, text: &str) -> Result<String> {
    let is_plain = looks_like_a_host(text);
    let shown = match is_plain {
        true => format!("'{text}'"),
        false => format!("a text of {} characters", text.chars().count()),
    };
    let refused = |why: &str| {
        Error::invalid(format!("{shown} cannot be the {} host: {why}", service.title())).advise(format!(
            "Give {} as https://host or https://host:port.",
            service.parameter()
        ))
    };
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&full).map_err(|cause| refused(&cause.to_string()))?;
    if url.scheme() != "https" {
        return Err(refused("secrets are only sent over https"));
    }
    let more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if more || !url.username().is_empty() || url.password().is_some() {
        return Err(refused("only a scheme, a host and a port are allowed"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refused("it has no host"));
    }
    if !is_plain {
        return Err(refused("a host has letters, digits, hyphens and dots"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// False for what may be a secret that was put here, or has one in it: it is not repeated.
fn looks_like_a_host(text: &str) -> bool {
    let is_random = |word: &str| {
        let has = |is: fn(&char) -> bool| word.chars().any(|letter| is(&letter));
        word.len() > 20 && has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
    };
    let marks = ['.', '-', ':', '/', '[', ']'];
    text.chars()
        .all(|letter| letter.is_alphanumeric() || marks.contains(&letter))
        && !text.split(marks).any(is_random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_no_host_and_not_repeated() {
        for host in [
            "localhost:8443",
            "https://login.example.org",
            "[::1]:1",
            "https://bücher.example/",
            "xn--bcher-kva.example",
        ] {
            assert!(base_url(Service::Login, host).is_ok(), "{host}");
        }
        for secret in [
            "Sx8~a-secret",
            "user:password@login.example.org",
            "0.AXk7Qx-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789.AgAB",
            "https://login.example.org/aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
        ] {
            let refused = base_url(Service::Login, secret).unwrap_err();
            assert!(refused.message().starts_with("a text of"), "{refused}");
        }
        let refused = base_url(Service::Login, "http://login.example.org").unwrap_err();
        assert!(refused.message().contains("'http://login.example.org'"), "{refused}");
    }
}
