//! Subscriptions that an export has to start, and what it then cannot have.

use super::support::*;
use secureapp_sandbox::AuditOptions;
use serde_json::json;

/// Nobody has subscribed to anything yet.
fn none_yet() -> AuditOptions {
    AuditOptions {
        page_size: 5,
        records_per_blob: 20,
        subscribed: false,
        ..AuditOptions::default()
    }
}

/// What a new subscription has all of.
fn last_hours(world: &World) -> Ask {
    Ask {
        start: world.now - 20 * HOUR_MS,
        ..world.ask()
    }
}

fn refusal(code: &str) -> serde_json::Value {
    json!({"kind": "status", "status": 400, "contentType": "application/json",
        "body": format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"said\"}}}}")})
}

fn were_started(outcome: &Outcome) -> bool {
    let said = |text: &String| text.contains("were started by this run");
    outcome.warnings.iter().any(said)
}

/// The content types of the gaps in a tenant's manifest, and where the first ends.
fn gaps(manifest: &serde_json::Value) -> (Vec<String>, String) {
    let gaps = manifest["gaps"].as_array().unwrap();
    let of = |gap: &serde_json::Value, key: &str| gap[key].as_str().unwrap_or_default().to_owned();
    let mut types: Vec<String> = gaps.iter().map(|gap| of(gap, "contentType")).collect();
    types.sort();
    types.dedup();
    (types, gaps.first().map(|gap| of(gap, "end")).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_from_a_subscription_that_was_just_started_is_not_complete() {
    let world = World::start(1, 900, none_yet()).await;
    let tenant = &world.tenants()[0];
    let ask = world.ask();
    let first = world.export(&ask, &world.tenants()).await;
    assert!(were_started(&first), "{:?}", first.warnings);
    assert!(!flag(first.record(), "complete"));
    let reason = text(first.record(), "reason");
    assert!(
        reason.contains("was started at") && reason.contains("Search-UnifiedAuditLog"),
        "{reason}"
    );
    let manifest = world.manifest(tenant);
    assert_eq!(manifest["complete"], false);
    let (types, end) = gaps(&manifest);
    assert_eq!(types.len(), 4);
    // What the service had of it is there: the last day.
    let day = Ask {
        start: millis(&end),
        ..ask.clone()
    };
    assert!(
        day.start >= world.now - DAY_MS && day.start < world.now - DAY_MS + HOUR_MS,
        "{end}"
    );
    assert!(!world.ids(tenant).is_empty());
    assert_eq!(world.ids(tenant), world.truth(tenant, &day));

    // A later run did not start anything, and neither did one that begins the folder anew; both still know.
    let forced = Ask {
        force: true,
        ..ask.clone()
    };
    for ask in [ask, forced] {
        let later = world.export(&ask, &world.tenants()).await;
        assert!(!were_started(&later), "{:?}", later.warnings);
        assert!(!flag(later.record(), "complete"));
        assert_eq!(gaps(&world.manifest(tenant)), (types.clone(), end.clone()));
    }
    // What lies after the gaps is whole.
    world
        .export(&last_hours(&world), &world.tenants())
        .await
        .assert_complete(1);
    let manifest = world.manifest(tenant);
    assert_eq!(
        (&manifest["run"]["complete"], &manifest["complete"]),
        (&json!(true), &json!(false)),
        "the week is still missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_broken_off_costs_nothing_later() {
    // The service learns of the start where its reply was on the way, and does not where it was not.
    for (stage, reached) in [("before-headers", false), ("after-headers", true)] {
        let world = World::start(1, 900, none_yet()).await;
        world.fault(
            json!({"id": "start", "match": {"service": "manage", "pathContains": "/subscriptions/start"}, "times": 1,
            "action": {"kind": "hold", "stage": stage}}),
        );
        let ask = last_hours(&world);
        let operation = world.begin(&ask, &world.tenants()).unwrap();
        world.held("start").await;
        operation.cancel();
        assert!(drain(&operation).await.end.is_some());
        world.session.engine().idle().await;
        assert!(world.root(&world.tenants()[0]).join("_subscriptions.json").exists());
        let before = world.requests("/subscriptions/start");

        // The attempt is not taken for a subscription that was there and ended.
        let later = world.export(&ask, &world.tenants()).await;
        assert!(were_started(&later), "{:?}", later.warnings);
        later.assert_complete(1);
        world.assert_truth(&ask);
        let starts = world.requests("/subscriptions/start") - before;
        assert_eq!(starts, if reached { 3 } else { 4 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_needs_a_moment_to_begin() {
    let world = World::start(1, 900, none_yet()).await;
    world.fault(json!([
        // An answer that was lost: the request was sent again and finds the subscription started.
        {"match": {"service": "manage", "pathContains": "/subscriptions/start"}, "times": 1, "action": refusal("AF20024")},
        {"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 2, "skip": 1, "action": refusal("AF20022")},
        {"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": 1, "skip": 5, "action": refusal("AF20031")},
    ]));
    let ask = last_hours(&world);
    let outcome = world.export(&ask, &world.tenants()).await;
    assert!(were_started(&outcome), "{:?}", outcome.warnings);
    outcome.assert_complete(1);
    world.assert_truth(&ask);
    assert_eq!(
        world.export(&ask, &world.tenants()).await.warnings,
        Vec::<String>::new()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_without_its_first_content_is_not_complete() {
    let audit = AuditOptions {
        first_content_seconds: 3600,
        ..none_yet()
    };
    let world = World::start(1, 300, audit).await;
    let ask = last_hours(&world);
    for _ in 0..2 {
        let outcome = world.export(&ask, &world.tenants()).await;
        let reason = text(outcome.record(), "reason");
        assert!(
            !flag(outcome.record(), "complete")
                && reason.contains("nothing has come yet of Audit.AzureActiveDirectory"),
            "{reason}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_while_a_subscription_was_off_is_a_gap() {
    let audit = AuditOptions {
        subscribed: true,
        ..none_yet()
    };
    for in_the_middle in [false, true] {
        let world = World::start(1, 300, audit.clone()).await;
        let tenant = &world.tenants()[0];
        if in_the_middle {
            world.fault(
                json!({"match": {"service": "manage", "pathContains": "contentType=Audit.Exchange"}, "times": 1, "skip": 2,
                "action": refusal("AF20023")}),
            );
        } else {
            let off = json!({"disabledSubscriptions": ["Audit.Exchange"]});
            world.sandbox.control().set_tenant(tenant, off).unwrap();
        }
        let ask = world.ask();
        for run in 0..2 {
            let outcome = world.export(&ask, &world.tenants()).await;
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            assert!(!flag(outcome.record(), "complete"), "run {run}");
            assert!(text(outcome.record(), "reason").contains("while it was off"));
            assert_eq!(gaps(&world.manifest(tenant)).0, ["Audit.Exchange"]);
        }
        world.assert_truth(&ask);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_disabled_in_the_middle_is_started_and_told_of_once() {
    let audit = AuditOptions {
        subscribed: true,
        ..none_yet()
    };
    let world = World::start(1, 600, audit).await;
    let tenants = world.tenants();
    // All that is listed at the same time finds it disabled.
    world.fault(
        json!({"id": "listed", "match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": -1,
        "action": {"kind": "hold"}}),
    );
    let ask = Ask {
        content_types: "Audit.Exchange",
        ..world.ask()
    };
    let operation = world.begin(&ask, &tenants).unwrap();
    let control = world.sandbox.control();
    let limit = std::time::Duration::from_secs(60);
    control
        .wait_hold("listed", "held", 4, limit)
        .await
        .expect("four listings");
    let off = json!({"disabledSubscriptions": ["Audit.Exchange"]});
    control.set_tenant(&tenants[0], off).unwrap();
    control.clear_faults();
    let outcome = drain(&operation).await;
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(world.requests("/subscriptions/start"), 1);
    let record = outcome.record();
    assert!(!flag(record, "complete") && text(record, "reason").contains("while it was off"));
    let Some(secureapp_core::Value::List(told)) = record.get("gaps") else {
        panic!("no gaps")
    };
    assert_eq!(told.len(), 1, "{told:?}");
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_list_of_subscriptions_is_not_taken_for_old_ones() {
    let world = World::start(1, 100, none_yet()).await;
    let ask = last_hours(&world);
    world.export(&ask, &world.tenants()).await;
    let tenant = &world.tenants()[0];
    std::fs::write(world.root(tenant).join("_subscriptions.json"), "{").unwrap();
    let outcome = world.export(&ask, &world.tenants()).await;
    let error = &outcome.failures[0].error;
    assert!(error.message().contains("_subscriptions.json is damaged"), "{error}");
    assert!(!error.advice().is_empty());
    assert_eq!(world.manifest(tenant)["complete"], false);
}

/// The milliseconds of a manifest's time.
fn millis(text: &str) -> i64 {
    let at = text.find('.').unwrap_or(text.len() - 1);
    let shape = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let seconds = time::PrimitiveDateTime::parse(&text[..at], shape)
        .unwrap()
        .assume_utc()
        .unix_timestamp();
    let fraction: i64 = text[at..].trim_matches(['.', 'Z']).parse().unwrap_or_default();
    seconds * 1000 + fraction
}
