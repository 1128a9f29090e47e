//! A whole estate in mixed health: the healthy are complete, the others have a row each, and nobody waits behind them. The proof
//! is an order of events that the sandbox counts, not a time: it answers no sick tenant's request until the healthy are done.

use super::support::*;
use secureapp_core::{Event, Next, Operation, Value};
use secureapp_sandbox::{AuditOptions, HoldCounts, Options, Signature};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Requests that try whether a throttled tenant may go on, of all tenants together (`http/limits.rs`).
const TRIALS: u64 = 8;

async fn estate(tenants: usize, records: u64) -> (World, Ask) {
    let world = World::with(Options {
        tenants,
        records,
        signature: Signature::Filler,
        audit: AuditOptions {
            records_per_blob: 10,
            ..AuditOptions::default()
        },
        ..Options::default()
    })
    .await;
    let ask = Ask {
        start: world.now - 2 * DAY_MS,
        ..world.ask()
    };
    (world, ask)
}

/// Reads rows until `tenants` have theirs; everything else is kept in `outcome`.
async fn until(operation: &Operation, outcome: &mut Outcome, tenants: &[String]) {
    let has = |outcome: &Outcome, tenant: &String| {
        let mut records = outcome.records.iter();
        records.any(|record| text(record, "tenantId") == tenant)
    };
    let mut missing: BTreeSet<&String> = tenants.iter().collect();
    while !missing.is_empty() {
        match operation.next().await.expect("an event") {
            Next::Event(Event::Record(record)) => outcome.records.push(record),
            Next::Event(Event::Failed(failure)) => outcome.failures.push(failure),
            Next::Event(_) => {}
            Next::Done => panic!("{} tenants have no row", missing.len()),
        }
        missing.retain(|tenant| !has(outcome, tenant));
    }
}

