//! Microsoft's own public client for Exchange Online: a device code, its refresh token, and what it is not for.

mod common;

use base64::Engine;
use common::{start, Answer, Cloud, GRAPH};
use secureapp_sandbox::{Options, Preset};
use serde_json::{json, Value};

const EXCHANGE: &str = "a0c73c16-a7e3-4564-9a95-2bdf47383716";
const SCOPE: (&str, &str) = ("scope", "https://outlook.office365.com/.default openid offline_access");

async fn cloud() -> Cloud {
    start(Options {
        tenants: 1,
        records: 0,
        preset: Preset::Articles,
        ..Options::default()
    })
    .await
}

async fn post(cloud: &Cloud, tenant: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = vec![("client_id", EXCHANGE)];
    form.extend_from_slice(fields);
    cloud.form(&format!("{tenant}/oauth2/v2.0/{path}"), &form).await
}

fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn redeem(cloud: &Cloud, tenant: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend_from_slice(more);
    post(cloud, tenant, "token", &form).await
}

#[tokio::test]
async fn a_device_code_gives_tokens_for_exchange_in_every_tenant_and_for_nothing_else() {
    let cloud = cloud().await;
    let started = post(&cloud, "organizations", "devicecode", &[SCOPE]).await.json();
    let approved = json!({ "userCode": started["user_code"] });
    cloud.sandbox.control().sign_in(approved).unwrap();
    let device_code = started["device_code"].as_str().unwrap();
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let facts = cloud.sandbox.facts();

    let other = [
        ("client_id", facts.application_id.as_str()),
        grant,
        ("device_code", device_code),
    ];
    let refused = cloud.form("organizations/oauth2/v2.0/token", &other).await;
    assert_eq!(refused.code(), "700007", "the code is another client's");

    let fields = [grant, ("device_code", device_code)];
    let done = post(&cloud, "organizations", "token", &fields).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let done = done.json();
    let access = claims(&done["access_token"]);
    assert_eq!(access["appid"], EXCHANGE);
    assert_eq!(access["aud"], "https://outlook.office365.com");
    assert!(access["scp"]
        .as_str()
        .unwrap()
        .contains("RemotePowerShell.AccessAsUser.All"));
    assert_eq!(claims(&done["id_token"])["aud"], EXCHANGE);

    // The customer has consented to nothing of the kind.
    let change = json!({"consent": "missing", "servicePrincipal": false});
    cloud.sandbox.control().set_tenant(cloud.tenant(0), change).unwrap();
    let token = done["refresh_token"].as_str().unwrap();
    let there = redeem(&cloud, cloud.tenant(0), token, &[SCOPE]).await;
    assert_eq!(there.status, 200, "{}", there.text);
    let graph = format!("{GRAPH}/.default");
    let elsewhere = redeem(&cloud, cloud.tenant(0), token, &[("scope", &graph)]).await;
    assert_eq!(elsewhere.code(), "65001");
    let secret = redeem(
        &cloud,
        cloud.tenant(0),
        token,
        &[SCOPE, ("client_secret", &facts.secret)],
    )
    .await;
    assert_eq!(secret.code(), "700025", "a public client shows no secret");
    let foreign = redeem(&cloud, cloud.tenant(0), &facts.refresh_token, &[SCOPE]).await;
    assert_eq!(
        foreign.code(),
        "700007",
        "the application's refresh token is not this client's"
    );
}

#[tokio::test]
async fn it_does_not_act_for_itself() {
    let cloud = cloud().await;
    let fields = [("grant_type", "client_credentials"), SCOPE];
    assert_eq!(post(&cloud, cloud.tenant(0), "token", &fields).await.code(), "700016");
}
