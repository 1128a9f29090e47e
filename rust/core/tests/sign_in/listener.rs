//! The authorization code flow with the listener of this machine.

use crate::support::{bed, bed_of, finish, form, text, Page};
use secureapp_core::{Field, Kind, Next, PromptKind, Value};
use secureapp_sandbox::{Options, Preset, Signature};
use serde_json::json;

#[tokio::test]
async fn a_user_signs_in_and_the_credential_works_in_a_customers_tenant() {
    let bed = bed().await;
    let request = bed.request().with(
        "expectedAccount",
        Field::Text(bed.sandbox.facts().user_principal_name.clone()),
    );
    let (operation, prompt) = bed.begin(request).await;
    assert_eq!(prompt.kind, PromptKind::Browser);
    assert!(
        prompt.message.contains(&prompt.url) && prompt.message.contains("exactly http://localhost to"),
        "{prompt:?}"
    );
    assert!(
        prompt.url.contains("code_challenge_method=S256") && prompt.url.contains("login_hint="),
        "{}",
        prompt.url
    );
    let (page, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    let outcome = outcome.expect("it works");
    let facts = bed.sandbox.facts();
    let record = outcome.record.expect("a record");
    assert_eq!(text(&record, "account"), facts.user_principal_name);
    assert_eq!(text(&record, "tenantId"), facts.partner_tenant_id);
    assert!(
        matches!(record.get("mfa"), Some(Value::Bool(true))) && outcome.warnings.is_empty(),
        "{record:?}"
    );
    assert!(matches!(record.get("acquiredOn"), Some(Value::Time(_))));
    let made = operation.credential().expect("a credential");
    assert!(made.has_refresh_token() && made.has_proof());
    let token = bed.token(&made).await.expect("a token");
    assert_eq!(text(&token, "account"), facts.user_principal_name);

    assert_eq!(page.status, 200);
    assert!(page.url.ends_with("/signed-in"), "a clean address: {}", page.url);
    assert!(
        page.html.contains("<html lang=\"en\">") && page.html.contains(&facts.user_principal_name),
        "{}",
        page.html
    );
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(page.headers[name], value);
    }
    let shown = format!("{record:?} {made:?} {:?}", made.describe());
    assert!(!shown.contains(&facts.secret) && !shown.contains("1.0"), "{shown}");
}

#[tokio::test]
async fn a_sign_in_without_a_second_factor_warns_and_names_the_usual_causes() {
    let bed = bed().await;
    for (amr, part) in [(true, "(amr: pwd)"), (false, "(amr: pwd)")] {
        bed.sandbox
            .control()
            .set_application(json!({"idTokenAmr": amr}))
            .unwrap();
        let (operation, prompt) = bed.begin(bed.request()).await;
        let (_, outcome) = tokio::join!(bed.visit(&prompt.url, json!({"mfa": false})), finish(&operation));
        let outcome = outcome.expect("it works");
        assert_eq!(outcome.warnings.len(), 1, "{outcome:?}");
        for word in [part, "trusted IP", "federated", "third-party", "900421"] {
            assert!(outcome.warnings[0].contains(word), "{}", outcome.warnings[0]);
        }
        assert!(matches!(
            outcome.record.and_then(|r| r.get("mfa").cloned()),
            Some(Value::Bool(false))
        ));
    }
}

#[tokio::test]
async fn what_the_user_refuses_is_the_error_and_the_page_says_so() {
    let bed = bed().await;
    for (action, kind, word) in [
        ("cancel", Kind::Denied, "canceled"),
        ("deny", Kind::Denied, "AADSTS65004"),
    ] {
        let (operation, prompt) = bed.begin(bed.request()).await;
        let (page, outcome) = tokio::join!(bed.visit(&prompt.url, json!({"action": action})), finish(&operation));
        let error = outcome.expect_err("nobody signed in");
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(word), "{error}");
        assert!(
            page.html.contains("The sign-in did not work") && page.html.contains("role=\"alert\""),
            "{}",
            page.html
        );
        assert!(page.url.ends_with("/signed-in") && operation.credential().is_err());
    }
}

