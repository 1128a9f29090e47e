//! The sandbox's own endpoints, on every port under `/sandbox/`, and the same in process.

mod sign_in;

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::application::RefreshTokenHealth;
use crate::clock::parse_utc_ms;
use crate::estate::HealthChange;
use crate::fault::FaultList;
use crate::federation;
use crate::feed::truth;
use crate::graph::{directory, reports, security};
use crate::hold::HoldCounts;
use crate::keys::{AssertionSettings, Upload};
use crate::reply::{self, Call, Reply};
use crate::world::World;

/// In-process access to a sandbox's control endpoints; cheap to clone, usable from any thread.
///
/// Methods that take JSON take the bodies of the endpoints and fail with a sentence that names what is wrong.
#[derive(Clone)]
pub struct Control {
    world: Arc<World>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Control")
    }
}

/// `POST /sandbox/application`; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplicationChange {
    secret_expired: Option<bool>,
    /// Days until every secret of the registration ends; a fraction will do.
    secret_days: Option<f64>,
    /// Permissions that the application does not have after all, delegated and its own, by name.
    withheld_permissions: Option<Vec<String>>,
    token_lifetime_seconds: Option<u32>,
    refresh_token: Option<RefreshTokenName>,
    single_use_refresh_tokens: Option<bool>,
    v2_numbers_as_strings: Option<bool>,
    clock_skew_seconds: Option<i64>,
    redirect_uris: Option<Vec<String>>,
    id_token_amr: Option<bool>,
    device_code_seconds: Option<u32>,
    device_interval_seconds: Option<u32>,
    device_slow_downs: Option<u32>,
    device_errors_with_status200: Option<bool>,
    assertions: Option<AssertionSettings>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RefreshTokenName {
    Active,
    Expired,
    Revoked,
}

/// `POST /sandbox/secrets`: one more secret of the application.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewSecret {
    #[serde(default)]
    expired: bool,
}

/// `POST /sandbox/users`: one more user of the partner.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewUser {
    user_principal_name: String,
    #[serde(default = "yes")]
    mfa: bool,
    /// One of Microsoft's public clients that the token is for; the partner's application where none is named.
    public_client: Option<String>,
}

fn yes() -> bool {
    true
}

