//! A sandbox, an engine that knows it, and short ways to ask.

use secureapp_core::{
    engine, immediate, Credential, Engine, Error, Event, Field, HttpOptions, Next, Operation, Request, Result, Secret,
    Session, Submitted, Value,
};
use secureapp_sandbox::{Options, Sandbox, Signature};
use serde_json::{json, Value as Json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
pub(crate) const PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com";
pub(crate) const NOBODY: &str = "00000000-0000-0000-0000-000000000001";
/// The name of the test environment.
pub(crate) const CLOUD: &str = "Cloud";
/// Longer than anything here takes; only a failing test waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Bed {
    pub(crate) sandbox: Sandbox,
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Session,
}

pub(crate) async fn sandbox(tenants: usize) -> Sandbox {
    let options = Options {
        tenants,
        records: 0,
        signature: Signature::Filler,
        ..Options::default()
    };
    Sandbox::start(options).await.expect("the sandbox starts")
}

/// An engine that waits little between retries.
pub(crate) fn engine() -> Arc<Engine> {
    let http = HttpOptions {
        first_backoff: Duration::from_millis(5),
        ..HttpOptions::default()
    };
    Engine::with_options(Handle::current(), engine::Options { http })
}

pub(crate) async fn bed(tenants: usize) -> Bed {
    bed_of(sandbox(tenants).await)
}

pub(crate) fn bed_of(sandbox: Sandbox) -> Bed {
    bed_with(sandbox, engine())
}

pub(crate) fn bed_with(sandbox: Sandbox, engine: Arc<Engine>) -> Bed {
    immediate(&engine, &environment(CLOUD, &sandbox, Some(sandbox.ca_pem()))).expect("the environment is added");
    let session = engine.session();
    Bed {
        sandbox,
        engine,
        session,
    }
}

/// `environment.add` for a sandbox's hosts.
pub(crate) fn environment(name: &str, sandbox: &Sandbox, ca_pem: Option<&str>) -> Request {
    let endpoints = &sandbox.facts().endpoints;
    let mut request = Request::new("environment.add");
    for (key, value) in [
        ("name", name),
        ("loginHost", &endpoints.login),
        ("graphHost", &endpoints.graph),
        ("partnerCenterHost", &endpoints.partner_center),
        ("manageHost", &endpoints.manage),
    ] {
        request.set(key, Field::Text(value.to_owned()));
    }
    if let Some(pem) = ca_pem {
        request.set("caPem", Field::Text(pem.to_owned()));
    }
    request
}

pub(crate) fn credential(application: &str, secret: Option<&str>, refresh_token: Option<&str>) -> Arc<Credential> {
    let mut request = Request::new("credential").with("applicationId", Field::Text(application.to_owned()));
    for (key, value) in [("secret", secret), ("refreshToken", refresh_token)] {
        if let Some(value) = value {
            request.set(key, Field::Secret(Secret::from(value)));
        }
    }
    Arc::new(Credential::open(&request).expect("a credential"))
}

/// What an operation gave.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) records: Vec<Value>,
    pub(crate) failures: Vec<(Value, Error)>,
    pub(crate) events: Vec<Event>,
}

impl Answers {
    /// The only record.
    pub(crate) fn record(&self) -> &Value {
        assert!(self.failures.is_empty(), "{:?}", self.failures);
        assert_eq!(self.records.len(), 1, "{self:?}");
        &self.records[0]
    }

    /// The only failure.
    pub(crate) fn error(&self) -> &Error {
        assert_eq!((self.records.len(), self.failures.len()), (0, 1), "{self:?}");
        &self.failures[0].1
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.record().get(key).and_then(Value::as_text).unwrap_or_default()
    }

    pub(crate) fn token(&self) -> &str {
        self.text("accessToken")
    }
}

/// A `token` item for a resource.
pub(crate) fn item(tenant: &str, resource: &str) -> Request {
    Request::new("token")
        .with("tenant", Field::Text(tenant.to_owned()))
        .with("resource", Field::Text(resource.to_owned()))
}

