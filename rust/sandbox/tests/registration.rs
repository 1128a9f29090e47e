//! The application's registration on Microsoft Graph, and permissions that it does not have after all.

mod common;

use common::{start, Cloud, GRAPH, MANAGE};
use secureapp_sandbox::Options;
use serde_json::{json, Value};

async fn cloud() -> Cloud {
    start(Options {
        tenants: 1,
        records: 0,
        ..Options::default()
    })
    .await
}

fn address(cloud: &Cloud, query: &str) -> String {
    let facts = cloud.sandbox.facts();
    let (graph, id) = (&facts.endpoints.graph, &facts.application_id);
    format!("{graph}/v1.0/applications(appId='{id}'){query}")
}

#[tokio::test]
async fn it_shows_secrets_by_their_beginnings_and_certificates_where_they_are_asked_for() {
    let cloud = cloud().await;
    let facts = cloud.sandbox.facts();
    let control = cloud.sandbox.control();
    control.add_secret(true);
    let pem = cloud.sandbox.own_certificate().unwrap().certificate_pem().unwrap();
    control.add_certificate(json!({ "certificate": pem })).unwrap();
    let token = cloud.token(&facts.partner_tenant_id, GRAPH).await;

    let reply = cloud.get(&address(&cloud, ""), &token).await;
    let whole = reply.json();
    assert_eq!(whole["appId"], facts.application_id.as_str());
    let secrets = whole["passwordCredentials"].as_array().unwrap();
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[0]["hint"], facts.secret[..3]);
    assert_eq!(secrets[0]["secretText"], Value::Null);
    assert!(!reply.text.contains(&facts.secret));
    let end = |secret: &Value| secret["endDateTime"].as_str().unwrap().to_owned();
    assert!(end(&secrets[1]) < end(&secrets[0]), "one has expired");
    assert_eq!(whole["keyCredentials"][0]["key"], Value::Null);

    let selected = cloud
        .get(&address(&cloud, "?$select=keyCredentials"), &token)
        .await
        .json();
    assert!(selected["keyCredentials"][0]["key"].is_string());
    assert_eq!(selected["passwordCredentials"], Value::Null);
}

#[tokio::test]
async fn it_is_an_object_of_its_own_tenant_for_those_who_may() {
    let cloud = cloud().await;
    let facts = cloud.sandbox.facts();
    let elsewhere = cloud.token(cloud.tenant(0), GRAPH).await;
    let reply = cloud.get(&address(&cloud, ""), &elsewhere).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "Request_ResourceNotFound"));
    let itself = cloud.app_only(&facts.partner_tenant_id, GRAPH).await.json();
    let reply = cloud
        .get(&address(&cloud, ""), itself["access_token"].as_str().unwrap())
        .await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (403, "Authorization_RequestDenied"),
        "Directory.Read.All is enough for a user alone"
    );
}

#[tokio::test]
async fn a_withheld_permission_is_in_no_token() {
    let cloud = cloud().await;
    let control = cloud.sandbox.control();
    control
        .set_application(json!({"withheldPermissions": ["activityfeed.read", "Directory.Read.All"]}))
        .unwrap();
    let tenant = cloud.tenant(0);
    assert_eq!(cloud.redeem(tenant, MANAGE).await.code(), "65001", "nothing is left");
    let graph = cloud.redeem(tenant, GRAPH).await.json();
    let scopes = graph["scope"].as_str().unwrap();
    assert!(
        scopes.contains("User.Read") && !scopes.contains("Directory.Read.All"),
        "{scopes}"
    );
    assert_eq!(
        cloud.app_only(tenant, MANAGE).await.status,
        200,
        "a token without roles"
    );
    control.set_application(json!({"withheldPermissions": []})).unwrap();
    assert_eq!(cloud.redeem(tenant, MANAGE).await.status, 200);
}

#[tokio::test]
async fn secrets_end_when_they_are_told_to() {
    let cloud = cloud().await;
    let control = cloud.sandbox.control();
    for (days, status) in [(0.5, 200), (-0.5, 401), (365.0, 200)] {
        control.set_application(json!({ "secretDays": days })).unwrap();
        let reply = cloud.redeem(cloud.tenant(0), GRAPH).await;
        assert_eq!(reply.status, status, "{days}");
        assert!(status == 200 || reply.code() == "7000222", "{}", reply.text);
    }
}
