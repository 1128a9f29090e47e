//! One application that was registered while the sandbox runs ("application resource type").

use std::collections::HashSet;
use std::sync::RwLock;

use serde_json::{json, Map, Value};

use crate::clock::iso_seconds;
use crate::consent;
use crate::estate::Tenant;
use crate::keys::Keys;
use crate::permissions::{self, Kind};
use crate::resource::Resource;
use crate::world::{read, write, World};

use super::{principal_id, Assignment, Grant, Principal};

pub(crate) struct Registered {
    pub(crate) object_id: String,
    /// The client id.
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) keys: Keys,
    created: i64,
    fields: RwLock<Map<String, Value>>,
    /// Other tenants whose administrators have consented.
    consented: RwLock<HashSet<String>>,
    /// Service principals that own it.
    owners: RwLock<Vec<String>>,
}

impl Registered {
    pub(crate) fn new(world: &World, tenant_id: &str, fields: Map<String, Value>) -> Self {
        let mut random = world.random();
        Registered {
            object_id: random.guid(),
            id: random.guid(),
            tenant_id: tenant_id.to_owned(),
            keys: Keys::none(),
            created: world.clock.now(),
            fields: RwLock::new(fields),
            consented: RwLock::default(),
            owners: RwLock::default(),
        }
    }

    pub(crate) fn display_name(&self) -> String {
        self.text("displayName")
    }

    /// The whole object as Graph shows it.
    pub(crate) fn shown(&self, now: i64) -> Map<String, Value> {
        let whole = json!({
            "id": self.object_id,
            "appId": self.id,
            "createdDateTime": format!("{}Z", iso_seconds(self.created)),
            "displayName": null,
            "signInAudience": "AzureADandPersonalMicrosoftAccount",
            "isFallbackPublicClient": null,
            "tags": [],
            "notes": null,
            "requiredResourceAccess": [],
            "web": {"redirectUris": [], "implicitGrantSettings": {"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false}},
            "publicClient": {"redirectUris": []},
            "spa": {"redirectUris": []},
            "keyCredentials": self.keys.shown(),
            "passwordCredentials": self.keys.shown_secrets(now),
        });
        let mut whole = whole.as_object().cloned().unwrap_or_default();
        for (name, value) in read(&self.fields).iter() {
            whole.insert(name.clone(), value.clone());
        }
        whole
    }

    /// Changes properties; what is an object itself is merged.
    pub(crate) fn change(&self, fields: Map<String, Value>) {
        let own = &mut *write(&self.fields);
        for (name, value) in fields {
            match (own.get_mut(&name), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, value) => {
                    own.insert(name, value);
                }
            }
        }
    }

    pub(crate) fn owners(&self) -> Vec<String> {
        read(&self.owners).clone()
    }

    /// False where it is an owner already.
    pub(crate) fn add_owner(&self, principal_id: &str) -> bool {
        let owners = &mut *write(&self.owners);
        let is_new = !owners.iter().any(|owner| owner == principal_id);
        if is_new {
            owners.push(principal_id.to_owned());
        }
        is_new
    }

    /// Whether other organizations may use it.
    pub(crate) fn is_for_others(&self) -> bool {
        self.text("signInAudience") != "AzureADMyOrg"
    }

    /// Whether it may do without proving itself.
    pub(crate) fn is_public(&self) -> bool {
        read(&self.fields).get("isFallbackPublicClient") == Some(&Value::Bool(true))
    }

    /// The reply URLs of all platforms.
    pub(crate) fn redirect_uris(&self) -> Vec<String> {
        let fields = read(&self.fields);
        ["web", "publicClient", "spa"]
            .iter()
            .filter_map(|platform| fields.get(*platform)?.get("redirectUris")?.as_array())
            .flatten()
            .filter_map(|uri| uri.as_str().map(str::to_owned))
            .collect()
    }

    /// The names of what it asks for on an API, consented to or not.
    pub(crate) fn asks(&self, resource: Resource, kind: Kind) -> Vec<&'static str> {
        let wanted = match kind {
            Kind::Role => "Role",
            Kind::Scope => "Scope",
        };
        let fields = read(&self.fields);
        let all = fields.get("requiredResourceAccess").and_then(Value::as_array);
        all.into_iter()
            .flatten()
            .filter(|one| one["resourceAppId"] == resource.application_id())
            .filter_map(|one| one["resourceAccess"].as_array())
            .flatten()
            .filter(|one| one["type"] == wanted)
            .filter_map(|one| permissions::name(resource, kind, one["id"].as_str()?))
            .collect()
    }