#[tokio::test]
async fn a_reply_url_that_is_not_registered_is_named_before_a_browser_opens() {
    let bed = bed_of(Options {
        tenants: 1,
        records: 0,
        preset: Preset::ArticlesOob,
        ..Options::default()
    })
    .await;
    for (uri, registered) in [
        (None, "exactly http://localhost to"),
        (Some("http://localhost:0/back"), "exactly http://localhost/back to"),
        (Some("https://localhost"), "exactly https://localhost to"),
    ] {
        let mut request = bed
            .request()
            .with("resource", Field::Text("https://graph.windows.net".to_owned()));
        if let Some(uri) = uri {
            request.set("redirectUri", Field::Text(uri.to_owned()));
        }
        let error = finish(&bed.start(request)).await.expect_err("refused");
        assert!(error.message().contains("AADSTS50011"), "{error}");
        assert!(error.advice().contains(registered), "{uri:?}: {}", error.advice());
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_said_before_a_browser_opens() {
    let bed = bed().await;
    let missing = bed
        .request()
        .with("resource", Field::Text("https://storage.azure.com".to_owned()));
    let error = finish(&bed.start(missing)).await.expect_err("refused");
    assert!(error.message().contains("AADSTS650057"), "{error}");
    let elsewhere = bed.request().with("tenant", Field::Text("nowhere.example".to_owned()));
    let error = finish(&bed.start(elsewhere)).await.expect_err("refused");
    assert_eq!((error.kind(), error.tenant()), (Kind::NotFound, "nowhere.example"));
}

#[tokio::test]
async fn answers_of_other_sign_ins_are_ignored() {
    let bed = bed().await;
    let (operation, prompt) = bed.begin(bed.request()).await;
    let mut answer = bed.sign_in(json!({"url": prompt.url}));
    let right = answer.clone();
    answer["parameters"]["state"] = json!("another");
    let foreign = bed.carry(&answer).await;
    assert_eq!(foreign.status, 400);
    assert!(foreign.html.contains("belongs to another sign-in"));
    let base = right["redirectUri"].as_str().unwrap().to_owned();
    let denied = bed
        .browser
        .get(format!("{base}/?error=access_denied&state=guess"))
        .send()
        .await
        .unwrap();
    assert_eq!(denied.status(), 400, "nobody else can end the sign-in");
    assert_eq!(
        bed.browser
            .get(format!("{base}/favicon.ico"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    let rebound = bed
        .browser
        .get(format!("{base}/?code=x&state=y"))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(rebound.status(), 404, "another name for this machine");
    let (page, outcome) = tokio::join!(bed.carry(&right), finish(&operation));
    let outcome = outcome.expect("it works");
    assert!(page.html.contains("complete") && outcome.record.is_some());
    assert!(
        outcome.warnings.iter().any(|warning| warning.contains("ignored")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_answer_in_the_query_is_taken_too_and_leaves_a_clean_address() {
    let bed = bed().await;
    let port = free_port().await;
    let request = bed.request().with("port", Field::Int(i64::from(port)));
    let (operation, prompt) = bed.begin(request).await;
    assert!(prompt.url.contains(&format!("localhost%3A{port}")), "{}", prompt.url);
    let answer = bed.sign_in(json!({"url": prompt.url}));
    let query = form(answer["parameters"].as_object().unwrap());
    // Both addresses that 'localhost' may mean are served.
    let address = format!("http://[::1]:{port}/?{query}");
    let visit = async { Page::read(bed.browser.get(address).send().await.unwrap()).await };
    let (page, outcome) = tokio::join!(visit, finish(&operation));
    assert!(outcome.expect("it works").record.is_some());
    assert_eq!(page.url, format!("http://[::1]:{port}/signed-in"));
    assert!(
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.is_ok(),
        "the port is free again"
    );
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let bed = bed().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = finish(&bed.start(bed.request().with("port", Field::Int(i64::from(port)))))
        .await
        .expect_err("refused");
    assert!(
        error.message().contains(&port.to_string()) && error.advice().contains("-Port"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stop_frees_the_port() {
    let bed = bed().await;
    let port = free_port().await;
    let (operation, _) = bed.begin(bed.request().with("port", Field::Int(i64::from(port)))).await;
    assert!(
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.is_err(),
        "it is in use"
    );
    operation.cancel();
    let error = finish(&operation).await.expect_err("stopped");
    assert_eq!(error.kind(), Kind::Cancelled);
    for host in ["127.0.0.1", "::1"] {
        assert!(tokio::net::TcpListener::bind((host, port)).await.is_ok(), "{host}");
    }
}

#[tokio::test]
async fn a_stop_while_the_code_is_redeemed_ends_the_sign_in() {
    let bed = bed().await;
    let (operation, prompt) = bed.begin(bed.request()).await;
    let hold = json!({
        "id": "hold", "match": {"service": "login", "method": "POST"}, "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"},
    });
    bed.sandbox.control().add_faults(hold).unwrap();
    let answer = bed.sign_in(json!({"url": prompt.url}));
    let visit = bed.browser.post(answer["redirectUri"].as_str().unwrap());
    let visit = visit
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(answer["parameters"].as_object().unwrap()));
    let visiting = tokio::spawn(visit.send());
    bed.sandbox
        .control()
        .wait_hold("hold", "held", 1, crate::support::LONG)
        .await
        .expect("held");
    operation.cancel();
    assert_eq!(finish(&operation).await.expect_err("stopped").kind(), Kind::Cancelled);
    bed.sandbox
        .control()
        .wait_hold("hold", "closed", 1, crate::support::LONG)
        .await
        .expect("given up");
    assert!(visiting.await.unwrap().is_err(), "the browser is hung up on");
    assert!(operation.credential().is_err());
}

#[tokio::test]
async fn another_account_than_the_expected_one_is_refused() {
    let bed = bed().await;
    let other = bed.sandbox.facts().users[1].user_principal_name.clone();
    let request = bed.request().with("expectedAccount", Field::Text(other.clone()));
    let (operation, prompt) = bed.begin(request).await;
    let (page, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    let error = outcome.expect_err("refused");
    assert_eq!(error.kind(), Kind::NotSignedIn);
    let signed_in = &bed.sandbox.facts().user_principal_name;
    assert!(error.message().contains(signed_in), "{error}");
    assert!(error.message().contains("another account was expected"), "{error}");
    assert!(page.html.contains("another account was expected") && operation.credential().is_err());
}

#[tokio::test]
async fn an_answer_that_was_tampered_with_is_refused() {
    let bed = bed().await;
    for (from, to, word) in [
        ("&nonce=", "&nonce=x", "another sign-in"),
        ("&code_challenge=", "&code_challenge=xx", "AADSTS501481"),
    ] {
        let (operation, prompt) = bed.begin(bed.request()).await;
        let url = prompt.url.replace(from, to);
        let (_, outcome) = tokio::join!(bed.visit(&url, json!({})), finish(&operation));
        let error = outcome.expect_err("refused");
        assert!(error.message().contains(word), "{error}");
    }
}

#[tokio::test]
async fn an_id_token_that_the_authority_did_not_sign_is_refused() {
    let bed = bed_of(Options {
        tenants: 1,
        records: 0,
        signature: Signature::Filler,
        ..Options::default()
    })
    .await;
    let (operation, prompt) = bed.begin(bed.request()).await;
    let (page, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    let error = outcome.expect_err("refused");
    assert!(error.message().contains("signature"), "{error}");
    assert!(page.html.contains("did not work"));
}

#[tokio::test]
async fn a_wrong_secret_comes_back_without_any_secret_in_it() {
    let bed = bed().await;
    let facts = bed.sandbox.facts();
    let wrong = secureapp_core::Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("secret", Field::Secret("wrong~secret+value".into()));
    let credential = std::sync::Arc::new(secureapp_core::Credential::open(&wrong).unwrap());
    let (operation, prompt) = bed
        .begin(bed.request().with("credential", Field::Credential(credential)))
        .await;
    let answer = bed.sign_in(json!({"url": prompt.url}));
    let (page, outcome) = tokio::join!(bed.carry(&answer), finish(&operation));
    let error = outcome.expect_err("refused");
    assert!(error.message().contains("AADSTS7000215"), "{error}");
    let code = answer["parameters"]["code"].as_str().unwrap();
    for text in [format!("{:?} {:?}", error, error.to_value()), page.html] {
        assert!(!text.contains("wrong~secret") && !text.contains(code), "{text}");
    }
}

#[tokio::test]
async fn consent_of_the_partners_own_tenant_is_recorded() {
    let bed = bed().await;
    let partner = bed.sandbox.facts().partner_tenant_id.clone();
    let change = json!({"consent": "missing", "servicePrincipal": false});
    bed.sandbox.control().set_tenant(&partner, change).unwrap();
    let (operation, prompt) = bed.begin(bed.request().with("tenant", Field::Text(partner))).await;
    let (_, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    outcome.expect("it works");
    assert!(matches!(operation.next().await, Ok(Next::Done)));
}

async fn free_port() -> u16 {
    tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn an_application_with_a_certificate_signs_its_user_in_as_well() {
    let bed = bed().await;
    let pem = bed.sandbox.own_certificate().unwrap().pem().unwrap();
    let request = secureapp_core::Request::new("credential")
        .with("applicationId", Field::Text(bed.sandbox.facts().application_id.clone()))
        .with("certificateData", Field::Secret(pem.as_str().into()));
    let credential = std::sync::Arc::new(secureapp_core::Credential::open(&request).unwrap());
    let (operation, prompt) = bed
        .begin(bed.request().with("credential", Field::Credential(credential)))
        .await;
    let (_, outcome) = tokio::join!(bed.visit(&prompt.url, json!({})), finish(&operation));
    outcome.expect("it works");
    let made = operation.credential().expect("a credential");
    assert!(made.has_proof() && made.has_refresh_token());
    bed.token(&made).await.expect("a token by the same certificate");
}
