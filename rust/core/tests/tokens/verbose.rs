//! What is told while tokens are asked for, and to whom.

use crate::support::*;
use secureapp_core::{Event, Next};
use serde_json::json;

fn lines(answers: &Answers) -> (Vec<&str>, Vec<&str>) {
    let (mut verbose, mut debug) = (Vec::new(), Vec::new());
    for event in &answers.events {
        match event {
            Event::Verbose(text) => verbose.push(text.as_str()),
            Event::Debug(text) => debug.push(text.as_str()),
            _ => {}
        }
    }
    (verbose, debug)
}

fn login(bed: &Bed) -> String {
    bed.sandbox
        .facts()
        .endpoints
        .login
        .trim_start_matches("https://")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_once_to_whoever_reads() {
    let bed = bed(1).await;
    let (domain, guid, login) = (bed.domain(0), bed.tenant(0), login(&bed));
    bed.answer_with(1, 429, json!({"Retry-After": "0"}), "slow down");
    let first = bed.ask_with(&bed.user(), &["verbose"], item(&domain, GRAPH)).await;
    let (verbose, debug) = lines(&first);
    let subject = format!("{GRAPH} in {domain}");
    let expected = [
        format!("{domain} is the tenant {guid}"),
        format!("Asking {login} for a token for {subject} (refresh_token)"),
        "Asking again in 0.0 s (1 of 4): ".to_owned() + &login + " answered HTTP 429 and asked to wait 0 s",
        format!("The token for {subject} came after "),
    ];
    assert_eq!(verbose.len(), expected.len(), "{verbose:?}");
    for (line, expected) in verbose.iter().zip(&expected) {
        assert!(line.starts_with(expected), "'{line}' should begin with '{expected}'");
    }
    assert!(verbose[3].contains(" ms, good until 2"), "{}", verbose[3]);
    assert!(debug.is_empty());

    let cached = bed.ask_with(&bed.user(), &["verbose"], item(&domain, GRAPH)).await;
    let (verbose, _) = lines(&cached);
    assert!(
        verbose[0].starts_with(&format!("The token for {subject} is in the cache, good until 2")),
        "{verbose:?}"
    );
    assert_eq!((verbose.len(), cached.token()), (1, first.token()));

    let silent = bed.ask_with(&bed.user(), &["forceRefresh"], item(&domain, GRAPH)).await;
    assert_eq!(lines(&silent), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_is_told_without_queries_and_bodies() {
    let bed = bed(1).await;
    let answers = bed.ask_with(&bed.user(), &["debug"], item(&bed.domain(0), GRAPH)).await;
    let (verbose, debug) = lines(&answers);
    assert!(verbose.is_empty());
    assert_eq!(debug.len(), 2, "{debug:?}");
    let posted = format!(
        "POST https://{}/{}/oauth2/token: HTTP 200, client-request-id ",
        login(&bed),
        bed.tenant(0)
    );
    assert!(
        debug[1].starts_with(&posted) && debug[1].contains("x-ms-request-id"),
        "{}",
        debug[1]
    );
    assert!(debug[1].ends_with(" ms"), "{}", debug[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_a_request_is_told_that_it_waits() {
    let bed = bed(1).await;
    bed.hold("before-headers", 1);
    let first = bed.begin(&bed.user(), &["verbose"], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 1).await;
    let second = bed.begin(&bed.user(), &["verbose"], vec![item(&bed.tenant(0), GRAPH)]);
    let Ok(Next::Event(Event::Verbose(joined))) = second.next().await else {
        panic!("it is told while it waits");
    };
    let tenant = bed.tenant(0);
    assert_eq!(
        joined,
        format!("Waiting for the token for {GRAPH} in {tenant}, which is being asked for")
    );
    bed.release();
    assert!(lines(&finish(&second).await.unwrap()).0.is_empty());
    assert_eq!(lines(&finish(&first).await.unwrap()).0.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_line() {
    let bed = bed(2).await;
    let facts = bed.sandbox.facts();
    let listening = ["verbose", "debug", "includeRefreshToken"];
    bed.answer_with(2, 503, json!({}), "later");
    let mut told = String::new();
    let mut secrets = vec![facts.secret.clone(), facts.refresh_token.clone()];
    for (credential, tenant) in [(bed.user(), bed.domain(0)), (bed.application(), bed.tenant(1))] {
        for resource in [GRAPH, GRAPH, PARTNER_CENTER] {
            let answers = bed.ask_with(&credential, &listening, item(&tenant, resource)).await;
            let (verbose, debug) = lines(&answers);
            told += &(verbose.join("\n") + "\n" + &debug.join("\n") + "\n");
            secrets.extend([answers.token().to_owned(), answers.text("refreshToken").to_owned()]);
        }
    }
    let wrong = credential(&facts.application_id, Some("wrong-Secret-1"), Some("wrong-Refresh-2"));
    secrets.extend(["wrong-Secret-1".to_owned(), "wrong-Refresh-2".to_owned()]);
    let refused = bed.ask_with(&wrong, &listening, item(&bed.tenant(0), GRAPH)).await;
    let (verbose, debug) = lines(&refused);
    told += &(verbose.join("\n") + "\n" + &debug.join("\n"));
    assert!(told.lines().count() > 12, "{told}");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!told.contains(secret.as_str()), "{told}");
    }
}
