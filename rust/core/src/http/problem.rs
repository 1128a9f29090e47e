//! Error replies of the APIs (Graph, Partner Center, the activity feed); the token endpoint has its own reader.
//!
//! Shapes: `{"error":{"code","message","innerError":{"request-id","client-request-id","date"}}}` (Graph, the feed) and
//! `{"code","description"}` (Partner Center), as Microsoft's references of these APIs describe them.

use super::reply::Reply;
use crate::error::{Error, Kind, ServiceError};
use serde_json::Value as Json;
use std::time::Duration;

/// Longest body that is kept in an error.
pub(crate) const BODY_LIMIT: usize = 16 << 10;

/// A refusal, whole or one among the answers of a batch.
pub(crate) struct Refusal<'a> {
    /// `host[:port]` that refuses.
    pub(crate) authority: &'a str,
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

#[cold]
pub(super) fn from_reply(reply: &Reply, action: &str) -> Error {
    let refusal = Refusal {
        authority: reply.authority(),
        status: reply.status(),
        body: reply.bytes(),
        header: &|name| reply.header(name).map(str::to_owned),
        retry_after: reply.retry_after(),
    };
    refusal.error(action)
}

impl Refusal<'_> {
    /// The failure that it stands for; see [`Reply::error`].
    #[cold]
    pub(crate) fn error(&self, action: &str) -> Error {
        let mut service = read(self.body);
        service.http_status = self.status;
        service.body = kept_body(self.body);
        if service.trace_id.is_empty() {
            service.trace_id = self.first_header(&["request-id", "ms-requestid", "x-ms-request-id"]);
        }
        if service.correlation_id.is_empty() {
            service.correlation_id = self.first_header(&["client-request-id", "ms-correlationid"]);
        }
        let (kind, advice) = meaning(self.status);
        let message = format!("{} did not {action}: {}", self.authority, said(&service));
        Error::new(kind, message)
            .advise(advice)
            .with_service(service)
            .with_retry_after(self.retry_after)
    }

    fn first_header(&self, names: &[&str]) -> String {
        names.iter().find_map(|name| (self.header)(name)).unwrap_or_default()
    }
}

/// The service's own words.
fn said(service: &ServiceError) -> String {
    let status = service.http_status;
    match (service.error.as_str(), service.description.as_str()) {
        ("", "") => format!("HTTP {status}"),
        (code, "") => format!("{code} (HTTP {status})"),
        ("", text) => format!("{text} (HTTP {status})"),
        (code, text) => format!("{code}: {text}"),
    }
}

/// What a status means to its caller, and what to do.
fn meaning(status: u16) -> (Kind, &'static str) {
    match status {
        401 => (Kind::NotSignedIn, "The service did not accept the token; get a new one with -ForceRefresh, and check the application's permissions."),
        403 => (Kind::Denied, "Grant the application the missing permission and consent to it in this tenant; a signed-in user also needs the role for it."),
        404 | 410 => (Kind::NotFound, "Check the name and the tenant."),
        408 => (Kind::Timeout, "Try again later."),
        429 => (Kind::Throttled, "Wait, or lower -ThrottleLimit: the service asks for less traffic."),
        500..=599 => (Kind::Server, "Try again later; if it stays so, look at the service health page of Microsoft 365."),
        300..=399 => (Kind::Protocol, "The host sends elsewhere, which is not followed; check the environment's hosts with Get-SecureAppEnvironment."),
        _ => (Kind::InvalidInput, "Check the command's parameters against the service's own words."),
    }
}

fn read(body: &[u8]) -> ServiceError {
    let mut service = ServiceError::default();
    let Ok(json) = serde_json::from_slice::<Json>(body) else {
        return service;
    };
    let error = json.get("error").or_else(|| json.get("odata.error")).unwrap_or(&json);
    if let Json::String(code) = error {
        service.error.clone_from(code);
        service.description = first_line(&text(&json, &["error_description", "message"]));
        return service;
    }
    service.error = text(error, &["code"]);
    service.code.clone_from(&service.error);
    // OData v3 wraps the text: {"message":{"lang":"en","value":".."}}.
    service.description = match error.get("message") {
        Some(Json::Object(message)) => message
            .get("value")
            .and_then(Json::as_str)
            .map(first_line)
            .unwrap_or_default(),
        _ => first_line(&text(error, &["message", "description"])),
    };
    let inner = error
        .get("innerError")
        .or_else(|| error.get("innererror"))
        .unwrap_or(&Json::Null);
    service.trace_id = text(inner, &["request-id", "requestId"]);
    service.correlation_id = text(inner, &["client-request-id", "clientRequestId"]);
    service.timestamp = text(inner, &["date"]);
    service
}

