//! Directory roles: which there are and who holds them ("List roleDefinitions", "List unifiedRoleAssignments", "Create
//! unifiedRoleAssignment").

use http::Method;
use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::registry::RoleAssignment;
use crate::reply::{Call, Reply};
use crate::world::{read, write, World};

use super::manage::{administers, body, filtered, no_content, not_allowed, not_found, text};
use super::page::{odata, page, Sizes};
use super::principals::known;
use super::{error, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

const READING: [&str; 3] = [
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
];
const WRITING: [&str; 1] = ["RoleManagement.ReadWrite.Directory"];

/// The ids are those of the roles' templates, the same in every tenant ("Microsoft Entra built-in roles").
const DEFINITIONS: [(&str, &str); 16] = [
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Cloud Application Administrator",
    ),
    ("17315797-102d-40b4-93e0-432062caca18", "Compliance Administrator"),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    (
        "31392ffb-586c-42d1-9346-e59415a2cc4e",
        "Exchange Recipient Administrator",
    ),
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
];

/// The id of the role of that name.
pub(super) fn id(name: &str) -> Option<&'static str> {
    let known = DEFINITIONS.iter().find(|(_, known)| *known == name);
    known.map(|(id, _)| *id)
}

/// `rest` is what comes after `roleManagement/directory/`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    tenant: &Tenant,
    rest: &str,
) -> Result<Reply, GraphError> {
    let (collection, id) = rest.split_once('/').unwrap_or((rest, ""));
    match (&call.method, collection.to_ascii_lowercase().as_str(), id) {
        (&Method::GET, "roledefinitions", "") => {
            require_any(access, &READING)?;
            let all = DEFINITIONS.iter().map(|(id, name)| {
                json!({"id": id, "templateId": id, "displayName": name, "isBuiltIn": true, "isEnabled": true})
            });
            list(
                world,
                call,
                (version, "roleManagement/directory/roleDefinitions"),
                &["displayName", "id"],
                all,
            )
        }
        (&Method::GET, "roleassignments", "") => {
            require_any(access, &READING)?;
            let held: Vec<Value> = read(&world.registry.roles)
                .iter()
                .filter(|one| one.tenant_id == tenant.id)
                .map(shown)
                .collect();
            let fields = ["principalId", "roleDefinitionId"];
            list(
                world,
                call,
                (version, "roleManagement/directory/roleAssignments"),
                &fields,
                held.into_iter(),
            )
        }
        (&Method::POST, "roleassignments", "") => assign(world, call, access, version, tenant),
        (&Method::DELETE, "roleassignments", id) => {
            administers(world, access, &WRITING)?;
            let all = &mut *write(&world.registry.roles);
            let before = all.len();
            all.retain(|one| one.id != id || one.tenant_id != tenant.id);
            match all.len() < before {
                true => Ok(no_content()),
                false => Err(not_found(id)),
            }
        }
        _ => Err(not_allowed()),
    }
}

fn list(
    world: &World,
    call: &Call,
    (version, path): (&str, &str),
    fields: &[&str],
    all: impl Iterator<Item = Value>,
) -> Result<Reply, GraphError> {
    let mut objects: Vec<Map<String, Value>> = all.filter_map(|one| one.as_object().cloned()).collect();
    filtered(call, fields, &[], &mut objects, |one| one)?;
    let found: Vec<Value> = objects.into_iter().map(Value::Object).collect();
    page(
        world,
        call,
        (version, path, &["$filter"]),
        SIZES,
        found.len(),
        |range| found[range].to_vec(),
    )
}

fn assign(world: &World, call: &Call, access: &Access, version: &str, tenant: &Tenant) -> Result<Reply, GraphError> {
    administers(world, access, &WRITING)?;
    let given = body(call)?;
    let assignment = RoleAssignment {
        id: world.random().text(43),
        tenant_id: tenant.id.clone(),
        principal_id: text(&given, "principalId")?.to_owned(),
        definition_id: text(&given, "roleDefinitionId")?.to_owned(),
    };
    if text(&given, "directoryScopeId")? != "/" {
        return Err(error(
            400,
            "Request_BadRequest",
            "The specified directory scope is not supported.",
        ));
    }
    if !DEFINITIONS.iter().any(|(id, _)| *id == assignment.definition_id) {
        return Err(not_found(&assignment.definition_id));
    }
    known(world, tenant, &assignment.principal_id)?;
    let all = &mut *write(&world.registry.roles);
    let same = |one: &&RoleAssignment| {
        (&one.principal_id, &one.definition_id) == (&assignment.principal_id, &assignment.definition_id)
    };
    if all.iter().find(same).is_some() {
        return Err(error(
            400,
            "Request_BadRequest",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ));
    }
    let mut whole = shown(&assignment);
    whole["@odata.context"] = format!(
        "{}{version}$metadata#roleManagement/directory/roleAssignments/$entity",
        world.endpoints.graph
    )
    .into();
    all.push(assignment);
    Ok(odata(201, &whole))
}

fn shown(one: &RoleAssignment) -> Value {
    json!({
        "id": one.id,
        "principalId": one.principal_id,
        "roleDefinitionId": one.definition_id,
        "directoryScopeId": "/",
    })
}
