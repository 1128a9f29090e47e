//! One question to the cache.

use super::target::Target;
use super::user_assertion::UserAssertion;
use crate::credential::Credential;
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::http::Budget;
use crate::operation::log::{self, Log};
use crate::tenant::TenantId;
use std::sync::Arc;

/// Whose token, for what, and how fresh. Cheap to clone; keep one per (tenant, target) and ask with it each time.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    tenant: TenantId,
    target: Target,
    claims: Option<Arc<str>>,
    user_assertion: Option<UserAssertion>,
    app_only: bool,
    force_refresh: bool,
    /// Its asker's, which the question takes along into other tasks.
    log: Option<Log>,
    /// What its asker may spend on asking again.
    budget: Option<Budget>,
}

/// How a token is obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Grant {
    ClientCredentials,
    /// The platform of this machine gives it; no token endpoint is asked.
    ManagedIdentity,
    OnBehalfOf,
    RefreshToken,
}

impl Grant {
    /// As the service calls it, where it does.
    pub(super) fn name(self) -> &'static str {
        match self {
            Grant::ClientCredentials => "client_credentials",
            // Platforms have no word for theirs, and the service's is longer than a line.
            Grant::ManagedIdentity => "managed_identity",
            Grant::OnBehalfOf => "on_behalf_of",
            Grant::RefreshToken => "refresh_token",
        }
    }
}

impl TokenRequest {
    /// A credential with a refresh token acts for its user, one without for the application itself.
    pub fn new(environment: Arc<Environment>, credential: Arc<Credential>, tenant: TenantId, target: Target) -> Self {
        TokenRequest {
            environment,
            credential,
            tenant,
            target,
            claims: None,
            user_assertion: None,
            app_only: false,
            force_refresh: false,
            log: log::current(),
            budget: Budget::current(),
        }
    }

    /// Act for the application although the credential has a refresh token.
    pub fn app_only(mut self, yes: bool) -> Self {
        self.app_only = yes;
        self
    }

    /// Act for the user whose token this is.
    pub fn on_behalf_of(mut self, assertion: Option<UserAssertion>) -> Self {
        self.user_assertion = assertion;
        self
    }

    /// Ask the service although the cache has an answer.
    pub fn force_refresh(mut self, yes: bool) -> Self {
        self.force_refresh = yes;
        self
    }

    /// The JSON of a claims challenge, as a resource sent it.
    pub fn claims(mut self, json: Option<&str>) -> Self {
        self.claims = json.map(Arc::from);
        self
    }

    /// The same question for another tenant.
    pub fn for_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// The same question for another target.
    pub fn for_target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    pub fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// The retries of the operation that asks; `None` where there is no operation.
    pub(crate) fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }

    /// What is asked for and where, for a line of the log.
    pub(crate) fn subject(&self) -> String {
        format!("{} in {}", self.target.title(), self.tenant)
    }

    pub(super) fn claims_json(&self) -> Option<&Arc<str>> {
        self.claims.as_ref()
    }

    pub(super) fn user_assertion(&self) -> Option<&UserAssertion> {
        self.user_assertion.as_ref()
    }

    /// What a managed identity's token is asked for: platforms know resources and no scopes.
    pub(super) fn managed_resource(&self) -> Result<String> {
        let graph = self.environment.resource(Service::Graph);
        self.target.managed_resource(graph).map_err(|error| self.name(error))
    }

    pub(super) fn is_forced(&self) -> bool {
        self.force_refresh
    }

    /// The grant, once it is known that this question can have an answer. Refuses before anything is sent.
    pub(super) fn grant(&self) -> Result<Grant> {
        if self.credential.managed_identity().is_some() {
            if self.user_assertion.is_some() {
                return Err(self.name(
                    Error::invalid("a managed identity does not act for users")
                        .advise("Use the credential of the application that the user's token was issued for."),
                ));
            }
            self.managed_resource()?;
            return Ok(Grant::ManagedIdentity);
        }
        if self.user_assertion.is_some() {
            return self.on_behalf();
        }
        if !self.app_only && self.credential.has_refresh_token() {
            return Ok(Grant::RefreshToken);
        }
        if !self.credential.has_proof() {
            return Err(self.name(
                Error::invalid(
                    "the credential has no secret and no certificate, so the application cannot act for itself",
                )
                .advise("Add -Secret or a certificate to the credential, or leave -AppOnly out to act for the user."),
            ));
        }
        if self.tenant.is_shared() {
            return Err(self.name(
                Error::invalid(format!("'{}' is no tenant that an application can act in", self.tenant))
                    .advise("Give the tenant's GUID or one of its verified domains."),
            ));
        }
        self.target.check_app_only().map_err(|error| self.name(error))?;
        Ok(Grant::ClientCredentials)
    }

    fn on_behalf(&self) -> Result<Grant> {
        let refused = |what: &str, advice: &str| Err(self.name(Error::invalid(what).advise(advice)));
        if self.app_only {
            return refused(
                "the application cannot act for itself and for a user at once",
                "Leave -AppOnly or -UserAssertion out.",
            );
        }
        if !self.credential.has_proof() {
            return refused(
                "acting for the user of a token takes a proof of the application",
                "Add a secret, a certificate or a federated credential.",
            );
        }
        Ok(Grant::OnBehalfOf)
    }

    /// Adds the tenant and the target to an error.
    pub(super) fn name(&self, error: Error) -> Error {
        error.for_tenant(self.tenant.as_str()).for_resource(self.target.title())
    }
}
