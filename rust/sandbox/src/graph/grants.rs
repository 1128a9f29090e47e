//! Delegated permissions that were consented to ("Create oAuth2PermissionGrant", "Update oAuth2PermissionGrant", "List
//! oauth2PermissionGrants").

use http::Method;
use serde_json::{json, Value};

use crate::access::Access;
use crate::consent;
use crate::estate::Tenant;
use crate::registry::{principal_id, Grant};
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

const PERMISSION: &str = "DelegatedPermissionGrant.ReadWrite.All";

/// `rest` is what comes after `oauth2PermissionGrants`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    tenant: &Tenant,
    rest: &str,
) -> Result<Reply, GraphError> {
    let id = rest.trim_start_matches('/');
    match (&call.method, id) {
        (&Method::GET, "") => {
            require_any(access, &["Directory.Read.All", "Directory.ReadWrite.All", PERMISSION])?;
            let all = of_tenant(world, tenant);
            let mut objects: Vec<_> = all.iter().filter_map(|one| shown(one).as_object().cloned()).collect();
            filtered(
                call,
                &["clientId", "consentType", "resourceId"],
                &[],
                &mut objects,
                |one| one,
            )?;
            let found: Vec<Value> = objects.into_iter().map(Value::Object).collect();
            page(
                world,
                call,
                (version, "oauth2PermissionGrants", &["$filter"]),
                SIZES,
                found.len(),
                |range| found[range].to_vec(),
            )
        }
        (&Method::POST, "") => create(world, call, access, version, tenant),
        (&Method::PATCH, id) => {
            administers(world, access, &[PERMISSION])?;
            let given = body(call)?;
            let scope = text(&given, "scope")?.to_owned();
            let all = &mut *write(&world.registry.grants);
            let found = all.iter_mut().find(|one| one.tenant_id == tenant.id && one.id == id);
            found.ok_or_else(|| not_found(id))?.scope = scope;
            Ok(no_content())
        }
        (&Method::DELETE, id) => {
            administers(world, access, &[PERMISSION])?;
            let all = &mut *write(&world.registry.grants);
            let before = all.len();
            all.retain(|one| one.tenant_id != tenant.id || one.id != id);
            match all.len() < before {
                true => Ok(no_content()),
                false => Err(not_found(id)),
            }
        }
        _ => Err(not_allowed()),
    }
}

/// What was consented to for one service principal.
pub(super) fn of_client(world: &World, tenant: &Tenant, client_id: &str) -> Vec<Value> {
    let all = of_tenant(world, tenant);
    all.iter().filter(|one| one.client_id == client_id).map(shown).collect()
}

/// What was made here, and in a customer's tenant what it has consented to of the partner's application.
fn of_tenant(world: &World, tenant: &Tenant) -> Vec<Grant> {
    let mut all: Vec<Grant> = read(&world.registry.grants)
        .iter()
        .filter(|one| one.tenant_id == tenant.id)
        .cloned()
        .collect();
    if world.estate.is_partner(tenant) || world.application.is_absent() {
        return all;
    }
    let client_id = principal_id(world, &tenant.id, &world.application.id);
    for consent in consent::all(world, &tenant.health()) {
        let scopes = world.application.state.granted(&consent.scopes);
        let resource_id = principal_id(world, &tenant.id, consent.resource.application_id());
        all.push(Grant {
            id: format!("{client_id}-{resource_id}"),
            tenant_id: tenant.id.clone(),
            client_id: client_id.clone(),
            resource_id,
            principal_id: None,
            scope: scopes.join(" "),
        });
    }
    all
}

fn create(world: &World, call: &Call, access: &Access, version: &str, tenant: &Tenant) -> Result<Reply, GraphError> {
    administers(world, access, &[PERMISSION])?;
    let given = body(call)?;
    let principal_id = match text(&given, "consentType")? {
        "AllPrincipals" => None,
        "Principal" => Some(text(&given, "principalId")?.to_owned()),
        _ => {
            return Err(bad(
                "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.",
            ))
        }
    };
    let grant = Grant {
        id: world.random().text(43),
        tenant_id: tenant.id.clone(),
        client_id: text(&given, "clientId")?.to_owned(),
        resource_id: text(&given, "resourceId")?.to_owned(),
        principal_id,
        scope: text(&given, "scope")?.to_owned(),
    };
    known(world, tenant, &grant.client_id)?;
    known(world, tenant, &grant.resource_id)?;
    let all = &mut *write(&world.registry.grants);
    let same = |one: &&Grant| {
        (&one.client_id, &one.resource_id, &one.principal_id)
            == (&grant.client_id, &grant.resource_id, &grant.principal_id)
    };
    if all.iter().find(same).is_some() {
        return Err(error(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "Permission entry already exists.",
        ));
    }
    let mut whole = shown(&grant);
    whole["@odata.context"] = format!(
        "{}{version}$metadata#oauth2PermissionGrants/$entity",
        world.endpoints.graph
    )
    .into();
    all.push(grant);
    Ok(odata(201, &whole))
}

fn shown(one: &Grant) -> Value {
    json!({
        "id": one.id,
        "clientId": one.client_id,
        "consentType": if one.principal_id.is_none() { "AllPrincipals" } else { "Principal" },
        "principalId": one.principal_id,
        "resourceId": one.resource_id,
        "scope": one.scope,
    })
}

fn bad(text: &str) -> GraphError {
    error(400, "Request_BadRequest", text)
}
