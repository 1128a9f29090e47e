//! Managed identities: every platform, what goes wrong there, and that its tokens are kept like any others.

use crate::support::*;
use secureapp_core::{immediate, Credential, Field, Kind, Operation, Request, Result, Secret, Value};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

type Extra<'a> = &'a [(&'a str, &'a str)];

/// `NAME=value` lines.
fn lines<'a>(variables: impl IntoIterator<Item = (&'a String, &'a String)>) -> Secret {
    let lines: Vec<String> = variables
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Secret::from(lines.join("\n").as_str())
}

fn variables(bed: &Bed, platform: &str) -> BTreeMap<String, String> {
    bed.sandbox.facts().managed_identity.variables[platform].clone()
}

fn open(variables: &BTreeMap<String, String>, extra: Extra<'_>) -> Result<Arc<Credential>> {
    let mut request = Request::new("credential")
        .with("managedIdentity", Field::Int(1))
        .with("variables", Field::Secret(lines(variables)));
    for (name, value) in extra {
        request.set(*name, Field::Text((*value).to_owned()));
    }
    Credential::open(&request).map(Arc::new)
}

fn on(bed: &Bed, platform: &str, extra: Extra<'_>) -> Arc<Credential> {
    open(&variables(bed, platform), extra).expect("a credential")
}

/// An item for Graph without a tenant.
fn graph() -> Request {
    Request::new("token").with("resource", Field::Text(GRAPH.to_owned()))
}

