//! Subscriptions of the feed, listed, started and stopped by themselves.

use super::support::*;
use secureapp_core::{Field, Kind, Operation, Request, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;

const ALL: usize = 5;

async fn world(tenants: usize, subscribed: bool) -> World {
    let audit = AuditOptions {
        subscribed,
        ..AuditOptions::default()
    };
    World::start(tenants, 10 * tenants as u64, audit).await
}

/// An export's request, reduced to who asks.
fn request(world: &World) -> Request {
    let export = world.request(&world.ask());
    let environment = export.text("environment").expect("an environment").to_owned();
    let credential = export.credential("credential").expect("a credential").clone();
    Request::new("audit_subscriptions")
        .with("environment", Field::Text(environment))
        .with("credential", Field::Credential(credential))
}

/// Runs an action for these tenants, on these content types.
async fn switch(world: &World, action: &str, tenants: &[String], content_types: &[&str]) -> Outcome {
    let request = request(world).with("action", Field::Text(action.to_owned()));
    let operation = Operation::start(&world.session, request).expect("an operation");
    let names: Vec<String> = content_types.iter().map(|name| (*name).to_owned()).collect();
    for (number, tenant) in tenants.iter().enumerate() {
        let item = item(number, tenant).with("contentTypes", Field::Texts(names.clone()));
        operation.submit(item).expect("an item");
    }
    operation.finish_input();
    drain(&operation).await
}

fn states(outcome: &Outcome) -> Vec<(&str, &str, bool)> {
    outcome
        .records
        .iter()
        .map(|record| {
            (
                text(record, "contentType"),
                text(record, "status"),
                flag(record, "changed"),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_started_once_listed_and_stopped_once() {
    let world = world(1, false).await;
    let tenants = world.tenants();
    let none = switch(&world, "list", &tenants, &[]).await;
    assert_eq!(none.records.len(), ALL);
    assert!(states(&none)
        .iter()
        .all(|(_, status, changed)| *status == "None" && !changed));

    let types = ["Audit.Exchange", "audit.general"];
    for (changed, requests) in [(true, 2), (false, 2)] {
        let enabled = switch(&world, "enable", &tenants, &types).await;
        assert_eq!(
            states(&enabled),
            [
                ("Audit.Exchange", "Enabled", changed),
                ("Audit.General", "Enabled", changed)
            ]
        );
        assert_eq!(
            world.requests("subscriptions/start"),
            requests,
            "what is enabled is not started again"
        );
    }
    let listed = switch(&world, "list", &tenants, &[]).await;
    let enabled = states(&listed)
        .into_iter()
        .filter(|(_, status, _)| *status == "Enabled")
        .count();
    assert_eq!((listed.records.len(), enabled), (ALL, 2));

    for (changed, requests) in [(true, 1), (false, 1)] {
        let disabled = switch(&world, "disable", &tenants, &["Audit.Exchange"]).await;
        assert_eq!(states(&disabled), [("Audit.Exchange", "Disabled", changed)]);
        assert_eq!(world.requests("subscriptions/stop"), requests);
    }
    // Without names: whatever is enabled, and nothing else.
    let rest = switch(&world, "disable", &tenants, &[]).await;
    let changed: Vec<&str> = states(&rest)
        .into_iter()
        .filter(|state| state.2)
        .map(|state| state.0)
        .collect();
    assert_eq!(changed, ["Audit.General"]);
}

/// Somebody else was faster, and the service says so in codes of its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_already_so_is_no_failure() {
    for (action, path, code, status) in [
        ("enable", "subscriptions/start", "AF20024", "Enabled"),
        ("disable", "subscriptions/stop", "AF20022", "Disabled"),
    ] {
        let world = world(1, action == "disable").await;
        world.fault(json!({"match": {"service": "manage", "pathContains": path}, "action": {"kind": "feedError", "code": code}}));
        let outcome = switch(&world, action, &world.tenants(), &["Audit.Exchange"]).await;
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(states(&outcome), [("Audit.Exchange", status, true)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_and_left_alone() {
    let world = world(1, true).await;
    // The shape of a real list: no expiration is an empty text.
    world.fault(json!({"match": {"service": "manage", "pathContains": "subscriptions/list"}, "times": -1, "action": {"kind": "status",
        "status": 200, "body": "[{\"contentType\":\"Audit.Exchange\",\"status\":\"enabled\",\"webhook\":{\"authId\":null,\
        \"address\":\"https://collector.example/hook\",\"expiration\":\"\",\"status\":\"disabled\"}},\
        {\"contentType\":\"Audit.General\",\"status\":\"disabled\",\"webhook\":null}]"}}));
    let outcome = switch(&world, "enable", &world.tenants(), &["Audit.Exchange"]).await;
    assert_eq!(
        world.requests("subscriptions/start"),
        0,
        "a start without a webhook takes it away"
    );
    let record = outcome.record();
    assert_eq!(text(record, "webhookAddress"), "https://collector.example/hook");
    assert_eq!(text(record, "webhookStatus"), "Disabled");
    assert!(!flag(record, "changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_or_content_type_that_fails_stops_no_other() {
    let world = world(4, false).await;
    let tenants = world.tenants();
    let control = world.sandbox.control();
    control.set_tenant(&tenants[0], json!({"consent": "missing"})).unwrap();
    control.set_tenant(&tenants[1], json!({"auditing": false})).unwrap();
    world.fault(json!({"match": {"service": "manage", "tenantId": tenants[2], "pathContains": "contentType=Audit.SharePoint"}, "times": -1,
        "action": {"kind": "status", "status": 400, "body": "{\"error\":{\"code\":\"AF20020\",\"message\":\"no\"}}"}}));
    let asked: Vec<String> = tenants.iter().cloned().chain(["no tenant".to_owned()]).collect();

    let outcome = switch(&world, "enable", &asked, &[]).await;
    assert!(outcome.end.is_none());
    assert_eq!(outcome.records.len(), 4 + 3);
    let failed = |tenant: &str| {
        let of =
            |failure: &&secureapp_core::Failure| failure.target.get("tenant").and_then(Value::as_text) == Some(tenant);
        let found: Vec<_> = outcome.failures.iter().filter(of).collect();
        assert_eq!(found.len(), 1, "{tenant}: {:?}", outcome.failures);
        found[0]
    };
    assert_eq!(failed(&tenants[0]).error.kind(), Kind::NotSignedIn);
    assert!(failed(&tenants[1])
        .error
        .advice()
        .contains("UnifiedAuditLogIngestionEnabled"));
    let part = failed(&tenants[2]);
    assert_eq!(
        part.target.get("contentType").and_then(Value::as_text),
        Some("Audit.SharePoint")
    );
    assert!(part.error.message().contains("AF20020"), "{}", part.error);
    assert_eq!(failed("no tenant").error.kind(), Kind::InvalidInput);
}

/// Every request says whose program it is, so that it does not draw on the quota of the nameless.
#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_asked_side_by_side_and_a_throttled_one_is_waited_for() {
    let world = world(6, false).await;
    world.fault(
        json!({"id": "held", "match": {"service": "manage", "pathContains": "PublisherIdentifier="}, "times": 6,
        "action": {"kind": "hold", "stage": "before-headers"}}),
    );
    let tenants = world.tenants();
    let all = async { switch(&world, "list", &tenants, &[]).await };
    let release = async {
        let limit = std::time::Duration::from_secs(60);
        let held = world.sandbox.control().wait_hold("held", "held", 6, limit).await;
        assert!(held.is_ok(), "all six at once: {held:?}");
        world.fault(
            json!({"match": {"service": "manage"}, "times": 2, "action": {"kind": "feedError", "code": "AF429"}}),
        );
        world.sandbox.control().release("held");
    };
    let (outcome, ()) = tokio::join!(all, release);
    assert_eq!(outcome.records.len(), 6 * ALL);
    let again = switch(&world, "list", &tenants[..1], &["DLP.All"]).await;
    assert_eq!(states(&again), [("DLP.All", "None", false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let world = world(1, true).await;
    let request = request(&world);
    for (name, value) in [
        ("action", Field::Text("toggle".to_owned())),
        ("throttle", Field::Int(-1)),
    ] {
        let mut request = request.clone().with("action", Field::Text("list".to_owned()));
        request.set(name, value);
        let error = Operation::start(&world.session, request).err().expect("a refusal");
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
    let outcome = switch(&world, "list", &world.tenants(), &["Audit.Nothing"]).await;
    assert_eq!(outcome.failures[0].error.kind(), Kind::InvalidInput);
    assert_eq!(world.requests("activity"), 0);
}
