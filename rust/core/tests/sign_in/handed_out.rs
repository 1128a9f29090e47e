//! A sign-in for a host that hands the tokens out, at one of several ports.

use crate::support::{bed, finish, text, Bed};
use secureapp_core::{Field, Kind, Request, Secret, Value};
use serde_json::json;
use std::net::{Ipv4Addr, TcpListener};

const SECRETS: [&str; 3] = ["accessToken", "refreshToken", "idToken"];

async fn signed_in(bed: &Bed, request: Request) -> Value {
    let (operation, prompt) = bed.begin(request).await;
    let (_, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    outcome.expect("it works").record.expect("a record")
}

fn secret<'a>(record: &'a Value, key: &str) -> &'a str {
    match record.get(key) {
        Some(Value::Secret(secret)) => secret.expose(),
        other => panic!("{key}: {other:?}"),
    }
}

#[tokio::test]
async fn the_tokens_are_in_the_record_where_they_are_asked_for_and_only_there() {
    let bed = bed().await;
    let record = signed_in(&bed, bed.request().with("includeTokens", Field::Int(1))).await;
    let facts = bed.sandbox.facts();
    assert_eq!(text(&record, "tokenTenantId"), facts.partner_tenant_id);
    assert!(secret(&record, "accessToken").starts_with("eyJ") && secret(&record, "idToken").starts_with("eyJ"));
    let Some(Value::List(scopes)) = record.get("scopes") else {
        panic!("{record:?}")
    };
    let granted = Some("https://api.partnercenter.microsoft.com/user_impersonation");
    assert!(scopes.iter().any(|scope| scope.as_text() == granted), "{scopes:?}");
    assert!(matches!(record.get("expiresOn"), Some(Value::Time(end)) if *end > 0));
    let again = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret(Secret::from(facts.secret.as_str())))
        .with(
            "refreshToken",
            Field::Secret(Secret::from(secret(&record, "refreshToken"))),
        );
    let again = secureapp_core::Credential::open(&again).expect("a credential");
    bed.token(&again.into()).await.expect("the refresh token is good");
    let shown = format!("{record:?}");
    assert!(
        SECRETS.iter().all(|key| !shown.contains(secret(&record, key))),
        "{shown}"
    );

    let record = signed_in(&bed, bed.request()).await;
    assert!(SECRETS.iter().all(|key| record.get(key).is_none()), "{record:?}");
}

#[tokio::test]
async fn the_first_free_port_of_a_range_is_listened_at() {
    let bed = bed().await;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let last = port.saturating_add(50);
    let range = |first: u16, last: u16| {
        bed.request()
            .with("port", Field::Int(first.into()))
            .with("lastPort", Field::Int(last.into()))
    };
    let (_, prompt) = bed.begin(range(port, last)).await;
    let address = url::Url::parse(&prompt.url).expect("an address");
    let (_, redirect) = address
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri")
        .expect("a reply URL");
    let chosen = url::Url::parse(&redirect).expect("a reply URL").port().expect("a port");
    assert!(
        port < chosen && chosen <= last,
        "{chosen} is not among {port} to {last}"
    );

    let error = finish(&bed.start(range(port, port))).await.expect_err("it is taken");
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains(&format!("port {port} ")), "{error}");
}

#[tokio::test]
async fn a_client_that_proves_nothing_can_be_signed_in_to() {
    let bed = bed().await;
    bed.sandbox
        .control()
        .set_application(json!({"deviceIntervalSeconds": 1}))
        .unwrap();
    let public = Request::new("credential")
        .with(
            "applicationId",
            Field::Text("a0c73c16-a7e3-4564-9a95-2bdf47383716".into()),
        )
        .with("publicClient", Field::Int(1));
    let public = secureapp_core::Credential::open(&public).expect("a credential");
    let mut request = bed
        .request()
        .with("resource", Field::Text("https://outlook.office365.com".into()))
        .with("deviceCode", Field::Int(1));
    request.set("credential", Field::Credential(public.into()));
    let (operation, prompt) = bed.begin(request).await;
    bed.sign_in(json!({"userCode": prompt.user_code}));
    let record = finish(&operation).await.expect("it works").record.expect("a record");
    assert_eq!(text(&record, "account"), bed.sandbox.facts().user_principal_name);
    assert!(operation.credential().expect("a credential").has_refresh_token());
}