fn platform_fault(bed: &Bed, times: i64, status: u16, body: &str) {
    bed.fault(json!({
        "id": "platform", "match": {"pathContains": "/token?"}, "times": times,
        "action": {"kind": "status", "status": status, "body": body},
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_platform_gives_a_token_once() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts().managed_identity.clone();
    bed.engine.use_arc_keys(facts.arc_key_folder.clone().into());
    for (platform, whose, requests) in [
        ("imds", &facts.system_assigned, 1),
        ("appService", &facts.system_assigned, 1),
        ("appService2017", &facts.system_assigned, 1),
        ("azureArc", &facts.system_assigned, 2),
        ("machineLearning", &facts.system_assigned, 1),
        ("cloudShell", &facts.system_assigned, 1),
        ("serviceFabric", &facts.user_assigned, 1),
    ] {
        let before = bed.requests();
        let credential = on(&bed, platform, &[]);
        let answers = bed.ask(&credential, graph()).await;
        assert_eq!(answers.text("applicationId"), whose.client_id, "{platform}");
        assert_eq!(
            answers.text("tenantId"),
            bed.sandbox.facts().partner_tenant_id,
            "{platform}"
        );
        // The same identity, opened anew, and asked for by its default scope or its resource.
        let again = bed.ask(&on(&bed, platform, &[]), graph()).await;
        assert_eq!(again.token(), answers.token(), "{platform}");
        assert_eq!(bed.requests() - before, requests, "{platform}");
        let scope = Request::new("token").with("scopes", Field::Texts(vec![format!("{GRAPH}/.default")]));
        bed.ask(&credential, scope).await.record();
        let shown = format!("{credential:?} {:?}", credential.describe());
        assert!(
            !shown.contains(facts.variables["appService"]["IDENTITY_HEADER"].as_str()),
            "{shown}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_named_in_three_ways_and_never_mistaken() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts().managed_identity.clone();
    let user = &facts.user_assigned;
    for platform in ["imds", "appService"] {
        let own = bed.ask(&on(&bed, platform, &[]), graph()).await;
        assert_eq!(own.text("applicationId"), facts.system_assigned.client_id);
        for (field, id) in [
            ("managedIdentityClientId", &user.client_id),
            ("managedIdentityObjectId", &user.object_id),
            ("managedIdentityResourceId", &user.resource_id),
        ] {
            let answers = bed.ask(&on(&bed, platform, &[(field, id)]), graph()).await;
            assert_eq!(answers.text("applicationId"), user.client_id, "{platform} {field}");
        }
        let absent = on(
            &bed,
            platform,
            &[("managedIdentityClientId", &facts.unassigned.client_id)],
        );
        let answers = bed.ask(&absent, graph()).await;
        let error = answers.error();
        assert_eq!(error.kind(), Kind::NotSignedIn);
        assert!(error.message().contains(&facts.unassigned.client_id), "{error}");
        assert!(error.advice().contains("Assign it"), "{}", error.advice());
    }
    let chosen = on(&bed, "machineLearning", &[("managedIdentityClientId", &user.client_id)]);
    assert_eq!(bed.ask(&chosen, graph()).await.text("applicationId"), user.client_id);
    for platform in ["azureArc", "cloudShell", "serviceFabric"] {
        let refused = open(
            &variables(&bed, platform),
            &[("managedIdentityClientId", &user.client_id)],
        );
        assert!(
            refused.unwrap_err().message().contains("cannot be chosen"),
            "{platform}"
        );
    }
    for wrong in [
        &[("managedIdentityClientId", "not-a-guid")][..],
        &[("managedIdentityResourceId", "secure-app")],
        &[
            ("managedIdentityClientId", &user.client_id),
            ("managedIdentityObjectId", &user.object_id),
        ],
    ] {
        assert!(open(&variables(&bed, "imds"), wrong).is_err(), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_has_one_tenant() {
    let bed = bed(1).await;
    let credential = on(&bed, "imds", &[]);
    let home = bed.sandbox.facts().partner_tenant_id.clone();
    bed.ask(&credential, item(&home, GRAPH)).await.record();
    for other in [bed.tenant(0), bed.domain(0)] {
        let answers = bed.ask(&credential, item(&other, GRAPH)).await;
        let error = answers.error();
        assert!(
            error.message().contains(&home) && error.advice().contains("-FederatedManagedIdentity"),
            "{error}"
        );
    }
    let named = scoped(&home, &["User.Read"]);
    assert_eq!(bed.ask(&credential, named).await.error().kind(), Kind::InvalidInput);
    let unknown = item(&home, "https://nowhere.example");
    let answers = bed.ask(&credential, unknown).await;
    assert_eq!(answers.error().kind(), Kind::NotFound);
    assert_eq!(answers.error().service().unwrap().code, "AADSTS50001");
    assert!(!answers.error().service().unwrap().trace_id.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opaque_token_is_of_no_tenant_that_anybody_named() {
    let bed = bed(2).await;
    let credential = on(&bed, "appService", &[]);
    platform_fault(
        &bed,
        -1,
        200,
        r#"{"access_token":"opaque","expires_on":"9999999999","client_id":"ID"}"#,
    );
    // Whoever asks first does not decide for those who come later.
    for tenant in [bed.tenant(0), bed.tenant(1), bed.domain(0)] {
        let answers = bed.ask(&credential, item(&tenant, GRAPH)).await;
        let error = answers.error();
        assert_eq!((error.kind(), error.tenant()), (Kind::InvalidInput, tenant.as_str()));
        assert!(error.message().contains("does not say which tenant"), "{error}");
        assert!(error.advice().contains("Leave the tenant out"), "{}", error.advice());
    }
    let answers = bed.ask(&credential, graph()).await;
    assert_eq!(answers.token(), "opaque");
    assert!(matches!(answers.record().get("tenantId"), Some(Value::Null)));
    assert_eq!(bed.requests(), 1, "the platform is asked once");
    let of = |tenants: Vec<String>| {
        let list = Request::new("token_cache.list").with("tenants", Field::Texts(tenants));
        match immediate(&bed.engine, &list).unwrap() {
            Value::List(held) => held,
            other => panic!("{other:?}"),
        }
    };
    assert!(of(vec![bed.tenant(0)]).is_empty());
    assert!(matches!(of(Vec::new())[0].get("tenantId"), Some(Value::Null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_read_in_each_of_its_forms() {
    let bed = bed(1).await;
    let credential = on(&bed, "appService", &[]);
    let mut ends = Vec::new();
    for form in ["epoch", "iso", "date"] {
        bed.sandbox
            .control()
            .set_managed_identity(json!({"expiresOn": form}))
            .unwrap();
        let answers = bed.ask_with(&credential, &["forceRefresh"], graph()).await;
        let Some(secureapp_core::Value::Time(end)) = answers.record().get("expiresOn") else {
            panic!("{answers:?}");
        };
        ends.push(end / 1000);
    }
    // The platform hands out the same token; the service's clock has whole seconds.
    assert!(ends.iter().all(|end| end.abs_diff(ends[0]) <= 2), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_being_updated_is_waited_for() {
    for (platform, status, times, works) in [
        ("imds", 404, 3, true),
        ("imds", 410, 7, true),
        ("imds", 410, 8, false),
        ("imds", 429, 3, true),
        ("imds", 502, 3, true),
        ("imds", 500, 4, false),
        ("appService", 500, 3, true),
        ("appService", 502, 1, false),
        ("cloudShell", 429, 4, false),
    ] {
        let bed = bed(1).await;
        let credential = on(&bed, platform, &[]);
        bed.fault(json!({
            "match": {"service": platform}, "times": times,
            "action": {"kind": "status", "status": status, "body": "busy"},
        }));
        let answers = bed.ask(&credential, graph()).await;
        if works {
            answers.record();
        } else {
            let error = answers.error();
            let kind = if status == 429 { Kind::Throttled } else { Kind::Server };
            assert_eq!(error.kind(), kind, "{platform} {status}: {error}");
            assert!(error.is_retryable() && !error.advice().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_in_the_platforms_place_is_named() {
    let bed = bed(1).await;
    let credential = on(&bed, "appService", &[]);
    for (status, body, kind) in [
        (200, "<html>hello</html>", Kind::Protocol),
        (200, r#"{"access_token":""}"#, Kind::Protocol),
        (200, r#"{"access_token":"opaque"}"#, Kind::Protocol),
        (401, "who are you", Kind::NotSignedIn),
        (400, r#"{"error":"unknown"}"#, Kind::NotSignedIn),
    ] {
        platform_fault(&bed, 1, status, body);
        let answers = bed.ask(&credential, graph()).await;
        assert_eq!(answers.error().kind(), kind, "{status} {body}");
        assert!(!answers.error().advice().is_empty(), "{status} {body}");
    }
    let header = variables(&bed, "appService")["IDENTITY_HEADER"].clone();
    platform_fault(&bed, 1, 400, &format!(r#"{{"message":"wrong header {header}"}}"#));
    let answers = bed.ask(&credential, graph()).await;
    let whole = format!("{:?}", answers.error().to_value());
    assert!(!whole.contains(&header) && whole.contains("***"), "{whole}");

    let mut gone = variables(&bed, "imds");
    gone.insert(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST".to_owned(),
        "http://127.0.0.1:1".to_owned(),
    );
    let answers = bed.ask(&open(&gone, &[]).unwrap(), graph()).await;
    assert_eq!(answers.error().kind(), Kind::Network);
    assert!(answers.error().advice().contains("Azure virtual machines"));
    gone.insert(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST".to_owned(),
        "not an address".to_owned(),
    );
    let answers = bed.ask(&open(&gone, &[]).unwrap(), graph()).await;
    assert_eq!(answers.error().kind(), Kind::InvalidInput);
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_arcs_key_comes_from_its_own_folder_and_no_other() {
    let bed = bed(1).await;
    let keys = std::path::PathBuf::from(&bed.sandbox.facts().managed_identity.arc_key_folder);
    let credential = on(&bed, "azureArc", &[]);
    // Without being told otherwise, the folder is the agent's.
    let answers = bed.ask(&credential, graph()).await;
    assert_eq!(answers.error().kind(), Kind::Protocol);
    assert!(
        answers.error().message().contains("outside of its folder"),
        "{:?}",
        answers.error()
    );
    let sent = bed.requests();

    bed.engine.use_arc_keys(keys.clone());
    std::fs::write(keys.join("long.key"), "x".repeat(4097)).unwrap();
    std::fs::write(keys.join("empty.key"), " \n").unwrap();
    for (name, word) in [
        ("long.key", "longer than 4096"),
        ("empty.key", "holds no key"),
        ("missing.key", "could not read"),
        ("x.pem", "no .key file"),
        ("../tokens/x.key", "outside of its folder"),
    ] {
        let path = keys.join(name).to_string_lossy().into_owned();
        bed.sandbox
            .control()
            .set_managed_identity(json!({"arcRealm": path}))
            .unwrap();
        let answers = bed.ask(&credential, graph()).await;
        assert!(
            answers.error().message().contains(word),
            "{name}: {:?}",
            answers.error()
        );
        assert!(!answers.error().advice().is_empty(), "{name}");
    }
    assert_eq!(bed.requests() - sent, 5, "none of these files was sent");
    bed.sandbox
        .control()
        .set_managed_identity(json!({"arcRealm": ""}))
        .unwrap();
    bed.ask(&credential, graph()).await.record();
}

#[tokio::test(flavor = "multi_thread")]
async fn service_fabric_is_known_by_its_certificate() {
    let bed = bed(1).await;
    let mut wrong = variables(&bed, "serviceFabric");
    wrong.insert("IDENTITY_SERVER_THUMBPRINT".to_owned(), "00".repeat(20));
    let sent = bed.requests();
    let answers = bed.ask(&open(&wrong, &[]).unwrap(), graph()).await;
    assert!(
        answers.error().message().contains("another certificate"),
        "{:?}",
        answers.error()
    );
    assert!(!answers.error().is_retryable());
    assert_eq!(bed.requests(), sent, "the secret stays here");
    let thumbprint = variables(&bed, "serviceFabric")["IDENTITY_SERVER_THUMBPRINT"].to_lowercase();
    wrong.insert("IDENTITY_SERVER_THUMBPRINT".to_owned(), thumbprint);
    bed.ask(&open(&wrong, &[]).unwrap(), graph()).await.record();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_request_and_the_wait() {
    for platform in ["imds", "serviceFabric"] {
        let bed = bed(1).await;
        bed.fault(json!({
            "id": "hold", "match": {"service": platform}, "times": 1,
            "action": {"kind": "hold", "stage": "before-headers"},
        }));
        let operation = bed.begin(&on(&bed, platform, &[]), &[], vec![graph()]);
        bed.held("held", 1).await;
        operation.cancel();
        assert!(finish(&operation).await.unwrap_err().is_cancelled(), "{platform}");
        bed.held("closed", 1).await;
    }
    let bed = bed(1).await;
    bed.fault(json!({
        "match": {"service": "imds"}, "times": -1,
        "action": {"kind": "status", "status": 429, "headers": {"Retry-After": "60"}, "body": "busy"},
    }));
    let credential = on(&bed, "imds", &[]);
    let operation = bed.begin(&credential, &[], vec![graph()]);
    while bed.requests() == 0 {
        tokio::task::yield_now().await;
    }
    operation.cancel();
    assert!(finish(&operation).await.unwrap_err().is_cancelled());
    bed.sandbox.control().clear_faults();
    bed.ask(&credential, graph()).await.record();
    assert_eq!(bed.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_cost_one_request() {
    let bed = bed(1).await;
    bed.fault(json!({
        "id": "hold", "match": {"service": "imds"}, "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"},
    }));
    let items = (0..50).map(|_| graph()).collect();
    let operation: Operation = bed.begin(&on(&bed, "imds", &[]), &[], items);
    bed.held("held", 1).await;
    bed.release();
    assert_eq!(finish(&operation).await.unwrap().records.len(), 50);
    assert_eq!(bed.requests(), 1);
}

/// The platform too is asked no more often than a command may: its retries come from the same stock.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_in_trouble_is_asked_within_the_commands_stock() {
    let bed = bed(1).await;
    let credential = on(&bed, "appService", &[]);
    bed.fault(json!({
        "id": "platform", "match": {"pathContains": "resource="}, "times": -1,
        "action": {"kind": "status", "status": 503, "body": "{}"},
    }));
    let items = (0..50)
        .map(|n| Request::new("token").with("resource", Field::Text(format!("https://resource{n}.example"))))
        .collect();
    let answers = finish(&bed.begin(&credential, &[], items)).await.unwrap();
    assert_eq!(answers.failures.len(), 50);
    assert_eq!(bed.requests(), 50 + 40);
}
