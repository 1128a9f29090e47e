//! A sandbox, an engine that knows it, and a person with a browser.

use secureapp_core::{
    engine, immediate, Credential, Engine, Event, Field, HttpOptions, Next, Operation, Prompt, Request, Result, Secret,
    Session, Value,
};
use secureapp_sandbox::{Options, Sandbox};
use serde_json::{json, Value as Json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Longer than anything here takes; only a failing test waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Bed {
    pub(crate) sandbox: Sandbox,
    pub(crate) session: Session,
    pub(crate) browser: reqwest::Client,
}

/// What a sign-in gave.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) record: Option<Value>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) async fn bed() -> Bed {
    bed_of(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await
}

pub(crate) async fn bed_of(options: Options) -> Bed {
    let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
    let http = HttpOptions {
        first_backoff: Duration::from_millis(5),
        ..HttpOptions::default()
    };
    let engine = Engine::with_options(Handle::current(), engine::Options { http });
    let endpoints = &sandbox.facts().endpoints;
    let mut request = Request::new("environment.add");
    for (key, value) in [
        ("name", "Cloud"),
        ("loginHost", &endpoints.login),
        ("graphHost", &endpoints.graph),
        ("partnerCenterHost", &endpoints.partner_center),
        ("caPem", sandbox.ca_pem()),
    ] {
        request.set(key, Field::Text(value.to_owned()));
    }
    immediate(&engine, &request).expect("the environment is added");
    Bed {
        session: engine.session(),
        browser: reqwest::Client::builder().no_proxy().build().expect("a browser"),
        sandbox,
    }
}

impl Bed {
    /// The application with its secret, without a user.
    pub(crate) fn application(&self) -> Arc<Credential> {
        let facts = self.sandbox.facts();
        let request = Request::new("credential")
            .with("applicationId", Field::Text(facts.application_id.clone()))
            .with("secret", Field::Secret(Secret::from(facts.secret.as_str())));
        Arc::new(Credential::open(&request).expect("a credential"))
    }

    pub(crate) fn request(&self) -> Request {
        Request::new("sign_in")
            .with("credential", Field::Credential(self.application()))
            .with("environment", Field::Text("Cloud".to_owned()))
    }

    pub(crate) fn start(&self, request: Request) -> Operation {
        Operation::start(&self.session, request).expect("it starts")
    }

    /// Starts a sign-in and reads what the user is told.
    pub(crate) async fn begin(&self, request: Request) -> (Operation, Prompt) {
        let operation = self.start(request);
        let prompt = prompt(&operation).await;
        (operation, prompt)
    }

    /// What the user does at the page.
    pub(crate) fn sign_in(&self, attempt: Json) -> Json {
        self.sandbox.control().sign_in(attempt).expect("the page answers")
    }

    /// Signs in at the address and takes the answer where it belongs; gives the last page.
    pub(crate) async fn visit(&self, url: &str, more: Json) -> Page {
        let mut attempt = json!({ "url": url });
        attempt
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = self.sign_in(attempt);
        self.carry(&answer).await
    }

    /// Posts an answer to the reply URL, as a browser does.
    pub(crate) async fn carry(&self, answer: &Json) -> Page {
        let form = form(answer["parameters"].as_object().unwrap_or_else(|| panic!("{answer}")));
        let target = answer["redirectUri"].as_str().expect("an address");
        let request = self
            .browser
            .post(target)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        Page::read(request.send().await.expect("somebody listens")).await
    }

    /// The token that a credential gets for a resource in the first customer's tenant.
    pub(crate) async fn token(&self, credential: &Arc<Credential>) -> Result<Value> {
        let request = Request::new("tokens")
            .with("credential", Field::Credential(Arc::clone(credential)))
            .with("environment", Field::Text("Cloud".to_owned()));
        let operation = self.start(request);
        let item = Request::new("token")
            .with("tenant", Field::Text(self.sandbox.facts().tenants[0].tenant_id.clone()))
            .with("resource", Field::Text(GRAPH.to_owned()));
        operation.submit(item).expect("it takes input");
        operation.finish_input();
        loop {
            match operation.next().await? {
                Next::Event(Event::Record(record)) => return Ok(record),
                Next::Event(Event::Failed(failure)) => return Err(failure.error),
                Next::Event(_) => {}
                Next::Done => panic!("no token"),
            }
        }
    }
}

/// What a browser ended at.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) url: String,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) html: String,
}

impl Page {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        Page {
            status: response.status().as_u16(),
            url: response.url().to_string(),
            headers: response.headers().clone(),
            html: response.text().await.expect("a body"),
        }
    }
}

pub(crate) fn form(parameters: &serde_json::Map<String, Json>) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(
            parameters
                .iter()
                .map(|(name, value)| (name, value.as_str().unwrap_or_default())),
        )
        .finish()
}

/// The first thing that the user is told to do.
pub(crate) async fn prompt(operation: &Operation) -> Prompt {
    loop {
        match tokio::time::timeout(LONG, operation.next())
            .await
            .expect("in time")
            .expect("a prompt")
        {
            Next::Event(Event::Prompt(prompt)) => return prompt,
            Next::Event(_) => {}
            Next::Done => panic!("it ended without a prompt"),
        }
    }
}

pub(crate) async fn finish(operation: &Operation) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    loop {
        match tokio::time::timeout(LONG, operation.next()).await.expect("in time")? {
            Next::Done => return Ok(outcome),
            Next::Event(Event::Record(record)) => outcome.record = Some(record),
            Next::Event(Event::Warning(text)) => outcome.warnings.push(text),
            Next::Event(event) => panic!("{event:?}"),
        }
    }
}

pub(crate) fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record.get(key).and_then(Value::as_text).unwrap_or_default()
}
