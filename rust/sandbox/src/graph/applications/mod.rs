//! Applications: the partner's own registration, and those that administrators make.
//!
//! Sources: Microsoft Graph reference, "List applications", "Create application", "Get application", "Update application", "Delete
//! application", "List owners", "Add owner", "passwordCredential resource type", "keyCredential resource type".

mod fields;
mod named;
mod owners;
mod secrets;

use http::Method;
use serde_json::{Map, Value};

use crate::access::Access;
use crate::registry::Registered;
use crate::reply::{Call, Reply};
use crate::world::World;

use super::manage::{administers, body, filtered, no_content, not_allowed, selected};
use super::page::{odata, page, Sizes};
use super::{require_any, GraphError};
use named::{changeable, find, Named};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

const WRITING: [&str; 2] = ["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"];

/// `rest` is what comes after `applications`: nothing, `('appId='..')`, `/{id}` or `/{id}/{action}`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    rest: &str,
) -> Result<Reply, GraphError> {
    let (key, action) = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => rest.split_once('/').unwrap_or((rest, "")),
    };
    match (&call.method, key, action.to_ascii_lowercase().as_str()) {
        (&Method::GET, "", "") => list(world, call, access, version),
        (&Method::POST, "", "") => create(world, call, access, version),
        (&Method::GET, key, "") => get(world, call, access, version, key),
        (&Method::PATCH, key, "") => {
            let application = changeable(world, access, key)?;
            let mut change = body(call)?;
            let keys = change.remove("keyCredentials");
            fields::check(&change)?;
            let registered = match change.is_empty() {
                true => None,
                false => Some(application.registered()?),
            };
            if let Some(keys) = keys {
                secrets::replace_certificates(world, application.keys(), &keys)?;
            }
            if let Some(registered) = registered {
                registered.change(change);
            }
            Ok(no_content())
        }
        (&Method::DELETE, key, "") => {
            let application = changeable(world, access, key)?;
            world.registry.remove_application(world, application.registered()?);
            Ok(no_content())
        }
        (&Method::POST, key, "addpassword") => {
            let application = changeable(world, access, key)?;
            secrets::add(world, call, version, application.keys())
        }
        (&Method::POST, key, "removepassword") => {
            let application = changeable(world, access, key)?;
            secrets::remove(call, application.keys())
        }
        (&Method::GET, key, "owners") => {
            may_read(access)?;
            let application = find(world, access, key)?;
            owners::list(world, call, version, &application)
        }
        (&Method::POST, key, "owners/$ref") => {
            let application = changeable(world, access, key)?;
            owners::add(world, call, application.registered()?)
        }
        _ => Err(not_allowed()),
    }
}

fn list(world: &World, call: &Call, access: &Access, version: &str) -> Result<Reply, GraphError> {
    may_read(access)?;
    let now = world.clock.now();
    let mut all: Vec<(String, Map<String, Value>)> = Vec::new();
    if let Some(first) = Named::first(world, access) {
        all.push((first.object_id(world), first.shown(world)));
    }
    for application in world.registry.of_tenant(&access.tenant_id) {
        all.push((application.object_id.clone(), application.shown(now)));
    }
    filtered(
        call,
        &["appId", "displayName", "id"],
        &["tags"],
        &mut all,
        |(_, fields)| fields,
    )?;
    all.retain(|(id, _)| world.registry.is_known(id));
    let found: Vec<Value> = all.into_iter().map(|(_, fields)| chosen(call, fields)).collect();
    page(
        world,
        call,
        (version, "applications", &["$filter", "$select"]),
        SIZES,
        found.len(),
        |range| found[range].to_vec(),
    )
}

fn create(world: &World, call: &Call, access: &Access, version: &str) -> Result<Reply, GraphError> {
    administers(world, access, &WRITING)?;
    let mut given = body(call)?;
    let keys = given.remove("keyCredentials");
    fields::check_new(&given)?;
    let unseen = world.graph.settings().replication;
    let application = world
        .registry
        .add_application(Registered::new(world, &access.tenant_id, given), unseen);
    if let Some(keys) = keys {
        secrets::replace_certificates(world, &application.keys, &keys)?;
    }
    if access.user.is_none() {
        application.add_owner(&owners::caller(world, access));
    }
    let mut shown = application.shown(world.clock.now());
    shown.insert("@odata.context".to_owned(), context(world, version));
    Ok(odata(201, &without_keys(shown)))
}

/// A registration is an object of its own tenant; customers have a service principal.
fn get(world: &World, call: &Call, access: &Access, version: &str, key: &str) -> Result<Reply, GraphError> {
    may_read(access)?;
    let whole = find(world, access, key)?.shown(world);
    let mut shown = Map::new();
    shown.insert("@odata.context".to_owned(), context(world, version));
    shown.extend(chosen(call, whole).as_object().cloned().unwrap_or_default());
    Ok(odata(200, &Value::Object(shown)))
}

fn may_read(access: &Access) -> Result<(), GraphError> {
    // Directory.Read.All is enough for a user's token only.
    require_any(
        access,
        match access.user {
            Some(_) => &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Directory.Read.All",
            ],
            None => &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Application.ReadWrite.OwnedBy",
            ],
        },
    )
}

fn context(world: &World, version: &str) -> Value {
    format!("{}{version}$metadata#applications/$entity", world.endpoints.graph).into()
}

/// What is selected; a certificate's bytes come only to who selects `keyCredentials`.
fn chosen(call: &Call, whole: Map<String, Value>) -> Value {
    match call.parameter("$select") {
        Some(_) => selected(call, whole),
        None => without_keys(whole),
    }
}

fn without_keys(mut whole: Map<String, Value>) -> Value {
    let keys = whole.get_mut("keyCredentials").and_then(Value::as_array_mut);
    for entry in keys.into_iter().flatten() {
        entry["key"] = Value::Null;
    }
    Value::Object(whole)
}
