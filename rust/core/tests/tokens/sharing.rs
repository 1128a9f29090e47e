//! Who shares a token with whom, and how often the service is asked.

use crate::support::*;
use secureapp_core::{immediate, Field, Request, Submitted, Value};
use serde_json::json;
use std::collections::HashMap;

#[tokio::test(flavor = "multi_thread")]
async fn two_users_of_one_application_share_nothing() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    let second = bed.sandbox.control().add_user("second@partner.example", true);
    let other = credential(&facts.application_id, Some(&facts.secret), Some(&second));
    for _ in 0..2 {
        let a = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
        let b = bed.ask(&other, item(&bed.tenant(0), GRAPH)).await;
        assert_eq!(a.text("account"), facts.user_principal_name);
        assert_eq!(b.text("account"), "second@partner.example");
    }
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_never_works_from_the_cache() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    let right = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    let wrong = credential(&facts.application_id, Some("wrong"), Some(&facts.refresh_token));
    assert_eq!(
        bed.ask(&wrong, item(&bed.tenant(0), GRAPH))
            .await
            .error()
            .service()
            .unwrap()
            .code,
        "AADSTS7000215"
    );
    assert_eq!(
        bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.token(),
        right.token()
    );
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_added_again_is_another_environment() {
    // The same seed makes the same application, secret and user in both.
    let (first, second) = (sandbox(1).await, sandbox(1).await);
    let bed = bed_of(first);
    let ask = || async {
        let user = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
        let application = bed.ask(&bed.application(), item(&bed.domain(0), GRAPH)).await;
        [user.token().to_owned(), application.token().to_owned()]
    };
    let old = ask().await;
    let again = environment(&CLOUD.to_uppercase(), &second, Some(second.ca_pem()));
    assert!(immediate(&bed.engine, &again).is_err(), "not without force");
    let before = bed.requests();
    immediate(&bed.engine, &again.with("force", Field::Int(1))).unwrap();
    let new = ask().await;
    assert!(old.iter().all(|token| !new.contains(token)));
    assert_eq!(bed.requests(), before, "the old hosts were not asked again");
    let requests = second.control().stats()["requests"].as_u64();
    assert_eq!(requests, Some(3), "two tokens and the domain, from the new ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_made_alike_share_and_targets_do_not() {
    let bed = bed(1).await;
    let first = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(
        bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.token(),
        first.token()
    );
    let v2 = bed
        .ask(&bed.user(), scoped(&bed.tenant(0), &["User.Read", "openid"]))
        .await;
    assert_eq!(
        bed.ask(&bed.user(), scoped(&bed.tenant(0), &["openid User.Read"]))
            .await
            .token(),
        v2.token()
    );
    assert_ne!(first.token(), v2.token());
    bed.ask(&bed.user(), item(&bed.tenant(0), PARTNER_CENTER))
        .await
        .record();
    assert_eq!(bed.asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_four_askers_stop_and_the_others_get_the_one_answer() {
    let bed = bed(1).await;
    bed.hold("before-headers", 1);
    let user = bed.user();
    let askers: Vec<_> = (0..4)
        .map(|_| bed.begin(&user, &[], vec![item(&bed.tenant(0), GRAPH)]))
        .collect();
    bed.held("held", 1).await;
    for asker in &askers[..2] {
        asker.cancel();
        assert!(finish(asker).await.unwrap_err().is_cancelled());
    }
    bed.release();
    let third = finish(&askers[2]).await.unwrap();
    assert_eq!(finish(&askers[3]).await.unwrap().token(), third.token());
    assert_eq!(bed.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_pairs_asked_by_four_are_each_asked_once() {
    const TENANTS: usize = 1000;
    let bed = bed(TENANTS).await;
    let user = bed.user();
    let pairs: Vec<(String, &str)> = (0..TENANTS)
        .flat_map(|n| [(bed.tenant(n), GRAPH), (bed.tenant(n), PARTNER_CENTER)])
        .collect();
    let tasks = (0..4).map(|number| {
        let operation = bed.request(&user, &[]);
        let operation = secureapp_core::Operation::start(&bed.session, operation).unwrap();
        let pairs = &pairs;
        async move {
            let feed = async {
                for (tenant, resource) in pairs {
                    while operation.submit(item(tenant, resource))? == Submitted::WouldBlock {
                        tokio::task::yield_now().await;
                    }
                }
                operation.finish_input();
                Ok::<_, secureapp_core::Error>(())
            };
            let read = async {
                if number < 2 {
                    return finish(&operation)
                        .await
                        .map(|answers| (answers.records.len(), answers.failures.len()));
                }
                // Two of them are stopped midway.
                for _ in 0..500 {
                    operation.next().await?;
                }
                operation.cancel();
                finish(&operation).await.map(|answers| (answers.records.len(), 0))
            };
            let (_, read) = futures_util::future::join(feed, read).await;
            (number, read)
        }
    });
    for (number, result) in futures_util::future::join_all(tasks).await {
        if number < 2 {
            assert_eq!(result.unwrap(), (2 * TENANTS, 0));
        } else {
            assert!(result.unwrap_err().is_cancelled());
        }
    }
    let stats = bed.sandbox.control().stats();
    let counts: HashMap<(String, String), u64> = stats["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| {
            let text = |key: &str| token[key].as_str().unwrap().to_owned();
            ((text("tenantId"), text("resource")), token["count"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(counts.len(), 2 * TENANTS);
    assert!(counts.values().all(|count| *count == 1));
    assert!(
        stats["peakInFlight"].as_u64().unwrap() <= 64,
        "{}",
        stats["peakInFlight"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refresh_asks_and_replaces() {
    let bed = bed(1).await;
    let user = bed.user();
    let first = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    let forced = bed
        .ask_with(&user, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_ne!(first.token(), forced.token());
    assert_eq!(
        bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(),
        forced.token()
    );
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refresh_joins_no_flight_that_began_before_it() {
    let bed = bed(1).await;
    let user = bed.user();
    bed.hold("before-headers", 2);
    let ordinary = bed.begin(&user, &[], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 1).await;
    let forced = bed.begin(&user, &["forceRefresh"], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 2).await;
    bed.release();
    let (ordinary, forced) = (finish(&ordinary).await.unwrap(), finish(&forced).await.unwrap());
    assert_ne!(ordinary.token(), forced.token());
    let cached = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(
        cached.token(),
        forced.token(),
        "the later flight's token stays, whichever landed last"
    );
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_sixty_seconds_last_for_three_quarters_of_it() {
    let bed = bed(1).await;
    bed.sandbox
        .control()
        .set_application(json!({"tokenLifetimeSeconds": 60}))
        .unwrap();
    let user = bed.user();
    let first = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    bed.engine.clock().advance_ms(40_000);
    assert_eq!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
    bed.engine.clock().advance_ms(6_000);
    assert_ne!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_an_hour_are_refreshed_five_minutes_early() {
    let bed = bed(1).await;
    let user = bed.user();
    let first = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    bed.engine.clock().advance_ms(54 * 60_000);
    assert_eq!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
    bed.engine.clock().advance_ms(2 * 60_000);
    assert_ne!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_refresh_token_is_the_same_user() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    let home = facts.partner_tenant_id.clone();
    let first = bed
        .ask_with(&bed.user(), &["includeRefreshToken"], item(&home, GRAPH))
        .await;
    let rotated = first.text("refreshToken");
    assert_ne!(rotated, facts.refresh_token);
    let later = credential(&facts.application_id, Some(&facts.secret), Some(rotated));
    assert_eq!(bed.ask(&later, item(&home, GRAPH)).await.token(), first.token());
    assert_eq!(bed.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_access_token_comes_with_the_newest_refresh_token() {
    let bed = bed(1).await;
    let user = bed.user();
    let home = bed.sandbox.facts().partner_tenant_id.clone();
    let ask = |resource: &'static str| bed.ask_with(&user, &["includeRefreshToken"], item(&home, resource));
    let first = ask(GRAPH).await;
    let second = ask(PARTNER_CENTER).await;
    let cached = ask(GRAPH).await;
    assert_eq!((cached.token(), bed.asked()), (first.token(), 2));
    assert_ne!(first.text("refreshToken"), second.text("refreshToken"));
    assert_eq!(cached.text("refreshToken"), second.text("refreshToken"));
    let own = bed
        .ask_with(&user, &["includeRefreshToken", "appOnly"], item(&home, GRAPH))
        .await;
    assert!(matches!(own.record().get("refreshToken"), Some(Value::Null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn single_use_refresh_tokens_are_redeemed_one_after_the_other() {
    let sandbox = sandbox(8).await;
    let engine = engine();
    let environment =
        environment(CLOUD, &sandbox, Some(sandbox.ca_pem())).with("singleUseRefreshTokens", Field::Int(1));
    immediate(&engine, &environment).unwrap();
    let session = engine.session();
    let bed = Bed {
        sandbox,
        engine,
        session,
    };
    bed.sandbox
        .control()
        .set_application(json!({"singleUseRefreshTokens": true}))
        .unwrap();
    let items: Vec<Request> = (0..8).map(|n| item(&bed.tenant(n), GRAPH)).collect();
    let answers = finish(&bed.begin(&bed.user(), &["includeRefreshToken"], items))
        .await
        .unwrap();
    assert_eq!(
        (answers.records.len(), answers.failures.len()),
        (8, 0),
        "{:?}",
        answers.failures
    );
    // A credential made with the first token still finds the newest one.
    bed.ask(&bed.user(), item(&bed.tenant(0), PARTNER_CENTER))
        .await
        .record();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_says_how_long_its_refresh_token_is_good() {
    let bed = bed(1).await;
    let user = bed.user();
    let home = bed.sandbox.facts().partner_tenant_id.clone();
    let is_unknown = || matches!(user.describe().get("refreshTokenExpiresOn"), Some(Value::Null));
    assert!(is_unknown());
    bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.record();
    assert!(
        is_unknown(),
        "what a customer's tenant gives is not kept, and the age of what is kept is not known"
    );
    bed.ask(&user, item(&home, GRAPH)).await.record();
    let expires = user
        .describe()
        .get("refreshTokenExpiresOn")
        .and_then(Value::as_i64)
        .unwrap();
    let ninety_days = 90 * 86_400_000;
    assert!((expires - bed.engine.clock().now_ms() - ninety_days).abs() < 60_000);
}
