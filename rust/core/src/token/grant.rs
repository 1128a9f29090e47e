//! The form that is posted to the token endpoint.

use super::cache::Tokens;
use super::failure::Question;
use super::request::{Grant, TokenRequest};
use crate::credential::{Credential, Occasion};
use crate::engine::Clock;
use crate::environment::{Environment, Service};
use crate::error::Result;
use crate::http::{self, Budget, RequestSpec, Retry};
use crate::secret::Secret;
use crate::tenant::TenantId;
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Waits of one question to the token endpoint, together.
const WAITS: Duration = Duration::from_secs(60);

/// The service's time as far as it is known.
pub(super) struct ServiceTime {
    pub(super) clock: Arc<Clock>,
    /// How far the service is ahead of this machine, in milliseconds.
    pub(super) ahead_ms: i64,
}

/// What is sent for `request` in `tenant`, with `refresh_token` where the grant is one.
pub(super) fn spec(
    request: &TokenRequest,
    grant: Grant,
    tenant: &TenantId,
    refresh_token: Option<&Secret>,
    time: ServiceTime,
    tokens: Tokens,
) -> Result<RequestSpec> {
    let login = request.environment().endpoint(Service::Login)?;
    let path = if request.target().as_resource().is_some() {
        "oauth2/token"
    } else {
        "oauth2/v2.0/token"
    };
    let endpoint = format!("{login}/{tenant}/{path}");
    // A redemption may be repeated: Entra keeps the old token valid. Where it does not, a second try would use a dead one.
    let repeatable = !(grant == Grant::RefreshToken && request.environment().single_use_refresh_tokens());
    let spec = RequestSpec::post(&endpoint)?
        .header(HeaderName::from_static("client-request-id"), &http::random_id()?)?
        .header(HeaderName::from_static("return-client-request-id"), "true")?;
    let whole = Arc::new(Whole {
        credential: Arc::clone(request.credential()),
        question: form(request, grant, refresh_token),
        endpoint,
        time,
        environment: Arc::clone(request.environment()),
        tokens,
    });
    Ok(spec
        .form(move || Arc::clone(&whole).form())
        .limit(1 << 20)
        .repeatable(repeatable)
        .retry(Retry {
            repeats: 4,
            waits: WAITS,
            budget: Budget::current(),
        }))
}

/// A form less what proves the client, which is made anew each time it is sent.
struct Whole {
    credential: Arc<Credential>,
    question: Zeroizing<String>,
    endpoint: String,
    time: ServiceTime,
    environment: Arc<Environment>,
    tokens: Tokens,
}

impl Whole {
    async fn form(self: Arc<Self>) -> Result<Zeroizing<String>> {
        let occasion = Occasion {
            application_id: self.credential.application_id(),
            endpoint: &self.endpoint,
            now_ms: self.time.clock.now_ms().saturating_add(self.time.ahead_ms),
            environment: &self.environment,
            tokens: &self.tokens,
        };
        let fields = self.credential.proof().fields(&occasion).await?;
        let room = fields
            .iter()
            .map(|(name, value)| name.len() + 2 + escaped_length(value.expose()))
            .sum::<usize>();
        let mut form = Zeroizing::new(String::with_capacity(self.question.len() + room));
        form.push_str(&self.question);
        for (name, value) in &fields {
            add(&mut form, name, value.expose());
        }
        Ok(form)
    }
}

/// Adds a field; the form has room for it.
fn add(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form_urlencoded::byte_serialize(value.as_bytes()).for_each(|part| form.push_str(part));
}

/// Other fields for `endpoint`, with the application's id and what proves it. Not repeated: codes and verifiers work once.
pub(super) fn client_spec(
    question: &Question<'_>,
    endpoint: &str,
    fields: &[(&str, &str)],
    time: ServiceTime,
    tokens: Tokens,
) -> Result<RequestSpec> {
    let credential = question.credential;
    let room = fields
        .iter()
        .map(|(name, value)| name.len() + 2 + escaped_length(value))
        .sum::<usize>();
    let mut form = Zeroizing::new(String::with_capacity(64 + room));
    add(&mut form, "client_id", credential.application_id());
    for (name, value) in fields {
        add(&mut form, name, value);
    }
    let whole = Arc::new(Whole {
        credential: Arc::clone(credential),
        question: form,
        endpoint: endpoint.to_owned(),
        time,
        environment: Arc::clone(question.environment),
        tokens,
    });
    let spec = RequestSpec::post(endpoint)?
        .header(HeaderName::from_static("client-request-id"), &http::random_id()?)?
        .header(HeaderName::from_static("return-client-request-id"), "true")?;
    Ok(spec.form(move || Arc::clone(&whole).form()).limit(1 << 20))
}

/// Bytes that a value takes in a form, or a little more.
fn escaped_length(value: &str) -> usize {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 })
        .sum()
}

/// Everything but the proof.
fn form(request: &TokenRequest, grant: Grant, refresh_token: Option<&Secret>) -> Zeroizing<String> {
    let token = refresh_token.map_or("", Secret::expose);
    let assertion = request
        .user_assertion()
        .map_or("", |assertion| assertion.token().expose());
    let claims = request.claims_json().map_or("", |claims| claims);
    let scopes = request
        .target()
        .as_scopes()
        .map(|scopes| scopes.join(" "))
        .unwrap_or_default();
    // Room for everything escaped, so that no half-written copy is left behind by growing.
    let values = [token, assertion, claims, request.target().title()];
    let room = 256 + values.into_iter().map(escaped_length).sum::<usize>();
    let mut form = Zeroizing::new(String::with_capacity(room));
    let mut add = |name: &str, value: &str| add(&mut form, name, value);
    match grant {
        // A managed identity's tokens come from elsewhere.
        Grant::ClientCredentials | Grant::ManagedIdentity => add("grant_type", "client_credentials"),
        Grant::OnBehalfOf => {
            add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            add("assertion", assertion);
            add("requested_token_use", "on_behalf_of");
        }
        Grant::RefreshToken => {
            add("grant_type", "refresh_token");
            add("refresh_token", token);
            // Makes the reply name the user's own tenant.
            add("client_info", "1");
        }
    }
    add("client_id", request.credential().application_id());
    match request.target().as_resource() {
        Some(resource) => add("resource", resource),
        None => add("scope", &scopes),
    }
    if !claims.is_empty() {
        add("claims", claims);
    }
    form
}
