//! Service principals: made, listed, deleted, and the application roles that they hold.
//!
//! Sources: Microsoft Graph reference, "Create servicePrincipal", "List appRoleAssignments granted to a service principal", "Grant
//! an appRoleAssignment for a service principal", "List memberOf".

use http::Method;
use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::permissions::{self, Kind};
use crate::registry::{principal_id, resource_of, Assignment, Principal};
use crate::reply::{Call, Reply};
use crate::resource::Resource;
use crate::world::{read, write, World};

use super::grants;
use super::manage::{administers, body, no_content, not_allowed, not_found, text};
use super::page::{odata, page, Sizes};
use super::{directory, error, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

const READING: [&str; 4] = [
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// `rest` is what comes after `servicePrincipals`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    tenant: &Tenant,
    rest: &str,
) -> Result<Reply, GraphError> {
    let rest = rest.trim_start_matches('/');
    let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
    match (&call.method, id, action.to_ascii_lowercase().as_str()) {
        (&Method::GET, "", "") => directory::service_principals(world, call, access, version),
        (&Method::POST, "", "") => create(world, call, access, version, tenant),
        (&Method::DELETE, id, "") => {
            administers(world, access, &["Application.ReadWrite.All"])?;
            match world.registry.remove_principal(&tenant.id, id) {
                true => Ok(no_content()),
                false => Err(not_found(id)),
            }
        }
        (&Method::GET, id, "approleassignments") => {
            require_any(access, &READING)?;
            known(world, tenant, id)?;
            let all: Vec<Value> = read(&world.registry.assignments)
                .iter()
                .filter(|one| one.tenant_id == tenant.id && one.principal_id == id)
                .map(|one| shown(world, tenant, one))
                .collect();
            whole(world, call, (version, "appRoleAssignments"), &all)
        }
        (&Method::GET, id, "oauth2permissiongrants") => {
            require_any(access, &READING)?;
            known(world, tenant, id)?;
            let all = grants::of_client(world, tenant, id);
            whole(world, call, (version, "oauth2PermissionGrants"), &all)
        }
        (&Method::GET, id, "memberof") => {
            require_any(access, &READING)?;
            known(world, tenant, id)?;
            let groups: Vec<Value> = read(&world.registry.members)
                .iter()
                .filter(|one| one.principal_id == id)
                .map(|one| json!({"@odata.type": "#microsoft.graph.group", "id": one.group_id}))
                .collect();
            whole(world, call, (version, "directoryObjects"), &groups)
        }
        (&Method::POST, id, "approleassignedto") => assign(world, call, access, version, tenant, id),
        _ => Err(not_allowed()),
    }
}

fn whole(world: &World, call: &Call, (version, name): (&str, &str), all: &[Value]) -> Result<Reply, GraphError> {
    page(world, call, (version, name, &[]), SIZES, all.len(), |range| {
        all[range].to_vec()
    })
}

/// Whether a tenant has this service principal, and the node that is met knows it.
pub(super) fn known(world: &World, tenant: &Tenant, id: &str) -> Result<(), GraphError> {
    let is_there = directory::objects(world, tenant)
        .iter()
        .any(|object| object["@odata.type"] == "#microsoft.graph.servicePrincipal" && object["id"] == id);
    match is_there && world.registry.is_known(id) {
        true => Ok(()),
        false => Err(not_found(id)),
    }
}

/// Of an application of this tenant, of a consented one of another, or of Microsoft's.
fn create(world: &World, call: &Call, access: &Access, version: &str, tenant: &Tenant) -> Result<Reply, GraphError> {
    administers(
        world,
        access,
        &["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"],
    )?;
    let given = body(call)?;
    let application_id = text(&given, "appId")?.to_ascii_lowercase();
    let microsofts = Resource::KNOWN
        .into_iter()
        .find(|one| one.application_id() == application_id);
    let registered = world
        .registry
        .of_tenant(&tenant.id)
        .into_iter()
        .find(|one| one.id == application_id)
        .filter(|one| world.registry.is_known(&one.object_id));
    if microsofts.is_none() && registered.is_none() {
        let text = format!(
            "The appId '{application_id}' of the service principal does not reference a valid application object."
        );
        return Err(error(400, "Request_BadRequest", text));
    }
    let id = principal_id(world, &tenant.id, &application_id);
    let is_there = directory::objects(world, tenant)
        .iter()
        .any(|object| object["id"] == id.as_str());
    if is_there {
        return Err(error(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            format!("The service principal cannot be created, updated, or restored because the service principal name {application_id} is already in use."),
        ));
    }
    if let Some(resource) = microsofts {
        let health = &mut *write(&tenant.health);
        health
            .missing_resources
            .retain(|name| world.resource(name) != Some(resource));
    }
    write(&world.registry.principals).push(Principal {
        tenant_id: tenant.id.clone(),
        application_id,
        id: id.clone(),
    });
    world.registry.hide(&id, world.graph.settings().replication);
    let objects = directory::objects(world, tenant);
    let mut shown: Map<String, Value> = objects
        .into_iter()
        .find(|object| object["id"] == id.as_str())
        .and_then(|object| object.as_object().cloned())
        .unwrap_or_default();
    shown.remove("@odata.type");
    shown.insert(
        "@odata.context".to_owned(),
        context(world, version, "servicePrincipals"),
    );
    Ok(odata(201, &Value::Object(shown)))
}

fn assign(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    tenant: &Tenant,
    resource_id: &str,
) -> Result<Reply, GraphError> {
    administers(world, access, &["AppRoleAssignment.ReadWrite.All"])?;
    let given = body(call)?;
    let assignment = Assignment {
        id: world.random().text(43),
        tenant_id: tenant.id.clone(),
        principal_id: text(&given, "principalId")?.to_owned(),
        resource_id: text(&given, "resourceId")?.to_owned(),
        role_id: text(&given, "appRoleId")?.to_owned(),
    };
    if assignment.resource_id != resource_id {
        return Err(bad(
            "The resourceId of the body is not the service principal's of the address.",
        ));
    }
    known(world, tenant, resource_id)?;
    known(world, tenant, &assignment.principal_id)?;
    let resource = resource_of(world, &tenant.id, resource_id);
    if resource.is_none_or(|one| permissions::name(one, Kind::Role, &assignment.role_id).is_none()) {
        return Err(bad("Permission being assigned was not found on application"));
    }
    let all = &mut *write(&world.registry.assignments);
    let same = |one: &&Assignment| {
        (&one.principal_id, &one.resource_id, &one.role_id)
            == (&assignment.principal_id, &assignment.resource_id, &assignment.role_id)
    };
    if all.iter().find(same).is_some() {
        return Err(bad("Permission being assigned already exists on the object"));
    }
    let mut whole = shown(world, tenant, &assignment);
    whole["@odata.context"] = context(world, version, "appRoleAssignments");
    all.push(assignment);
    Ok(odata(201, &whole))
}

fn shown(world: &World, tenant: &Tenant, one: &Assignment) -> Value {
    let resource = resource_of(world, &tenant.id, &one.resource_id);
    json!({
        "id": one.id,
        "appRoleId": one.role_id,
        "principalId": one.principal_id,
        "principalType": "ServicePrincipal",
        "resourceId": one.resource_id,
        "resourceDisplayName": resource.map(Resource::title),
    })
}

fn context(world: &World, version: &str, name: &str) -> Value {
    format!("{}{version}$metadata#{name}/$entity", world.endpoints.graph).into()
}

fn bad(text: &str) -> GraphError {
    error(400, "Request_BadRequest", text)
}
