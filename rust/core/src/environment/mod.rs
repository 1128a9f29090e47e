//! Clouds: where each service answers, and what its tokens are asked for.
//!
//! Invariant: an instance never changes. Adding a name again makes a new instance with its own HTTP client, and what was
//! cached for the old one never answers for the new one.

mod builtin;
mod registry;

pub use registry::Environments;

use crate::error::{Error, Kind, Result};
use crate::http;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A service that differs from cloud to cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Microsoft Entra's sign-in and token endpoints.
    Login,
    /// Microsoft Graph.
    Graph,
    /// The Partner Center REST API.
    PartnerCenter,
    /// The Office 365 Management Activity API.
    Manage,
    /// Exchange Online.
    Outlook,
    /// Azure AD Graph (retired, still asked for by old scripts).
    AadGraph,
    /// Azure Key Vault: the domain that the vaults' names stand before.
    KeyVault,
}

impl Service {
    pub const ALL: [Service; 7] = [
        Service::Login,
        Service::Graph,
        Service::PartnerCenter,
        Service::Manage,
        Service::Outlook,
        Service::AadGraph,
        Service::KeyVault,
    ];

    /// The key of this service in requests and values: `login`, `partnerCenter`, ..
    pub fn key(self) -> &'static str {
        match self {
            Service::Login => "login",
            Service::Graph => "graph",
            Service::PartnerCenter => "partnerCenter",
            Service::Manage => "manage",
            Service::Outlook => "outlook",
            Service::AadGraph => "aadGraph",
            Service::KeyVault => "keyVault",
        }
    }

    /// What a person calls this service.
    pub fn title(self) -> &'static str {
        match self {
            Service::Login => "sign-in",
            Service::Graph => "Microsoft Graph",
            Service::PartnerCenter => "Partner Center",
            Service::Manage => "Office 365 Management Activity",
            Service::Outlook => "Exchange Online",
            Service::AadGraph => "Azure AD Graph",
            Service::KeyVault => "Key Vault",
        }
    }

    /// What a user's token takes for the work that is done there, for a person who has to add it to the application.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Service::Login => "the permission",
            Service::Graph => "the permissions of Microsoft Graph that the work needs (the command's help names them)",
            Service::PartnerCenter => "the permission user_impersonation of Microsoft Partner Center",
            Service::Manage => "the permission ActivityFeed.Read of Office 365 Management APIs",
            Service::Outlook => "the permission Exchange.Manage of Office 365 Exchange Online",
            Service::AadGraph => "the permission Directory.AccessAsUser.All of Azure Active Directory Graph",
            Service::KeyVault => "the permission user_impersonation of Azure Key Vault",
        }
    }

    /// The parameter of Add-SecureAppEnvironment that names this service's host.
    fn parameter(self) -> &'static str {
        match self {
            Service::Login => "-LoginEndpoint",
            Service::Graph => "-GraphEndpoint",
            Service::PartnerCenter => "-PartnerCenterEndpoint",
            Service::Manage => "-ManagementEndpoint",
            Service::Outlook => "-OutlookEndpoint",
            Service::AadGraph => "-AadGraphEndpoint",
            Service::KeyVault => "-KeyVaultEndpoint",
        }
    }
}

/// What an environment is made of.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    pub name: String,
    pub built_in: bool,
    /// Base URLs in the order of [`Service::ALL`], `https://host[:port]`, without a slash at the end.
    pub endpoints: [Option<String>; 7],
    /// Resource names that tokens are asked for, in the same order; the public cloud's where nothing else is said.
    pub resources: [Option<String>; 7],
    /// PEM of further roots that this environment's hosts may be certified by.
    pub ca_pem: Option<String>,
    /// The authority withdraws a refresh token once it has been used.
    pub single_use_refresh_tokens: bool,
}

/// Who is told of an instance that is gone.
type OnGone = OnceLock<Box<dyn Fn(u64) + Send + Sync>>;

/// What the environments of an engine have in common.
struct Shared {
    options: http::Options,
    limits: Arc<http::Limits>,
    on_gone: OnGone,
}

impl Shared {
    fn gone(&self, instance: u64) {
        if let Some(tell) = self.on_gone.get() {
            tell(instance);
        }
    }
}

/// One instance of a cloud, with its own HTTP client. Shared freely between threads.
pub struct Environment {
    definition: Definition,
    instance: u64,
    shared: Arc<Shared>,
    client: OnceCell<http::Client>,
}

impl Drop for Environment {
    /// Nobody can ask with it any more: what a request that outlived its removal has left is forgotten too.
    fn drop(&mut self) {
        self.shared.gone(self.instance);
    }
}

impl Environment {
    fn new(definition: Definition, shared: Arc<Shared>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let instance = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        Environment {
            definition,
            instance,
            shared,
            client: OnceCell::new(),
        }
    }

    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// Tells this instance from every other one of the process, whatever their names.
    pub fn instance(&self) -> u64 {
        self.instance
    }

    pub fn is_built_in(&self) -> bool {
        self.definition.built_in
    }

    pub fn single_use_refresh_tokens(&self) -> bool {
        self.definition.single_use_refresh_tokens
    }

    /// The base URL of a service (`https://host[:port]`), or an error that says what to do without it.
    pub fn endpoint(&self, service: Service) -> Result<&str> {
        self.known_endpoint(service).ok_or_else(|| self.no_endpoint(service))
    }

    /// The base URL of a service where this environment has it.
    pub fn known_endpoint(&self, service: Service) -> Option<&str> {
        self.definition.endpoints[service as usize].as_deref()
    }

    /// The resource name that a token for this service is asked for.
    pub fn resource(&self, service: Service) -> &str {
        self.definition.resources[service as usize]
            .as_deref()
            .unwrap_or(builtin::PUBLIC_RESOURCES[service as usize])
    }

    /// The first wait before something that needs a moment is tried again.
    pub(crate) fn first_backoff(&self) -> std::time::Duration {
        self.shared.options.first_backoff
    }

    /// This instance's HTTP client: its pool and its trust are nobody else's.
    pub(crate) fn http(&self) -> Result<&http::Client> {
        self.client.get_or_try_init(|| {
            let local = self
                .definition
                .endpoints
                .iter()
                .flatten()
                .all(|url| http::is_loopback(url));
            let trust = http::Trust {
                ca_pem: self.definition.ca_pem.as_deref(),
                environment: &self.definition.name,
            };
            http::Client::new(
                &trust,
                local,
                self.shared.options.clone(),
                Arc::clone(&self.shared.limits),
            )
        })
    }

    #[cold]
    fn no_endpoint(&self, service: Service) -> Error {
        let (name, title) = (self.name(), service.title());
        if self.definition.built_in {
            Error::new(Kind::NotFound, format!("the environment {name} has no known {title} host"))
                .advise(format!("This service is not available in {name}; use another source, or define an environment of your own with Add-SecureAppEnvironment {}.", service.parameter()))
        } else {
            Error::new(
                Kind::NotFound,
                format!("the environment {name} was defined without a {title} host"),
            )
            .advise(format!(
                "Define it again with Add-SecureAppEnvironment -Name {name} -Force and {}.",
                service.parameter()
            ))
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({}#{})", self.name(), self.instance)
    }
}
