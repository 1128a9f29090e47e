//! Assertions of others: what the application trusts, and in which order a wrong one is refused; and users' own tokens as
//! assertions of the on-behalf-of grant.

mod common;

use common::{answer, start, Answer, Cloud, GRAPH};
use secureapp_sandbox::{Options, Signature};
use serde_json::{json, Value};

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn small() -> Cloud {
    start(Options {
        tenants: 2,
        records: 0,
        // What is taken as a proof is signed and verified all the same.
        signature: Signature::Filler,
        ..Options::default()
    })
    .await
}

async fn prove(cloud: &Cloud, tenant: &str, assertion: &str) -> Answer {
    let id = cloud.sandbox.facts().application_id.clone();
    cloud
        .form(
            &format!("{tenant}/oauth2/v2.0/token"),
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_assertion_type", BEARER),
                ("client_assertion", assertion),
                ("scope", &format!("{GRAPH}/.default")),
            ],
        )
        .await
}

fn minted(cloud: &Cloud, change: Value) -> String {
    let minted = cloud.sandbox.control().federated_token(change).unwrap();
    let file = std::fs::read_to_string(minted["path"].as_str().unwrap()).unwrap();
    assert_eq!(file, minted["token"].as_str().unwrap());
    file
}

#[tokio::test]
async fn an_assertion_has_to_match_all_three_and_its_time() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts().clone();
    let tenant = cloud.tenant(0).to_owned();
    let first = std::fs::read_to_string(&facts.workload_identity.variables["AZURE_FEDERATED_TOKEN_FILE"]).unwrap();
    assert_eq!(prove(&cloud, &tenant, &first).await.status, 200);
    let upper = facts.workload_identity.subject.to_uppercase();
    for (change, code) in [
        (
            json!({"issuer": format!("{}/", facts.workload_identity.issuer)}),
            "700211",
        ),
        (json!({"subject": upper}), "700213"),
        (json!({"audience": "api://other"}), "700212"),
        (json!({"lifetimeSeconds": -600}), "700024"),
    ] {
        let reply = prove(&cloud, &tenant, &minted(&cloud, change)).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, code), "{}", reply.text);
    }
    let good = minted(&cloud, json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    assert_eq!(
        prove(&cloud, &tenant, &format!("{signed}.{turned}")).await.code(),
        "700027"
    );
    cloud.sandbox.control().set_federated_credentials(json!([])).unwrap();
    assert_eq!(prove(&cloud, &tenant, &good).await.code(), "700211");
}

#[tokio::test]
async fn the_user_assigned_identity_proves_the_application_in_any_customer() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts().clone();
    let identity = &facts.managed_identity;
    let token = |extra: String| {
        let host = &identity.variables["imds"]["AZURE_POD_IDENTITY_AUTHORITY_HOST"];
        let url = format!(
            "{host}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2FAzureADTokenExchange{extra}"
        );
        let request = cloud.http.get(url).header("Metadata", "true").send();
        async move {
            answer(request.await.unwrap()).await.json()["access_token"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let own = token(format!("&client_id={}", identity.user_assigned.client_id)).await;
    for tenant in [cloud.tenant(0), cloud.tenant(1)] {
        assert_eq!(prove(&cloud, tenant, &own).await.status, 200);
    }
    let system = token(String::new()).await;
    assert_eq!(prove(&cloud, cloud.tenant(0), &system).await.code(), "700213");
}

#[tokio::test]
async fn on_behalf_of_takes_this_applications_users_and_nobody_else() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts().clone();
    let tenant = cloud.tenant(0).to_owned();
    let ask = |assertion: String, extra: Option<(&'static str, &'static str)>| {
        let (cloud, facts, tenant) = (&cloud, &facts, &tenant);
        async move {
            let mut fields = vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("client_id", &facts.application_id),
                ("client_secret", &facts.secret),
                ("assertion", assertion.as_str()),
                ("requested_token_use", "on_behalf_of"),
                ("scope", "https://graph.microsoft.com/.default"),
            ];
            fields.retain(|(name, _)| extra.is_none_or(|(other, _)| other != *name));
            fields.extend(extra);
            cloud.form(&format!("{tenant}/oauth2/v2.0/token"), &fields).await
        }
    };
    let user = cloud.token(&tenant, &facts.application_id).await;
    let reply = ask(user.clone(), None).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(reply.json()["refresh_token"].is_null());
    let offline = ("scope", "https://graph.microsoft.com/.default offline_access");
    assert!(ask(user.clone(), Some(offline)).await.json()["refresh_token"].is_string());

    let app = cloud.app_only(&tenant, &facts.application_id).await.json();
    let app = app["access_token"].as_str().unwrap().to_owned();
    assert_eq!(ask(app, None).await.code(), "7000114");
    let other = cloud.token(&tenant, GRAPH).await;
    assert_eq!(ask(other, None).await.code(), "50013");
    assert_eq!(ask("e30.e30.x".to_owned(), None).await.code(), "50013");
    assert_eq!(
        ask(user.clone(), Some(("requested_token_use", ""))).await.code(),
        "900144"
    );
    cloud
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 7200}))
        .unwrap();
    assert_eq!(ask(user, None).await.code(), "500133");
}
