use crate::support::{text, World};
use secureapp_core::{Error, Event, Field, Kind, Next, Operation, Request, Submitted, Value};
use secureapp_sandbox::{Options, Preset};
use serde_json::json;
use std::collections::BTreeSet;

const CUSTOMERS: usize = 5;

struct Security {
    records: Vec<Value>,
    failures: Vec<(String, Error)>,
}

impl Security {
    fn ids(&self) -> Vec<String> {
        let id = |record: &Value| text(record.get("fields").expect("fields"), "id").to_owned();
        let mut ids: Vec<String> = self.records.iter().map(id).collect();
        ids.sort_unstable();
        ids
    }
}

async fn world(options: Options) -> World {
    World::start(Options {
        tenants: CUSTOMERS,
        records: 0,
        ..options
    })
    .await
}

fn tenants(world: &World) -> Vec<String> {
    let tenants = &world.sandbox.facts().tenants;
    tenants.iter().map(|tenant| tenant.tenant_id.clone()).collect()
}

/// Runs an operation over all customers, by the user's token.
async fn ask(world: &World, kind: &str, fields: &[(&str, Field)]) -> Security {
    ask_as(world, world.request(kind, &world.credential_request()), fields).await
}

async fn ask_as(world: &World, mut request: Request, fields: &[(&str, Field)]) -> Security {
    for (key, field) in fields {
        request.set(*key, field.clone());
    }
    let operation = Operation::start(&world.session, request).expect("it starts");
    for (number, tenant) in (1..).zip(tenants(world)) {
        let item = Request::new("tenant")
            .with("item", Field::Int(number))
            .with("tenant", Field::Text(tenant));
        assert_eq!(operation.submit(item).expect("taken"), Submitted::Taken);
    }
    operation.finish_input();
    let mut seen = Security {
        records: Vec::new(),
        failures: Vec::new(),
    };
    loop {
        match operation.next().await.expect("it goes on") {
            Next::Event(Event::Record(record)) => seen.records.push(record),
            Next::Event(Event::Failed(failure)) => {
                let tenant = text(&failure.target, "tenant").to_owned();
                seen.failures.push((tenant, failure.error));
            }
            Next::Event(_) => {}
            Next::Done => return seen,
        }
    }
}

fn texts(values: &[&str]) -> Field {
    Field::Texts(values.iter().map(|value| (*value).to_owned()).collect())
}

