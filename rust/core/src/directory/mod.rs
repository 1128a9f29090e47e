//! What ids of applications and directory objects stand for: Microsoft's own applications by a table, everything else by what
//! the tenant's directory says.

pub(crate) mod first_party;
mod ids;
mod lookup;
mod names;

pub(crate) use ids::{ids, ids_of_field};
pub(crate) use lookup::Directory;
pub(crate) use names::Names;

use crate::value::Value;

/// What an id stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entity {
    /// `FirstPartyApplication`, `ServicePrincipal`, `ManagedIdentity`, `Application`, `User`, `Group`, .., `Tenant`.
    pub(crate) kind: String,
    pub(crate) display_name: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) object_id: Option<String>,
    /// The tenant that registered the application.
    pub(crate) owner: Option<String>,
    pub(crate) description: Option<String>,
    /// `BuiltIn` for the table, `Directory` for the tenant's.
    pub(crate) source: &'static str,
}

impl Entity {
    /// One of Microsoft's own applications, where the table has it.
    pub(crate) fn first_party(id: &str) -> Option<Self> {
        first_party::find(id).map(|application| Entity {
            kind: "FirstPartyApplication".to_owned(),
            display_name: Some(application.name.to_owned()),
            app_id: Some(id.to_owned()),
            description: Some(application.description.to_owned()),
            source: "BuiltIn",
            ..Entity::default()
        })
    }

    pub(crate) fn is_application(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "FirstPartyApplication" | "ServicePrincipal" | "ManagedIdentity" | "Application"
        )
    }

    /// The row of an id that stands for this, in a tenant or in all.
    pub(crate) fn row(&self, id: &str, tenant: Option<&str>) -> Value {
        Value::map()
            .with("id", id)
            .with("kind", self.kind.as_str())
            .with("displayName", self.display_name.clone())
            .with("appId", self.app_id.clone())
            .with("objectId", self.object_id.clone())
            .with("tenantId", tenant.map(str::to_owned))
            .with("ownerTenantId", self.owner.clone())
            .with("description", self.description.clone())
            .with("source", self.source)
    }
}

/// The row of an id that nothing is known of, and why.
pub(crate) fn unknown(id: &str, tenant: Option<&str>, reason: &str) -> Value {
    Value::map()
        .with("id", id)
        .with("kind", "Unknown")
        .with("tenantId", tenant.map(str::to_owned))
        .with("reason", reason)
}