/// A `token` item for scopes.
pub(crate) fn scoped(tenant: &str, scopes: &[&str]) -> Request {
    Request::new("token")
        .with("tenant", Field::Text(tenant.to_owned()))
        .with(
            "scopes",
            Field::Texts(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        )
}

/// Reads an operation to its end.
pub(crate) async fn finish(operation: &Operation) -> Result<Answers> {
    let mut answers = Answers::default();
    loop {
        match operation.next().await? {
            Next::Done => return Ok(answers),
            Next::Event(Event::Record(record)) => answers.records.push(record),
            Next::Event(Event::Failed(failure)) => answers.failures.push((failure.target, failure.error)),
            Next::Event(event) => answers.events.push(event),
        }
    }
}

impl Bed {
    /// The partner's application with its secret and its user's refresh token.
    pub(crate) fn user(&self) -> Arc<Credential> {
        let facts = self.sandbox.facts();
        credential(&facts.application_id, Some(&facts.secret), Some(&facts.refresh_token))
    }

    /// The application for itself.
    pub(crate) fn application(&self) -> Arc<Credential> {
        let facts = self.sandbox.facts();
        credential(&facts.application_id, Some(&facts.secret), None)
    }

    pub(crate) fn tenant(&self, index: usize) -> String {
        self.sandbox.facts().tenants[index].tenant_id.clone()
    }

    pub(crate) fn domain(&self, index: usize) -> String {
        self.sandbox.facts().tenants[index].default_domain_name.clone()
    }

    /// A `tokens` request; `flags` are its int fields that are set.
    pub(crate) fn request(&self, credential: &Arc<Credential>, flags: &[&str]) -> Request {
        let mut request = Request::new("tokens")
            .with("credential", Field::Credential(Arc::clone(credential)))
            .with("environment", Field::Text(CLOUD.to_owned()));
        for flag in flags {
            request.set(*flag, Field::Int(1));
        }
        request
    }

    /// Starts a `tokens` operation on these items; it may still be stopped.
    pub(crate) fn begin(&self, credential: &Arc<Credential>, flags: &[&str], items: Vec<Request>) -> Operation {
        let operation = Operation::start(&self.session, self.request(credential, flags)).expect("it starts");
        for item in items {
            assert_eq!(operation.submit(item).expect("it takes input"), Submitted::Taken);
        }
        operation.finish_input();
        operation
    }

    /// Asks and waits.
    pub(crate) async fn ask(&self, credential: &Arc<Credential>, item: Request) -> Answers {
        self.ask_with(credential, &[], item).await
    }

    pub(crate) async fn ask_with(&self, credential: &Arc<Credential>, flags: &[&str], item: Request) -> Answers {
        finish(&self.begin(credential, flags, vec![item]))
            .await
            .expect("it ends well")
    }

    /// How often tokens were asked of the sandbox.
    pub(crate) fn asked(&self) -> u64 {
        let stats = self.sandbox.control().stats();
        let tokens = stats["tokens"].as_array().cloned().unwrap_or_default();
        tokens.iter().filter_map(|token| token["count"].as_u64()).sum()
    }

    /// How many requests of any kind came.
    pub(crate) fn requests(&self) -> u64 {
        self.sandbox.control().stats()["requests"].as_u64().unwrap_or_default()
    }

    pub(crate) fn fault(&self, fault: Json) {
        self.sandbox.control().add_faults(fault).expect("a fault");
    }

    /// Holds the next token replies at a stage, under the id `hold`.
    pub(crate) fn hold(&self, stage: &str, times: i64) {
        self.fault(json!({
            "id": "hold", "match": {"service": "login", "method": "POST"}, "times": times,
            "action": {"kind": "hold", "stage": stage},
        }));
    }

    /// Waits until `count` held replies are `held`, `closed` or `released`.
    pub(crate) async fn held(&self, what: &str, count: u64) {
        let waited = self.sandbox.control().wait_hold("hold", what, count, LONG).await;
        assert!(waited.is_ok(), "{what} {count}: {waited:?}");
    }

    pub(crate) fn release(&self) {
        self.sandbox.control().release("hold");
    }

    /// The next token replies are this status, these headers and this body.
    pub(crate) fn answer_with(&self, times: i64, status: u16, headers: Json, body: &str) {
        self.fault(json!({
            "id": "status", "match": {"service": "login", "method": "POST"}, "times": times,
            "action": {"kind": "status", "status": status, "headers": headers, "body": body},
        }));
    }
}
