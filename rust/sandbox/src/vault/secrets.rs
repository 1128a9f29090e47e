//! Secrets: read, written, changed, listed, deleted softly and recovered.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::reply::{self, Reply};
use crate::world::lock;

use super::error::Refusal;
use super::state::{version_id, Item, Secret, SentAttributes, Settings, Times};
use super::{check_name, Request, LARGEST_VALUE};

#[derive(Deserialize)]
struct SetBody {
    value: Option<String>,
    #[serde(rename = "contentType")]
    content_type: Option<String>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    attributes: Option<SentAttributes>,
}

pub(super) fn serve(request: &Request<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let method = &request.call.method;
    match path {
        [] | [""] if method == Method::GET => list(request),
        [name] if method == Method::GET => get(request, name, ""),
        [name] if method == Method::PUT => set(request, name),
        [name] if method == Method::DELETE => delete(request, name),
        [name, "versions"] if method == Method::GET => versions(request, name),
        [name, version] if method == Method::GET => get(request, name, version),
        [name, version] if method == Method::PATCH => update(request, name, version),
        [name] if method == Method::PATCH => update(request, name, ""),
        _ => unsupported(),
    }
}

fn unsupported() -> Result<Reply, Refusal> {
    Err(Refusal::new(
        405,
        "MethodNotAllowed",
        "The method is not allowed for this resource.",
    ))
}

fn list(request: &Request<'_>) -> Result<Reply, Refusal> {
    let secrets = lock(&request.vault().secrets);
    let entries = secrets
        .values()
        .filter(|item| item.deleted_on.is_none() && item.returning == 0)
        .filter_map(|item| Some(entry(request, item, item.versions.last()?, "")))
        .collect();
    drop(secrets);
    request.page(entries)
}

fn versions(request: &Request<'_>, name: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let secrets = lock(&request.vault().secrets);
    let item = secrets
        .get(&name.to_ascii_lowercase())
        .filter(|item| item.deleted_on.is_none());
    let entries = item.map_or_else(Vec::new, |item| {
        item.versions
            .iter()
            .map(|secret| entry(request, item, secret, &secret.version))
            .collect()
    });
    drop(secrets);
    request.page(entries)
}

fn get(request: &Request<'_>, name: &str, version: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let mut secrets = lock(&request.vault().secrets);
    let missing = || Refusal::not_found("Secret", name);
    let item = secrets.get_mut(&name.to_ascii_lowercase()).ok_or_else(missing)?;
    if item.deleted_on.is_some() || still_returning(item) {
        return Err(missing());
    }
    let secret = find(item, version).ok_or_else(missing)?;
    usable(secret, request.now)?;
    Ok(reply::json(200, &bundle(request, item, secret)))
}

/// A disabled secret, or one whose time has not come, is not read. One that has expired is, unless a certificate is
/// behind it.
fn usable(secret: &Secret, now: i64) -> Result<(), Refusal> {
    if !secret.times.enabled {
        return Err(Refusal::forbidden(
            "Operation get is not allowed on a disabled secret.",
            "SecretDisabled",
        ));
    }
    if secret.times.not_before.is_some_and(|from| from > now) {
        return Err(Refusal::forbidden(
            "Operation get is not allowed on a secret that is not yet valid.",
            "SecretNotYetValid",
        ));
    }
    if secret.kid.is_some() && secret.times.expires.is_some_and(|until| until <= now) {
        return Err(Refusal::forbidden(
            "Operation get is not allowed on an expired secret.",
            "SecretExpired",
        ));
    }
    Ok(())
}

fn set(request: &Request<'_>, name: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let body: SetBody = request.body()?;
    let value = body
        .value
        .ok_or_else(|| Refusal::bad("Property value is required and was not specified."))?;
    if value.len() > LARGEST_VALUE {
        return Err(Refusal::bad(format!(
            "The value has {} bytes; a secret holds {LARGEST_VALUE} at most.",
            value.len()
        )));
    }
    let mut times = Times::new(request.now);
    body.attributes.unwrap_or_default().apply(&mut times);
    let secret = Secret {
        version: version_id(&mut request.world.random()),
        value,
        content_type: body.content_type,
        tags: body.tags.unwrap_or_default(),
        times,
        kid: None,
    };
    let mut secrets = lock(&request.vault().secrets);
    let item = match secrets.get_mut(&name.to_ascii_lowercase()) {
        Some(item) if item.deleted_on.is_some() => {
            return Err(Refusal::new(
                409,
                "Conflict",
                format!(
                    "Secret {} is currently in a deleted but recoverable state, and its name cannot be reused; in this \
                     state, the secret can only be recovered or purged.",
                    item.name
                ),
            )
            .inner("ObjectIsDeletedButRecoverable"))
        }
        Some(item) if item.returning > 0 => {
            item.returning -= 1;
            return Err(Refusal::new(
                409,
                "Conflict",
                format!("Secret {} is currently being recovered.", item.name),
            )
            .inner("ObjectIsBeingRecovered"));
        }
        Some(item) if item.versions.last().is_some_and(|last| last.kid.is_some()) => {
            return Err(Refusal::forbidden(
                "Operation set is not allowed on a secret that a certificate manages.",
                "SecretManaged",
            ))
        }
        Some(item) => {
            item.versions.push(secret.clone());
            item
        }
        None => secrets
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| Item::new(name, secret.clone())),
    };
    Ok(reply::json(200, &bundle(request, item, &secret)))
}

