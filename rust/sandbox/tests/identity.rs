//! The identity platform: what it accepts, the order in which it refuses, and the shapes of its replies.

mod common;

use common::{answer, start, Cloud, GRAPH, MANAGE};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use secureapp_sandbox::Options;
use serde_json::{json, Value};

fn base64url(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&base64url(token.split('.').nth(1).unwrap())).unwrap()
}

async fn small() -> Cloud {
    start(Options {
        tenants: 3,
        records: 0,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn version_1_quotes_its_numbers_and_version_2_does_not() {
    let cloud = small().await;
    let tenant = cloud.tenant(0);
    let v1 = cloud.redeem(tenant, GRAPH).await.json();
    assert_eq!(v1["expires_in"], "3599");
    let (from, until) = (v1["not_before"].as_str().unwrap(), v1["expires_on"].as_str().unwrap());
    assert_eq!(until.parse::<i64>().unwrap() - from.parse::<i64>().unwrap(), 3900);
    assert_eq!(v1["resource"], GRAPH);
    assert!(v1["refresh_token"].is_string() && v1["scope"].is_string());

    let v2 = cloud.app_only(tenant, GRAPH).await.json();
    assert_eq!(v2["expires_in"], 3599);
    for absent in ["expires_on", "not_before", "resource", "refresh_token", "scope"] {
        assert!(v2[absent].is_null(), "{absent}");
    }
    cloud
        .sandbox
        .control()
        .set_application(json!({"v2NumbersAsStrings": true}))
        .unwrap();
    assert_eq!(cloud.app_only(tenant, GRAPH).await.json()["expires_in"], "3599");
}

#[tokio::test]
async fn tokens_say_who_and_what_and_verify_with_the_published_key() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let tenant = cloud.tenant(1);
    let user_token = cloud.token(tenant, "https://graph.microsoft.com/").await;
    let user = claims(&user_token);
    assert_eq!(user["aud"], "https://graph.microsoft.com/");
    assert_eq!((&user["tid"], &user["ver"]), (&json!(tenant), &json!("1.0")));
    assert_eq!(user["appid"], *facts.application_id);
    assert_eq!(user["upn"], *facts.user_principal_name);
    assert!(user["amr"].as_array().unwrap().contains(&json!("mfa")));
    assert!(user["scp"].as_str().unwrap().contains("Directory.Read.All") && user["roles"].is_null());

    let app = cloud.app_only(tenant, MANAGE).await.json();
    let app = claims(app["access_token"].as_str().unwrap());
    assert_eq!(app["roles"], json!(["ActivityFeed.Read"]));
    assert!(app["scp"].is_null() && app["upn"].is_null());
    assert_eq!(app["oid"], app["sub"]);

    let own = cloud.redeem(tenant, &facts.application_id).await.json();
    let own = claims(own["access_token"].as_str().unwrap());
    assert_eq!(
        (&own["ver"], &own["azp"]),
        (&json!("2.0"), &json!(facts.application_id))
    );

    let keys = cloud.get(&cloud.login("common/discovery/v2.0/keys"), "").await.json();
    let number = |name: &str| BigNum::from_slice(&base64url(keys["keys"][0][name].as_str().unwrap())).unwrap();
    let key = PKey::from_rsa(Rsa::from_public_components(number("n"), number("e")).unwrap()).unwrap();
    let (signed, signature) = user_token.rsplit_once('.').unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    assert!(verifier
        .verify_oneshot(&base64url(signature), signed.as_bytes())
        .unwrap());
}

#[tokio::test]
async fn each_check_comes_before_the_next() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let tenant = cloud.tenant(0).to_owned();
    // Everything is wrong at first; each step puts one thing right and meets the next check.
    let control = cloud.sandbox.control();
    let broken = json!({
        "servicePrincipal": false, "gdap": false, "consent": "missing", "mfaRequired": true, "conditionalAccess": true,
        "missingResources": [GRAPH],
    });
    control.set_tenant(&tenant, broken).unwrap();
    let mut fields = vec![
        ("x", "1"),
        ("client_id", "11111111-1111-4111-8111-111111111111"),
        ("grant_type", "refresh_token"),
        ("resource", GRAPH),
    ];
    let v1 = |tenant: &str| format!("{tenant}/oauth2/token");
    let expect = |reply: common::Answer, status: u16, code: &str, error: &str| {
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text);
        let json = reply.json();
        assert_eq!(json["error"], error);
        let text = json["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")));
        let (trace, correlation) = (
            json["trace_id"].as_str().unwrap(),
            json["correlation_id"].as_str().unwrap(),
        );
        assert!(text.contains(&format!(
            "\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: "
        )));
        json
    };
    expect(
        cloud.form(&v1("nowhere.example"), &fields).await,
        400,
        "90002",
        "invalid_request",
    );
    expect(
        cloud.form(&v1("no tenant"), &fields).await,
        400,
        "900023",
        "invalid_request",
    );
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "700016",
        "unauthorized_client",
    );
    fields[1].1 = &facts.application_id;
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "700016",
        "unauthorized_client",
    );
    control.set_tenant(&tenant, json!({"servicePrincipal": true})).unwrap();
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        401,
        "7000218",
        "invalid_client",
    );
    fields.push(("client_secret", "wrong"));
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        401,
        "7000215",
        "invalid_client",
    );
    fields.pop();
    fields.push(("client_secret", &facts.secret));
    control.set_application(json!({"secretExpired": true})).unwrap();
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        401,
        "7000222",
        "invalid_client",
    );
    control.set_application(json!({"secretExpired": false})).unwrap();
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "900144",
        "invalid_request",
    );
    fields.push(("refresh_token", "1.nonsense"));
    expect(cloud.form(&v1(&tenant), &fields).await, 400, "9002313", "invalid_grant");
    fields.pop();
    fields.push(("refresh_token", &facts.refresh_token));
    control.set_application(json!({"refreshToken": "revoked"})).unwrap();
    expect(cloud.form(&v1(&tenant), &fields).await, 400, "50173", "invalid_grant");
    control.set_application(json!({"refreshToken": "expired"})).unwrap();
    expect(cloud.form(&v1(&tenant), &fields).await, 400, "700082", "invalid_grant");
    control.set_application(json!({"refreshToken": "active"})).unwrap();
    expect(cloud.form(&v1(&tenant), &fields).await, 400, "50020", "invalid_grant");
    control.set_tenant(&tenant, json!({"gdap": true})).unwrap();
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "500011",
        "invalid_resource",
    );
    control.set_tenant(&tenant, json!({"missingResources": []})).unwrap();
    let consent = expect(cloud.form(&v1(&tenant), &fields).await, 400, "65001", "invalid_grant");
    assert_eq!(consent["suberror"], "consent_required");
    control.set_tenant(&tenant, json!({"consent": "granted"})).unwrap();
    expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "50076",
        "interaction_required",
    );
    control.set_tenant(&tenant, json!({"mfaRequired": false})).unwrap();
    let blocked = expect(
        cloud.form(&v1(&tenant), &fields).await,
        400,
        "53003",
        "interaction_required",
    );
    assert!(serde_json::from_str::<Value>(blocked["claims"].as_str().unwrap()).unwrap()["access_token"].is_object());
    control
        .set_tenant(&tenant, json!({"conditionalAccess": false}))
        .unwrap();
    assert_eq!(cloud.form(&v1(&tenant), &fields).await.status, 200);
    control.set_tenant(&tenant, json!({"deleted": true})).unwrap();
    expect(cloud.form(&v1(&tenant), &fields).await, 400, "90002", "invalid_request");
}

