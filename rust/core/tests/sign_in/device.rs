//! The device code flow.

use crate::support::{bed, finish, text, Bed};
use secureapp_core::{Field, Kind, Operation, Prompt, PromptKind, Request, Value};
use serde_json::json;

fn by_device(bed: &Bed) -> Request {
    bed.sandbox
        .control()
        .set_application(json!({"deviceIntervalSeconds": 1}))
        .unwrap();
    bed.request().with("deviceCode", Field::Int(1))
}

async fn begin(bed: &Bed) -> (Operation, Prompt) {
    bed.begin(by_device(bed)).await
}

#[tokio::test]
async fn a_code_is_shown_and_waited_for() {
    let bed = bed().await;
    let (operation, prompt) = begin(&bed).await;
    assert_eq!(prompt.kind, PromptKind::Device);
    assert!(
        prompt.message.contains(&prompt.user_code) && prompt.message.contains(&prompt.url),
        "{prompt:?}"
    );
    bed.sign_in(json!({"userCode": prompt.user_code}));
    let outcome = finish(&operation).await.expect("it works");
    let record = outcome.record.expect("a record");
    assert_eq!(text(&record, "account"), bed.sandbox.facts().user_principal_name);
    assert!(matches!(record.get("mfa"), Some(Value::Bool(true))));
    let made = operation.credential().expect("a credential");
    bed.token(&made).await.expect("a token");
}

#[tokio::test]
async fn the_service_can_ask_for_patience() {
    let bed = bed().await;
    bed.sandbox
        .control()
        .set_application(json!({"deviceSlowDowns": 1}))
        .unwrap();
    let (operation, prompt) = begin(&bed).await;
    bed.sign_in(json!({"userCode": prompt.user_code}));
    assert!(finish(&operation).await.expect("it works").record.is_some());
    let polls = &bed.sandbox.control().stats()["byPath"]["POST /{tenant}/oauth2/v2.0/token"];
    assert_eq!(
        polls, 2,
        "the first is told to slow down, the second comes after the longer wait"
    );
}

#[tokio::test]
async fn every_other_end_has_its_own_words() {
    let bed = bed().await;
    let (operation, prompt) = begin(&bed).await;
    bed.sign_in(json!({"userCode": prompt.user_code, "action": "deny"}));
    let error = finish(&operation).await.expect_err("declined");
    assert!(
        error.kind() == Kind::Denied && error.message().contains("declined"),
        "{error:?}"
    );

    let (operation, _) = begin(&bed).await;
    bed.sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 1000}))
        .unwrap();
    let error = finish(&operation).await.expect_err("expired");
    assert!(
        error.message().contains("expired") && error.advice().contains("Start the device sign-in again"),
        "{error:?}"
    );
    bed.sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 0, "deviceCodeSeconds": 1}))
        .unwrap();
    let (operation, _) = begin(&bed).await;
    let error = finish(&operation).await.expect_err("expired");
    assert!(
        error.kind() == Kind::Timeout && error.message().contains("expired"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let bed = bed().await;
    bed.sandbox
        .control()
        .set_application(json!({"deviceErrorsWithStatus200": true}))
        .unwrap();
    let request = by_device(&bed).with("resource", Field::Text("https://nowhere.example".to_owned()));
    let error = finish(&bed.start(request)).await.expect_err("refused");
    assert!(error.message().contains("AADSTS500011"), "{error}");
}

#[tokio::test]
async fn a_stop_ends_the_wait() {
    let bed = bed().await;
    let (operation, _) = begin(&bed).await;
    operation.cancel();
    assert_eq!(finish(&operation).await.expect_err("stopped").kind(), Kind::Cancelled);
    assert!(operation.credential().is_err());
}