/// What was held of these faults: ever, and how much of it was let go.
async fn counts(world: &World, faults: &[String]) -> HoldCounts {
    let mut all = HoldCounts::default();
    for fault in faults {
        let control = world.sandbox.control();
        let one = control.wait_hold(fault, "held", 0, Duration::ZERO).await;
        let (Ok(one) | Err(one)) = one;
        all.held += one.held;
        all.released += one.released;
        all.closed += one.closed;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estate_in_mixed_health() {
    let (world, ask) = estate(300, 6_000).await;
    let tenants = world.tenants();
    let control = world.sandbox.control();
    // The worst of all orders: those that keep their turns longest come first.
    let (throttled, rest) = tenants.split_at(15);
    let (dead, rest) = rest.split_at(3);
    let (off, rest) = rest.split_at(15);
    let (without_consent, healthy) = rest.split_at(30);
    for tenant in dead {
        control.set_tenant(tenant, json!({"deleted": true})).unwrap();
    }
    for tenant in off {
        control.set_tenant(tenant, json!({"auditing": false})).unwrap();
    }
    for tenant in without_consent {
        control.set_tenant(tenant, json!({"consent": "missing"})).unwrap();
    }
    let matching = |tenant: &str| json!({"service": "manage", "tenantId": tenant});
    let refusal = json!({"kind": "feedError", "code": "AF429"});
    let trials: Vec<String> = (0..throttled.len()).map(|at| format!("trial-{at}")).collect();
    for (tenant, trial) in throttled.iter().zip(&trials) {
        world.fault(json!([
            {"match": matching(tenant), "times": 1, "action": refusal},
            {"id": trial, "match": matching(tenant), "times": -1, "action": {"kind": "hold"}},
        ]));
    }

    let operation = world.begin_all(&ask, &tenants);
    let mut outcome = Outcome::default();
    until(&operation, &mut outcome, healthy).await;

    // All retries of throttled tenants that were ever sent are still without an answer, so nothing has waited for one.
    let limit = Duration::from_secs(60);
    let mut seen = counts(&world, &trials).await;
    while seen.held < TRIALS {
        let waiting = trials.iter().map(|trial| control.wait_hold(trial, "held", 1, limit));
        let (held, ..) = futures_util::future::select_all(waiting.map(Box::pin)).await;
        held.expect("a retry is held");
        seen = counts(&world, &trials).await;
    }
    assert_eq!((seen.released, seen.closed), (0, 0));
    let rows: BTreeMap<&str, &Value> = outcome
        .records
        .iter()
        .map(|record| (text(record, "tenantId"), record))
        .collect();
    for tenant in healthy {
        assert!(flag(rows[tenant.as_str()], "complete"), "{:?}", rows[tenant.as_str()]);
        assert_eq!(world.ids(tenant), world.truth(tenant, &ask));
    }
    assert!(throttled.iter().all(|tenant| !rows.contains_key(tenant.as_str())));

    // From now on their retries are refused without a pause.
    for (tenant, trial) in throttled.iter().zip(&trials) {
        world.fault(json!({"id": trial, "match": matching(tenant), "times": -1, "action": refusal}));
        control.release(trial);
    }
    let rest = drain(&operation).await;
    outcome.records.extend(rest.records);
    outcome.failures.extend(rest.failures);
    assert!(rest.end.is_none());
    assert_eq!(outcome.records.len(), tenants.len(), "a row each");
    for (sick, cause, remedy) in [
        (throttled, "AF429", "later"),
        (dead, "AADSTS90002", "deleted"),
        (off, "auditing is off", "Set-AdminAuditLogConfig"),
        (without_consent, "AADSTS65001", "onsent"),
    ] {
        for tenant in sick {
            let row = outcome.records.iter().find(|record| text(record, "tenantId") == tenant);
            let row = row.expect("a row");
            assert!(!flag(row, "complete"));
            let reason = text(row, "reason");
            assert!(reason.contains(cause) && reason.contains(remedy), "{reason}");
            let failure = outcome.failures.iter().find(|failure| failure.error.tenant() == tenant);
            let error = &failure.expect("a failure").error;
            assert!(error.advice().contains(remedy), "{error} {}", error.advice());
        }
    }
    assert_eq!(outcome.failures.len(), tenants.len() - healthy.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_tenants_that_do_not_answer() {
    let (world, ask) = estate(40, 2_000).await;
    let tenants = world.tenants();
    let (dead, healthy) = tenants.split_at(12);
    let holds: Vec<String> = (0..dead.len()).map(|at| format!("dead-{at}")).collect();
    for (tenant, hold) in dead.iter().zip(&holds) {
        // Four listings each: as many requests together as one host may have in flight.
        let matching = json!({"service": "manage", "tenantId": tenant, "pathContains": "/subscriptions/content"});
        world.fault(json!({"id": hold, "match": matching, "times": -1, "action": {"kind": "hold"}}));
    }
    let operation = world.begin_all(&ask, &tenants);
    let mut outcome = Outcome::default();
    until(&operation, &mut outcome, healthy).await;
    let seen = counts(&world, &holds).await;
    assert_eq!((seen.held, seen.released, seen.closed), (48, 0, 0));
    assert_eq!(outcome.records.len(), healthy.len());
    world.sandbox.control().clear_faults();
    let rest = drain(&operation).await;
    outcome.records.extend(rest.records);
    outcome.failures.extend(rest.failures);
    outcome.assert_complete(tenants.len());
    world.assert_truth(&ask);
}

/// A tenant whose queries do not end, and one whose requests are not answered, keep no turn from the others.
#[tokio::test(flavor = "multi_thread")]
async fn graph_keeps_nobody_waiting_behind_a_tenant_that_waits() {
    for (path, action) in [
        (
            "/queries/",
            json!({"kind": "status", "status": 200, "body": "{\"id\": \"q\", \"status\": \"running\"}"}),
        ),
        ("/queries", json!({"kind": "hold"})),
        ("/queries", json!({"kind": "status", "status": 429, "body": "{}"})),
    ] {
        let (world, ask) = estate(3, 300).await;
        let ask = Ask {
            source: "graph",
            content_types: "",
            settle_seconds: 0,
            throttle: 1,
            ..ask
        };
        let tenants = world.tenants();
        let matching = json!({"service": "graph", "tenantId": tenants[0], "pathContains": path});
        world.fault(json!({"id": "sick", "match": matching, "times": -1, "action": action}));
        let operation = world.begin_all(&ask, &tenants);
        let mut outcome = Outcome::default();
        let healthy = until(&operation, &mut outcome, &tenants[1..]);
        tokio::time::timeout(Duration::from_secs(60), healthy)
            .await
            .expect("the healthy ones end");
        assert_eq!(outcome.records.len(), 2, "{action}");
        assert!(
            outcome.records.iter().all(|record| flag(record, "complete")),
            "{outcome:?}"
        );
        operation.cancel();
    }
}

/// As many sick tenants as there are turns, and they come first. What is sick about them is their first answer; what they send after it
/// is held, so none of them can end before the healthy do.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_tenants_that_wait_before_they_ask_again_or_sign_in() {
    // About as long as a request and a sign-in are ready to wait.
    let refusal =
        |status: u16, seconds: &str| json!({"kind": "status", "status": status, "headers": {"Retry-After": seconds}});
    let (busy, no_sign_in, throttled) = (refusal(503, "110"), refusal(503, "50"), refusal(429, "50"));
    for (service, answer) in [
        ("manage", Some(&busy)),
        ("login", Some(&no_sign_in)),
        ("login", Some(&throttled)),
        ("login", None),
    ] {
        let (world, ask) = estate(24, 600).await;
        let world = match answer {
            // What hangs is known as such after twenty first waits, which is far off: a wait that was asked for is known at once.
            Some(_) => world.with_http(|http| http.first_backoff = Duration::from_secs(10)),
            None => world,
        };
        let tenants = world.tenants();
        let (sick, healthy) = tenants.split_at(12);
        let ask = Ask { throttle: 12, ..ask };
        let holds: Vec<String> = (0..sick.len()).map(|at| format!("again-{at}")).collect();
        for (tenant, hold) in sick.iter().zip(&holds) {
            let matching = json!({"service": service, "tenantId": tenant});
            if let Some(answer) = answer {
                world.fault(json!({"match": matching, "times": 1, "action": answer}));
            }
            world.fault(json!({"id": hold, "match": matching, "times": -1, "action": {"kind": "hold"}}));
        }
        let operation = world.begin_all(&ask, &tenants);
        let mut outcome = Outcome::default();
        until(&operation, &mut outcome, healthy).await;

        let seen = counts(&world, &holds).await;
        let asked_again = if answer.is_some() { 0 } else { sick.len() as u64 };
        assert_eq!(
            (seen.held, seen.released, seen.closed),
            (asked_again, 0, 0),
            "{service} {answer:?}"
        );
        assert_eq!(outcome.records.len(), healthy.len());
        for (tenant, record) in healthy.iter().zip(&outcome.records) {
            assert!(flag(record, "complete"), "{record:?}");
            assert_eq!(world.ids(tenant), world.truth(tenant, &ask));
        }
        operation.cancel();
        assert!(drain(&operation).await.end.is_some_and(|end| end.is_cancelled()));
    }
}

/// More sign-ins that hang than one host may have in flight keep the others from signing in for ten seconds at most.
#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_hang_leave_room_for_those_that_do_not() {
    let (world, ask) = estate(70, 700).await;
    let tenants = world.tenants();
    let (sick, healthy) = tenants.split_at(60);
    let ask = Ask { throttle: 60, ..ask };
    let holds: Vec<String> = (0..sick.len()).map(|at| format!("sign-in-{at}")).collect();
    for (tenant, hold) in sick.iter().zip(&holds) {
        let matching = json!({"service": "login", "tenantId": tenant});
        world.fault(json!({"id": hold, "match": matching, "times": -1, "action": {"kind": "hold"}}));
    }
    let operation = world.begin_all(&ask, &tenants);
    let mut outcome = Outcome::default();
    until(&operation, &mut outcome, healthy).await;
    let seen = counts(&world, &holds).await;
    assert_eq!((seen.held, seen.released, seen.closed), (60, 0, 0));
    assert_eq!(outcome.records.len(), healthy.len());
    world.sandbox.control().clear_faults();
    let rest = drain(&operation).await;
    outcome.records.extend(rest.records);
    outcome.failures.extend(rest.failures);
    outcome.assert_complete(tenants.len());
    world.assert_truth(&ask);
}

/// A tenth of a minute's requests may go at once, the others follow evenly: so no stretch of time has more than that.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_asked_no_more_often_than_its_quota_allows() {
    const PER_MINUTE: u32 = 300;
    const AT_ONCE: u32 = 30;
    /// Requests that were sent at their time and come late.
    const ON_THEIR_WAY: u32 = 6;
    let (world, ask) = estate(2, 800).await;
    let world = world.with_http(|http| http.requests_per_minute = PER_MINUTE.try_into().ok());
    let ask = Ask {
        start: world.now - 6 * DAY_MS,
        ..ask
    };
    world.export(&ask, &world.tenants()).await.assert_complete(2);
    world.assert_truth(&ask);
    for tenant in world.tenants() {
        let busiest = |stretch| {
            let within = world.sandbox.control().busiest(&tenant, stretch);
            u32::try_from(within.unwrap()).unwrap()
        };
        for seconds in 1..=10 {
            let even = seconds * (PER_MINUTE - AT_ONCE) / 60;
            let most = AT_ONCE + even + ON_THEIR_WAY;
            let within = busiest(Duration::from_secs(seconds.into()));
            assert!(within <= most, "{within} requests in {seconds} s, not {most}");
        }
        let all = busiest(Duration::from_secs(60));
        assert!(all > AT_ONCE + ON_THEIR_WAY && all <= PER_MINUTE, "{all} requests");
    }
}
