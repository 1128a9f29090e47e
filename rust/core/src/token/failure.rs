//! Refusals of the sign-in endpoint: read from `error` and `suberror`, explained with the AADSTS code.
//!
//! Microsoft asks not to build on the codes, which may change ("Microsoft Entra authentication and authorization error
//! codes"); so they choose the explanation and nothing else, save where `error` says no more than `invalid_request`.

use super::advice::{self, Category};
use super::request::TokenRequest;
use super::target::Target;
use super::user_assertion::UserAssertion;
use crate::credential::Credential;
use crate::environment::{Environment, Service};
use crate::error::{Error, Kind, ServiceError};
use crate::http::{self, Reply};
use crate::secret::Secret;
use crate::tenant::TenantId;
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Clocks further apart than this make services refuse what they would otherwise take.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What was asked, for the words of the error.
pub(super) struct Asked<'a> {
    environment: &'a Environment,
    /// As its user named it.
    tenant: &'a TenantId,
    /// As it was sent.
    sent_tenant: &'a TenantId,
    target: &'a str,
    application_id: &'a str,
    secrets: Vec<&'a Secret>,
    /// The secret looks like the id of one.
    secret_is_guid: bool,
}

impl<'a> Asked<'a> {
    /// Puts what was asked into the places that a text of the table names.
    fn fill(&self, text: &str) -> String {
        let consent = consent_page(self.environment, self.sent_tenant, self.application_id);
        text.replace("{application}", self.application_id)
            .replace("{tenant}", self.tenant.as_str())
            .replace("{target}", self.target)
            .replace("{environment}", self.environment.name())
            .replace("{permission}", self.permission())
            .replace("{consent}", &consent)
    }

    /// What to add to the application for the API that was asked for.
    fn permission(&self) -> &'static str {
        let asked = |service: &Service| {
            let name = self.environment.resource(*service).trim_end_matches('/');
            let rest = self.target.strip_prefix(name);
            !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let known = Service::ALL.into_iter().find(asked);
        known.map_or("the API's permission", Service::permission)
    }

    pub(super) fn token(request: &'a TokenRequest, sent_tenant: &'a TenantId, redeemed: Option<&'a Secret>) -> Self {
        let secret = request.credential().secret();
        Asked {
            environment: request.environment(),
            tenant: request.tenant(),
            sent_tenant,
            target: request.target().title(),
            application_id: request.credential().application_id(),
            secrets: secret
                .into_iter()
                .chain(redeemed)
                .chain(request.user_assertion().map(UserAssertion::token))
                .collect(),
            secret_is_guid: secret.is_some_and(|secret| crate::tenant::parse_guid(secret.expose()).is_some()),
        }
    }

    fn tenant(environment: &'a Environment, domain: &'a TenantId) -> Self {
        Asked {
            environment,
            tenant: domain,
            sent_tenant: domain,
            target: "",
            application_id: "",
            secrets: Vec::new(),
            secret_is_guid: false,
        }
    }
}

/// A question to the sign-in endpoint that is not the token cache's, for the words of its error.
pub(crate) struct Question<'a> {
    pub(crate) environment: &'a Arc<Environment>,
    pub(crate) credential: &'a Arc<Credential>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) target: &'a Target,
    /// What was sent beside the application's own secret and must not be repeated.
    pub(crate) further: Vec<&'a Secret>,
}

impl<'a> Question<'a> {
    pub(super) fn asked(&self) -> Asked<'a> {
        let secret = self.credential.secret();
        Asked {
            environment: self.environment,
            tenant: self.tenant,
            sent_tenant: self.tenant,
            target: self.target.title(),
            application_id: self.credential.application_id(),
            secrets: secret.into_iter().chain(self.further.iter().copied()).collect(),
            secret_is_guid: secret.is_some_and(|secret| crate::tenant::parse_guid(secret.expose()).is_some()),
        }
    }
}

/// The error that a reply stands for, whatever its status says.
#[cold]
pub(crate) fn refused(reply: &Reply, question: &Question<'_>) -> Error {
    from_reply(reply, &question.asked())
}

