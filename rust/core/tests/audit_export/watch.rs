//! Feeds that are followed: what comes is written once, through outages, stops and long absences.

use super::support::*;
use secureapp_core::{Event, Field, Kind, Next, Operation, Request, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A feed that began two days ago and goes on for ten more: time is put forward by [`pass`].
async fn world(tenants: usize) -> World {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = now.as_millis() as i64;
    let audit = AuditOptions {
        start_ms: Some(now - 2 * DAY_MS),
        end_ms: Some(now + 10 * DAY_MS),
        records_per_blob: 5,
        ..AuditOptions::default()
    };
    World::start(tenants, 1200 * tenants as u64, audit).await
}

/// Puts the clocks of both sides forward, the service's first: it must have what the client believes to be over.
fn pass(world: &World, by_ms: i64) {
    let clock = world.session.engine().clock();
    let skew = (clock.now_ms() + by_ms - system_ms() + 500) / 1000;
    world
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": skew}))
        .unwrap();
    clock.advance_ms(by_ms);
}

fn system_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    since.as_millis() as i64
}

fn request(world: &World, poll_ms: i64) -> Request {
    let export = world.request(&world.ask());
    let text = |name: &str| Field::Text(export.text(name).unwrap().to_owned());
    Request::new("audit_watch")
        .with(
            "credential",
            Field::Credential(export.credential("credential").unwrap().clone()),
        )
        .with("environment", text("environment"))
        .with("path", text("path"))
        .with(
            "contentTypes",
            Field::Texts(export.texts("contentTypes").unwrap().to_vec()),
        )
        .with("pollMs", Field::Int(poll_ms))
}

fn watch(world: &World, poll_ms: i64) -> Operation {
    begin(&world.session, request(world, poll_ms), &world.tenants()).expect("a watch")
}

/// One round of each tenant, then the end.
async fn once(world: &World) -> Outcome {
    let now = world.session.engine().clock().now_ms();
    let request = request(world, 1000).with("until", Field::Int(now));
    drain(&begin(&world.session, request, &world.tenants()).expect("a watch")).await
}

/// The next state that fits, and the failures on the way.
async fn until(operation: &Operation, fits: impl Fn(&Value) -> bool) -> (Value, Vec<Kind>) {
    let mut failures = Vec::new();
    let wait = async {
        loop {
            match operation.next().await.expect("it goes on") {
                Next::Event(Event::Record(record)) if fits(&record) => return record,
                Next::Event(Event::Failed(failure)) => failures.push(failure.error.kind()),
                Next::Event(_) => {}
                Next::Done => panic!("the watch ended by itself"),
            }
        }
    };
    let record = tokio::time::timeout(Duration::from_secs(120), wait).await;
    (record.expect("such a state"), failures)
}

fn is(state: &'static str) -> impl Fn(&Value) -> bool {
    move |record| text(record, "state") == state
}

