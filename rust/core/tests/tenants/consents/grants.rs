use super::bed::{bed, error_of, list, texts, GRAPH, MANAGE, OUTLOOK};
use crate::support::text;
use secureapp_core::{Field, Kind, Operation, Request, Value};
use serde_json::json;

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
async fn a_consent_that_no_token_shows_is_left_as_it_is() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    bed.change(tenant, json!({"consent": "missing", "consentLag": 1000}));
    let fields = [("scopes", texts(&["User.Read"])), ("unverified", Field::Int(1))];
    assert_eq!(bed.ask("grant", tenant, &fields).await.outcomes(), [(GRAPH, "Granted")]);

    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;

    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert_eq!(error_of(seen.only(), "id"), "ConsentHidden");
    assert!(error_of(seen.only(), "message").contains("has consented to something"));
    assert!(error_of(seen.only(), "advice").contains("in a few minutes"));
    assert_eq!(bed.changes(), (2, 0), "it is asked once, and nothing is removed");
    assert!(seen.warnings.is_empty(), "{seen:?}");
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
