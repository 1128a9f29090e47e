//! What goes wrong on the way, and still ends in the truth.

use super::support::*;
use secureapp_sandbox::{AuditOptions, Options};
use serde_json::json;

fn small_blobs() -> AuditOptions {
    AuditOptions {
        page_size: 5,
        records_per_blob: 20,
        ..AuditOptions::default()
    }
}

async fn survives(fault: serde_json::Value) -> (World, Outcome) {
    let world = World::start(2, 1_500, small_blobs()).await;
    world.fault(fault);
    let ask = world.ask();
    let outcome = world.export(&ask, &world.tenants()).await;
    outcome.assert_complete(2);
    world.assert_truth(&ask);
    (world, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_in_a_403_with_single_quotes() {
    let body = "{'error':{'code':'AF429','message':'Too many requests. Method=GetBlob, PublisherId=x'}}";
    let action =
        json!({"kind": "status", "status": 403, "body": body, "contentType": "application/json; charset=utf-8"});
    survives(json!([
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 5, "skip": 3, "action": action},
        {"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 3, "skip": 2, "action": action},
        {"match": {"service": "manage", "pathContains": "/subscriptions/list"}, "times": 1, "action": action},
    ]))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_bodies() {
    survives(json!([
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 4, "skip": 1,
         "action": {"kind": "truncate", "bytes": 900, "close": "clean"}},
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 4, "skip": 9,
         "action": {"kind": "truncate", "bytes": 500, "close": "abort"}},
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 4, "skip": 15,
         "action": {"kind": "truncate", "bytes": 700, "close": "cancel"}},
        {"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 2, "skip": 3,
         "action": {"kind": "truncate", "bytes": 300, "close": "abort"}},
        // Nothing but the JSON says that this page is cut short.
        {"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 2, "skip": 9,
         "action": {"kind": "status", "status": 200, "contentType": "application/json", "body": "[{\"contentId\":\"2026"}},
    ]))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_bodies_without_compression() {
    let world = World::start(
        1,
        800,
        AuditOptions {
            gzip: false,
            ..small_blobs()
        },
    )
    .await;
    world.fault(json!([
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 5,
         "action": {"kind": "truncate", "bytes": 9000, "close": "clean"}},
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 3, "skip": 7,
         "action": {"kind": "truncate", "bytes": 9000, "close": "cancel"}},
    ]));
    let ask = world.ask();
    let outcome = world.export(&ask, &world.tenants()).await;
    outcome.assert_complete(1);
    world.assert_truth(&ask);
    assert_eq!(outcome.sum("records"), 800);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_errors_and_broken_connections() {
    survives(json!([
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 3, "skip": 2,
         "action": {"kind": "status", "status": 500, "body": "{'error':{'code':'AF50000','message':'internal'}}"}},
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 2, "skip": 6, "action": {"kind": "reset"}},
        {"match": {"service": "manage", "pathContains": "/subscriptions/list"}, "times": 2,
         "action": {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}, "body": ""}},
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 2, "skip": 9, "action": {"kind": "garbage"}},
    ]))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_the_middle() {
    // One refusal: a second could meet the repeated request, and that would be a refusal that stays.
    let (world, _) = survives(json!([
        {"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1, "skip": 4,
         "action": {"kind": "status", "status": 401, "body": "{\"Message\":\"Authorization has been denied for this request.\"}"}},
    ]))
    .await;
    assert!(world.requests("/oauth2/token") > 2, "a refused token is replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_live_for_a_minute() {
    let options = Options {
        tenants: 2,
        records: 1_500,
        token_lifetime_seconds: 60,
        audit: small_blobs(),
        ..Options::default()
    };
    let world = World::with(options).await;
    let ask = world.ask();
    world.export(&ask, &world.tenants()).await.assert_complete(2);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_gone_is_a_gap_and_not_complete() {
    let world = World::start(1, 600, small_blobs()).await;
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1, "skip": 2,
        "action": {"kind": "status", "status": 400, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"AF20051\",\"message\":\"Content requested has already expired.\"}}"}}),
    );
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    let record = outcome.record();
    assert!(!flag(record, "complete"));
    let Some(secureapp_core::Value::List(gaps)) = record.get("gaps") else {
        panic!("no gaps")
    };
    assert_eq!(gaps.len(), 1);
    assert!(text(&gaps[0], "reason").contains("AF20051"), "{gaps:?}");
    let manifest = world.manifest(&world.tenants()[0]);
    assert_eq!(manifest["complete"], false);
    assert_eq!(manifest["gaps"].as_array().unwrap().len(), 1);
    // What can be had is had, and a later run closes the gap.
    world.export(&world.ask(), &world.tenants()).await.assert_complete(1);
    world.assert_truth(&world.ask());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_partner_is_named_in_every_request() {
    let world = World::start(1, 600, small_blobs()).await;
    // The first fault that matches is taken: what names the partner passes, what does not is refused.
    let named = format!("PublisherIdentifier={}", world.sandbox.facts().partner_tenant_id);
    world.fault(json!([
        {"match": {"service": "manage", "pathContains": named}, "times": -1, "action": {"kind": "delay", "ms": 0}},
        {"match": {"service": "manage"}, "times": -1, "action": {"kind": "status", "status": 400, "body": "nameless"}},
    ]));
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    outcome.assert_complete(1);
    assert_eq!(outcome.sum("records"), 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_page_on_another_host_gets_no_token() {
    let world = World::start(1, 300, small_blobs()).await;
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 1,
        "action": {"kind": "status", "status": 200, "contentType": "application/json", "body": "[]",
            "headers": {"NextPageUri": "https://evil.example/api/v1/x"}}}),
    );
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    assert_eq!(outcome.failures.len(), 1);
    assert!(
        outcome.failures[0].error.message().contains("evil.example"),
        "{:?}",
        outcome.failures
    );
    assert!(!flag(outcome.record(), "complete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_link_in_a_circle_end() {
    let world = World::start(1, 300, small_blobs()).await;
    let feed = &world.sandbox.facts().endpoints.manage;
    let link = |at: &str, next: &str| {
        json!({"match": {"service": "manage", "pathContains": at}, "times": -1,
            "action": {"kind": "status", "status": 200, "contentType": "application/json", "body": "[]",
                "headers": {"NextPageUri": format!("{feed}/{next}")}}})
    };
    world.fault(json!([
        link("circle-1", "circle-2"),
        link("circle-2", "circle-1"),
        link("/subscriptions/content", "circle-1"),
    ]));
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    assert_eq!(outcome.failures.len(), 1);
    let message = outcome.failures[0].error.message();
    assert!(message.contains("does not end"), "{message}");
    assert!(!flag(outcome.record(), "complete"));
}
