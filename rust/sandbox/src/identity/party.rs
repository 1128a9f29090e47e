//! Who asks: one of Microsoft's own clients, the partner's application, or one that was registered while the sandbox runs.

use std::sync::Arc;

use crate::application::Application;
use crate::consent;
use crate::estate::Tenant;
use crate::keys::Keys;
use crate::permissions::Kind;
use crate::registry::Registered;
use crate::resource::Resource;
use crate::world::{write, World};

use super::first_party::{self, FirstParty};

pub(super) enum Party<'a> {
    Microsofts(&'static FirstParty),
    Partners(&'a Application),
    Registered(Arc<Registered>),
}

impl<'a> Party<'a> {
    /// Finds the client of that id; None where no directory knows one.
    pub(super) fn find(world: &'a World, client_id: &str) -> Option<Self> {
        if let Some(client) = first_party::find(client_id) {
            return Some(Party::Microsofts(client));
        }
        let application = &world.application;
        if client_id.eq_ignore_ascii_case(&application.id) {
            return (!application.is_absent()).then_some(Party::Partners(application));
        }
        world.registry.application(client_id).map(Party::Registered)
    }

    pub(super) fn name(&self) -> String {
        match self {
            Party::Microsofts(client) => client.name.to_owned(),
            Party::Partners(application) => application.display_name.to_owned(),
            Party::Registered(application) => application.display_name(),
        }
    }

    /// What it proves itself with; nothing for a public client.
    pub(super) fn keys(&self) -> Option<&Keys> {
        match self {
            Party::Microsofts(_) => None,
            Party::Partners(application) => Some(&application.keys),
            Party::Registered(application) => Some(&application.keys),
        }
    }

    pub(super) fn redirect_uris(&self) -> Vec<String> {
        match self {
            Party::Microsofts(_) => vec![first_party::REDIRECT_URI.to_owned()],
            Party::Partners(application) => application.state.redirect_uris(),
            Party::Registered(application) => application.redirect_uris(),
        }
    }

    /// Whether it may sign users in without proving itself.
    pub(super) fn is_public(&self) -> bool {
        match self {
            Party::Microsofts(_) | Party::Partners(_) => true,
            Party::Registered(application) => application.is_public(),
        }
    }

    /// Whether a tenant has a service principal of it.
    pub(super) fn is_in(&self, world: &World, tenant: &Tenant) -> bool {
        match self {
            Party::Microsofts(_) => true,
            Party::Partners(_) => tenant.health().service_principal,
            Party::Registered(application) => application.has_principal(world, tenant),
        }
    }

    /// Whether nobody has to consent any more. Microsoft's own clients need nobody's consent here.
    pub(super) fn is_consented(&self, world: &World, tenant: &Tenant) -> bool {
        match self {
            Party::Microsofts(_) => true,
            Party::Partners(_) => tenant.health().consent,
            Party::Registered(application) => application.is_consented(world, tenant),
        }
    }

    /// The delegated permissions that it asks for on an API; None where it has none listed.
    pub(super) fn listed(&self, resource: Resource) -> Option<Vec<&'static str>> {
        let listed = match self {
            Party::Microsofts(client) => client.scopes(resource)?.to_vec(),
            Party::Partners(application) => application.scopes(resource)?,
            Party::Registered(application) => application.asks(resource, Kind::Scope),
        };
        (!listed.is_empty()).then_some(listed)
    }

    /// The delegated permissions that it holds on an API in a tenant; None where nobody has consented to any.
    pub(super) fn scopes(&self, world: &World, tenant: &Tenant, resource: Resource) -> Option<Vec<&'static str>> {
        if !self.is_consented(world, tenant) {
            return None;
        }
        match self {
            Party::Registered(application) => {
                let held = application.holds(world, tenant, resource, Kind::Scope);
                (!held.is_empty()).then_some(held)
            }
            Party::Partners(_) => consent::seen(world, tenant, resource),
            Party::Microsofts(_) => self.listed(resource),
        }
    }

    /// The application roles that it holds on an API in a tenant.
    pub(super) fn roles(&self, world: &World, tenant: &Tenant, resource: Resource) -> Vec<&'static str> {
        match self {
            Party::Microsofts(_) => Vec::new(),
            Party::Partners(application) if tenant.health().application_roles => application.roles(resource),
            Party::Partners(_) => Vec::new(),
            Party::Registered(application) => application.holds(world, tenant, resource, Kind::Role),
        }
    }

    /// Records that an administrator of the tenant has consented.
    pub(super) fn consent(&self, world: &World, tenant: &Tenant) {
        match self {
            Party::Microsofts(_) => {}
            Party::Partners(_) => {
                let health = &mut *write(&tenant.health);
                health.consent_to_all(true);
                health.service_principal = true;
            }
            Party::Registered(application) => application.consent(world, tenant),
        }
    }
}
