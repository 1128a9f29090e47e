//! `$batch`: up to 20 requests in one ("Combine multiple HTTP requests using JSON batching"). Faults that answer in the service's
//! place meet the requests inside as well.

use std::collections::HashMap;

use base64::Engine;
use http::header::{HeaderMap, HeaderName, HeaderValue, AUTHORIZATION, CONTENT_TYPE};
use http::Method;
use serde::Deserialize;
use serde_json::{json, Map, Value};

use crate::reply::{self, Call, Reply};
use crate::route;
use crate::world::World;

use super::{error, odata, serve, GraphError};

const LARGEST: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Inner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

pub(super) fn answer(world: &World, call: &Call, version: &str) -> Result<Reply, GraphError> {
    let bad = |text: String| error(400, "BadRequest", text);
    let batch: Batch =
        serde_json::from_slice(&call.body).map_err(|cause| bad(format!("Invalid batch payload format: {cause}")))?;
    if batch.requests.is_empty() || batch.requests.len() > LARGEST {
        return Err(bad(format!(
            "Number of batch request steps exceeds the maximum value of {LARGEST}."
        )));
    }
    if !is_known_pattern(&batch.requests) {
        return Err(bad(
            "Unsupported dependsOn pattern, or an unknown or repeated id.".to_owned()
        ));
    }
    let mut done: HashMap<&str, bool> = HashMap::new();
    let mut responses = Vec::with_capacity(batch.requests.len());
    for inner in &batch.requests {
        let unmet = inner.depends_on.iter().any(|id| done.get(id.as_str()) != Some(&true));
        let response = if unmet {
            failed_dependency(&inner.id)
        } else {
            carry_out(world, call, version, inner)?
        };
        let status = response["status"].as_u64().unwrap_or_default();
        done.insert(&inner.id, (200..300).contains(&status));
        responses.push(response);
    }
    // The service gives no order.
    responses.reverse();
    Ok(odata(200, &json!({ "responses": responses })))
}

/// The patterns that the service's own clients allow: no dependence, each on the one before it, all on the same one.
fn is_known_pattern(requests: &[Inner]) -> bool {
    let position = |id: &String| requests.iter().position(|other| other.id == *id);
    let ids = requests.iter().enumerate().all(|(at, inner)| {
        position(&inner.id) == Some(at)
            && inner
                .depends_on
                .iter()
                .all(|id| position(id).is_some_and(|other| other < at))
    });
    let stated: Vec<&Vec<String>> = requests
        .iter()
        .map(|inner| &inner.depends_on)
        .filter(|ids| !ids.is_empty())
        .collect();
    let same = stated.iter().all(|ids| ids.len() == 1 && *ids == stated[0]);
    let serial = requests
        .windows(2)
        .all(|pair| pair[1].depends_on.len() == 1 && pair[1].depends_on[0] == pair[0].id);
    ids && (same || (serial && requests[0].depends_on.is_empty()))
}

fn carry_out(world: &World, call: &Call, version: &str, inner: &Inner) -> Result<Value, GraphError> {
    let refused = |what: &str| error(400, "BadRequest", format!("The request '{}' {what}.", inner.id));
    let (path, query) = inner.url.split_once('?').unwrap_or((&inner.url, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in &inner.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused("has a bad header"))?;
        headers.insert(
            name,
            HeaderValue::from_str(value).map_err(|_| refused("has a bad header"))?,
        );
    }
    if inner.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        return Err(refused("has a body and no Content-Type header"));
    }
    if let Some(token) = call.headers.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, token.clone());
    }
    let sub = Call {
        service: call.service,
        method: Method::from_bytes(inner.method.as_bytes()).map_err(|_| refused("has no method"))?,
        path: format!("{version}{}", path.trim_start_matches('/')),
        query: query.to_owned(),
        headers,
        body: inner
            .body
            .as_ref()
            .map(|body| body.to_string().into())
            .unwrap_or_default(),
    };
    let instead = world
        .faults
        .take(&sub, &route::label(world, &sub))
        .and_then(|(_, action)| action.instead(&sub));
    Ok(response(&inner.id, &instead.unwrap_or_else(|| serve(world, &sub))))
}

fn response(id: &str, reply: &Reply) -> Value {
    let headers: Map<String, Value> = reply
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    let mut response = json!({"id": id, "status": reply.status().as_u16(), "headers": headers});
    if !reply.body().is_empty() {
        response["body"] = serde_json::from_slice(reply.body())
            .unwrap_or_else(|_| base64::engine::general_purpose::STANDARD.encode(reply.body()).into());
    }
    response
}

fn failed_dependency(id: &str) -> Value {
    let failed = reply::json(
        424,
        &json!({"error": {"code": "FailedDependency", "message": "A request that this one depends on failed."}}),
    );
    response(id, &failed)
}