fn update(request: &Request<'_>, name: &str, version: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let body: SetBody = request.body()?;
    let mut secrets = lock(&request.vault().secrets);
    let missing = || Refusal::not_found("Secret", name);
    let item = secrets
        .get_mut(&name.to_ascii_lowercase())
        .filter(|item| item.deleted_on.is_none())
        .ok_or_else(missing)?;
    let at = match version {
        "" => item.versions.len() - 1,
        version => item
            .versions
            .iter()
            .position(|secret| secret.version == version)
            .ok_or_else(missing)?,
    };
    let secret = item.versions.get_mut(at).ok_or_else(missing)?;
    body.attributes.unwrap_or_default().apply(&mut secret.times);
    secret.times.updated = request.now;
    if let Some(content_type) = body.content_type {
        secret.content_type = Some(content_type);
    }
    if let Some(tags) = body.tags {
        secret.tags = tags;
    }
    let secret = secret.clone();
    // The reply to a change never has the value.
    let mut shown = bundle(request, item, &secret);
    if let Value::Object(fields) = &mut shown {
        fields.remove("value");
    }
    Ok(reply::json(200, &shown))
}

fn delete(request: &Request<'_>, name: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let mut secrets = lock(&request.vault().secrets);
    let item = secrets
        .get_mut(&name.to_ascii_lowercase())
        .filter(|item| item.deleted_on.is_none())
        .ok_or_else(|| Refusal::not_found("Secret", name))?;
    item.deleted_on = Some(request.now);
    Ok(reply::json(200, &deleted(request, item)))
}

pub(super) fn serve_deleted(request: &Request<'_>, path: &[&str], settings: &Settings) -> Result<Reply, Refusal> {
    let method = &request.call.method;
    let mut secrets = lock(&request.vault().secrets);
    let key = path.first().copied().unwrap_or_default().to_ascii_lowercase();
    if path.is_empty() && method == Method::GET {
        let entries = secrets
            .values()
            .filter(|item| item.deleted_on.is_some())
            .map(|item| deleted(request, item))
            .collect();
        drop(secrets);
        return request.page(entries);
    }
    let item = secrets
        .get_mut(&key)
        .filter(|item| item.deleted_on.is_some())
        .ok_or_else(|| Refusal::not_found("Secret", &key))?;
    match path {
        [_] if method == Method::GET => Ok(reply::json(200, &deleted(request, item))),
        [_] if method == Method::DELETE => {
            secrets.remove(&key);
            Ok(reply::reply(204, "text/plain", ""))
        }
        [_, "recover"] if method == Method::POST => {
            item.deleted_on = None;
            item.returning = settings.recovery_requests;
            let last = item.versions.last().cloned();
            Ok(reply::json(
                200,
                &last.map_or(Value::Null, |last| entry(request, item, &last, &last.version)),
            ))
        }
        _ => unsupported(),
    }
}

/// True for as long as a recovered secret is not back; each request that asks brings it nearer.
fn still_returning(item: &mut Item<Secret>) -> bool {
    let waiting = item.returning > 0;
    item.returning = item.returning.saturating_sub(1);
    waiting
}

fn find<'a>(item: &'a Item<Secret>, version: &str) -> Option<&'a Secret> {
    match version {
        "" => item.versions.last(),
        version => item
            .versions
            .iter()
            .find(|secret| secret.version.eq_ignore_ascii_case(version)),
    }
}

/// What a list says of a secret: everything but its value. Lists name the latest version without its id.
fn entry(request: &Request<'_>, item: &Item<Secret>, secret: &Secret, version: &str) -> Value {
    let mut entry = json!({
        "id": request.id("secrets", &item.name, version),
        "attributes": secret.times.attributes(),
        "tags": secret.tags,
    });
    if let Some(content_type) = &secret.content_type {
        entry["contentType"] = json!(content_type);
    }
    if secret.kid.is_some() {
        entry["managed"] = json!(true);
    }
    entry
}

fn bundle(request: &Request<'_>, item: &Item<Secret>, secret: &Secret) -> Value {
    let mut bundle = entry(request, item, secret, &secret.version);
    bundle["value"] = json!(secret.value);
    if let Some(kid) = &secret.kid {
        bundle["kid"] = json!(kid);
    }
    bundle
}

fn deleted(request: &Request<'_>, item: &Item<Secret>) -> Value {
    let on = item.deleted_on.unwrap_or_default();
    let last = item.versions.last();
    let mut bundle = last.map_or(Value::Null, |last| entry(request, item, last, &last.version));
    bundle["recoveryId"] = json!(request.id("deletedsecrets", &item.name, ""));
    bundle["deletedDate"] = json!(on);
    bundle["scheduledPurgeDate"] = json!(on + 90 * 86_400);
    bundle
}
