//! Customers whose consents are granted, shown and revoked, and what came of it.

use crate::support::{text, World};
use secureapp_core::{Error, Event, Field, Next, Operation, Request, Submitted, Value};
use secureapp_sandbox::Options;

pub(super) const GRAPH: &str = "https://graph.microsoft.com";
pub(super) const MANAGE: &str = "https://manage.office.com";
pub(super) const OUTLOOK: &str = "https://outlook.office365.com";
const POSTS: &str = "POST /v1/customers/{tenant}/applicationconsents";
const DELETES: &str = "DELETE /v1/customers/{tenant}/applicationconsents";

pub(super) struct Bed {
    pub(super) world: World,
    pub(super) tenants: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) records: Vec<Value>,
    pub(super) failures: Vec<Error>,
    pub(super) warnings: Vec<String>,
}

impl Seen {
    /// Of each record the API and the outcome.
    pub(super) fn outcomes(&self) -> Vec<(&str, &str)> {
        let api = |record: &'_ Value| record.get("resource").and_then(Value::as_text).map(str::len);
        let name = |record| match api(record) {
            Some(_) => text(record, "resource"),
            None => "",
        };
        self.records
            .iter()
            .map(|record| (name(record), text(record, "outcome")))
            .collect()
    }

    pub(super) fn only(&self) -> &Value {
        let [record] = self.records.as_slice() else {
            panic!("one record: {self:?}")
        };
        record
    }
}

pub(super) async fn bed(tenants: usize) -> Bed {
    let options = Options {
        tenants,
        records: 0,
        ..Options::default()
    };
    let world = World::start_quick(options).await;
    let tenants = world.tenant_ids();
    Bed { world, tenants }
}

pub(super) fn texts(values: &[&str]) -> Field {
    Field::Texts(values.iter().map(|value| (*value).to_owned()).collect())
}

pub(super) fn list<'a>(record: &'a Value, key: &str) -> Vec<&'a str> {
    match record.get(key) {
        Some(Value::List(values)) => values.iter().filter_map(Value::as_text).collect(),
        other => panic!("'{key}' is no list: {other:?}"),
    }
}

pub(super) fn error_of<'a>(record: &'a Value, key: &str) -> &'a str {
    text(record.get("error").expect("an error"), key)
}

impl Bed {
    pub(super) fn change(&self, tenant: &str, change: serde_json::Value) {
        self.world.sandbox.control().set_tenant(tenant, change).unwrap();
    }

    pub(super) fn request(&self, action: &str, fields: &[(&str, Field)]) -> Request {
        let mut request = self.world.request("consents", &self.world.credential_request());
        request.set("action", Field::Text(action.to_owned()));
        for (key, field) in fields {
            request.set(*key, field.clone());
        }
        request
    }

    pub(super) fn begin(&self, request: Request, tenants: &[&str]) -> Operation {
        let operation = Operation::start(&self.world.session, request).expect("it starts");
        for (number, tenant) in (1..).zip(tenants) {
            let item = Request::new("tenant")
                .with("item", Field::Int(number))
                .with("tenant", Field::Text((*tenant).to_owned()));
            assert_eq!(operation.submit(item).expect("taken"), Submitted::Taken);
        }
        operation.finish_input();
        operation
    }

    pub(super) async fn run(&self, request: Request, tenants: &[&str]) -> Seen {
        let operation = self.begin(request, tenants);
        let mut seen = Seen::default();
        loop {
            match operation.next().await.expect("it goes on") {
                Next::Event(Event::Record(record)) => seen.records.push(record),
                Next::Event(Event::Failed(failure)) => seen.failures.push(failure.error),
                Next::Event(Event::Warning(text)) => seen.warnings.push(text),
                Next::Event(_) => {}
                Next::Done => return seen,
            }
        }
    }

    pub(super) async fn ask(&self, action: &str, tenant: &str, fields: &[(&str, Field)]) -> Seen {
        self.run(self.request(action, fields), &[tenant]).await
    }

    pub(super) async fn grant_scope(&self, tenant: &str, api: &str, scope: &str) -> Seen {
        let fields = [("resources", texts(&[api])), ("scopes", texts(&[scope]))];
        self.ask("grant", tenant, &fields).await
    }

    /// What a new token in the tenant has; empty where there is none.
    pub(super) async fn held(&self, tenant: &str, api: &str) -> Vec<String> {
        let seen = self.ask("show", tenant, &[("resources", texts(&[api]))]).await;
        list(seen.only(), "granted").into_iter().map(str::to_owned).collect()
    }

    /// The same for an API that has no name here.
    pub(super) async fn held_of(&self, tenant: &str, api: &str, scope: &str) -> Vec<String> {
        let fields = [("resources", texts(&[api])), ("scopes", texts(&[scope]))];
        let seen = self.ask("show", tenant, &fields).await;
        list(seen.only(), "granted").into_iter().map(str::to_owned).collect()
    }

    /// Waits until nothing runs any more, also what was stopped.
    pub(super) async fn idle(&self) {
        self.world.session.engine().idle().await;
    }

    pub(super) fn reset(&self) {
        self.world.sandbox.control().reset_stats();
    }

    pub(super) fn changes(&self) -> (u64, u64) {
        (self.world.requests(POSTS), self.world.requests(DELETES))
    }
}
