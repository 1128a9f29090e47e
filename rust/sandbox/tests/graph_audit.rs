//! Microsoft Graph's audit log: searches as jobs, and the reports.

mod common;

use std::collections::BTreeSet;

use common::{answer, start, Answer, Cloud, GRAPH};
use reqwest::Method;
use secureapp_sandbox::{AuditOptions, Options};
use serde_json::{json, Value};

const DAY: (i64, i64) = (1_768_435_200, 1_768_521_600);

async fn estate(records: u64) -> (Cloud, String) {
    let audit = AuditOptions {
        start_ms: Some((DAY.0 + 4 * 3600) * 1000),
        end_ms: Some(DAY.1 * 1000),
        late: 0.0,
        ..AuditOptions::default()
    };
    let cloud = start(Options {
        tenants: 1,
        records,
        audit,
        ..Options::default()
    })
    .await;
    let token = cloud.token(cloud.tenant(0), GRAPH).await;
    (cloud, token)
}

fn url(cloud: &Cloud, path: &str) -> String {
    format!("{}/{path}", cloud.sandbox.facts().endpoints.graph)
}

async fn create(cloud: &Cloud, token: &str, version: &str, extra: Value) -> Answer {
    let mut body = json!({"displayName": "x", "filterStartDateTime": "2026-01-15T00:00:00Z", "filterEndDateTime": "2026-01-16T00:00:00Z"});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let request = cloud
        .http
        .post(url(cloud, &format!("{version}/security/auditLog/queries")));
    answer(request.bearer_auth(token).body(body.to_string()).send().await.unwrap()).await
}

/// Looks until the query is done.
async fn finish(cloud: &Cloud, token: &str, id: &str) -> (Vec<String>, Value) {
    let mut states = Vec::new();
    loop {
        let query = cloud
            .get(&url(cloud, &format!("v1.0/security/auditLog/queries/{id}")), token)
            .await
            .json();
        let status = query["status"].as_str().unwrap().to_owned();
        let done = !matches!(status.as_str(), "notStarted" | "running");
        states.push(status);
        if done || states.len() > 10 {
            return (states, query);
        }
    }
}

