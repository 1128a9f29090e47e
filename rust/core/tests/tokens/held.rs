//! What the cache says that it holds, and what it forgets.

use crate::support::*;
use secureapp_core::{immediate, Field, Kind, Request, Value};
use serde_json::json;

fn list(bed: &Bed, request: Request) -> Vec<Value> {
    match immediate(&bed.engine, &request) {
        Ok(Value::List(held)) => held,
        other => panic!("no list: {other:?}"),
    }
}

fn all(bed: &Bed) -> Vec<Value> {
    list(bed, Request::new("token_cache.list"))
}

fn clear(bed: &Bed, request: Request) -> i64 {
    immediate(&bed.engine, &request)
        .expect("cleared")
        .as_i64()
        .expect("a number")
}

fn text<'a>(held: &'a Value, key: &str) -> Option<&'a str> {
    held.get(key).and_then(Value::as_text)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_described_and_none_is_given() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    let (tenant, scope) = (bed.tenant(0), "https://graph.microsoft.com/.default");
    let user = bed.ask(&bed.user(), item(&tenant, GRAPH)).await;
    let own = bed.ask(&bed.application(), scoped(&bed.domain(0), &[scope])).await;
    let held = all(&bed);
    assert_eq!(held.len(), 2);
    for one in &held {
        assert_eq!(text(one, "environment"), Some(CLOUD));
        assert_eq!(text(one, "tenantId"), Some(tenant.as_str()));
        assert_eq!(text(one, "applicationId"), Some(facts.application_id.as_str()));
    }
    let (by_user, by_application) = (&held[0], &held[1]);
    assert_eq!(
        (text(by_user, "grant"), text(by_application, "grant")),
        (Some("refresh_token"), Some("client_credentials"))
    );
    assert_eq!(text(by_user, "resource"), Some(GRAPH));
    assert!(matches!(by_application.get("scopes"), Some(Value::List(scopes)) if scopes.len() == 1));
    assert_eq!(text(by_user, "account"), Some(facts.user_principal_name.as_str()));
    assert_eq!(text(by_application, "account"), None);
    let ends = |value: &Value| value.get("expiresOn").and_then(Value::as_i64);
    assert_eq!(ends(by_user), ends(user.record()));
    let mut bytes = Vec::new();
    Value::List(held).encode(&mut bytes);
    let shown = String::from_utf8_lossy(&bytes);
    for secret in [user.token(), own.token(), &facts.secret, &facts.refresh_token] {
        assert!(!shown.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_meant_is_found_and_forgotten() {
    let bed = bed(3).await;
    for number in 0..3 {
        bed.ask(&bed.user(), item(&bed.tenant(number), GRAPH)).await.record();
    }
    bed.ask(&bed.user(), item(&bed.domain(2), PARTNER_CENTER))
        .await
        .record();
    let mut asked = bed.asked();
    let of = |kind: &str, tenant: &str| Request::new(kind).with("tenants", Field::Texts(vec![tenant.to_owned()]));
    assert_eq!(list(&bed, of("token_cache.list", &bed.tenant(0))).len(), 1);
    assert_eq!(list(&bed, of("token_cache.list", &bed.domain(2))).len(), 2);
    let elsewhere = Request::new("token_cache.list").with("environment", Field::Text("Public".to_owned()));
    assert!(list(&bed, elsewhere).is_empty());
    let nobody = Request::new("token_cache.clear").with("applicationId", Field::Text(NOBODY.to_owned()));
    assert_eq!(clear(&bed, nobody), 0);

    // By its number one token goes, also among several of a tenant.
    let held = list(&bed, of("token_cache.list", &bed.tenant(2)));
    let number = held[0].get("number").and_then(Value::as_i64).unwrap();
    let one = Request::new("token_cache.clear").with("number", Field::Int(number));
    assert_eq!(clear(&bed, one.clone()), 1);
    assert_eq!(clear(&bed, one), 0);
    assert_eq!(all(&bed).len(), 3);

    assert_eq!(clear(&bed, of("token_cache.clear", &bed.tenant(1))), 1);
    bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.record();
    assert_eq!(bed.asked(), asked, "another tenant's token is still there");
    bed.ask(&bed.user(), item(&bed.tenant(1), GRAPH)).await.record();
    asked += 1;
    assert_eq!(bed.asked(), asked, "a forgotten one is asked for again");
    assert_eq!(clear(&bed, Request::new("token_cache.clear")), 3);
    assert!(all(&bed).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let bed = bed(1).await;
    bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.record();
    for (key, value, kind, words) in [
        (
            "environment",
            Field::Text("Nowhere".to_owned()),
            Kind::NotFound,
            "Nowhere",
        ),
        (
            "applicationId",
            Field::Text("app".to_owned()),
            Kind::InvalidInput,
            "'app' is not an application id",
        ),
        (
            "tenants",
            Field::Texts(vec!["x".to_owned()]),
            Kind::InvalidInput,
            "neither a tenant id nor a domain",
        ),
        (
            "tenants",
            Field::Texts(vec![bed.domain(0)]),
            Kind::NotFound,
            "by that name",
        ),
        (
            "tennants",
            Field::Texts(vec![bed.tenant(0)]),
            Kind::InvalidInput,
            "tennants",
        ),
    ] {
        let error = immediate(&bed.engine, &Request::new("token_cache.clear").with(key, value)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(words), "{error:?} should say '{words}'");
    }
    assert_eq!(all(&bed).len(), 1, "and nothing is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_over_is_not_listed() {
    let bed = bed(1).await;
    bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.record();
    assert_eq!(all(&bed).len(), 1);
    bed.engine.clock().advance_ms(3_601_000);
    assert!(all(&bed).is_empty());
}

/// Removes the bed's cloud, or puts another in its place.
fn give_up(bed: &Bed, replaced: bool) {
    let request = match replaced {
        true => environment(CLOUD, &bed.sandbox, Some(bed.sandbox.ca_pem())).with("force", Field::Int(1)),
        false => Request::new("environment.remove").with("name", Field::Text(CLOUD.to_owned())),
    };
    immediate(&bed.engine, &request).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_removed_or_replaced_leaves_no_token_and_no_connection() {
    for replaced in [false, true] {
        let bed = bed(1).await;
        let user = bed.user();
        bed.ask(&user, item(&bed.domain(0), GRAPH)).await.record();
        bed.ask(&bed.application(), item(&bed.tenant(0), GRAPH)).await.record();
        assert_eq!(all(&bed).len(), 2);
        give_up(&bed, replaced);
        assert!(all(&bed).is_empty(), "replaced: {replaced}");
        let open = || bed.sandbox.control().stats()["connections"]["open"].as_u64();
        let closed = async {
            while open() != Some(0) {
                tokio::task::yield_now().await;
            }
        };
        assert!(
            tokio::time::timeout(LONG, closed).await.is_ok(),
            "{:?} connections are open",
            open()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_outlives_its_cloud_is_answered_and_leaves_nothing() {
    for replaced in [false, true] {
        let bed = bed(1).await;
        bed.hold("before-headers", 1);
        let operation = bed.begin(&bed.user(), &[], vec![item(&bed.domain(0), GRAPH)]);
        bed.held("held", 1).await;
        give_up(&bed, replaced);
        bed.release();
        assert_eq!(finish(&operation).await.unwrap().records.len(), 1);
        assert!(all(&bed).is_empty(), "replaced: {replaced}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_the_service_asked_for_is_not_forgotten() {
    let bed = bed(1).await;
    bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.record();
    bed.answer_with(-1, 429, json!({"Retry-After": "3600"}), "slow down");
    let forced = bed
        .ask_with(&bed.user(), &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_eq!(forced.error().kind(), Kind::Throttled);
    let requests = bed.requests();
    assert_eq!(clear(&bed, Request::new("token_cache.clear")), 1);
    let answers = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(answers.error().kind(), Kind::Throttled);
    assert_eq!(bed.requests(), requests, "the service is left alone");
}
