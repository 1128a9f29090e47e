use crate::support::{text, World};
use secureapp_core::{Error, Event, Field, Kind, Next, Operation, Request, Value};
use secureapp_sandbox::Options;
use serde_json::json;
use std::time::Duration;

async fn world(tenants: usize) -> World {
    World::start(Options {
        tenants,
        records: 0,
        list_page_size: Some(5),
        ..Options::default()
    })
    .await
}

fn tenant(world: &World, at: usize) -> String {
    world.sandbox.facts().tenants[at].tenant_id.clone()
}

fn ask(world: &World, kind: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = world.request(kind, &world.credential_request());
    for (key, value) in fields {
        request.set(*key, Field::Text((*value).to_owned()));
    }
    request
}

fn item(number: i64, tenant: &str, fields: &[(&str, &str)]) -> Request {
    let mut item = Request::new("item")
        .with("item", Field::Int(number))
        .with("tenant", Field::Text(tenant.to_owned()));
    for (key, value) in fields {
        item.set(*key, Field::Text((*value).to_owned()));
    }
    item
}

/// Everything that came of an operation and its items: records, and failures with their items' numbers.
struct Came {
    records: Vec<Value>,
    failed: Vec<(i64, Error)>,
}

async fn run(world: &World, request: Request, items: Vec<Request>) -> Came {
    let operation = Operation::start(&world.session, request).expect("it starts");
    for item in items {
        operation.submit(item).expect("an item is taken");
    }
    operation.finish_input();
    let mut came = Came {
        records: Vec::new(),
        failed: Vec::new(),
    };
    loop {
        match operation.next().await.expect("it ends well") {
            Next::Event(Event::Record(record)) => came.records.push(record),
            Next::Event(Event::Failed(failure)) => {
                let number = failure.target.get("item").and_then(Value::as_i64).unwrap_or_default();
                assert!(
                    !format!("{:?}", failure.error.to_value()).contains("eyJ"),
                    "a token is in an error"
                );
                came.failed.push((number, failure.error));
            }
            Next::Event(_) => {}
            Next::Done => return came,
        }
    }
}

fn refused(world: &World, request: Request) -> Error {
    match Operation::start(&world.session, request) {
        Ok(_) => panic!("it is not refused"),
        Err(error) => {
            assert_eq!(error.kind(), Kind::InvalidInput);
            assert_eq!(world.requests(""), 0, "something was sent");
            error
        }
    }
}

fn body<'a>(record: &'a Value, key: &str) -> &'a str {
    text(record.get("body").expect("a body"), key)
}

