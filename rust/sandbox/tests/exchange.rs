//! Exchange Online's admin API: who may call it, and how its audit search behaves, faults included.

mod common;

use std::collections::BTreeSet;

use common::{answer, start, Answer, Cloud};
use secureapp_sandbox::{AuditOptions, Options};
use serde_json::{json, Value};

const OUTLOOK: &str = "https://outlook.office365.com";
/// An hour of the audit log, by the time of its events.
const START: &str = "2026-01-15T09:55:00";
const END: &str = "2026-01-15T10:55:00";
const HOUR: (i64, i64) = (1_768_470_900, 1_768_474_500);

fn busy_hour(records: u64) -> Options {
    let audit = AuditOptions {
        start_ms: Some((HOUR.0 + 300) * 1000),
        end_ms: Some((HOUR.1 + 300) * 1000),
        late: 0.0,
        longest_delay_minutes: 5,
        ..AuditOptions::default()
    };
    Options {
        tenants: 1,
        records,
        audit,
        ..Options::default()
    }
}

struct Exchange<'a> {
    cloud: &'a Cloud,
    token: String,
}

impl<'a> Exchange<'a> {
    async fn of(cloud: &'a Cloud) -> Exchange<'a> {
        let token = cloud.token(cloud.tenant(0), OUTLOOK).await;
        Exchange { cloud, token }
    }

    fn address(&self, version: &str) -> String {
        let outlook = &self.cloud.sandbox.facts().endpoints.outlook;
        format!("{outlook}/adminapi/{version}/{}/InvokeCommand", self.cloud.tenant(0))
    }

    async fn post(&self, url: &str, cmdlet: &str, parameters: &Value) -> Answer {
        let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}});
        let request = self.cloud.http.post(url).bearer_auth(&self.token);
        let request = request
            .header(
                "x-anchormailbox",
                "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@x",
            )
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request.send().await.unwrap()).await
    }

    /// Who has not the role has not the cmdlet either: zero bytes that claim to be gzip, which the client is told not to unpack.
    async fn has_no(&self, cmdlet: &str) {
        let client = common::client(&self.cloud.sandbox).no_gzip().build().unwrap();
        let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": {}}});
        let request = client
            .post(self.address("beta"))
            .bearer_auth(&self.token)
            .header("x-anchormailbox", "UPN:x@y");
        let reply = request.body(body.to_string()).send().await.unwrap();
        let coding = reply.headers()["content-encoding"].to_str().unwrap();
        assert_eq!((reply.status().as_u16(), coding), (403, "gzip"));
        assert!(reply.bytes().await.unwrap().iter().all(|byte| *byte == 0));
    }

    /// One call with all its pages.
    async fn search(&self, parameters: &Value) -> (Vec<Value>, Vec<Value>) {
        let mut url = self.address("beta");
        let (mut rows, mut warnings) = (Vec::new(), Vec::new());
        loop {
            let reply = self.post(&url, "Search-UnifiedAuditLog", parameters).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let reply = reply.json();
            rows.extend(reply["value"].as_array().unwrap().iter().cloned());
            warnings.extend(reply["@adminapi.warnings"].as_array().unwrap().iter().cloned());
            match reply["@odata.nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => return (rows, warnings),
            }
        }
    }

    fn set(&self, change: Value) {
        self.cloud.sandbox.control().set_exchange(change).unwrap();
    }

    fn truth(&self) -> Vec<String> {
        let control = self.cloud.sandbox.control();
        control.truth_by_event(self.cloud.tenant(0), HOUR.0, HOUR.1).unwrap()
    }
}

