//! Refusals of a platform, and what an administrator does about them.
//!
//! Shapes: `{"error","error_description"}` (virtual machines, Azure Arc), `{"statusCode","message","correlationId"}` (App
//! Service), `{"error":{"code","message","correlationId"}}` (Cloud Shell, Service Fabric).

use super::answer::Answer;
use super::identity::Identity;
use super::source::Source;
use super::ManagedIdentity;
use crate::error::{Error, Kind, ServiceError};
use crate::http;
use serde_json::Value as Json;

/// Where nothing answered.
#[cold]
pub(super) fn unreachable(error: Error, source: &Source) -> Error {
    if !error.is_retryable() || !matches!(error.kind(), Kind::Network | Kind::Timeout) {
        return error;
    }
    let advice = match source {
        Source::Imds(_) => "This works on Azure virtual machines and scale sets only, and not through a proxy. Elsewhere use another credential; in a container, check that it may reach 169.254.169.254.",
        Source::AzureArc(_) => "Check that the Azure Connected Machine agent runs (azcmagent show).",
        _ => "The hosting platform's endpoint is gone: start this process anew, or check the variables IDENTITY_ENDPOINT and MSI_ENDPOINT.",
    };
    Error::new(
        error.kind(),
        format!(
            "no managed identity endpoint of {} answers: {}",
            source.title(),
            error.message()
        ),
    )
    .advise(advice)
}

/// What an answer without a token means.
#[cold]
pub(super) fn from_answer(answer: &Answer, from: &ManagedIdentity, resource: &str) -> Error {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    if let Some(header) = from.source.header() {
        text = text.replace(header.expose(), "***");
    }
    let body = http::kept_body(text.as_bytes());
    let mut service = read(&body);
    service.http_status = answer.status;
    service.body = body;
    let who = from.identity.title();
    let (kind, why, advice) = explain(answer.status, &service, from, resource);
    let said = match (service.description.as_str(), service.error.as_str()) {
        ("", "") => format!("HTTP {}", answer.status),
        ("", code) => format!("{code}, HTTP {}", answer.status),
        (words, _) => words.to_owned(),
    };
    Error::new(kind, format!("no token of {who} for {resource}: {why} ({said})"))
        .advise(advice)
        .for_resource(resource)
        .with_service(service)
        .with_retry_after(answer.retry_after)
}

fn explain(status: u16, service: &ServiceError, from: &ManagedIdentity, resource: &str) -> (Kind, String, String) {
    let words = service.description.to_ascii_lowercase();
    let platform = from.platform();
    let about_resource = matches!(service.error.as_str(), "invalid_resource" | "AudienceNotSupported")
        || matches!(service.code.as_str(), "AADSTS50001" | "AADSTS500011")
        || words.contains("audience");
    let about_identity = words.contains("identity not found")
        || words.contains("managed identity found")
        || words.contains("identity isn't");
    match status {
        429 => (
            Kind::Throttled,
            format!("{platform} asks for fewer requests"),
            "Try again in a minute; a script that asks in many processes at once is better off with one.".to_owned(),
        ),
        404 | 408 | 410 | 500..=599 => (
            Kind::Server,
            format!("the endpoint of {platform} is not ready"),
            "Try again in a minute: it is being updated, or does not answer for now.".to_owned(),
        ),
        400 if about_resource => (
            Kind::NotFound,
            format!("{platform} knows no such resource"),
            format!("Check the spelling of {resource}: it is compared as it is registered, also at its end."),
        ),
        400 if about_identity => (
            Kind::NotSignedIn,
            format!("{platform} does not have this identity"),
            match from.identity {
                Identity::SystemAssigned => "Turn the system-assigned identity on in the Azure portal (Identity), or name a user-assigned one with -ManagedIdentityClientId.".to_owned(),
                _ => "Assign it to this machine or app in the Azure portal (Identity, User assigned), and check its id.".to_owned(),
            },
        ),
        401 | 403 => (
            Kind::NotSignedIn,
            format!("{platform} does not accept this process"),
            match from.source {
                Source::AzureArc(_) => "Try again; if it stays so, restart the Azure Connected Machine agent.".to_owned(),
                Source::Imds(_) => "Check that the machine has an identity, and that nothing between it and 169.254.169.254 changes requests.".to_owned(),
                _ => "The variable IDENTITY_HEADER or MSI_SECRET is not the platform's own any more: start this process anew.".to_owned(),
            },
        ),
        _ => (
            Kind::NotSignedIn,
            format!("{platform} refuses"),
            "Check the identity in the Azure portal, and the variables that the platform sets.".to_owned(),
        ),
    }
}

fn read(body: &str) -> ServiceError {
    let mut service = ServiceError::default();
    let Ok(json) = serde_json::from_str::<Json>(body) else {
        return service;
    };
    let text = |json: &Json, names: &[&str]| {
        let found = names.iter().find_map(|name| json.get(name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let description = match json.get("error") {
        Some(inner @ Json::Object(_)) => {
            service.error = text(inner, &["code"]);
            service.correlation_id = text(inner, &["correlationId"]);
            text(inner, &["message"])
        }
        _ => {
            service.error = text(&json, &["error"]);
            service.correlation_id = text(&json, &["correlationId", "correlation_id"]);
            text(&json, &["error_description", "message", "Message"])
        }
    };
    service.description = http::first_line(&description);
    service.code = description
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.strip_prefix("AADSTS").is_some_and(|rest| !rest.is_empty()))
        .unwrap_or_default()
        .to_owned();
    let labelled = |label: &str| {
        let rest = description.split_once(label)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    };
    service.trace_id = labelled("Trace ID:").unwrap_or_default();
    if service.correlation_id.is_empty() {
        service.correlation_id = labelled("Correlation ID:").unwrap_or_default();
    }
    service
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platforms_words_are_found() {
        let vm = read(
            r#"{"error":"invalid_resource","error_description":"AADSTS50001: no such.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\n"}"#,
        );
        assert_eq!(
            (vm.error.as_str(), vm.code.as_str()),
            ("invalid_resource", "AADSTS50001")
        );
        assert_eq!((vm.trace_id.as_str(), vm.correlation_id.as_str()), ("t-1", "c-1"));
        let app = read(r#"{"statusCode":400,"message":"No identity.","correlationId":"c-2"}"#);
        assert_eq!(
            (app.description.as_str(), app.correlation_id.as_str()),
            ("No identity.", "c-2")
        );
        let shell = read(r#"{"error":{"code":"AudienceNotSupported","message":"m","correlationId":"c-3"}}"#);
        assert_eq!(
            (shell.error.as_str(), shell.correlation_id.as_str()),
            ("AudienceNotSupported", "c-3")
        );
        assert_eq!(read("<html>"), ServiceError::default());
        assert_eq!(read("[1]"), ServiceError::default());
    }
}