fn status(path: &str, status: u16, times: i64, extra: serde_json::Value) -> serde_json::Value {
    let mut action = json!({"kind": "status", "status": status});
    for (key, value) in extra.as_object().into_iter().flatten() {
        action[key] = value.clone();
    }
    json!({"match": {"service": "graph", "pathContains": path}, "times": times, "action": action})
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tenants_are_asked_and_a_collection_is_read_to_its_end() {
    let world = world(3).await;
    let mut request = ask(&world, "rest_request", &[("uri", "/v1.0/users?$top=5")]);
    request.set("all", Field::Int(1));
    let items = (0..3).map(|at| item(at as i64, &tenant(&world, at), &[])).collect();
    let came = run(&world, request, items).await;
    assert!(came.failed.is_empty(), "{:?}", came.failed);
    assert_eq!(came.records.len(), 3 * 12);
    for at in 0..3 {
        let of_tenant: Vec<_> = came
            .records
            .iter()
            .filter(|record| text(record, "tenantId") == tenant(&world, at))
            .collect();
        assert_eq!(of_tenant.len(), 12);
        let domain = &world.sandbox.facts().tenants[at].default_domain_name;
        assert!(of_tenant
            .iter()
            .all(|record| body(record, "userPrincipalName").ends_with(domain.as_str())));
    }
    assert_eq!(world.requests("/v1.0/users"), 3 * 3, "three pages each");
    // Without it the answer is given as it is.
    let came = run(
        &world,
        ask(&world, "rest_request", &[("uri", "/v1.0/users")]),
        vec![item(1, &tenant(&world, 0), &[])],
    )
    .await;
    assert!(body(&came.records[0], "@odata.nextLink").contains("$skiptoken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_sent_once_and_what_it_answers_is_nothing() {
    let world = world(1).await;
    let fields = [
        ("uri", "/v1.0/users/nobody"),
        ("method", "PATCH"),
        ("body", r#"{"jobTitle":"Clerk"}"#),
    ];
    let came = run(
        &world,
        ask(&world, "rest_request", &fields),
        vec![item(7, &tenant(&world, 0), &[])],
    )
    .await;
    let (number, error) = &came.failed[0];
    assert_eq!((*number, error.kind()), (7, Kind::NotFound));
    let service = error.service().unwrap();
    assert_eq!(service.code, "Request_ResourceNotFound");
    assert!(!service.trace_id.is_empty() && !error.tenant().is_empty());
    assert!(error.message().contains("PATCH /v1.0/users/nobody"), "{error}");

    let domain = world.sandbox.facts().tenants[0].default_domain_name.clone();
    let uri = format!("https://graph.microsoft.com/v1.0/users/adele.vance@{domain}");
    let fields = [
        ("uri", uri.as_str()),
        ("method", "patch"),
        ("body", r#"{"jobTitle":"Clerk"}"#),
    ];
    let came = run(
        &world,
        ask(&world, "rest_request", &fields),
        vec![item(1, &tenant(&world, 0), &[])],
    )
    .await;
    assert!(
        came.records.is_empty() && came.failed.is_empty(),
        "a success without a body is nothing"
    );
    let came = run(
        &world,
        ask(&world, "rest_request", &[("uri", uri.as_str())]),
        vec![item(1, &domain, &[])],
    )
    .await;
    assert_eq!(body(&came.records[0], "jobTitle"), "Clerk");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_done_is_not_done_again_and_what_was_throttled_is() {
    let world = world(1).await;
    let uri = format!(
        "/v1.0/users/adele.vance@{}",
        world.sandbox.facts().tenants[0].default_domain_name
    );
    let patch = || {
        ask(
            &world,
            "rest_request",
            &[("uri", uri.as_str()), ("method", "PATCH"), ("body", "{}")],
        )
    };
    let once = || vec![item(1, &tenant(&world, 0), &[])];
    for action in [json!({"kind": "reset"}), json!({"kind": "status", "status": 502})] {
        world.sandbox.control().reset_stats();
        world.sandbox.control().clear_faults();
        world.fault(json!({"match": {"service": "graph", "method": "PATCH"}, "times": 1, "action": action}));
        let came = run(&world, patch(), once()).await;
        assert_eq!(world.requests("PATCH"), 1);
        assert!(
            came.failed[0].1.advice().contains("may have carried it out"),
            "{:?}",
            came.failed[0].1.advice()
        );
    }
    for (method, code) in [("PATCH", 429), ("PATCH", 503), ("GET", 502)] {
        world.sandbox.control().reset_stats();
        world.fault(json!({"match": {"service": "graph", "method": method}, "times": 1,
            "action": {"kind": "status", "status": code, "headers": {"Retry-After": "0"}}}));
        let request = if method == "GET" {
            ask(&world, "rest_request", &[("uri", uri.as_str())])
        } else {
            patch()
        };
        let came = run(&world, request, once()).await;
        assert!(came.failed.is_empty(), "{:?}", came.failed);
        assert_eq!(world.requests(method), 2, "{method} {code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_another_host_is_not_followed_and_what_came_is_kept() {
    let world = world(1).await;
    let page = json!({"value": [{"id": "one"}], "@odata.nextLink": "https://evil.example/v1.0/users"}).to_string();
    world.fault(status("/v1.0/users", 200, -1, json!({"body": page})));
    let mut request = ask(&world, "rest_request", &[("uri", "/v1.0/users")]);
    request.set("all", Field::Int(1));
    let came = run(&world, request, vec![item(1, &tenant(&world, 0), &[])]).await;
    assert_eq!(body(&came.records[0], "id"), "one");
    let error = &came.failed[0].1;
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(
        error.message().contains("evil.example") && error.advice().contains("1 items"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_json_text_or_bytes_as_their_type_says() {
    let world = world(1).await;
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (kind, content, is_fine) in [
        ("application/json", "{\"b\":1,\"a\":2}", true),
        ("application/json", deep.as_str(), true),
        ("application/json", "<html>", false),
        ("text/csv", "a,b\r\n1,2", true),
        ("application/octet-stream", "raw", true),
    ] {
        world.sandbox.control().clear_faults();
        world.fault(status(
            "/v1.0/reports",
            200,
            -1,
            json!({"body": content, "contentType": kind}),
        ));
        let came = run(
            &world,
            ask(&world, "rest_request", &[("uri", "/v1.0/reports/x")]),
            vec![item(1, &tenant(&world, 0), &[])],
        )
        .await;
        let body = came.records.first().and_then(|record| record.get("body"));
        match (kind, is_fine, body) {
            ("text/csv", _, Some(Value::Text(text))) => assert_eq!(text, content),
            ("application/octet-stream", _, Some(Value::Bytes(bytes))) => assert_eq!(bytes, content.as_bytes()),
            ("application/json", true, Some(Value::Map(entries))) => {
                assert_eq!(entries[0].0, "b", "the order is the text's")
            }
            ("application/json", true, Some(Value::List(_))) => {}
            ("application/json", false, None) => assert_eq!(came.failed[0].1.kind(), Kind::Protocol),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_before_anything_is_sent() {
    let world = world(1).await;
    for fields in [
        &[("uri", "https://evil.example/v1.0/users")][..],
        &[("uri", "v1.0/users")],
        &[("uri", "/v1.0/users"), ("method", "TRACE")],
        &[("uri", "/v1.0/users"), ("body", "{}")],
        &[("uri", "/v1/customers"), ("resource", "api://somebody")],
    ] {
        refused(&world, ask(&world, "rest_request", fields));
    }
    let mut request = ask(&world, "rest_request", &[("uri", "/v1.0/users"), ("method", "POST")]);
    request.set("all", Field::Int(1));
    refused(&world, request);
    let mut request = ask(&world, "rest_request", &[("uri", "/v1.0/users")]);
    request.add_text("headers", "Authorization".to_owned()).unwrap();
    request.add_text("headers", "Bearer hidden".to_owned()).unwrap();
    assert!(!refused(&world, request).message().contains("hidden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_partners_own_tenant_is_asked_where_none_is_named() {
    let world = world(2).await;
    let request = ask(
        &world,
        "rest_request",
        &[
            ("uri", "/v1/customers"),
            ("resource", "https://api.partnercenter.microsoft.com"),
        ],
    );
    let came = run(&world, request, vec![Request::new("item").with("item", Field::Int(1))]).await;
    assert_eq!(
        text(&came.records[0], "tenantId"),
        world.sandbox.facts().partner_tenant_id
    );
    assert!(came.records[0].get("body").unwrap().get("items").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_credential_is_not_offered_to_every_tenant() {
    let world = world(12).await;
    let credential = world.credential_request().with("secret", Field::Secret("wrong".into()));
    let request = world
        .request("rest_request", &credential)
        .with("uri", Field::Text("/v1.0/users".to_owned()))
        .with("throttle", Field::Int(1));
    let items = (0..12).map(|at| item(at as i64, &tenant(&world, at), &[])).collect();
    let came = run(&world, request, items).await;
    assert_eq!(came.failed.len(), 12);
    assert_eq!(world.requests("/token"), 3);
    assert_eq!(came.failed[11].1.id(), "CredentialRefused");
}

// Batches.

fn batch(world: &World) -> Request {
    ask(world, "rest_batch", &[("uri", "/v1.0/$batch")])
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_twenty_at_a_time_and_each_has_its_own_answer() {
    let world = world(2).await;
    let domains: Vec<_> = world
        .sandbox
        .facts()
        .tenants
        .iter()
        .map(|tenant| tenant.default_domain_name.clone())
        .collect();
    let mut items = Vec::new();
    for number in 0..50i64 {
        let at = (number % 2) as usize;
        let url = match number {
            48 => "/users/nobody".to_owned(),
            _ => format!("/users/adele.vance@{}?$select=id", domains[at]),
        };
        items.push(item(number, &tenant(&world, at), &[("url", &url)]));
    }
    let came = run(&world, batch(&world), items).await;
    assert_eq!(world.requests("$batch"), 4, "25 requests of each of two tenants");
    assert_eq!((came.records.len(), came.failed.len()), (49, 1));
    let (number, error) = &came.failed[0];
    assert_eq!(
        (*number, error.service().unwrap().code.as_str()),
        (48, "Request_ResourceNotFound")
    );
    assert!(!error.service().unwrap().trace_id.is_empty());
    assert!(error.message().contains("GET /users/nobody"), "{error}");
    for record in &came.records {
        let answer = record.get("answer").unwrap();
        assert_eq!(answer.get("status").unwrap().as_i64(), Some(200));
        let number = record.get("item").unwrap().as_i64().unwrap();
        assert_eq!(text(record, "tenantId"), tenant(&world, (number % 2) as usize));
        assert!(text(answer.get("body").unwrap(), "userPrincipalName").ends_with(&domains[(number % 2) as usize]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_throttled_is_sent_again_with_what_depends_on_it() {
    let world = world(1).await;
    let user = format!(
        "/users/adele.vance@{}",
        world.sandbox.facts().tenants[0].default_domain_name
    );
    world.fault(json!({"match": {"service": "graph", "method": "PATCH", "pathContains": "/users/"}, "times": 2,
        "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "body": "{\"error\":{\"code\":\"TooManyRequests\"}}"}}));
    let id = tenant(&world, 0);
    let mut second = item(2, &id, &[("id", "read"), ("url", &user)]);
    second.add_text("dependsOn", "change".to_owned()).unwrap();
    let first = item(
        1,
        &id,
        &[
            ("id", "change"),
            ("method", "PATCH"),
            ("url", &user),
            ("body", r#"{"department":"Sales"}"#),
        ],
    );
    let third = item(3, &id, &[("url", &user)]);
    let came = run(&world, batch(&world), vec![first, second, third]).await;
    assert!(came.failed.is_empty(), "{:?}", came.failed);
    assert_eq!(came.records.len(), 3);
    assert_eq!(world.requests("$batch"), 3);
    let read = came.records.iter().find(|record| text(record, "id") == "read").unwrap();
    assert_eq!(
        text(read.get("answer").unwrap().get("body").unwrap(), "department"),
        "Sales"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_a_refusal_fails_and_the_rest_goes_on() {
    let world = world(1).await;
    let id = tenant(&world, 0);
    let depending = |number, name: &str, url: &str, on: &[&str]| {
        let mut item = item(number, &id, &[("id", name), ("url", url)]);
        for other in on {
            item.add_text("dependsOn", (*other).to_owned()).unwrap();
        }
        item
    };
    let items = vec![
        depending(1, "a", "/users/nobody", &[]),
        depending(2, "b", "/organization", &["a"]),
        depending(3, "c", "/organization", &["a", "d"]),
        depending(4, "d", "/organization", &[]),
        depending(5, "a", "/organization", &[]),
        depending(6, "e", "/organization", &["never"]),
        item(7, &id, &[("url", "https://evil.example/x")]),
        item(
            8,
            &id,
            &[("url", "/organization"), ("method", "POST"), ("body", "{not json")],
        ),
    ];
    let came = run(&world, batch(&world), items).await;
    let mut failed: Vec<_> = came.failed.iter().map(|(number, _)| *number).collect();
    failed.sort_unstable();
    assert_eq!(failed, [1, 2, 3, 5, 6, 7, 8]);
    assert_eq!(came.records.len(), 1);
    let of = |number| &came.failed.iter().find(|(other, _)| *other == number).unwrap().1;
    assert_eq!(of(2).service().unwrap().http_status, 424);
    assert_eq!(of(3).id(), "FailedDependency");
    assert!(of(6).message().contains("'never'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_may_change_something_is_not_sent_again_after_a_break() {
    let world = world(1).await;
    let user = format!(
        "/users/adele.vance@{}",
        world.sandbox.facts().tenants[0].default_domain_name
    );
    for (method, expected) in [("PATCH", 1), ("GET", 2)] {
        world.sandbox.control().reset_stats();
        world.fault(
            json!({"match": {"service": "graph", "pathContains": "$batch"}, "times": 1,
            "action": {"kind": "truncate", "bytes": 10, "close": "abort"}}),
        );
        let mut fields = vec![("url", user.as_str()), ("method", method)];
        if method == "PATCH" {
            fields.push(("body", "{}"));
        }
        let came = run(&world, batch(&world), vec![item(1, &tenant(&world, 0), &fields)]).await;
        assert_eq!(world.requests("$batch"), expected, "{method}");
        assert_eq!(came.failed.len(), usize::from(method == "PATCH"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_abandons_what_is_under_way() {
    let world = world(1).await;
    for (kind, uri) in [("rest_request", "/v1.0/users"), ("rest_batch", "/v1.0/$batch")] {
        world.sandbox.control().clear_faults();
        world.fault(json!({"id": kind, "match": {"service": "graph"}, "times": -1, "action": {"kind": "hold"}}));
        let operation = Operation::start(&world.session, ask(&world, kind, &[("uri", uri)])).unwrap();
        let url = [("url", "/organization")];
        let fields: &[_] = if kind == "rest_batch" { &url } else { &[] };
        operation.submit(item(1, &tenant(&world, 0), fields)).unwrap();
        operation.finish_input();
        let wait = |state| {
            world
                .sandbox
                .control()
                .wait_hold(kind, state, 1, Duration::from_secs(30))
        };
        assert!(wait("held").await.is_ok());
        operation.cancel();
        assert!(operation.next().await.expect_err("cancelled").is_cancelled());
        assert!(wait("closed").await.is_ok(), "{kind}");
    }
}
