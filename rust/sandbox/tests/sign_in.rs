//! The sign-in pages: what the authorize endpoint refuses and where it says so, codes and their redemption, device codes,
//! admin consent.

mod common;

use base64::Engine;
use common::{answer, start, Answer, Cloud, GRAPH, PARTNER_CENTER};
use secureapp_sandbox::{Options, Preset};
use serde_json::{json, Value};

const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier-1";

async fn small() -> Cloud {
    start(Options {
        tenants: 3,
        records: 0,
        ..Options::default()
    })
    .await
}

fn challenge() -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(openssl::sha::sha256(VERIFIER.as_bytes()))
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// An authorize address; a later parameter replaces an earlier one, an empty one takes it away.
fn address(cloud: &Cloud, path: &str, changes: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut parameters: Vec<(&str, &str)> = vec![
        ("client_id", &cloud.sandbox.facts().application_id),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:4711"),
        (
            "scope",
            "https://graph.microsoft.com/.default openid profile offline_access",
        ),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    parameters.retain(|(_, value)| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("{}?{query}", cloud.login(path))
}

fn authorize(cloud: &Cloud, changes: &[(&str, &str)]) -> String {
    address(cloud, "organizations/oauth2/v2.0/authorize", changes)
}

/// The page without following where it leads.
async fn get(cloud: &Cloud, address: &str) -> Answer {
    let http = common::client(&cloud.sandbox)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    answer(http.get(address).send().await.unwrap()).await
}

fn sign_in(cloud: &Cloud, address: &str, more: Value) -> Value {
    let mut attempt = json!({ "url": address });
    attempt
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    cloud.sandbox.control().sign_in(attempt).unwrap()
}

fn code(outcome: &Value) -> String {
    outcome["parameters"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{outcome}"))
        .to_owned()
}

async fn redeem(cloud: &Cloud, code: &str, changes: &[(&str, &str)]) -> Answer {
    let facts = cloud.sandbox.facts();
    let mut fields: Vec<(&str, &str)> = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &facts.application_id),
        ("client_secret", &facts.secret),
        ("code", code),
        ("redirect_uri", "http://localhost:4711"),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    cloud.form("organizations/oauth2/v2.0/token", &fields).await
}

#[tokio::test]
async fn what_is_wrong_before_the_address_is_known_stays_on_a_page() {
    let cloud = small().await;
    for (changes, code) in [
        (&[("client_id", "")][..], 900144),
        (&[("client_id", "00000000-0000-0000-0000-000000000001")], 700016),
        (&[("redirect_uri", "")], 900144),
        (&[("redirect_uri", "http://localhost:4711/other")], 50011),
        (&[("redirect_uri", "https://localhost")], 50011),
        (&[("redirect_uri", "urn:ietf:wg:oauth:2.0:oob")], 50011),
        (&[("response_type", "")], 900144),
    ] {
        let page = get(&cloud, &authorize(&cloud, changes)).await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(
            page.text.contains(&format!("AADSTS{code}:")),
            "{changes:?}: {}",
            page.text
        );
    }
    let page = get(
        &cloud,
        &authorize(&cloud, &[("redirect_uri", "https://elsewhere.example/x?y=1")]),
    )
    .await;
    assert!(
        page.text.contains("https://elsewhere.example/x?y=1"),
        "it names the address"
    );
    let page = get(&cloud, &address(&cloud, "nobody.example/oauth2/v2.0/authorize", &[])).await;
    assert!(page.text.contains("AADSTS90002"));
}

#[tokio::test]
async fn what_is_wrong_later_goes_back_with_the_state() {
    let cloud = small().await;
    for (changes, error, code) in [
        (&[("response_type", "token")][..], "unsupported_response_type", 70005),
        (&[("response_mode", "pigeon")], "invalid_request", 70007),
        (&[("code_challenge", "short")], "invalid_request", 50147),
        (&[("code_challenge_method", "S512")], "invalid_request", 501491),
        (&[("prompt", "none")], "login_required", 50058),
        (&[("prompt", "later")], "invalid_request", 90023),
        (
            &[("scope", "https://storage.azure.com/.default")],
            "invalid_client",
            650057,
        ),
        (
            &[("scope", "https://graph.microsoft.com/Nothing.Read")],
            "invalid_client",
            650053,
        ),
        (
            &[("scope", "https://nowhere.example/.default")],
            "invalid_resource",
            500011,
        ),
    ] {
        let back = get(&cloud, &authorize(&cloud, changes)).await;
        assert_eq!(back.status, 302, "{changes:?}: {}", back.text);
        let location = url::Url::parse(back.headers["location"].to_str().unwrap()).unwrap();
        let parameter = |name: &str| {
            let found = location.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        assert_eq!(parameter("error"), error, "{changes:?}");
        assert_eq!(parameter("state"), "the state");
        assert!(
            parameter("error_description").starts_with(&format!("AADSTS{code}:")),
            "{location}"
        );
    }
}

#[tokio::test]
async fn the_page_carries_the_request_and_says_what_went_wrong() {
    let cloud = small().await;
    let page = get(&cloud, &authorize(&cloud, &[("login_hint", "a\"b@c.example")])).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("name=\"state\" value=\"the state\""));
    assert!(page.text.contains("value=\"a&quot;b@c.example\""), "escaped");
    assert!(page.text.contains("<html lang=\"en\">") && page.text.contains("<label for=\"password\">"));
    assert!(!page.text.contains("Permissions requested"), "consent is there already");

    let address = authorize(&cloud, &[]);
    for (attempt, code) in [
        (json!({"password": "wrong"}), 50126),
        (
            json!({"userPrincipalName": "nobody@nowhere.example", "password": "x"}),
            50034,
        ),
        (
            json!({"userPrincipalName": format!("admin@{}", cloud.sandbox.facts().tenants[0].default_domain_name)}),
            50020,
        ),
    ] {
        let outcome = sign_in(&cloud, &address, attempt);
        assert!(
            outcome["page"].as_str().unwrap().contains(&format!("AADSTS{code}:")),
            "{outcome}"
        );
    }
    let partner = &cloud.sandbox.facts().partner_tenant_id;
    let control = cloud.sandbox.control();
    control.set_tenant(partner, json!({"mfaRequired": true})).unwrap();
    let outcome = sign_in(&cloud, &address, json!({"mfa": false}));
    assert!(outcome["page"].as_str().unwrap().contains("AADSTS50076:"), "{outcome}");
    let done = redeem(&cloud, &code(&sign_in(&cloud, &address, json!({}))), &[]).await;
    assert_eq!(done.status, 200, "a second factor satisfies the tenant: {}", done.text);
    control
        .set_tenant(partner, json!({"mfaRequired": false, "conditionalAccess": true}))
        .unwrap();
    let outcome = sign_in(&cloud, &address, json!({}));
    assert!(outcome["page"].as_str().unwrap().contains("AADSTS53003:"), "{outcome}");
}

#[tokio::test]
async fn conditional_access_is_met_by_a_second_factor_or_by_nothing() {
    let cloud = small().await;
    let control = cloud.sandbox.control();
    let partner = &cloud.sandbox.facts().partner_tenant_id;
    let address = authorize(&cloud, &[]);
    for (code, suberror, claims, met) in [
        (50072, "basic_action", true, true),
        (50079, "basic_action", true, true),
        (50158, "basic_action", true, true),
        (70043, "token_expired", false, true),
        (53000, "message_only", false, false),
        (53003, "message_only", true, false),
        (530032, "message_only", false, false),
    ] {
        control.set_tenant(partner, json!({"conditionalAccess": code})).unwrap();
        let refused = cloud.redeem(partner, GRAPH).await;
        assert_eq!(refused.code(), code.to_string(), "{}", refused.text);
        assert_eq!(
            (&refused.json()["suberror"], refused.json()["claims"].is_string()),
            (&json!(suberror), claims),
            "{code}"
        );
        let outcome = sign_in(&cloud, &address, json!({}));
        if met {
            assert_eq!(redeem(&cloud, &self::code(&outcome), &[]).await.status, 200, "{code}");
        } else {
            let page = outcome["page"].as_str().unwrap();
            assert!(page.contains(&format!("AADSTS{code}:")), "{outcome}");
        }
    }
    let one = json!({"conditionalAccess": 53000, "conditionalAccessResources": ["https://manage.office.com"]});
    control.set_tenant(partner, one).unwrap();
    assert_eq!(cloud.redeem(partner, "https://manage.office.com").await.code(), "53000");
    assert_eq!(cloud.redeem(partner, GRAPH).await.status, 200);
    let signed_in = redeem(&cloud, &code(&sign_in(&cloud, &address, json!({}))), &[]).await;
    assert_eq!(
        signed_in.status, 200,
        "the page asks nothing for it: {}",
        signed_in.text
    );
    let unknown = control
        .set_tenant(partner, json!({"conditionalAccess": 1}))
        .unwrap_err();
    assert!(unknown.contains("no outcome 1"), "{unknown}");
}

#[tokio::test]
async fn a_code_is_redeemed_once_by_whoever_holds_the_verifier() {
    let cloud = small().await;
    let address = authorize(&cloud, &[]);
    let outcome = sign_in(&cloud, &address, json!({}));
    assert_eq!(outcome["parameters"]["state"], "the state");
    assert!(
        outcome["location"]
            .as_str()
            .unwrap()
            .starts_with("http://localhost:4711?code="),
        "{outcome}"
    );
    let text = code(&outcome);
    assert_eq!(
        redeem(&cloud, &text, &[("client_secret", "wrong")]).await.code(),
        "7000215"
    );
    assert_eq!(
        redeem(&cloud, &text, &[("redirect_uri", "http://localhost:4712")])
            .await
            .code(),
        "500112"
    );
    assert_eq!(
        redeem(&cloud, &text, &[("code_verifier", "other")]).await.code(),
        "501481"
    );
    assert_eq!(redeem(&cloud, &text, &[("code_verifier", "")]).await.code(), "501481");
    assert_eq!(redeem(&cloud, "1.unknown", &[]).await.code(), "9002313");
    let done = redeem(&cloud, &text, &[]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let id = claims(done.json()["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["nonce"], &id["aud"]),
        (&json!("the nonce"), &json!(cloud.sandbox.facts().application_id))
    );
    assert_eq!(
        id["preferred_username"],
        json!(cloud.sandbox.facts().user_principal_name)
    );
    assert_eq!(id["amr"], json!(["pwd", "mfa"]));
    assert_eq!(id["tid"], json!(cloud.sandbox.facts().partner_tenant_id));
    assert_eq!(redeem(&cloud, &text, &[]).await.code(), "54005");

    let token = done.json()["refresh_token"].as_str().unwrap().to_owned();
    let facts = cloud.sandbox.facts();
    let again = cloud
        .form(
            &format!("{}/oauth2/token", cloud.tenant(0)),
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &facts.application_id),
                ("client_secret", &facts.secret),
                ("refresh_token", &token),
                ("resource", GRAPH),
            ],
        )
        .await;
    assert_eq!(again.status, 200, "{}", again.text);

    let old = code(&sign_in(&cloud, &address, json!({})));
    cloud
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 700}))
        .unwrap();
    assert_eq!(redeem(&cloud, &old, &[]).await.code(), "70008");
}