fn text(json: &Json, keys: &[&str]) -> String {
    match keys.iter().find_map(|key| json.get(key)) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

pub(crate) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The start of a body as text, for a person to read. Tokens in it are masked: a proxy's error page may repeat what was
/// sent, and a service's may hold what it was about to give.
pub(crate) fn kept_body(body: &[u8]) -> String {
    // A token that is cut in the middle keeps its beginning, by which it is known.
    mask_tokens(&String::from_utf8_lossy(&body[..body.len().min(BODY_LIMIT)]))
}

/// What a token follows; a JSON Web Token also begins with the Base64 of `{"`.
const BEFORE_TOKENS: [&str; 4] = ["earer ", "_token\":\"", "_token\": \"", "_token="];
const JWT: &str = "eyJ";

/// Replaces tokens wherever they can be told.
fn mask_tokens(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let after = BEFORE_TOKENS
            .iter()
            .filter_map(|mark| Some(rest.find(mark)? + mark.len()));
        let Some(at) = after.chain(rest.find(JWT)).min() else {
            break;
        };
        let (before, token) = rest.split_at(at);
        masked.push_str(before);
        let end = token.find(|c: char| !is_of_token(c)).unwrap_or(token.len());
        // A word such as "Bearer realm" or "eyJack" is no token, and only its beginning is passed over.
        let is_token = end >= SHORTEST_TOKEN;
        let end = if is_token { end } else { end.min(JWT.len()) };
        masked.push_str(if is_token { "***" } else { &token[..end] });
        rest = &token[end..];
    }
    masked.push_str(rest);
    masked
}

/// Shorter than every token, longer than every word.
const SHORTEST_TOKEN: usize = 32;

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+' | '/' | '=' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_known_shapes() {
        let graph = read(br#"{"error":{"code":"Forbidden","message":"no\r\nmore","innerError":{"request-id":"r","client-request-id":"c","date":"d"}}}"#);
        assert_eq!(
            (
                graph.error.as_str(),
                graph.description.as_str(),
                graph.trace_id.as_str()
            ),
            ("Forbidden", "no", "r")
        );
        let feed = read(br#"{"error":{"code":"AF20022","message":"No subscription found"}}"#);
        assert_eq!(
            (feed.code.as_str(), feed.description.as_str()),
            ("AF20022", "No subscription found")
        );
        let partner = read(br#"{"code":900421,"description":"MFA required"}"#);
        assert_eq!(
            (partner.code.as_str(), partner.description.as_str()),
            ("900421", "MFA required")
        );
        let aad = read(br#"{"odata.error":{"code":"Request_X","message":{"lang":"en","value":"text"}}}"#);
        assert_eq!((aad.code.as_str(), aad.description.as_str()), ("Request_X", "text"));
        assert_eq!(read(b"<html>"), ServiceError::default());
    }

    #[test]
    fn masks_tokens_and_leaves_words() {
        let jwt = format!("eyJ0eXAi.{}.sig-_", "x".repeat(40));
        let opaque = "0.AXoA".to_owned() + &"y".repeat(60);
        let text = format!("a {jwt}, \"token\":\"{jwt}\" Authorization: bearer {opaque}; Bearer realm=x eyJack");
        let shown = kept_body(text.as_bytes());
        assert_eq!(
            shown,
            "a ***, \"token\":\"***\" Authorization: bearer ***; Bearer realm=x eyJack"
        );
        let json = format!("{{\"refresh_token\": \"{opaque}\",\"a\":1}} refresh_token={opaque}&b");
        assert_eq!(
            kept_body(json.as_bytes()),
            "{\"refresh_token\": \"***\",\"a\":1} refresh_token=***&b"
        );
        let cut = format!("{}{jwt}", " ".repeat(BODY_LIMIT - 40));
        assert!(kept_body(cut.as_bytes()).ends_with(" ***"));
    }

    proptest! {
        #[test]
        fn any_body_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&body);
            kept_body(&body);
        }

        #[test]
        fn only_tokens_are_masked(text in "[a-zA-Z ,.ü{}\":]{0,30}") {
            prop_assert_eq!(kept_body(text.as_bytes()), text);
        }
    }
}
