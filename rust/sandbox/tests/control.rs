//! Faults, holds and counts.

mod common;

use std::time::Duration;

use common::{answer, start, Cloud, GRAPH};
use secureapp_sandbox::Options;
use serde_json::{json, Value};

const LONG: Duration = Duration::from_secs(20);

async fn small() -> Cloud {
    start(Options {
        tenants: 2,
        records: 10,
        ..Options::default()
    })
    .await
}

async fn control(cloud: &Cloud, method: &str, path: &str, body: Value) -> common::Answer {
    let url = format!("{}/sandbox/{path}", cloud.sandbox.facts().endpoints.graph);
    let request = cloud.http.request(method.parse().unwrap(), url).body(body.to_string());
    answer(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_fault_meets_the_requests_it_names_and_no_others() {
    let cloud = small().await;
    let fault = json!({
        "id": "busy",
        "match": {"service": "login", "method": "POST", "tenantId": cloud.tenant(0), "grant": "refresh_token"},
        "times": 2, "skip": 1,
        "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "body": "slow down"},
    });
    assert_eq!(
        control(&cloud, "POST", "faults", fault).await.json(),
        json!({"ids": ["busy"]})
    );
    assert_eq!(
        cloud.redeem(cloud.tenant(0), GRAPH).await.status,
        200,
        "the first is skipped"
    );
    assert_eq!(cloud.redeem(cloud.tenant(1), GRAPH).await.status, 200, "another tenant");
    assert_eq!(
        cloud.app_only(cloud.tenant(0), GRAPH).await.status,
        200,
        "another grant"
    );
    let met = cloud.redeem(cloud.tenant(0), GRAPH).await;
    assert_eq!((met.status, met.text.as_str()), (429, "slow down"));
    assert_eq!(met.headers["retry-after"], "1");
    // The tenant's domain is the same tenant.
    let domain = &cloud.sandbox.facts().tenants[0].default_domain_name;
    assert_eq!(cloud.redeem(domain, GRAPH).await.status, 429);
    assert_eq!(cloud.redeem(cloud.tenant(0), GRAPH).await.status, 200, "twice is twice");
    let wrong = control(&cloud, "POST", "faults", json!({"action": {"kind": "explode"}})).await;
    assert!(wrong.status == 400 && wrong.text.contains("explode"), "{}", wrong.text);
}

#[tokio::test]
async fn pages_garbage_and_dropped_connections() {
    let cloud = small().await;
    let list = json!([
        {"match": {"pathContains": "oauth2"}, "action": {"kind": "html", "status": 503}},
        {"match": {"pathContains": "oauth2"}, "action": {"kind": "garbage"}},
        {"match": {"pathContains": "oauth2"}, "action": {"kind": "reset"}},
        {"match": {"pathContains": "oauth2"}, "action": {"kind": "truncate", "bytes": 40, "close": "abort"}},
        {"match": {"pathContains": "oauth2"}, "action": {"kind": "truncate", "bytes": 40}},
    ]);
    assert_eq!(
        control(&cloud, "POST", "faults", list).await.json()["ids"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let page = cloud.redeem(cloud.tenant(0), GRAPH).await;
    assert!(page.status == 503 && page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    let garbage = cloud.redeem(cloud.tenant(0), GRAPH).await;
    assert!(garbage.status == 200 && serde_json::from_str::<Value>(&garbage.text).is_err());
    let url = cloud.login(&format!("{}/oauth2/token", cloud.tenant(0)));
    let raw = common::client(&cloud.sandbox).http1_only().build().unwrap();
    assert!(
        raw.post(&url).body("x").send().await.is_err(),
        "the connection goes away"
    );
    let cut = raw.post(&url).body("x").send().await.unwrap();
    assert!(cut.bytes().await.is_err(), "less than announced");
    assert_eq!(
        raw.post(&url)
            .body("x")
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .len(),
        40
    );
    control(&cloud, "DELETE", "faults", Value::Null).await;
    assert_eq!(cloud.redeem(cloud.tenant(0), GRAPH).await.status, 200);
}

#[tokio::test]
async fn a_held_reply_waits_and_tells_when_its_client_leaves() {
    let cloud = small().await;
    let url = cloud.login(&format!("{}/v2.0/.well-known/openid-configuration", cloud.tenant(0)));
    let clients = [
        common::client(&cloud.sandbox).http1_only().build().unwrap(),
        common::client(&cloud.sandbox).build().unwrap(),
    ];
    for (version, client) in clients.iter().enumerate() {
        for stage in ["before-headers", "after-headers", "mid-body"] {
            let id = format!("{stage}-{version}");
            let hold = json!({"id": id, "times": -1, "match": {"service": "login"}, "action": {"kind": "hold", "stage": stage}});
            cloud.sandbox.control().clear_faults();
            cloud.sandbox.control().add_faults(hold).unwrap();
            let fetch =
                |client: reqwest::Client, url: String| async move { client.get(url).send().await?.bytes().await };
            // Released: the whole reply arrives.
            let waiting = tokio::spawn(fetch(client.clone(), url.clone()));
            cloud.sandbox.control().wait_hold(&id, "held", 1, LONG).await.unwrap();
            assert!(!waiting.is_finished());
            cloud.sandbox.control().release(&id);
            let body = waiting.await.unwrap().unwrap();
            assert!(serde_json::from_slice::<Value>(&body).unwrap()["issuer"].is_string());
            // Abandoned: the sandbox notices.
            let leaving = tokio::spawn(fetch(client.clone(), url.clone()));
            cloud.sandbox.control().wait_hold(&id, "held", 2, LONG).await.unwrap();
            leaving.abort();
            let counts = cloud.sandbox.control().wait_hold(&id, "closed", 1, LONG).await.unwrap();
            assert_eq!((counts.held, counts.closed, counts.released), (2, 1, 1), "{id}");
        }
    }
}

#[tokio::test]
async fn a_hold_can_be_asked_about_over_http() {
    let cloud = small().await;
    let reply = control(&cloud, "GET", "holds/none?wait=held&timeoutMs=1", Value::Null).await;
    assert_eq!(
        (reply.status, reply.json()),
        (408, json!({"held": 0, "closed": 0, "released": 0}))
    );
    assert_eq!(
        control(&cloud, "POST", "holds/none/release", Value::Null).await.status,
        200
    );
    assert_eq!(
        control(&cloud, "GET", "holds/none?count=many", Value::Null)
            .await
            .status,
        400
    );
    assert_eq!(control(&cloud, "GET", "nothing", Value::Null).await.status, 404);
}

#[tokio::test]
async fn counts_name_each_token_by_tenant_and_api() {
    let cloud = small().await;
    let domain = &cloud.sandbox.facts().tenants[0].default_domain_name;
    cloud.redeem(cloud.tenant(0), GRAPH).await;
    cloud.redeem(domain, "https://graph.microsoft.com/").await;
    let stats = control(&cloud, "GET", "stats", Value::Null).await.json();
    assert_eq!(stats["requests"], 2);
    assert_eq!(stats["byPath"], json!({"POST /{tenant}/oauth2/token": 2}));
    let token = &stats["tokens"][0];
    assert_eq!((&token["count"], &token["resource"]), (&json!(2), &json!(GRAPH)));
    assert_eq!(
        (&token["tenantId"], &token["grant"]),
        (&json!(cloud.tenant(0)), &json!("refresh_token"))
    );
    assert!(stats["connections"]["open"].as_u64().unwrap() >= 1);
    control(&cloud, "POST", "stats/reset", Value::Null).await;
    assert_eq!(cloud.sandbox.control().stats()["requests"], 0);
}

#[tokio::test]
async fn a_truth_can_be_read_over_http() {
    let cloud = small().await;
    let truth = control(&cloud, "GET", "truth", Value::Null).await.json();
    assert_eq!(truth["records"], 10);
    let mut total = 0;
    for tenant in truth["tenants"].as_array().unwrap() {
        let path = format!("truth/{}", tenant["tenantId"].as_str().unwrap());
        let ids = control(&cloud, "GET", &path, Value::Null).await.text;
        assert_eq!(ids.lines().count() as u64, tenant["records"].as_u64().unwrap());
        total += ids.lines().count();
        assert_eq!(
            control(
                &cloud,
                "GET",
                &format!("{path}?start=2000-01-01&end=2000-01-02"),
                Value::Null
            )
            .await
            .text,
            ""
        );
    }
    assert_eq!(total, 10);
    assert_eq!(control(&cloud, "GET", "truth/nobody", Value::Null).await.status, 400);
}

#[tokio::test]
async fn what_was_secret_is_written_down_where_that_is_asked_for() {
    let folder = std::env::temp_dir().join(format!("secureapp-secrets-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let cloud = start(Options {
        tenants: 1,
        records: 0,
        secrets_folder: Some(folder.clone()),
        ..Options::default()
    })
    .await;
    let facts = cloud.sandbox.facts();
    let reply = cloud.redeem(cloud.tenant(0), GRAPH).await.json();
    let wrong = "a secret that nobody has";
    let fields = [("client_id", "x"), ("client_secret", wrong)];
    cloud.form("organizations/oauth2/v2.0/token", &fields).await;
    let added = control(&cloud, "POST", "secrets", json!({})).await.json();

    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1);
    let told = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (kind, text) in [
        ("client_secret", facts.secret.as_str()),
        ("refresh_token", &facts.refresh_token),
        ("refresh_token", reply["refresh_token"].as_str().unwrap()),
        ("client_secret", wrong),
        ("secretText", added["secretText"].as_str().unwrap()),
    ] {
        let times = told.iter().filter(|secret| **secret == json!([kind, text])).count();
        assert_eq!(times, 1, "{kind}");
    }
    let access = reply["access_token"].as_str().unwrap();
    assert!(!told.iter().any(|secret| secret[1] == access), "its shape tells");
}
