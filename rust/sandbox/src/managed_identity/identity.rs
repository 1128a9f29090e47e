//! The identities of the machine.

use serde::Serialize;

use crate::random::Random;

/// One managed identity.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its application (client) id.
    pub client_id: String,
    /// The object id of its service principal.
    pub object_id: String,
    /// Its place in Azure Resource Manager. For the system-assigned one that of the machine.
    pub resource_id: String,
}

/// A system-assigned identity, a user-assigned one, and one that exists but is not assigned to this machine.
pub(crate) struct Identities {
    pub(crate) system: Identity,
    pub(crate) user: Identity,
    pub(crate) unassigned: Identity,
}

/// Which identity a request names; `None` is the system-assigned one.
#[derive(Default)]
pub(super) struct Named {
    pub(super) client_id: Option<String>,
    pub(super) object_id: Option<String>,
    pub(super) resource_id: Option<String>,
}

/// Why a request names no identity.
pub(super) enum Nobody {
    /// It names more than one thing.
    Ambiguous,
    NotAssigned,
}

impl Identities {
    pub(crate) fn new(random: &mut Random) -> Self {
        let group = format!("/subscriptions/{}/resourceGroups/partner", random.guid());
        let mut identity = |kind: &str, name: &str| Identity {
            client_id: random.guid(),
            object_id: random.guid(),
            resource_id: format!("{group}/providers/{kind}/{name}"),
        };
        Identities {
            system: identity("Microsoft.Compute/virtualMachines", "audit-1"),
            user: identity("Microsoft.ManagedIdentity/userAssignedIdentities", "secure-app"),
            unassigned: identity("Microsoft.ManagedIdentity/userAssignedIdentities", "elsewhere"),
        }
    }

    pub(super) fn find(&self, named: &Named, has_system: bool) -> Result<&Identity, Nobody> {
        let ids = [&named.client_id, &named.object_id, &named.resource_id];
        if ids.into_iter().flatten().count() > 1 {
            return Err(Nobody::Ambiguous);
        }
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(is));
        let assigned = [has_system.then_some(&self.system), Some(&self.user)];
        if ids.into_iter().flatten().next().is_none() {
            return assigned[0].ok_or(Nobody::NotAssigned);
        }
        assigned
            .into_iter()
            .flatten()
            .find(|identity| {
                same(&named.client_id, &identity.client_id)
                    || same(&named.object_id, &identity.object_id)
                    || same(&named.resource_id, &identity.resource_id)
            })
            .ok_or(Nobody::NotAssigned)
    }
}
