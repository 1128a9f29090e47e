//! Client assertions that somebody else issued: checked against the application's federated identity credentials.
//!
//! Sources: Microsoft Entra documentation, "Workload identity federation"; the codes are those that people report
//! (700211 issuer, 700212 audience, 700213 subject) and those of "Microsoft Entra error codes".

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use serde_json::{Map, Value};

use crate::world::World;

use super::error::Refusal;

/// Five minutes of difference between clocks are allowed.
const SKEW: i64 = 300;

/// The claims of an assertion whose issuer is not the application itself; None where it is the application's own, which a
/// certificate has to prove, or no token at all.
pub(super) fn foreign(assertion: &str, application_id: &str) -> Option<Map<String, Value>> {
    let payload = assertion.split('.').nth(1)?;
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let issuer = claims.get("iss")?.as_str()?;
    (!issuer.eq_ignore_ascii_case(application_id)).then_some(claims)
}

/// Whether the assertion proves the application.
pub(super) fn check(world: &World, assertion: &str, claims: &Map<String, Value>) -> Result<(), Refusal> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let (issuer, subject) = (text("iss"), text("sub"));
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let advice =
        "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. \
                  https://learn.microsoft.com/entra/workload-id/workload-identity-federation";
    let none = |code: u32, what: &str| {
        let text = format!("No matching federated identity record found for presented assertion {what}. {advice}");
        Err(Refusal::new(code, "invalid_client", text))
    };
    let trusted = world.federation.trusted();
    // All three are compared as they are written, with their case.
    let by_issuer: Vec<_> = trusted.iter().filter(|one| one.issuer == issuer).collect();
    if by_issuer.is_empty() {
        return none(700211, &format!("issuer '{issuer}'"));
    }
    let by_subject: Vec<_> = by_issuer.into_iter().filter(|one| one.subject == subject).collect();
    if by_subject.is_empty() {
        return none(700213, &format!("subject '{subject}'"));
    }
    let known = |audience: &&str| {
        by_subject
            .iter()
            .any(|one| one.audiences.iter().any(|own| own == audience))
    };
    if !audiences.iter().any(known) {
        return none(700212, &format!("audience '{}'", audiences.join(", ")));
    }
    if !world.signer.verifies(assertion) {
        return Err(Refusal::new(
            700027,
            "invalid_client",
            "Client assertion failed signature validation. [Reason - The key was not found or the signature is wrong.]",
        ));
    }
    if issuer.starts_with(&world.endpoints.login) && text("idtyp") != "app" {
        return Err(Refusal::new(
            700229,
            "invalid_client",
            "Only app-only tokens can be used as Federated Identity Credentials for AAD issuer.",
        ));
    }
    let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = world.clock.now();
    let late = moment("exp").is_none_or(|end| now >= end + SKEW);
    if late || moment("nbf").is_some_and(|from| now + SKEW < from) {
        return Err(Refusal::new(
            700024,
            "invalid_client",
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, expiry time of assertion: {}.",
                moment("exp").unwrap_or_default()
            ),
        ));
    }
    Ok(())
}