async fn all(cloud: &Cloud, token: &str, path: &str) -> Vec<Value> {
    let (mut next, mut items) = (url(cloud, path), Vec::new());
    loop {
        let reply = cloud.get(&next, token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let reply = reply.json();
        items.extend(reply["value"].as_array().unwrap().iter().cloned());
        match reply["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => return items,
        }
    }
}

fn ids(items: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_query_runs_and_its_records_are_the_truth() {
    let (cloud, token) = estate(2_500).await;
    cloud.sandbox.control().set_graph(json!({"polls": 2})).unwrap();
    let query = create(&cloud, &token, "v1.0", json!({})).await;
    assert_eq!(
        (query.status, query.json()["status"].as_str().unwrap().to_owned()),
        (201, "notStarted".to_owned())
    );
    let id = query.json()["id"].as_str().unwrap().to_owned();
    let early = cloud
        .get(
            &url(&cloud, &format!("v1.0/security/auditLog/queries/{id}/records")),
            &token,
        )
        .await;
    assert_eq!(early.status, 400);
    let (states, done) = finish(&cloud, &token, &id).await;
    assert_eq!(states, ["notStarted", "running", "running", "succeeded"]);
    assert_eq!(
        (
            &done["approximateReturnedRecordCount"],
            &done["isRecordCountLimitExceeded"]
        ),
        (&json!(2500), &json!(false))
    );
    let records = all(
        &cloud,
        &token,
        &format!("v1.0/security/auditLog/queries/{id}/records?$top=999"),
    )
    .await;
    // The count is approximate: it can be told to be wrong, and never below nothing.
    for (change, counted) in [
        (json!({"miscounted": 7}), 2507),
        (json!({"miscounted": -7}), 2493),
        (json!({"miscounted": -9000}), 0),
        (json!({"miscounted": 7, "counted": false}), 0),
    ] {
        cloud.sandbox.control().set_graph(change).unwrap();
        let (_, done) = finish(&cloud, &token, &id).await;
        assert_eq!(done["approximateReturnedRecordCount"], counted);
    }
    let truth = cloud
        .sandbox
        .control()
        .truth_by_event(cloud.tenant(0), DAY.0, DAY.1)
        .unwrap();
    assert_eq!(ids(&records), truth);
    for record in &records[..20] {
        assert_eq!(record["auditData"]["Id"], record["id"]);
        assert!(record["createdDateTime"].as_str().unwrap().starts_with("2026-01-15T"));
    }
    // Filters, and the flag of a query that found too much.
    cloud
        .sandbox
        .control()
        .set_graph(json!({"polls": 0, "recordLimit": 10}))
        .unwrap();
    let narrow = create(
        &cloud,
        &token,
        "beta",
        json!({"recordTypeFilters": ["exchangeItemAggregated"]}),
    )
    .await
    .json();
    let (_, done) = finish(&cloud, &token, narrow["id"].as_str().unwrap()).await;
    assert_eq!(done["isRecordCountLimitExceeded"], true);
    let path = format!(
        "beta/security/auditLog/queries/{}/records",
        narrow["id"].as_str().unwrap()
    );
    let records = all(&cloud, &token, &path).await;
    assert_eq!(records.len(), 10);
    assert!(records
        .iter()
        .all(|record| record["auditLogRecordType"] == "ExchangeItemAggregated"));
}

#[tokio::test]
async fn queries_go_wrong_on_demand() {
    let (cloud, token) = estate(400).await;
    let set = |change: Value| cloud.sandbox.control().set_graph(change).unwrap();
    set(json!({"betaOnly": true, "polls": 0}));
    assert_eq!(create(&cloud, &token, "v1.0", json!({})).await.status, 404);
    assert_eq!(create(&cloud, &token, "beta", json!({})).await.status, 201);
    set(json!({"failed": 1.0, "polls": 1}));
    let id = create(&cloud, &token, "v1.0", json!({})).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(finish(&cloud, &token, &id).await.0.last().unwrap(), "failed");
    set(json!({"stuck": 1}));
    let id = create(&cloud, &token, "v1.0", json!({})).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(finish(&cloud, &token, &id).await.0.last().unwrap(), "running");
    let gone = cloud
        .call(
            Method::DELETE,
            &url(&cloud, &format!("v1.0/security/auditLog/queries/{id}")),
            &token,
        )
        .await;
    assert_eq!(gone.status, 204);
    set(json!({"inFlight": 2, "polls": 9}));
    let mut last = 0;
    for _ in 0..4 {
        last = create(&cloud, &token, "v1.0", json!({})).await.status;
    }
    assert_eq!(last, 429);
    // Two readings of one query differ.
    set(json!({"unstable": 0.2, "polls": 0, "inFlight": 99}));
    let id = create(&cloud, &token, "v1.0", json!({})).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("v1.0/security/auditLog/queries/{id}/records?$top=999");
    let readings = [
        ids(&all(&cloud, &token, &path).await),
        ids(&all(&cloud, &token, &path).await),
    ];
    assert_ne!(readings[0], readings[1]);
    cloud
        .sandbox
        .control()
        .set_tenant(cloud.tenant(0), json!({"auditing": false}))
        .unwrap();
    assert!(create(&cloud, &token, "v1.0", json!({}))
        .await
        .text
        .contains("AuditingDisabledTenant"));
}

#[tokio::test]
async fn reports_are_paged_newest_first_and_throttled() {
    let (cloud, token) = estate(6_000).await;
    let filter = |field: &str| {
        format!("$filter={field} ge 2026-01-15T00:00:00Z and {field} lt 2026-01-16T00:00:00Z").replace(' ', "%20")
    };
    for (report, field) in [
        ("signIns", "createdDateTime"),
        ("directoryAudits", "activityDateTime"),
        ("provisioning", "activityDateTime"),
    ] {
        let items = all(&cloud, &token, &format!("v1.0/auditLogs/{report}?{}", filter(field))).await;
        let truth = cloud
            .sandbox
            .control()
            .truth_of_report(cloud.tenant(0), report, DAY.0, DAY.1)
            .unwrap();
        assert!(truth.len() > 20, "{report}");
        assert_eq!(ids(&items), truth);
        let seconds: Vec<&str> = items.iter().map(|item| &item[field].as_str().unwrap()[..19]).collect();
        assert!(seconds.is_sorted_by(|one, other| one >= other));
    }
    let some = all(
        &cloud,
        &token,
        &format!("v1.0/auditLogs/signIns?$top=90&{}", filter("createdDateTime")),
    )
    .await;
    assert_eq!(
        some.iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect::<BTreeSet<_>>()
            .len(),
        some.len()
    );

    cloud
        .sandbox
        .control()
        .set_graph(json!({"reportsInTenSeconds": 1}))
        .unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let reply = cloud
            .get(&url(&cloud, "v1.0/auditLogs/directoryAudits?$top=1"), &token)
            .await;
        statuses.push((reply.status, reply.headers.contains_key("retry-after")));
    }
    assert!(statuses.contains(&(429, false)));
    cloud.sandbox.control().set_graph(json!({"premium": false})).unwrap();
    let refused = cloud.get(&url(&cloud, "v1.0/auditLogs/signIns"), &token).await;
    assert_eq!((refused.status, refused.code().contains("NonPremium")), (403, true));
}
