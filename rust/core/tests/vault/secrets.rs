//! Secrets through the operations: what is asked, what is followed, what is said.

use crate::support::World;
use secureapp_core::{Field, Kind};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_is_asked_once_which_token_it_wants() {
    let world = World::start().await;
    assert!(world.set("a", "value").await.end.is_ok());
    assert_eq!(world.count("GET /secrets"), 1, "the challenge");
    let outcome = world.get("a").await;
    assert_eq!(outcome.text("value"), "value");
    assert!(
        !format!("{outcome:?}").contains("\"value\")"),
        "a secret shows in Debug"
    );
    let tokens = world.sandbox.control().stats()["tokens"].clone();
    assert_eq!(tokens.as_array().map(Vec::len), Some(1), "one token for both: {tokens}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_asks_for_itself_when_told() {
    let world = World::start().await;
    world.set("a", "value").await;
    let request = world
        .request("vault_secret_get")
        .with("name", Field::Text("a".to_owned()))
        .with("appOnly", Field::Int(1));
    assert_eq!(world.run(request).await.text("value"), "value");
    let tokens = world.sandbox.control().stats()["tokens"].to_string();
    assert!(tokens.contains("client_credentials"), "{tokens}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_vault_no_longer_takes_is_replaced_once() {
    let world = World::start().await;
    world.set("a", "value").await;
    world.fault(json!({"match": {"service": "keyVault", "pathContains": "/secrets/a"}, "action": {"kind": "status", "status": 401}}));
    assert_eq!(world.get("a").await.text("value"), "value");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_vault_is_waited_for_and_named() {
    let world = World::start().await;
    world.set("a", "value").await;
    world.fault(json!({"match": {"pathContains": "/secrets/a"}, "times": 2,
        "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}}}));
    assert_eq!(world.get("a").await.text("value"), "value");
    world.vault(json!({"throttled": 0}));
    let outcome = world.get("a").await;
    assert_eq!(outcome.error().kind(), Kind::Throttled);
    assert!(
        outcome.error().advice().contains("ten seconds"),
        "{}",
        outcome.error().advice()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_another_host_or_to_itself_is_not_followed() {
    let world = World::start().await;
    world.set("a", "value").await;
    let own = format!("{}/secrets?api-version=7.4", world.sandbox.facts().endpoints.key_vault);
    for link in ["https://evil.example/secrets?$skiptoken=1", own.as_str(), "nonsense"] {
        let body = json!({"value": [], "nextLink": link}).to_string();
        world.fault(
            json!({"id": "page", "match": {"method": "GET", "pathContains": "/secrets"}, "skip": 1, "times": -1,
            "action": {"kind": "status", "status": 200, "body": body}}),
        );
        let outcome = world.run(world.request("vault_secret_list")).await;
        assert_eq!(outcome.error().kind(), Kind::Protocol, "{link}");
        world.sandbox.control().clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_never_comes_back_is_given_up() {
    let world = World::start().await;
    world.set("a", "value").await;
    let body =
        json!({"error": {"code": "Conflict", "message": "busy", "innererror": {"code": "ObjectIsBeingRecovered"}}});
    world.fault(json!({"match": {"method": "PUT", "service": "keyVault"}, "times": -1,
        "action": {"kind": "status", "status": 409, "body": body.to_string()}}));
    let outcome = world.set("a", "value").await;
    let error = outcome.error();
    let code = error.service().map(|service| service.code.as_str());
    assert_eq!(code, Some("ObjectIsBeingRecovered"));
    assert!(error.advice().contains("recover"), "{}", error.advice());
    assert_eq!(
        world.count("PUT /secrets/{name}"),
        26,
        "the first write, and a bounded number of tries"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_like_no_vault_gets_no_token() {
    let world = World::start().await;
    for action in [
        json!({"kind": "html", "status": 200}),
        json!({"kind": "status", "status": 401}),
        json!({"kind": "status", "status": 401, "headers": {"WWW-Authenticate": "Basic realm=x"}}),
    ] {
        world.fault(json!({"match": {"service": "keyVault"}, "action": action}));
        assert_eq!(world.get("a").await.error().kind(), Kind::Protocol);
    }
    assert_eq!(world.sandbox.control().stats()["tokens"], json!([]));
}
