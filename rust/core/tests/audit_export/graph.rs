//! Microsoft Graph's audit logs: complete, or with what is missing named.

use super::support::*;
use secureapp_core::Kind;
use secureapp_sandbox::AuditOptions;
use serde_json::json;

async fn world(records: u64) -> (World, Ask) {
    let audit = AuditOptions {
        late: 0.0,
        ..AuditOptions::default()
    };
    let world = World::start(1, records, audit).await;
    let ask = Ask {
        source: "graph",
        content_types: "",
        start: (world.now - 8 * DAY_MS).div_euclid(1000) * 1000,
        end: (world.now - DAY_MS).div_euclid(1000) * 1000,
        settle_seconds: 0,
        ..world.ask()
    };
    (world, ask)
}

/// The ids in the files, which Graph writes small.
fn ids(world: &World) -> Vec<String> {
    let id = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut ids: Vec<String> = world
        .lines(&world.tenants()[0])
        .iter()
        .map(|(_, line)| id(line))
        .collect();
    ids.sort_unstable();
    ids
}

fn truth(world: &World, ask: &Ask) -> Vec<String> {
    let control = world.sandbox.control();
    control
        .truth_by_event(&world.tenants()[0], ask.start / 1000, ask.end / 1000)
        .unwrap()
}

