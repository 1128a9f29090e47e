//! The users of a tenant: listed, read and changed ("List users", "Get a user", "Update user").

use std::collections::HashMap;
use std::sync::Mutex;

use http::Method;
use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::random::Random;
use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

use super::page::{odata, page, Sizes};
use super::{error, require, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

const NAMES: [&str; 12] = [
    "Adele Vance",
    "Alex Wilber",
    "Christie Cline",
    "Debra Berger",
    "Diego Siciliani",
    "Grady Archie",
    "Henrietta Mueller",
    "Isaiah Langer",
    "Johanna Lorenz",
    "Lee Gu",
    "Megan Bowen",
    "Patti Fernandez",
];

/// What can be changed of a user here.
const CHANGEABLE: [&str; 4] = ["accountEnabled", "department", "displayName", "jobTitle"];

/// What was changed, by the users' ids.
#[derive(Default)]
pub(super) struct Changes(Mutex<HashMap<String, Map<String, Value>>>);

pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    name: Option<&str>,
) -> Result<Reply, GraphError> {
    let tenant = world
        .estate
        .find(&access.tenant_id)
        .ok_or_else(|| error(404, "ResourceNotFound", "There is no such organization."))?;
    let insufficient = "Insufficient privileges to complete the operation.";
    match (&call.method, name) {
        (&Method::GET, None) => {
            require(access, "Directory.Read.All", insufficient)?;
            page(
                world,
                call,
                (version, "users", &["$select"]),
                SIZES,
                NAMES.len(),
                |range| range.map(|at| user(world, tenant, at)).collect(),
            )
        }
        (&Method::GET, Some(name)) => {
            require(access, "Directory.Read.All", insufficient)?;
            Ok(odata(200, &found(world, tenant, name)?))
        }
        (&Method::PATCH, Some(name)) => {
            require(access, "User.ReadWrite.All", insufficient)?;
            let user = found(world, tenant, name)?;
            let bad = |text: String| error(400, "Request_BadRequest", text);
            let change: Map<String, Value> = serde_json::from_slice(&call.body)
                .map_err(|_| bad("Unable to read JSON request payload.".to_owned()))?;
            if let Some(name) = change.keys().find(|name| !CHANGEABLE.contains(&name.as_str())) {
                return Err(bad(format!(
                    "The property '{name}' does not exist on type 'user' or cannot be changed."
                )));
            }
            let id = user["id"].as_str().unwrap_or_default().to_owned();
            lock(&world.graph.users.0).entry(id).or_default().extend(change);
            Ok(reply::reply(204, "text/plain", ""))
        }
        _ => Err(error(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )),
    }
}

/// The users of a tenant, as they are now.
pub(crate) fn all(world: &World, tenant: &Tenant) -> Vec<Value> {
    (0..NAMES.len()).map(|at| user(world, tenant, at)).collect()
}

fn found(world: &World, tenant: &Tenant, name: &str) -> Result<Value, GraphError> {
    let is_named = |user: &Value, field: &str| user[field].as_str().is_some_and(|text| text.eq_ignore_ascii_case(name));
    all(world, tenant)
        .into_iter()
        .find(|user| is_named(user, "id") || is_named(user, "userPrincipalName"))
        .ok_or_else(|| {
            let text = format!(
                "Resource '{name}' does not exist or one of its queried reference-property objects are not present."
            );
            error(404, "Request_ResourceNotFound", text)
        })
}

fn user(world: &World, tenant: &Tenant, at: usize) -> Value {
    let id = Random::at(world.options.seed, &tenant.id, 1000 + at as u64).guid();
    let account = NAMES[at].to_ascii_lowercase().replace(' ', ".");
    let mut user = json!({
        "id": id,
        "displayName": NAMES[at],
        "userPrincipalName": format!("{account}@{}", tenant.default_domain),
        "accountEnabled": true,
        "jobTitle": null,
        "department": null,
    });
    if let (Some(change), Value::Object(fields)) = (lock(&world.graph.users.0).get(&id), &mut user) {
        fields.extend(change.clone());
    }
    user
}
