//! The audit log search: complete through its limits, in every regime, or with what is missing named.

use super::random::told;
use super::support::*;
use secureapp_core::{Kind, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;

/// A busy hour and its export.
pub(super) async fn hour(records: u64, burst: f64) -> (World, Ask) {
    let (world, start) = busy_hour(records, burst).await;
    let ask = Ask {
        start,
        end: start + HOUR_MS,
        source: "exchange",
        content_types: "",
        settle_seconds: 0,
        ..world.ask()
    };
    (world, ask)
}

pub(super) fn truth(world: &World, ask: &Ask) -> Vec<String> {
    let control = world.sandbox.control();
    control
        .truth_by_event(&world.tenants()[0], ask.start / 1000, ask.end / 1000)
        .unwrap()
}

pub(super) fn set(world: &World, change: serde_json::Value) {
    world.sandbox.control().set_exchange(change).unwrap();
}

/// Calls of the search, without the pages of their answers.
pub(super) fn calls(world: &World) -> u64 {
    let all = world.requests("InvokeCommand Search-UnifiedAuditLog");
    all - world.requests("InvokeCommand Search-UnifiedAuditLog (more)")
}

/// What `ResultCount` has said over time.
pub(super) const REGIMES: [&str; 4] = ["total", "resultSize", "resultSizeAlone", "zero"];

/// Exports the hour in one regime; it must be complete, and with half as many calls again as the fewest that there can be, beside
/// those in `vain`.
async fn few_calls(world: &World, ask: &Ask, truth: &[String], regime: &str, vain: u64) {
    set(world, json!({"resultCount": regime, "pageSize": 5000}));
    world.sandbox.control().reset_stats();
    let ask = Ask {
        force: true,
        ..ask.clone()
    };
    let begun = std::time::Instant::now();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    // A call gives 5,000 rows at most.
    let (calls, fewest) = (calls(world), truth.len().div_ceil(5_000) as u64);
    let (records, took) = (truth.len(), begun.elapsed().as_secs_f64());
    println!("{regime}: {records} records, {calls} calls, {fewest} at least, {took:.1} s");
    assert!(world.ids(&world.tenants()[0]) == truth, "{regime}");
    assert!(
        2 * (calls - vain) <= 3 * fewest,
        "{regime}: {calls} calls, {fewest} at least"
    );
}

/// Far beyond one session's limit. `SECUREAPP_SEARCH_RECORDS=500000 cargo test --release -p secureapp-core --test audit_export
/// beyond_the_limit -- --nocapture` does it with so many; bench/results/search.md keeps what it saw.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_beyond_the_limit_is_complete_in_every_regime() {
    let records = told("SECUREAPP_SEARCH_RECORDS").unwrap_or(70_000);
    let (world, ask) = hour(records, 0.0).await;
    let truth = truth(&world, &ask);
    assert_eq!(truth.len() as u64, records);
    for regime in REGIMES {
        few_calls(&world, &ask, &truth, regime, 0).await;
    }
}

/// Half of it within a minute, which nothing announces: one session meets its limit in vain, and one call tells how many there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_beyond_the_limit_costs_few_calls_more() {
    let told = told("SECUREAPP_SEARCH_RECORDS");
    let (world, ask) = hour(told.unwrap_or(130_000), 0.5).await;
    let truth = truth(&world, &ask);
    // What says least of how many there are comes last.
    let regimes = if told.is_some() { &REGIMES[..] } else { &REGIMES[3..] };
    for regime in regimes {
        few_calls(&world, &ask, &truth, regime, 11).await;
    }
}

