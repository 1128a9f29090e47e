//! The authorization code flow where nothing listens at the reply URL.

use crate::support::{bed_of, finish, text, Bed};
use secureapp_core::{Field, Kind, PromptKind, Request, Secret};
use secureapp_sandbox::{Options, Preset};
use serde_json::json;

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

async fn articles() -> Bed {
    bed_of(Options {
        tenants: 1,
        records: 0,
        preset: Preset::Articles,
        ..Options::default()
    })
    .await
}

fn by(bed: &Bed, redirect_uri: &str) -> Request {
    bed.request()
        .with("resource", Field::Text("https://graph.windows.net".to_owned()))
        .with("redirectUri", Field::Text(redirect_uri.to_owned()))
}

fn response(url: &str) -> Request {
    Request::new("sign_in.response").with("responseUrl", Field::Secret(Secret::from(url)))
}

/// The address that the browser ends at.
fn end(bed: &Bed, url: &str) -> String {
    bed.sign_in(json!({ "url": url }))["location"]
        .as_str()
        .expect("an address")
        .to_owned()
}

#[tokio::test]
async fn the_address_that_the_browser_ended_at_is_pasted() {
    let bed = articles().await;
    for uri in [OOB, "https://localhost"] {
        let (operation, prompt) = bed.begin(by(&bed, uri)).await;
        assert_eq!(prompt.kind, PromptKind::Paste);
        assert!(prompt.url.contains("response_mode=query"));
        assert_eq!(prompt.message.contains("F12"), uri == OOB, "{}", prompt.message);
        operation
            .submit(response(&end(&bed, &prompt.url)))
            .expect("it takes the answer");
        let outcome = finish(&operation).await.expect("it works");
        assert_eq!(
            text(&outcome.record.expect("a record"), "account"),
            bed.sandbox.facts().user_principal_name
        );
        assert!(operation.credential().expect("a credential").has_refresh_token());
    }
}

#[tokio::test]
async fn the_answer_may_come_with_a_later_command_once() {
    let bed = articles().await;
    let (operation, prompt) = bed.begin(by(&bed, OOB)).await;
    operation.finish_input();
    let error = finish(&operation).await.expect_err("not finished");
    assert!(error.advice().contains("-ResponseUrl"), "{}", error.advice());
    let url = end(&bed, &prompt.url);
    let later = || {
        bed.request()
            .with("responseUrl", Field::Secret(Secret::from(url.as_str())))
    };
    let operation = bed.start(later());
    assert!(finish(&operation).await.expect("it works").record.is_some());
    let error = finish(&bed.start(later())).await.expect_err("used up");
    assert!(error.message().contains("does not belong"), "{error}");
    let shown = format!("{error:?} {:?}", error.to_value());
    assert!(!shown.contains("code="), "{shown}");
}

#[tokio::test]
async fn what_is_not_the_answer_is_refused() {
    let bed = articles().await;
    for (pasted, word) in [
        ("", "no response address"),
        ("https://localhost/", "not the answer"),
        ("https://localhost/?code=x", "state"),
        ("https://localhost/?code=x&state=unknown", "does not belong"),
    ] {
        let (operation, _) = bed.begin(by(&bed, "https://localhost")).await;
        operation.submit(response(pasted)).expect("it takes the answer");
        let error = finish(&operation).await.expect_err("refused");
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(word), "{pasted}: {error}");
    }
    let (operation, prompt) = bed.begin(by(&bed, "https://localhost")).await;
    let denied = bed.sign_in(json!({"url": prompt.url, "action": "deny"}));
    operation
        .submit(response(denied["location"].as_str().unwrap()))
        .expect("it takes the answer");
    let error = finish(&operation).await.expect_err("denied");
    assert!(error.message().contains("AADSTS65004"), "{error}");
}

#[tokio::test]
async fn ways_that_exclude_each_other_are_refused_at_once() {
    let bed = articles().await;
    for request in [
        by(&bed, OOB).with("deviceCode", Field::Int(1)),
        by(&bed, OOB).with("port", Field::Int(8400)),
        by(&bed, "http://elsewhere.example"),
        bed.request()
            .with("resource", Field::Text("https://a.example".into()))
            .with("scopes", Field::Texts(vec!["User.Read".into()])),
    ] {
        let refused = secureapp_core::Operation::start(&bed.session, request)
            .err()
            .expect("refused");
        assert_eq!(refused.kind(), Kind::InvalidInput, "{refused}");
        assert!(!refused.advice().is_empty());
    }
}
