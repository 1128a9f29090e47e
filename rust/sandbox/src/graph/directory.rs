//! The objects of a directory: by their ids, and service principals by a filter.
//!
//! Sources: Microsoft Graph reference, "directoryObject: getByIds", "List servicePrincipals", "Use the $filter query parameter".

use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::consent;
use crate::estate::Tenant;
use crate::permissions;
use crate::random::{is_guid, Random};
use crate::reply::{Call, Reply};
use crate::resource::Resource;
use crate::users;
use crate::world::World;

use super::page::{odata, page, Sizes};
use super::{error, require, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};
const MOST_BY_ID: usize = 1000;
const MOST_IN_FILTER: usize = 15;
/// The tenant that most of Microsoft's applications are registered in.
const MICROSOFT_SERVICES: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Microsoft's applications that every tenant has service principals of; the last one only partners have.
const MICROSOFTS: [Resource; 5] = [
    Resource::Graph,
    Resource::AadGraph,
    Resource::Outlook,
    Resource::Manage,
    Resource::PartnerCenter,
];

/// Everything that can be looked up in a tenant, each with its `@odata.type`. An object's id is its tenant's own.
pub(crate) fn objects(world: &World, tenant: &Tenant) -> Vec<Value> {
    let seed = world.options.seed;
    let id = |what: &str| Random::at(seed, &format!("{} {what}", tenant.id), 7).guid();
    let is_partner = world.estate.is_partner(tenant);
    let service_principal = |app_id: &str, name: &str, owner: &str, kind: &str| {
        json!({
            "@odata.type": "#microsoft.graph.servicePrincipal",
            "id": id(app_id),
            "appId": app_id,
            "displayName": name,
            "servicePrincipalType": kind,
            "appOwnerOrganizationId": owner,
        })
    };
    let missing = tenant.health().missing_resources;
    let is_missing = |resource: Resource| missing.iter().any(|name| world.resource(name) == Some(resource));
    let microsofts = |resource: Resource| {
        let mut object = service_principal(
            resource.application_id(),
            resource.title(),
            MICROSOFT_SERVICES,
            "Application",
        );
        object["appRoles"] = permissions::app_roles(resource);
        object["oauth2PermissionScopes"] = permissions::scopes(resource);
        object
    };
    let mut objects: Vec<Value> = MICROSOFTS
        .into_iter()
        .filter(|resource| is_partner || *resource != Resource::PartnerCenter)
        .filter(|resource| !is_missing(*resource))
        .map(microsofts)
        .collect();
    if !is_partner && !world.application.is_absent() {
        // Consent to an API makes its service principal.
        let consents = consent::all(world, &tenant.health());
        let further = consents.into_iter().map(|consent| consent.resource);
        let further: Vec<Value> = further
            .filter(|resource| !MICROSOFTS.contains(resource) || *resource == Resource::PartnerCenter)
            .filter(|resource| !is_missing(*resource))
            .map(microsofts)
            .collect();
        objects.extend(further);
    }
    // One that somebody has consented to, as users do, and one that stands for a machine.
    let other = Random::at(seed, "someone else's application", 0).guid();
    objects.push(service_principal(
        &other,
        "Contoso Timesheets",
        &Random::at(seed, "someone else", 0).guid(),
        "Application",
    ));
    objects.push(service_principal(
        &id("managed identity"),
        "vm-backup",
        &tenant.id,
        "ManagedIdentity",
    ));
    for principal in world.registry.principals_of(&tenant.id) {
        if objects.iter().any(|object| object["id"] == principal.id.as_str()) {
            continue;
        }
        let resource = Resource::KNOWN
            .into_iter()
            .find(|one| one.application_id() == principal.application_id);
        objects.extend(resource.map(microsofts));
        objects.extend(world.registry.application(&principal.application_id).map(|registered| {
            let name = registered.display_name();
            service_principal(&registered.id, &name, &registered.tenant_id, "Application")
        }));
    }
    for registered in world.registry.of_tenant(&tenant.id) {
        objects.push(json!({
            "@odata.type": "#microsoft.graph.application",
            "id": registered.object_id,
            "appId": registered.id,
            "displayName": registered.display_name(),
        }));
    }
    let application = &world.application;
    if tenant.health().service_principal && !application.is_absent() {
        objects.push(service_principal(
            &application.id,
            application.display_name,
            &world.estate.partner.id,
            "Application",
        ));
    }
    if is_partner && !application.is_absent() {
        objects.push(json!({
            "@odata.type": "#microsoft.graph.application",
            "id": Random::at(seed, &application.id, 5).guid(),
            "appId": application.id,
            "displayName": application.display_name,
        }));
    }
    if is_partner {
        objects.push(
            json!({"@odata.type": "#microsoft.graph.group", "id": id("AdminAgents"), "displayName": "AdminAgents"}),
        );
    }
    let names: Vec<String> = match is_partner {
        true => users::partner_users(&world.estate, seed)
            .into_iter()
            .map(|user| user.user_principal_name)
            .collect(),
        false => vec![format!("admin@{}", tenant.default_domain)],
    };
    for name in names {
        objects.push(json!({
            "@odata.type": "#microsoft.graph.user",
            "id": world.user_of(&name, true).object_id,
            "displayName": name.split('@').next().unwrap_or_default(),
            "userPrincipalName": name,
        }));
    }
    objects
}

