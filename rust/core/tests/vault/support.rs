//! A sandbox, an engine that knows it and waits little, and operations run to their end.

use secureapp_core::{
    engine, Credential, Engine, Error, Event, Field, HttpOptions, Next, Operation, Request, Result, Secret, Session,
    Value,
};
use secureapp_sandbox::{Options, Sandbox};
use serde_json::json;
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
    pub(crate) async fn start() -> World {
        let options = Options {
            tenants: 1,
            records: 0,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let session = engine().session();
        let world = World { sandbox, session };
        add_environment(&world.sandbox, world.session.engine(), false);
        world
    }

    pub(crate) fn credential(&self) -> Arc<Credential> {
        let facts = self.sandbox.facts();
        open(
            &facts.application_id,
            &facts.partner_tenant_id,
            &facts.secret,
            &facts.refresh_token,
        )
    }

    pub(crate) fn request(&self, kind: &str) -> Request {
        Request::new(kind)
            .with("credential", Field::Credential(self.credential()))
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("vault", Field::Text("contoso".to_owned()))
    }

    pub(crate) async fn set(&self, name: &str, value: &str) -> Outcome {
        let request = self
            .request("vault_secret_set")
            .with("name", Field::Text(name.to_owned()))
            .with("value", Field::Secret(Secret::from(value)));
        self.run(request).await
    }

    pub(crate) async fn get(&self, name: &str) -> Outcome {
        self.run(
            self.request("vault_secret_get")
                .with("name", Field::Text(name.to_owned())),
        )
        .await
    }

    pub(crate) async fn run(&self, request: Request) -> Outcome {
        run(&self.session, request).await
    }

    pub(crate) fn vault(&self, settings: serde_json::Value) {
        self.sandbox
            .control()
            .set_vault(settings)
            .expect("settings of the vault");
    }

    pub(crate) fn fault(&self, fault: serde_json::Value) {
        self.sandbox.control().add_faults(fault).expect("a fault");
    }

    /// How often the sandbox saw this route.
    pub(crate) fn count(&self, route: &str) -> u64 {
        self.sandbox.control().stats()["byPath"][route]
            .as_u64()
            .unwrap_or_default()
    }
}

/// An engine whose waits are short.
pub(crate) fn engine() -> Arc<Engine> {
    let options = engine::Options {
        http: HttpOptions {
            first_backoff: Duration::from_millis(1),
            ..HttpOptions::default()
        },
    };
    Engine::with_options(tokio::runtime::Handle::current(), options)
}

pub(crate) fn add_environment(sandbox: &Sandbox, engine: &Engine, single_use: bool) {
    let facts = sandbox.facts();
    let text = |text: &str| Field::Text(text.to_owned());
    let mut request = Request::new("environment.add")
        .with("name", text("Cloud"))
        .with("loginHost", text(&facts.endpoints.login))
        .with("graphHost", text(&facts.endpoints.graph))
        .with("keyVaultHost", text(&facts.endpoints.key_vault))
        .with("caPem", text(sandbox.ca_pem()));
    if single_use {
        request.set("singleUseRefreshTokens", Field::Int(1));
        let single = json!({"singleUseRefreshTokens": true});
        sandbox.control().set_application(single).expect("single use");
    }
    secureapp_core::immediate(engine, &request).expect("the environment is added");
}

pub(crate) fn open(application: &str, tenant: &str, secret: &str, refresh_token: &str) -> Arc<Credential> {
    let request = Request::new("credential")
        .with("applicationId", Field::Text(application.to_owned()))
        .with("tenant", Field::Text(tenant.to_owned()))
        .with("secret", Field::Secret(secret.into()))
        .with("refreshToken", Field::Secret(refresh_token.into()));
    Arc::new(Credential::open(&request).expect("a credential"))
}

pub(crate) async fn run(session: &Session, request: Request) -> Outcome {
    let mut outcome = Outcome {
        records: Vec::new(),
        warnings: Vec::new(),
        end: Ok(()),
    };
    let operation = match Operation::start(session, request) {
        Ok(operation) => operation,
        Err(error) => {
            outcome.end = Err(error);
            return outcome;
        }
    };
    operation.finish_input();
    loop {
        match operation.next().await {
            Ok(Next::Event(Event::Record(record))) => outcome.records.push(record),
            Ok(Next::Event(Event::Warning(text))) => outcome.warnings.push(text),
            Ok(Next::Event(Event::Failed(failure))) => outcome.end = Err(failure.error),
            Ok(Next::Event(_)) => {}
            Ok(Next::Done) => return outcome,
            Err(error) => {
                outcome.end = Err(error);
                return outcome;
            }
        }
    }
}

impl Outcome {
    pub(crate) fn error(&self) -> &Error {
        self.end.as_ref().expect_err("the operation fails")
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        let record = self
            .records
            .first()
            .unwrap_or_else(|| panic!("no record: {:?}", self.end));
        record.get(key).and_then(Value::as_text).unwrap_or_default()
    }
}
