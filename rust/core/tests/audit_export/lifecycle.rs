//! Stops, resumes, and two exports at once.

use super::support::*;
use secureapp_core::{Event, Next};
use secureapp_sandbox::AuditOptions;
use serde_json::json;

fn small_blobs() -> AuditOptions {
    AuditOptions {
        records_per_blob: 20,
        ..AuditOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_is_not_a_short_result() {
    for (path, stage) in [
        ("/subscriptions/content", "before-headers"),
        ("/audit/", "before-headers"),
        ("/audit/", "after-headers"),
        ("/audit/", "mid-body"),
    ] {
        let world = World::start(1, 600, small_blobs()).await;
        world.fault(
            json!({"id": "stop", "match": {"service": "manage", "pathContains": path}, "skip": 3, "times": -1,
            "action": {"kind": "hold", "stage": stage}}),
        );
        let ask = world.ask();
        let operation = world.begin(&ask, &world.tenants()).unwrap();
        world.held("stop").await;
        operation.cancel();
        let outcome = drain(&operation).await;
        assert!(
            outcome.end.as_ref().is_some_and(secureapp_core::Error::is_cancelled),
            "{outcome:?}"
        );
        assert!(outcome.records.is_empty());
        world.session.engine().idle().await;
        let tenant = &world.tenants()[0];
        let manifest = world.manifest(tenant);
        assert_eq!(
            (&manifest["complete"], &manifest["reason"]),
            (&json!(false), &json!("stopped")),
            "{path} {stage}"
        );
        world.sandbox.control().clear_faults();
        world.export(&ask, &world.tenants()).await.assert_complete(1);
        world.assert_truth(&ask);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_right_after_a_stop_waits_for_the_first_to_leave_the_folder() {
    let world = World::start(1, 600, small_blobs()).await;
    let ask = world.ask();
    for round in 0..5 {
        let id = format!("stop {round}");
        world.fault(
            json!({"id": id, "match": {"service": "manage", "pathContains": "/audit/"}, "skip": round, "times": -1,
            "action": {"kind": "hold", "stage": "mid-body"}}),
        );
        let operation = world.begin(&ask, &world.tenants()).unwrap();
        world.held(&id).await;
        operation.cancel();
        assert!(drain(&operation).await.end.is_some());
        world.sandbox.control().clear_faults();
        world.export(&ask, &world.tenants()).await.assert_complete(1);
        world.assert_truth(&ask);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_run_does_not_hide_what_an_earlier_one_lacked() {
    let world = World::start(1, 900, small_blobs()).await;
    let tenant = &world.tenants()[0];
    let whole = world.ask();
    let early = Ask {
        end: world.now - 5 * DAY_MS,
        ..whole.clone()
    };
    let late = Ask {
        start: world.now - 3 * DAY_MS,
        ..whole.clone()
    };
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1, "skip": 2,
        "action": {"kind": "status", "status": 400, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"AF20051\",\"message\":\"Content requested has already expired.\"}}"}}),
    );
    assert!(!flag(world.export(&early, &world.tenants()).await.record(), "complete"));

    let good = world.export(&late, &world.tenants()).await;
    good.assert_complete(1);
    assert!(!flag(good.record(), "folderComplete"));
    let manifest = world.manifest(tenant);
    assert_eq!(
        (&manifest["run"]["complete"], &manifest["complete"]),
        (&json!(true), &json!(false))
    );
    let reason = manifest["reason"].as_str().unwrap();
    assert!(reason.contains("there are 5 gaps of other exports"), "{reason}");
    // The blob, and for each content type the two days that nobody asked for.
    let gaps = manifest["gaps"].as_array().unwrap();
    let unasked = gaps
        .iter()
        .filter(|gap| gap["reason"].as_str().unwrap().contains("no export"))
        .count();
    let gone = gaps
        .iter()
        .filter(|gap| gap["reason"].as_str().unwrap().contains("AF20051"));
    assert_eq!((gaps.len(), unasked, gone.count()), (5, 4, 1), "{gaps:?}");

    let last = world.export(&whole, &world.tenants()).await;
    last.assert_complete(1);
    assert!(flag(last.record(), "folderComplete"));
    let manifest = world.manifest(tenant);
    assert_eq!((&manifest["complete"], &manifest["gaps"]), (&json!(true), &json!([])));
    let ranges = manifest["coverage"][0]["ranges"].as_array().unwrap();
    assert_eq!((ranges.len(), &ranges[0]["start"]), (1, &manifest["startTime"]));
    world.assert_truth(&whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_changed_is_told() {
    let world = World::start(1, 300, small_blobs()).await;
    let tenant = &world.tenants()[0];
    let ask = world.ask();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let (_, part) = parts(&world.root(tenant)).remove(0);
    let text = std::fs::read_to_string(&part).unwrap();
    std::fs::write(&part, text.lines().next().unwrap()).unwrap();

    let again = world.export(&ask, &world.tenants()).await;
    assert!(again.end.is_none() && again.failures.is_empty(), "{again:?}");
    let record = again.record();
    assert_eq!(
        (flag(record, "complete"), flag(record, "folderComplete")),
        (false, false)
    );
    let reason = world.manifest(tenant)["reason"].as_str().unwrap().to_owned();
    let name = part.file_name().unwrap().to_str().unwrap();
    assert!(
        reason.contains(name) && reason.contains("has not the size that it was written with"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exports_into_one_folder_are_refused() {
    let world = World::start(1, 300, small_blobs()).await;
    world.fault(
        json!({"id": "first", "match": {"service": "manage", "pathContains": "/audit/"}, "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"}}),
    );
    let ask = world.ask();
    let first = world.begin(&ask, &world.tenants()).unwrap();
    world.held("first").await;
    let second = world.export(&ask, &world.tenants()).await;
    assert!(
        second.failures[0].error.message().contains("another export is writing"),
        "{:?}",
        second.failures
    );
    world.sandbox.control().release("first");
    drain(&first).await.assert_complete(1);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_takes_tenants_while_it_runs() {
    let world = World::start(3, 300, small_blobs()).await;
    let tenants = world.tenants();
    let ask = world.ask();
    let operation = secureapp_core::Operation::start(&world.session, world.request(&ask)).unwrap();
    for (number, tenant) in tenants.iter().enumerate() {
        operation.submit(item(number, tenant)).unwrap();
        loop {
            match operation.next().await.unwrap() {
                Next::Event(Event::Record(record)) => {
                    assert_eq!(text(&record, "tenantId"), tenant);
                    break;
                }
                Next::Event(_) => {}
                Next::Done => panic!("the operation ended before its input did"),
            }
        }
    }
    operation.finish_input();
    assert!(drain(&operation).await.end.is_none());
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_keeps_what_was_read() {
    let world = World::start(1, 600, small_blobs()).await;
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/"}, "skip": 10, "times": -1,
        "action": {"kind": "status", "status": 403, "body": "{\"error\":{\"code\":\"AF10001\",\"message\":\"no\"}}"}}),
    );
    let ask = world.ask();
    let outcome = world.export(&ask, &world.tenants()).await;
    assert!(outcome.failures[0].error.advice().contains("ActivityFeed.Read"));
    let tenant = &world.tenants()[0];
    let kept = world.ids(tenant).len();
    assert!(kept > 0, "the first blobs were read");
    assert_eq!(number(outcome.record(), "records"), kept as i64);
    assert_eq!(world.manifest(tenant)["complete"], false);
    world.sandbox.control().clear_faults();
    let rest = world.export(&ask, &world.tenants()).await;
    rest.assert_complete(1);
    assert_eq!(rest.sum("records"), 600 - kept as i64);
    world.assert_truth(&ask);
}

/// A tenant whose turn comes late finds that the feed has moved on.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_leaves_the_seven_days_while_others_are_exported() {
    let world = World::start(1, 300, small_blobs()).await;
    let ask = world.ask();
    // By this clock the export is late; the sandbox's own clock decides what it accepts.
    let later = Ask {
        start: ask.start - 120_000,
        ..ask.clone()
    };
    world.export(&later, &world.tenants()).await.assert_complete(1);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn little_memory_forgets_no_record() {
    let audit = AuditOptions {
        duplicates: 0.2,
        ..AuditOptions::default()
    };
    let world = World::start(1, 50_000, audit).await;
    let ask = world.ask();
    for run in 0..2 {
        let request = world.request(&ask).with("maxMemory", secureapp_core::Field::Int(1));
        let operation = begin(&world.session, request, &world.tenants()).unwrap();
        let outcome = drain(&operation).await;
        outcome.assert_complete(1);
        let is_first = run == 0;
        assert_eq!(number(outcome.record(), "records") > 0, is_first);
        world.assert_truth(&ask);
    }
}
