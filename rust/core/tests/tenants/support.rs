//! A sandbox, an engine that knows it, and operations run to their end.

use secureapp_core::credential::Credential;
use secureapp_core::{
    engine, Engine, Error, Event, Field, HttpOptions, Next, Operation, Request, Result, Session, Value,
};
use secureapp_sandbox::{Options, Sandbox};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) session: Session,
}

/// Everything that an operation said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) records: Vec<Value>,
    pub(crate) warnings: Vec<String>,
    pub(crate) end: Result<()>,
}

impl World {
    pub(crate) async fn start(options: Options) -> World {
        World::start_with(options, HttpOptions::default()).await
    }

    /// With an engine that waits little between tries.
    pub(crate) async fn start_quick(options: Options) -> World {
        let http = HttpOptions {
            first_backoff: Duration::from_millis(1),
            ..HttpOptions::default()
        };
        World::start_with(options, http).await
    }

    async fn start_with(options: Options, http: HttpOptions) -> World {
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let engine = Engine::with_options(tokio::runtime::Handle::current(), engine::Options { http });
        let session = engine.session();
        let world = World { sandbox, session };
        let facts = world.sandbox.facts();
        let endpoints = [
            ("loginHost", &facts.endpoints.login),
            ("graphHost", &facts.endpoints.graph),
            ("partnerCenterHost", &facts.endpoints.partner_center),
            ("manageHost", &facts.endpoints.manage),
            ("outlookHost", &facts.endpoints.outlook),
            ("aadGraphHost", &facts.endpoints.aad_graph),
            ("keyVaultHost", &facts.endpoints.key_vault),
        ];
        world.add_environment(&facts.environment, endpoints.map(|(key, url)| (key, url.as_str())));
        world
    }

    pub(crate) fn add_environment<'a>(&self, name: &str, endpoints: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut request = Request::new("environment.add")
            .with("name", Field::Text(name.to_owned()))
            .with("caPem", Field::Text(self.sandbox.ca_pem().to_owned()));
        for (key, url) in endpoints {
            request.set(key, Field::Text(url.to_owned()));
        }
        secureapp_core::immediate(self.session.engine(), &request).expect("the environment is added");
    }

    /// A `credential` request with what the sandbox gave out.
    pub(crate) fn credential_request(&self) -> Request {
        let facts = self.sandbox.facts();
        Request::new("credential")
            .with("applicationId", Field::Text(facts.application_id.clone()))
            .with("secret", Field::Secret(facts.secret.as_str().into()))
            .with("refreshToken", Field::Secret(facts.refresh_token.as_str().into()))
    }

    /// An operation's request, with the sandbox as its environment.
    pub(crate) fn request(&self, kind: &str, credential: &Request) -> Request {
        let credential = Credential::open(credential).expect("a credential");
        Request::new(kind)
            .with("credential", Field::Credential(Arc::new(credential)))
            .with("environment", Field::Text(self.sandbox.facts().environment.clone()))
    }

    /// A list of the partner's customers with their relationships, narrowed by further fields.
    pub(crate) async fn with_relationships(&self, fields: &[(&str, Field)]) -> Outcome {
        let mut request = self.request("delegated_tenants", &self.credential_request());
        request.set("relationships", Field::Int(1));
        for (key, field) in fields {
            request.set(*key, field.clone());
        }
        let outcome = self.run(request).await;
        outcome.assert_no_secret(self);
        outcome
    }

    pub(crate) async fn run(&self, request: Request) -> Outcome {
        self.run_on(request, Vec::new()).await
    }

    /// The same for an operation that takes items; few enough to wait in its queue.
    pub(crate) async fn run_on(&self, request: Request, items: Vec<Request>) -> Outcome {
        let operation = match Operation::start(&self.session, request) {
            Ok(operation) => operation,
            Err(error) => {
                return Outcome {
                    records: Vec::new(),
                    warnings: Vec::new(),
                    end: Err(error),
                }
            }
        };
        for item in items {
            operation.submit(item).expect("the item is taken");
        }
        operation.finish_input();
        let mut outcome = Outcome {
            records: Vec::new(),
            warnings: Vec::new(),
            end: Ok(()),
        };
        loop {
            match operation.next().await {
                Ok(Next::Event(Event::Record(record))) => outcome.records.push(record),
                Ok(Next::Event(Event::Warning(text))) => outcome.warnings.push(text),
                Ok(Next::Event(Event::Failed(failure))) => panic!("an item failed: {:?}", failure.error),
                Ok(Next::Event(_)) => {}
                Ok(Next::Done) => return outcome,
                Err(error) => {
                    outcome.end = Err(error);
                    return outcome;
                }
            }
        }
    }

    /// Makes a certificate that lasts some days: it and its key, as PEM.
    pub(crate) async fn certificate(&self, days: i64) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.pem").to_string_lossy().into_owned();
        let plan = Request::new("certificate_create")
            .with("subject", Field::Text("CN=Made".to_owned()))
            .with("keyLength", Field::Int(2048))
            .with("days", Field::Int(days))
            .with("pemPath", Field::Text(path.clone()));
        self.run(plan).await.end.expect("a certificate");
        std::fs::read_to_string(path).expect("the file")
    }

    /// The ids of the customers' tenants.
    pub(crate) fn tenant_ids(&self) -> Vec<String> {
        let tenants = self.sandbox.facts().tenants.iter();
        tenants.map(|tenant| tenant.tenant_id.clone()).collect()
    }

    pub(crate) fn fault(&self, fault: serde_json::Value) {
        self.sandbox.control().add_faults(fault).expect("a fault");
    }

    /// How often the sandbox saw a request whose method and path hold `part`.
    pub(crate) fn requests(&self, part: &str) -> u64 {
        let stats = self.sandbox.control().stats();
        let by_path = stats["byPath"].as_object().cloned().unwrap_or_default();
        by_path
            .iter()
            .filter(|(path, _)| path.contains(part))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }
}

impl Outcome {
    /// The error that ended the operation; no secret of the sandbox may be in anything that was said.
    pub(crate) fn error(&self) -> &Error {
        self.end.as_ref().expect_err("the operation fails")
    }

    /// Fails the test where anything that was said holds one of the sandbox's secrets.
    pub(crate) fn assert_no_secret(&self, world: &World) {
        let facts = world.sandbox.facts();
        let mut said = format!("{self:?}");
        if let Err(error) = &self.end {
            said.push_str(&format!("{:?}", error.to_value()));
        }
        for secret in [&facts.secret, &facts.refresh_token] {
            assert!(!said.contains(secret.as_str()), "a secret is in: {said}");
        }
        assert!(!said.contains("eyJ"), "a token is in: {said}");
    }
}

pub(crate) fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record
        .get(key)
        .and_then(Value::as_text)
        .unwrap_or_else(|| panic!("no text '{key}' in {record:?}"))
}
