use crate::support::{text, Outcome, World};
use secureapp_core::{Field, Kind, Operation, Value};
use secureapp_sandbox::{Options, Preset};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) const CUSTOMERS: usize = 25;

/// Enough customers for several pages.
pub(crate) async fn small() -> World {
    World::start(Options {
        tenants: CUSTOMERS,
        records: 0,
        list_page_size: Some(4),
        ..Options::default()
    })
    .await
}

async fn list(world: &World) -> Outcome {
    let outcome = world
        .run(world.request("delegated_tenants", &world.credential_request()))
        .await;
    outcome.assert_no_secret(world);
    outcome
}

fn sources(record: &Value) -> Vec<String> {
    match record.get("sources") {
        Some(Value::List(names)) => names.iter().filter_map(Value::as_text).map(str::to_owned).collect(),
        other => panic!("no list of sources: {other:?}"),
    }
}

/// Every customer of the sandbox is there, once, under its own name.
fn assert_whole(world: &World, outcome: &Outcome) {
    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    let known: BTreeMap<&str, &str> = world
        .sandbox
        .facts()
        .tenants
        .iter()
        .map(|tenant| (tenant.tenant_id.as_str(), tenant.display_name.as_str()))
        .collect();
    let given: BTreeMap<&str, &str> = outcome
        .records
        .iter()
        .map(|record| (text(record, "tenantId"), text(record, "displayName")))
        .collect();
    assert_eq!(given, known);
    assert_eq!(outcome.records.len(), known.len(), "a customer is there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_all_lists_come_once_each_in_the_order_of_their_names() {
    let world = small().await;
    let outcome = list(&world).await;
    assert_whole(&world, &outcome);
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    let names: Vec<String> = outcome
        .records
        .iter()
        .map(|record| text(record, "displayName").to_lowercase())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    let combinations: BTreeSet<Vec<String>> = outcome.records.iter().map(sources).collect();
    assert!(
        combinations.len() > 1,
        "the sandbox has customers that one list does not know: {combinations:?}"
    );
    assert!(
        world.requests("/v1/customers") >= (CUSTOMERS / 4) as u64 / 2,
        "the pages were followed"
    );
    for record in &outcome.records {
        assert!(matches!(record.get("access"), Some(Value::Null)));
        if sources(record).contains(&"PartnerCenter".to_owned()) {
            assert!(text(record, "defaultDomainName").ends_with(".onmicrosoft.com"));
            assert_eq!(text(record, "relationship"), "reseller");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_its_permission_is_a_warning_that_names_it() {
    let world = small().await;
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}});
    for (service, path, body, status, words) in [
        (
            "partnerCenter",
            "/v1/customers",
            json!({"code": "403000", "description": "Forbidden"}),
            403,
            ["Partner Center", "user_impersonation", "Admin agents", "403000"],
        ),
        (
            "graph",
            "/contracts",
            denied.clone(),
            403,
            [
                "contracts",
                "Directory.Read.All",
                "Authorization_RequestDenied",
                "Graph",
            ],
        ),
        (
            "graph",
            "/delegatedAdminCustomers",
            denied,
            403,
            [
                "delegatedAdminCustomers",
                "DelegatedAdminRelationship.Read.All",
                "Authorization_RequestDenied",
                "Graph",
            ],
        ),
    ] {
        world.fault(json!({
            "id": "denied", "times": -1, "match": {"service": service, "pathContains": path},
            "action": {"kind": "status", "status": status, "body": body.to_string()},
        }));
        let outcome = list(&world).await;
        assert!(outcome.end.is_ok() && !outcome.records.is_empty(), "{outcome:?}");
        let [warning] = outcome.warnings.as_slice() else {
            panic!("not one warning: {:?}", outcome.warnings)
        };
        for word in words {
            assert!(warning.contains(word), "'{word}' is not in: {warning}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_articles_application_gets_partner_center_and_is_told_what_it_lacks() {
    let world = World::start(Options {
        tenants: 12,
        records: 0,
        preset: Preset::Articles,
        ..Options::default()
    })
    .await;
    let outcome = list(&world).await;
    assert!(outcome.end.is_ok() && !outcome.records.is_empty(), "{outcome:?}");
    assert!(
        outcome
            .records
            .iter()
            .all(|record| sources(record) == ["PartnerCenter"]),
        "{outcome:?}"
    );
    assert_eq!(outcome.warnings.len(), 2, "{:?}", outcome.warnings);
    assert!(
        outcome.warnings[1].contains("DelegatedAdminRelationship.Read.All"),
        "{:?}",
        outcome.warnings
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_without_a_second_factor_is_told_apart_from_a_missing_permission() {
    let world = small().await;
    let token = world.sandbox.control().add_user("password.only@contoso.example", false);
    let credential = world
        .credential_request()
        .with("refreshToken", Field::Secret(token.as_str().into()));
    let outcome = world.run(world.request("delegated_tenants", &credential)).await;
    assert!(outcome.end.is_ok() && !outcome.records.is_empty(), "{outcome:?}");
    let [warning] = outcome.warnings.as_slice() else {
        panic!("not one warning: {:?}", outcome.warnings)
    };
    assert!(
        warning.contains("900421") && warning.contains("multifactor"),
        "{warning}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_credential_ends_the_operation_with_the_services_code() {
    let world = small().await;
    let wrong = world.credential_request().with("secret", Field::Secret("wrong".into()));
    let outcome = world.run(world.request("delegated_tenants", &wrong)).await;
    outcome.assert_no_secret(&world);
    let error = outcome.error();
    assert_eq!(error.kind(), Kind::NotSignedIn);
    assert_eq!(
        error.service().map(|service| service.code.as_str()),
        Some("AADSTS7000215")
    );
    assert_eq!(format!("{error}").matches("AADSTS7000215").count(), 1, "{error}");
    assert!(!error.advice().is_empty());
    assert!(outcome.records.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_should_not_answer_is_survived_or_named() {
    let world = small().await;
    let graph = world.sandbox.facts().endpoints.graph.clone();
    let elsewhere = format!("{}/stolen", world.sandbox.facts().endpoints.manage);
    let page = |next: &str| json!({"kind": "status", "status": 200, "body": json!({"value": [], "@odata.nextLink": next}).to_string()});
    for (action, words) in [
        (json!({"kind": "html"}), "web page"),
        (json!({"kind": "garbage"}), "not JSON"),
        (page(&elsewhere), "another host"),
        (page(&format!("{graph}/v1.0/contracts?loop")), "already read"),
        (page("http://["), "not an address"),
        (
            json!({"kind": "status", "status": 200, "body": "{\"value\":\"none\"}"}),
            "without the list",
        ),
        (
            json!({"kind": "status", "status": 302, "headers": {"Location": elsewhere}}),
            "HTTP 302",
        ),
    ] {
        world.fault(json!({"id": "odd", "times": -1, "match": {"service": "graph", "pathContains": "/contracts"}, "action": action}));
        let outcome = list(&world).await;
        assert_whole_but(&world, &outcome);
        let [warning] = outcome.warnings.as_slice() else {
            panic!("not one warning: {:?}", outcome.warnings)
        };
        assert!(warning.contains(words), "'{words}' is not in: {warning}");
        assert!(warning.contains("contracts"), "{warning}");
    }
    assert_eq!(world.requests("stolen"), 0, "a token went to another host");
}

/// The two other lists name every customer of the sandbox together.
fn assert_whole_but(world: &World, outcome: &Outcome) {
    assert_whole(world, outcome);
    assert!(outcome
        .records
        .iter()
        .all(|record| !sources(record).contains(&"Contracts".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_fault_changes_nothing() {
    let world = small().await;
    for action in [
        json!({"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "body": "{\"statusCode\":429,\"message\":\"Rate limit is exceeded.\"}"}),
        json!({"kind": "status", "status": 503}),
        json!({"kind": "status", "status": 401}),
        json!({"kind": "truncate", "bytes": 40, "close": "abort"}),
        json!({"kind": "reset"}),
    ] {
        world.fault(
            json!({"id": "passing", "times": 1, "skip": 1, "match": {"service": "partnerCenter"}, "action": action}),
        );
        let outcome = list(&world).await;
        assert_whole(&world, &outcome);
        assert!(outcome.warnings.is_empty(), "{action}: {:?}", outcome.warnings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_cut_short_that_claims_to_be_whole_is_a_warning_not_a_short_list() {
    let world = small().await;
    world.fault(
        json!({"times": -1, "match": {"service": "partnerCenter"}, "action": {"kind": "truncate", "bytes": 60}}),
    );
    let outcome = list(&world).await;
    assert!(outcome.end.is_ok(), "{outcome:?}");
    let [warning] = outcome.warnings.as_slice() else {
        panic!("not one warning: {:?}", outcome.warnings)
    };
    assert!(warning.contains("Partner Center"), "{warning}");
    assert!(outcome
        .records
        .iter()
        .all(|record| !sources(record).contains(&"PartnerCenter".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_an_id_are_left_out_and_counted() {
    let world = small().await;
    let rows = json!({"value": [{"customerId": "x"}, {"displayName": "nobody"}, 7, {"customerId": "AAAAAAAA-0000-4000-8000-00000000000A", "displayName": "Extra"}]});
    world.fault(json!({"match": {"pathContains": "/contracts"}, "action": {"kind": "status", "status": 200, "body": rows.to_string()}}));
    let outcome = list(&world).await;
    assert_eq!(outcome.records.len(), CUSTOMERS + 1);
    assert!(outcome
        .records
        .iter()
        .any(|record| text(record, "tenantId") == "aaaaaaaa-0000-4000-8000-00000000000a"));
    let [warning] = outcome.warnings.as_slice() else {
        panic!("not one warning: {:?}", outcome.warnings)
    };
    assert!(warning.starts_with("3 rows without a tenant id"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn access_says_per_customer_whether_a_token_can_be_had_and_why_not() {
    let world = small().await;
    let tenants = world.tenant_ids();
    let control = world.sandbox.control();
    control
        .set_tenant(&tenants[0], json!({"consent": "missing"}))
        .expect("a change");
    control
        .set_tenant(&tenants[1], json!({"mfaRequired": true}))
        .expect("a change");
    let request = world
        .request("delegated_tenants", &world.credential_request())
        .with("checkAccess", Field::Int(1))
        .with("throttle", Field::Int(3));
    let outcome = world.run(request).await;
    outcome.assert_no_secret(&world);
    assert_whole(&world, &outcome);
    for record in &outcome.records {
        let access = record.get("access").expect("access");
        let ok = access.get("ok").and_then(Value::as_i64) == Some(1);
        let broken = tenants[..2].iter().any(|tenant| tenant == text(record, "tenantId"));
        assert_eq!(ok, !broken, "{record:?}");
        if broken {
            let error = access.get("error").expect("an error");
            assert!(text(error, "code").starts_with("AADSTS"), "{error:?}");
            assert!(!text(error, "advice").is_empty(), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_requests_and_never_looks_like_a_short_list() {
    let world = small().await;
    world
        .fault(json!({"id": "held", "times": -1, "match": {"pathContains": "/contracts"}, "action": {"kind": "hold"}}));
    let request = world.request("delegated_tenants", &world.credential_request());
    let operation = Operation::start(&world.session, request).expect("it starts");
    let control = world.sandbox.control();
    control
        .wait_hold("held", "held", 1, Duration::from_secs(30))
        .await
        .expect("the request is held");
    operation.cancel();
    let error = loop {
        match operation.next().await {
            Ok(secureapp_core::Next::Event(event)) => assert!(!matches!(event, secureapp_core::Event::Record(_))),
            Ok(secureapp_core::Next::Done) => panic!("a stopped operation looks finished"),
            Err(error) => break error,
        }
    };
    assert!(error.is_cancelled());
    control
        .wait_hold("held", "closed", 1, Duration::from_secs(30))
        .await
        .expect("the request is given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_before_anything_is_sent() {
    let world = small().await;
    let facts = world.sandbox.facts();
    let secret_only = secureapp_core::Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()));
    let request = world.request("delegated_tenants", &secret_only);
    assert!(world.run(request).await.error().advice().contains("-TenantId"));
    let credential = world.credential_request();
    for (key, field) in [
        ("throttle", Field::Int(-1)),
        ("tenant", Field::Text("x".to_owned())),
        ("environment", Field::Text("Nowhere".to_owned())),
    ] {
        let outcome = world
            .run(world.request("delegated_tenants", &credential).with(key, field))
            .await;
        assert!(
            outcome.error().kind() == Kind::InvalidInput || outcome.error().kind() == Kind::NotFound,
            "{key}"
        );
    }
    assert_eq!(world.requests("/"), 0);
    let own_tenant = secret_only.with("tenant", Field::Text(facts.partner_tenant_id.clone()));
    let outcome = world.run(world.request("delegated_tenants", &own_tenant)).await;
    assert!(outcome.end.is_ok(), "{outcome:?}");
}
