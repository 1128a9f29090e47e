//! What the APIs here let themselves be asked for: each permission with its id, as a service principal lists it.
//!
//! Ids are those of the public cloud (Microsoft Graph permissions reference; the service principals of the other APIs).

use serde_json::{json, Value};

use crate::resource::Resource;

/// Whether a permission is an application role or a delegated scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Role,
    Scope,
}

use Kind::{Role, Scope};

type Permission = (Resource, Kind, &'static str, &'static str);

const TABLE: &[Permission] = &[
    (
        Resource::Graph,
        Role,
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
        "Application.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Role,
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "Application.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "18a4783c-866b-4cc7-a460-3d5e5662c884",
        "Application.ReadWrite.OwnedBy",
    ),
    (
        Resource::Graph,
        Role,
        "06b708a9-e830-4db3-a914-8e69da51d44f",
        "AppRoleAssignment.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Role,
        "b0afded3-3588-46d8-8b3d-9842eff778da",
        "AuditLog.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "5e1e9171-754d-478c-812c-f1755a9a4c2d",
        "AuditLogsQuery.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "f6e9e124-4586-492f-adc0-c6f96e4823fd",
        "DelegatedAdminRelationship.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
        "DelegatedPermissionGrant.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Role,
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Directory.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Directory.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Role,
        "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
        "GroupMember.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Role,
        "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
        "Mail.ReadWrite",
    ),
    (
        Resource::Graph,
        Role,
        "b633e1c5-b582-4048-a93e-9f11b44c7e96",
        "Mail.Send",
    ),
    (
        Resource::Graph,
        Role,
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "RoleManagement.ReadWrite.Directory",
    ),
    (
        Resource::Graph,
        Role,
        "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
        "SecurityAlert.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "bf394140-e372-4bf9-a898-299cfc7564e5",
        "SecurityEvents.Read.All",
    ),
    (
        Resource::Graph,
        Role,
        "741f803b-c850-494e-b5df-cde7c675a1ca",
        "User.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "bdfbf15f-ee85-4955-8675-146e8e5296b5",
        "Application.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "c79f8feb-a9db-4090-85f9-90d820caa0eb",
        "Application.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "84bccea3-f856-4a8a-967b-dbe0a3d53a64",
        "AppRoleAssignment.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20",
        "AuditLog.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "1d9e7ac3-0eca-442c-82f9-e92625af6e6d",
        "AuditLogsQuery.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "0c0064ea-477b-4130-82a5-4c2cc4ff68aa",
        "DelegatedAdminRelationship.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "41ce6ca6-6826-4807-84f1-1c82854f7ee5",
        "DelegatedPermissionGrant.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "0e263e50-5827-48a4-b97c-d940288653c7",
        "Directory.AccessAsUser.All",
    ),
    (
        Resource::Graph,
        Scope,
        "06da0dbc-49e2-44d2-8312-53f166ab848a",
        "Directory.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "c5366453-9fb0-48a5-a156-24f0c49a4b84",
        "Directory.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "f81125ac-d3b7-4573-a3b2-7099cc39df9e",
        "GroupMember.ReadWrite.All",
    ),
    (
        Resource::Graph,
        Scope,
        "024d486e-b451-40bb-833d-3e66d98c5c73",
        "Mail.ReadWrite",
    ),
    (
        Resource::Graph,
        Scope,
        "e383f46e-2787-4529-855e-0e479a3ffac0",
        "Mail.Send",
    ),
    (
        Resource::Graph,
        Scope,
        "d01b97e9-cbc0-49fe-810a-750afd5527a3",
        "RoleManagement.ReadWrite.Directory",
    ),
    (
        Resource::Graph,
        Scope,
        "bc257fb8-46b4-4b15-8713-01e91bfbe4ea",
        "SecurityAlert.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "64733abd-851e-478a-bffb-e47a14b18235",
        "SecurityEvents.Read.All",
    ),
    (
        Resource::Graph,
        Scope,
        "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "User.Read",
    ),
    (
        Resource::Graph,
        Scope,
        "204e0828-b5ca-4ad8-b9f3-f32a958e7cc4",
        "User.ReadWrite.All",
    ),
    (Resource::Graph, Scope, "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "email"),
    (
        Resource::Graph,
        Scope,
        "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
        "offline_access",
    ),
    (Resource::Graph, Scope, "37f7f235-527c-4136-accd-4a02d197296e", "openid"),
    (
        Resource::Graph,
        Scope,
        "14dad69e-099b-42c9-810b-d002981feec1",
        "profile",
    ),
    (
        Resource::AadGraph,
        Role,
        "5778995a-e1bf-45b8-affa-663a9f3f4d04",
        "Directory.Read.All",
    ),
    (
        Resource::AadGraph,
        Scope,
        "a42657d6-7f20-40e3-b6f0-cee03008a62a",
        "Directory.AccessAsUser.All",
    ),
    (
        Resource::AadGraph,
        Scope,
        "311a71cc-e848-46a1-bdf8-97ff7156d8e6",
        "User.Read",
    ),
    (
        Resource::Outlook,
        Role,
        "dc50a0fb-09a3-484d-be87-e023b12c6440",
        "Exchange.ManageAsApp",
    ),
    (
        Resource::Outlook,
        Scope,
        "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c",
        "Exchange.Manage",
    ),
    (
        Resource::Manage,
        Role,
        "594c1fb6-4f81-4475-ae41-0c394909246c",
        "ActivityFeed.Read",
    ),
    (
        Resource::Manage,
        Scope,
        "594c1fb6-4f81-4475-ae41-0c394909246c",
        "ActivityFeed.Read",
    ),
    (
        Resource::PartnerCenter,
        Scope,
        "1cebfa2a-fb4d-419e-b5f9-839b4383e05a",
        "user_impersonation",
    ),
];

/// The name of a permission, by its id.
pub(crate) fn name(resource: Resource, kind: Kind, id: &str) -> Option<&'static str> {
    of(resource, kind)
        .find(|(_, _, known, _)| known.eq_ignore_ascii_case(id))
        .map(|(_, _, _, name)| *name)
}

