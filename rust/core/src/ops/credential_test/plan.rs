//! What a `credential_test` request asks for, checked before anything is sent.

use crate::check::{
    accepted, activity_feed, consent, exchange, expiry, mfa, organization, reachability, refresh_token, registration,
    token, Row,
};
use crate::credential::Credential;
use crate::engine::Engine;
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::export::time::now;
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(super) struct Plan {
    /// For a token in the application's own tenant for the first of the resources, from the service and not from the cache.
    pub(super) question: TokenRequest,
    /// Acts for the user behind the refresh token.
    pub(super) as_user: bool,
    /// The tenants that were named.
    named: Vec<TenantId>,
    resources: Vec<Target>,
    /// The resources are the usual ones: nobody named any.
    usual: bool,
    pub(super) organization: Option<TenantId>,
}

impl Plan {
    pub(super) fn read(engine: &Engine, request: &Request) -> Result<Self> {
        request.only(&[
            "credential",
            "environment",
            "tenants",
            "resources",
            "organization",
            "appOnly",
        ])?;
        let credential = Arc::clone(request.credential("credential")?);
        let environment = engine
            .environments()
            .find(request.opt_text("environment")?.unwrap_or_default())?;
        let app_only = request.flag("appOnly")?;
        let as_user = credential.has_refresh_token() && !app_only;
        let named = request.texts("tenants")?.iter().map(|name| TenantId::parse(name));
        let mut named = named.collect::<Result<Vec<_>>>()?;
        let mut seen = std::collections::HashSet::new();
        named.retain(|tenant| seen.insert(tenant.clone()));
        let organization = request.opt_text("organization")?.map(TenantId::parse).transpose()?;
        if organization.is_some() && named.len() > 1 {
            return Err(Error::invalid("one organization cannot be several tenants'")
                .advise("Give -Organization with one -TenantId, or without."));
        }
        // A refresh token knows where its user is at home; what a customer lacks says nothing of the application.
        let named_tenant = named.first().or(organization.as_ref()).filter(|_| !as_user);
        let tenant = match credential.home_tenant().or(named_tenant) {
            Some(tenant) => tenant.clone(),
            None if as_user || credential.managed_identity().is_some() => TenantId::parse("organizations")?,
            None => {
                return Err(Error::invalid("it is not known in which tenant to try the credential")
                    .advise("Give -TenantId: an application without a user has to be told its tenant."))
            }
        };
        let (resources, usual) = resources(request, &environment, organization.is_some())?;
        let first = resources
            .first()
            .cloned()
            .ok_or_else(|| Error::internal("there is no resource to try"))?;
        let question = TokenRequest::new(environment, credential, tenant, first)
            .app_only(app_only)
            .force_refresh(true);
        Ok(Plan {
            question,
            as_user,
            named,
            resources,
            usual,
            organization,
        })
    }

    pub(super) fn credential(&self) -> &Arc<Credential> {
        self.question.credential()
    }

    /// The tenants whose rows are wanted.
    pub(super) fn tenants(&self) -> &[TenantId] {
        match self.named.as_slice() {
            [] => std::slice::from_ref(self.question.tenant()),
            named => named,
        }
    }

    /// The application's own tenant is not known, so that a named one stands in for it.
    pub(super) fn is_abroad(&self) -> bool {
        self.credential().home_tenant().is_none() && !self.question.tenant().is_shared()
    }

    /// Consent is a question about a tenant that somebody named.
    pub(super) fn asks_for_consent(&self) -> bool {
        !self.named.is_empty()
    }

    /// The resources to try in a tenant. Partner Center is the partner's own, so nobody means it for a customer.
    pub(super) fn resources(&self, tenant: &TenantId) -> impl Iterator<Item = &Target> {
        let leave_out = (self.usual && tenant != self.question.tenant()).then(|| self.target(Service::PartnerCenter));
        self.resources
            .iter()
            .filter(move |target| leave_out.as_deref() != Some(target.title()))
    }

    fn target(&self, service: Service) -> String {
        self.question.environment().resource(service).to_owned()
    }

    /// Whether a service's resource is among those to be tried.
    pub(super) fn includes(&self, service: Service) -> bool {
        self.resources.iter().any(|target| self.is_for(target, service))
    }

