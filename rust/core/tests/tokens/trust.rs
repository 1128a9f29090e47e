//! Whom an environment trusts, and what environments there are.

use crate::support::*;
use secureapp_core::{immediate, Field, Kind, Operation, Request, Value};

async fn ask_in(bed: &Bed, name: &str) -> Answers {
    let mut request = bed.request(&bed.user(), &[]);
    request.set("environment", Field::Text(name.to_owned()));
    let operation = Operation::start(&bed.session, request).unwrap();
    operation.submit(item(&bed.tenant(0), GRAPH)).unwrap();
    operation.finish_input();
    finish(&operation).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_an_unknown_authority_is_not_trusted() {
    let bed = bed(1).await;
    immediate(&bed.engine, &environment("Unknown", &bed.sandbox, None)).unwrap();
    let answers = ask_in(&bed, "unknown").await;
    assert_eq!(answers.error().kind(), Kind::Network);
    assert!(
        answers.error().message().contains("is not trusted"),
        "{}",
        answers.error().message()
    );
    assert!(answers
        .error()
        .advice()
        .contains("Add-SecureAppEnvironment -CertificatePath"));
    assert_eq!(bed.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_of_one_environment_is_worth_nothing_in_another() {
    let other = sandbox(1).await;
    let bed = bed(1).await;
    // Each host is certified by its own sandbox's authority, and each environment knows the other's.
    immediate(&bed.engine, &environment("Crossed", &bed.sandbox, Some(other.ca_pem()))).unwrap();
    ask_in(&bed, CLOUD).await.record();
    let answers = ask_in(&bed, "Crossed").await;
    assert!(
        answers.error().message().contains("is not trusted"),
        "{}",
        answers.error().message()
    );
    immediate(&bed.engine, &environment("Other", &other, Some(other.ca_pem()))).unwrap();
    ask_in(&bed, "Other").await.record();
    let answers = ask_in(&bed, "Crossed").await;
    assert!(
        answers.error().message().contains("is not trusted"),
        "still: the pools are apart"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_read_is_refused_when_it_is_given() {
    let bed = bed(1).await;
    for pem in [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let error = immediate(&bed.engine, &environment("Bad", &bed.sandbox, Some(pem))).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(
            error.message().contains("certificate given for the environment Bad"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_listed_found_and_removed_by_name() {
    let bed = bed(1).await;
    let call = |request: Request| immediate(&bed.engine, &request);
    let named = |kind: &str, name: &str| Request::new(kind).with("name", Field::Text(name.to_owned()));
    let Value::List(all) = call(Request::new("environment.list")).unwrap() else {
        panic!("a list")
    };
    let names: Vec<&str> = all.iter().filter_map(|one| one.get("name")?.as_text()).collect();
    assert_eq!(names, ["China", CLOUD, "Public", "USGov", "USGovDoD", "USGovGCC"]);
    let public = call(named("environment.get", "PUBLIC")).unwrap();
    assert_eq!(
        public.get("endpoints").unwrap().get("login").unwrap().as_text(),
        Some("https://login.microsoftonline.com")
    );
    let cloud = call(named("environment.get", CLOUD)).unwrap();
    assert_eq!(
        cloud.get("resources").unwrap().get("graph").unwrap().as_text(),
        Some(GRAPH),
        "the public names"
    );
    let china = call(named("environment.get", "china")).unwrap();
    assert!(matches!(
        china.get("endpoints").unwrap().get("manage"),
        Some(Value::Null)
    ));
    assert!(call(named("environment.remove", "Public")).is_err());
    assert!(call(environment("public", &bed.sandbox, None).with("force", Field::Int(1))).is_err());
    call(named("environment.remove", "cLoud")).unwrap();
    let error = call(named("environment.get", CLOUD)).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.advice().contains("USGovGCC"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_https_hosts_are_taken() {
    let bed = bed(1).await;
    for host in [
        "http://login.example",
        "https://user:password@login.example",
        "https://login.example?x=1",
        "https://login.example/tenant",
        "https://",
        "ftp://x",
    ] {
        let request = Request::new("environment.add")
            .with("name", Field::Text("Bad".into()))
            .with("loginHost", Field::Text(host.into()));
        let error = immediate(&bed.engine, &request).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{host}");
        assert!(!error.message().contains("password@"), "{}", error.message());
    }
    let plain = Request::new("environment.add")
        .with("name", Field::Text("Plain".into()))
        .with("loginHost", Field::Text("login.example:8443/".into()));
    let added = immediate(&bed.engine, &plain).unwrap();
    assert_eq!(
        added.get("endpoints").unwrap().get("login").unwrap().as_text(),
        Some("https://login.example:8443")
    );
}