fn set(world: &World, change: serde_json::Value) {
    world.sandbox.control().set_graph(change).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_give_the_truth_whatever_happens_to_them() {
    let (world, ask) = world(3_000).await;
    let truth = truth(&world, &ask);
    for oddity in [
        json!({}),
        json!({"betaOnly": true}),
        json!({"polls": 3, "counted": false}),
        json!({"unstable": 0.1}),
        json!({"unstable": 0.1, "counted": false}),
        json!({"unstable": 0.1, "miscounted": -40}),
        json!({"miscounted": -40}),
        json!({"inFlight": 3}),
        json!({"repeats": 0.05}),
        json!({"recordLimit": 150}),
        json!({"failed": 0.2}),
    ] {
        set(&world, oddity.clone());
        let ask = Ask {
            force: true,
            ..ask.clone()
        };
        let mut outcome = world.export(&ask, &world.tenants()).await;
        if oddity["failed"].is_number() {
            // Each is tried again, but not for ever; what is still missing comes with the next run.
            set(&world, json!({}));
            let ask = Ask {
                force: false,
                ..ask.clone()
            };
            outcome = world.export(&ask, &world.tenants()).await;
        }
        outcome.assert_complete(1);
        assert_eq!(ids(&world), truth, "{oddity}");
    }
    // However often a query is read, its records come once.
    set(&world, json!({}));
    let ask = Ask { force: true, ..ask };
    let outcome = world.export(&ask, &world.tenants()).await;
    assert_eq!(number(outcome.record(), "duplicates"), 0);
    let manifest = world.manifest(&world.tenants()[0]);
    assert_eq!(manifest["source"], "Microsoft Graph auditLogQuery");
    assert_eq!(manifest["contentTypes"], json!(["AuditLogQuery"]));
    // Its records lie under the days of their events.
    for (day, line) in world.lines(&world.tenants()[0]) {
        assert!(line.contains(&format!("\"createdDateTime\":\"{day}T")), "{day} {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_never_agrees_with_itself_is_a_gap() {
    let (world, ask) = world(900).await;
    set(&world, json!({"counted": false}));
    // Each reading of the records is another.
    for number in 0..200 {
        world.fault(json!({"match": {"service": "graph", "pathContains": "/records"}, "times": 1, "action": {"kind": "status", "status": 200,
            "body": format!("{{\"value\":[{{\"id\":\"made-up-{number}\",\"createdDateTime\":\"2026-01-01T00:00:00Z\"}}]}}")}}));
    }
    let outcome = world.export(&ask, &world.tenants()).await;
    assert!(!flag(outcome.record(), "complete"));
    assert!(
        text(outcome.record(), "reason").contains("other records each time"),
        "{outcome:?}"
    );
}

/// A whole day, which is one query.
fn one_query(ask: &Ask) -> Ask {
    let end = ask.end.div_euclid(DAY_MS) * DAY_MS;
    Ask {
        start: end - DAY_MS,
        end,
        force: true,
        ..ask.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_more_than_what_comes_is_a_gap() {
    let (world, ask) = world(2_000).await;
    let ask = one_query(&ask);
    set(&world, json!({"miscounted": 25}));
    let outcome = world.export(&ask, &world.tenants()).await;
    let came = truth(&world, &ask).len();
    assert!(came > 100 && ids(&world).len() == came, "all of it is kept: {came}");
    assert_eq!(
        (
            flag(outcome.record(), "complete"),
            flag(outcome.record(), "folderComplete")
        ),
        (false, false)
    );
    let reason = text(outcome.record(), "reason");
    let told = format!(
        "gave {came} records in all, and the service has counted about {}",
        came + 25
    );
    assert!(reason.contains(&told), "{reason}");
    // It was read again before that was said, and whoever asks when the count is right has the gap closed.
    assert!(world.requests("/records") >= 4);
    set(&world, json!({}));
    let again = Ask {
        force: false,
        ..ask.clone()
    };
    world.export(&again, &world.tenants()).await.assert_complete(1);
    assert_eq!(world.manifest(&world.tenants()[0])["complete"], true);
    assert_eq!(ids(&world), truth(&world, &ask));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_fits_what_came_first_proves_nothing() {
    let (world, ask) = world(2_000).await;
    let ask = one_query(&ask);
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let truth = truth(&world, &ask);
    let (_, record) = world.lines(&world.tenants()[0]).remove(0);
    // The first reading has one record, and by the count there is no other, or none at all.
    for missed in [1, 0] {
        set(&world, json!({"miscounted": missed - truth.len() as i64}));
        world.fault(json!({"match": {"service": "graph", "pathContains": "/records"}, "times": 1, "action": {"kind": "status", "status": 200,
            "body": format!("{{\"value\":[{record}]}}")}}));
        world.export(&ask, &world.tenants()).await.assert_complete(1);
        assert_eq!(ids(&world), truth);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_pages_are_asked_for_again() {
    let (world, ask) = world(4_000).await;
    world.fault(json!([
        {"match": {"service": "graph", "pathContains": "/records"}, "times": 2, "skip": 1, "action": {"kind": "truncate", "bytes": 5_000, "close": "clean"}},
        {"match": {"service": "graph", "pathContains": "/records"}, "times": 1, "skip": 4, "action": {"kind": "truncate", "bytes": 9_000, "close": "abort"}},
        {"match": {"service": "graph", "pathContains": "/records"}, "times": 1, "skip": 5, "action": {"kind": "reset"}},
        {"match": {"service": "graph", "pathContains": "/records"}, "times": 1, "skip": 6, "action": {"kind": "status", "status": 500, "body": "{}"}},
        {"match": {"service": "graph", "pathContains": "/queries", "method": "POST"}, "times": 2, "action": {"kind": "status", "status": 429, "body": "slow"}},
    ]));
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert_eq!(ids(&world), truth(&world, &ask));
    // Two of the requests that create one were refused.
    let created = world.requests("POST /v1.0/security/auditLog/queries") - 2;
    // One whose answer was lost is sent again.
    assert!(
        world.requests("DELETE /v1.0/security/auditLog/queries") >= created,
        "no query is left behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_read_to_their_end() {
    let (world, ask) = world(5_000).await;
    let tenant = &world.tenants()[0];
    for (kind, report) in [
        ("SignIns", "signIns"),
        ("directoryaudits", "directoryAudits"),
        ("Provisioning", "provisioning"),
    ] {
        set(&world, json!({"reportsInTenSeconds": 0}));
        world.fault(json!({"match": {"service": "graph", "pathContains": "/auditLogs/"}, "times": 3, "skip": 1, "action": {"kind": "status", "status": 429, "body": "slow"}}));
        let ask = Ask {
            content_types: kind,
            force: true,
            ..ask.clone()
        };
        world.export(&ask, &world.tenants()).await.assert_complete(1);
        let control = world.sandbox.control();
        let truth = control
            .truth_of_report(tenant, report, ask.start / 1000, ask.end / 1000)
            .unwrap();
        assert!(truth.len() > 40);
        assert_eq!(ids(&world), truth, "{kind}");
        assert!(world.lines(tenant).iter().all(|(day, _)| day != "unknown"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_columns_are_those_of_the_audit_log() {
    let (world, ask) = world(2_000).await;
    let narrow = Ask {
        format: "csv",
        filter: &[
            ("recordTypes", "exchangeitemaggregated"),
            ("operations", "MailItemsAccessed"),
        ],
        ..ask.clone()
    };
    world.export(&narrow, &world.tenants()).await.assert_complete(1);
    let mut rows = 0;
    for (_, part) in parts(&world.root(&world.tenants()[0])) {
        for row in csv::Reader::from_path(part).unwrap().records() {
            let row = row.unwrap();
            assert_eq!((&row[0], &row[3]), ("ExchangeItemAggregated", "MailItemsAccessed"));
            let data: serde_json::Value = serde_json::from_str(&row[5]).unwrap();
            assert_eq!(data["Id"], row[4]);
            rows += 1;
        }
    }
    assert!(rows > 10);
    // Another kind of record does not go into that folder.
    let other = Ask {
        source: "exchange",
        format: "csv",
        ..ask.clone()
    };
    let outcome = world.export(&other, &world.tenants()).await;
    assert!(
        outcome.failures[0].error.message().contains("as Graph has them"),
        "{:?}",
        outcome.failures
    );
    for (bad, word) in [
        (
            Ask {
                content_types: "SignIns,Provisioning",
                ..ask.clone()
            },
            "one content type",
        ),
        (
            Ask {
                content_types: "Audit.General",
                ..ask.clone()
            },
            "no content type",
        ),
        (
            Ask {
                content_types: "SignIns",
                format: "csv",
                ..ask.clone()
            },
            "no columns",
        ),
        (
            Ask {
                content_types: "SignIns",
                filter: &[("userIds", "a")],
                ..ask.clone()
            },
            "narrowed",
        ),
    ] {
        let error = world.export(&bad, &world.tenants()).await.end.unwrap();
        assert!(
            error.kind() == Kind::InvalidInput && error.message().contains(word),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_own_message() {
    let (world, ask) = world(50).await;
    let tenants = world.tenants();
    let first = |outcome: Outcome| outcome.failures.into_iter().next().map(|failure| failure.error);
    set(&world, json!({"premium": false}));
    let sign_ins = Ask {
        content_types: "SignIns",
        ..ask.clone()
    };
    let error = first(world.export(&sign_ins, &tenants).await).unwrap();
    assert!(
        error.kind() == Kind::Denied && error.message().contains("Entra ID P1"),
        "{error}"
    );
    world
        .sandbox
        .control()
        .set_tenant(&tenants[0], json!({"auditing": false}))
        .unwrap();
    let queries = Ask {
        force: true,
        ..ask.clone()
    };
    let error = first(world.export(&queries, &tenants).await).unwrap();
    assert!(error.advice().contains("UnifiedAuditLogIngestionEnabled"), "{error}");
    world
        .sandbox
        .control()
        .set_tenant(&tenants[0], json!({"auditing": true}))
        .unwrap();
    world.fault(
        json!({"match": {"service": "graph"}, "times": -1, "action": {"kind": "status", "status": 403,
        "body": "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"no\"}}"}}),
    );
    let error = first(world.export(&queries, &tenants).await).unwrap();
    world.sandbox.control().clear_faults();
    assert!(error.advice().contains("AuditLogsQuery.Read.All"), "{}", error.advice());
    world.fault(json!({"match": {"service": "graph", "pathContains": "/records"}, "times": -1, "action": {"kind": "status", "status": 200,
        "body": "{\"value\":[],\"@odata.nextLink\":\"https://evil.example/v1.0\"}"}}));
    let outcome = world.export(&queries, &tenants).await;
    let said = format!("{:?} {:?}", outcome.failures, outcome.records);
    assert!(said.contains("evil.example"), "{said}");
}
