//! Microsoft Graph's JSON batches: up to 20 requests in one, each with an answer of its own ("Combine multiple HTTP requests
//! using JSON batching").

mod queue;
mod wire;

pub(crate) use queue::Queue;
pub(crate) use wire::{send, Outcome};

use super::{method, Headers};
use crate::error::{Error, Result};
use crate::request::Request;
use reqwest::Method;
use serde::de::IgnoredAny;

/// The most requests of one batch.
pub(crate) const LARGEST: usize = 20;

/// One request of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its number in the operation's input.
    pub(crate) number: i64,
    /// By which its answer, and those that depend on it, know it.
    pub(crate) id: String,
    pub(crate) method: Method,
    /// Relative to the version: `/users/adele`.
    pub(crate) url: String,
    headers: Headers,
    /// JSON text.
    body: Option<String>,
    pub(crate) depends_on: Vec<String>,
    /// How often it was told to wait.
    pub(crate) repeats: u32,
}

impl Item {
    /// Reads `id`, `method`, `url`, `headers`, `body` (JSON text) and `dependsOn`.
    pub(crate) fn read(request: &Request, number: i64) -> Result<Self> {
        let url = request.text("url")?.trim();
        if !url.starts_with('/') || url.starts_with("//") {
            return Err(
                Error::invalid("a batch's request has no url that is relative to the version")
                    .advise("Give each a url such as /users/adele@contoso.com."),
            );
        }
        let id = match request.opt_text("id")?.map(str::trim) {
            None | Some("") => number.to_string(),
            Some(id) => id.to_owned(),
        };
        let method = match request.opt_text("method")? {
            None => Method::GET,
            Some(name) => self::method(name)?,
        };
        let headers = Headers::read(request.texts("headers")?)?;
        let body = request
            .opt_text("body")?
            .map(|body| content(body, &headers))
            .transpose()?;
        if body.is_some() && method == Method::GET {
            return Err(
                Error::invalid(format!("the request {id} of the batch is a GET with a body"))
                    .advise("Name its method, for example POST or PATCH."),
            );
        }
        Ok(Item {
            number,
            id,
            method,
            url: url.to_owned(),
            headers,
            body,
            depends_on: request.texts("dependsOn")?.to_vec(),
            repeats: 0,
        })
    }

    /// For errors and a person, without the query.
    pub(crate) fn title(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        format!("{} {path}", self.method)
    }
}

/// A body as it stands in a batch: JSON as it is, anything else (which is Base64) as a text.
fn content(body: &str, headers: &Headers) -> Result<String> {
    let is_json = headers.get("content-type").is_none_or(|kind| kind.contains("json"));
    if !is_json {
        return serde_json::to_string(body).map_err(|cause| Error::internal(format!("a text as JSON: {cause}")));
    }
    match serde_json::from_str::<IgnoredAny>(body) {
        Ok(_) => Ok(body.to_owned()),
        Err(cause) => Err(Error::invalid(format!(
            "the body of a batch's request is not JSON (line {}, column {})",
            cause.line(),
            cause.column()
        ))
        .advise("Give an object, which is made JSON of, or JSON text.")),
    }
}
