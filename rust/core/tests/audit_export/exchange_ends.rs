//! Where a search ends: pauses, short pages and silence are taken for an end only where they are one.

use super::exchange::{calls, hour, set, truth, REGIMES};
use super::support::*;
use secureapp_core::Value;
use secureapp_sandbox::AuditOptions;
use serde_json::json;

/// Exports all of it anew, and fails unless that is complete and the truth.
async fn is_whole(world: &World, ask: &Ask, truth: &[String], case: &str) {
    let ask = Ask {
        force: true,
        ..ask.clone()
    };
    let outcome = world.export(&ask, &world.tenants()).await;
    assert!(outcome.failures.is_empty(), "{case}: {:?}", outcome.failures);
    assert!(flag(outcome.record(), "complete"), "{case}: {:?}", outcome.record());
    assert!(world.ids(&world.tenants()[0]) == truth, "{case}");
}

/// The longest pause that anybody has met, before every page.
#[tokio::test(flavor = "multi_thread")]
async fn six_empty_calls_in_a_row_are_no_end() {
    let (world, ask) = hour(6_000, 0.0).await;
    let truth = truth(&world, &ask);
    set(&world, json!({"emptyPages": 1.0, "longestPause": 6, "pageSize": 5000}));
    for regime in REGIMES {
        set(&world, json!({"resultCount": regime}));
        is_whole(&world, &ask, &truth, regime).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_page_is_no_end() {
    let (world, ask) = hour(11_000, 0.0).await;
    let truth = truth(&world, &ask);
    for (pauses, restarts) in [(0.0, false), (0.5, false), (0.0, true)] {
        set(
            &world,
            json!({"shortPages": 0.7, "emptyPages": pauses, "restarts": restarts, "pageSize": 5000}),
        );
        for regime in REGIMES.into_iter().chain(["fraction"]) {
            set(&world, json!({"resultCount": regime}));
            is_whole(&world, &ask, &truth, &format!("{regime} {pauses} {restarts}")).await;
        }
    }
}

/// The service gives fewer rows than there are and says nothing of it: two searches by different commands do not give the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_limit_is_found_out_and_divided_around() {
    let (world, ask) = hour(800, 0.0).await;
    let truth = truth(&world, &ask);
    for regime in ["zero", "resultSizeAlone"] {
        set(&world, json!({"sessionLimit": 300, "resultCount": regime}));
        is_whole(&world, &ask, &truth, regime).await;
    }
}

/// Previews alone give few rows, or none, as they did for a month: the other command tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_limit_of_previews_alone_costs_no_record() {
    let (world, ask) = hour(8_000, 0.9).await;
    let longer = Ask {
        start: ask.start - 3 * DAY_MS,
        ..ask.clone()
    };
    for ask in [ask, longer] {
        let truth = truth(&world, &ask);
        for most in [120, 0] {
            for regime in ["zero", "resultSizeAlone"] {
                set(&world, json!({"previewLimit": most, "resultCount": regime}));
                is_whole(&world, &ask, &truth, &format!("{regime} {most}")).await;
            }
        }
    }
}

/// A search that ends early and begins again does so each time that it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_begins_again_is_no_witness_of_itself() {
    let (world, ask) = hour(9_000, 0.0).await;
    let truth = truth(&world, &ask);
    for regime in ["zero", "resultSizeAlone"] {
        set(
            &world,
            json!({"sessionLimit": 2_000, "restarts": true, "resultCount": regime}),
        );
        is_whole(&world, &ask, &truth, regime).await;
    }
}

/// Where the second search cannot be made, the first is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_search_that_fails_proves_nothing() {
    let (world, ask) = hour(3_000, 0.0).await;
    let truth = truth(&world, &ask);
    set(&world, json!({"previewLimit": 120, "resultCount": "zero"}));
    // Before it: the settings and the first search.
    world.fault(
        json!({"match": {"service": "outlook"}, "times": 1, "skip": 2, "action": {"kind": "truncate", "bytes": 60, "close": "clean"}}),
    );
    is_whole(&world, &ask, &truth, "a broken answer").await;
    set(&world, json!({"cancelled": 0.3}));
    is_whole(&world, &ask, &truth, "warnings").await;
}

/// What the second search has shown before it broke off counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_search_that_breaks_off_still_disproves_the_first() {
    let (world, ask) = hour(3_000, 0.0).await;
    let truth = truth(&world, &ask);
    set(&world, json!({"previewLimit": 120, "resultCount": "zero"}));
    // Before it: the settings, the first search, and 1,000 rows of the second.
    world.fault(
        json!({"match": {"service": "outlook"}, "times": 6, "skip": 3, "action": {"kind": "truncate", "bytes": 60, "close": "clean"}}),
    );
    is_whole(&world, &ask, &truth, "zero").await;
}

