//! What the feed says when it does not do what was asked.
//!
//! Its codes are in Microsoft's reference ("Errors"), some are not (AF20024, AF429 in a 403); its bodies are not always
//! JSON (the throttling reply has single quotes). So the code is looked for in the bytes.

use crate::error::{Error, Kind, ServiceError};
use crate::http::{first_line, kept_body, Reply};

/// The feed's own code in a failed reply (`AF20022`), wherever it stands.
pub(super) fn code(body: &[u8]) -> Option<String> {
    let mut from = 0;
    while let Some(offset) = memchr::memmem::find(body.get(from..)?, b"AF") {
        let at = from + offset;
        let digits = body[at + 2..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let before = at.checked_sub(1).and_then(|before| body.get(before));
        if (3..=6).contains(&digits) && !before.is_some_and(u8::is_ascii_alphanumeric) {
            return Some(String::from_utf8_lossy(&body[at..at + 2 + digits]).into_owned());
        }
        from = at + 2;
    }
    None
}

/// The error that a failed reply stands for. `action` reads like "list the content".
pub(super) fn error(reply: &Reply, action: &str, tenant: &str) -> Error {
    let Some(code) = code(reply.bytes()) else {
        return reply.error(action).for_tenant(tenant);
    };
    let plain = reply.error(action);
    let mut service = plain.service().cloned().unwrap_or_default();
    if service.description.is_empty() {
        service.description = description(reply.bytes());
    }
    service.http_status = reply.status();
    service.error.clone_from(&code);
    service.code.clone_from(&code);
    service.body = kept_body(reply.bytes());
    meaning(&code, action, service)
        .with_retry_after(reply.retry_after())
        .for_tenant(tenant)
}

fn meaning(code: &str, action: &str, service: ServiceError) -> Error {
    let said = &service.description;
    let off = matches!(code, "AF20011" | "AF20012") && said.contains("DataServiceException");
    let (kind, what, advice) = match code {
        "AF10001" => (
            Kind::Denied,
            "the token has no permission for the activity feed".to_owned(),
            "Give the application the permission ActivityFeed.Read of Office 365 Management APIs (and ActivityFeed.ReadDlp for \
             DLP.All), then consent to it in this tenant.",
        ),
        _ if off => (
            Kind::NotFound,
            "auditing is off in this tenant".to_owned(),
            "Turn it on in the tenant with Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true; it takes up to an \
             hour to act, and nothing from before is kept.",
        ),
        "AF20011" | "AF20012" => (
            Kind::NotFound,
            format!("the feed does not know this tenant: {said}"),
            "Check the tenant; one that was deleted or has no Exchange Online has no activity feed.",
        ),
        "AF20030" | "AF20055" => (
            Kind::InvalidInput,
            format!("the feed refuses the time range: {said}"),
            "Check this machine's clock: the feed takes the last 7 days by its own.",
        ),
        "AF20022" => (
            Kind::NotFound,
            "there is no subscription to this content type".to_owned(),
            "Run the same export again in a few minutes: a subscription needs a moment to begin.",
        ),
        "AF20023" => (
            Kind::Denied,
            format!("the subscription was disabled: {said}"),
            "Ask the tenant's administrators who disabled the subscription, then run the same export again.",
        ),
        "AF20050" | "AF20051" | "AF20052" => (
            Kind::NotFound,
            format!("the content is not there any more: {said}"),
            "Take the records of this time from Search-UnifiedAuditLog or a Microsoft Graph audit log query.",
        ),
        "AF20031" => (
            Kind::Protocol,
            "the feed does not accept its own link to the next page".to_owned(),
            "Run the same export again.",
        ),
        "AF429" => (
            Kind::Throttled,
            "the feed asks for fewer requests".to_owned(),
            "Run the same export again later, with a lower -ThrottleLimit; other programs share this tenant's quota.",
        ),
        _ if code.starts_with("AF5") => (
            Kind::Server,
            format!("the feed failed: {said}"),
            "Run the same export again later: it goes on where it stopped.",
        ),
        _ => (
            Kind::InvalidInput,
            format!("the feed refuses to {action}: {said}"),
            "Check the tenant and the application against the service's own words.",
        ),
    };
    Error::new(kind, format!("{what} ({code})"))
        .advise(advice)
        .with_service(service)
}

/// The text of a body like `{'error':{'code':'AF429','message':'Too many requests. ..'}}`, which is no JSON.
fn description(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let message = text
        .split_once("message")
        .map(|(_, rest)| rest.trim_start_matches(['\'', '"', ':', ' ']));
    match message.and_then(|message| message.split(['\'', '"']).next()) {
        Some(message) if !message.trim().is_empty() => first_line(message),
        _ => first_line(&text.chars().take(200).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_any_shape() {
        for (body, expected) in [
            (
                r#"{"error":{"code":"AF20022","message":"No subscription"}}"#,
                Some("AF20022"),
            ),
            (
                "{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob'}}",
                Some("AF429"),
            ),
            ("<b>AF50000</b>", Some("AF50000")),
            ("LEAF20022 AF1 AFX", None),
            ("AF", None),
            ("", None),
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn the_text_is_found_without_json() {
        let body = b"{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob, PublisherId=x'}}";
        assert_eq!(description(body), "Too many requests. Method=GetBlob, PublisherId=x");
        assert_eq!(description(b"oops\nmore"), "oops");
    }

    #[test]
    fn auditing_that_is_off_says_how_to_turn_it_on() {
        let said = "Microsoft.Office.Compliance.Audit.DataServiceException: Tenant 1 does not exist.";
        let service = ServiceError {
            description: said.to_owned(),
            ..ServiceError::default()
        };
        let error = meaning("AF20012", "list", service.clone());
        assert!(
            error.advice().contains("UnifiedAuditLogIngestionEnabled"),
            "{}",
            error.advice()
        );
        assert!(meaning("AF10001", "list", service.clone())
            .advice()
            .contains("ActivityFeed.Read"));
        assert_eq!(meaning("AF50005", "list", service).kind(), Kind::Server);
    }
}