fn truth(world: &World) -> Vec<String> {
    let control = world.sandbox.control();
    let mut ids: Vec<String> = tenants(world)
        .iter()
        .flat_map(|tenant| control.truth_of_alerts(tenant).expect("a tenant"))
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_comes_once_over_all_pages() {
    for list_page_size in [Some(1), Some(7), None] {
        let world = world(Options {
            list_page_size,
            ..Options::default()
        })
        .await;
        let seen = ask(&world, "security_alerts", &[]).await;
        assert!(seen.failures.is_empty(), "{:?}", seen.failures);
        assert!(seen.records.len() > CUSTOMERS, "there are alerts");
        assert_eq!(seen.ids(), truth(&world));
        for record in &seen.records {
            assert_eq!(
                text(record.get("fields").unwrap(), "tenantId"),
                text(record, "tenantId")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_members_come_by_name_and_filters_are_the_services() {
    let world = world(Options::default()).await;
    let all = ask(&world, "security_alerts", &[]).await;
    let sources: BTreeSet<&str> = all
        .records
        .iter()
        .map(|record| text(record.get("fields").unwrap(), "serviceSource"))
        .collect();
    for expected in ["microsoftDefenderForCloud", "azureAdIdentityProtection"] {
        assert!(sources.contains(expected), "{sources:?}");
    }
    assert!(!sources.contains("unknownFutureValue"), "{sources:?}");

    // One that there is tells what to ask for.
    let field = |record: &Value, key: &str| text(record.get("fields").unwrap(), key).to_owned();
    let created = |record: &Value| {
        record
            .get("fields")
            .unwrap()
            .get("createdDateTime")
            .unwrap()
            .as_i64()
            .unwrap()
    };
    let model = all
        .records
        .iter()
        .find(|record| {
            field(record, "serviceSource") == "microsoftDefenderForCloud" && field(record, "severity") != "high"
        })
        .unwrap();
    let (severity, status) = (field(model, "severity"), field(model, "status"));
    let since = created(model) - 86_400_000;
    let wanted = |record: &&Value| {
        ["high", severity.as_str()].contains(&field(record, "severity").as_str())
            && field(record, "status") == status
            && field(record, "serviceSource") == "microsoftDefenderForCloud"
            && created(record) >= since
    };
    let expected = all.records.iter().filter(wanted).count();
    let some = ask(
        &world,
        "security_alerts",
        &[
            ("severities", texts(&["High", &severity.to_uppercase()])),
            ("statuses", texts(&[&status.to_lowercase()])),
            ("serviceSources", texts(&["MicrosoftDefenderForCloud"])),
            ("since", Field::Int(since)),
        ],
    )
    .await;
    assert!(some.failures.is_empty(), "{:?}", some.failures);
    assert_eq!(some.records.iter().filter(wanted).count(), expected);
    assert_eq!(some.records.len(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_leaves_what_came_before_it() {
    let world = world(Options {
        list_page_size: Some(2),
        ..Options::default()
    })
    .await;
    let first = tenants(&world).remove(0);
    world.fault(json!({
        "match": {"service": "graph", "tenantId": first, "pathContains": "skiptoken=RFNwdAIAAQ00000004"},
        "times": -1,
        "action": {"kind": "status", "status": 403, "body": "{\"error\":{\"code\":\"Forbidden\",\"message\":\"No more.\"}}"},
    }));
    let seen = ask(&world, "security_alerts", &[]).await;
    let [(tenant, error)] = seen.failures.as_slice() else {
        panic!("one tenant fails: {:?}", seen.failures)
    };
    assert_eq!((tenant, error.kind()), (&first, Kind::Denied));
    let had = seen
        .records
        .iter()
        .filter(|record| text(record, "tenantId") == first)
        .count();
    assert_eq!(had, 4);
    let others = seen.records.len() - had;
    let of_first = world.sandbox.control().truth_of_alerts(&first).unwrap().len();
    assert_eq!(others, truth(&world).len() - of_first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_link_to_another_host_is_not_followed() {
    let world = world(Options::default()).await;
    for kind in ["security_alerts", "security_scores"] {
        world.fault(json!({
            "match": {"service": "graph", "pathContains": "/security/"},
            "times": CUSTOMERS,
            "action": {"kind": "status", "status": 200,
                "body": "{\"value\":[],\"@odata.nextLink\":\"https://graph.example/v1.0/security/alerts_v2?$skip=1\"}"},
        }));
        let seen = ask(&world, kind, &[]).await;
        assert!(seen.records.is_empty());
        assert_eq!(seen.failures.len(), CUSTOMERS);
        for (_, error) in &seen.failures {
            assert_eq!(error.kind(), Kind::Protocol);
            assert!(error.message().contains("graph.example"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_and_a_truncated_answer_are_asked_for_again() {
    let world = world(Options::default()).await;
    world.fault(json!([
        {"match": {"service": "graph", "pathContains": "alerts_v2"}, "times": 3,
            "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}}},
        {"match": {"service": "graph", "pathContains": "alerts_v2"}, "times": 2,
            "action": {"kind": "truncate", "bytes": 300}},
    ]));
    let seen = ask(&world, "security_alerts", &[]).await;
    assert!(seen.failures.is_empty(), "{:?}", seen.failures);
    assert_eq!(seen.ids(), truth(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_and_each_tenant_fails_for_itself() {
    let world = world(Options::default()).await;
    for (kind, permission) in [
        ("security_scores", "SecurityEvents.Read.All"),
        ("security_alerts", "SecurityAlert.Read.All"),
    ] {
        for app_only in [0, 1] {
            let withheld = json!({ "withheldPermissions": [permission] });
            world.sandbox.control().set_application(withheld).unwrap();
            let mut request = world.request(kind, &world.credential_request());
            request.set("appOnly", Field::Int(app_only));
            // Tokens have the permissions of their time.
            secureapp_core::immediate(world.session.engine(), &Request::new("token_cache.clear")).unwrap();
            let seen = ask_as(&world, request, &[]).await;
            assert!(seen.records.is_empty());
            assert_eq!(seen.failures.len(), CUSTOMERS);
            for (tenant, error) in &seen.failures {
                assert_eq!(error.kind(), Kind::Denied, "{error}");
                assert_eq!(error.tenant(), tenant);
                assert!(error.advice().contains(permission), "{}", error.advice());
                assert!(error.advice().contains("Security Reader"), "{}", error.advice());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_defender_or_consent_does_not_stop_the_others() {
    let world = world(Options::default()).await;
    let all = tenants(&world);
    let control = world.sandbox.control();
    control.set_tenant(&all[1], json!({"defender": false})).unwrap();
    control.set_tenant(&all[3], json!({"consent": "missing"})).unwrap();
    for (kind, id) in [("security_scores", "NoSecureScore"), ("security_alerts", "NoDefender")] {
        let seen = ask(&world, kind, &[]).await;
        let failed: BTreeSet<&String> = seen.failures.iter().map(|(tenant, _)| tenant).collect();
        assert_eq!(failed, BTreeSet::from([&all[1], &all[3]]));
        let (_, error) = seen.failures.iter().find(|(tenant, _)| *tenant == all[1]).unwrap();
        assert_eq!(error.id(), id);
        assert!(!error.advice().is_empty());
        let given: BTreeSet<&str> = seen.records.iter().map(|record| text(record, "tenantId")).collect();
        assert_eq!(given.len(), CUSTOMERS - 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_articles_application_reads_scores_as_itself() {
    let world = world(Options {
        preset: Preset::Articles,
        ..Options::default()
    })
    .await;
    let as_itself = [("appOnly", Field::Int(1))];
    assert_eq!(
        ask(&world, "security_scores", &as_itself).await.records.len(),
        CUSTOMERS
    );
    assert_eq!(ask(&world, "security_scores", &[]).await.failures.len(), CUSTOMERS);
    assert_eq!(
        ask(&world, "security_alerts", &as_itself).await.failures.len(),
        CUSTOMERS
    );
}

fn number(value: &Value, key: &str) -> f64 {
    match value.get(key) {
        Some(Value::F64(number)) => *number,
        other => panic!("no number '{key}': {other:?}"),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::List(values)) => values,
        other => panic!("no list '{key}': {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_come_with_their_averages_and_on_request_with_their_controls_and_days() {
    let world = world(Options {
        list_page_size: Some(4),
        ..Options::default()
    })
    .await;
    let plain = ask(&world, "security_scores", &[]).await;
    assert_eq!(plain.records.len(), CUSTOMERS);
    assert_eq!(world.requests("secureScores"), CUSTOMERS as u64, "one request each");
    for record in &plain.records {
        let score = record.get("score").unwrap();
        let (current, most) = (number(score, "currentScore"), number(score, "maxScore"));
        assert!(current >= 0.0 && current <= most && most > 0.0);
        assert!((number(score, "percentage") - current / most * 100.0).abs() <= 0.005);
        assert!((number(score, "averageAllTenants") - 45.31).abs() < 1e-9);
        for average in ["averageTotalSeats", "averageIndustry"] {
            assert!(number(score, average) >= 30.0);
        }
        assert!(matches!(record.get("controlScores"), Some(Value::Null)));
        assert!(matches!(record.get("history"), Some(Value::Null)));
    }

    let whole = [("days", Field::Int(10)), ("controls", Field::Int(1))];
    for record in ask(&world, "security_scores", &whole).await.records {
        let days = list(&record, "history");
        let created = |day: &Value| day.get("createdDateTime").unwrap().as_i64().unwrap();
        assert_eq!(days.len(), 10);
        assert!(days
            .windows(2)
            .all(|pair| created(&pair[0]) == created(&pair[1]) + 86_400_000));
        let controls = list(&record, "controlScores");
        let sum: f64 = controls.iter().map(|control| number(control, "score")).sum();
        let score = record.get("score").unwrap();
        assert!((sum - number(score, "currentScore")).abs() < 0.01);
        for control in controls {
            assert!(number(control, "score") <= number(control, "maxScore"));
            assert!(!text(control, "title").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let world = world(Options::default()).await;
    for (kind, key, field) in [
        ("security_scores", "days", Field::Int(0)),
        ("security_scores", "days", Field::Int(91)),
        ("security_scores", "severities", texts(&["high"])),
        ("security_alerts", "severities", texts(&["high' or 1 eq 1"])),
        ("security_alerts", "serviceSources", texts(&[""])),
    ] {
        let request = world.request(kind, &world.credential_request()).with(key, field);
        let error = Operation::start(&world.session, request).err().expect("refused");
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
    assert_eq!(world.requests("/"), 0);
}
