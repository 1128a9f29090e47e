//! The proxy that a process's environment variables name. One test, because they are the whole process's.

use secureapp_core::{immediate, Credential, Engine, Error, Event, Field, Kind, Next, Operation, Request, Secret};
use secureapp_sandbox::{Options, Sandbox, Signature};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// A proxy that asks every caller for a password.
fn proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            refuse(caller);
        }
    });
    port
}

fn refuse(mut caller: TcpStream) {
    let mut asked = [0; 4096];
    // What it asks for makes no difference, and neither does whether it reads the answer.
    let _ = caller.read(&mut asked);
    let _ = caller.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
}

async fn ask(engine: &Arc<Engine>, credential: &Arc<Credential>, environment: &str, tenant: &str) -> Option<Error> {
    let start = Request::new("tokens")
        .with("credential", Field::Credential(Arc::clone(credential)))
        .with("environment", Field::Text(environment.to_owned()));
    let operation = Operation::start(&engine.session(), start).unwrap();
    let item = Request::new("token")
        .with("tenant", Field::Text(tenant.to_owned()))
        .with("resource", Field::Text("https://graph.microsoft.com".to_owned()));
    operation.submit(item).unwrap();
    operation.finish_input();
    let mut error = None;
    while let Next::Event(event) = operation.next().await.unwrap() {
        if let Event::Failed(failure) = event {
            error = Some(failure.error);
        }
    }
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_way_is_named_and_this_machine_needs_none() {
    // Set before the first client is made, and with what must not be seen.
    std::env::set_var("HTTPS_PROXY", format!("http://user:hidden@127.0.0.1:{}", proxy()));
    for other in ["ALL_PROXY", "all_proxy", "https_proxy", "NO_PROXY", "no_proxy"] {
        std::env::remove_var(other);
    }
    let options = Options {
        tenants: 1,
        records: 0,
        signature: Signature::Filler,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let facts = sandbox.facts();
    let text = |text: &str| Field::Text(text.to_owned());
    let engine = Engine::new(tokio::runtime::Handle::current());
    let credential = Request::new("credential")
        .with("applicationId", text(&facts.application_id))
        .with("secret", Field::Secret(Secret::from(facts.secret.as_str())));
    let credential = Arc::new(Credential::open(&credential).unwrap());

    let error = ask(&engine, &credential, "Public", TENANT)
        .await
        .expect("there is no way out");
    assert_eq!(error.kind(), Kind::Network);
    assert!(error.message().contains("the proxy 127.0.0.1:"), "{}", error.message());
    assert!(
        error.message().contains("user name and password"),
        "{}",
        error.message()
    );
    assert!(error.advice().contains("HTTPS_PROXY"));
    assert!(!format!("{error:?} {:?}", error.to_value()).contains("hidden"));

    let add = Request::new("environment.add")
        .with("name", text("Local"))
        .with("loginHost", text(&facts.endpoints.login))
        .with("caPem", text(sandbox.ca_pem()));
    immediate(&engine, &add).unwrap();
    let error = ask(&engine, &credential, "Local", &facts.tenants[0].tenant_id).await;
    assert!(error.is_none(), "{error:?}");
}
