//! The rows about what lies beyond a token: when the proof ends, how the user signed in, who has consented, and what the audit
//! log takes. Each passes, and fails in every way that it tells apart.

use crate::credential_test::{check, row, rows, small};
use crate::support::{text, Outcome, World};
use secureapp_core::{Field, Request, Value};
use secureapp_sandbox::{Options, Preset};
use serde_json::json;

/// The application alone, at home in the partner's tenant.
fn application(world: &World) -> Request {
    let facts = world.sandbox.facts();
    Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()))
}

fn user(world: &World) -> Request {
    let token = world.sandbox.facts().refresh_token.as_str().into();
    application(world).with("refreshToken", Field::Secret(token))
}

fn set(world: &World, change: serde_json::Value) {
    world.sandbox.control().set_application(change).expect("a change");
}

fn set_tenant(world: &World, tenant: &str, change: serde_json::Value) {
    world.sandbox.control().set_tenant(tenant, change).expect("a change");
}

fn customer(world: &World, at: usize) -> String {
    world.sandbox.facts().tenants[at].tenant_id.clone()
}

async fn check_in(world: &World, credential: &Request, tenants: &[&str]) -> Outcome {
    let tenants = tenants.iter().map(|tenant| (*tenant).to_owned()).collect();
    let request = world
        .request("credential_test", credential)
        .with("tenants", Field::Texts(tenants));
    run(world, request).await
}

async fn run(world: &World, request: Request) -> Outcome {
    let outcome = world.run(request).await;
    outcome.assert_no_secret(world);
    assert!(outcome.end.is_ok(), "{outcome:?}");
    outcome
}

/// Result, code and detail of a row; whatever is not fine comes with a remedy.
#[track_caller]
fn told<'a>(outcome: &'a Outcome, check: &str) -> (&'a str, &'a str, &'a str) {
    let row = row(outcome, check);
    let result = text(row, "result");
    assert!(result != "Fail" || !text(row, "remedy").is_empty(), "{row:?}");
    (result, text(row, "code"), text(row, "detail"))
}