    pub(super) fn is_for(&self, target: &Target, service: Service) -> bool {
        let plain = |name: &str| name.trim_end_matches('/').to_ascii_lowercase();
        plain(target.title()) == plain(self.question.environment().resource(service))
    }

    /// Whose the refresh token is, as far as the credential's maker knew.
    pub(super) fn account(&self) -> &str {
        let credential = self.credential();
        credential.account().unwrap_or(credential.application_id())
    }

    pub(super) fn acquired_on(&self) -> Option<SystemTime> {
        let millis = self.credential().acquired_on()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
    }

    /// Partner Center's sign-in rule is for users, and for who calls it.
    pub(super) fn asks_partner_center(&self) -> bool {
        self.as_user && self.includes(Service::PartnerCenter)
    }

    /// The rows of the certificate or the secret.
    pub(super) fn ends(&self, seen: &registration::Seen) -> Option<Row> {
        let credential = self.credential();
        if let Some(certificate) = credential.certificate() {
            return Some(expiry::certificate(certificate, seen, now()));
        }
        let secret = credential.secret()?;
        Some(expiry::secret(credential.application_id(), secret, seen, now()))
    }

    /// The rows that can still come once `after` has been reported, none of which can tell anything any more.
    pub(super) fn rest(&self, after: &str) -> Vec<Row> {
        let reason = format!("see the row {after}");
        let mut rows = Vec::new();
        if after == reachability::CHECK {
            let application = self.credential().application_id();
            rows.push(Row::not_checked(accepted::CHECK, application, &reason));
        }
        if after != refresh_token::CHECK {
            rows.extend(self.ends(&registration::Seen::NotAsked("nothing more was asked")));
        }
        if self.as_user {
            if after != refresh_token::CHECK {
                rows.push(Row::not_checked(refresh_token::CHECK, self.account(), &reason));
            }
            rows.push(Row::not_checked(mfa::MARK, self.account(), &reason));
        }
        if self.asks_partner_center() {
            let target = self.target(Service::PartnerCenter);
            rows.push(Row::not_checked(mfa::PARTNER_CENTER, &target, &reason));
        }
        for tenant in self.tenants() {
            rows.extend(
                self.unchecked(tenant, &reason)
                    .map(|row| row.in_tenant(tenant.as_str())),
            );
        }
        rows
    }

    fn unchecked<'a>(&'a self, tenant: &'a TenantId, reason: &'a str) -> impl Iterator<Item = Row> + 'a {
        let row = move |check| Row::not_checked(check, tenant.as_str(), reason);
        let consent = self.asks_for_consent().then(|| row(consent::CHECK));
        let tokens = self
            .resources(tenant)
            .map(move |target| Row::not_checked(token::CHECK, target.title(), reason));
        let feed = self.includes(Service::Manage).then(|| row(activity_feed::CHECK));
        let exchange = self
            .includes(Service::Outlook)
            .then_some([exchange::ROLE, exchange::AUDIT_SEARCH]);
        let organization = self.organization.as_ref();
        consent
            .into_iter()
            .chain(tokens)
            .chain(feed)
            .chain(exchange.into_iter().flatten().map(row))
            .chain(organization.map(|name| Row::not_checked(organization::CHECK, name.as_str(), reason)))
    }
}

/// The resources to try, each once, and whether they are the usual ones.
fn resources(request: &Request, environment: &Environment, exchange: bool) -> Result<(Vec<Target>, bool)> {
    let named = request.texts("resources")?;
    let usual = [
        Service::Graph,
        Service::PartnerCenter,
        Service::Manage,
        Service::Outlook,
    ];
    let mut resources: Vec<Target> = Vec::new();
    let mut add = |name: &str| -> Result<()> {
        let target = Target::resource(name)?;
        if !resources.contains(&target) {
            resources.push(target);
        }
        Ok(())
    };
    for name in named {
        add(name)?;
    }
    for service in usual {
        if named.is_empty() || (exchange && service == Service::Outlook) {
            add(environment.resource(service))?;
        }
    }
    Ok((resources, named.is_empty()))
}