/// The error that the sign-in page's answer stands for: it comes through the user's browser.
#[cold]
pub(crate) fn sign_in_refused(service: ServiceError, question: &Question<'_>) -> Error {
    let asked = question.asked();
    let row = advice::find(&service.code);
    let kind = kind_of(400, &service, row.map(|row| row.category));
    let why = match row {
        Some(row) => format!("{} ({})", row.meaning, service.code),
        None if service.description.is_empty() => service.error.clone(),
        None => service.description.clone(),
    };
    let remedy = match (row, service.suberror.as_str()) {
        (None, "cancel") => "Start the sign-in again.".to_owned(),
        _ => remedy(kind, &service, row.map(|row| row.advice), &asked),
    };
    let message = format!("nobody was signed in for {} in {}: {why}", asked.target, asked.tenant);
    named(Error::new(kind, message).advise(remedy), &asked).with_service(service)
}

/// The page where an administrator of a tenant consents to all that an application asks for (Microsoft Entra documentation, "Request
/// the permissions from a directory admin").
pub(crate) fn consent_page(environment: &Environment, tenant: &TenantId, application_id: &str) -> String {
    let login = environment.known_endpoint(Service::Login).unwrap_or_default();
    format!("{login}/{tenant}/adminconsent?client_id={application_id}")
}

/// True where consent is what is missing in the tenant: to the application, or to one of its permissions.
pub(crate) fn asks_for_consent(error: &Error) -> bool {
    error.service().is_some_and(|service| {
        service.suberror == "consent_required"
            || service.error == "consent_required"
            || advice::find(&service.code).is_some_and(|row| row.category == Category::Consent)
    })
}

/// True where the tenant does not have the API that was asked for.
pub(crate) fn lacks_resource(error: &Error) -> bool {
    error.kind() == Kind::NotFound
        || error
            .service()
            .is_some_and(|service| advice::find(&service.code).is_some_and(|row| row.category == Category::Resource))
}

/// The error that a reply to a question about a tenant itself stands for.
#[cold]
pub(crate) fn about_tenant(reply: &Reply, environment: &Environment, tenant: &TenantId) -> Error {
    from_reply(reply, &Asked::tenant(environment, tenant))
}

/// The error that a reply stands for.
#[cold]
pub(super) fn from_reply(reply: &Reply, asked: &Asked<'_>) -> Error {
    // Masked before it is cut, so that no half of a secret is left at the end.
    let body = http::kept_body(mask(&String::from_utf8_lossy(reply.bytes()), &asked.secrets).as_bytes());
    let mut service = read(&body);
    service.http_status = reply.status();
    service.body = body;
    if service.correlation_id.is_empty() {
        service.correlation_id = reply.header("client-request-id").unwrap_or_default().to_owned();
    }
    if service.trace_id.is_empty() {
        service.trace_id = reply.header("x-ms-request-id").unwrap_or_default().to_owned();
    }
    if service.error.is_empty() && !matches!(reply.status(), 429 | 500..=599) {
        let cause = serde_json::from_slice::<Json>(reply.bytes()).err();
        let error = match cause {
            Some(cause) => reply.not_json(&cause),
            None => Error::new(
                Kind::Protocol,
                format!(
                    "{} answered HTTP {} without saying why",
                    reply.authority(),
                    reply.status()
                ),
            )
            .advise("Check that the environment's sign-in host is the right one (Get-SecureAppEnvironment)."),
        };
        return named(error, asked).with_service(service);
    }
    let row = advice::find(&service.code);
    let kind = kind_of(reply.status(), &service, row.map(|row| row.category));
    let why = explain(reply, &service, row.map(|row| row.meaning), asked);
    let message = if asked.target.is_empty() {
        format!("the tenant {} could not be found: {why}", asked.tenant)
    } else {
        format!("no token for {} in {}: {why}", asked.target, asked.tenant)
    };
    let mut remedy = remedy(kind, &service, row.map(|row| row.advice), asked);
    if let Some(skew) = clock_skew(reply.server_time(), SystemTime::now()) {
        remedy = format!("{skew} {remedy}");
    }
    named(Error::new(kind, message).advise(remedy), asked)
        .with_service(service)
        .with_retry_after(reply.retry_after())
}

fn named(error: Error, asked: &Asked<'_>) -> Error {
    error.for_tenant(asked.tenant.as_str()).for_resource(asked.target)
}

