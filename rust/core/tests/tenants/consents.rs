use crate::support::{text, World};
use secureapp_core::{Error, Event, Field, Kind, Next, Operation, Request, Submitted, Value};
use secureapp_sandbox::Options;
use serde_json::json;

const GRAPH: &str = "https://graph.microsoft.com";
const MANAGE: &str = "https://manage.office.com";
const OUTLOOK: &str = "https://outlook.office365.com";
const POSTS: &str = "POST /v1/customers/{tenant}/applicationconsents";
const DELETES: &str = "DELETE /v1/customers/{tenant}/applicationconsents";

struct Bed {
    world: World,
    tenants: Vec<String>,
}

#[derive(Debug, Default)]
struct Seen {
    records: Vec<Value>,
    failures: Vec<Error>,
}

impl Seen {
    /// Of each record the API and the outcome.
    fn outcomes(&self) -> Vec<(&str, &str)> {
        let api = |record: &'_ Value| record.get("resource").and_then(Value::as_text).map(str::len);
        let name = |record| match api(record) {
            Some(_) => text(record, "resource"),
            None => "",
        };
        self.records
            .iter()
            .map(|record| (name(record), text(record, "outcome")))
            .collect()
    }

    fn only(&self) -> &Value {
        let [record] = self.records.as_slice() else {
            panic!("one record: {self:?}")
        };
        record
    }
}

async fn bed(tenants: usize) -> Bed {
    let options = Options {
        tenants,
        records: 0,
        ..Options::default()
    };
    let world = World::start(options).await;
    let tenants = world
        .sandbox
        .facts()
        .tenants
        .iter()
        .map(|tenant| tenant.tenant_id.clone())
        .collect();
    Bed { world, tenants }
}

fn texts(values: &[&str]) -> Field {
    Field::Texts(values.iter().map(|value| (*value).to_owned()).collect())
}

fn list<'a>(record: &'a Value, key: &str) -> Vec<&'a str> {
    match record.get(key) {
        Some(Value::List(values)) => values.iter().filter_map(Value::as_text).collect(),
        other => panic!("'{key}' is no list: {other:?}"),
    }
}

fn error_of<'a>(record: &'a Value, key: &str) -> &'a str {
    text(record.get("error").expect("an error"), key)
}

impl Bed {
    fn change(&self, tenant: &str, change: serde_json::Value) {
        self.world.sandbox.control().set_tenant(tenant, change).unwrap();
    }

    fn request(&self, action: &str, fields: &[(&str, Field)]) -> Request {
        let mut request = self.world.request("consents", &self.world.credential_request());
        request.set("action", Field::Text(action.to_owned()));
        for (key, field) in fields {
            request.set(*key, field.clone());
        }
        request
    }

    fn begin(&self, request: Request, tenants: &[&str]) -> Operation {
        let operation = Operation::start(&self.world.session, request).expect("it starts");
        for (number, tenant) in (1..).zip(tenants) {
            let item = Request::new("tenant")
                .with("item", Field::Int(number))
                .with("tenant", Field::Text((*tenant).to_owned()));
            assert_eq!(operation.submit(item).expect("taken"), Submitted::Taken);
        }
        operation.finish_input();
        operation
    }

    async fn run(&self, request: Request, tenants: &[&str]) -> Seen {
        let operation = self.begin(request, tenants);
        let mut seen = Seen::default();
        loop {
            match operation.next().await.expect("it goes on") {
                Next::Event(Event::Record(record)) => seen.records.push(record),
                Next::Event(Event::Failed(failure)) => seen.failures.push(failure.error),
                Next::Event(_) => {}
                Next::Done => return seen,
            }
        }
    }

    async fn ask(&self, action: &str, tenant: &str, fields: &[(&str, Field)]) -> Seen {
        self.run(self.request(action, fields), &[tenant]).await
    }

    async fn grant_scope(&self, tenant: &str, api: &str, scope: &str) -> Seen {
        let fields = [("resources", texts(&[api])), ("scopes", texts(&[scope]))];
        self.ask("grant", tenant, &fields).await
    }