/// The table's own text of a name, in any case.
pub(crate) fn named(resource: Resource, kind: Kind, name: &str) -> Option<&'static str> {
    of(resource, kind)
        .find(|(_, _, _, known)| known.eq_ignore_ascii_case(name))
        .map(|(_, _, _, known)| *known)
}

/// A service principal's `appRoles`.
pub(crate) fn app_roles(resource: Resource) -> Value {
    of(resource, Role)
        .map(|(_, _, id, name)| {
            json!({"id": id, "value": name, "displayName": name, "allowedMemberTypes": ["Application"], "isEnabled": true})
        })
        .collect()
}

/// A service principal's `oauth2PermissionScopes`.
pub(crate) fn scopes(resource: Resource) -> Value {
    of(resource, Scope)
        .map(|(_, _, id, name)| json!({"id": id, "value": name, "adminConsentDisplayName": name, "type": "Admin", "isEnabled": true}))
        .collect()
}

fn of(resource: Resource, kind: Kind) -> impl Iterator<Item = &'static Permission> {
    TABLE
        .iter()
        .filter(move |(owner, of, _, _)| *owner == resource && *of == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_permission_of_its_api() {
        for (at, (resource, kind, id, permission)) in TABLE.iter().enumerate() {
            assert!(crate::random::is_guid(id), "{id}");
            assert_eq!(name(*resource, *kind, id), Some(*permission));
            let same = |other: &&Permission| {
                (other.0, other.1) == (*resource, *kind) && (other.2 == *id || other.3 == *permission)
            };
            assert_eq!(TABLE.iter().position(|other| same(&other)), Some(at), "{permission}");
        }
    }
}