/// The first call only looks whether auditing is on.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_call_that_fails_is_made_again() {
    let (world, ask) = hour(300, 0.0).await;
    let truth = truth(&world, &ask);
    for action in [json!({"kind": "reset"}), json!({"kind": "status", "status": 500})] {
        world.fault(json!({"match": {"service": "outlook"}, "times": 1, "action": action}));
        let ask = Ask {
            force: true,
            ..ask.clone()
        };
        world.export(&ask, &world.tenants()).await.assert_complete(1);
        assert_eq!(world.ids(&world.tenants()[0]), truth, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_search_is_known_for_costs_nothing() {
    let (world, ask) = hour(11_000, 0.0).await;
    let truth = truth(&world, &ask);
    for oddity in [
        json!({"emptyPages": 0.3}),
        json!({"repeats": 0.05}),
        json!({"cancelled": 0.2}),
        json!({"restarts": true}),
        json!({"unsorted": true}),
        json!({"sessionLimit": 50_000, "pageSize": 333}),
    ] {
        for regime in ["total", "resultSize", "zero"] {
            set(
                &world,
                json!({"emptyPages": 0.0, "repeats": 0.0, "cancelled": 0.0, "restarts": false, "unsorted": false, "pageSize": 1000, "resultCount": regime}),
            );
            set(&world, oddity.clone());
            let ask = Ask {
                force: true,
                ..ask.clone()
            };
            let outcome = world.export(&ask, &world.tenants()).await;
            outcome.assert_complete(1);
            assert_eq!(world.ids(&world.tenants()[0]), truth, "{oddity} {regime}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_always_fails_is_a_gap_and_the_rest_is_there() {
    let (world, ask) = hour(9_000, 0.0).await;
    let minute = ask.start + 20 * 60_000;
    let iso = |ms: i64| {
        let time = time::OffsetDateTime::from_unix_timestamp(ms / 1000).unwrap();
        format!(
            "{}T{:02}:{:02}:{:02}",
            time.date(),
            time.hour(),
            time.minute(),
            time.second()
        )
    };
    set(&world, json!({"failing": [iso(minute), iso(minute + 30_000)]}));
    let outcome = world.export(&ask, &world.tenants()).await;
    let record = outcome.record();
    assert!(!flag(record, "complete"));
    let Some(Value::List(gaps)) = record.get("gaps") else {
        panic!("no gaps")
    };
    assert!(!gaps.is_empty());
    let mut missing = 0;
    for gap in gaps {
        let (start, end) = (number(gap, "start"), number(gap, "end"));
        assert!(
            start <= minute + 30_000 && minute <= end && end - start <= 120_000,
            "{gap:?}"
        );
        let control = world.sandbox.control();
        missing += control
            .truth_by_event(&world.tenants()[0], start / 1000, end / 1000)
            .unwrap()
            .len();
    }
    assert_eq!(world.ids(&world.tenants()[0]).len() + missing, 9_000);
    assert!(number(record, "finalUntil") <= minute);
    // Once the service has recovered, the same command fills the gap.
    set(
        &world,
        json!({"failing": ["2000-01-01T00:00:00", "2000-01-01T00:00:01"]}),
    );
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert_eq!(world.ids(&world.tenants()[0]), truth(&world, &ask));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_answer_was_lost_is_not_taken_up_again() {
    let (world, ask) = hour(14_000, 0.0).await;
    world.fault(json!([
        {"match": {"service": "outlook"}, "times": 1, "skip": 3, "action": {"kind": "reset"}},
        {"match": {"service": "outlook"}, "times": 1, "skip": 6, "action": {"kind": "truncate", "bytes": 90_000, "close": "abort"}},
        {"match": {"service": "outlook"}, "times": 2, "skip": 9, "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "body": "slow"}},
        {"match": {"service": "outlook"}, "times": 1, "skip": 12, "action": {"kind": "truncate", "bytes": 70_000, "close": "clean"}},
        {"match": {"service": "outlook"}, "times": 1, "skip": 15, "action": {"kind": "status", "status": 500, "body": "{}"}},
        {"match": {"service": "outlook"}, "times": 1, "skip": 17, "action": {"kind": "html"}},
    ]));
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert_eq!(world.ids(&world.tenants()[0]), truth(&world, &ask));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_a_small_tenant_is_a_call_a_day() {
    let world = World::start(2, 2_000, AuditOptions::default()).await;
    let ask = Ask {
        source: "exchange",
        content_types: "",
        start: world.now - 20 * DAY_MS,
        end: world.now - 2 * DAY_MS,
        settle_seconds: 0,
        ..world.ask()
    };
    for app_only in [false, true] {
        let ask = Ask {
            app_only,
            force: true,
            ..ask.clone()
        };
        world.export(&ask, &world.tenants()).await.assert_complete(2);
        for tenant in world.tenants() {
            let control = world.sandbox.control();
            let truth = control
                .truth_by_event(&tenant, ask.start.div_euclid(1000) + 1, ask.end.div_euclid(1000) + 1)
                .unwrap();
            assert_eq!(world.ids(&tenant), truth);
            let manifest = world.manifest(&tenant);
            assert_eq!(manifest["source"], "Search-UnifiedAuditLog");
            assert_eq!(manifest["selectedBy"], "creationTime");
            assert_eq!(manifest["contentTypes"], json!(["UnifiedAuditLog"]));
        }
    }
    // The same records as the feed's, so a folder that has both has each once.
    let folder = world.ids(&world.tenants()[0]).len();
    let feed = Ask {
        settle_seconds: 0,
        ..world.ask()
    };
    let outcome = world.export(&feed, &world.tenants()[..1]).await;
    assert!(number(outcome.record(), "duplicates") > 0);
    let ids = world.ids(&world.tenants()[0]);
    assert!(ids.len() > folder && ids.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_what_is_exported_and_what_is_vouched_for() {
    let (world, ask) = hour(3_000, 0.0).await;
    let tenant = &world.tenants()[0];
    let narrow = Ask {
        filter: &[
            ("recordTypes", "ExchangeItemAggregated,8"),
            ("operations", "MailItemsAccessed,Update user."),
        ],
        ..ask.clone()
    };
    world.export(&narrow, &world.tenants()).await.assert_complete(1);
    let operations: std::collections::BTreeSet<String> = world
        .lines(tenant)
        .iter()
        .map(|(_, line)| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["Operation"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        operations.into_iter().collect::<Vec<_>>(),
        ["MailItemsAccessed", "Update user."]
    );
    let manifest = world.manifest(tenant);
    assert_eq!(
        manifest["contentTypes"],
        json!(["AzureActiveDirectory", "ExchangeItemAggregated"])
    );
    assert!(manifest["source"].as_str().unwrap().contains("MailItemsAccessed"));
    // What was got with a filter does not stand for what there is without.
    let other = Ask {
        filter: &[
            ("recordTypes", "ExchangeItemAggregated,8"),
            ("freeText", "wire transfer"),
        ],
        ..narrow.clone()
    };
    world.export(&other, &world.tenants()).await.assert_complete(1);
    let sources = world.manifest(tenant)["coverage"].as_array().unwrap().len();
    assert_eq!(sources, 4);

    for (bad, word) in [
        (
            Ask {
                filter: &[("recordTypes", "Exchangee")],
                ..ask.clone()
            },
            "record type",
        ),
        (
            Ask {
                source: "feed",
                content_types: "",
                filter: &[("userIds", "a@b.c")],
                ..ask.clone()
            },
            "cannot be narrowed",
        ),
        (
            Ask {
                source: "nothing",
                ..ask.clone()
            },
            "no source",
        ),
    ] {
        let error = world.export(&bad, &world.tenants()).await.end.unwrap();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(word), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_own_message() {
    let (world, ask) = hour(200, 0.0).await;
    let tenants = world.tenants();
    let control = world.sandbox.control();
    for (health, kind, word, advice) in [
        (
            json!({"exchangeRole": false}),
            Kind::Denied,
            "refuses this account",
            "role",
        ),
        (
            json!({"exchangeRole": true, "auditRole": false}),
            Kind::Denied,
            "not among the cmdlets",
            "View-Only Audit Logs",
        ),
    ] {
        control.set_tenant(&tenants[0], health).unwrap();
        let outcome = world.export(&ask, &tenants).await;
        let error = &outcome.failures[0].error;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().contains(word) && error.advice().contains(advice),
            "{error} {}",
            error.advice()
        );
        assert_eq!(world.manifest(&tenants[0])["complete"], false);
    }
    // Nothing says that auditing is off but the settings: the search just finds nothing.
    control
        .set_tenant(&tenants[0], json!({"auditRole": true, "auditing": false}))
        .unwrap();
    let outcome = world.export(&ask, &tenants).await;
    assert!(!flag(outcome.record(), "complete"));
    assert!(text(outcome.record(), "reason").contains("UnifiedAuditLogIngestionEnabled"));
    for (status, kind, word) in [
        (405, Kind::Protocol, "does not run cmdlets"),
        (404, Kind::NotFound, "organization"),
        (401, Kind::NotSignedIn, "permission nor a role"),
    ] {
        world.fault(json!({"id": "refuse", "match": {"service": "outlook"}, "times": -1, "action": {"kind": "status", "status": status}}));
        let error = world.export(&ask, &tenants).await.failures.remove(0).error;
        assert_eq!(error.kind(), kind, "{status} {error}");
        assert!(error.message().contains(word), "{error}");
    }
    control.clear_faults();
    // A link to another host gets no token.
    world.fault(
        json!({"match": {"service": "outlook"}, "times": -1, "skip": 1, "action": {"kind": "status", "status": 200,
        "body": "{\"value\":[],\"@odata.nextLink\":\"https://evil.example/adminapi\"}"}}),
    );
    let outcome = world.export(&ask, &tenants).await;
    let said = format!("{:?} {:?}", outcome.failures, outcome.records);
    assert!(said.contains("evil.example"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_source_need_have_any_more_is_told() {
    let world = World::start(1, 60, AuditOptions::default()).await;
    for (source, content_types, days) in [("exchange", "", 180), ("graph", "", 180), ("graph", "SignIns", 30)] {
        let from = |days: i64| Ask {
            source,
            content_types,
            start: world.now - days * DAY_MS,
            end: world.now - (days - 1) * DAY_MS,
            settle_seconds: 0,
            force: true,
            ..world.ask()
        };
        let warned = |outcome: &Outcome| {
            let days = format!("for {days} days as a rule");
            outcome
                .warnings
                .iter()
                .filter(|warning| warning.contains(&days))
                .count()
        };
        let old = world.export(&from(days + 20), &world.tenants()).await;
        assert_eq!(warned(&old), 1, "{old:?}");
        let young = world.export(&from(days - 2), &world.tenants()).await;
        assert_eq!(warned(&young), 0, "{young:?}");
    }
}