/// Reads an OAuth error object; empty fields where it says nothing. Ids that are only in the text are taken from there.
pub(crate) fn read(body: &str) -> ServiceError {
    let mut service = ServiceError::default();
    let Ok(json) = serde_json::from_str::<Json>(body) else {
        return service;
    };
    let text = |key: &str| match json.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let description = text("error_description");
    service.error = text("error");
    service.suberror = text("suberror");
    service.claims = match json.get("claims") {
        Some(claims @ Json::Object(_)) => claims.to_string(),
        _ => text("claims"),
    };
    service.trace_id = or_labelled(text("trace_id"), &description, "Trace ID:");
    service.correlation_id = or_labelled(text("correlation_id"), &description, "Correlation ID:");
    service.timestamp = or_labelled(text("timestamp"), &description, "Timestamp:");
    service.code = code_in(&description).unwrap_or_else(|| {
        let first = json.get("error_codes").and_then(|codes| codes.get(0));
        let digits = match first {
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.clone(),
            _ => return String::new(),
        };
        format!("AADSTS{digits}")
    });
    service.description = words_of(&description);
    service
}

/// `AADSTS` and the digits after it.
fn code_in(description: &str) -> Option<String> {
    let rest = &description[description.find("AADSTS")? + "AADSTS".len()..];
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(12).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

/// The first line, without the labelled ids that some services put on it.
fn words_of(description: &str) -> String {
    let line = http::first_line(description);
    let end = ["Trace ID:", "Correlation ID:", "Timestamp:"]
        .iter()
        .filter_map(|label| line.find(label))
        .min();
    line[..end.unwrap_or(line.len())].trim_end().to_owned()
}

fn or_labelled(value: String, description: &str, label: &str) -> String {
    if !value.is_empty() {
        return value;
    }
    let Some(at) = description.find(label) else {
        return value;
    };
    let rest = description[at + label.len()..].trim_start();
    // A time stamp holds a space, an id does not.
    let words = if label == "Timestamp:" { 2 } else { 1 };
    rest.lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .take(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn kind_of(status: u16, service: &ServiceError, category: Option<Category>) -> Kind {
    if status == 429 {
        return Kind::Throttled;
    }
    if status >= 500 || service.error == "temporarily_unavailable" {
        return Kind::Server;
    }
    match service.error.as_str() {
        "invalid_tenant" | "invalid_resource" | "invalid_instance" => Kind::NotFound,
        "invalid_scope" | "unsupported_grant_type" | "unsupported_response_type" => Kind::InvalidInput,
        "access_denied" | "authorization_declined" => Kind::Denied,
        "invalid_request" => match category {
            Some(Category::Tenant | Category::Resource) => Kind::NotFound,
            Some(Category::Throttle) => Kind::Throttled,
            Some(Category::Transient) => Kind::Server,
            Some(Category::Request | Category::Config) | None => Kind::InvalidInput,
            Some(_) => Kind::NotSignedIn,
        },
        _ if status == 403 => Kind::Denied,
        _ => Kind::NotSignedIn,
    }
}

fn explain(reply: &Reply, service: &ServiceError, meaning: Option<&str>, asked: &Asked<'_>) -> String {
    match (meaning, service.code.as_str()) {
        (Some(meaning), code) => format!("{} ({code})", asked.fill(meaning)),
        (None, _) if !service.description.is_empty() => service.description.clone(),
        (None, _) if !service.error.is_empty() => format!("{} (HTTP {})", service.error, reply.status()),
        (None, _) if reply.status() == 429 => "the service asks for less traffic (HTTP 429)".to_owned(),
        (None, _) => format!("{} failed (HTTP {})", reply.authority(), reply.status()),
    }
}

fn remedy(kind: Kind, service: &ServiceError, from_table: Option<&str>, asked: &Asked<'_>) -> String {
    if service.code == "AADSTS7000215" && asked.secret_is_guid {
        return "What was given is a GUID, so it is the secret's ID: create a new client secret and copy its Value, which is shown only once.".to_owned();
    }
    let text = from_table.unwrap_or_else(|| advice::by_error(kind, &service.error, &service.suberror));
    let mut text = asked.fill(text);
    // What only has a message cannot be met by signing in.
    if !service.claims.is_empty() && service.suberror != "message_only" {
        text.push_str(&asked.fill(
            " New-SecureAppRefreshToken -TenantId {tenant} -Claims $error[0].Exception.Claims asks for just that.",
        ));
    }
    text
}

/// Says so where this machine's clock and the service's are far apart.
fn clock_skew(server: Option<SystemTime>, local: SystemTime) -> Option<String> {
    let server = server?;
    let (off, direction) = match local.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    (off > CLOCK_TOLERANCE).then(|| {
        format!(
            "This machine's clock is {} minutes {direction} the service's: set it right first.",
            off.as_secs() / 60
        )
    })
}

/// Replaces the request's secrets, plain or escaped, wherever the text repeats them.
fn mask(text: &str, secrets: &[&Secret]) -> String {
    let mut masked = text.to_owned();
    for secret in secrets
        .iter()
        .map(|secret| secret.expose())
        .filter(|secret| !secret.is_empty())
    {
        masked = masked.replace(secret, "***");
        let escaped: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        if escaped != secret {
            masked = masked.replace(&escaped, "***");
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WRONG_SECRET: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 11111111-1111-1111-1111-111111111111\r\nCorrelation ID: 22222222-2222-2222-2222-222222222222\r\nTimestamp: 2026-01-02 03:04:05Z","error_codes":[7000215],"timestamp":"2026-01-02 03:04:05Z"}"#;

    #[test]
    fn reads_what_the_service_says() {
        let service = read(WRONG_SECRET);
        assert_eq!(service.error, "invalid_client");
        assert_eq!(service.code, "AADSTS7000215");
        assert_eq!(service.description, "AADSTS7000215: Invalid client secret provided.");
        assert_eq!(service.trace_id, "11111111-1111-1111-1111-111111111111");
        assert_eq!(service.correlation_id, "22222222-2222-2222-2222-222222222222");
    }

    #[test]
    fn reads_labels_on_one_line() {
        let service = read(
            r#"{"error":"invalid_grant","error_description":"AADSTS50076: MFA. Trace ID: a-b Correlation ID: c-d Timestamp: 2026-01-02 03:04:05Z"}"#,
        );
        assert_eq!(service.description, "AADSTS50076: MFA.");
        assert_eq!(
            (service.trace_id.as_str(), service.correlation_id.as_str()),
            ("a-b", "c-d")
        );
        assert_eq!(service.timestamp, "2026-01-02 03:04:05Z");
    }

    #[test]
    fn the_code_may_only_be_in_the_list() {
        assert_eq!(read(r#"{"error":"x","error_codes":[70002,70008]}"#).code, "AADSTS70002");
        assert_eq!(read(r#"{"error":"x","error_codes":["65001"]}"#).code, "AADSTS65001");
        assert_eq!(read(r#"{"error":"x","error_codes":"no"}"#).code, "");
    }

    #[test]
    fn a_claims_challenge_is_kept_as_text() {
        let text = r#"{"access_token":{"polids":{"essential":true}}}"#;
        for sent in [Json::from(text), serde_json::from_str(text).unwrap()] {
            let body = serde_json::json!({"error": "interaction_required", "claims": sent});
            let claims: Json = serde_json::from_str(&read(&body.to_string()).claims).unwrap();
            assert_eq!(claims["access_token"]["polids"]["essential"], true);
        }
        assert_eq!(read(r#"{"error": "x", "claims": null}"#).claims, "");
    }

    #[test]
    fn masks_secrets_plain_and_escaped() {
        let secret = Secret::from("a+b/c");
        assert_eq!(mask("x a+b/c y a%2Bb%2Fc z", &[&secret]), "x *** y *** z");
    }

    #[test]
    fn names_a_clock_that_is_wrong() {
        let now = SystemTime::now();
        assert!(clock_skew(Some(now), now).is_none());
        assert!(clock_skew(None, now).is_none());
        assert!(clock_skew(Some(now - Duration::from_secs(900)), now)
            .unwrap()
            .contains("15 minutes ahead"));
        assert!(clock_skew(Some(now + Duration::from_secs(900)), now)
            .unwrap()
            .contains("15 minutes behind"));
    }

    proptest! {
        #[test]
        fn any_body_is_read(body in ".{0,200}", description in ".{0,120}") {
            read(&body);
            let json = serde_json::json!({"error": body, "error_description": format!("AADSTS{description} Trace ID: {description}")});
            read(&json.to_string());
            mask(&body, &[&Secret::from(description.as_str())]);
        }
    }
}