impl Control {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Control { world }
    }

    /// `GET /sandbox/stats`.
    pub fn stats(&self) -> Value {
        self.world.stats.report()
    }

    /// `POST /sandbox/stats/reset`.
    pub fn reset_stats(&self) {
        self.world.stats.reset();
    }

    /// `POST /sandbox/faults`: adds one fault or an array of them and returns their ids.
    pub fn add_faults(&self, faults: Value) -> Result<Vec<String>, String> {
        let list: FaultList = match &faults {
            // Told apart by hand: an untagged enum's own message would not say what is wrong.
            Value::Array(_) => FaultList::Many(from_json(faults)?),
            _ => FaultList::One(Box::new(from_json(faults)?)),
        };
        Ok(self.world.faults.add(list))
    }

    /// `DELETE /sandbox/faults`: forgets all faults and releases all holds.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
        self.world.holds.release_all();
    }

    /// `POST /sandbox/holds/{id}/release`: lets go the replies that a fault holds now.
    pub fn release(&self, fault: &str) -> HoldCounts {
        self.world.holds.release(fault)
    }

    /// `GET /sandbox/holds/{id}`: waits until `count` replies are `held`, `closed` or `released`; Err with the counts when
    /// that takes longer than `timeout`.
    pub async fn wait_hold(
        &self,
        fault: &str,
        wait: &str,
        count: u64,
        timeout: Duration,
    ) -> Result<HoldCounts, HoldCounts> {
        let (now, in_time) = self
            .world
            .holds
            .wait(fault, timeout, |c| match wait {
                "closed" => c.closed >= count,
                "released" => c.released >= count,
                _ => c.held >= count,
            })
            .await;
        if in_time {
            Ok(now)
        } else {
            Err(now)
        }
    }

    /// `POST /sandbox/tenants/{tenantId}`: changes a tenant's health.
    pub fn set_tenant(&self, tenant: &str, change: Value) -> Result<(), String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        let change: HealthChange = from_json(change)?;
        if let Some(code) = change.unknown_outcome() {
            return Err(format!("Conditional Access has no outcome {code} here"));
        }
        let disabled = change.disabled_subscriptions.join(",");
        self.world.feed.disable(tenant, &disabled, self.world.clock.now_ms())?;
        tenant.change(change);
        Ok(())
    }

    /// `POST /sandbox/application`: changes the application's health and the service clock.
    pub fn set_application(&self, change: Value) -> Result<(), String> {
        let change: ApplicationChange = from_json(change)?;
        let state = &self.world.application.state;
        for (target, value) in [
            (&state.single_use_refresh_tokens, change.single_use_refresh_tokens),
            (&state.v2_numbers_as_strings, change.v2_numbers_as_strings),
            (&state.id_token_amr, change.id_token_amr),
            (
                &state.device.errors_with_status_200,
                change.device_errors_with_status200,
            ),
        ] {
            if let Some(value) = value {
                target.store(value, Ordering::Relaxed);
            }
        }
        for (target, value) in [
            (&state.token_lifetime_seconds, change.token_lifetime_seconds),
            (&state.device.life_seconds, change.device_code_seconds),
            (&state.device.interval_seconds, change.device_interval_seconds),
            (&state.device.slow_downs, change.device_slow_downs),
        ] {
            if let Some(value) = value {
                target.store(value, Ordering::Relaxed);
            }
        }
        if let Some(uris) = change.redirect_uris {
            state.set_redirect_uris(uris);
        }
        if let Some(expired) = change.secret_expired {
            self.world.application.keys.set_secrets_expired(expired);
        }
        if let Some(days) = change.secret_days {
            let ends = self.world.clock.now().saturating_add((days * 86_400.0) as i64);
            self.world.application.keys.set_secrets_end(ends);
        }
        if let Some(permissions) = change.withheld_permissions {
            state.withhold(permissions);
        }
        if let Some(settings) = change.assertions {
            self.world.application.keys.set(settings);
        }
        if let Some(name) = change.refresh_token {
            state.set_refresh_token(match name {
                RefreshTokenName::Active => RefreshTokenHealth::Active,
                RefreshTokenName::Expired => RefreshTokenHealth::Expired,
                RefreshTokenName::Revoked => RefreshTokenHealth::Revoked,
            });
        }
        if let Some(seconds) = change.clock_skew_seconds {
            self.world.clock.set_skew(seconds);
        }
        Ok(())
    }

    /// `POST /sandbox/sign-in`: what a person does at the sign-in page of `url`, or with `userCode` at the page of a device
    /// code, without a browser.
    pub fn sign_in(&self, attempt: Value) -> Result<Value, String> {
        sign_in::run(&self.world, from_json(attempt)?)
    }

    /// `POST /sandbox/certificates`: uploads a certificate to the application's registration and returns its entry there.
    pub fn add_certificate(&self, upload: Value) -> Result<Value, String> {
        let upload: Upload = from_json(upload)?;
        let keys = &self.world.application.keys;
        keys.upload(&upload, &mut self.world.random(), self.world.clock.now())
    }

    /// `DELETE /sandbox/certificates/{keyId or thumbprint}`.
    pub fn remove_certificate(&self, name: &str) -> Result<(), String> {
        match self.world.application.keys.remove(name) {
            true => Ok(()),
            false => Err(format!(
                "no certificate '{name}' is registered; GET /sandbox/certificates lists them"
            )),
        }
    }

    /// `GET /sandbox/certificates`: the registration's `keyCredentials`.
    pub fn certificates(&self) -> Value {
        self.world.application.keys.shown()
    }

    /// `GET /sandbox/assertions`: the latest client assertions, as they came, oldest first: for a judge of one's own.
    pub fn assertions(&self) -> Vec<String> {
        self.world.stats.assertions()
    }

    /// `POST /sandbox/secrets`: one more secret of the application, as `{keyId, secretText}`.
    pub fn add_secret(&self, expired: bool) -> Value {
        let (key_id, secret) =
            self.world
                .application
                .keys
                .add_secret(&mut self.world.random(), self.world.clock.now(), expired);
        json!({"keyId": key_id, "secretText": secret})
    }

    /// `POST /sandbox/audit`: changes how the feed behaves; only before the first look at it.
    pub fn set_audit(&self, change: Value) -> Result<(), String> {
        let Value::Object(fields) = change else {
            return Err("the body is not an object".to_owned());
        };
        let changes: Vec<(String, String)> = fields
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name, text),
                other => (name, other.to_string()),
            })
            .collect();
        self.world.feed.change(&changes)
    }

    /// `POST /sandbox/vault`: how the key vault behaves: `challenge` (`resource` or `scope`), `resource`, `access`
    /// (`allowed`, `read-only`, `rbac`, `policy`, `firewall`), `throttled` (seconds), `recoveryRequests`. What is absent goes
    /// back to its default.
    pub fn set_vault(&self, change: Value) -> Result<(), String> {
        self.world.vault.set(from_json(change)?);
        Ok(())
    }

    /// `POST /sandbox/exchange`: how Exchange Online behaves: `resultCount` (`total`, `resultSize`, `resultSizeAlone`, `zero`, `fraction`),
    /// `pageSize`, `sessionLimit`, `previewLimit`, `emptyPages`, `shortPages`, `repeats`, `cancelled`, `cut` (shares), `longestPause` (empty calls in a
    /// row), `cutFor` (`once` or `always`), `moreOf` (`search` or `session`), `metadata` (`object`, `text` or `pascal`), `restarts`,
    /// `unsorted`, `failing` (two times). What is absent stays.
    pub fn set_exchange(&self, change: Value) -> Result<(), String> {
        self.world.exchange.change(from_json(change)?)
    }

    /// `POST /sandbox/graph`: how Microsoft Graph behaves: `polls`, `betaOnly`, `recordLimit`, `inFlight`, `unstable`,
    /// `failed`, `repeats` (shares), `stuck`, `counted`, `miscounted` (records), `reportsInTenSeconds`, `premium`, `replication`. What is absent goes
    /// back to its default.
    pub fn set_graph(&self, change: Value) -> Result<(), String> {
        self.world.graph.set(from_json(change)?);
        Ok(())
    }

    /// `GET /sandbox/busiest/{tenantId}?ms=60000`: the most requests to a tenant's activity feed that came within any stretch of this
    /// length.
    pub fn busiest(&self, tenant: &str, stretch: Duration) -> Result<usize, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        Ok(self.world.feed.busiest(tenant, stretch))
    }

    /// `GET /sandbox/directory/{tenantId}`: the objects of a tenant's directory that can be looked up by their ids.
    pub fn directory(&self, tenant: &str) -> Result<Value, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        Ok(directory::objects(&self.world, tenant).into())
    }

    /// `GET /sandbox/mail`: the messages that were sent, in their order, as `{mailbox, sentBy, message, attachments}` with each
    /// attachment's `name`, `contentType`, `size` and `sha256`; and how many drafts and uploads lie about.
    pub fn mail(&self) -> Value {
        self.world.graph.mail.report()
    }

    /// `POST /sandbox/mail`: how mailboxes behave: `largestMessage` (bytes), `sizeCheckedWhenSent`, `withoutMailbox` (names),
    /// `lostAnswers` (messages), `uploadHost` (another address than Exchange's). What is absent goes back to its default.
    pub fn set_mail(&self, change: Value) -> Result<(), String> {
        self.world.graph.mail.set(from_json(change)?);
        Ok(())
    }

    /// `GET /sandbox/truth/{tenantId}?report=signIns`: the ids of a tenant's items in `signIns`, `directoryAudits` or
    /// `provisioning` whose events happened in `[start, end)` (seconds since 1970), sorted.
    pub fn truth_of_report(&self, tenant: &str, report: &str, start: i64, end: i64) -> Result<Vec<String>, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        let report = reports::Report::find(report)
            .ok_or_else(|| format!("there is no report '{report}'; use signIns, directoryAudits or provisioning"))?;
        Ok(reports::truth(&self.world, tenant, report, start, end))
    }

    /// `GET /sandbox/truth/{tenantId}?report=alerts`: the ids of a tenant's security alerts, sorted.
    pub fn truth_of_alerts(&self, tenant: &str) -> Result<Vec<String>, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        Ok(security::truth(&self.world, tenant))
    }

    /// `GET /sandbox/truth/{tenantId}?by=event`: the ids of a tenant's records, each once, sorted, whose events happened in
    /// `[start, end)` (seconds since 1970) and have arrived.
    pub fn truth_by_event(&self, tenant: &str, start: i64, end: i64) -> Result<Vec<String>, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        Ok(truth::events(&self.world, tenant, start, end))
    }

    /// `GET /sandbox/truth`: distinct records per tenant and content type.
    pub fn truth(&self) -> Value {
        truth::summary(&self.world)
    }

    /// `GET /sandbox/truth/{tenantId}`: the ids of a tenant's records, each once, sorted, of the named content types (all
    /// when there are none), in blobs that were created in `[start, end)` (milliseconds since 1970). A record without an
    /// id has `sha256:` and the digest of its bytes.
    pub fn truth_of(
        &self,
        tenant: &str,
        content_types: &str,
        start_ms: Option<i64>,
        end_ms: Option<i64>,
    ) -> Result<Vec<String>, String> {
        let tenant = self.world.estate.find(tenant).ok_or_else(|| no_tenant(tenant))?;
        let content_types = truth::content_types(content_types)?;
        Ok(truth::keys(&self.world, tenant, &content_types, start_ms, end_ms))
    }

    /// `POST /sandbox/managedIdentity`: changes how the machine's managed identities behave.
    pub fn set_managed_identity(&self, change: Value) -> Result<(), String> {
        self.world.platform.settings.change(from_json(change)?);
        Ok(())
    }

    /// `POST /sandbox/federatedCredentials`: whose tokens prove the application, instead of those it trusted until now.
    pub fn set_federated_credentials(&self, trusted: Value) -> Result<(), String> {
        self.world.federation.set_trusted(from_json(trusted)?);
        Ok(())
    }

    /// `POST /sandbox/federatedToken`: writes a new token to the workload's file; the token and the file's path.
    pub fn federated_token(&self, mint: Value) -> Result<Value, String> {
        federation::mint(&self.world, &from_json(mint)?)
    }

    /// `POST /sandbox/users`: a refresh token of one more user of the partner, signed in with multi-factor
    /// authentication or without.
    pub fn add_user(&self, user_principal_name: &str, mfa: bool) -> String {
        self.world.new_refresh_token(user_principal_name, mfa, None)
    }

    /// The same for one of Microsoft's public clients, by its id: what its user has signed in to.
    pub fn add_user_of(&self, public_client: &str, user_principal_name: &str, mfa: bool) -> String {
        self.world
            .new_refresh_token(user_principal_name, mfa, Some(public_client))
    }
}

