//! A batch on its way out, and what comes back of it.

use super::Item;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::http::{authorized, parse_retry_after, Refusal, Reply};
use crate::json;
use crate::rest::{Ask, Headers};
use crate::token::TokenRequest;
use crate::value::Value;
use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use url::Url;

/// How often one request is sent again that was told to wait.
const MOST_REPEATS: u32 = 10;
/// The longest wait that is taken at its word.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Each request that has its answer, a success as its status, headers and body.
    pub(crate) answers: Vec<(Item, Result<Value>)>,
    /// Those to be sent again, after this wait.
    pub(crate) again: Vec<Item>,
    pub(crate) wait: Duration,
}

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    responses: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    id: String,
    status: u16,
    /// Values are texts; what else may come is left alone.
    #[serde(default)]
    headers: Option<HashMap<String, serde_json::Value>>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// Sends a batch and reads its answers. A failure of the whole is each request's.
pub(crate) async fn send(engine: &Engine, token: &TokenRequest, url: &Url, batch: Vec<Item>) -> Outcome {
    match exchange(engine, token, url, &batch).await {
        Ok(reply) => read(&reply, batch, engine.first_wait()),
        Err(error) => Outcome::failed(batch, &error),
    }
}

impl Outcome {
    /// That of a batch which failed as a whole.
    pub(crate) fn failed(batch: Vec<Item>, error: &Error) -> Self {
        Outcome {
            answers: batch.into_iter().map(|item| (item, Err(error.clone()))).collect(),
            ..Outcome::default()
        }
    }
}

async fn exchange(engine: &Engine, token: &TokenRequest, url: &Url, batch: &[Item]) -> Result<Reply> {
    let ask = Ask {
        method: Method::POST,
        headers: Headers::default(),
        body: Some(Bytes::from(text(batch)?)),
    };
    let is_safe = batch.iter().all(|item| item.method.is_safe());
    let reply = authorized(engine, token, ask.spec(url, token)?.repeatable(is_safe)).await?;
    if reply.is_success() {
        return Ok(reply);
    }
    Err(reply.error("accept a batch of requests"))
}

/// The batch as JSON, bodies as they were given.
fn text(batch: &[Item]) -> Result<String> {
    let quoted =
        |text: &str| serde_json::to_string(text).map_err(|cause| Error::internal(format!("a text as JSON: {cause}")));
    let mut requests = Vec::with_capacity(batch.len());
    for item in batch {
        let mut fields = vec![
            format!("\"id\":{}", quoted(&item.id)?),
            format!("\"method\":{}", quoted(item.method.as_str())?),
            format!("\"url\":{}", quoted(&item.url)?),
        ];
        if !item.depends_on.is_empty() {
            let ids: Result<Vec<_>> = item.depends_on.iter().map(|id| quoted(id)).collect();
            fields.push(format!("\"dependsOn\":[{}]", ids?.join(",")));
        }
        let mut headers = Vec::new();
        for (name, value) in item.headers.texts() {
            headers.push(format!("{}:{}", quoted(name)?, quoted(value)?));
        }
        if let Some(body) = &item.body {
            if !item.headers.has("content-type") {
                headers.push("\"content-type\":\"application/json\"".to_owned());
            }
            fields.push(format!("\"body\":{body}"));
        }
        if !headers.is_empty() {
            fields.push(format!("\"headers\":{{{}}}", headers.join(",")));
        }
        requests.push(format!("{{{}}}", fields.join(",")));
    }
    Ok(format!("{{\"requests\":[{}]}}", requests.join(",")))
}

/// `first_wait` is the wait where the service names none, for the first time.
fn read(reply: &Reply, batch: Vec<Item>, first_wait: Duration) -> Outcome {
    let answers: Answers<'_> = match reply.json() {
        Ok(answers) => answers,
        Err(error) => return Outcome::failed(batch, &error),
    };
    let parts: HashMap<&str, &Part<'_>> = answers.responses.iter().map(|part| (part.id.as_str(), part)).collect();
    let mut outcome = Outcome::default();
    let waits: HashMap<String, Duration> = batch
        .iter()
        .filter_map(|item| Some((item.id.clone(), parts.get(item.id.as_str())?.wait(item, first_wait)?)))
        .collect();
    // What depends on one that comes again was not carried out, and comes again with it.
    let mut again: Vec<String> = waits.keys().cloned().collect();
    for item in &batch {
        let is_unmet = parts.get(item.id.as_str()).is_some_and(|part| part.status == 424);
        if is_unmet && item.depends_on.iter().any(|id| again.contains(id)) {
            again.push(item.id.clone());
        }
    }
    outcome.wait = waits.values().max().copied().unwrap_or_default();
    for mut item in batch {
        if again.contains(&item.id) {
            item.repeats += u32::from(waits.contains_key(&item.id));
            outcome.again.push(item);
            continue;
        }
        let answer = match parts.get(item.id.as_str()) {
            Some(part) => part.answer(&item, reply.authority()),
            None => Err(unanswered(&item, reply.authority())),
        };
        outcome.answers.push((item, answer));
    }
    outcome
}

impl Part<'_> {
    fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers.as_ref()?;
        let (_, value) = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(&self.header("retry-after")?, SystemTime::now())
    }

    /// How long to wait before this request is sent again; `None` where its answer stands.
    fn wait(&self, item: &Item, first: Duration) -> Option<Duration> {
        let may_change = match self.status {
            429 | 503 => true,
            500 | 502 | 504 => item.method.is_safe(),
            _ => false,
        };
        if !may_change || item.repeats >= MOST_REPEATS {
            return None;
        }
        let wait = self.retry_after().unwrap_or(first * 2u32.pow(item.repeats.min(6)));
        (wait <= LONGEST_WAIT).then_some(wait)
    }

    fn answer(&self, item: &Item, authority: &str) -> Result<Value> {
        let body = self.body.map(RawValue::get);
        if !(200..300).contains(&self.status) {
            let refusal = Refusal {
                authority,
                status: self.status,
                body: body.unwrap_or_default().as_bytes(),
                header: &|name| self.header(name),
                retry_after: self.retry_after(),
            };
            return Err(refusal.error(&format!("accept {}", item.title())));
        }
        let headers = self.headers.iter().flatten().map(|(name, _)| {
            let value = self.header(name).unwrap_or_default();
            (name.clone().into(), Value::Text(value))
        });
        let body = body.map(json::parse).transpose()?;
        Ok(Value::map()
            .with("status", i64::from(self.status))
            .with("headers", Value::Map(headers.collect()))
            .with("body", body))
    }
}

#[cold]
fn unanswered(item: &Item, authority: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("{authority} answered a batch without a word on {}", item.title()),
    )
    .advise("Look whether it was carried out before you send it again.")
}