fn has(outcome: &Outcome, check: &str) -> bool {
    outcome.records.iter().any(|row| text(row, "check") == check)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_ends_soon_warns() {
    let world = small().await;
    for (days, expected) in [(200.5, "Pass"), (30.5, "Pass"), (29.5, "Warn"), (0.5, "Warn")] {
        set(&world, json!({ "secretDays": days }));
        let outcome = check(&world, &user(&world)).await;
        let (result, _, detail) = told(&outcome, "Secret");
        assert_eq!(result, expected, "{days}");
        assert!(detail.contains(&format!("in {} days", days as i64)), "{detail}");
        assert_eq!(text(row(&outcome, "Secret"), "remedy").is_empty(), expected == "Pass");
    }
    set(&world, json!({"secretDays": -1.0}));
    let outcome = check(&world, &user(&world)).await;
    let (result, code, _) = told(&outcome, "Secret");
    assert_eq!((result, code), ("Fail", "AADSTS7000222"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_see_the_registration_is_told_the_permission() {
    let world = small().await;
    // Directory.Read.All is enough for a user, not for an application.
    let outcome = check(&world, &application(&world)).await;
    let secret = row(&outcome, "Secret");
    assert_eq!(
        (text(secret, "result"), text(secret, "code")),
        ("Skipped", "Authorization_RequestDenied")
    );
    assert!(text(secret, "remedy").contains("Application.Read.All"), "{secret:?}");

    set(&world, json!({"withheldPermissions": ["Directory.Read.All"]}));
    let outcome = check(&world, &user(&world)).await;
    assert_eq!(told(&outcome, "Secret").0, "Skipped", "neither of the two may");
    assert_eq!(world.requests("applications"), 3, "both were asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registration_is_looked_for_at_home() {
    let world = small().await;
    // At home in a tenant that has a service principal and no registration.
    let home = customer(&world, 0);
    let outcome = check(&world, &user(&world).with("tenant", Field::Text(home))).await;
    let (result, code, _) = told(&outcome, "Secret");
    assert_eq!((result, code), ("Skipped", "Request_ResourceNotFound"));
    // Without a home that is known, the refresh token tells it.
    let outcome = check(&world, &world.credential_request()).await;
    assert_eq!(told(&outcome, "Secret").0, "Pass");
}

/// Makes a certificate that lasts some days, uploaded or not; the credential that has it.
async fn certified(world: &World, days: i64, upload: bool) -> Request {
    let pem = world.certificate(days).await;
    if upload {
        let end = "-----END CERTIFICATE-----";
        let from = pem.find("-----BEGIN CERTIFICATE").expect("a certificate");
        let until = pem.find(end).expect("its end") + end.len();
        let upload = json!({ "certificate": pem[from..until] });
        world.sandbox.control().add_certificate(upload).expect("an upload");
    }
    let facts = world.sandbox.facts();
    Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("certificateData", Field::Secret(pem.as_str().into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_warns_also_where_the_registration_is_not_seen() {
    let world = small().await;
    for (days, expected) in [(90, "Pass"), (20, "Warn")] {
        let credential = certified(&world, days, true).await;
        let outcome = check(&world, &credential).await;
        assert_eq!(told(&outcome, "Certificate").0, expected, "{days}");
        assert!(
            !has(&outcome, "Secret") && !has(&outcome, "Mfa"),
            "{:?}",
            rows(&outcome)
        );
    }
    // Not registered: the service says so, and what is known of the certificate is still told.
    let outcome = check(&world, &certified(&world, 20, false).await).await;
    assert_eq!(rows(&outcome)[2..4], ["Credential Fail", "Certificate Warn"]);
    assert_eq!(text(row(&outcome, "Credential"), "code"), "AADSTS700027");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registration_may_end_a_certificate_or_lack_it() {
    let world = small().await;
    let token = world.sandbox.facts().refresh_token.as_str().into();
    let credential = certified(&world, 90, true)
        .await
        .with("refreshToken", Field::Secret(token));
    let outcome = check(&world, &credential).await;
    assert_eq!(told(&outcome, "Certificate").0, "Pass");

    let mut key = world.sandbox.control().certificates()[0].clone();
    key["endDateTime"] = "2020-01-01T00:00:00Z".into();
    let listed = |keys: serde_json::Value| {
        let body = json!({ "keyCredentials": keys }).to_string();
        world.sandbox.control().clear_faults();
        world.fault(json!({"times": -1, "match": {"service": "graph", "pathContains": "applications"},
            "action": {"kind": "status", "status": 200, "headers": {"Content-Type": "application/json"}, "body": body}}));
    };
    listed(json!([key]));
    let outcome = check(&world, &credential).await;
    let (result, _, detail) = told(&outcome, "Certificate");
    assert_eq!(result, "Fail");
    assert!(detail.contains("2020-01-01"), "{detail}");

    listed(json!([]));
    let outcome = check(&world, &credential).await;
    let (result, _, detail) = told(&outcome, "Certificate");
    assert_eq!(result, "Warn");
    assert!(detail.contains("does not list it"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_without_a_second_factor_is_named_and_partner_center_refuses_it() {
    let world = small().await;
    let token = world.sandbox.control().add_user("plain@contoso.example", false);
    let credential = user(&world).with("refreshToken", Field::Secret(token.as_str().into()));
    let outcome = check(&world, &credential).await;
    let (result, _, detail) = told(&outcome, "Mfa");
    assert_eq!(result, "Warn");
    assert!(detail.contains("amr has no mfa"), "{detail}");
    let mark = row(&outcome, "Mfa");
    assert!(text(mark, "remedy").contains("New-SecureAppRefreshToken"), "{mark:?}");
    let (result, code, _) = told(&outcome, "PartnerCenterMfa");
    assert_eq!((result, code), ("Fail", "900421"));
    assert!(text(row(&outcome, "PartnerCenterMfa"), "remedy").contains("multifactor"));
}

#[tokio::test(flavor = "multi_thread")]
async fn partner_center_may_let_it_in_and_still_say_no_or_nothing() {
    let world = small().await;
    for (headers, expected) in [
        (json!({"isMfaCompliant": "false"}), "Fail"),
        (json!({"isMfaCompliant": "True"}), "Pass"),
        (json!({}), "Skipped"),
    ] {
        world.sandbox.control().clear_faults();
        world.fault(json!({"times": -1, "match": {"service": "partnerCenter"},
            "action": {"kind": "status", "status": 200, "headers": headers, "body": "{\"items\":[]}"}}));
        let outcome = check(&world, &user(&world)).await;
        assert_eq!(told(&outcome, "PartnerCenterMfa").0, expected, "{headers}");
    }
    world.sandbox.control().clear_faults();
    world.fault(
        json!({"times": -1, "match": {"service": "partnerCenter"}, "action": {"kind": "status", "status": 503}}),
    );
    let outcome = check(&world, &user(&world)).await;
    assert_eq!(told(&outcome, "PartnerCenterMfa").0, "Warn", "nothing is known yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_by_itself_has_no_user_to_ask_about() {
    let world = small().await;
    let as_itself = world
        .request("credential_test", &user(&world))
        .with("appOnly", Field::Int(1));
    for outcome in [check(&world, &application(&world)).await, run(&world, as_itself).await] {
        for absent in ["RefreshToken", "Mfa", "PartnerCenterMfa", "Consent", "Organization"] {
            assert!(!has(&outcome, absent), "{absent}: {:?}", rows(&outcome));
        }
        assert_eq!(told(&outcome, "ActivityFeed").0, "Pass");
        assert_eq!(told(&outcome, "ExchangeRole").0, "Pass");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_says_what_it_lacks() {
    let world = World::start(Options {
        tenants: 6,
        records: 0,
        ..Options::default()
    })
    .await;
    let tenants: Vec<String> = (0..6).map(|at| customer(&world, at)).collect();
    for (at, change) in [
        (1, json!({"consent": "missing"})),
        (2, json!({"consent": "missing", "servicePrincipal": false})),
        (3, json!({"gdap": false})),
        (4, json!({"mfaRequired": true})),
        (5, json!({"missingResources": ["https://manage.office.com"]})),
    ] {
        set_tenant(&world, &tenants[at], change);
    }
    let named: Vec<&str> = tenants.iter().map(String::as_str).collect();
    let outcome = check_in(&world, &user(&world), &named).await;
    let consents: Vec<(&str, &str, &str)> = outcome
        .records
        .iter()
        .filter(|row| text(row, "check") == "Consent")
        .map(|row| (text(row, "target"), text(row, "result"), text(row, "code")))
        .collect();
    let expected = [
        ("Pass", ""),
        ("Fail", "AADSTS65001"),
        ("Fail", "AADSTS700016"),
        ("Fail", "AADSTS50020"),
        ("Fail", "AADSTS50076"),
        ("Pass", ""),
    ];
    let expected: Vec<_> = named
        .iter()
        .zip(expected)
        .map(|(tenant, (result, code))| (*tenant, result, code))
        .collect();
    assert_eq!(consents, expected, "in the order that they were named");
    // Every tenant has its own rows, and nobody means Partner Center for a customer.
    for tenant in &named {
        let own: Vec<&Value> = outcome
            .records
            .iter()
            .filter(|row| text(row, "tenantId") == *tenant)
            .collect();
        assert_eq!(own.len(), 7, "{own:?}");
        assert!(own.iter().all(|row| !text(row, "target").contains("partnercenter")));
    }
    let partly = outcome.records.iter().rfind(|row| text(row, "check") == "Consent");
    assert!(text(partly.unwrap(), "detail").contains("2 of 3"), "{partly:?}");
    assert!(outcome
        .records
        .iter()
        .filter(|row| text(row, "result") == "Fail")
        .all(|row| !text(row, "remedy").is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_the_first_tenant_is_no_reason_to_give_up_on_the_second() {
    let world = small().await;
    let facts = world.sandbox.facts();
    let homeless = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()));
    let (strange, known) = (customer(&world, 0), customer(&world, 1));
    set_tenant(&world, &strange, json!({"servicePrincipal": false}));
    let outcome = check_in(&world, &homeless, &[&strange, &known]).await;
    assert_eq!(told(&outcome, "Credential").0, "Skipped");
    let consents: Vec<(&str, &str)> = outcome
        .records
        .iter()
        .filter(|row| text(row, "check") == "Consent")
        .map(|row| (text(row, "result"), text(row, "code")))
        .collect();
    assert_eq!(consents, [("Fail", "AADSTS7000229"), ("Pass", "")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_names_the_permission_that_it_wants() {
    let world = small().await;
    set(&world, json!({"withheldPermissions": ["ActivityFeed.Read"]}));
    let outcome = check(&world, &application(&world)).await;
    let (result, code, detail) = told(&outcome, "ActivityFeed");
    assert_eq!((result, code), ("Fail", "AF10001"));
    assert!(detail.contains("no permission"), "{detail}");
    assert!(text(row(&outcome, "ActivityFeed"), "remedy").contains("ActivityFeed.Read"));

    set(&world, json!({"withheldPermissions": []}));
    let tenant = customer(&world, 0);
    set_tenant(&world, &tenant, json!({"auditing": false}));
    let outcome = check_in(&world, &application(&world), &[&tenant]).await;
    let (result, code, detail) = told(&outcome, "ActivityFeed");
    assert_eq!((result, code), ("Fail", "AF20012"));
    assert!(detail.contains("auditing is off"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_and_role_of_exchange_are_told_apart() {
    let world = small().await;
    let tenant = customer(&world, 0);
    for (permission, role, code, detail) in [
        (true, false, "Forbidden", "a directory role is missing"),
        (
            false,
            true,
            "Forbidden",
            "the permission Exchange.ManageAsApp is missing",
        ),
        (false, false, "HTTP 401", "both are missing"),
    ] {
        let withheld = if permission {
            json!([])
        } else {
            json!(["Exchange.ManageAsApp"])
        };
        set(&world, json!({ "withheldPermissions": withheld }));
        set_tenant(&world, &tenant, json!({ "exchangeRole": role }));
        let outcome = check_in(&world, &application(&world), &[&tenant]).await;
        let said = told(&outcome, "ExchangeRole");
        assert_eq!((said.0, said.1), ("Fail", code));
        assert!(said.2.contains(detail), "{said:?}");
        let remedy = text(row(&outcome, "ExchangeRole"), "remedy");
        assert_eq!(remedy.contains("Exchange.ManageAsApp"), !permission, "{remedy}");
        assert_eq!(remedy.contains("Exchange Administrator"), !role, "{remedy}");
        assert_eq!(told(&outcome, "AuditSearch").0, "Skipped");
    }
    set(&world, json!({"withheldPermissions": []}));
    let outcome = check_in(&world, &user(&world), &[&tenant]).await;
    let (result, _, detail) = told(&outcome, "ExchangeRole");
    assert_eq!(result, "Fail");
    assert!(detail.contains("Exchange.Manage is there"), "{detail}");
    assert!(text(row(&outcome, "ExchangeRole"), "remedy").contains("GDAP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_the_audit_log_passes_one_row_and_fails_the_other() {
    let world = small().await;
    let tenant = customer(&world, 0);
    set_tenant(&world, &tenant, json!({"auditRole": false}));
    let outcome = check_in(&world, &application(&world), &[&tenant]).await;
    assert_eq!(told(&outcome, "ExchangeRole").0, "Pass");
    let (result, code, _) = told(&outcome, "AuditSearch");
    assert_eq!((result, code), ("Fail", "HTTP 403"));
    assert!(text(row(&outcome, "AuditSearch"), "remedy").contains("View-Only Audit Logs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_the_tenants_another_ones_or_nobodys() {
    let world = small().await;
    let facts = world.sandbox.facts();
    let (own, other) = (&facts.tenants[0], &facts.tenants[1]);
    let domain = own.default_domain_name.replace(".onmicrosoft.com", ".example");
    for (name, result, code, detail) in [
        (own.default_domain_name.as_str(), "Pass", "", "is the token's tenant"),
        (&domain, "Warn", "", ".onmicrosoft.com"),
        (&other.default_domain_name, "Fail", "HTTP 401", &other.tenant_id),
        ("conotso.onmicrosoft.com", "Fail", "AADSTS90002", "conotso"),
    ] {
        let request = world
            .request("credential_test", &application(&world))
            .with("tenants", Field::Texts(vec![own.tenant_id.clone()]))
            .with(
                "resources",
                Field::Texts(vec!["https://graph.microsoft.com".to_owned()]),
            )
            .with("organization", Field::Text(name.to_owned()));
        let outcome = run(&world, request).await;
        assert_eq!(told(&outcome, "ExchangeRole").0, "Pass", "the tenant itself is right");
        let said = told(&outcome, "Organization");
        assert_eq!((said.0, said.1), (result, code), "{name}");
        assert!(said.2.contains(detail), "{said:?}");
        assert!(!has(&outcome, "ActivityFeed"), "only what was asked for, and Exchange");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_one_tenant() {
    let world = small().await;
    let request = world
        .request("credential_test", &user(&world))
        .with(
            "tenants",
            Field::Texts(vec!["a.example".to_owned(), "b.example".to_owned()]),
        )
        .with("organization", Field::Text("a.example".to_owned()));
    let outcome = world.run(request).await;
    assert!(outcome.error().message().contains("one organization"), "{outcome:?}");
    assert_eq!(world.requests(""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_articles_application_is_told_the_permissions_to_add() {
    let world = World::start(Options {
        tenants: 1,
        records: 0,
        preset: Preset::Articles,
        ..Options::default()
    })
    .await;
    let outcome = check_in(&world, &user(&world), &[&customer(&world, 0)]).await;
    assert_eq!(told(&outcome, "Mfa").0, "Pass");
    let (result, code, detail) = told(&outcome, "Consent");
    assert_eq!((result, code), ("Fail", "AADSTS65001"));
    assert!(detail.contains("https://manage.office.com"), "{detail}");
    assert!(detail.contains("https://outlook.office365.com"), "{detail}");
    assert!(text(row(&outcome, "Consent"), "remedy").contains("ActivityFeed.Read"));
    // As itself it gets tokens, and the services say what is not in them.
    let outcome = check_in(&world, &application(&world), &[&customer(&world, 0)]).await;
    assert_eq!(told(&outcome, "Consent").0, "Pass");
    assert_eq!(told(&outcome, "ActivityFeed").1, "AF10001");
    assert!(told(&outcome, "ExchangeRole")
        .2
        .contains("Exchange.ManageAsApp is missing"));
}
