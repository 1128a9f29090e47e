//! A service, or what is in between, that does not do as it should.

use crate::support::*;
use secureapp_core::{engine, immediate, Engine, Event, Field, HttpOptions, Kind, Next, Operation, Request, Submitted};
use serde_json::json;
use std::time::Duration;

fn fault(bed: &Bed, times: i64, action: serde_json::Value) {
    bed.fault(
        json!({"id": "fault", "match": {"service": "login", "method": "POST"}, "times": times, "action": action}),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_passes_or_is_named() {
    let bed = bed(2).await;
    // The service is known to send 429 without a body that can be read.
    bed.answer_with(3, 429, json!({}), "Too many requests");
    bed.ask(&bed.application(), item(&bed.tenant(0), GRAPH)).await.record();
    assert_eq!(bed.requests(), 4);
    bed.sandbox.control().reset_stats();
    bed.answer_with(-1, 429, json!({}), "<html>429</html>");
    let answers = bed.ask(&bed.application(), item(&bed.tenant(1), GRAPH)).await;
    assert_eq!(answers.error().kind(), Kind::Throttled);
    assert!(answers.error().advice().contains("ThrottleLimit"));
    assert_eq!(bed.requests(), 5, "one and four repeats");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_retry_after_is_kept_without_asking() {
    let bed = bed(2).await;
    bed.answer_with(1, 429, json!({"Retry-After": "900"}), "");
    let user = bed.user();
    let first = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(first.error().retry_after(), Some(Duration::from_secs(900)));
    let second = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(second.error().kind(), Kind::Throttled);
    assert!(second
        .error()
        .retry_after()
        .is_some_and(|wait| wait <= Duration::from_secs(900)));
    assert_eq!(bed.requests(), 1, "the second was answered here");
    bed.ask(&user, item(&bed.tenant(1), GRAPH)).await.record();
    bed.engine.clock().advance_ms(901_000);
    bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.record();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_retry_after_is_waited_for() {
    let bed = bed(1).await;
    bed.answer_with(1, 503, json!({"Retry-After": "0"}), "");
    bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await.record();
    assert_eq!(bed.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_change_is_asked_once() {
    let bed = bed(1).await;
    for status in [400, 401, 403, 404] {
        bed.sandbox.control().reset_stats();
        bed.answer_with(
            1,
            status,
            json!({}),
            r#"{"error":"invalid_grant","error_description":"AADSTS1: no"}"#,
        );
        assert!(!bed
            .ask(&bed.user(), item(&bed.tenant(0), GRAPH))
            .await
            .error()
            .is_retryable());
        assert_eq!(bed.requests(), 1, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_token_outlives_a_failed_refresh() {
    let bed = bed(1).await;
    let user = bed.user();
    let first = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    bed.engine.clock().advance_ms(56 * 60_000);
    bed.answer_with(-1, 503, json!({}), "");
    bed.sandbox.control().reset_stats();
    assert_eq!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
    let tried = bed.requests();
    assert_eq!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
    assert_eq!(bed.requests(), tried, "a service in trouble is not asked again at once");
    bed.engine.clock().advance_ms(5 * 60_000);
    assert_eq!(
        bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.error().kind(),
        Kind::Server
    );
    bed.sandbox.control().clear_faults();
    assert_ne!(bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.token(), first.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_hidden_by_a_valid_token() {
    let bed = bed(1).await;
    let user = bed.user();
    bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.record();
    bed.engine.clock().advance_ms(56 * 60_000);
    bed.sandbox
        .control()
        .set_application(json!({"refreshToken": "revoked"}))
        .unwrap();
    assert_eq!(
        bed.ask(&user, item(&bed.tenant(0), GRAPH)).await.error().kind(),
        Kind::NotSignedIn
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_json_is_named() {
    let bed = bed(1).await;
    for (action, words) in [
        (json!({"kind": "html"}), "web page instead of JSON"),
        (json!({"kind": "html", "status": 403}), "web page instead of JSON"),
        (json!({"kind": "garbage"}), "not the expected JSON"),
        (json!({"kind": "status", "status": 200, "body": ""}), "empty body"),
        (
            json!({"kind": "status", "status": 200, "body": "{}"}),
            "no 'access_token'",
        ),
        (
            json!({"kind": "status", "status": 200, "body": r#"{"access_token":"opaque"}"#}),
            "no 'expires_in'",
        ),
        (
            json!({"kind": "status", "status": 302, "headers": {"Location": "https://elsewhere.example"}}),
            "empty body",
        ),
    ] {
        fault(&bed, 1, action);
        let answers = bed.ask(&bed.user(), item(&bed.tenant(0), GRAPH)).await;
        assert_eq!(answers.error().kind(), Kind::Protocol, "{words}");
        assert!(
            answers.error().message().contains(words),
            "{} / {words}",
            answers.error().message()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_is_asked_for_again() {
    let bed = bed(1).await;
    for action in [
        json!({"kind": "truncate", "bytes": 100, "close": "abort"}),
        json!({"kind": "truncate", "bytes": 100, "close": "cancel"}),
        json!({"kind": "reset"}),
    ] {
        bed.sandbox.control().reset_stats();
        fault(&bed, 1, action.clone());
        bed.ask_with(&bed.user(), &["forceRefresh"], item(&bed.tenant(0), GRAPH))
            .await
            .record();
        assert_eq!(bed.requests(), 2, "{action}");
        fault(&bed, -1, action.clone());
        let answers = bed
            .ask_with(&bed.user(), &["forceRefresh"], item(&bed.tenant(0), GRAPH))
            .await;
        // Whether it breaks before the first byte or behind some is up to the network; it breaks in any case.
        let message = answers.error().message();
        assert_eq!(answers.error().kind(), Kind::Network, "{action}: {message}");
        assert!(message.contains(" broke "), "{action}: {message}");
        bed.sandbox.control().clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_short_unnoticed_is_no_token() {
    let bed = bed(1).await;
    let user = bed.user();
    let whole = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    fault(&bed, 2, json!({"kind": "truncate", "bytes": 100, "close": "clean"}));
    let cut = bed
        .ask_with(&user, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_eq!(cut.error().kind(), Kind::Protocol);
    assert!(
        cut.error().message().contains("ends too early"),
        "{}",
        cut.error().message()
    );
    bed.engine.clock().advance_ms(56 * 60_000);
    let kept = bed.ask(&user, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(kept.token(), whole.token(), "the token that is still valid serves on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_there_is_named() {
    let bed = bed(1).await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for (host, words) in [
        (format!("https://127.0.0.1:{closed}"), "refused the connection"),
        ("https://no-such-host.invalid".to_owned(), "could not be found"),
    ] {
        let request = Request::new("environment.add")
            .with("name", Field::Text("Dead".into()))
            .with("loginHost", Field::Text(host))
            .with("force", Field::Int(1));
        immediate(&bed.engine, &request).unwrap();
        let mut start = bed.request(&bed.user(), &[]);
        start.set("environment", Field::Text("dead".into()));
        let operation = secureapp_core::Operation::start(&bed.session, start).unwrap();
        operation.submit(item(&bed.tenant(0), GRAPH)).unwrap();
        operation.finish_input();
        let answers = finish(&operation).await.unwrap();
        assert_eq!(answers.error().kind(), Kind::Network);
        assert!(
            answers.error().message().contains(words),
            "{}",
            answers.error().message()
        );
        assert!(!answers.error().advice().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stays_silent_is_named() {
    for stage in ["before-headers", "mid-body"] {
        let sandbox = sandbox(1).await;
        let http = HttpOptions {
            first_backoff: Duration::from_millis(5),
            read_timeout: Duration::from_millis(200),
            ..HttpOptions::default()
        };
        let engine = Engine::with_options(tokio::runtime::Handle::current(), engine::Options { http });
        let bed = bed_with(sandbox, engine);
        bed.hold(stage, -1);
        let answers = bed.ask(&bed.application(), item(&bed.tenant(0), GRAPH)).await;
        assert_eq!(answers.error().kind(), Kind::Timeout, "{:?}", answers.error());
        assert!(answers.error().is_retryable());
    }
}

/// A pipeline's retries are few, however many tenants it is for: a service in trouble is not asked five times as often.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_one_stock_of_retries() {
    let bed = bed(100).await;
    for status in [503, 429] {
        bed.sandbox.control().reset_stats();
        bed.answer_with(-1, status, json!({}), "");
        let items = (0..100).map(|index| item(&bed.tenant(index), GRAPH)).collect();
        let answers = finish(&bed.begin(&bed.application(), &[], items)).await.unwrap();
        assert_eq!(answers.failures.len(), 100, "each tenant has its own error");
        assert_eq!(bed.requests(), 100 + 40, "HTTP {status}");
        // The next command has its own.
        bed.sandbox.control().reset_stats();
        bed.ask(&bed.application(), item(&bed.tenant(0), GRAPH)).await.error();
        assert_eq!(bed.requests(), 5, "HTTP {status}");
        bed.sandbox.control().clear_faults();
    }
}

/// A flight is everybody's who waits for it: one command's empty stock is not another one's failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_flight_spends_what_any_of_its_askers_has() {
    let bed = bed(20).await;
    let application = bed.application();
    bed.hold("before-headers", 1);
    let first = Operation::start(&bed.session, bed.request(&application, &["verbose"])).unwrap();
    assert_eq!(first.submit(item(&bed.tenant(0), GRAPH)).unwrap(), Submitted::Taken);
    bed.held("held", 1).await;
    let second = bed.begin(&application, &["verbose"], vec![item(&bed.tenant(0), GRAPH)]);
    loop {
        match second.next().await.unwrap() {
            Next::Event(Event::Verbose(line)) if line.starts_with("Waiting for the token") => break,
            Next::Event(_) => {}
            Next::Done => panic!("it did not wait"),
        }
    }
    // The first one spends all it has on other tenants.
    bed.answer_with(-1, 503, json!({}), "");
    for index in 1..20 {
        assert_eq!(first.submit(item(&bed.tenant(index), GRAPH)).unwrap(), Submitted::Taken);
    }
    first.finish_input();
    let mut failures = 0;
    while failures < 19 {
        match first.next().await.unwrap() {
            Next::Event(Event::Failed(_)) => failures += 1,
            Next::Event(_) => {}
            Next::Done => panic!("the held one has not answered"),
        }
    }
    // The connection of the held request breaks, and the host is gone.
    let Bed { sandbox, engine, .. } = bed;
    drop(sandbox);
    let answers = finish(&first).await.unwrap();
    assert_eq!(answers.error().kind(), Kind::Network);
    let again = |event: &&Event| matches!(event, Event::Verbose(line) if line.starts_with("Asking again"));
    assert!(answers.events.iter().any(|event| again(&event)), "{:?}", answers.events);
    assert_eq!(finish(&second).await.unwrap().error().kind(), Kind::Network);
    drop(engine);
}