    /// Whether a tenant has a service principal of it.
    pub(crate) fn has_principal(&self, world: &World, tenant: &Tenant) -> bool {
        if tenant.id == self.tenant_id {
            return world.registry.has_principal(&tenant.id, &self.id);
        }
        self.is_for_others()
            && (read(&self.consented).contains(&tenant.id)
                || self.is_partners(world) && tenant.health().service_principal)
    }

    /// Whether somebody has consented to it for a tenant.
    pub(crate) fn is_consented(&self, world: &World, tenant: &Tenant) -> bool {
        if tenant.id == self.tenant_id {
            return self.has_principal(world, tenant);
        }
        self.is_for_others()
            && (read(&self.consented).contains(&tenant.id) || self.is_partners(world) && tenant.health().consent)
    }

    /// What it holds on an API in a tenant. Customers' administrators give all that it asks for; through Partner Center it has
    /// what was granted there, which is delegated permissions alone.
    pub(crate) fn holds(&self, world: &World, tenant: &Tenant, resource: Resource, kind: Kind) -> Vec<&'static str> {
        if tenant.id == self.tenant_id {
            return world.registry.granted(world, self, resource, kind);
        }
        if self.is_for_others() && read(&self.consented).contains(&tenant.id) {
            return self.asks(resource, kind);
        }
        if !self.is_consented(world, tenant) {
            return Vec::new();
        }
        match kind {
            Kind::Scope => consent::seen(world, tenant, resource).unwrap_or_default(),
            Kind::Role if tenant.health().application_roles => self.asks(resource, kind),
            Kind::Role => Vec::new(),
        }
    }

    /// An administrator consents to all that it asks for.
    pub(crate) fn consent(&self, world: &World, tenant: &Tenant) {
        if tenant.id != self.tenant_id {
            write(&self.consented).insert(tenant.id.clone());
            return;
        }
        let registry = &world.registry;
        let id = principal_id(world, &tenant.id, &self.id);
        if !registry.has_principal(&tenant.id, &self.id) {
            let principal = Principal {
                tenant_id: tenant.id.clone(),
                application_id: self.id.clone(),
                id: id.clone(),
            };
            write(&registry.principals).push(principal);
        }
        for required in self.required() {
            let resource_id = principal_id(
                world,
                &tenant.id,
                required["resourceAppId"].as_str().unwrap_or_default(),
            );
            let mut scopes = Vec::new();
            let resource = super::resource_of(world, &tenant.id, &resource_id);
            for access in required["resourceAccess"].as_array().into_iter().flatten() {
                let permission = access["id"].as_str().unwrap_or_default();
                if access["type"] == "Scope" {
                    scopes.extend(resource.and_then(|resource| permissions::name(resource, Kind::Scope, permission)));
                    continue;
                }
                write(&registry.assignments).push(Assignment {
                    id: world.random().text(43),
                    tenant_id: tenant.id.clone(),
                    principal_id: id.clone(),
                    resource_id: resource_id.clone(),
                    role_id: permission.to_owned(),
                });
            }
            if !scopes.is_empty() {
                write(&registry.grants).push(Grant {
                    id: world.random().text(43),
                    tenant_id: tenant.id.clone(),
                    client_id: id.clone(),
                    resource_id,
                    principal_id: None,
                    scope: scopes.join(" "),
                });
            }
        }
    }

    fn required(&self) -> Vec<Value> {
        let fields = read(&self.fields);
        let all = fields.get("requiredResourceAccess").and_then(Value::as_array);
        all.cloned().unwrap_or_default()
    }

    /// Whether the customers' health is about this application: there is no other of the partner's.
    fn is_partners(&self, world: &World) -> bool {
        let partner = &world.estate.partner.id;
        world.application.is_absent()
            && world
                .registry
                .partners(partner)
                .is_some_and(|one| one.object_id == self.object_id)
    }

    fn text(&self, name: &str) -> String {
        let fields = read(&self.fields);
        fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
