//! Consent on a customer's behalf at Partner Center, and what tokens are worth for it.

mod common;

use common::{answer, start, Answer, Cloud, GRAPH, MANAGE, PARTNER_CENTER};
use secureapp_sandbox::Options;
use serde_json::{json, Value};

const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";
const MANAGE_ID: &str = "c5393580-f805-4401-95e8-94b7a6ef2fc2";

async fn cloud() -> Cloud {
    start(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await
}

fn address(cloud: &Cloud, customer: &str) -> String {
    let endpoint = &cloud.sandbox.facts().endpoints.partner_center;
    format!("{endpoint}/v1/customers/{customer}/applicationconsents")
}

async fn post(cloud: &Cloud, token: &str, customer: &str, grants: Value) -> Answer {
    let body = json!({"applicationId": cloud.sandbox.facts().application_id, "applicationGrants": grants});
    let request = cloud.http.post(address(cloud, customer)).bearer_auth(token);
    let request = request
        .header("content-type", "application/json")
        .body(body.to_string());
    answer(request.send().await.unwrap()).await
}

async fn delete(cloud: &Cloud, token: &str, customer: &str) -> u16 {
    let address = format!("{}/{}", address(cloud, customer), cloud.sandbox.facts().application_id);
    cloud.call(reqwest::Method::DELETE, &address, token).await.status
}

fn one(id: &str, scope: &str) -> Value {
    json!([{"enterpriseApplicationId": id, "scope": scope}])
}

#[tokio::test]
async fn a_grant_makes_a_token_redeemable_and_a_removal_ends_that() {
    let cloud = cloud().await;
    let customer = cloud.tenant(0).to_owned();
    let token = cloud
        .token(&cloud.sandbox.facts().partner_tenant_id, PARTNER_CENTER)
        .await;
    let control = cloud.sandbox.control();
    control
        .set_tenant(&customer, json!({"consent": "missing", "servicePrincipal": false}))
        .unwrap();
    assert_eq!(cloud.redeem(&customer, GRAPH).await.code(), "700016");

    let granted = post(
        &cloud,
        &token,
        &customer,
        one(GRAPH_ID, "Directory.Read.All, User.Read"),
    )
    .await;
    assert_eq!(granted.status, 201, "{}", granted.text);
    let redeemed = cloud.redeem(&customer, GRAPH).await.json();
    assert_eq!(redeemed["scope"], "Directory.Read.All User.Read");
    assert_eq!(cloud.redeem(&customer, MANAGE).await.code(), "65001");
    assert_eq!(
        post(&cloud, &token, &customer, one(GRAPH_ID, "Mail.Send")).await.status,
        409
    );
    assert_eq!(
        post(&cloud, &token, &customer, one(MANAGE_ID, "ActivityFeed.Read"))
            .await
            .status,
        201
    );
    assert_eq!(cloud.redeem(&customer, MANAGE).await.status, 200);

    assert_eq!(delete(&cloud, &token, &customer).await, 204);
    // The service principal stays behind.
    assert_eq!(cloud.redeem(&customer, GRAPH).await.code(), "65001");
    assert_eq!(delete(&cloud, &token, &customer).await, 404);
}

#[tokio::test]
async fn what_an_administrator_consented_to_is_there_and_goes_with_a_removal() {
    let cloud = cloud().await;
    let customer = cloud.tenant(0).to_owned();
    let token = cloud
        .token(&cloud.sandbox.facts().partner_tenant_id, PARTNER_CENTER)
        .await;
    assert_eq!(
        post(&cloud, &token, &customer, one(MANAGE_ID, "ActivityFeed.Read"))
            .await
            .status,
        409
    );
    assert_eq!(delete(&cloud, &token, &customer).await, 204);
    assert_eq!(cloud.redeem(&customer, MANAGE).await.code(), "65001");
    // Application roles are not its business.
    let own = cloud.app_only(&customer, GRAPH).await.json();
    let users = format!("{}/v1.0/users", cloud.sandbox.facts().endpoints.graph);
    assert_eq!(
        cloud.get(&users, own["access_token"].as_str().unwrap()).await.status,
        200
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let cloud = cloud().await;
    let (customer, other) = (cloud.tenant(0).to_owned(), cloud.tenant(1).to_owned());
    let partner = cloud.sandbox.facts().partner_tenant_id.clone();
    let token = cloud.token(&partner, PARTNER_CENTER).await;
    let control = cloud.sandbox.control();
    control.set_tenant(&customer, json!({"consent": "missing"})).unwrap();
    for grants in [
        json!([]),
        json!([{"enterpriseApplicationId": GRAPH_ID, "scope": "User.Read"}, {"enterpriseApplicationId": MANAGE_ID, "scope": "ActivityFeed.Read"}]),
        one(GRAPH_ID, "User.Read Mail.Send"),
        one(GRAPH_ID, "No.Such"),
        one("11111111-2222-3333-4444-555555555555", "User.Read"),
    ] {
        assert_eq!(post(&cloud, &token, &customer, grants).await.status, 400);
    }
    let fine = || one(GRAPH_ID, "User.Read");
    assert_eq!(post(&cloud, &token, &partner, fine()).await.status, 404);
    control
        .set_tenant(&other, json!({"consent": "missing", "consentRole": false}))
        .unwrap();
    assert_eq!(post(&cloud, &token, &other, fine()).await.status, 403);
    let own = cloud.app_only(&partner, PARTNER_CENTER).await.json();
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(post(&cloud, own, &customer, fine()).await.status, 403);
    assert_eq!(cloud.get(&address(&cloud, &customer), &token).await.status, 405);
    assert_eq!(post(&cloud, &token, &customer, fine()).await.status, 201);
}

#[tokio::test]
async fn a_new_consent_may_take_some_redemptions_to_be_seen() {
    let cloud = cloud().await;
    let customer = cloud.tenant(0).to_owned();
    let token = cloud
        .token(&cloud.sandbox.facts().partner_tenant_id, PARTNER_CENTER)
        .await;
    let change = json!({"consent": "missing", "consentLag": 2});
    cloud.sandbox.control().set_tenant(&customer, change).unwrap();
    post(&cloud, &token, &customer, one(GRAPH_ID, "User.Read")).await;
    for expected in [400, 400, 200, 200] {
        assert_eq!(cloud.redeem(&customer, GRAPH).await.status, expected);
    }
}

#[tokio::test]
async fn what_was_consented_to_is_in_the_customers_directory() {
    let cloud = cloud().await;
    let customer = cloud.tenant(0).to_owned();
    let facts = cloud.sandbox.facts();
    let reader = cloud.token(&customer, GRAPH).await;
    let graph = format!("{}/v1.0/servicePrincipals", facts.endpoints.graph);
    let found = |filter: String| {
        let (address, reader, cloud) = (format!("{graph}?$filter={filter}"), &reader, &cloud);
        async move { cloud.get(&address, reader).await.json()["value"][0]["id"].clone() }
    };
    let client = found(format!("appId eq '{}'", facts.application_id)).await;
    let teams = found("appId eq '48ac35b8-9aa8-4d74-927d-1f4a14a0b239'".to_owned()).await;
    let grants = || async {
        let address = format!("{graph}/{}/oauth2PermissionGrants", client.as_str().unwrap());
        cloud.get(&address, &reader).await.json()["value"]
            .as_array()
            .unwrap()
            .clone()
    };
    let all = grants().await;
    let own = all
        .iter()
        .find(|grant| grant["resourceId"] == teams)
        .expect("a consent");
    assert_eq!(
        (&own["scope"], &own["consentType"], &own["clientId"]),
        (&json!("user_impersonation"), &json!("AllPrincipals"), &client)
    );

    let token = cloud.token(&facts.partner_tenant_id, PARTNER_CENTER).await;
    assert_eq!(delete(&cloud, &token, &customer).await, 204);
    assert!(grants().await.is_empty());
    let manage = one(MANAGE_ID, "ActivityFeed.Read");
    assert_eq!(post(&cloud, &token, &customer, manage).await.status, 201);
    assert_eq!(grants().await.len(), 1);
}