/// `POST /directoryObjects/getByIds`: what is nothing here is left out.
pub(super) fn get_by_ids(world: &World, call: &Call, access: &Access, version: &str) -> Result<Reply, GraphError> {
    require(
        access,
        "Directory.Read.All",
        "Insufficient privileges to complete the operation.",
    )?;
    let bad = |text: String| error(400, "Request_BadRequest", text);
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| bad("Unable to read JSON request payload.".to_owned()))?;
    let ids: Vec<&str> = body["ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if ids.is_empty() {
        return Err(bad("Must specify at least one id.".to_owned()));
    }
    if ids.len() > MOST_BY_ID {
        return Err(bad(format!("The request contains more than {MOST_BY_ID} ids.")));
    }
    if let Some(id) = ids.iter().find(|id| !is_guid(id)) {
        return Err(bad(format!("Invalid GUID:{id}")));
    }
    let found: Vec<Value> = own_objects(world, access)
        .into_iter()
        .filter(|object| {
            ids.iter()
                .any(|id| object["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)))
        })
        .collect();
    let context = format!("{}{version}$metadata#directoryObjects", world.endpoints.graph);
    Ok(odata(200, &json!({"@odata.context": context, "value": found})))
}

/// `GET /servicePrincipals`, all of them or by `appId` or `id`.
pub(super) fn service_principals(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
) -> Result<Reply, GraphError> {
    require_any(
        access,
        &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    )?;
    let mut found = own_objects(world, access);
    found.retain(|object| object["@odata.type"] == "#microsoft.graph.servicePrincipal");
    if let Some(filter) = call.parameter("$filter") {
        let (field, values) = read_filter(&filter)?;
        found.retain(|object| {
            let own = object[field].as_str().unwrap_or_default();
            values.iter().any(|value| value.eq_ignore_ascii_case(own))
        });
        found.retain(|object| world.registry.is_known(object["id"].as_str().unwrap_or_default()));
    }
    let selected = call.parameter("$select");
    for object in &mut found {
        let whole = std::mem::take(object);
        let fields: Map<String, Value> = whole.as_object().cloned().unwrap_or_default();
        let is_wanted = |name: &str| match &selected {
            Some(names) => names.split(',').any(|other| other.trim() == name),
            None => true,
        };
        // The type is not said where all have the same.
        *object = fields
            .into_iter()
            .filter(|(name, _)| name != "@odata.type" && is_wanted(name))
            .collect();
    }
    page(
        world,
        call,
        (version, "servicePrincipals", &["$filter", "$select"]),
        SIZES,
        found.len(),
        |range| found[range].to_vec(),
    )
}

fn own_objects(world: &World, access: &Access) -> Vec<Value> {
    world
        .estate
        .find(&access.tenant_id)
        .map(|tenant| objects(world, tenant))
        .unwrap_or_default()
}

/// `appId eq 'a'` or `appId in ('a','b')`.
fn read_filter(filter: &str) -> Result<(&'static str, Vec<String>), GraphError> {
    let unsupported = || {
        error(
            400,
            "Request_UnsupportedQuery",
            "Unsupported or invalid query filter clause specified.",
        )
    };
    let (name, rest) = filter.trim().split_once(' ').ok_or_else(unsupported)?;
    let field = ["appId", "id"]
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(unsupported)?;
    let (operator, rest) = rest.trim().split_once(' ').ok_or_else(unsupported)?;
    let list = match operator {
        "eq" => rest.trim(),
        "in" => rest
            .trim()
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .ok_or_else(unsupported)?,
        _ => return Err(unsupported()),
    };
    let quoted = |text: &str| text.trim().strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
    let values: Option<Vec<String>> = list.split(',').map(quoted).collect();
    let values = values.ok_or_else(unsupported)?;
    if values.len() > MOST_IN_FILTER {
        let text = format!("Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: {MOST_IN_FILTER}.", values.len());
        return Err(error(400, "Request_UnsupportedQuery", text));
    }
    Ok((field, values))
}