/// Serves a request under `/sandbox/`.
pub(crate) async fn serve(world: &Arc<World>, call: &Call) -> Reply {
    let control = Control::new(world.clone());
    let path: Vec<&str> = call.path.trim_matches('/').split('/').skip(1).collect();
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["stats"]) => reply::json(200, &control.stats()),
        (&Method::POST, ["stats", "reset"]) => {
            control.reset_stats();
            done()
        }
        (&Method::POST, ["faults"]) => match parse(call).and_then(|faults| control.add_faults(faults)) {
            Ok(ids) => reply::json(200, &json!({ "ids": ids })),
            Err(message) => refused(&message),
        },
        (&Method::DELETE, ["faults"]) => {
            control.clear_faults();
            done()
        }
        (&Method::POST, ["holds", id, "release"]) => reply::json(200, &control.release(id)),
        (&Method::GET, ["holds", id]) => {
            let wait = call.parameter("wait").unwrap_or_else(|| "held".to_owned());
            match (number(call, "count", 1), number(call, "timeoutMs", 10_000)) {
                (Ok(count), Ok(ms)) => match control.wait_hold(id, &wait, count, Duration::from_millis(ms)).await {
                    Ok(counts) => reply::json(200, &counts),
                    Err(counts) => reply::json(408, &counts),
                },
                (Err(message), _) | (_, Err(message)) => refused(&message),
            }
        }
        (&Method::POST, ["tenants", tenant]) => {
            answer(parse(call).and_then(|change| control.set_tenant(tenant, change)))
        }
        (&Method::POST, ["application"]) => answer(parse(call).and_then(|change| control.set_application(change))),
        (&Method::POST, ["sign-in"]) => match parse(call).and_then(|attempt| control.sign_in(attempt)) {
            Ok(outcome) => reply::json(200, &outcome),
            Err(message) => refused(&message),
        },
        (&Method::GET, ["assertions"]) => reply::json(200, &control.assertions()),
        (&Method::GET, ["certificates"]) => reply::json(200, &control.certificates()),
        (&Method::POST, ["certificates"]) => match parse(call).and_then(|upload| control.add_certificate(upload)) {
            Ok(entry) => reply::json(200, &entry),
            Err(message) => refused(&message),
        },
        (&Method::DELETE, ["certificates", name]) => answer(control.remove_certificate(name)),
        (&Method::POST, ["secrets"]) => match parse(call).and_then(from_json::<NewSecret>) {
            Ok(secret) => reply::json(200, &control.add_secret(secret.expired)),
            Err(message) => refused(&message),
        },
        (&Method::POST, ["audit"]) => answer(parse(call).and_then(|change| control.set_audit(change))),
        (&Method::POST, ["graph"]) => answer(parse(call).and_then(|change| control.set_graph(change))),
        (&Method::POST, ["exchange"]) => answer(parse(call).and_then(|change| control.set_exchange(change))),
        (&Method::POST, ["vault"]) => answer(parse(call).and_then(|change| control.set_vault(change))),
        (&Method::GET, ["mail"]) => reply::json(200, &control.mail()),
        (&Method::POST, ["mail"]) => answer(parse(call).and_then(|change| control.set_mail(change))),
        (&Method::GET, ["directory", tenant]) => match control.directory(tenant) {
            Ok(objects) => reply::json(200, &objects),
            Err(message) => refused(&message),
        },
        (&Method::GET, ["busiest", tenant]) => match busiest(&control, call, tenant) {
            Ok(requests) => reply::json(200, &json!({ "requests": requests })),
            Err(message) => refused(&message),
        },
        (&Method::GET, ["truth"]) => reply::json(200, &control.truth()),
        (&Method::GET, ["truth", tenant]) => match truth_of(&control, call, tenant) {
            Ok(mut keys) => {
                keys.push(String::new());
                reply::reply(200, "text/plain; charset=utf-8", keys.join("\n"))
            }
            Err(message) => refused(&message),
        },
        (&Method::POST, ["managedIdentity"]) => {
            answer(parse(call).and_then(|change| control.set_managed_identity(change)))
        }
        (&Method::POST, ["federatedCredentials"]) => {
            answer(parse(call).and_then(|trusted| control.set_federated_credentials(trusted)))
        }
        (&Method::POST, ["federatedToken"]) => match parse(call).and_then(|mint| control.federated_token(mint)) {
            Ok(minted) => reply::json(200, &minted),
            Err(message) => refused(&message),
        },
        (&Method::POST, ["users"]) => match parse(call).and_then(from_json::<NewUser>) {
            Ok(user) => {
                let name = &user.user_principal_name;
                let token = match &user.public_client {
                    Some(client) => control.add_user_of(client, name, user.mfa),
                    None => control.add_user(name, user.mfa),
                };
                reply::json(200, &json!({ "refreshToken": token }))
            }
            Err(message) => refused(&message),
        },
        _ => reply::json(
            404,
            &json!({"error": format!("there is no {} {} here", call.method, call.path)}),
        ),
    }
}

