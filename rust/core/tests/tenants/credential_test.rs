use crate::support::{text, Outcome, World};
use secureapp_core::{Field, Kind, Request};
use secureapp_sandbox::Options;
use serde_json::json;

pub(crate) async fn small() -> World {
    World::start(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await
}

pub(crate) async fn check(world: &World, credential: &Request) -> Outcome {
    let outcome = world.run(world.request("credential_test", credential)).await;
    outcome.assert_no_secret(world);
    assert!(outcome.end.is_ok(), "{outcome:?}");
    outcome
}

/// Check and result of each row, such as `Clock Pass`.
pub(crate) fn rows(outcome: &Outcome) -> Vec<String> {
    outcome
        .records
        .iter()
        .map(|row| format!("{} {}", text(row, "check"), text(row, "result")))
        .collect()
}

pub(crate) fn row<'a>(outcome: &'a Outcome, check: &str) -> &'a secureapp_core::Value {
    outcome
        .records
        .iter()
        .find(|row| text(row, "check") == check)
        .unwrap_or_else(|| panic!("no row {check}: {outcome:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_credential_passes_every_check() {
    let world = small().await;
    let outcome = check(&world, &world.credential_request()).await;
    assert_eq!(
        rows(&outcome),
        [
            "Reachability Pass",
            "Clock Pass",
            "Credential Pass",
            "Secret Pass",
            "RefreshToken Pass",
            "Mfa Pass",
            "PartnerCenterMfa Pass",
            "Token Pass",
            "Token Pass",
            "Token Pass",
            "Token Pass",
            "ActivityFeed Pass",
            "ExchangeRole Pass",
            "AuditSearch Pass"
        ]
    );
    assert_eq!(
        text(row(&outcome, "RefreshToken"), "target"),
        world.sandbox.facts().user_principal_name
    );
    assert!(text(row(&outcome, "RefreshToken"), "detail").contains("age is not known"));
    // Nobody named a tenant: the tokens do.
    assert_eq!(
        text(row(&outcome, "ActivityFeed"), "target"),
        world.sandbox.facts().partner_tenant_id
    );
    assert!(
        text(row(&outcome, "Token"), "detail").contains("Directory.Read.All"),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_asks_the_service_and_not_the_cache() {
    let world = small().await;
    let credential = world.credential_request();
    check(&world, &credential).await;
    world
        .sandbox
        .control()
        .set_application(json!({"refreshToken": "revoked"}))
        .expect("a change");
    let outcome = check(&world, &credential).await;
    assert_eq!(
        rows(&outcome),
        [
            "Reachability Pass",
            "Clock Pass",
            "Credential Pass",
            "Secret Pass",
            "RefreshToken Fail",
            "Mfa Skipped",
            "PartnerCenterMfa Skipped",
            "Token Skipped",
            "Token Skipped",
            "Token Skipped",
            "Token Skipped",
            "ActivityFeed Skipped",
            "ExchangeRole Skipped",
            "AuditSearch Skipped"
        ]
    );
    let dead = row(&outcome, "RefreshToken");
    assert!(text(dead, "code").starts_with("AADSTS"), "{dead:?}");
    assert!(!text(dead, "remedy").is_empty(), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_expired_secret_fails_with_its_code_and_stops_what_depends_on_it() {
    let world = small().await;
    let wrong = world.credential_request().with("secret", Field::Secret("wrong".into()));
    let outcome = check(&world, &wrong).await;
    assert_eq!(
        rows(&outcome)[2..5],
        ["Credential Fail", "Secret Skipped", "RefreshToken Skipped"]
    );
    assert_eq!(text(row(&outcome, "Credential"), "code"), "AADSTS7000215");
    assert!(text(row(&outcome, "Token"), "detail").starts_with("not checked"));

    world
        .sandbox
        .control()
        .set_application(json!({"secretExpired": true}))
        .expect("a change");
    let outcome = check(&world, &world.credential_request()).await;
    assert_eq!(text(row(&outcome, "Credential"), "code"), "AADSTS7000222");
    assert!(!text(row(&outcome, "Credential"), "remedy").is_empty());
    assert_eq!(rows(&outcome)[2..4], ["Credential Fail", "Secret Fail"]);
    assert_eq!(text(row(&outcome, "Secret"), "code"), "AADSTS7000222");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_warns_and_then_fails() {
    let world = small().await;
    for (seconds, expected) in [
        (0, "Clock Pass"),
        (120, "Clock Warn"),
        (-120, "Clock Warn"),
        (900, "Clock Fail"),
        (-900, "Clock Fail"),
    ] {
        world
            .sandbox
            .control()
            .set_application(json!({ "clockSkewSeconds": seconds }))
            .expect("a change");
        let outcome = check(&world, &world.credential_request()).await;
        assert_eq!(rows(&outcome)[1], expected, "{seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_resource_fails_alone() {
    let world = small().await;
    let partner = world.sandbox.facts().partner_tenant_id.clone();
    world
        .sandbox
        .control()
        .set_tenant(&partner, json!({"missingResources": ["https://manage.office.com"]}))
        .expect("a change");
    let outcome = check(&world, &world.credential_request()).await;
    assert_eq!(
        rows(&outcome)[7..],
        [
            "Token Pass",
            "Token Pass",
            "Token Fail",
            "Token Pass",
            "ActivityFeed Skipped",
            "ExchangeRole Pass",
            "AuditSearch Pass"
        ]
    );
    assert!(text(&outcome.records[9], "code").starts_with("AADSTS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_nobody_knows_says_nothing_against_the_rest() {
    let world = small().await;
    let mut request = world.request("credential_test", &world.credential_request());
    request
        .add_text("resources", "https://nowhere.example".to_owned())
        .expect("a list");
    request
        .add_text("resources", "https://graph.microsoft.com".to_owned())
        .expect("a list");
    request
        .add_text("resources", "https://nowhere.example".to_owned())
        .expect("a list");
    let outcome = world.run(request).await;
    assert_eq!(
        rows(&outcome),
        [
            "Reachability Pass",
            "Clock Pass",
            "Credential Pass",
            "Secret Pass",
            "RefreshToken Pass",
            "Mfa Skipped",
            "Token Fail",
            "Token Pass"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_fails_where_it_is_found_and_the_clock_is_still_read() {
    let world = small().await;
    let unknown = "99999999-9999-4999-8999-999999999999";
    let home = world
        .credential_request()
        .with("tenant", Field::Text(unknown.to_owned()));
    let outcome = check(&world, &home).await;
    assert_eq!(
        rows(&outcome)[..3],
        ["Reachability Fail", "Clock Pass", "Credential Skipped"]
    );
    assert_eq!(text(&outcome.records[0], "code"), "AADSTS90002");

    let named = world
        .request("credential_test", &world.credential_request())
        .with("tenants", Field::Texts(vec![unknown.to_owned()]));
    let outcome = world.run(named).await;
    assert_eq!(rows(&outcome)[2], "Credential Pass", "the application is not to blame");
    let consent = row(&outcome, "Consent");
    assert_eq!(
        (text(consent, "result"), text(consent, "code")),
        ("Fail", "AADSTS90002")
    );
    assert_eq!(text(consent, "target"), unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_the_sign_in_service_is_sent_no_secret() {
    let world = small().await;
    for action in [
        json!({"kind": "html"}),
        json!({"kind": "garbage"}),
        json!({"kind": "status", "status": 200, "body": "{}"}),
    ] {
        world.fault(
            json!({"id": "other", "times": -1, "match": {"service": "login", "method": "GET"}, "action": action}),
        );
        let outcome = check(&world, &world.credential_request()).await;
        assert_eq!(rows(&outcome)[0], "Reachability Fail");
        assert!(
            rows(&outcome)[2..].iter().all(|row| row.ends_with("Skipped")),
            "{outcome:?}"
        );
    }
    assert_eq!(world.requests("POST"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_fails_once_and_the_rest_says_why_it_was_not_tried() {
    let world = small().await;
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a port")
        .port();
    world.add_environment("Dead", [("loginHost", format!("https://127.0.0.1:{port}").as_str())]);
    let request = world
        .request("credential_test", &world.credential_request())
        .with("environment", Field::Text("Dead".to_owned()));
    let outcome = world.run(request).await;
    assert_eq!(
        rows(&outcome),
        [
            "Reachability Fail",
            "Clock Skipped",
            "Credential Skipped",
            "Secret Skipped",
            "RefreshToken Skipped",
            "Mfa Skipped",
            "PartnerCenterMfa Skipped",
            "Token Skipped",
            "Token Skipped",
            "Token Skipped",
            "Token Skipped",
            "ActivityFeed Skipped",
            "ExchangeRole Skipped",
            "AuditSearch Skipped"
        ]
    );
    assert!(
        outcome.records[1..]
            .iter()
            .all(|row| text(row, "detail").starts_with("not checked")),
        "{outcome:?}"
    );
    assert!(!text(&outcome.records[0], "remedy").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_alone_needs_its_tenant_and_has_no_refresh_token_row() {
    let world = small().await;
    let facts = world.sandbox.facts();
    let alone = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()));
    let outcome = world.run(world.request("credential_test", &alone)).await;
    assert_eq!(outcome.error().kind(), Kind::InvalidInput);
    let named = alone.with("tenant", Field::Text(facts.partner_tenant_id.clone()));
    let outcome = check(&world, &named).await;
    assert!(
        rows(&outcome).iter().all(|row| !row.starts_with("RefreshToken")),
        "{outcome:?}"
    );
    assert!(
        text(row(&outcome, "Token"), "detail").contains("the application"),
        "{outcome:?}"
    );
}
