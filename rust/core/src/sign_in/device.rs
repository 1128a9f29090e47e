//! The device code flow (RFC 8628; Microsoft's "OAuth 2.0 device authorization grant flow"): the user signs in with a short
//! code on any machine, and this one asks until that is done.

use super::authority::{self, Authority};
use super::outcome::{self, SignedIn};
use super::tokens::says_error;
use super::Plan;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Prompt};
use crate::http::Reply;
use crate::operation::Sink;
use crate::secret::Secret;
use crate::token::{ask_as_client, read_service_error, refused, Number, Question};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// RFC 8628, section 3.2: where the service says nothing.
const INTERVAL: Duration = Duration::from_secs(5);
/// RFC 8628, section 3.5: what `slow_down` adds to every further wait.
const SLOWER: Duration = Duration::from_secs(5);
/// What Entra gives a user.
const LIFE: Duration = Duration::from_secs(900);

#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    device_code: String,
    #[serde(default)]
    user_code: String,
    /// v1 calls it `verification_url`.
    #[serde(default, alias = "verification_url")]
    verification_uri: String,
    #[serde(default)]
    expires_in: Option<Number>,
    #[serde(default)]
    interval: Option<Number>,
    #[serde(default)]
    message: String,
}

/// Starts a device code, tells the user, and waits for them.
pub(crate) async fn run(plan: &Plan, sink: &Sink) -> Result<SignedIn> {
    let authority = authority::discover(plan).await?;
    let started = start(plan, &authority).await?;
    let device_code = Secret::new(started.device_code);
    let seconds = |number: Option<Number>| number.and_then(|n| u64::try_from(n.0).ok()).filter(|n| *n > 0);
    let ends = Instant::now() + seconds(started.expires_in).map_or(LIFE, |life| Duration::from_secs(life.min(86_400)));
    let mut pace = Pace(seconds(started.interval).map_or(INTERVAL, Duration::from_secs));
    let prompt = Prompt::device(&started.message, &started.verification_uri, &started.user_code);
    sink.send(Event::Prompt(prompt)).await?;
    loop {
        let wait = pace.0.min(ends.saturating_duration_since(Instant::now()));
        tokio::time::sleep(wait).await;
        if Instant::now() >= ends {
            return Err(plan.name(expired()));
        }
        match poll(plan, &authority, &device_code).await {
            Ok(reply) if reply.is_success() && !says_error(&reply) => {
                return outcome::read(plan, &authority, &reply, None).await;
            }
            Ok(reply) => {
                let service = read_service_error(&String::from_utf8_lossy(reply.bytes()));
                if !pace.goes_on(&service.error, reply.status()) {
                    let question = Question {
                        further: vec![&device_code],
                        ..plan.question()
                    };
                    return Err(refused(&reply, &question));
                }
            }
            // RFC 8628, section 3.5: a poll that did not come through is tried again, more slowly.
            Err(error) if error.is_retryable() => pace.0 = pace.0.saturating_mul(2).min(Duration::from_secs(60)),
            Err(error) => return Err(plan.name(error)),
        }
    }
}

/// The wait between polls.
struct Pace(Duration);

impl Pace {
    /// Whether to ask again after this error.
    fn goes_on(&mut self, error: &str, status: u16) -> bool {
        match error {
            "authorization_pending" => true,
            "slow_down" => {
                self.0 += SLOWER;
                true
            }
            _ if status == 429 || status >= 500 => {
                self.0 += SLOWER;
                true
            }
            _ => false,
        }
    }
}

async fn start(plan: &Plan, authority: &Authority) -> Result<Started> {
    let endpoint = match &authority.device_authorization_endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!(
            "{}/{}/oauth2/v2.0/devicecode",
            plan.environment.endpoint(Service::Login)?,
            plan.tenant
        ),
    };
    let scope = plan.scope();
    let mut fields = vec![("scope", scope.as_str())];
    fields.extend(plan.claims.as_deref().map(|claims| ("claims", claims)));
    let reply = ask_as_client(&plan.question(), &plan.tokens, &endpoint, &fields)
        .await
        .map_err(|error| plan.name(error))?;
    // The endpoint is known to send errors with status 200.
    if !reply.is_success() || says_error(&reply) {
        return Err(refused(&reply, &plan.question()));
    }
    let started: Started = reply.json().map_err(|error| plan.name(error))?;
    if started.device_code.is_empty() || started.user_code.is_empty() || started.verification_uri.is_empty() {
        return Err(plan.name(
            Error::new(
                Kind::Protocol,
                "the sign-in host's answer has no device code, user code or address",
            )
            .advise("Try again; if it stays so, sign in with a browser instead (leave -UseDeviceCode out)."),
        ));
    }
    Ok(started)
}

async fn poll(plan: &Plan, authority: &Authority, device_code: &Secret) -> Result<Reply> {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code.expose()),
        ("client_info", "1"),
    ];
    let question = Question {
        further: vec![device_code],
        ..plan.question()
    };
    ask_as_client(&question, &plan.tokens, &authority.token_endpoint, &fields).await
}

#[cold]
fn expired() -> Error {
    Error::new(Kind::Timeout, "nobody entered the code before it expired").advise("Start the sign-in again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_repeated_while_it_may_help() {
        let mut pace = Pace(Duration::from_secs(5));
        assert!(pace.goes_on("authorization_pending", 400));
        assert_eq!(pace.0, Duration::from_secs(5));
        assert!(pace.goes_on("slow_down", 400) && pace.goes_on("slow_down", 400));
        assert_eq!(pace.0, Duration::from_secs(15), "five more seconds each time, for good");
        assert!(pace.goes_on("", 503));
        for end in [
            "authorization_declined",
            "expired_token",
            "bad_verification_code",
            "access_denied",
            "",
        ] {
            assert!(!pace.goes_on(end, 400), "{end}");
        }
    }
}
