//! Records without files: the same ones, each once, and a word for everything that is missing.

use super::support::*;
use secureapp_core::{Event, Kind, Next, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;

/// The ids of one tenant's records, sorted.
fn ids(outcome: &Outcome, tenant: &str) -> Vec<String> {
    let records = outcome.records.iter().filter(|record| record.get("fields").is_some());
    let mut ids: Vec<String> = records
        .filter(|record| text(record, "tenantId") == tenant)
        .map(|record| {
            let fields = record.get("fields").unwrap();
            let id = fields.get("Id").or(fields.get("id")).unwrap();
            id.as_text().unwrap().to_owned()
        })
        .collect();
    ids.sort_unstable();
    ids
}

fn summaries(outcome: &Outcome) -> Vec<&Value> {
    let records = outcome.records.iter();
    records.filter(|record| record.get("complete").is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_comes_once_from_every_source() {
    let audit = AuditOptions {
        duplicates: 0.3,
        conflicts: 0.2,
        relisted: 0.2,
        late: 0.0,
        ..AuditOptions::default()
    };
    let world = World::start(3, 3_000, audit).await;
    let feed = world.ask();
    let searched = Ask {
        start: (world.now - 8 * DAY_MS).div_euclid(1000) * 1000,
        end: (world.now - DAY_MS).div_euclid(1000) * 1000,
        content_types: "",
        settle_seconds: 0,
        ..feed.clone()
    };
    for (source, content_types) in [("feed", TYPES), ("exchange", ""), ("graph", ""), ("graph", "SignIns")] {
        let ask = match source {
            "feed" => feed.clone(),
            _ => Ask {
                source,
                content_types,
                ..searched.clone()
            },
        };
        let outcome = world.read(&ask, &world.tenants()).await;
        assert!(
            outcome.end.is_none() && outcome.failures.is_empty(),
            "{source} {:?}",
            outcome.failures
        );
        let summaries = summaries(&outcome);
        assert_eq!(summaries.len(), 3);
        assert!(
            summaries.iter().all(|summary| flag(summary, "complete")),
            "{summaries:?}"
        );
        for tenant in world.tenants() {
            let control = world.sandbox.control();
            let (start, end) = (ask.start / 1000, ask.end / 1000);
            let truth = match (source, content_types) {
                ("feed", _) => world.truth(&tenant, &ask),
                (_, "SignIns") => control.truth_of_report(&tenant, "signIns", start, end).unwrap(),
                _ => control.truth_by_event(&tenant, start, end).unwrap(),
            };
            assert!(truth.len() > 10);
            assert_eq!(ids(&outcome, &tenant), truth, "{source} {content_types}");
            let summary = summaries.iter().find(|summary| text(summary, "tenantId") == tenant);
            assert_eq!(number(summary.unwrap(), "count"), truth.len() as i64);
        }
    }
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_after_the_rest() {
    let world = World::start(2, 800, AuditOptions::default()).await;
    let tenants = world.tenants();
    let ask = world.ask();
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/", "tenantId": tenants[0]}, "times": 1, "skip": 2,
        "action": {"kind": "status", "status": 400, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"AF20051\",\"message\":\"Content requested has already expired.\"}}"}}),
    );
    let outcome = world.read(&ask, &tenants).await;
    let of = |tenant: &str| {
        let mut summaries = summaries(&outcome).into_iter();
        summaries.rfind(|summary| text(summary, "tenantId") == tenant).unwrap()
    };
    assert!(!flag(of(&tenants[0]), "complete"));
    assert!(text(of(&tenants[0]), "reason").contains("AF20051"));
    assert!(matches!(of(&tenants[0]).get("gaps"), Some(Value::List(gaps)) if gaps.len() == 1));
    assert!(flag(of(&tenants[1]), "complete"));
    let (found, truth) = (ids(&outcome, &tenants[0]), world.truth(&tenants[0], &ask));
    assert!(found.len() < truth.len() && found.iter().all(|id| truth.contains(id)));
    assert_eq!(ids(&outcome, &tenants[1]), world.truth(&tenants[1], &ask));

    // A tenant that cannot be read is a failure, and the other one comes.
    let control = world.sandbox.control();
    control.set_tenant(&tenants[0], json!({"consent": "missing"})).unwrap();
    let world = World {
        session: session(
            &serde_json::to_value(world.sandbox.facts()).unwrap(),
            world.sandbox.ca_pem(),
        ),
        ..world
    };
    let outcome = world.read(&ask, &tenants).await;
    assert_eq!(outcome.failures[0].error.kind(), Kind::NotSignedIn);
    assert_eq!(summaries(&outcome).len(), 1);
    assert_eq!(ids(&outcome, &tenants[1]), world.truth(&tenants[1], &ask));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_more_is_not_read_ahead_for() {
    let audit = AuditOptions {
        records_per_blob: 20,
        ..AuditOptions::default()
    };
    let world = World::start(1, 40_000, audit).await;
    let ask = Ask {
        settle_seconds: 0,
        ..world.ask()
    };
    let operation = world.begin_reading(&ask, &world.tenants()).unwrap();
    loop {
        if let Next::Event(Event::Record(_)) = operation.next().await.unwrap() {
            break;
        }
    }
    operation.cancel();
    assert!(drain(&operation).await.end.unwrap().is_cancelled());
    world.session.engine().idle().await;
    // Of 2,000 blobs: what fits into the queues, whatever the time that it had.
    let read = world.requests("/audit/");
    assert!(read < 600, "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_no_json_comes_as_it_is_and_is_told() {
    let world = World::start(1, 60, AuditOptions::default()).await;
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1,
        "action": {"kind": "status", "status": 200, "contentType": "application/json",
            "body": "[{\"Id\":\"bad \\x escape\"},{\"Id\":\"good\",\"CreationTime\":\"2026-01-01T00:00:00\"}]"}}),
    );
    let outcome = world.read(&world.ask(), &world.tenants()).await;
    let bad = outcome
        .records
        .iter()
        .find(|record| record.get("text").is_some())
        .unwrap();
    assert!(text(bad, "text").contains("escape") && text(bad, "flaw").contains("escape"));
    assert!(ids(&outcome, &world.tenants()[0]).contains(&"good".to_owned()));
    let summary = summaries(&outcome)[0];
    assert!(
        !flag(summary, "complete") && text(summary, "reason").contains("no valid JSON"),
        "{summary:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_hands_on_what_it_writes() {
    let audit = AuditOptions {
        duplicates: 0.3,
        ..AuditOptions::default()
    };
    let world = World::start(2, 1_500, audit).await;
    let ask = Ask {
        pass_thru: true,
        ..world.ask()
    };
    let half = Ask {
        end: world.now - 3 * DAY_MS,
        ..ask.clone()
    };
    let first = world.export(&half, &world.tenants()).await;
    let second = world.export(&ask, &world.tenants()).await;
    for tenant in world.tenants() {
        let mut handed = [ids(&first, &tenant), ids(&second, &tenant)].concat();
        handed.sort_unstable();
        // The second run hands on what it adds and nothing of the first.
        assert_eq!(handed, world.ids(&tenant));
        assert_eq!(handed, world.truth(&tenant, &ask));
        assert!(!ids(&first, &tenant).is_empty() && !ids(&second, &tenant).is_empty());
    }
    // The results come all the same.
    assert_eq!(summaries(&second).len(), 2);
}