/// Everything at a time, many times over; the sandbox's numbers go on from case to case.
#[tokio::test(flavor = "multi_thread")]
async fn no_mixture_of_oddities_ends_a_search_early() {
    for records in [300, 4_999, 7_000] {
        let (world, ask) = hour(records, 0.0).await;
        let truth = truth(&world, &ask);
        for case in 0..16u32 {
            let of = |choices: &[f64], bit: u32| choices[(case >> bit) as usize % choices.len()];
            let change = json!({
                "resultCount": if case % 2 == 0 { "zero" } else { "resultSizeAlone" }, "pageSize": 5000, "longestPause": 6,
                "emptyPages": of(&[0.3, 0.6], 1), "shortPages": of(&[0.3, 0.8], 2), "repeats": of(&[0.0, 0.05], 3),
                "cancelled": of(&[0.0, 0.1], 1), "restarts": case % 3 == 0, "unsorted": case % 5 == 0,
            });
            set(&world, change.clone());
            is_whole(&world, &ask, &truth, &format!("{records} {change}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_rows_are_the_newest_through_short_pages() {
    let (world, ask) = hour(3_000, 0.0).await;
    set(&world, json!({"shortPages": 1.0, "resultCount": "zero"}));
    let request = |size: Option<i64>| {
        let mut request = world
            .as_partner("audit_search")
            .with("tenant", secureapp_core::Field::Text(world.tenants()[0].clone()))
            .with("startTime", secureapp_core::Field::Int(ask.start))
            .with("endTime", secureapp_core::Field::Int(ask.end));
        if let Some(size) = size {
            request.set("resultSize", secureapp_core::Field::Int(size));
        }
        request
    };
    let times = |outcome: &Outcome| {
        let mut times: Vec<i64> = outcome.records.iter().map(|row| number(row, "CreationDate")).collect();
        times.sort_unstable_by(|one, other| other.cmp(one));
        times
    };
    let all = world.ask_for(request(None)).await;
    assert_eq!(all.records.len(), 3_000);
    let newest = world.ask_for(request(Some(700))).await;
    assert_eq!(times(&newest), times(&all)[..700]);
}

/// The limit is the session's: that it has no more there says nothing of the search.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_at_the_limit_of_a_session_is_no_end() {
    let (world, ask) = hour(56_000, 0.9).await;
    let truth = truth(&world, &ask);
    set(&world, json!({"moreOf": "session", "pageSize": 5000}));
    is_whole(&world, &ask, &truth, "moreOf session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_there_is_more_is_understood_in_every_form() {
    let (world, ask) = hour(11_000, 0.0).await;
    let truth = truth(&world, &ask);
    let mut seen = Vec::new();
    for form in ["object", "text", "pascal"] {
        set(&world, json!({"metadata": form, "pageSize": 5000}));
        world.sandbox.control().reset_stats();
        is_whole(&world, &ask, &truth, form).await;
        seen.push(calls(&world));
    }
    // A search that says that it is at its end is asked no more: one look, three pages.
    assert_eq!(seen, [4, 4, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_days_are_looked_at_together() {
    let world = World::start(1, 300, AuditOptions::default()).await;
    let days = |from: i64, until: i64| Ask {
        source: "exchange",
        content_types: "",
        start: (world.now - from * DAY_MS).div_euclid(1000) * 1000,
        end: (world.now - until * DAY_MS).div_euclid(1000) * 1000,
        settle_seconds: 0,
        force: true,
        ..world.ask()
    };
    for regime in REGIMES {
        set(&world, json!({"resultCount": regime}));
        for (ask, most) in [(days(100, 70), 8), (days(30, 1), 6)] {
            world.sandbox.control().reset_stats();
            let truth = truth(&world, &ask);
            is_whole(&world, &ask, &truth, regime).await;
            assert!(calls(&world) <= most, "{regime}: {} calls", calls(&world));
        }
    }
}

/// A part that fails each time is missing from its beginning to its end, and the next run asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_never_answers_is_missing_as_a_whole() {
    let (world, ask) = hour(50, 0.0).await;
    world.fault(
        json!({"match": {"service": "outlook"}, "times": -1, "skip": 1, "action": {"kind": "truncate", "bytes": 60, "close": "clean"}}),
    );
    let outcome = world.export(&ask, &world.tenants()).await;
    let record = outcome.record();
    assert!(!flag(record, "complete"));
    let Some(Value::List(gaps)) = record.get("gaps") else {
        panic!("no gaps")
    };
    assert_eq!(
        (number(&gaps[0], "start"), number(&gaps[0], "end")),
        (ask.start, ask.end)
    );
    assert_eq!(number(record, "finalUntil"), ask.start);
    world.sandbox.control().clear_faults();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert_eq!(world.ids(&world.tenants()[0]), truth(&world, &ask));
}