#[tokio::test]
async fn the_application_itself_needs_a_service_principal_and_a_tenant() {
    let cloud = small().await;
    let control = cloud.sandbox.control();
    control
        .set_tenant(cloud.tenant(0), json!({"servicePrincipal": false}))
        .unwrap();
    assert_eq!(cloud.app_only(cloud.tenant(0), GRAPH).await.code(), "7000229");
    assert_eq!(cloud.app_only("organizations", GRAPH).await.code(), "50059");
    assert_eq!(cloud.app_only("consumers", GRAPH).await.code(), "9001023");
    // Without consent there is a token, and no role in it.
    control
        .set_tenant(cloud.tenant(1), json!({"consent": "missing"}))
        .unwrap();
    let reply = cloud.app_only(cloud.tenant(1), GRAPH).await.json();
    assert!(claims(reply["access_token"].as_str().unwrap())["roles"].is_null());
}

#[tokio::test]
async fn a_request_of_another_kind_is_told_so() {
    let cloud = small().await;
    let url = cloud.login(&format!("{}/oauth2/token", cloud.tenant(0)));
    let json = cloud
        .http
        .post(&url)
        .header("content-type", "application/json")
        .body("{\"grant_type\":\"x\"}");
    let reply = answer(json.send().await.unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "900144"));
    assert!(reply.text.contains("grant_type"));
    assert_eq!(cloud.get(&url, "").await.code(), "900561");
    let fields = [("grant_type", "magic"), ("client_id", "x")];
    let reply = cloud.form(&format!("{}/oauth2/token", cloud.tenant(0)), &fields).await;
    assert_eq!(
        (reply.code().as_str(), &reply.json()["error"]),
        ("70003", &json!("unsupported_grant_type"))
    );
}