/// What has come and is settled, from where the folder begins.
fn assert_whole(world: &World, start: i64, end: i64) {
    world.assert_truth(&Ask {
        start,
        end,
        ..world.ask()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_as_time_passes_is_written_once() {
    let world = world(2).await;
    let tenants = world.tenants();
    let operation = watch(&world, 1000);
    for _ in &tenants {
        until(&operation, is("Following")).await;
    }
    for _ in 0..3 {
        pass(&world, 12 * HOUR_MS);
        for _ in &tenants {
            let (record, failures) = until(&operation, |record| number(record, "records") > 0).await;
            assert!(
                failures.is_empty() && is("Following")(&record),
                "{record:?} {failures:?}"
            );
        }
    }
    operation.cancel();
    assert!(drain(&operation).await.end.unwrap().is_cancelled());
    world.session.engine().idle().await;

    // Where it stopped, one more round goes on.
    let last = once(&world).await;
    last.assert_complete(2);
    let end = last
        .records
        .iter()
        .map(|record| number(record, "finalUntil"))
        .min()
        .unwrap();
    assert_whole(&world, world.now - 3 * DAY_MS, end);
    for tenant in &tenants {
        let manifest = world.manifest(tenant);
        assert_eq!(
            (&manifest["complete"], &manifest["gaps"]),
            (&json!(true), &json!([])),
            "{manifest}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_once_and_what_came_meanwhile_is_there_after_it() {
    let world = world(1).await;
    let operation = watch(&world, 1000);
    until(&operation, is("Following")).await;
    world.fault(json!({"match": {"service": "manage"}, "times": -1, "action": {"kind": "status", "status": 503, "body": "down"}}));
    pass(&world, 6 * HOUR_MS);
    let (failing, _) = until(&operation, is("Failing")).await;
    assert!(!text(&failing, "reason").is_empty());
    let rounds = world.requests("subscriptions/list");
    // It keeps asking.
    while world.requests("subscriptions/list") < rounds + 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.sandbox.control().clear_faults();
    let (back, failures) = until(&operation, is("Following")).await;
    assert_eq!(failures, [Kind::Server], "told once, not every round");
    assert!(number(&back, "records") > 0);
    operation.cancel();
    drain(&operation).await;
    world.session.engine().idle().await;
    let last = once(&world).await;
    last.assert_complete(1);
    assert_whole(&world, world.now - 3 * DAY_MS, number(last.record(), "finalUntil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn away_for_longer_than_the_feed_keeps_anything_is_a_gap() {
    let world = world(1).await;
    once(&world).await.assert_complete(1);
    let left = number(once(&world).await.record(), "finalUntil");
    pass(&world, 9 * DAY_MS);
    let back = once(&world).await;
    assert!(!flag(back.record(), "complete"), "{back:?}");
    assert!(is("Incomplete")(back.record()));
    let tenant = &world.tenants()[0];
    let gaps = world.manifest(tenant)["gaps"].as_array().unwrap().clone();
    let starts: Vec<&str> = gaps.iter().map(|gap| gap["start"].as_str().unwrap()).collect();
    assert_eq!(gaps.len(), 4, "one for each content type: {gaps:?}");
    assert!(starts.iter().all(|start| *start == starts[0]), "{gaps:?}");
    assert!(
        gaps[0]["reason"].as_str().unwrap().contains("did not keep it any more"),
        "{gaps:?}"
    );
    // Nothing is asked for again in vain, and what can be had is there.
    let again = once(&world).await;
    again.assert_complete(1);
    let end = number(again.record(), "finalUntil");
    let ids = world.ids(tenant);
    let kept = world.truth(
        tenant,
        &Ask {
            start: end - 6 * DAY_MS,
            end,
            ..world.ask()
        },
    );
    assert!(kept.iter().all(|id| ids.binary_search(id).is_ok()));
    assert!(left < end);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_cannot_be_read_is_asked_for_again_until_it_can() {
    let world = world(1).await;
    world.fault(
        json!({"id": "bad", "match": {"service": "manage", "pathContains": "$audit_general"}, "times": -1,
        "action": {"kind": "feedError", "code": "AF50000"}}),
    );
    let operation = watch(&world, 1000);
    let (bad, _) = until(&operation, is("Incomplete")).await;
    assert!(number(&bad, "finalUntil") < number(&bad, "endTime"));
    // The rounds in between bring what is new, and do not hide what is missing.
    pass(&world, 3 * HOUR_MS);
    let (between, _) = until(&operation, |record| number(record, "records") > 0).await;
    assert!(is("Incomplete")(&between), "{between:?}");
    world.sandbox.control().clear_faults();
    let (good, failures) = until(&operation, is("Following")).await;
    assert!(failures.is_empty());
    operation.cancel();
    drain(&operation).await;
    world.session.engine().idle().await;
    assert_whole(&world, world.now - 3 * DAY_MS, number(&good, "finalUntil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_without_consent_is_told_and_taken_up_when_it_has_it() {
    let world = world(3).await;
    let tenants = world.tenants();
    let control = world.sandbox.control();
    control.set_tenant(&tenants[1], json!({"consent": "missing"})).unwrap();
    let operation = watch(&world, 1000);
    let (failing, _) = until(&operation, is("Failing")).await;
    assert_eq!(text(&failing, "tenantId"), tenants[1]);
    control.set_tenant(&tenants[1], json!({"consent": "granted"})).unwrap();
    until(&operation, |record| {
        is("Following")(record) && text(record, "tenantId") == tenants[1]
    })
    .await;
    operation.cancel();
    drain(&operation).await;
    world.session.engine().idle().await;
    once(&world).await.assert_complete(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_round_is_gone_on_from() {
    let world = world(1).await;
    world.fault(
        json!({"id": "held", "match": {"service": "manage", "pathContains": "/audit/"}, "skip": 10, "times": -1,
        "action": {"kind": "hold", "stage": "mid-body"}}),
    );
    let operation = watch(&world, 1000);
    world.held("held").await;
    operation.cancel();
    assert!(drain(&operation).await.end.unwrap().is_cancelled());
    world.session.engine().idle().await;
    assert_eq!(world.manifest(&world.tenants()[0])["reason"], "stopped");
    world.sandbox.control().clear_faults();
    let last = once(&world).await;
    last.assert_complete(1);
    assert_whole(&world, world.now - 3 * DAY_MS, number(last.record(), "finalUntil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_and_a_watch_share_a_folder() {
    let world = world(1).await;
    let ask = Ask {
        start: world.now - 2 * DAY_MS,
        end: world.now - DAY_MS,
        ..world.ask()
    };
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    // It begins where the export ended, not where the feed does.
    let watched = once(&world).await;
    watched.assert_complete(1);
    assert_eq!(number(watched.record(), "startTime"), ask.end);
    assert_whole(&world, ask.start, number(watched.record(), "finalUntil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let world = world(1).await;
    for (name, value) in [
        ("pollMs", 999),
        ("throttle", -1),
        ("startTime", world.now - 30 * DAY_MS),
        ("settleSeconds", -1),
        ("endTime", world.now),
    ] {
        let mut request = request(&world, 1000);
        request.set(name, Field::Int(value));
        let error = Operation::start(&world.session, request).err().expect(name);
        assert_eq!(error.kind(), Kind::InvalidInput, "{name}");
    }
    assert_eq!(world.requests("activity"), 0);
    assert!(!Path::new(&world.root(&world.tenants()[0])).exists());
}
