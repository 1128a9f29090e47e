//! The application's own registration: which secrets and certificates it has, and when they end.
//!
//! Sources: Microsoft Graph reference, "Get application", "passwordCredential resource type", "keyCredential resource type".

use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::random::Random;
use crate::reply::{Call, Reply};
use crate::world::World;

use super::page::odata;
use super::{error, require_any, GraphError};

/// Finds the id in `applications(appId='..')`; `path` is in lower case.
pub(super) fn application_id(path: &str) -> Option<&str> {
    path.strip_prefix("applications(appid='")?.strip_suffix("')")
}

/// `GET /applications(appId='..')`. A registration is an object of its own tenant; customers have a service principal.
pub(super) fn get(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    application_id: &str,
) -> Result<Reply, GraphError> {
    // Directory.Read.All is enough for a user's token only.
    let enough = match access.user {
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
    };
    require_any(access, enough)?;
    let application = &world.application;
    if access.tenant_id != world.estate.partner.id || application_id != application.id {
        return Err(error(
            404,
            "Request_ResourceNotFound",
            format!("Resource '{application_id}' does not exist or one of its queried reference-property objects are not present."),
        ));
    }
    let whole = json!({
        "id": Random::at(world.options.seed, &application.id, 5).guid(),
        "appId": application.id,
        "displayName": application.display_name,
        "signInAudience": "AzureADMultipleOrgs",
        "keyCredentials": application.keys.shown(),
        "passwordCredentials": application.keys.shown_secrets(world.clock.now()),
    });
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        format!("{}{version}$metadata#applications/$entity", world.endpoints.graph).into(),
    );
    let selected = call.parameter("$select");
    for (name, mut value) in whole.as_object().cloned().unwrap_or_default() {
        match &selected {
            Some(names) if !names.split(',').any(|other| other.trim().eq_ignore_ascii_case(&name)) => continue,
            Some(_) => {}
            None => without_keys(&mut value),
        }
        body.insert(name, value);
    }
    Ok(odata(200, &Value::Object(body)))
}

/// A certificate's bytes come only to who selects `keyCredentials`.
fn without_keys(value: &mut Value) {
    for entry in value.as_array_mut().into_iter().flatten() {
        if let Some(key) = entry.get_mut("key") {
            *key = Value::Null;
        }
    }
}