#[tokio::test]
async fn the_clients_request_id_comes_back() {
    let cloud = small().await;
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let request = cloud
        .http
        .post(cloud.login("nowhere.example/oauth2/v2.0/token"))
        .header("client-request-id", id)
        .header("return-client-request-id", "true")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("");
    let reply = answer(request.send().await.unwrap()).await;
    assert_eq!(reply.json()["correlation_id"], id);
    assert_eq!(reply.headers["client-request-id"], id);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_the_old_one_stays_valid_unless_they_are_single_use() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let redeem = |token: String| {
        let cloud = &cloud;
        async move {
            let fields = [
                ("client_id", facts.application_id.as_str()),
                ("client_secret", &facts.secret),
                ("grant_type", "refresh_token"),
                ("refresh_token", &token),
                ("scope", "https://graph.microsoft.com/.default openid offline_access"),
            ];
            cloud
                .form(&format!("{}/oauth2/v2.0/token", cloud.tenant(0)), &fields)
                .await
        }
    };
    let first = redeem(facts.refresh_token.clone()).await.json();
    assert!(first["id_token"].is_string());
    let second = first["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, facts.refresh_token);
    assert_eq!(redeem(facts.refresh_token.clone()).await.status, 200);
    cloud
        .sandbox
        .control()
        .set_application(json!({"singleUseRefreshTokens": true}))
        .unwrap();
    let third = redeem(second.clone()).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(redeem(second).await.code(), "70000");
    assert_eq!(redeem(third).await.status, 200);
}

#[tokio::test]
async fn scopes_are_of_one_api() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let with = |grant: &'static str, scope: &'static str, resource: &'static str| {
        let cloud = &cloud;
        async move {
            let fields = [
                ("client_id", facts.application_id.as_str()),
                ("client_secret", &facts.secret),
                ("grant_type", grant),
                ("refresh_token", &facts.refresh_token),
                ("scope", scope),
                ("resource", resource),
            ];
            cloud
                .form(&format!("{}/oauth2/v2.0/token", cloud.tenant(0)), &fields)
                .await
        }
    };
    let both = "https://graph.microsoft.com/.default https://manage.office.com/.default";
    assert_eq!(with("refresh_token", both, "").await.code(), "28000");
    assert_eq!(
        with("client_credentials", "https://graph.microsoft.com/User.Read", "")
            .await
            .code(),
        "70011"
    );
    assert_eq!(with("client_credentials", "openid", "").await.code(), "70011");
    assert_eq!(with("client_credentials", "", "").await.code(), "900144");
    assert_eq!(
        with("refresh_token", "https://graph.microsoft.com/.default", MANAGE)
            .await
            .code(),
        "9010010"
    );
    assert_eq!(with("refresh_token", "Calendars.Read", "").await.code(), "65001");
    let named = with("refresh_token", "User.Read", "").await.json();
    assert_eq!(claims(named["access_token"].as_str().unwrap())["scp"], "User.Read");
    let slash = with("refresh_token", "https://graph.microsoft.com//.default", "")
        .await
        .json();
    assert_eq!(
        claims(slash["access_token"].as_str().unwrap())["aud"],
        "https://graph.microsoft.com/"
    );
}

#[tokio::test]
async fn basic_authentication_serves_too() {
    use base64::Engine;
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let escaped: String = facts.secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{escaped}", facts.application_id));
    let request = cloud
        .http
        .post(cloud.login(&format!("{}/oauth2/v2.0/token", cloud.tenant(0))))
        .header("authorization", format!("Basic {pair}"))
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body("grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default");
    assert_eq!(answer(request.send().await.unwrap()).await.status, 200);
}

#[tokio::test]
async fn metadata_turns_a_domain_into_a_tenant() {
    let cloud = small().await;
    let tenant = &cloud.sandbox.facts().tenants[2];
    for (path, issuer) in [
        (
            "v2.0/.well-known/openid-configuration",
            cloud.login(&format!("{}/v2.0", tenant.tenant_id)),
        ),
        (
            ".well-known/openid-configuration",
            format!("https://sts.windows.net/{}/", tenant.tenant_id),
        ),
    ] {
        let metadata = cloud
            .get(&cloud.login(&format!("{}/{path}", tenant.default_domain_name)), "")
            .await
            .json();
        assert_eq!(metadata["issuer"], issuer);
        assert!(metadata["token_endpoint"].as_str().unwrap().contains(&tenant.tenant_id));
    }
    let unknown = cloud
        .get(
            &cloud.login("nowhere.example/v2.0/.well-known/openid-configuration"),
            "",
        )
        .await;
    assert_eq!((unknown.status, unknown.code().as_str()), (400, "90002"));

    let discovery = |host: &str| {
        let endpoint = format!("https%3A%2F%2F{host}%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize");
        cloud.login(&format!(
            "common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}"
        ))
    };
    let known = cloud.get(&discovery("login.microsoftonline.com"), "").await.json();
    assert!(known["metadata"].as_array().unwrap().len() > 1);
    assert_eq!(cloud.get(&discovery("login.example"), "").await.code(), "50049");
}

#[tokio::test]
async fn a_wrong_clock_shows_in_dates_and_tokens() {
    let cloud = small().await;
    let before = claims(&cloud.token(cloud.tenant(0), GRAPH).await)["exp"]
        .as_i64()
        .unwrap();
    cloud
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 86400}))
        .unwrap();
    let reply = cloud.redeem(cloud.tenant(0), GRAPH).await;
    let after = claims(reply.json()["access_token"].as_str().unwrap())["exp"]
        .as_i64()
        .unwrap();
    assert!(after - before >= 86_400);
    assert!(reply.headers.contains_key("date"));
}