#[tokio::test]
async fn version_1_asks_by_resource_and_the_modes_differ_in_where_they_put_the_answer() {
    let cloud = small().await;
    let address = address(
        &cloud,
        "common/oauth2/authorize",
        &[
            ("resource", PARTNER_CENTER),
            ("scope", "openid profile"),
            ("response_type", "code id_token"),
            ("response_mode", "form_post"),
        ],
    );
    let outcome = sign_in(&cloud, &address, json!({"mfa": false}));
    assert_eq!(
        (&outcome["responseMode"], &outcome["location"]),
        (&json!("form_post"), &Value::Null)
    );
    let front = claims(outcome["parameters"]["id_token"].as_str().unwrap());
    assert_eq!((&front["nonce"], &front["amr"]), (&json!("the nonce"), &json!(["pwd"])));
    let facts = cloud.sandbox.facts();
    let done = cloud
        .form(
            &format!("{}/oauth2/token", facts.partner_tenant_id),
            &[
                ("grant_type", "authorization_code"),
                ("client_id", &facts.application_id),
                ("client_secret", &facts.secret),
                ("code", &code(&outcome)),
                ("redirect_uri", "http://localhost:4711"),
                ("code_verifier", VERIFIER),
            ],
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["resource"], PARTNER_CENTER);
    assert!(done.json()["refresh_token"].is_string());

    let outcome = sign_in(&cloud, &authorize(&cloud, &[("response_mode", "fragment")]), json!({}));
    assert!(outcome["location"]
        .as_str()
        .unwrap()
        .starts_with("http://localhost:4711#code="));
    let silent = authorize(&cloud, &[("scope", GRAPH_READ)]);
    let done = redeem(&cloud, &code(&sign_in(&cloud, &silent, json!({}))), &[])
        .await
        .json();
    assert!(
        done["refresh_token"].is_null() && done["id_token"].is_null(),
        "neither was asked for"
    );
}

