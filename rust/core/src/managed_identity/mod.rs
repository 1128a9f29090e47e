//! Managed identities: tokens from the platform that this machine or container runs on, without any secret.
//!
//! Each source is one hosting platform. Which one it is is found once, when the credential is made, from the variables that
//! the platform sets; then a token is one request to an endpoint on the machine itself. Sources: Microsoft's pages on
//! managed identities for virtual machines, App Service, Azure Arc, Azure Machine Learning, Cloud Shell and Service Fabric,
//! and the order in which Microsoft's own libraries look for them.
//!
//! Invariant: a request of this module never goes through a proxy, and follows no redirect.

mod answer;
mod app_service;
mod arc;
mod client;
mod cloud_shell;
mod failure;
mod identity;
mod imds;
mod machine_learning;
mod moment;
mod patience;
mod service_fabric;
mod source;
mod variables;

pub(crate) use answer::Issued;
pub(crate) use client::Platform;
pub(crate) use identity::Identity;
pub(crate) use variables::Variables;

use crate::error::{Error, Result};
use crate::request::Request;
use source::Source;

/// The fields of a `credential` request that are read here.
pub(crate) const FIELDS: [&str; 5] = [
    "managedIdentity",
    "managedIdentityClientId",
    "managedIdentityObjectId",
    "managedIdentityResourceId",
    "variables",
];

/// An identity and the platform that gives out its tokens.
#[derive(Clone)]
pub(crate) struct ManagedIdentity {
    source: Source,
    identity: Identity,
}

impl ManagedIdentity {
    /// The identity that the request names on the platform that the variables tell of. Nothing is sent.
    pub(crate) fn from_request(request: &Request, variables: &Variables) -> Result<Self> {
        let identity = Identity::from_request(request)?;
        let source = Source::detect(variables);
        if identity != Identity::SystemAssigned && !source.has_user_assigned() {
            return Err(Error::invalid(format!(
                "on {} there is one managed identity, which cannot be chosen",
                source.title()
            ))
            .advise("Leave the identity's id out."));
        }
        Ok(ManagedIdentity { source, identity })
    }

    /// Which platform it is, for a person.
    pub(crate) fn platform(&self) -> &'static str {
        self.source.title()
    }

    /// Which identity it is.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What tells this identity from every other one that this process may ask for.
    pub(crate) fn key(&self) -> [&str; 4] {
        let (name, id) = self.identity.key();
        [self.source.title(), self.source.endpoint(), name, id]
    }

    /// A token for a resource. Waits and asks again as the platform's documentation says; dropping the future ends it.
    pub(crate) async fn token(&self, platform: &Platform, resource: &str) -> Result<Issued> {
        let identity = &self.identity;
        let answer = match &self.source {
            Source::ServiceFabric(host) => service_fabric::ask(platform, host, resource).await,
            Source::AppService(host) => app_service::ask(platform, host, identity, resource).await,
            Source::AzureArc(host) => arc::ask(platform, host, resource).await,
            Source::MachineLearning(host) => machine_learning::ask(platform, host, identity, resource).await,
            Source::CloudShell(host) => cloud_shell::ask(platform, host, resource).await,
            Source::Imds(host) => imds::ask(platform, host, identity, resource).await,
        };
        let answer = answer.map_err(|error| failure::unreachable(error, &self.source))?;
        if answer.is_success() {
            return Issued::read(&answer, platform.now_ms());
        }
        Err(failure::from_answer(&answer, self, resource))
    }
}
