//! The form that is posted to the token endpoint.

use super::request::{Grant, TokenRequest};
use crate::environment::Service;
use crate::error::Result;
use crate::http::{self, RequestSpec, Retry};
use crate::secret::Secret;
use crate::tenant::TenantId;
use reqwest::header::HeaderName;
use std::time::Duration;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Waits of one question to the token endpoint, together.
const WAITS: Duration = Duration::from_secs(60);

/// What is sent for `request` in `tenant`, with `refresh_token` where the grant is one.
pub(super) fn spec(
    request: &TokenRequest,
    grant: Grant,
    tenant: &TenantId,
    refresh_token: Option<&Secret>,
) -> Result<RequestSpec> {
    let login = request.environment().endpoint(Service::Login)?;
    let path = if request.target().as_resource().is_some() {
        "oauth2/token"
    } else {
        "oauth2/v2.0/token"
    };
    // A redemption may be repeated: Entra keeps the old token valid. Where it does not, a second try would use a dead one.
    let repeatable = !(grant == Grant::RefreshToken && request.environment().single_use_refresh_tokens());
    RequestSpec::post(&format!("{login}/{tenant}/{path}"))?
        .header(HeaderName::from_static("client-request-id"), &http::random_id()?)?
        .header(HeaderName::from_static("return-client-request-id"), "true")
        .map(|spec| {
            spec.form(form(request, grant, refresh_token))
                .limit(1 << 20)
                .repeatable(repeatable)
        })
        .map(|spec| {
            spec.retry(Retry {
                repeats: 4,
                waits: WAITS,
                budget: None,
            })
        })
}

/// Bytes that a value takes in a form, or a little more.
fn escaped_length(value: &str) -> usize {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 })
        .sum()
}

fn form(request: &TokenRequest, grant: Grant, refresh_token: Option<&Secret>) -> Zeroizing<String> {
    let credential = request.credential();
    let secret = credential.secret().map_or("", Secret::expose);
    let token = refresh_token.map_or("", Secret::expose);
    let claims = request.claims_json().map_or("", |claims| claims);
    let scopes = request
        .target()
        .as_scopes()
        .map(|scopes| scopes.join(" "))
        .unwrap_or_default();
    // Room for everything escaped, so that no half-written copy is left behind by growing.
    let values = [secret, token, claims, request.target().title()];
    let room = 256 + values.into_iter().map(escaped_length).sum::<usize>();
    let mut form = Zeroizing::new(String::with_capacity(room));
    let mut add = |name: &str, value: &str| {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(name);
        form.push('=');
        form_urlencoded::byte_serialize(value.as_bytes()).for_each(|part| form.push_str(part));
    };
    match grant {
        Grant::ClientCredentials => add("grant_type", "client_credentials"),
        Grant::RefreshToken => {
            add("grant_type", "refresh_token");
            add("refresh_token", token);
            // Makes the reply name the user's own tenant.
            add("client_info", "1");
        }
    }
    add("client_id", credential.application_id());
    if credential.has_secret() {
        add("client_secret", secret);
    }
    match request.target().as_resource() {
        Some(resource) => add("resource", resource),
        None => add("scope", &scopes),
    }
    if !claims.is_empty() {
        add("claims", claims);
    }
    form
}
