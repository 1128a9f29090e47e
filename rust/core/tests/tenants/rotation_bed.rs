//! What a rotation is tried on: an application with a stored secret, and what the registration and the service say of it.

use crate::registration::{administrator, run, wanted, world, Answer, Run};
use crate::support::{text, World};
use secureapp_core::credential::Credential;
use secureapp_core::{Error, Event, Field, Next, Operation, Request, Value};
use secureapp_sandbox::Preset;
use serde_json::{json, Value as Json};
use std::sync::Arc;

/// An application that may change itself, stored as 'sam', and another one that opens the vault.
pub(crate) struct Bed {
    pub(crate) world: World,
    pub(crate) application: Arc<Credential>,
    pub(crate) keeper: Arc<Credential>,
    /// What the application was made with.
    pub(crate) secret: String,
}

async fn registered(world: &World, fields: &[(&str, Field)]) -> Arc<Credential> {
    let made = run(world, wanted(world, fields), Answer::All).await;
    assert!(made.failures.is_empty(), "{:?}", made.failures);
    made.credential.expect("a credential")
}

pub(crate) async fn bed() -> Bed {
    let world = world(Preset::Empty).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.csv");
    let own = [
        ("selfUpdate", Field::Int(1)),
        ("grantAdminConsent", Field::Int(1)),
        ("csvPath", Field::Text(file.to_str().unwrap().to_owned())),
    ];
    let application = registered(&world, &own).await;
    let keeper = [
        ("displayName", Field::Text("Keeper".to_owned())),
        ("singleTenant", Field::Int(1)),
    ];
    let keeper = registered(&world, &keeper).await;
    let row = std::fs::read_to_string(&file).unwrap();
    let bed = Bed {
        world,
        application,
        keeper,
        secret: row.rsplit('"').nth(1).unwrap().to_owned(),
    };
    let save = bed
        .place("credential_save")
        .with("credential", Field::Credential(Arc::clone(&bed.application)));
    bed.done(save).await;
    bed
}

impl Bed {
    pub(crate) fn environment(&self, kind: &str) -> Request {
        let name = self.world.sandbox.facts().environment.clone();
        Request::new(kind).with("environment", Field::Text(name))
    }

    pub(crate) fn place(&self, kind: &str) -> Request {
        self.environment(kind)
            .with("name", Field::Text("sam".to_owned()))
            .with("vault", Field::Text("contoso".to_owned()))
            .with("vaultCredential", Field::Credential(Arc::clone(&self.keeper)))
    }

    pub(crate) async fn done(&self, request: Request) -> Run {
        let run = run(&self.world, request, Answer::All).await;
        run.end.as_ref().expect("it ends well");
        run
    }

    pub(crate) async fn stored(&self) -> Arc<Credential> {
        let loaded = self.done(self.place("credential_load")).await;
        loaded.credential.expect("a credential")
    }

    /// The application's credential, kept in no store.
    pub(crate) fn bare(&self, secret: &str) -> Arc<Credential> {
        let request = Request::new("credential")
            .with(
                "applicationId",
                Field::Text(self.application.application_id().to_owned()),
            )
            .with(
                "tenant",
                Field::Text(self.world.sandbox.facts().partner_tenant_id.clone()),
            )
            .with("secret", Field::Secret(secret.into()));
        Arc::new(Credential::open(&request).unwrap())
    }

    pub(crate) fn rotation(&self, subject: &Arc<Credential>) -> Request {
        self.environment("credential_rotate")
            .with("subject", Field::Credential(Arc::clone(subject)))
            .with("retireAfterSeconds", Field::Int(0))
    }

    pub(crate) fn administered(&self, subject: &Arc<Credential>) -> Request {
        let administrator = Credential::open(&administrator(&self.world, "sam")).unwrap();
        self.rotation(subject)
            .with("credential", Field::Credential(Arc::new(administrator)))
    }

    pub(crate) async fn rotate(&self, request: Request) -> Run {
        run(&self.world, request, Answer::All).await
    }

    /// The application's own token, asked of the service.
    pub(crate) async fn redeem(&self, credential: &Arc<Credential>) -> Result<(), Error> {
        let request = self
            .environment("tokens")
            .with("credential", Field::Credential(Arc::clone(credential)))
            .with("forceRefresh", Field::Int(1));
        let operation = Operation::start(&self.world.session, request)?;
        let item = Request::new("item")
            .with(
                "tenant",
                Field::Text(self.world.sandbox.facts().partner_tenant_id.clone()),
            )
            .with("resource", Field::Text("https://graph.microsoft.com".to_owned()));
        operation.submit(item)?;
        operation.finish_input();
        loop {
            match operation.next().await? {
                Next::Event(Event::Failed(failure)) => return Err(failure.error),
                Next::Event(_) => {}
                Next::Done => return Ok(()),
            }
        }
    }

    /// The ids and the names of the application's secrets.
    pub(crate) async fn secrets(&self) -> Vec<(String, String)> {
        let list = self
            .world
            .request("application_list", &administrator(&self.world, "sam"))
            .with(
                "applicationId",
                Field::Text(self.application.application_id().to_owned()),
            );
        let listed = self.done(list).await.result.expect("the application");
        let Some(Value::List(keys)) = listed.get("keys") else {
            panic!("no keys")
        };
        keys.iter()
            .map(|key| (text(key, "keyId").to_owned(), text(key, "displayName").to_owned()))
            .collect()
    }
}

pub(crate) fn ids(run: &Run, list: &str) -> Vec<String> {
    let Some(Value::List(keys)) = run.result.as_ref().and_then(|result| result.get(list)) else {
        panic!("no {list} in {:?} {:?}", run.result, run.end)
    };
    keys.iter().map(|key| text(key, "keyId").to_owned()).collect()
}

pub(crate) fn refused(method: &str, part: &str) -> Json {
    json!({
        "match": {"method": method, "pathContains": part},
        "times": -1,
        "action": {"kind": "status", "status": 403, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to complete the operation.\"}}"},
    })
}

/// No application gets a token of its own: those of users, and those that are there, serve on.
pub(crate) fn unproved() -> Json {
    json!({
        "match": {"service": "login", "grant": "client_credentials"},
        "times": -1,
        "action": {"kind": "status", "status": 400, "contentType": "application/json",
            "body": "{\"error\":\"access_denied\",\"error_description\":\"AADSTS53003: Access has been blocked by Conditional Access policies.\",\"error_codes\":[53003]}"},
    })
}