fn ask(session: &str, command: &str, size: usize) -> Value {
    json!({"StartDate": START, "EndDate": END, "SessionId": session, "SessionCommand": command, "ResultSize": size})
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter()
        .map(|row| row["Identity"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_large_set_comes_page_by_page_and_is_the_truth() {
    let cloud = start(busy_hour(12_000)).await;
    let exchange = Exchange::of(&cloud).await;
    for (regime, count, more) in [
        ("total", 12_000, None),
        ("resultSize", 5_000, Some(true)),
        ("zero", 0, None),
    ] {
        exchange.set(json!({"resultCount": regime}));
        let mut all = Vec::new();
        for expected in [5_000, 5_000, 2_000, 0] {
            let (rows, _) = exchange.search(&ask(regime, "ReturnLargeSet", 5_000)).await;
            assert_eq!(rows.len(), expected);
            if let Some(first) = rows.first() {
                assert_eq!(first["ResultIndex"], all.len() + expected);
                assert_eq!(first["ResultCount"], count);
                let said = &first["AuditSearchRequestMetadata"]["moreRecordsAvailable"];
                assert_eq!(said.as_bool(), more.map(|_| expected == 5_000));
            }
            all.extend(rows);
        }
        assert_eq!(ids(&all).into_iter().collect::<Vec<_>>(), exchange.truth());
        let times: Vec<&str> = all.iter().map(|row| row["CreationDate"].as_str().unwrap()).collect();
        assert!(!times.is_sorted() && !times.iter().rev().is_sorted());
        for row in &all[..50] {
            let record: Value = serde_json::from_str(row["AuditData"].as_str().unwrap()).unwrap();
            assert_eq!(record["Id"], row["Identity"]);
            assert!(row["CreationDate"]
                .as_str()
                .unwrap()
                .starts_with(record["CreationTime"].as_str().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_session_stops_at_its_limit_and_a_preview_at_5_000_of_the_newest() {
    let cloud = start(busy_hour(9_000)).await;
    let exchange = Exchange::of(&cloud).await;
    exchange.set(json!({"sessionLimit": 6_000, "pageSize": 700}));
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(exchange.search(&ask("s", "ReturnLargeSet", 5_000)).await.0.len());
    }
    assert_eq!(sizes, [5_000, 1_000, 0, 0]);

    let (preview, _) = exchange.search(&ask("p", "ReturnNextPreviewPage", 5_000)).await;
    let newest_first = preview.iter().rev().map(|row| row["CreationDate"].as_str().unwrap());
    assert!(newest_first.is_sorted_by(|one, other| one >= other));
    assert_eq!(preview.len(), 5_000);
    let (rest, _) = exchange.search(&ask("p", "ReturnNextPreviewPage", 5_000)).await;
    assert!(rest.is_empty());
    // Without a session there are a hundred rows unless more is asked for, and no second page.
    let plain = json!({"StartDate": START, "EndDate": END});
    assert_eq!(exchange.search(&plain).await.0.len(), 100);
}

#[tokio::test]
async fn searches_go_wrong_on_demand() {
    let cloud = start(busy_hour(8_000)).await;
    let exchange = Exchange::of(&cloud).await;
    // Nothing, although there is more; then it goes on.
    exchange.set(json!({"emptyPages": 0.6}));
    let (mut all, mut empty) = (Vec::new(), 0);
    while all.len() < 8_000 {
        let (rows, _) = exchange.search(&ask("e", "ReturnLargeSet", 2_000)).await;
        empty += usize::from(rows.is_empty());
        all.extend(rows);
    }
    assert!(empty > 0);
    assert_eq!(ids(&all).len(), 8_000);
    // Some come more than once, and all count.
    exchange.set(json!({"emptyPages": 0.0, "repeats": 0.1, "resultCount": "total"}));
    let (rows, _) = exchange.search(&ask("r", "ReturnLargeSet", 5_000)).await;
    assert!(ids(&rows).len() < rows.len() && rows[0]["ResultCount"].as_u64().unwrap() > 8_000);
    // A session that is at its end begins again.
    exchange.set(json!({"repeats": 0.0, "restarts": true}));
    for expected in [5_000, 3_000, 5_000] {
        assert_eq!(
            exchange.search(&ask("b", "ReturnLargeSet", 5_000)).await.0.len(),
            expected
        );
    }
    // A warning in place of rows: sometimes, and for a stretch of time always.
    exchange.set(json!({"restarts": false, "cancelled": 1.0}));
    let (rows, warnings) = exchange.search(&ask("c", "ReturnLargeSet", 5_000)).await;
    assert!(rows.is_empty() && warnings.len() == 1);
    exchange.set(json!({"cancelled": 0.0, "failing": ["2026-01-15T10:00:00", "2026-01-15T10:01:00"]}));
    assert_eq!(exchange.search(&ask("f", "ReturnLargeSet", 10)).await.1.len(), 1);
    let before = json!({"StartDate": START, "EndDate": "2026-01-15T10:00:00", "ResultSize": 10});
    assert_eq!(exchange.search(&before).await.1.len(), 0);
}

#[tokio::test]
async fn sessions_pause_give_short_pages_and_speak_of_themselves_on_demand() {
    let cloud = start(busy_hour(8_000)).await;
    let exchange = Exchange::of(&cloud).await;
    // As many empty calls in a row as are told.
    exchange.set(json!({"emptyPages": 1.0, "longestPause": 6}));
    for session in ["p", "q"] {
        for _ in 0..6 {
            assert!(exchange
                .search(&ask(session, "ReturnLargeSet", 5_000))
                .await
                .0
                .is_empty());
        }
        assert_eq!(
            exchange.search(&ask(session, "ReturnLargeSet", 5_000)).await.0.len(),
            5_000
        );
    }
    // Fewer rows than asked for, then more, each once.
    exchange.set(json!({"emptyPages": 0.0, "shortPages": 1.0}));
    let mut all = Vec::new();
    while all.len() < 8_000 {
        let (rows, _) = exchange.search(&ask("s", "ReturnLargeSet", 5_000)).await;
        assert!((1..5_000).contains(&rows.len()));
        assert_eq!(rows[0]["ResultIndex"], all.len() + rows.len());
        all.extend(rows);
    }
    assert_eq!(ids(&all).len(), 8_000);
    // At its limit a session has no more, or the search has.
    exchange.set(json!({"shortPages": 0.0, "sessionLimit": 5_000}));
    for (of, more) in [("search", true), ("session", false)] {
        exchange.set(json!({"moreOf": of}));
        let (rows, _) = exchange.search(&ask(of, "ReturnLargeSet", 5_000)).await;
        assert_eq!(rows[0]["AuditSearchRequestMetadata"]["moreRecordsAvailable"], more);
    }
    for (form, said) in [
        ("object", json!({"moreRecordsAvailable": false})),
        ("text", json!("{\"moreRecordsAvailable\":false}")),
        ("pascal", json!({"MoreRecordsAvailable": false})),
    ] {
        exchange.set(json!({"metadata": form}));
        let (rows, _) = exchange.search(&ask(form, "ReturnLargeSet", 5_000)).await;
        assert_eq!(rows[0]["AuditSearchRequestMetadata"], said);
    }
}

#[tokio::test]
async fn records_come_cut_short_once_or_always() {
    let cloud = start(busy_hour(2_000)).await;
    let exchange = Exchange::of(&cloud).await;
    let is_cut = |row: &&Value| serde_json::from_str::<Value>(row["AuditData"].as_str().unwrap()).is_err();
    let mut cut = Vec::new();
    for (number, cut_for) in ["once", "once", "always", "always"].into_iter().enumerate() {
        exchange.set(json!({"cut": 0.05, "cutFor": cut_for}));
        let (rows, _) = exchange
            .search(&ask(&number.to_string(), "ReturnLargeSet", 5_000))
            .await;
        assert_eq!(ids(&rows).into_iter().collect::<Vec<_>>(), exchange.truth());
        let damaged: Vec<Value> = rows.iter().filter(is_cut).cloned().collect();
        cut.push(ids(&damaged));
    }
    assert!(cut[0].len() > 50 && cut[1].is_empty());
    assert!(cut[2] == cut[0] && cut[3] == cut[0]);
}

#[tokio::test]
async fn filters_narrow_a_search() {
    let cloud = start(busy_hour(3_000)).await;
    let exchange = Exchange::of(&cloud).await;
    let with = |name: &str, value: Value| {
        let mut ask = ask(name, "ReturnLargeSet", 5_000);
        ask[name] = value;
        ask
    };
    let fields = |rows: &[Value], name: &str| -> BTreeSet<String> {
        let record = |row: &Value| serde_json::from_str::<Value>(row["AuditData"].as_str().unwrap()).unwrap();
        rows.iter()
            .map(|row| record(row)[name].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let (rows, _) = exchange
        .search(&with("Operations", json!(["FileAccessed", "userloggedin"])))
        .await;
    assert_eq!(
        fields(&rows, "Operation"),
        BTreeSet::from(["FileAccessed", "UserLoggedIn"].map(str::to_owned))
    );
    let (rows, _) = exchange
        .search(&with("RecordType", json!("ExchangeItemAggregated")))
        .await;
    assert!(!rows.is_empty() && rows.iter().all(|row| row["RecordType"] == "ExchangeItemAggregated"));
    // A whole name is that type, the beginning of one whatever begins so.
    for (name, found) in [
        ("ExchangeItemAgg", true),
        ("ExchangeItem", false),
        ("ExchangeItemOfAnyKind", false),
    ] {
        let mut search = ask(name, "ReturnLargeSet", 5_000);
        search["RecordType"] = json!(name);
        let (types, _) = exchange.search(&search).await;
        let has = types.iter().any(|row| row["RecordType"] == "ExchangeItemAggregated");
        assert_eq!(has, found, "{name}");
    }
    let user = rows[0]["UserIds"].as_str().unwrap().to_owned();
    let (rows, _) = exchange.search(&with("UserIds", json!(user))).await;
    assert_eq!(fields(&rows, "UserId"), BTreeSet::from([user]));
    let (rows, _) = exchange.search(&with("ObjectIds", json!(["https://*"]))).await;
    assert!(!rows.is_empty() && fields(&rows, "ObjectId").iter().all(|id| id.starts_with("https://")));
    let (rows, _) = exchange.search(&with("FreeText", json!("wire transfer"))).await;
    assert!(
        !rows.is_empty()
            && rows
                .iter()
                .all(|row| row["AuditData"].as_str().unwrap().contains("wire transfer"))
    );
    // A record type that there is not finds nothing and is no error.
    assert!(exchange
        .search(&with("RecordType", json!("Exchangee")))
        .await
        .0
        .is_empty());
}

#[tokio::test]
async fn only_who_has_permission_and_role_gets_in() {
    let cloud = start(busy_hour(10)).await;
    let exchange = Exchange::of(&cloud).await;
    let control = cloud.sandbox.control();
    let outlook = exchange.address("beta");
    let nothing = json!({});
    let search = || exchange.post(&outlook, "Search-UnifiedAuditLog", &nothing);
    let plain = ask("a", "ReturnLargeSet", 10);
    assert_eq!(
        exchange
            .post(&exchange.address("v1.0"), "Search-UnifiedAuditLog", &plain)
            .await
            .status,
        405
    );

    control
        .set_tenant(cloud.tenant(0), json!({"exchangeRole": false}))
        .unwrap();
    assert_eq!(search().await.status, 403);
    control
        .set_tenant(cloud.tenant(0), json!({"exchangeRole": true, "auditRole": false}))
        .unwrap();
    for cmdlet in ["Search-UnifiedAuditLog", "Get-Nothing"] {
        exchange.has_no(cmdlet).await;
    }
    control
        .set_tenant(cloud.tenant(0), json!({"auditRole": true, "auditing": false}))
        .unwrap();
    assert!(exchange.search(&plain).await.0.is_empty());
    let config = exchange
        .post(&outlook, "Get-AdminAuditLogConfig", &json!({}))
        .await
        .json();
    assert_eq!(config["value"][0]["UnifiedAuditLogIngestionEnabled"], false);

    let unknown = exchange
        .post(&outlook, "Search-UnifiedAuditLog", &json!({"Nonsense": 1}))
        .await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown.text.contains("AmbiguousParameterSetException"),
        "{}",
        unknown.text
    );
    let missing = exchange
        .post(&outlook, "Search-UnifiedAuditLog", &json!({"StartDate": START}))
        .await;
    assert!(missing.text.contains("EndDate"), "{}", missing.text);
    let token = cloud.token(cloud.tenant(0), common::GRAPH).await;
    assert_eq!(cloud.call(reqwest::Method::POST, &outlook, &token).await.status, 401);
}

#[tokio::test]
async fn cmdlets_read_change_ask_and_find_nothing() {
    let cloud = start(busy_hour(10)).await;
    let exchange = Exchange::of(&cloud).await;
    let url = exchange.address("beta");
    let run = |cmdlet: &'static str, parameters: Value| {
        let (exchange, url) = (&exchange, &url);
        async move { exchange.post(url, cmdlet, &parameters).await }
    };

    let mailboxes = run("Get-Mailbox", json!({"ResultSize": 3})).await.json();
    assert_eq!(mailboxes["value"].as_array().unwrap().len(), 3);
    assert_eq!(mailboxes["@adminapi.warnings"].as_array().unwrap().len(), 1);
    let all = run("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await.json();
    assert_eq!(all["value"].as_array().unwrap().len(), 12);
    assert_eq!(all["value"][0]["WhenCreated@data.type"], "System.DateTime");

    let lee = json!({"Identity": "lee.gu", "PopEnabled": false});
    for (warnings, pop) in [(0, false), (1, false)] {
        let reply = run("Set-CASMailbox", lee.clone()).await.json();
        assert_eq!(reply["@adminapi.warnings"].as_array().unwrap().len(), warnings);
        let row = run("Get-CASMailbox", json!({"Identity": "Lee Gu"})).await.json();
        assert_eq!(row["value"][0]["PopEnabled"], pop);
    }
    let nobody = run("Set-CASMailbox", json!({"Identity": "nobody"})).await;
    assert!(nobody.status == 404 && nobody.text.contains("ManagementObjectNotFoundException"));

    let rule = json!({"Identity": "Disclaimer for legal"});
    let asked = run("Remove-TransportRule", rule).await.json();
    assert!(asked["@adminapi.confirmationmessage"]
        .as_str()
        .unwrap()
        .contains("legal"));
    for (confirm, left) in [(true, 3), (false, 2)] {
        let told = json!({"Identity": "Disclaimer for legal", "Confirm": confirm});
        assert_eq!(run("Remove-TransportRule", told).await.status, 200);
        let rules = run("Get-TransportRule", json!({})).await.json();
        assert_eq!(rules["value"].as_array().unwrap().len(), left);
    }

    let off = json!({"UnifiedAuditLogIngestionEnabled": false});
    assert_eq!(run("Set-AdminAuditLogConfig", off).await.status, 200);
    let config = run("Get-AdminAuditLogConfig", json!({})).await.json();
    assert_eq!(config["value"][0]["UnifiedAuditLogIngestionEnabled"], false);
    let control = cloud.sandbox.control();
    control
        .set_tenant(cloud.tenant(0), json!({"auditRole": false}))
        .unwrap();
    exchange.has_no("Set-AdminAuditLogConfig").await;
    assert_eq!(run("Get-OrganizationConfig", json!({})).await.status, 200);
}
