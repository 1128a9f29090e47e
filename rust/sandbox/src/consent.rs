//! What a tenant has consented to: all that the application asks for, as an administrator does on the consent page, or what
//! Partner Center was told to grant there, API by API.
//!
//! A grant holds delegated permissions alone. Application roles come with an administrator's consent, and removing grants
//! leaves them and the service principal behind.

use crate::estate::{Health, Tenant};
use crate::permissions::Kind;
use crate::resource::Resource;
use crate::world::{read, write, World};

/// Delegated permissions on one API, for all users of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) resource: Resource,
    pub(crate) scopes: Vec<&'static str>,
}

/// The delegated permissions that an API publishes, as far as partners ask for them.
fn published(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Graph => &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "AuditLog.Read.All",
            "AuditLogsQuery.Read.All",
            "DelegatedAdminRelationship.Read.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.AccessAsUser.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Mail.ReadWrite",
            "Mail.Send",
            "SecurityAlert.Read.All",
            "SecurityEvents.Read.All",
            "User.Read",
            "User.ReadWrite.All",
            "email",
            "offline_access",
            "openid",
            "profile",
        ],
        Resource::AadGraph => &["Directory.AccessAsUser.All", "Directory.Read.All", "User.Read"],
        Resource::Manage => &["ActivityFeed.Read", "ActivityFeed.ReadDlp", "ServiceHealth.Read"],
        Resource::Outlook | Resource::Compliance => &["Exchange.Manage"],
        Resource::SharePoint => &["AllSites.FullControl"],
        Resource::PartnerCenter | Resource::Azure | Resource::KeyVault | Resource::Teams | Resource::Storage => {
            &["user_impersonation"]
        }
        Resource::Own => &[],
    }
}

/// A permission by its name.
pub(crate) fn find(resource: Resource, name: &str) -> Option<&'static str> {
    published(resource)
        .iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// The delegated permissions that a redemption in the tenant finds; None where nothing of that API was consented to. What
/// Partner Center granted a moment ago is not seen by the first redemptions.
pub(crate) fn seen(world: &World, tenant: &Tenant, resource: Resource) -> Option<Vec<&'static str>> {
    if read(&tenant.health).unseen > 0 {
        let health = &mut *write(&tenant.health);
        health.unseen = health.unseen.saturating_sub(1);
        return None;
    }
    let health = tenant.health();
    let scopes = granted(world, &health, resource)?;
    let scopes = world.application.state.granted(&scopes);
    (!scopes.is_empty()).then_some(scopes)
}

fn granted(world: &World, health: &Health, resource: Resource) -> Option<Vec<&'static str>> {
    if !health.consent {
        return None;
    }
    match &health.grants {
        None => asked(world, resource),
        Some(grants) => {
            let own = grants.iter().find(|grant| grant.resource == resource)?;
            Some(own.scopes.clone())
        }
    }
}

/// All that the tenant has consented to.
pub(crate) fn all(world: &World, health: &Health) -> Vec<Grant> {
    Resource::KNOWN
        .into_iter()
        .filter_map(|resource| {
            let scopes = granted(world, health, resource)?;
            Some(Grant { resource, scopes })
        })
        .collect()
}

/// The delegated permissions that the partner's application asks for on an API.
fn asked(world: &World, resource: Resource) -> Option<Vec<&'static str>> {
    if !world.application.is_absent() {
        return world.application.scopes(resource);
    }
    let application = world.registry.partners(&world.estate.partner.id)?;
    let scopes = application.asks(resource, Kind::Scope);
    (!scopes.is_empty()).then_some(scopes)
}

/// Grants permissions on one API; false where there are some already, which stay as they are.
pub(crate) fn grant(world: &World, tenant: &Tenant, new: Grant) -> bool {
    let health = &mut *write(&tenant.health);
    if granted(world, health, new.resource).is_some() {
        return false;
    }
    let mut grants = all(world, health);
    grants.push(new);
    health.grants = Some(grants);
    (health.consent, health.service_principal) = (true, true);
    health.unseen = health.consent_lag;
    true
}

/// Takes all grants away; false where there are none.
pub(crate) fn revoke(tenant: &Tenant) -> bool {
    let health = &mut *write(&tenant.health);
    health.grants = None;
    std::mem::take(&mut health.consent)
}
