//! One attempt to sign in: the values that tie its answer to it, and the address that the browser opens.

use super::authority::Authority;
use super::redirect::to_register;
use super::response::{self, Response};
use super::Plan;
use crate::error::{Error, Result, ServiceError};
use crate::http::{RequestSpec, Retry};
use crate::secret::Secret;
use crate::token::{sign_in_refused, Question};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use reqwest::header::ACCEPT;
use std::time::Duration;
use url::Url;

/// Made anew for each sign-in. The verifier never leaves this process but in the redemption.
#[derive(Clone)]
pub(super) struct Attempt {
    redirect_uri: String,
    state: String,
    nonce: String,
    verifier: Secret,
}

impl Attempt {
    pub(super) fn new(redirect_uri: String) -> Result<Self> {
        Ok(Attempt {
            redirect_uri,
            state: random_text()?,
            nonce: random_text()?,
            verifier: Secret::new(random_text()?),
        })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// RFC 7636: what proves that the redemption comes from where the sign-in was started.
    pub(super) fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// What the app registration must list.
    pub(super) fn to_register(&self) -> String {
        to_register(&self.redirect_uri)
    }

    /// The address of the sign-in page.
    pub(super) fn address(&self, plan: &Plan, authority: &Authority, response_mode: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(self.verifier.expose().as_bytes()));
        let scope = plan.scope();
        let mut parameters = vec![
            ("client_id", plan.credential.application_id()),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("response_mode", response_mode),
            ("scope", &scope),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        match plan.hint() {
            Some(account) => parameters.push(("login_hint", account)),
            // Whoever administers customers has more than one account in the browser.
            None => parameters.push(("prompt", "select_account")),
        }
        parameters.extend(plan.claims.as_deref().map(|claims| ("claims", claims)));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        format!("{}?{query}", authority.authorization_endpoint)
    }

    /// The error for what the sign-in page said; names the address to register where that is what is missing.
    pub(super) fn refusal(&self, plan: &Plan, service: ServiceError) -> Error {
        let error = sign_in_refused(service, &plan.question());
        self.explain(error)
    }

    /// Names the reply URL where it is what the service does not know.
    pub(super) fn explain(&self, error: Error) -> Error {
        let code = error.service().map_or("", |service| service.code.as_str());
        if !matches!(code, "AADSTS50011" | "AADSTS500112" | "AADSTS500113") {
            return error;
        }
        error.advise(format!(
            "Add exactly {} to the app registration under Authentication, platform Web, or give a registered one with \
             -RedirectUri.",
            self.to_register()
        ))
    }
}

impl Plan {
    /// For the words of an error.
    pub(super) fn question(&self) -> Question<'_> {
        Question {
            environment: &self.environment,
            credential: &self.credential,
            tenant: &self.tenant,
            target: &self.target,
            further: Vec::new(),
        }
    }
}

/// 32 random bytes as 43 characters that need no escaping.
fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    openssl::rand::rand_bytes(&mut bytes).map_err(|cause| Error::internal(format!("no random numbers: {cause}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the page says before anybody has signed in, and the user could do nothing about.
const DEAD_ENDS: [&str; 9] = [
    "AADSTS50011",
    "AADSTS500113",
    "AADSTS700016",
    "AADSTS90002",
    "AADSTS900144",
    "AADSTS500011",
    "AADSTS650053",
    "AADSTS650057",
    "AADSTS70011",
];

/// Looks at the sign-in page before the user is sent there: a reply URL that is not registered is said on the page alone,
/// never to the application. Where the page cannot be looked at, the user will see for themselves.
pub(super) async fn try_out(plan: &Plan, attempt: &Attempt, address: &str) -> Result<()> {
    let spec = RequestSpec::get(address)?
        .header(ACCEPT, "text/html")?
        .limit(2 << 20)
        .retry(Retry {
            repeats: 0,
            waits: Duration::ZERO,
            budget: None,
        });
    let Ok(reply) = plan.environment.http()?.send(&spec).await else {
        return Ok(());
    };
    if let Some(service) = sent_back(attempt, reply.header("location")) {
        return Err(attempt.refusal(plan, service));
    }
    let text = String::from_utf8_lossy(reply.bytes());
    let found = DEAD_ENDS.into_iter().find(|code| text.contains(&format!("{code}:")));
    match found {
        Some(code) => Err(attempt.refusal(
            plan,
            ServiceError {
                http_status: reply.status(),
                error: "invalid_request".to_owned(),
                code: code.to_owned(),
                ..ServiceError::default()
            },
        )),
        None => Ok(()),
    }
}

/// A request that is wrong in itself is sent back without a page.
fn sent_back(attempt: &Attempt, location: Option<&str>) -> Option<ServiceError> {
    let location = location.filter(|location| location.starts_with(&attempt.redirect_uri))?;
    match response::read(Url::parse(location).ok()?.query()?)? {
        (state, Response::Refused(service)) if state == attempt.state => Some(*service),
        _ => None,
    }
}
