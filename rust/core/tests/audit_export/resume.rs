//! Exports that go on from what the folders say.

use super::support::*;
use secureapp_core::{Field, Kind, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;
use std::fs;

/// What the feed still has when an export goes on with it, however long that takes.
fn recent(world: &World) -> Ask {
    Ask {
        start: world.now - 6 * DAY_MS,
        ..world.ask()
    }
}

/// What there is to go on with.
async fn resumable(world: &World, tenants: &str) -> Outcome {
    let facts = serde_json::to_value(world.sandbox.facts()).unwrap();
    let request = secureapp_core::Request::new("audit_resumable")
        .with(
            "environment",
            Field::Text(facts["environment"].as_str().unwrap().to_owned()),
        )
        .with("path", Field::Text(world.folder.path().to_string_lossy().into_owned()))
        .with("tenants", list(tenants));
    world.ask_for(request).await
}

/// Goes on with everything.
async fn resume(world: &World) -> Outcome {
    let mut tenants: Vec<String> = resumable(world, "")
        .await
        .records
        .iter()
        .map(|record| text(record, "tenantId").to_owned())
        .collect();
    tenants.dedup();
    let request = world
        .as_partner("audit_export")
        .with("resume", Field::Int(1))
        .with("path", Field::Text(world.folder.path().to_string_lossy().into_owned()));
    let operation = begin(&world.session, request, &tenants).unwrap();
    drain(&operation).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_export_goes_on_without_being_told_anything() {
    let audit = AuditOptions {
        records_per_blob: 20,
        ..AuditOptions::default()
    };
    let world = World::start(3, 900, audit).await;
    let tenants = world.tenants();
    let ask = Ask {
        settle_seconds: 60,
        ..recent(&world)
    };
    world.export(&ask, &tenants[..1]).await.assert_complete(1);
    for tenant in &tenants[1..] {
        world.fault(json!({"id": tenant, "match": {"service": "manage", "tenantId": tenant, "pathContains": "/audit/"}, "skip": 2, "times": -1,
            "action": {"kind": "hold", "stage": "mid-body"}}));
    }
    let operation = world.begin(&ask, &tenants[1..]).unwrap();
    for tenant in &tenants[1..] {
        world.held(tenant).await;
    }
    operation.cancel();
    assert!(drain(&operation).await.end.is_some());
    world.session.engine().idle().await;
    world.sandbox.control().clear_faults();

    let found = resumable(&world, "").await;
    let mut left: Vec<&str> = found.records.iter().map(|record| text(record, "tenantId")).collect();
    left.sort_unstable();
    let mut expected: Vec<&str> = tenants[1..].iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert_eq!(
        number(&found.records[0], "startTime"),
        ask.start.max(number(&found.records[0], "startTime"))
    );
    assert_eq!(number(&found.records[0], "endTime"), ask.end);
    assert!(text(&found.records[0], "displayName").starts_with("Customer"));
    // One of them, by its domain.
    let domain = &world.sandbox.facts().tenants[2].default_domain_name;
    let one = resumable(&world, domain).await;
    assert_eq!(text(one.record(), "tenantId"), tenants[2]);

    resume(&world).await.assert_complete(2);
    world.assert_truth(&ask);
    for tenant in &tenants {
        let manifest = world.manifest(tenant);
        assert_eq!(
            (&manifest["complete"], &manifest["settleSeconds"]),
            (&json!(true), &json!(60))
        );
    }
    // Nothing is left.
    let nothing = resumable(&world, "").await;
    assert!(
        nothing.records.is_empty() && nothing.end.is_none() && nothing.warnings.is_empty(),
        "{nothing:?}"
    );
    let folder = world.folder.path().join(format!("tenant={}", tenants[0]));
    fs::remove_file(folder.join("manifest.json")).unwrap();
    let without = resumable(&world, "").await;
    assert!(without.records.is_empty() && without.warnings.len() == 1, "{without:?}");
    assert!(without.warnings[0].contains("has no manifest"), "{without:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_source_goes_on_with_its_own_filter_and_format() {
    let audit = AuditOptions {
        late: 0.0,
        ..AuditOptions::default()
    };
    let world = World::start(1, 2_000, audit).await;
    let tenant = &world.tenants()[0];
    let exchange = Ask {
        source: "exchange",
        format: "csv",
        content_types: "",
        start: (world.now - 6 * DAY_MS).div_euclid(1000) * 1000,
        end: (world.now - 2 * DAY_MS).div_euclid(1000) * 1000,
        settle_seconds: 0,
        filter: &[("recordTypes", "ExchangeItemAggregated,AzureActiveDirectory")],
        ..recent(&world)
    };
    let feed = Ask {
        format: "csv",
        content_types: "Audit.General,Audit.Exchange",
        ..recent(&world)
    };
    // The searches fail for a day, and one blob of each content type of the feed is not to be had.
    let day = |days: i64| {
        let time = time::OffsetDateTime::from_unix_timestamp(world.now / 1000 - days * 86_400).unwrap();
        format!("{}T00:00:00", time.date())
    };
    let set = |change| world.sandbox.control().set_exchange(change).unwrap();
    set(json!({"failing": [day(4), day(3)]}));
    let mut with_mark = world.request(&exchange);
    with_mark.set("bom", Field::Int(1));
    let first = drain(&begin(&world.session, with_mark, &world.tenants()).unwrap()).await;
    assert!(!flag(first.record(), "complete"));
    world.fault(json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 4, "skip": 1, "action": {"kind": "status", "status": 500, "body": "{}"}}));
    let mut with_mark = world.request(&feed);
    with_mark.set("bom", Field::Int(1));
    let second = drain(&begin(&world.session, with_mark, &world.tenants()).unwrap()).await;
    world.sandbox.control().clear_faults();
    let is_short = !flag(second.record(), "complete");

    set(json!({"failing": ["2000-01-01T00:00:00", "2000-01-01T00:00:01"]}));
    let outcome = resume(&world).await;
    outcome.assert_complete(1 + usize::from(is_short));
    let found = outcome.records.iter().find(|record| {
        matches!(record.get("contentTypes"), Some(Value::List(types)) if types.iter().any(|name| name.as_text() == Some("AzureActiveDirectory")))
    });
    // Only what was missing was asked for.
    let (start, end) = (number(found.unwrap(), "startTime"), number(found.unwrap(), "endTime"));
    assert!(exchange.start < start && end < exchange.end, "{start} {end}");
    let manifest = world.manifest(tenant);
    assert_eq!(
        (&manifest["complete"], &manifest["format"], &manifest["byteOrderMark"]),
        (&json!(true), &json!("csv"), &json!(true))
    );
    for (_, part) in parts(&world.root(tenant)) {
        assert!(
            fs::read(&part).unwrap().starts_with(b"\xEF\xBB\xBF"),
            "{}",
            part.display()
        );
    }
    let mut kinds = std::collections::BTreeSet::new();
    let mut found = std::collections::BTreeSet::new();
    for (_, part) in parts(&world.root(tenant)) {
        for row in csv::Reader::from_path(part).unwrap().records() {
            let row = row.unwrap();
            kinds.insert(row[0].to_owned());
            assert!(found.insert(row[4].to_owned()), "{} twice", &row[4]);
        }
    }
    let of_feed = world.truth(tenant, &feed);
    assert!(of_feed.iter().all(|id| found.contains(id)));
    assert!(kinds.contains("AzureActiveDirectory"), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_left_the_feed_stays_a_named_gap() {
    let world = World::start(1, 400, AuditOptions::default()).await;
    let tenant = &world.tenants()[0];
    let ask = recent(&world);
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/subscriptions/content"}, "times": -1, "skip": 8,
        "action": {"kind": "status", "status": 401, "body": "{}"}}),
    );
    let first = world.export(&ask, &world.tenants()).await;
    assert!(!first.failures.is_empty());
    world.sandbox.control().clear_faults();
    // Four days later the older half of the range is gone.
    world
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 4 * 86_400}))
        .unwrap();
    world.session.engine().clock().advance_ms(4 * DAY_MS);
    world.sandbox.control().reset_stats();

    let outcome = resume(&world).await;
    assert!(outcome.failures.is_empty() && outcome.end.is_none(), "{outcome:?}");
    assert!(!flag(outcome.record(), "complete"));
    assert!(
        text(outcome.record(), "reason").contains("did not keep it any more"),
        "{outcome:?}"
    );
    let Some(Value::List(gaps)) = outcome.record().get("gaps") else {
        panic!()
    };
    for gap in gaps {
        assert!(number(gap, "end") <= world.now - 2 * DAY_MS, "{gap:?}");
    }
    let there = Ask {
        start: world.now - 3 * DAY_MS + 120_000,
        ..ask.clone()
    };
    let ids = world.ids(tenant);
    assert!(world.truth(tenant, &there).iter().all(|id| ids.contains(id)));
    // What is surely gone is not asked for: at most one listing of each content type meets the edge.
    let manifest = world.manifest(tenant);
    assert_eq!(manifest["complete"], false);
    let again = resume(&world).await;
    assert!(!flag(again.record(), "complete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_read_is_told_and_the_others_go_on() {
    let world = World::start(2, 200, AuditOptions::default()).await;
    let tenants = world.tenants();
    let ask = recent(&world);
    let nothing = resumable(&world, "").await.end.unwrap();
    assert_eq!(nothing.kind(), Kind::NotFound);
    world.fault(
        json!({"match": {"service": "manage"}, "times": -1, "action": {"kind": "status", "status": 401, "body": "{}"}}),
    );
    assert_eq!(world.export(&ask, &tenants).await.failures.len(), 2);
    world.sandbox.control().clear_faults();
    let journal = world.root(&tenants[0]).join("_journal");
    let mut text_of = fs::read(&journal).unwrap();
    text_of[3] ^= 1;
    fs::write(&journal, text_of).unwrap();

    let found = resumable(&world, "").await;
    assert_eq!(found.failures[0].error.kind(), Kind::Storage);
    assert_eq!(found.failures[0].error.tenant(), tenants[0]);
    assert_eq!(text(found.record(), "tenantId"), tenants[1]);
    resume(&world).await.assert_complete(1);
    assert_eq!(world.ids(&tenants[1]), world.truth(&tenants[1], &ask));
    // A folder that no export can complete is a warning.
    let manifest = world.root(&tenants[1]).join("manifest.json");
    let mut content: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    content["complete"] = json!(false);
    content["reason"] = json!("a part is not what was written");
    fs::write(&manifest, content.to_string()).unwrap();
    let found = resumable(&world, &tenants[1]).await;
    assert!(
        found.records.is_empty() && found.warnings[0].contains("a part is not what was written"),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_folder_that_was_harmed_since_is_told() {
    let world = World::start(2, 600, AuditOptions::default()).await;
    let tenants = world.tenants();
    let ask = recent(&world);
    world.export(&ask, &tenants[..1]).await.assert_complete(1);
    let root = world.root(&tenants[0]);
    let whole = resumable(&world, "").await;
    assert!(whole.warnings.is_empty() && whole.failures.is_empty(), "{whole:?}");

    let (name, part) = parts(&root).remove(0);
    let text = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    let harmed = resumable(&world, "").await;
    assert!(harmed.records.is_empty(), "nothing brings it back: {harmed:?}");
    assert!(
        harmed.warnings.len() == 1 && harmed.warnings[0].contains(&name) && harmed.warnings[0].contains("-Force"),
        "{harmed:?}"
    );
    fs::write(&part, text).unwrap();

    // Of another tenant there is nothing that could be whole.
    let nobody = resumable(&world, &tenants[1]).await;
    assert!(nobody.failures.is_empty() && nobody.warnings.len() == 1, "{nobody:?}");
    assert!(nobody.warnings[0].contains(&tenants[1]), "{nobody:?}");
    // A file is no tenant's folder.
    fs::write(world.folder.path().join("tenant=backup.zip"), "").unwrap();
    let beside = resumable(&world, "").await;
    assert!(beside.warnings.is_empty() && beside.failures.is_empty(), "{beside:?}");

    for harm in ["", "00000000 {"] {
        fs::write(root.join("_journal"), harm).unwrap();
        let without = resumable(&world, "").await;
        assert!(
            without.failures[0].error.message().contains("no journal"),
            "{without:?}"
        );
        let again = world.export(&ask, &tenants[..1]).await;
        assert!(
            again.failures[0].error.message().contains("no journal"),
            "it would write all of them again: {again:?}"
        );
    }
    fs::remove_file(root.join("_journal")).unwrap();
    let without = resumable(&world, "").await;
    assert!(
        without.failures[0].error.message().contains("no journal"),
        "{without:?}"
    );
}
