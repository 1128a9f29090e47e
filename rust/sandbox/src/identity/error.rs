//! Error replies of the identity platform: JSON with `error`, sometimes `suberror`, and a text that starts with an AADSTS
//! code (Microsoft Entra documentation, "Microsoft Entra authentication and authorization error codes").

use http::header::{HeaderName, CACHE_CONTROL, PRAGMA};
use serde::Serialize;

use crate::clock::identity_timestamp;
use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::world::World;

/// Why the identity platform says no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    status: u16,
    error: &'static str,
    suberror: Option<&'static str>,
    text: String,
    claims: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error_codes: Vec<u32>,
    timestamp: String,
    trace_id: &'a str,
    correlation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
}

impl Refusal {
    /// A refusal with status 400; 401 when the client's own credential is at fault.
    pub(super) fn new(code: u32, error: &'static str, text: impl Into<String>) -> Self {
        let status = if error == "invalid_client" { 401 } else { 400 };
        Refusal {
            code,
            status,
            error,
            suberror: None,
            text: text.into(),
            claims: None,
        }
    }

    pub(super) fn suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    pub(super) fn claims(mut self, claims: &'static str) -> Self {
        self.claims = Some(claims);
        self
    }

    pub(super) fn tenant_not_found(name: &str) -> Self {
        Refusal::new(
            90002,
            "invalid_request",
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the \
                 correct cloud. Check with your subscription administrator, this may happen if there are no active \
                 subscriptions for the tenant."
            ),
        )
    }

    pub(super) fn missing_parameter(name: &str) -> Self {
        Refusal::new(
            900144,
            "invalid_request",
            format!("The request body must contain the following parameter: '{name}'."),
        )
    }

    /// What a page or a redirect says: the code and the text.
    pub(super) fn text(&self) -> String {
        match self.code {
            // Errors of RFC 8628 that the service has no number for.
            0 => self.text.clone(),
            code => format!("AADSTS{code}: {}", self.text),
        }
    }

    /// The parameters that take it back to the application.
    pub(super) fn parameters(&self, world: &World) -> Vec<(&'static str, String)> {
        let mut random = world.random();
        let mut parameters = vec![
            ("error", self.error.to_owned()),
            (
                "error_description",
                format!(
                    "{}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
                    self.text(),
                    random.guid(),
                    random.guid(),
                    identity_timestamp(world.clock.now())
                ),
            ),
        ];
        if self.code != 0 {
            parameters.push((
                "error_uri",
                format!("{}/error?code={}", world.endpoints.login, self.code),
            ));
        }
        parameters
    }

    /// The same with another status: some endpoints say what is wrong with status 200.
    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn reply(self, world: &World, call: &Call) -> Reply {
        let ids = Ids::of(world, call);
        let timestamp = identity_timestamp(world.clock.now());
        let body = Body {
            error: self.error,
            error_description: format!(
                "{}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {timestamp}",
                self.text(),
                ids.trace,
                ids.correlation
            ),
            error_codes: Some(self.code).filter(|code| *code != 0).into_iter().collect(),
            trace_id: &ids.trace,
            correlation_id: &ids.correlation,
            error_uri: (self.code != 0).then(|| format!("{}/error?code={}", world.endpoints.login, self.code)),
            suberror: self.suberror,
            claims: self.claims,
            timestamp,
        };
        let mut reply = reply::json(self.status, &body);
        finish(&mut reply, call, &ids);
        reply
    }
}

/// The ids of one request.
pub(super) struct Ids {
    pub(super) trace: String,
    pub(super) correlation: String,
}

impl Ids {
    /// A new trace id, and the client's own correlation id when it sent one.
    pub(super) fn of(world: &World, call: &Call) -> Self {
        let mut random = world.random();
        let correlation = match call.header("client-request-id") {
            Some(id) if is_guid(id) => id.to_ascii_lowercase(),
            _ => random.guid(),
        };
        Ids {
            trace: random.guid(),
            correlation,
        }
    }
}

/// The headers that every token reply carries.
pub(super) fn finish(reply: &mut Reply, call: &Call, ids: &Ids) {
    reply::set(reply, CACHE_CONTROL, "no-store, no-cache");
    reply::set(reply, PRAGMA, "no-cache");
    reply::set(reply, HeaderName::from_static("x-ms-request-id"), &ids.trace);
    reply::set(reply, HeaderName::from_static("x-content-type-options"), "nosniff");
    if call
        .header("return-client-request-id")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        reply::set(reply, HeaderName::from_static("client-request-id"), &ids.correlation);
    }
}
