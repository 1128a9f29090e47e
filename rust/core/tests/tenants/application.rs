//! Registering applications: the plan, its changes, a second run, and what goes wrong.

use crate::registration::{administrator, changing, run, texts, wanted, world, Answer, TOOLS};
use crate::support::{text, World};
use secureapp_core::credential::Credential;
use secureapp_core::{Field, Kind, Request, Value};
use secureapp_sandbox::Preset;
use serde_json::json;
use std::sync::Arc;

fn whole() -> Vec<(&'static str, Field)> {
    vec![
        ("profiles", texts(&["Partner", "Audit", "ExchangeAutomation"])),
        ("roles", texts(&["Exchange Administrator"])),
        ("configurePreconsent", Field::Int(1)),
        ("grantAdminConsent", Field::Int(1)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_nobody_agrees_to_sends_no_changing_request() {
    let world = world(Preset::Empty).await;
    let run = run(&world, wanted(&world, &whole()), Answer::None).await;
    run.end.as_ref().expect("it ends well");
    assert!(run.result.is_none() && run.plan.len() > 10, "{:?}", run.plan);
    assert_eq!(changing(&world), 0);
    assert!(world.requests("GET /v1.0") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_works_and_a_second_run_changes_nothing() {
    let world = world(Preset::Empty).await;
    let first = run(&world, wanted(&world, &whole()), Answer::All).await;
    first.end.as_ref().expect("it ends well");
    assert!(first.failures.is_empty(), "{:?}", first.failures);
    assert_eq!(first.list("created"), first.plan, "all of the plan, in its order");
    assert!(
        first.warnings.iter().any(|text| text.contains("GDAP")),
        "{:?}",
        first.warnings
    );
    let credential = first.credential.clone().expect("a credential");
    assert!(!format!("{:?}", first.result).contains("secretText"));
    assert_eq!(credential.application_id(), first.id());

    let before = changing(&world);
    let second = run(&world, wanted(&world, &whole()), Answer::All).await;
    second.end.as_ref().expect("it ends well");
    assert_eq!(
        (second.plan.len(), changing(&world) - before),
        (0, 0),
        "{:?}",
        second.plan
    );
    assert_eq!(second.id(), first.id());
    assert!(
        second.credential.is_none(),
        "a secret that is there can be read by nobody"
    );
    assert!(second.list("unchanged").len() > 10);
    assert!(second.list("created").is_empty() && second.list("changed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_that_is_wanted_later_is_added_and_nothing_is_taken_away() {
    let world = world(Preset::Empty).await;
    let consent = ("grantAdminConsent", Field::Int(1));
    let first = run(
        &world,
        wanted(&world, &[("profiles", texts(&["Partner"])), consent.clone()]),
        Answer::All,
    )
    .await;
    first.end.as_ref().expect("it ends well");
    let later = [
        ("profiles", texts(&["Audit"])),
        (
            "redirectUris",
            texts(&["https://contoso.example/answer", "urn:ietf:wg:oauth:2.0:oob"]),
        ),
        consent,
    ];
    let second = run(&world, wanted(&world, &later), Answer::All).await;
    assert!(second.failures.is_empty(), "{:?}", second.failures);
    assert_eq!(second.id(), first.id());
    let changed = second.list("changed").join("\n");
    assert!(
        changed.contains("https://contoso.example/answer") && changed.contains("3 delegated and 3 application"),
        "{changed}"
    );
    assert!(
        changed.contains("AuditLog.Read.All"),
        "the consent to Graph grows: {changed}"
    );
    let both = [
        ("profiles", texts(&["Partner", "Audit"])),
        ("grantAdminConsent", Field::Int(1)),
    ];
    let third = run(&world, wanted(&world, &both), Answer::All).await;
    assert!(third.plan.is_empty(), "{:?}", third.plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn replication_is_waited_for_with_progress() {
    let world = world(Preset::Empty).await;
    world.sandbox.control().set_graph(json!({ "replication": 1 })).unwrap();
    let run = run(&world, wanted(&world, &whole()), Answer::All).await;
    assert!(run.failures.is_empty(), "{:?}", run.failures);
    assert!(
        run.warnings.iter().all(|text| !text.contains("could not be tried")),
        "{:?}",
        run.warnings
    );
    assert_eq!(run.list("created"), run.plan);
    let waited = |what: &str| {
        run.progress
            .iter()
            .any(|line| line.contains("waiting") && line.contains(what))
    };
    assert!(
        waited("the new application") && waited("the new service principal") && waited("the new credential"),
        "{:?}",
        run.progress
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_leaves_the_others_and_the_secret() {
    let world = world(Preset::Empty).await;
    world.fault(json!({
        "match": {"service": "graph", "method": "POST", "pathContains": "roleAssignments"},
        "times": -1,
        "action": {"kind": "status", "status": 403, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to complete the operation.\"}}"},
    }));
    let run = run(&world, wanted(&world, &whole()), Answer::All).await;
    let [failure] = &run.failures[..] else {
        panic!("{:?}", run.failures)
    };
    assert_eq!(failure.kind(), Kind::Denied);
    assert!(
        failure.advice().contains("RoleManagement.ReadWrite.Directory")
            && failure.advice().contains("Privileged Role Administrator")
    );
    assert_eq!(run.list("failed"), ["Assign the directory role Exchange Administrator"]);
    assert_eq!(run.list("created").len(), run.plan.len() - 1);
    assert!(run.credential.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_a_declined_change_is_not_tried() {
    let world = world(Preset::Empty).await;
    let run = run(
        &world,
        wanted(&world, &whole()),
        Answer::But("Create the service principal"),
    )
    .await;
    assert!(run.failures.is_empty());
    assert_eq!(run.list("declined"), ["Create the service principal"]);
    assert!(
        run.list("failed")
            .iter()
            .any(|line| line.starts_with("Assign the directory role")),
        "{:?}",
        run.list("failed")
    );
    assert_eq!(
        run.list("created").len(),
        2,
        "the application and its secret: {:?}",
        run.list("created")
    );
}

fn existing(world: &World, fields: &[(&str, Field)]) -> Request {
    let mut request = world
        .request("application_register", &administrator(world, "sam"))
        .with("mustExist", Field::Int(1));
    for (key, field) in fields {
        request.set(*key, field.clone());
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_exist_is_changed_where_it_is_named_and_never_made() {
    let world = world(Preset::Empty).await;
    let name = ("displayName", Field::Text("Contoso SAM".to_owned()));
    let missing = run(
        &world,
        existing(&world, &[name.clone(), ("singleTenant", Field::Int(1))]),
        Answer::All,
    )
    .await;
    let error = missing.end.expect_err("it is not there");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error.advice().contains("New-SecureApp") && error.message().contains("'Contoso SAM'"),
        "{error}"
    );
    assert_eq!(changing(&world), 0);
    let made = run(&world, wanted(&world, &[]), Answer::All).await;

    let more = [
        name.clone(),
        ("newName", Field::Text("Renamed".to_owned())),
        ("redirectUris", texts(&["https://contoso.example/answer"])),
    ];
    let changed = run(&world, existing(&world, &more), Answer::All).await;

    assert_eq!(
        changed.list("changed"),
        ["Change the application: the name 'Renamed', the reply URL https://contoso.example/answer"]
    );
    assert!(changed.credential.is_none() && changed.list("created").is_empty());
    assert_eq!(
        (changed.id(), text(changed.result.as_ref().unwrap(), "displayName")),
        (made.id(), "Renamed")
    );
    let id = ("applicationId", Field::Text(made.id().to_owned()));
    let single = [id.clone(), ("singleTenant", Field::Int(1))];
    let single = run(&world, existing(&world, &single), Answer::All).await;
    assert_eq!(
        single.list("changed"),
        ["Change the application: this organization alone"]
    );
    let permissions = [
        id.clone(),
        ("profiles", texts(&["Audit"])),
        ("grantAdminConsent", Field::Int(1)),
    ];
    let permitted = run(&world, existing(&world, &permissions), Answer::All).await;
    assert!(
        permitted.failures.is_empty() && permitted.list("changed")[0].contains("permissions"),
        "{:?}",
        permitted.plan
    );
    let before = changing(&world);
    let again = run(&world, existing(&world, &permissions), Answer::All).await;
    assert!(again.plan.is_empty() && again.end.is_ok());
    assert_eq!(changing(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_existing_application_does_not_take_is_refused() {
    let world = world(Preset::Empty).await;
    let id = ("applicationId", Field::Text(TOOLS.to_owned()));
    for (field, part) in [
        (("secretDays", Field::Int(9)), "keeps its secrets"),
        (("grantAdminConsent", Field::Int(1)), "no permission was named"),
        (("newName", Field::Text(" ".to_owned())), "display name"),
    ] {
        let error = run(&world, existing(&world, &[id.clone(), field]), Answer::All)
            .await
            .end
            .expect_err(part);
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(part), "{error}");
    }
    let nameless = run(&world, existing(&world, &[]), Answer::All)
        .await
        .end
        .expect_err("which?");
    assert!(nameless.message().contains("no name"), "{nameless}");
    assert_eq!(world.requests(""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_one_name_are_told_apart_by_the_id() {
    let world = world(Preset::Empty).await;
    let first = run(&world, wanted(&world, &[]), Answer::All).await;
    let other = wanted(&world, &[("displayName", Field::Text("Other".to_owned()))]);
    let other = run(&world, other, Answer::All).await;
    let rename = [("applicationId", Field::Text(other.id().to_owned()))];
    let renamed = run(&world, wanted(&world, &rename), Answer::All).await;
    assert_eq!(
        renamed.list("changed"),
        ["Change the application: the name 'Contoso SAM'"]
    );
    let before = changing(&world);
    let unclear = run(&world, wanted(&world, &[]), Answer::All).await;
    let error = unclear.end.expect_err("it is unclear");
    assert_eq!((error.kind(), error.id()), (Kind::InvalidInput, "AmbiguousApplication"));
    assert!(error.message().contains(first.id()) && error.advice().contains("-ApplicationId"));
    assert_eq!(changing(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_what_it_takes() {
    let world = world(Preset::Empty).await;
    let mut request = wanted(&world, &[]);
    let plain = Credential::open(&administrator(&world, "office")).unwrap();
    request.set("credential", Field::Credential(Arc::new(plain)));
    let run = run(&world, request, Answer::All).await;
    assert_eq!(run.failures[0].kind(), Kind::Denied);
    assert!(
        run.failures[0].advice().contains("Application Administrator"),
        "{}",
        run.failures[0].advice()
    );
    assert!(run.list("created").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_before_anything_is_sent() {
    let world = world(Preset::Empty).await;
    for (fields, part) in [
        (vec![("displayName", Field::Text(" ".to_owned()))], "display name"),
        (vec![("profiles", texts(&["Owner"]))], "profile"),
        (
            vec![("profiles", texts(&["Audit"])), ("includeRetired", Field::Int(1))],
            "retired",
        ),
        (
            vec![("profiles", texts(&["Audit"])), ("permissions", texts(&["x"]))],
            "both a profile",
        ),
        (vec![("permissions", texts(&["graph Role x"]))], "GUID"),
        (vec![("roles", texts(&["Contributor"]))], "Contributor"),
        (
            vec![("redirectUris", texts(&["http://contoso.example"]))],
            "localhost alone",
        ),
        (vec![("redirectUris", texts(&["somewhere"]))], "absolute"),
        (vec![("secretDays", Field::Int(0))], "0 days"),
        (vec![("applicationId", Field::Text("x".to_owned()))], "GUID"),
        (vec![("accessToken", Field::Secret("x".into()))], "both a credential"),
    ] {
        let run = run(&world, wanted(&world, &fields), Answer::All).await;
        let error = run.end.expect_err(part);
        assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(world.requests(""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_and_a_role_that_are_not_there_are_errors_before_any_change() {
    let world = world(Preset::Empty).await;
    let missing = "11111111-2222-3333-4444-555555555555";
    let run_of = |fields: Vec<(&'static str, Field)>| run(&world, wanted(&world, &fields), Answer::All);
    let error = run_of(vec![("applicationId", Field::Text(missing.to_owned()))])
        .await
        .end
        .expect_err("missing");
    assert_eq!(error.kind(), Kind::NotFound);
    let error = run_of(vec![("roles", texts(&["Chief Administrator"]))])
        .await
        .end
        .expect_err("no such role");
    assert!(error.message().contains("'Chief Administrator'"), "{error}");
    let secret = "Sx8~Q+not-a-role/9Zz";
    let error = run_of(vec![("roles", texts(&[secret]))])
        .await
        .end
        .expect_err("no such role");
    assert!(!format!("{error:?} {}", error.advice()).contains(secret));
    let line = "00000003-0000-0000-c000-000000000000 Role Directory.Rule.All";
    let error = run_of(vec![("permissions", texts(&[line]))])
        .await
        .end
        .expect_err("no such permission");
    assert!(error.message().contains("Directory.Rule.All"), "{error}");
    assert_eq!(changing(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listing_shows_ends_and_no_secret_and_a_removal_is_asked_about() {
    let world = world(Preset::Empty).await;
    let made = run(&world, wanted(&world, &[]), Answer::All).await;
    let list = || world.request("application_list", &administrator(&world, "sam"));
    let listed = run(&world, list(), Answer::None).await;
    let row = listed.result.expect("one");
    assert_eq!(text(&row, "applicationId"), made.id());
    let Some(Value::List(keys)) = row.get("keys") else {
        panic!("no keys")
    };
    assert_eq!((text(&keys[0], "kind"), text(&keys[0], "hint").len()), ("Secret", 3));
    let remove = || {
        let request = world.request("application_remove", &administrator(&world, "sam"));
        request.with("applicationId", Field::Text(made.id().to_owned()))
    };
    assert!(run(&world, remove(), Answer::None).await.result.is_none());
    assert_eq!(world.requests("DELETE /v1.0/applications"), 0);
    assert!(run(&world, remove(), Answer::All).await.result.is_some());
    assert!(run(&world, list(), Answer::None).await.result.is_none());
}
