//! An application's secrets and certificates ("application: addPassword", "application: removePassword", "Update application").

use serde_json::Value;

use crate::clock::parse_utc_ms;
use crate::keys::Keys;
use crate::reply::{Call, Reply};
use crate::world::World;

use super::super::manage::{body, no_content};
use super::super::page::odata;
use super::super::{error, GraphError};

/// Without an end a secret lives this many seconds: two years.
const LIFE: i64 = 730 * 86_400;

/// Adds a secret and shows its value, now and never again.
pub(super) fn add(world: &World, call: &Call, version: &str, keys: &Keys) -> Result<Reply, GraphError> {
    let given = body(call)?;
    let wanted = given.get("passwordCredential").cloned().unwrap_or_default();
    let now = world.clock.now();
    let moment = |name: &str, usual: i64| match wanted[name].as_str() {
        None => Ok(usual),
        Some(text) => parse_utc_ms(text).map(|ms| ms / 1000).ok_or_else(|| {
            bad(&format!(
                "Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
            ))
        }),
    };
    let starts = moment("startDateTime", now)?;
    let ends = moment("endDateTime", now + LIFE)?;
    if ends <= now.max(starts) {
        return Err(bad(
            "Invalid value specified for property 'endDateTime' of resource 'PasswordCredential'.",
        ));
    }
    let unknown = world.graph.settings().replication;
    let name = wanted["displayName"].as_str().map(str::to_owned);
    let mut shown = keys.add_password(&mut world.random(), name, (starts, ends), unknown);
    world
        .secrets
        .see_client_secret(shown["secretText"].as_str().unwrap_or_default());
    shown["@odata.context"] = format!(
        "{}{version}$metadata#microsoft.graph.passwordCredential",
        world.endpoints.graph
    )
    .into();
    Ok(odata(200, &shown))
}

pub(super) fn remove(call: &Call, keys: &Keys) -> Result<Reply, GraphError> {
    let given = body(call)?;
    let key_id = given.get("keyId").and_then(Value::as_str).unwrap_or_default();
    match keys.remove_password(key_id) {
        true => Ok(no_content()),
        false => Err(bad(&format!("No password credential found with keyId '{key_id}'."))),
    }
}

/// All certificates at once: who leaves one out removes it.
pub(super) fn replace_certificates(world: &World, keys: &Keys, entries: &Value) -> Result<(), GraphError> {
    let entries = entries
        .as_array()
        .ok_or_else(|| bad("Invalid value specified for property 'keyCredentials' of resource 'Application'."))?;
    let unknown = world.graph.settings().replication;
    keys.replace_certificates(entries, &mut world.random(), world.clock.now(), unknown)
        .map_err(|why| {
            bad(&format!(
                "Invalid value specified for property 'key' of resource 'KeyCredential'. {why}"
            ))
        })
}

fn bad(text: &str) -> GraphError {
    error(400, "Request_BadRequest", text)
}
