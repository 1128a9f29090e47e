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
        keep_locks_apart();
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

    /// Stores the sandbox's credential as 'sam', and returns it.
    pub(crate) async fn save(&self, single_use: bool) -> Arc<Credential> {
        let credential = self.credential();
        self.save_by(None, &credential, single_use).await;
        credential
    }

    /// Stores any credential as 'sam'; the sandbox's application opens the vault.
    pub(crate) async fn save_this(&self, credential: &Arc<Credential>, single_use: bool) {
        self.save_by(Some(self.access()), credential, single_use).await;
    }

    async fn save_by(&self, access: Option<Arc<Credential>>, credential: &Arc<Credential>, single_use: bool) {
        let mut request = self
            .place("credential_save")
            .with("credential", Field::Credential(Arc::clone(credential)))
            .with("singleUse", Field::Int(i64::from(single_use)));
        if let Some(access) = access {
            request.set("vaultCredential", Field::Credential(access));
        }
        let outcome = self.run(request).await;
        assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    }

    /// Deletes what is stored as 'sam'.
    pub(crate) async fn remove(&self) {
        let request = self
            .place("credential_remove")
            .with("vaultCredential", Field::Credential(self.access()));
        let outcome = self.run(request).await;
        assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    }

    fn place(&self, kind: &str) -> Request {
        Request::new(kind)
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("vault", Field::Text("contoso".to_owned()))
            .with("name", Field::Text("sam".to_owned()))
    }

    /// The application, without a user.
    fn access(&self) -> Arc<Credential> {
        let facts = self.sandbox.facts();
        access(&facts.application_id, &facts.partner_tenant_id, &facts.secret)
    }

    /// How often a secret was written.
    pub(crate) fn writes(&self) -> u64 {
        self.count("PUT /secrets/{name}")
    }

    /// How often a refresh token was redeemed, well or not.
    pub(crate) fn redemptions(&self) -> u64 {
        let tokens = self.sandbox.control().stats()["tokens"].clone();
        let rows = tokens.as_array().cloned().unwrap_or_default();
        rows.iter()
            .filter(|row| row["grant"] == "refresh_token")
            .filter_map(|row| row["count"].as_u64())
            .sum()
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

fn access(application: &str, tenant: &str, secret: &str) -> Arc<Credential> {
    let request = Request::new("credential")
        .with("applicationId", Field::Text(application.to_owned()))
        .with("tenant", Field::Text(tenant.to_owned()))
        .with("secret", Field::Secret(secret.into()));
    Arc::new(Credential::open(&request).expect("a credential"))
}

pub(crate) async fn run(session: &Session, request: Request) -> Outcome {
    run_with(session, request, Vec::new()).await
}

pub(crate) async fn run_with(session: &Session, request: Request, items: Vec<Request>) -> Outcome {
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
    for item in items {
        operation.submit(item).expect("the item is taken");
    }
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

/// A day and a little, by which the engine's clock is put forward.
pub(crate) const MORE_THAN_A_DAY_MS: i64 = 25 * 60 * 60 * 1000;

/// One process's view of the store: an engine, and the credential that it loaded.
pub(crate) struct Process {
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Session,
    pub(crate) credential: Arc<Credential>,
    tenant: String,
}

impl Process {
    /// Loads the stored credential 'sam' as the application.
    pub(crate) async fn start(sandbox: &Sandbox, single_use: bool) -> Result<Process> {
        let engine = engine();
        add_environment(sandbox, &engine, single_use);
        let facts = sandbox.facts();
        Process::load(engine, &facts.application_id, &facts.partner_tenant_id, &facts.secret).await
    }

    pub(crate) async fn load(engine: Arc<Engine>, application: &str, tenant: &str, secret: &str) -> Result<Process> {
        let session = engine.session();
        let request = Request::new("credential_load")
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("vault", Field::Text("contoso".to_owned()))
            .with("name", Field::Text("sam".to_owned()))
            .with(
                "vaultCredential",
                Field::Credential(access(application, tenant, secret)),
            );
        let operation = Operation::start(&session, request)?;
        operation.finish_input();
        while let Next::Event(_) = operation.next().await? {}
        let credential = operation.credential()?;
        Ok(Process {
            engine,
            session,
            credential,
            tenant: tenant.to_owned(),
        })
    }

    /// The stored credential 'sam', loaded into the process that `world` itself is.
    pub(crate) async fn again(world: &World) -> Process {
        let facts = world.sandbox.facts();
        let engine = Arc::clone(world.session.engine());
        Process::load(engine, &facts.application_id, &facts.partner_tenant_id, &facts.secret)
            .await
            .expect("it is loaded")
    }

    /// The same process as `world`'s, with a credential of its own.
    pub(crate) fn of(world: &World, credential: Arc<Credential>) -> Process {
        Process {
            engine: Arc::clone(world.session.engine()),
            session: world.session.clone(),
            credential,
            tenant: world.sandbox.facts().partner_tenant_id.clone(),
        }
    }

    /// Redeems the refresh token in the user's own tenant.
    pub(crate) async fn redeem(&self) -> Outcome {
        self.redeem_for(&self.tenant).await
    }

    /// Redeems the refresh token in any tenant.
    pub(crate) async fn redeem_for(&self, tenant: &str) -> Outcome {
        let request = Request::new("tokens")
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("credential", Field::Credential(Arc::clone(&self.credential)))
            .with("forceRefresh", Field::Int(1));
        let item = Request::new("item")
            .with("tenant", Field::Text(tenant.to_owned()))
            .with("resource", Field::Text("https://graph.microsoft.com".to_owned()));
        run_with(&self.session, request, vec![item]).await
    }
}

/// Locks of stores go to a folder of this run's own, which the processes that a test starts share.
fn keep_locks_apart() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let folder = std::env::temp_dir().join(format!("secureapp-locks-{}", std::process::id()));
        std::env::set_var("XDG_STATE_HOME", folder);
    });
}