fn busiest(control: &Control, call: &Call, tenant: &str) -> Result<usize, String> {
    control.busiest(tenant, Duration::from_millis(number(call, "ms", 60_000)?))
}

/// A parameter of the query.
fn number(call: &Call, name: &str, default: u64) -> Result<u64, String> {
    call.parameter(name).map_or(Ok(default), |text| {
        text.parse()
            .map_err(|_| format!("{name} needs a whole number, not '{text}'"))
    })
}

fn truth_of(control: &Control, call: &Call, tenant: &str) -> Result<Vec<String>, String> {
    let moment = |name: &str| match call.parameter(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => parse_utc_ms(&text)
            .map(Some)
            .ok_or_else(|| format!("{name} needs a UTC time such as 2026-01-31T10:00:00, not '{text}'")),
    };
    let report = call.parameter("report");
    if report.as_deref() == Some("alerts") {
        return control.truth_of_alerts(tenant);
    }
    if report.is_some() || call.parameter("by").as_deref() == Some("event") {
        let seconds = |name: &str| moment(name).map(|ms| ms.map(|ms| ms.div_euclid(1000)));
        let (start, end) = (
            seconds("start")?.unwrap_or(i64::MIN),
            seconds("end")?.unwrap_or(i64::MAX),
        );
        return match report {
            Some(report) => control.truth_of_report(tenant, &report, start, end),
            None => control.truth_by_event(tenant, start, end),
        };
    }
    let content_types = call.parameter("contentType").unwrap_or_default();
    control.truth_of(tenant, &content_types, moment("start")?, moment("end")?)
}

fn no_tenant(name: &str) -> String {
    format!("there is no tenant '{name}' here; GET /sandbox/truth lists them")
}

fn parse(call: &Call) -> Result<Value, String> {
    serde_json::from_slice(&call.body).map_err(|e| format!("the body is not JSON: {e}"))
}

fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn answer(result: Result<(), String>) -> Reply {
    match result {
        Ok(()) => done(),
        Err(message) => refused(&message),
    }
}

fn done() -> Reply {
    reply::reply(204, "text/plain", "")
}

fn refused(message: &str) -> Reply {
    reply::json(400, &json!({ "error": message }))
}
