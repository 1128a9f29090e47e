//! What administrators put into directories while the sandbox runs: applications, service principals, what these are granted,
//! the directory roles that they hold and the groups that they are in.

mod registered;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use crate::permissions::{self, Kind};
use crate::random::Random;
use crate::resource::Resource;
use crate::world::{lock, read, write, World};

pub(crate) use registered::Registered;

/// All tenants' objects together; each knows its own.
#[derive(Default)]
pub(crate) struct Registry {
    applications: RwLock<Vec<Arc<Registered>>>,
    pub(crate) principals: RwLock<Vec<Principal>>,
    pub(crate) assignments: RwLock<Vec<Assignment>>,
    pub(crate) grants: RwLock<Vec<Grant>>,
    pub(crate) roles: RwLock<Vec<RoleAssignment>>,
    pub(crate) members: RwLock<Vec<Member>>,
    /// By the objects' ids: how many of the next requests meet a node that does not know it yet.
    unseen: Mutex<HashMap<String, u32>>,
}

/// A service principal that was made here.
#[derive(Clone)]
pub(crate) struct Principal {
    pub(crate) tenant_id: String,
    pub(crate) application_id: String,
    pub(crate) id: String,
}

/// An application role that a service principal holds ("appRoleAssignment resource type").
#[derive(Clone)]
pub(crate) struct Assignment {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) principal_id: String,
    pub(crate) resource_id: String,
    pub(crate) role_id: String,
}

/// Delegated permissions that were consented to ("oAuth2PermissionGrant resource type").
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    pub(crate) resource_id: String,
    /// None: for all principals.
    pub(crate) principal_id: Option<String>,
    pub(crate) scope: String,
}

/// A directory role that somebody holds ("unifiedRoleAssignment resource type").
#[derive(Clone)]
pub(crate) struct RoleAssignment {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) principal_id: String,
    pub(crate) definition_id: String,
}

/// Somebody's place in a group.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) group_id: String,
    pub(crate) principal_id: String,
}

/// The id that a tenant's service principal of an application has, or will have.
pub(crate) fn principal_id(world: &World, tenant_id: &str, application_id: &str) -> String {
    Random::at(world.options.seed, &format!("{tenant_id} {application_id}"), 7).guid()
}

/// The API that a tenant's service principal stands for.
pub(crate) fn resource_of(world: &World, tenant_id: &str, id: &str) -> Option<Resource> {
    Resource::KNOWN
        .into_iter()
        .find(|resource| principal_id(world, tenant_id, resource.application_id()).eq_ignore_ascii_case(id))
}

impl Registry {
    /// The applications that are registered in a tenant, in their order.
    pub(crate) fn of_tenant(&self, tenant_id: &str) -> Vec<Arc<Registered>> {
        let all = read(&self.applications);
        all.iter().filter(|one| one.tenant_id == tenant_id).cloned().collect()
    }

    /// Finds an application by its client id, wherever it is registered.
    pub(crate) fn application(&self, id: &str) -> Option<Arc<Registered>> {
        let all = read(&self.applications);
        all.iter().find(|one| one.id.eq_ignore_ascii_case(id)).cloned()
    }

    /// In an estate that began without one: the partner's application, which its customers consent to. It is the first that was
    /// registered for several organizations.
    pub(crate) fn partners(&self, partner_tenant_id: &str) -> Option<Arc<Registered>> {
        self.of_tenant(partner_tenant_id)
            .into_iter()
            .find(|one| one.is_for_others())
    }

    pub(crate) fn add_application(&self, application: Registered, unseen: u32) -> Arc<Registered> {
        let application = Arc::new(application);
        self.hide(&application.object_id, unseen);
        write(&self.applications).push(application.clone());
        application
    }

    /// Deletes an application with its service principal and all that this was given.
    pub(crate) fn remove_application(&self, world: &World, application: &Registered) {
        write(&self.applications).retain(|one| one.object_id != application.object_id);
        let tenant_id = &application.tenant_id;
        self.remove_principal(tenant_id, &principal_id(world, tenant_id, &application.id));
    }

    /// Deletes a tenant's service principal and all that it was given; false where the tenant has none of that id.
    pub(crate) fn remove_principal(&self, tenant_id: &str, id: &str) -> bool {
        let mut principals = write(&self.principals);
        let before = principals.len();
        principals.retain(|one| one.id != id || one.tenant_id != tenant_id);
        if principals.len() == before {
            return false;
        }
        write(&self.assignments).retain(|one| one.principal_id != id);
        write(&self.grants).retain(|one| one.client_id != id);
        write(&self.roles).retain(|one| one.principal_id != id);
        write(&self.members).retain(|one| one.principal_id != id);
        true
    }

    pub(crate) fn principals_of(&self, tenant_id: &str) -> Vec<Principal> {
        let all = read(&self.principals);
        all.iter().filter(|one| one.tenant_id == tenant_id).cloned().collect()
    }

    pub(crate) fn has_principal(&self, tenant_id: &str, application_id: &str) -> bool {
        read(&self.principals)
            .iter()
            .any(|one| one.tenant_id == tenant_id && one.application_id == application_id)
    }

    /// The names of what an application was given in its own tenant.
    pub(crate) fn granted(
        &self,
        world: &World,
        application: &Registered,
        resource: Resource,
        kind: Kind,
    ) -> Vec<&'static str> {
        let tenant = &application.tenant_id;
        let client = principal_id(world, tenant, &application.id);
        let owner = principal_id(world, tenant, resource.application_id());
        let mut names: Vec<&'static str> = match kind {
            Kind::Role => read(&self.assignments)
                .iter()
                .filter(|one| one.principal_id == client && one.resource_id == owner)
                .filter_map(|one| permissions::name(resource, kind, &one.role_id))
                .collect(),
            Kind::Scope => read(&self.grants)
                .iter()
                .filter(|one| one.client_id == client && one.resource_id == owner && one.principal_id.is_none())
                .flat_map(|one| one.scope.split_ascii_whitespace())
                .filter_map(|name| permissions::named(resource, kind, name))
                .collect(),
        };
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the node that this request meets knows an object. One that was just made is unknown to the next few.
    pub(crate) fn is_known(&self, id: &str) -> bool {
        let mut unseen = lock(&self.unseen);
        match unseen.get_mut(id) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        }
    }

    /// Hides a new object from the next requests for it.
    pub(crate) fn hide(&self, id: &str, requests: u32) {
        if requests > 0 {
            lock(&self.unseen).insert(id.to_owned(), requests);
        }
    }
}