const GRAPH_READ: &str = "https://graph.microsoft.com/User.Read";

#[tokio::test]
async fn consent_is_asked_for_once_and_can_be_refused() {
    let cloud = small().await;
    let (facts, control) = (cloud.sandbox.facts(), cloud.sandbox.control());
    let partner = &facts.partner_tenant_id;
    control
        .set_tenant(partner, json!({"consent": "missing", "servicePrincipal": false}))
        .unwrap();
    let address = authorize(&cloud, &[]);
    let page = get(&cloud, &address).await;
    assert!(page.text.contains("Permissions requested") && page.text.contains("User.Read (Microsoft Graph)"));
    let plain = &facts.users[1].user_principal_name;
    let outcome = sign_in(&cloud, &address, json!({"userPrincipalName": plain}));
    assert!(outcome["page"].as_str().unwrap().contains("AADSTS90094:"), "{outcome}");
    for (action, code) in [("deny", "AADSTS65004"), ("cancel", "the user canceled")] {
        let outcome = sign_in(&cloud, &address, json!({"action": action}));
        assert_eq!(outcome["parameters"]["error"], "access_denied");
        let text = outcome["parameters"]["error_description"].as_str().unwrap();
        assert!(text.starts_with(code), "{text}");
    }
    sign_in(&cloud, &address, json!({}));
    assert!(
        !get(&cloud, &address).await.text.contains("Permissions requested"),
        "recorded"
    );
    let outcome = sign_in(&cloud, &address, json!({"userPrincipalName": plain}));
    let done = redeem(&cloud, &code(&outcome), &[]).await.json();
    assert_eq!(
        claims(done["id_token"].as_str().unwrap())["amr"],
        json!(["pwd"]),
        "no second factor"
    );
}

