//! What may stand in an application's properties.

use serde_json::{Map, Value};

use crate::random::is_guid;

use super::super::{error, GraphError};

const AUDIENCES: [&str; 4] = [
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
];

const KNOWN: [&str; 9] = [
    "displayName",
    "isFallbackPublicClient",
    "notes",
    "publicClient",
    "requiredResourceAccess",
    "signInAudience",
    "spa",
    "tags",
    "web",
];

/// Checks a new application's properties.
pub(super) fn check_new(fields: &Map<String, Value>) -> Result<(), GraphError> {
    if !fields.get("displayName").is_some_and(Value::is_string) {
        return Err(bad("Property displayName is required."));
    }
    check(fields)
}

/// Checks properties that are set.
pub(super) fn check(fields: &Map<String, Value>) -> Result<(), GraphError> {
    if fields.contains_key("passwordCredentials") {
        return Err(bad("New password credentials must be generated with service actions."));
    }
    if let Some(name) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(bad(&format!(
            "Invalid property '{name}'. The property does not exist on type 'application' or cannot be set."
        )));
    }
    let blank = |name: &Value| {
        name.as_str()
            .is_none_or(|name| name.trim().is_empty() || name.len() > 256)
    };
    if fields.get("displayName").is_some_and(blank) {
        return Err(bad(
            "Invalid value specified for property 'displayName' of resource 'Application'.",
        ));
    }
    let audience = fields
        .get("signInAudience")
        .map(|audience| audience.as_str().unwrap_or_default());
    if audience.is_some_and(|audience| !AUDIENCES.contains(&audience)) {
        return Err(bad(
            "Invalid value specified for property 'signInAudience' of resource 'Application'.",
        ));
    }
    for platform in ["web", "publicClient", "spa"] {
        let uris = fields.get(platform).map(|platform| &platform["redirectUris"]);
        let good = |uri: &Value| uri.as_str().is_some_and(|uri| url::Url::parse(uri).is_ok());
        if uris
            .and_then(Value::as_array)
            .is_some_and(|uris| !uris.iter().all(good))
        {
            return Err(bad(&format!(
                "Invalid value specified for property 'redirectUris' of resource '{platform}'."
            )));
        }
    }
    match fields.get("requiredResourceAccess") {
        Some(required) if !is_required_access(required) => Err(bad(
            "Invalid value specified for property 'requiredResourceAccess' of resource 'Application'.",
        )),
        _ => Ok(()),
    }
}

fn is_required_access(value: &Value) -> bool {
    let id = |value: &Value| value.as_str().is_some_and(is_guid);
    let access = |one: &Value| id(&one["id"]) && matches!(one["type"].as_str(), Some("Role" | "Scope"));
    let resource = |one: &Value| {
        id(&one["resourceAppId"])
            && one["resourceAccess"]
                .as_array()
                .is_some_and(|list| !list.is_empty() && list.iter().all(access))
    };
    value.as_array().is_some_and(|list| list.iter().all(resource))
}

fn bad(text: &str) -> GraphError {
    error(400, "Request_BadRequest", text)
}
