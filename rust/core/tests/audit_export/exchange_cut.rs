//! Records that a search gives cut short: asked for again, and where they never come whole, named.

use super::exchange::{hour, set, truth, REGIMES};
use super::support::*;
use secureapp_core::{Field, Value};
use serde_json::{json, Value as Json};
use std::collections::BTreeSet;

fn is_record(text: &str) -> bool {
    serde_json::from_str::<Json>(text).is_ok_and(|record| record["Id"].is_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_whole_the_second_time_is_had() {
    for (records, share) in [(400, 0.01), (400, 1.0), (12_000, 0.002)] {
        for regime in REGIMES {
            // What was cut short once is not again in this world.
            let (world, ask) = hour(records, 0.0).await;
            set(&world, json!({"cut": share, "resultCount": regime}));
            let outcome = world.export(&ask, &world.tenants()).await;
            assert!(flag(outcome.record(), "complete"), "{regime}: {:?}", outcome.record());
            let tenant = &world.tenants()[0];
            assert!(world.ids(tenant) == truth(&world, &ask), "{records} {regime}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_always_cut_short_is_a_gap_with_its_name_and_kept_as_it_came() {
    let (world, ask) = hour(2_000, 0.0).await;
    let (tenant, truth) = (&world.tenants()[0], truth(&world, &ask));
    for regime in REGIMES {
        set(&world, json!({"cut": 0.01, "cutFor": "always", "resultCount": regime}));
        let ask = Ask {
            force: true,
            ..ask.clone()
        };
        let outcome = world.export(&ask, &world.tenants()).await;
        let record = outcome.record();
        assert!(!flag(record, "complete"), "{regime}");
        let (whole, rows): (Vec<_>, Vec<_>) = world.lines(tenant).into_iter().partition(|(_, line)| is_record(line));
        let cut: BTreeSet<String> = rows
            .iter()
            .map(|(day, row)| {
                assert_eq!(day, "unknown");
                let row: Json = serde_json::from_str(row).unwrap();
                assert!(row["AuditData"].as_str().unwrap().starts_with('{'));
                row["Identity"].as_str().unwrap().to_owned()
            })
            .collect();
        assert!(cut.len() > 5 && cut.len() == rows.len(), "{regime}: {}", cut.len());
        let mut all: Vec<String> = whole
            .iter()
            .map(|(_, line)| {
                serde_json::from_str::<Json>(line).unwrap()["Id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .chain(cut.iter().cloned())
            .collect();
        all.sort_unstable();
        assert!(all == truth, "{regime}");
        let Some(Value::List(gaps)) = record.get("gaps") else {
            panic!("no gaps")
        };
        for id in &cut {
            let gap = gaps.iter().find(|gap| text(gap, "reason").contains(id.as_str()));
            let gap = gap.unwrap_or_else(|| panic!("{regime}: no gap names {id}"));
            assert_eq!(number(gap, "end") - number(gap, "start"), 1000);
        }
        assert!(number(record, "finalUntil") <= number(&gaps[0], "start"));
    }
    // Once they come whole, the same command closes the gaps; what was kept of them stays.
    set(&world, json!({"cut": 0.0}));
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let whole = world.lines(tenant).iter().filter(|(_, line)| is_record(line)).count();
    assert_eq!(whole, truth.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_given_whole_or_named() {
    for (cut_for, sizes) in [("once", [None, Some(50)]), ("always", [None, Some(50)])] {
        let (world, ask) = hour(600, 0.0).await;
        set(&world, json!({"cut": 0.2, "cutFor": cut_for}));
        for size in sizes {
            let mut request = world
                .as_partner("audit_search")
                .with("tenant", Field::Text(world.tenants()[0].clone()))
                .with("startTime", Field::Int(ask.start))
                .with("endTime", Field::Int(ask.end));
            if let Some(size) = size {
                request.set("resultSize", Field::Int(size));
            }
            let outcome = world.ask_for(request).await;
            let case = format!("{cut_for} {size:?}");
            let ids: BTreeSet<&str> = outcome.records.iter().map(|row| text(row, "Identity")).collect();
            let wanted = size.unwrap_or(600) as usize;
            assert_eq!((outcome.records.len(), ids.len()), (wanted, wanted), "{case}");
            let are_whole = outcome.records.iter().all(|row| is_record(text(row, "AuditData")));
            assert_eq!(are_whole, cut_for == "once", "{case}");
            let said: Vec<&str> = outcome.failures.iter().map(|failure| failure.error.id()).collect();
            match are_whole {
                true => assert!(said.is_empty() && outcome.end.is_none(), "{case} {said:?}"),
                false => assert_eq!(said, ["IncompleteSearch"], "{case}"),
            }
        }
    }
}

/// More than is kept aside is written as it comes, and named together.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_cut_records_are_named_together_and_kept() {
    let (world, ask) = hour(4_000, 0.0).await;
    set(&world, json!({"cut": 1.0, "cutFor": "always"}));
    let outcome = world.export(&ask, &world.tenants()).await;
    let record = outcome.record();
    assert!(!flag(record, "complete"));
    let Some(Value::List(gaps)) = record.get("gaps") else {
        panic!("no gaps")
    };
    assert!(
        gaps.iter()
            .any(|gap| text(gap, "reason").contains("too many to be asked for again")),
        "{gaps:?}"
    );
    assert_eq!(world.lines(&world.tenants()[0]).len(), truth(&world, &ask).len());
}