    /// What a new token in the tenant has; empty where there is none.
    async fn held(&self, tenant: &str, api: &str) -> Vec<String> {
        let seen = self.ask("show", tenant, &[("resources", texts(&[api]))]).await;
        list(seen.only(), "granted").into_iter().map(str::to_owned).collect()
    }

    fn reset(&self) {
        self.world.sandbox.control().reset_stats();
    }

    fn changes(&self) -> (u64, u64) {
        (self.world.requests(POSTS), self.world.requests(DELETES))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_without_consent_get_it_and_a_second_run_changes_nothing() {
    let bed = bed(3).await;
    for tenant in &bed.tenants[..2] {
        // A new consent is seen by the third redemption.
        bed.change(
            tenant,
            json!({"consent": "missing", "servicePrincipal": false, "consentLag": 2}),
        );
    }
    let tenants: Vec<&str> = bed.tenants.iter().map(String::as_str).collect();
    let shown = bed.ask("show", tenants[0], &[]).await;
    assert_eq!(
        shown.outcomes(),
        [(GRAPH, "NotGranted"), (MANAGE, "NotGranted"), (OUTLOOK, "NotGranted")]
    );
    assert!(text(&shown.records[0], "remedy").contains("Grant-SecureAppConsent -TenantId"));

    let granted = bed.run(bed.request("grant", &[]), &tenants).await;
    assert!(granted.failures.is_empty(), "{:?}", granted.failures);
    assert_eq!(granted.records.len(), 9);
    for record in &granted.records {
        let is_new = text(record, "tenantId") != tenants[2];
        let expected = if is_new { "Granted" } else { "AlreadyGranted" };
        assert_eq!(text(record, "outcome"), expected, "{record:?}");
        assert_eq!(record.get("verified").and_then(Value::as_i64), Some(1), "{record:?}");
        assert!(list(record, "missing").is_empty());
    }
    assert_eq!(bed.changes(), (6, 0));
    let held = bed.held(tenants[0], GRAPH).await;
    assert_eq!(
        held,
        [
            "AuditLog.Read.All",
            "AuditLogsQuery.Read.All",
            "Directory.Read.All",
            "SecurityAlert.Read.All",
            "SecurityEvents.Read.All"
        ]
    );

    bed.reset();
    let again = bed.run(bed.request("grant", &[]), &tenants).await;
    assert!(
        again
            .records
            .iter()
            .all(|record| text(record, "outcome") == "AlreadyGranted"),
        "{again:?}"
    );
    assert_eq!(bed.world.requests("customers"), 0, "Partner Center is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_enough_is_replaced_and_the_rest_stays() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;
    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Replaced")]);
    assert_eq!(seen.only().get("verified").and_then(Value::as_i64), Some(1));
    let after = bed.held(tenant, GRAPH).await;
    assert!(before.iter().all(|scope| after.contains(scope)), "{after:?}");
    assert!(after.iter().any(|scope| scope == "Application.Read.All"));
    assert_eq!(bed.held(tenant, MANAGE).await, ["ActivityFeed.Read"]);
    assert_eq!(bed.held(tenant, OUTLOOK).await, ["Exchange.Manage"]);
    assert_eq!(
        bed.held(tenant, "https://vault.azure.net").await,
        ["user_impersonation"]
    );
    assert_eq!(bed.changes().1, 1);

    bed.reset();
    let again = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert_eq!(again.outcomes(), [(GRAPH, "AlreadyGranted")]);
    assert_eq!(bed.world.requests("customers"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_lost_says_so_and_how_to_mend_it() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    bed.world.fault(json!({
        "match": {"service": "partnerCenter", "method": "POST", "pathContains": tenant},
        "times": -1,
        "action": {"kind": "status", "status": 400, "body": "{\"code\":\"2000\",\"description\":\"Not now.\"}"},
    }));
    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert!(seen.records.len() > 3, "each API that was lost: {:?}", seen.outcomes());
    for record in &seen.records {
        assert_eq!(
            (text(record, "outcome"), error_of(record, "id")),
            ("Failed", "ConsentLost")
        );
        assert!(error_of(record, "message").contains("WAS REMOVED"));
        assert_eq!(error_of(record, "code"), "2000");
        let advice = error_of(record, "advice");
        assert!(
            advice.contains("Run this now: Grant-SecureAppConsent -TenantId")
                && advice.contains("/adminconsent?client_id=")
        );
        assert!(advice.contains(text(record, "resource")), "{advice}");
    }

    bed.world.sandbox.control().clear_faults();
    for record in &seen.records {
        let (api, scopes) = (text(record, "resource"), error_of(record, "advice"));
        let scopes = scopes.split_once("-Scope ").unwrap().1.split_once(". Or").unwrap().0;
        let mended = bed.grant_scope(tenant, api, scopes).await;
        assert_eq!(text(mended.only(), "outcome"), "Granted", "{mended:?}");
    }
    assert_eq!(bed.held(tenant, OUTLOOK).await, ["Exchange.Manage"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_come_between_removal_and_grant() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    bed.world.fault(json!({
        "id": "held",
        "match": {"service": "partnerCenter", "method": "POST"},
        "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"},
    }));
    let fields = [
        ("resources", texts(&[GRAPH])),
        ("scopes", texts(&["Application.Read.All"])),
    ];
    let operation = bed.begin(bed.request("grant", &fields), &[tenant]);
    let control = bed.world.sandbox.control();
    control
        .wait_hold("held", "held", 1, std::time::Duration::from_secs(30))
        .await
        .unwrap();
    operation.cancel();
    let error = loop {
        match operation.next().await {
            Ok(Next::Event(_)) => {}
            Ok(Next::Done) => panic!("it was cancelled"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Cancelled);
    control.release("held");
    bed.world.session.engine().idle().await;

    assert!(bed
        .held(tenant, GRAPH)
        .await
        .iter()
        .any(|scope| scope == "Application.Read.All"));
    assert_eq!(bed.held(tenant, MANAGE).await, ["ActivityFeed.Read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_cannot_be_seen_is_not_removed() {
    let bed = bed(2).await;
    let (all, one) = (bed.tenants[0].as_str(), bed.tenants[1].as_str());
    bed.change(all, json!({"conditionalAccess": true}));
    let seen = bed.grant_scope(all, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert_eq!(
        (error_of(seen.only(), "id"), error_of(seen.only(), "code")),
        ("ConsentHidden", "AADSTS53003")
    );

    bed.change(
        one,
        json!({"conditionalAccess": true, "conditionalAccessResources": [MANAGE]}),
    );
    let seen = bed.grant_scope(one, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert!(error_of(seen.only(), "message").contains(MANAGE));
    assert!(error_of(seen.only(), "message").contains("left as it is"));
    assert_eq!(bed.changes().1, 0);

    // Nothing of an API that the tenant does not have can be lost.
    bed.change(one, json!({"conditionalAccess": false, "missingResources": [MANAGE]}));
    let seen = bed.grant_scope(one, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Replaced")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_one_api_removes_nothing_for_another() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;
    bed.change(
        tenant,
        json!({"conditionalAccess": true, "conditionalAccessResources": [MANAGE]}),
    );
    let fields = [(
        "scopes",
        texts(&[
            &format!("{GRAPH}/Application.Read.All"),
            &format!("{MANAGE}/No.Such.Scope"),
        ]),
    )];

    let seen = bed.ask("grant", tenant, &fields).await;

    let mut outcomes = seen.outcomes();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [(GRAPH, "Failed"), (MANAGE, "Failed")]);
    let graph = seen.records.iter().find(|record| text(record, "resource") == GRAPH);
    assert_eq!(graph.map(|record| error_of(record, "id")), Some("ConsentHidden"));
    assert_eq!(bed.changes().1, 0);
    assert_eq!(bed.held(tenant, GRAPH).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_is_missing_and_offer_the_consent_page() {
    let bed = bed(4).await;
    for tenant in &bed.tenants {
        bed.change(tenant, json!({"consent": "missing"}));
    }
    bed.change(&bed.tenants[0], json!({"consentRole": false}));
    bed.change(&bed.tenants[1], json!({"gdap": false}));
    let stranger = "11111111-2222-3333-4444-555555555555";
    for (tenant, api, scope, kind, advice) in [
        (bed.tenants[0].as_str(), GRAPH, "User.Read", "Denied", "AdminAgents"),
        (bed.tenants[1].as_str(), GRAPH, "User.Read", "Denied", "GDAP"),
        (
            bed.tenants[2].as_str(),
            GRAPH,
            "No.Such.Scope",
            "InvalidInput",
            "delegated permissions",
        ),
        (stranger, GRAPH, "User.Read", "NotFound", "Get-DelegatedTenant"),
    ] {
        let seen = bed.grant_scope(tenant, api, scope).await;
        let record = seen.only();
        assert_eq!(
            (text(record, "outcome"), error_of(record, "kind")),
            ("Failed", kind),
            "{record:?}"
        );
        assert!(
            error_of(record, "advice").contains(advice),
            "{}",
            error_of(record, "advice")
        );
        let page = format!(
            "{tenant}/adminconsent?client_id={}",
            bed.world.sandbox.facts().application_id
        );
        assert!(text(record, "page").ends_with(&page) && error_of(record, "advice").contains(&page));
        assert!(text(record, "remedy").contains(&page));
    }

    let facts = bed.world.sandbox.facts();
    let weak = bed.world.sandbox.control().add_user("weak@partner.example", false);
    let credential = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()))
        .with("refreshToken", Field::Secret(weak.as_str().into()));
    let mut request = bed.world.request("consents", &credential);
    request.set("action", Field::Text("grant".to_owned()));
    request.set("scopes", texts(&["User.Read"]));
    let seen = bed.run(request, &[&bed.tenants[3]]).await;
    assert_eq!(error_of(seen.only(), "code"), "900421");
    assert!(error_of(seen.only(), "advice").contains("multifactor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_consent_gives_no_token_and_a_second_revocation_changes_nothing() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    assert_eq!(bed.ask("revoke", tenant, &[]).await.outcomes(), [("", "Revoked")]);
    assert!(bed.held(tenant, GRAPH).await.is_empty());
    assert_eq!(bed.ask("revoke", tenant, &[]).await.outcomes(), [("", "NotGranted")]);
    let seen = bed.ask("revoke", "11111111-2222-3333-4444-555555555555", &[]).await;
    assert_eq!(
        (text(seen.only(), "outcome"), error_of(seen.only(), "kind")),
        ("Failed", "NotFound")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_is_named_twice_is_worked_on_once() {
    let bed = bed(1).await;
    let facts = bed.world.sandbox.facts();
    let (id, domain) = (
        facts.tenants[0].tenant_id.as_str(),
        facts.tenants[0].default_domain_name.as_str(),
    );
    bed.change(id, json!({"consent": "missing"}));
    let seen = bed.run(bed.request("grant", &[]), &[id, domain, id]).await;
    assert_eq!(seen.records.len(), 3, "{seen:?}");
    assert_eq!(bed.changes(), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customers_trouble_is_its_own_and_throttling_is_waited_out() {
    let bed = bed(3).await;
    for tenant in &bed.tenants {
        bed.change(tenant, json!({"consent": "missing"}));
    }
    bed.change(&bed.tenants[1], json!({"consentRole": false}));
    bed.world.fault(json!({
        "match": {"service": "partnerCenter", "method": "POST"},
        "times": 3,
        "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
    }));
    let tenants: Vec<&str> = bed.tenants.iter().map(String::as_str).collect();
    let seen = bed
        .run(bed.request("grant", &[("scopes", texts(&["User.Read"]))]), &tenants)
        .await;
    let of = |tenant: &str| {
        let record = seen
            .records
            .iter()
            .find(|record| text(record, "tenantId") == tenant)
            .unwrap();
        text(record, "outcome")
    };
    assert_eq!(
        tenants.iter().map(|tenant| of(tenant)).collect::<Vec<_>>(),
        ["Granted", "Failed", "Granted"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_takes_a_user() {
    let bed = bed(1).await;
    let facts = bed.world.sandbox.facts();
    let credential = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()));
    let mut request = bed.world.request("consents", &credential);
    request.set("action", Field::Text("grant".to_owned()));
    let error = Operation::start(&bed.world.session, request)
        .err()
        .expect("it is refused");
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.advice().contains("refresh token"));
}
