//! What is refused, by whom, and what the manifest says of it.

use super::support::*;
use secureapp_core::{Field, Kind, Operation};
use secureapp_sandbox::{AuditOptions, Options, Preset};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_is_refused_before_anything_is_sent() {
    let world = World::start(1, 10, AuditOptions::default()).await;
    let ask = world.ask();
    let cases = [
        (
            Ask {
                start: world.now - 9 * DAY_MS,
                ..ask.clone()
            },
            "Search-UnifiedAuditLog",
        ),
        (
            Ask {
                start: world.now - DAY_MS,
                end: world.now - 2 * DAY_MS,
                ..ask.clone()
            },
            "-StartTime",
        ),
        (
            Ask {
                content_types: "Audit.Teams",
                ..ask.clone()
            },
            "Audit.General",
        ),
        (
            Ask {
                format: "parquet",
                ..ask.clone()
            },
            "Csv",
        ),
        (
            Ask {
                settle_seconds: -1,
                ..ask.clone()
            },
            "from 0 to",
        ),
    ];
    for (ask, advice) in cases {
        let error = world.export(&ask, &world.tenants()).await.end.unwrap();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.advice().contains(advice), "{error:?} {}", error.advice());
    }
    let relative = world.request(&ask).with("path", Field::Text("here".to_owned()));
    assert!(Operation::start(&world.session, relative)
        .err()
        .unwrap()
        .message()
        .contains("absolute"));
    let misspelt = world.request(&ask).with("contentType", Field::Text("x".to_owned()));
    assert_eq!(
        Operation::start(&world.session, misspelt).err().unwrap().kind(),
        Kind::InvalidInput
    );
    assert_eq!(world.requests(""), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_trouble_leaves_the_others_alone() {
    let world = World::start(4, 800, AuditOptions::default()).await;
    let tenants = world.tenants();
    let control = world.sandbox.control();
    control.set_tenant(&tenants[0], json!({"consent": "missing"})).unwrap();
    control.set_tenant(&tenants[1], json!({"auditing": false})).unwrap();
    let mut asked = tenants.clone();
    asked.push("not a tenant".to_owned());
    let ask = world.ask();
    let outcome = world.export(&ask, &asked).await;
    assert!(outcome.end.is_none());
    assert_eq!((outcome.records.len(), outcome.failures.len()), (5, 3));
    for failure in &outcome.failures {
        let item = number(&failure.target, "item");
        let record = outcome
            .records
            .iter()
            .find(|record| number(record, "item") == item)
            .unwrap();
        assert!(!flag(record, "complete"));
        assert_eq!(text(record.get("error").unwrap(), "message"), failure.error.message());
        assert!(!failure.error.advice().is_empty(), "{failure:?}");
    }
    let of = |item: i64| {
        &outcome
            .failures
            .iter()
            .find(|failure| number(&failure.target, "item") == item)
            .unwrap()
            .error
    };
    assert_eq!(of(0).kind(), Kind::NotSignedIn);
    assert!(of(1).message().contains("auditing is off"), "{:?}", of(1));
    assert!(of(1).advice().contains("UnifiedAuditLogIngestionEnabled"));
    assert_eq!(of(1).tenant(), tenants[1]);
    assert_eq!(of(4).kind(), Kind::InvalidInput);
    for tenant in &tenants[..2] {
        let manifest = world.manifest(tenant);
        assert_eq!(manifest["complete"], false);
        assert!(!manifest["reason"].as_str().unwrap().is_empty());
    }
    for tenant in &tenants[2..] {
        assert_eq!(world.ids(tenant), world.truth(tenant, &ask));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named() {
    let options = Options {
        tenants: 1,
        records: 50,
        preset: Preset::Articles,
        ..Options::default()
    };
    let world = World::with(options).await;
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    let error = &outcome.failures[0].error;
    let said = format!("{error:?} {}", error.advice());
    assert!(
        said.contains("ActivityFeed.Read") || error.kind() == Kind::NotSignedIn,
        "{said}"
    );
    assert!(!flag(outcome.record(), "complete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dlp_without_its_permission_is_warned_about() {
    let world = World::start(1, 50, AuditOptions::default()).await;
    let ask = Ask {
        content_types: "DLP.All",
        ..world.ask()
    };
    let outcome = world.export(&ask, &world.tenants()).await;
    assert_eq!(outcome.records.len(), 1);
    let warned = |text: &str| outcome.warnings.iter().any(|warning| warning.contains(text));
    assert!(warned("ActivityFeed.ReadDlp"), "{:?}", outcome.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_instead_of_the_feed_is_named() {
    let world = World::start(1, 50, AuditOptions::default()).await;
    world.fault(json!({"match": {"service": "manage"}, "times": -1, "action": {"kind": "html", "status": 200}}));
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    assert!(
        outcome.failures[0].error.message().contains("web page"),
        "{:?}",
        outcome.failures
    );
    assert_eq!(world.manifest(&world.tenants()[0])["complete"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_another_format_is_refused_without_force() {
    let world = World::start(1, 100, AuditOptions::default()).await;
    let tenants = world.tenants();
    world.export(&world.ask(), &tenants).await.assert_complete(1);
    let csv = Ask {
        format: "csv",
        ..world.ask()
    };
    let refused = world.export(&csv, &tenants).await;
    assert!(refused.failures[0].error.advice().contains("-Force"));
    world.assert_truth(&world.ask());
    let forced = world.export(&Ask { force: true, ..csv }, &tenants).await;
    forced.assert_complete(1);
    assert_eq!(forced.sum("records"), 100);
    assert!(parts(&world.root(&tenants[0]))
        .iter()
        .all(|(_, part)| part.extension().is_some_and(|name| name == "csv")));
}

#[tokio::test(flavor = "multi_thread")]
async fn force_gives_up_nothing_for_an_export_that_cannot_begin() {
    let world = World::start(1, 100, AuditOptions::default()).await;
    let tenants = world.tenants();
    world.export(&world.ask(), &tenants).await.assert_complete(1);
    let before = (world.ids(&tenants[0]), world.manifest(&tenants[0]));
    world
        .sandbox
        .control()
        .set_tenant(&tenants[0], json!({"consent": "missing"}))
        .unwrap();
    let force = Ask {
        force: true,
        ..world.ask()
    };
    let facts = serde_json::to_value(world.sandbox.facts()).unwrap();
    let domain = world.sandbox.facts().tenants[0].default_domain_name.clone();
    for tenant in [tenants[0].clone(), domain] {
        // An engine that has no token from before.
        let session = session(&facts, world.sandbox.ca_pem());
        let refused = drain(&begin(&session, world.request(&force), &[tenant]).unwrap()).await;
        assert_eq!(refused.failures[0].error.kind(), Kind::NotSignedIn, "{refused:?}");
        assert!(!flag(refused.record(), "complete"));
        assert_eq!((world.ids(&tenants[0]), world.manifest(&tenants[0])), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_a_file_is_named() {
    let world = World::start(1, 10, AuditOptions::default()).await;
    let file = world.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let request = world
        .request(&world.ask())
        .with("path", Field::Text(file.to_string_lossy().into_owned()));
    let operation = Operation::start(&world.session, request).unwrap();
    operation.submit(item(0, &world.tenants()[0])).unwrap();
    operation.finish_input();
    let outcome = drain(&operation).await;
    let error = &outcome.failures[0].error;
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.message().contains("file"), "{error}");
    assert!(error.advice().contains("-Path"), "{}", error.advice());
}
