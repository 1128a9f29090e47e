//! `Search-UnifiedAuditLog` as rows: past its limits without a session, as it is with one.

use super::support::*;
use secureapp_core::{Field, Kind, Request, Value};
use serde_json::json;
use std::collections::BTreeSet;

struct Hour {
    world: World,
    start: i64,
    end: i64,
}

impl Hour {
    async fn of(records: u64) -> Hour {
        let (world, start) = busy_hour(records, 0.0).await;
        Hour {
            world,
            start,
            end: start + HOUR_MS,
        }
    }

    fn request(&self) -> Request {
        self.world
            .as_partner("audit_search")
            .with("tenant", Field::Text(self.world.tenants()[0].clone()))
            .with("startTime", Field::Int(self.start))
            .with("endTime", Field::Int(self.end))
    }

    async fn search(&self, fields: &[(&str, Field)]) -> Outcome {
        let mut request = self.request();
        for (name, field) in fields {
            request.set(*name, field.clone());
        }
        self.world.ask_for(request).await
    }

    fn set(&self, change: serde_json::Value) {
        self.world.sandbox.control().set_exchange(change).unwrap();
    }

    fn truth(&self) -> Vec<String> {
        let control = self.world.sandbox.control();
        control
            .truth_by_event(&self.world.tenants()[0], self.start / 1000, self.end / 1000)
            .unwrap()
    }
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let mut ids: Vec<String> = outcome
        .records
        .iter()
        .map(|row| text(row, "Identity").to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

fn int(number: i64) -> Field {
    Field::Int(number)
}

fn words(text: &str) -> Field {
    Field::Text(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_come_past_the_limit() {
    let hour = Hour::of(53_000).await;
    hour.set(json!({"pageSize": 5000, "resultCount": "zero"}));
    let outcome = hour.search(&[]).await;
    assert!(outcome.end.is_none() && outcome.failures.is_empty() && outcome.warnings.is_empty());
    assert_eq!(ids(&outcome), hour.truth());
    let numbers: BTreeSet<i64> = outcome.records.iter().map(|row| number(row, "ResultIndex")).collect();
    assert_eq!(
        (numbers.len(), numbers.first(), numbers.last()),
        (53_000, Some(&1), Some(&53_000))
    );
    for row in outcome.records.iter().step_by(1000) {
        let data: serde_json::Value = serde_json::from_str(text(row, "AuditData")).unwrap();
        assert_eq!(data["Id"], text(row, "Identity"));
        assert_eq!(data["Operation"], text(row, "Operations"));
        assert!(matches!(row.get("CreationDate"), Some(Value::Time(_))));
        assert!(flag(row, "IsValid") && text(row, "ObjectState") == "Unchanged");
        assert!(text(row, "RecordType").parse::<u32>().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_search_is_known_for_costs_no_row() {
    let hour = Hour::of(6_000).await;
    let truth = hour.truth();
    for oddity in [
        json!({"emptyPages": 0.3}),
        json!({"repeats": 0.05}),
        json!({"cancelled": 0.2}),
        json!({"restarts": true}),
        json!({"pageSize": 333}),
    ] {
        for regime in ["total", "resultSize", "zero"] {
            hour.set(
                json!({"emptyPages": 0.0, "repeats": 0.0, "cancelled": 0.0, "restarts": false, "pageSize": 1000, "resultCount": regime}),
            );
            hour.set(oddity.clone());
            let outcome = hour.search(&[]).await;
            assert!(
                outcome.end.is_none() && outcome.failures.is_empty(),
                "{oddity} {regime} {:?}",
                outcome.failures
            );
            assert_eq!(ids(&outcome), truth, "{oddity} {regime}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_rows_is_the_newest_of_them() {
    let hour = Hour::of(6_000).await;
    let all = hour.search(&[]).await;
    let mut times: Vec<i64> = all.records.iter().map(|row| number(row, "CreationDate")).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    for regime in ["total", "resultSize", "zero"] {
        hour.set(json!({"resultCount": regime, "emptyPages": 0.4}));
        for size in [1, 100, 5_000, 5_500] {
            hour.world.sandbox.control().reset_stats();
            let outcome = hour.search(&[("resultSize", int(size))]).await;
            let found: BTreeSet<String> = ids(&outcome).into_iter().collect();
            assert_eq!(
                (outcome.records.len(), found.len()),
                (size as usize, size as usize),
                "{regime}"
            );
            assert!(
                outcome.warnings.iter().any(|warning| warning.contains("more than the")),
                "{regime} {size}"
            );
            if size <= 5_000 {
                let oldest = times[size as usize - 1];
                assert!(outcome.records.iter().all(|row| number(row, "CreationDate") >= oldest));
            }
        }
        let outcome = hour.search(&[("resultSize", int(100_000))]).await;
        assert_eq!(ids(&outcome), hour.truth());
        assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_callers_own_is_the_services() {
    let hour = Hour::of(7_000).await;
    hour.set(json!({"repeats": 0.01, "resultCount": "total"}));
    let session = [
        ("sessionId", words("mine")),
        ("sessionCommand", words("returnlargeset")),
        ("resultSize", int(3_000)),
    ];
    let mut rows = Vec::new();
    let mut calls = Vec::new();
    loop {
        let outcome = hour.search(&session).await;
        assert!(outcome.end.is_none(), "{:?}", outcome.end);
        calls.push(outcome.records.len());
        if outcome.records.is_empty() {
            break;
        }
        rows.extend(outcome.records);
    }
    // Rows come again, as they do there, and are counted.
    let total = number(&rows[0], "ResultCount");
    assert_eq!(rows.len() as i64, total);
    assert!(total > 7_000 && calls[0] == 3_000, "{calls:?}");
    let indexes: Vec<i64> = rows[..3_000].iter().map(|row| number(row, "ResultIndex")).collect();
    assert_eq!((indexes[0], indexes[2_999]), (3_000, 1));
    let distinct: BTreeSet<&str> = rows.iter().map(|row| text(row, "Identity")).collect();
    assert_eq!(distinct.len(), 7_000);

    // Without a size it is a hundred, without an id one call is all.
    let usual = hour.search(&[("sessionCommand", words("ReturnNextPreviewPage"))]).await;
    assert_eq!(usual.records.len(), 100);
    // What the service warns of is its caller's to judge.
    hour.set(json!({"cancelled": 1.0}));
    let warned = hour.search(&[("sessionId", words("other"))]).await;
    assert!(
        warned.records.is_empty() && warned.warnings.len() == 1 && warned.end.is_none(),
        "{warned:?}"
    );
    hour.set(json!({"cancelled": 0.0}));
    // An answer that is lost takes all of its rows with it.
    hour.world
        .fault(json!({"match": {"service": "outlook"}, "times": -1, "skip": 1, "action": {"kind": "reset"}}));
    let lost = hour
        .search(&[("sessionId", words("third")), ("resultSize", int(5_000))])
        .await;
    assert!(lost.records.is_empty());
    assert!(lost.end.unwrap().advice().contains("another -SessionId"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_is_an_error_and_the_rest_is_there() {
    let hour = Hour::of(3_000).await;
    let minute = time::OffsetDateTime::from_unix_timestamp(hour.start / 1000 + 1200).unwrap();
    let minute = format!("{}T{:02}:{:02}:00", minute.date(), minute.hour(), minute.minute());
    hour.set(json!({"failing": [minute, minute.replace(":00", ":01")]}));
    let outcome = hour.search(&[]).await;
    let error = &outcome.failures[0].error;
    assert!(outcome.end.is_none() && error.id() == "IncompleteSearch", "{error}");
    assert!(error.message().contains("not all rows came: from "), "{error}");
    let found = ids(&outcome);
    assert!(found.len() > 2_000 && found.len() < 3_000, "{}", found.len());

    let control = hour.world.sandbox.control();
    control
        .set_tenant(&hour.world.tenants()[0], json!({"auditing": false}))
        .unwrap();
    hour.set(json!({"failing": ["2000-01-01T00:00:00", "2000-01-01T00:00:01"]}));
    let error = hour.search(&[]).await.end.unwrap();
    assert!(error.message().contains("auditing is off"), "{error}");
    control
        .set_tenant(&hour.world.tenants()[0], json!({"auditing": true, "auditRole": false}))
        .unwrap();
    let error = hour.search(&[]).await.end.unwrap();
    assert!(
        error.kind() == Kind::Denied && error.advice().contains("View-Only Audit Logs"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_go_to_the_service_and_nonsense_does_not() {
    let hour = Hour::of(1_500).await;
    let outcome = hour
        .search(&[
            ("recordTypes", list("exchangeitemaggregated")),
            ("operations", list("MailItemsAccessed")),
            ("formatted", int(1)),
            ("highCompleteness", int(1)),
            ("longerRetentionEnabled", words("true")),
        ])
        .await;
    assert!(outcome.records.len() > 5, "{outcome:?}");
    for row in &outcome.records {
        assert_eq!(
            (text(row, "RecordType"), text(row, "Operations")),
            ("ExchangeItemAggregated", "MailItemsAccessed")
        );
    }
    let none = hour
        .search(&[("siteIds", list("00000000-0000-0000-0000-000000000000"))])
        .await;
    assert!(none.records.is_empty() && none.end.is_none(), "{:?}", none.end);
    hour.world.sandbox.control().reset_stats();
    for (fields, word) in [
        (vec![("recordTypes", list("Exchangee"))], "record type"),
        (vec![("recordTypes", list("1,2"))], "one record type"),
        (vec![("sessionCommand", words("Return"))], "session command"),
        (vec![("sessionId", words("a")), ("resultSize", int(5_001))], "5001 rows"),
        (vec![("resultSize", int(0))], "0 rows"),
        (vec![("startTime", int(hour.end + 1000))], "is after the end"),
    ] {
        let error = hour.search(&fields).await.end.unwrap();
        assert!(
            error.kind() == Kind::InvalidInput && error.message().contains(word),
            "{error}"
        );
    }
    // No time at all, and a time that is still to come.
    for (start, end) in [
        (hour.start, hour.start),
        (hour.end + 100 * HOUR_MS, hour.end + 200 * HOUR_MS),
    ] {
        let outcome = hour.search(&[("startTime", int(start)), ("endTime", int(end))]).await;
        assert!(outcome.records.is_empty() && outcome.end.is_none(), "{outcome:?}");
    }
    assert_eq!(hour.world.requests(""), 0);
}