#[tokio::test]
async fn reply_addresses_are_the_presets_or_what_is_said() {
    let options = |preset, redirect_uris: &[&str]| Options {
        tenants: 1,
        records: 0,
        preset,
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ..Options::default()
    };
    let oob = "urn:ietf:wg:oauth:2.0:oob";
    let wanted = [
        ("redirect_uri", oob),
        ("scope", "https://graph.windows.net/.default openid"),
    ];
    for options in [options(Preset::ArticlesOob, &[]), options(Preset::Partner, &[oob])] {
        let cloud = start(options).await;
        let outcome = sign_in(&cloud, &authorize(&cloud, &wanted), json!({}));
        assert!(outcome["location"]
            .as_str()
            .unwrap()
            .starts_with("urn:ietf:wg:oauth:2.0:oob?code="));
        let page = get(&cloud, &authorize(&cloud, &[])).await;
        assert!(page.text.contains("AADSTS50011:"), "no loopback address is registered");
    }
    let cloud = start(options(Preset::Articles, &[])).await;
    for uri in [oob, "https://localhost", "http://localhost:1"] {
        let page = get(
            &cloud,
            &authorize(&cloud, &[("redirect_uri", uri), ("scope", "openid")]),
        )
        .await;
        assert_eq!(page.status, 200, "{uri}: {}", page.text);
    }
}

