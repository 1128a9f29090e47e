//! A credential that the service refuses is not offered to it in every tenant; a tenant's own refusal stops nobody else.

use crate::support::*;
use secureapp_core::{Credential, Error, Kind, Request, Value};
use serde_json::json;
use std::sync::Arc;

fn refusal(error: &str, code: u32) -> String {
    json!({"error": error, "error_description": format!("AADSTS{code}: no"), "error_codes": [code]}).to_string()
}

fn code(error: &Error) -> &str {
    &error.service().expect("the service spoke").code
}

/// One after the other, so that what is known is known.
async fn in_turn(bed: &Bed, credential: &Arc<Credential>, items: Vec<Request>) -> Answers {
    finish(&bed.begin(credential, &["throttle"], items))
        .await
        .expect("it ends well")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_offered_in_three_tenants_and_every_item_says_why_it_failed() {
    let bed = bed(8).await;
    let wrong = credential(&bed.sandbox.facts().application_id, Some("wrong"), None);
    let items = |bed: &Bed| -> Vec<Request> {
        (0..8)
            .flat_map(|n| [item(&bed.tenant(n), GRAPH), item(&bed.tenant(n), PARTNER_CENTER)])
            .collect()
    };
    let answers = in_turn(&bed, &wrong, items(&bed)).await;
    assert_eq!((answers.records.len(), answers.failures.len()), (0, 16));
    assert_eq!(bed.requests(), 5, "two for each of two tenants, one for the third");
    for (at, (target, error)) in answers.failures.iter().enumerate() {
        let tenant = bed.tenant(at / 2);
        assert_eq!(target.get("tenant").and_then(Value::as_text), Some(tenant.as_str()));
        assert_eq!((error.kind(), code(error)), (Kind::NotSignedIn, "AADSTS7000215"));
        assert_eq!(error.tenant(), tenant);
        assert_eq!(error.advice(), answers.failures[0].1.advice());
        assert_eq!(error.id() == "CredentialRefused", at >= 5, "{at}: {error}");
    }
    let (unsent, first) = (&answers.failures[15].1, &answers.failures[0].1);
    assert!(
        unsent.message().contains("was not asked for") && unsent.message().contains(&bed.tenant(0)),
        "{unsent}"
    );
    assert_eq!(unsent.service().unwrap().trace_id, first.service().unwrap().trace_id);
    assert_eq!(
        (
            unsent.service().unwrap().http_status,
            unsent.service().unwrap().body.as_str()
        ),
        (0, "")
    );
    // Nothing is remembered beyond the command: the secret may have become known in the meantime.
    in_turn(&bed, &wrong, items(&bed)).await;
    assert_eq!(bed.requests(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_refresh_token_and_an_expired_secret_are_not_offered_on_either() {
    for (change, code_of_it) in [
        (json!({"refreshToken": "expired"}), "AADSTS700082"),
        (json!({"refreshToken": "revoked"}), "AADSTS50173"),
        (json!({"secretExpired": true}), "AADSTS7000222"),
    ] {
        let bed = bed(6).await;
        let user = bed.user();
        let kept = bed.ask(&user, item(&bed.tenant(5), GRAPH)).await;
        bed.sandbox.control().set_application(change).unwrap();
        bed.sandbox.control().reset_stats();
        let answers = in_turn(&bed, &user, (0..6).map(|n| item(&bed.tenant(n), GRAPH)).collect()).await;
        assert_eq!((answers.failures.len(), bed.requests()), (5, 3), "{code_of_it}");
        assert!(answers.failures.iter().all(|(_, error)| code(error) == code_of_it));
        let still = answers.records[0].get("accessToken").and_then(Value::as_text);
        assert_eq!(still, Some(kept.token()), "what is cached is still good");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_own_refusal_stops_no_other() {
    for (error, number) in [
        ("unauthorized_client", 700016),
        ("invalid_client", 7000229),
        ("invalid_grant", 65001),
        ("invalid_grant", 70043),
        ("interaction_required", 53003),
        ("invalid_client", 999_999),
    ] {
        let bed = bed(6).await;
        bed.answer_with(-1, 400, json!({}), &refusal(error, number));
        let answers = in_turn(&bed, &bed.user(), (0..6).map(|n| item(&bed.tenant(n), GRAPH)).collect()).await;
        assert_eq!((answers.failures.len(), bed.requests()), (6, 6), "{error} {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_between_says_that_the_credential_is_good() {
    let bed = bed(6).await;
    // A secret that is a minute old: some nodes know it.
    for skip in [0, 1] {
        bed.fault(json!({
            "id": format!("late{skip}"), "match": {"service": "login", "method": "POST"}, "times": 2, "skip": skip,
            "action": {"kind": "status", "status": 401, "body": refusal("invalid_client", 7000215)},
        }));
    }
    let answers = in_turn(&bed, &bed.user(), (0..6).map(|n| item(&bed.tenant(n), GRAPH)).collect()).await;
    assert_eq!(
        (answers.records.len(), answers.failures.len(), bed.requests()),
        (2, 4, 6)
    );
}
