//! What the tests of registering applications and of rotating their keys have in common: worlds, administrators, and runs that
//! answer a plan.

use crate::support::{text, World};
use secureapp_core::credential::Credential;
use secureapp_core::{Error, Event, Field, Next, Operation, Request, Value};
use secureapp_sandbox::{Options, Preset};
use std::sync::Arc;

/// Microsoft Graph Command Line Tools.
pub(crate) const TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// How the changes of a plan are answered.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    All,
    None,
    /// All but those whose line holds this.
    But(&'static str),
}

pub(crate) struct Run {
    pub(crate) plan: Vec<String>,
    pub(crate) result: Option<Value>,
    pub(crate) failures: Vec<Error>,
    pub(crate) warnings: Vec<String>,
    pub(crate) progress: Vec<String>,
    pub(crate) credential: Option<Arc<Credential>>,
    pub(crate) end: Result<(), Error>,
}

impl Run {
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        match self.result.as_ref().and_then(|result| result.get(key)) {
            Some(Value::List(all)) => all.iter().filter_map(|one| one.as_text().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        text(self.result.as_ref().expect("a result"), "applicationId")
    }
}

pub(crate) async fn world(preset: Preset) -> World {
    World::start(Options {
        tenants: 1,
        records: 0,
        preset,
        ..Options::default()
    })
    .await
}

pub(crate) fn administrator(world: &World, name: &str) -> Request {
    let facts = world.sandbox.facts();
    let user = facts
        .users
        .iter()
        .find(|user| user.user_principal_name.starts_with(name))
        .unwrap();
    let refresh = world
        .sandbox
        .control()
        .add_user_of(TOOLS, &user.user_principal_name, true);
    Request::new("credential")
        .with("applicationId", Field::Text(TOOLS.to_owned()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("refreshToken", Field::Secret(refresh.as_str().into()))
}

pub(crate) fn wanted(world: &World, fields: &[(&str, Field)]) -> Request {
    let mut request = world
        .request("application_register", &administrator(world, "sam"))
        .with("displayName", Field::Text("Contoso SAM".to_owned()));
    for (key, field) in fields {
        request.set(*key, field.clone());
    }
    request
}

pub(crate) fn texts(all: &[&str]) -> Field {
    Field::Texts(all.iter().map(|one| (*one).to_owned()).collect())
}

pub(crate) async fn run(world: &World, request: Request, how: Answer) -> Run {
    let mut run = Run {
        plan: Vec::new(),
        result: None,
        failures: Vec::new(),
        warnings: Vec::new(),
        progress: Vec::new(),
        credential: None,
        end: Ok(()),
    };
    let operation = match Operation::start(&world.session, request) {
        Ok(operation) => operation,
        Err(error) => {
            run.end = Err(error);
            return run;
        }
    };
    loop {
        match operation.next().await {
            Ok(Next::Event(Event::Record(record))) if record.get("plan").is_some() => {
                let Some(Value::List(changes)) = record.get("changes") else {
                    panic!("no changes")
                };
                for change in changes {
                    let line = text(change, "line").to_owned();
                    let agreed = match how {
                        Answer::All => true,
                        Answer::None => false,
                        Answer::But(part) => !line.contains(part),
                    };
                    if agreed {
                        let number = change.get("number").and_then(Value::as_i64).expect("a number");
                        operation
                            .submit(Request::new("change").with("number", Field::Int(number)))
                            .expect("taken");
                    }
                    run.plan.push(line);
                }
                operation.finish_input();
            }
            Ok(Next::Event(Event::Record(record))) => {
                run.result = Some(record);
                run.credential = operation.credential().ok();
            }
            Ok(Next::Event(Event::Failed(failure))) => run.failures.push(failure.error),
            Ok(Next::Event(Event::Warning(text))) => run.warnings.push(text),
            Ok(Next::Event(Event::Progress(progress))) => run.progress.push(progress.status),
            Ok(Next::Event(_)) => {}
            Ok(Next::Done) => return run,
            Err(error) => {
                run.end = Err(error);
                return run;
            }
        }
    }
}

/// Agrees to everything, and stops the operation once it says that it does what `status` is part of.
pub(crate) async fn stop(world: &World, request: Request, status: &str) {
    let operation = Operation::start(&world.session, request).expect("it starts");
    loop {
        match operation.next().await.expect("it goes on") {
            Next::Event(Event::Record(record)) => {
                let Some(Value::List(changes)) = record.get("changes") else {
                    panic!("no plan")
                };
                for number in 0..changes.len() as i64 {
                    let change = Request::new("change").with("number", Field::Int(number));
                    operation.submit(change).expect("taken");
                }
                operation.finish_input();
            }
            Next::Event(Event::Progress(progress)) if progress.status.contains(status) => break,
            Next::Event(_) => {}
            Next::Done => panic!("it was not stopped"),
        }
    }
    operation.cancel();
    assert!(operation.next().await.expect_err("it was stopped").is_cancelled());
}

/// Requests that change something at Graph.
pub(crate) fn changing(world: &World) -> u64 {
    ["POST /v1.0", "PATCH /v1.0", "DELETE /v1.0", "PUT /v1.0"]
        .iter()
        .map(|part| world.requests(part))
        .sum()
}
