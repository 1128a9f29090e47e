//! What is asked, what comes back, and what is said when nothing does.

use crate::support::*;
use secureapp_core::{Event, Field, Kind, Request, Value};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_serves_every_tenant_and_resource() {
    let bed = bed(2).await;
    let before = bed.engine.clock().now_ms();
    let v1 = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(v1.text("tenantId"), bed.tenant(0));
    assert_eq!(v1.text("resource"), GRAPH);
    assert_eq!(v1.text("tokenType"), "Bearer");
    assert_eq!(v1.text("applicationId"), bed.sandbox.facts().application_id);
    assert_eq!(v1.text("account"), bed.sandbox.facts().user_principal_name);
    let expires = v1.record().get("expiresOn").and_then(Value::as_i64).unwrap();
    let after = bed.engine.clock().now_ms();
    assert!(
        (before + 3_590_000..=after + 3_600_000).contains(&expires),
        "{}",
        expires - before
    );

    let v2 = bed
        .ask(
            &bed.user(),
            scoped(&bed.tenant(1), &["https://graph.microsoft.com/.default"]),
        )
        .await;
    assert_eq!(v2.text("tenantId"), bed.tenant(1));
    assert!(matches!(v2.record().get("resource"), Some(Value::Null)));
    assert!(matches!(v2.record().get("scopes"), Some(Value::List(scopes)) if scopes.len() == 1));
    assert!(v2.record().get("refreshToken").is_none(), "only when asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_written_as_texts_are_numbers() {
    let bed = bed(1).await;
    bed.sandbox
        .control()
        .set_application(json!({"v2NumbersAsStrings": true}))
        .unwrap();
    let before = bed.engine.clock().now_ms();
    let answers = bed.ask(&bed.user(), scoped(&bed.tenant(0), &["User.Read"])).await;
    let expires = answers.record().get("expiresOn").and_then(Value::as_i64).unwrap();
    assert!(expires >= before + 3_590_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_its_tenant_and_is_looked_up_once() {
    let bed = bed(1).await;
    let first = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    for _ in 0..3 {
        let answers = bed.ask(&bed.user(), item(&bed.domain(0).to_uppercase(), GRAPH)).await;
        assert_eq!(answers.token(), first.token());
        assert_eq!(answers.text("tenantId"), bed.tenant(0));
    }
    assert_eq!(bed.asked(), 1);
    assert_eq!(bed.requests(), 2, "one token, one lookup");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_acts_for_itself() {
    let bed = bed(1).await;
    let own = bed.ask(&bed.application(), item(&bed.tenant(0), GRAPH)).await;
    assert!(matches!(own.record().get("account"), Some(Value::Null)));
    let app_only = bed
        .ask_with(&bed.user(), &["appOnly"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_eq!(
        own.token(),
        app_only.token(),
        "the same application with the same secret"
    );
    let user = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    assert_ne!(own.token(), user.token());
    assert_eq!(bed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_name_gives_the_home_tenants_token() {
    let bed = bed(1).await;
    let answers = bed.ask(&bed.user(), item("organizations", GRAPH)).await;
    assert_eq!(answers.text("tenantId"), bed.sandbox.facts().partner_tenant_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_not_sent() {
    let bed = bed(1).await;
    let (user, application) = (bed.user(), bed.application());
    let token_only = credential(&bed.sandbox.facts().application_id, None, Some("token"));
    let tenant = bed.tenant(0);
    for (who, flags, item, words) in [
        (
            &user,
            &[][..],
            item("contoso", GRAPH),
            "neither a tenant id nor a domain",
        ),
        (&user, &[], item("", GRAPH), "tenant is empty"),
        (&user, &[], item(&tenant, " "), "resource is empty"),
        (
            &user,
            &[],
            item(&tenant, "https://graph.microsoft.com/.default"),
            "is a scope",
        ),
        (
            &user,
            &[],
            scoped(&tenant, &["User.Read", "https://manage.office.com/ActivityFeed.Read"]),
            "different resources",
        ),
        (&user, &["appOnly"], scoped(&tenant, &["User.Read"]), "named scopes"),
        (&application, &[], scoped(&tenant, &["User.Read"]), "named scopes"),
        (&application, &[], item("common", GRAPH), "'common' is no tenant"),
        (
            &application,
            &[],
            item("organizations", GRAPH),
            "'organizations' is no tenant",
        ),
        (&application, &[], item("consumers", GRAPH), "'consumers' is no tenant"),
        (&token_only, &["appOnly"], item(&tenant, GRAPH), "has no secret"),
        (
            &user,
            &[],
            item(&tenant, GRAPH).with("scopes", Field::Texts(vec!["User.Read".into()])),
            "not for both",
        ),
        (
            &user,
            &[],
            item(&tenant, GRAPH).with("tennant", Field::Int(1)),
            "tennant",
        ),
    ] {
        let answers = bed.ask_with(who, flags, item).await;
        let error = answers.error();
        assert_eq!(error.kind(), Kind::InvalidInput, "{error:?}");
        assert!(error.message().contains(words), "{error:?} should say '{words}'");
    }
    assert_eq!(bed.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_happened_and_what_to_do() {
    let bed = bed(6).await;
    let facts = bed.sandbox.facts();
    let control = bed.sandbox.control();
    control
        .set_tenant(&bed.tenant(1), json!({"consent": "missing"}))
        .unwrap();
    control.set_tenant(&bed.tenant(2), json!({"gdap": false})).unwrap();
    control
        .set_tenant(&bed.tenant(3), json!({"mfaRequired": true}))
        .unwrap();
    control
        .set_tenant(&bed.tenant(4), json!({"conditionalAccess": true}))
        .unwrap();
    control
        .set_tenant(&bed.tenant(5), json!({"servicePrincipal": false}))
        .unwrap();
    let user = bed.user();
    let wrong = credential(&facts.application_id, Some("wrong"), Some(&facts.refresh_token));
    let secret_id = credential(&facts.application_id, Some(NOBODY), Some(&facts.refresh_token));
    let other_application = credential(NOBODY, Some(&facts.secret), None);
    for (who, item, kind, code, advice) in [
        (
            &user,
            item(NOBODY, GRAPH),
            Kind::NotFound,
            "AADSTS90002",
            "another cloud than Cloud",
        ),
        (
            &user,
            item("nobody.example", GRAPH),
            Kind::NotFound,
            "AADSTS90002",
            "spelling of nobody.example",
        ),
        (
            &user,
            item(&bed.tenant(0), "https://nothing.example"),
            Kind::NotFound,
            "AADSTS500011",
            "licence",
        ),
        (
            &wrong,
            item(&bed.tenant(0), GRAPH),
            Kind::NotSignedIn,
            "AADSTS7000215",
            "not its ID",
        ),
        (
            &secret_id,
            item(&bed.tenant(0), GRAPH),
            Kind::NotSignedIn,
            "AADSTS7000215",
            "it is the secret's ID",
        ),
        (
            &other_application,
            item(&bed.tenant(0), GRAPH),
            Kind::NotSignedIn,
            "AADSTS700016",
            "/adminconsent?client_id=",
        ),
        (
            &user,
            item(&bed.tenant(1), GRAPH),
            Kind::NotSignedIn,
            "AADSTS65001",
            "Grant-SecureAppConsent -TenantId",
        ),
        (
            &user,
            item(&bed.tenant(1), "https://manage.office.com"),
            Kind::NotSignedIn,
            "AADSTS65001",
            "has the permission ActivityFeed.Read of Office 365 Management APIs, then consent",
        ),
        (
            &user,
            item(&bed.tenant(1), "https://outlook.office365.com/"),
            Kind::NotSignedIn,
            "AADSTS65001",
            "has the permission Exchange.Manage of Office 365 Exchange Online, then consent",
        ),
        (
            &user,
            item(&bed.tenant(1), "https://storage.azure.com"),
            Kind::NotSignedIn,
            "AADSTS65001",
            "has the API's permission, then consent",
        ),
        (
            &user,
            item(&bed.tenant(2), GRAPH),
            Kind::NotSignedIn,
            "AADSTS50020",
            "GDAP",
        ),
        (
            &user,
            item(&bed.tenant(3), GRAPH),
            Kind::NotSignedIn,
            "AADSTS50076",
            "multifactor",
        ),
        (
            &user,
            item(&bed.tenant(4), GRAPH),
            Kind::NotSignedIn,
            "AADSTS53003",
            "sign-in log",
        ),
        (
            &user,
            item(&bed.tenant(5), GRAPH),
            Kind::NotSignedIn,
            "AADSTS700016",
            &facts.application_id,
        ),
    ] {
        let answers = bed.ask(who, item).await;
        let error = answers.error();
        let service = error.service().expect("the service said something");
        assert_eq!((error.kind(), service.code.as_str()), (kind, code), "{error:?}");
        assert!(
            error.advice().contains(advice),
            "{code}: '{}' should hold '{advice}'",
            error.advice()
        );
        assert!(!error.advice().contains('{'), "{}", error.advice());
        assert!(error.message().contains(code), "{}", error.message());
        assert!(!error.tenant().is_empty() && !service.trace_id.is_empty() && !service.correlation_id.is_empty());
        assert!(!service.timestamp.is_empty() && !service.error.is_empty() && service.http_status >= 400);
        let target = &answers.failures[0].0;
        assert_eq!(target.get("tenant").and_then(Value::as_text), Some(error.tenant()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_refresh_token_is_named() {
    let bed = bed(1).await;
    for (health, code) in [("expired", "AADSTS700082"), ("revoked", "AADSTS50173")] {
        bed.sandbox
            .control()
            .set_application(json!({"refreshToken": health}))
            .unwrap();
        let answers = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
        assert_eq!(answers.error().service().unwrap().code, code);
        assert!(answers.error().advice().contains("store the new refresh token"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_an_error() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    let escaped: String = url::form_urlencoded::byte_serialize(facts.secret.as_bytes()).collect();
    let body = json!({"error": "invalid_client", "error_description": format!("AADSTS7000215: {} is wrong", facts.secret),
        "echo": format!("client_secret={escaped}&refresh_token={}", facts.refresh_token)});
    bed.answer_with(1, 401, json!({}), &body.to_string());
    let answers = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    let shown = format!(
        "{:?} {:?} {}",
        answers.error(),
        answers.error().to_value(),
        answers.error().advice()
    );
    for secret in [&facts.secret, &escaped, &facts.refresh_token] {
        assert!(!shown.contains(secret.as_str()), "{shown}");
    }
    assert!(answers.error().service().unwrap().body.contains("***"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_named_when_something_is_refused() {
    let bed = bed(1).await;
    let facts = bed.sandbox.facts();
    bed.sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": -1800}))
        .unwrap();
    let wrong = credential(&facts.application_id, Some("wrong"), None);
    let answers = bed.ask(&wrong, item(&bed.tenant(0), GRAPH)).await;
    assert!(
        answers.error().advice().contains("clock is 30 minutes ahead")
            || answers.error().advice().contains("clock is 29 minutes ahead")
    );
    // A token's life counts from now, whatever the service's clock says.
    let before = bed.engine.clock().now_ms();
    let answers = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
    assert!(answers.record().get("expiresOn").and_then(Value::as_i64).unwrap() >= before + 3_590_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_items_stream_with_progress_and_fail_one_by_one() {
    let bed = bed(20).await;
    let mut items: Vec<Request> = (0..20)
        .map(|n| item(&bed.tenant(n), GRAPH).with("item", Field::Int(n as i64)))
        .collect();
    items.push(item(NOBODY, GRAPH).with("item", Field::Int(99)));
    let answers = finish(&bed.begin(&bed.user(), &[], items)).await.unwrap();
    let mut numbers: Vec<i64> = answers
        .records
        .iter()
        .filter_map(|record| record.get("item")?.as_i64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert_eq!(answers.failures[0].0.get("item").and_then(Value::as_i64), Some(99));
    let progress: Vec<_> = answers
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Progress(progress) => Some(progress),
            _ => None,
        })
        .collect();
    assert!(progress
        .last()
        .is_some_and(|last| last.completed && last.id == 0 && last.parent == -1));
    assert!(
        bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH))
            .await
            .events
            .is_empty(),
        "one item has no progress"
    );
}
