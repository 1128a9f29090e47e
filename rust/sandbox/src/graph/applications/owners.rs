//! Who owns an application ("List owners", "Add owner"). An application that has Application.ReadWrite.OwnedBy alone changes what its own
//! service principal owns, and nothing else ("Microsoft Graph permissions reference").

use serde_json::{json, Value};

use crate::access::Access;
use crate::registry::{principal_id, Registered};
use crate::reply::{Call, Reply};
use crate::world::World;

use super::super::manage::{body, no_content, not_found, text};
use super::super::page::{page, Sizes};
use super::super::principals::known;
use super::super::{error, GraphError};
use super::named::Named;

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

/// Refuses who has to own the application, and does not.
pub(super) fn check(world: &World, access: &Access, owners: &[String]) -> Result<(), GraphError> {
    let must_own = access.user.is_none() && !access.has_role("Application.ReadWrite.All");
    match must_own && !owners.contains(&caller(world, access)) {
        true => Err(error(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )),
        false => Ok(()),
    }
}

/// The service principal of the application that asks.
pub(super) fn caller(world: &World, access: &Access) -> String {
    principal_id(world, &access.tenant_id, &access.application_id)
}

pub(super) fn list(world: &World, call: &Call, version: &str, application: &Named<'_>) -> Result<Reply, GraphError> {
    let owners = application.owners();
    let shown = |id: &String| json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": id});
    let found: Vec<Value> = owners.iter().map(shown).collect();
    let path = format!("applications/{}/owners", application.object_id(world));
    page(
        world,
        call,
        (version, &path, &["$select"]),
        SIZES,
        found.len(),
        |range| found[range].to_vec(),
    )
}

pub(super) fn add(world: &World, call: &Call, application: &Registered) -> Result<Reply, GraphError> {
    let given = body(call)?;
    let reference = text(&given, "@odata.id")?;
    let id = reference.rsplit('/').next().unwrap_or_default();
    let tenant = world
        .estate
        .find(&application.tenant_id)
        .ok_or_else(|| not_found(&application.tenant_id))?;
    known(world, tenant, id)?;
    match application.add_owner(id) {
        true => Ok(no_content()),
        false => Err(error(
            400,
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'owners'.",
        )),
    }
}