#[tokio::test]
async fn an_administrator_consents_for_an_organization() {
    let cloud = small().await;
    let (facts, customer) = (cloud.sandbox.facts(), &cloud.sandbox.facts().tenants[1]);
    let change = json!({"consent": "missing", "servicePrincipal": false});
    cloud.sandbox.control().set_tenant(&customer.tenant_id, change).unwrap();
    let redeemed = cloud.redeem(&customer.tenant_id, GRAPH).await;
    assert_eq!(redeemed.code(), "700016");
    let path = format!("{}/adminconsent", customer.default_domain_name);
    let page = get(
        &cloud,
        &format!("{}?client_id={}&state=s", cloud.login(&path), facts.application_id),
    )
    .await;
    assert!(page.text.contains("Review for your organization"), "{}", page.text);
    let http = common::client(&cloud.sandbox)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let admin = format!("admin@{}", customer.default_domain_name);
    let press = |action: &str| {
        let fields = [
            ("client_id", facts.application_id.as_str()),
            ("redirect_uri", "http://localhost"),
            ("state", "s"),
            ("username", &admin),
            ("password", &facts.users[0].password),
            ("mfa", "approved"),
            ("action", action),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        http.post(cloud.login(&path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let back = answer(press("deny").send().await.unwrap()).await;
    assert!(back.headers["location"]
        .to_str()
        .unwrap()
        .contains("error=permission_denied"));
    let back = answer(press("accept").send().await.unwrap()).await;
    let location = back.headers["location"].to_str().unwrap();
    assert!(
        location.contains("admin_consent=True") && location.contains("state=s"),
        "{location}"
    );
    assert_eq!(cloud.redeem(&customer.tenant_id, GRAPH).await.status, 200);
}

async fn device(cloud: &Cloud, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_id", cloud.sandbox.facts().application_id.as_str())];
    all.extend_from_slice(fields);
    cloud.form(&format!("organizations/{path}"), &all).await
}

async fn poll(cloud: &Cloud, device_code: &str) -> Answer {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code),
    ];
    device(cloud, "oauth2/v2.0/token", &fields).await
}

#[tokio::test]
async fn a_device_code_waits_for_somebody_to_decide() {
    let cloud = small().await;
    let control = cloud.sandbox.control();
    let scope = [("scope", "https://graph.microsoft.com/.default offline_access openid")];
    let begin = || device(&cloud, "oauth2/v2.0/devicecode", &scope);
    let started = begin().await.json();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    assert_eq!((&started["expires_in"], &started["interval"]), (&json!(900), &json!(5)));
    assert!(text(&started, "message").contains(&text(&started, "user_code")));
    let waiting = poll(&cloud, &text(&started, "device_code")).await;
    assert_eq!(
        (waiting.status, waiting.json()["error"].clone()),
        (400, json!("authorization_pending"))
    );
    control.set_application(json!({"deviceSlowDowns": 1})).unwrap();
    let slower = poll(&cloud, &text(&started, "device_code")).await.json();
    assert_eq!(
        (&slower["error"], &slower["error_codes"]),
        (&json!("slow_down"), &Value::Null)
    );

    let page = get(&cloud, &text(&started, "verification_uri")).await;
    assert!(page.text.contains("<label for=\"user_code\">"));
    let outcome = control
        .sign_in(json!({"userCode": text(&started, "user_code").to_lowercase()}))
        .unwrap();
    assert_eq!(outcome["approved"], true);
    let done = poll(&cloud, &text(&started, "device_code")).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.json()["refresh_token"].is_string() && done.json()["id_token"].is_string());
    assert_eq!(poll(&cloud, &text(&started, "device_code")).await.code(), "54005");
    assert_eq!(poll(&cloud, "unknown").await.code(), "70018");

    // Signed in as a public client, so the refresh token asks for no secret either; the application's own does.
    let public = done.json()["refresh_token"].as_str().unwrap().to_owned();
    for (token, status) in [(public.as_str(), 200), (&cloud.sandbox.facts().refresh_token, 401)] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), scope[0]];
        assert_eq!(device(&cloud, "oauth2/v2.0/token", &fields).await.status, status);
    }

    let declined = begin().await.json();
    control
        .sign_in(json!({"userCode": declined["user_code"], "action": "deny"}))
        .unwrap();
    assert_eq!(
        poll(&cloud, &text(&declined, "device_code")).await.json()["error"],
        "authorization_declined"
    );

    let expired = begin().await.json();
    control.set_application(json!({"clockSkewSeconds": 901})).unwrap();
    assert_eq!(
        poll(&cloud, &text(&expired, "device_code")).await.json()["error"],
        "expired_token"
    );
}

#[tokio::test]
async fn a_device_code_can_be_refused_with_status_200_and_version_1_has_its_own_words() {
    let cloud = small().await;
    let control = cloud.sandbox.control();
    control
        .set_application(json!({"deviceErrorsWithStatus200": true}))
        .unwrap();
    let refused = device(
        &cloud,
        "oauth2/v2.0/devicecode",
        &[("scope", "https://nowhere.example/.default")],
    )
    .await;
    assert_eq!((refused.status, refused.code()), (200, "500011".to_owned()));
    let started = device(&cloud, "oauth2/devicecode", &[("resource", GRAPH)]).await.json();
    assert!(
        started["verification_url"].is_string() && started["expires_in"] == "900",
        "{started}"
    );
    control.sign_in(json!({"userCode": started["user_code"]})).unwrap();
    let fields = [
        ("grant_type", "device_code"),
        ("code", started["device_code"].as_str().unwrap()),
    ];
    let done = device(&cloud, "oauth2/token", &fields).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["resource"], GRAPH);
}
