//! The id multiset of the files against the sandbox's own.

use super::support::*;
use secureapp_core::{Event, Kind, Next, Value};
use secureapp_sandbox::AuditOptions;
use std::collections::{BTreeMap, BTreeSet};

/// What the feed does on a bad day: repeats in other blobs and windows, late records, records without an id, blobs listed
/// twice, and so many blobs that a window has several pages.
fn bad_day() -> AuditOptions {
    AuditOptions {
        duplicates: 0.05,
        late: 0.01,
        without_id: 0.01,
        relisted: 0.05,
        page_size: 4,
        records_per_blob: 10,
        ..AuditOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_there_once() {
    let world = World::start(6, 4_000, bad_day()).await;
    let ask = world.ask();
    let outcome = world.export(&ask, &world.tenants()).await;
    outcome.assert_complete(6);
    world.assert_truth(&ask);
    assert!(outcome.sum("duplicates") > 0, "the sandbox repeats records");
    assert_eq!(outcome.sum("records"), 4_000);
    assert!(
        world.requests("/subscriptions/content") >= 6 * 4 * 7 + 3,
        "there are listings of several pages"
    );
}

/// A test that cannot fail proves nothing: this one builds the export without its dedupe set and sees the test above fail.
/// The same profile and the whole workspace, so that only this crate is built again, and that one quickly.
#[cfg(not(feature = "test-no-dedupe"))]
#[test]
fn without_the_dedupe_set_that_test_fails() {
    let (profile, settings): (&[&str], &str) = if cfg!(debug_assertions) {
        (&[], "profile.dev.package.secureapp-core")
    } else {
        (&["--release"], "profile.release.package.secureapp-core")
    };
    let output = std::process::Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("test")
        .args(profile)
        .args([
            "--config",
            &format!("{settings}.opt-level=0"),
            "--config",
            &format!("{settings}.debug=0"),
        ])
        .args([
            "--workspace",
            "--features",
            "secureapp-core/test-no-dedupe",
            "--test",
            "audit_export",
            "--",
        ])
        .args(["--exact", "truth::every_record_is_there_once"])
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(
        said.contains("ids too often, 0 missing"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_lie_in_the_folder_of_their_day_and_keep_their_bytes() {
    let world = World::start(1, 500, bad_day()).await;
    let ask = world.ask();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let tenant = &world.tenants()[0];
    let lines = world.lines(tenant);
    assert_eq!(lines.len(), 500);
    for (day, line) in &lines {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            record["CreationTime"].as_str().unwrap().starts_with(day.as_str()),
            "{day}: {line}"
        );
    }
    let manifest = world.manifest(tenant);
    assert_eq!(manifest["complete"], true);
    assert_eq!(manifest["records"], 500);
    assert_eq!(manifest["selectedBy"], "contentCreated");
    let created: BTreeSet<String> = lines
        .iter()
        .map(|(_, line)| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["CreationTime"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(manifest["firstCreationTime"], format!("{}Z", created.first().unwrap()));
    assert_eq!(manifest["lastCreationTime"], format!("{}Z", created.last().unwrap()));
    let listed: u64 = manifest["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["records"].as_u64().unwrap())
        .sum();
    assert_eq!(listed, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_week_and_of_the_types_is_that_part() {
    let world = World::start(2, 2_000, bad_day()).await;
    let ask = Ask {
        start: world.now - 4 * DAY_MS + 1_234,
        end: world.now - 2 * DAY_MS - 4_321,
        content_types: "Audit.Exchange,Audit.General",
        ..world.ask()
    };
    world.export(&ask, &world.tenants()).await.assert_complete(2);
    world.assert_truth(&ask);
    // The rest of the week joins without a seam.
    let whole = Ask {
        content_types: ask.content_types,
        ..world.ask()
    };
    for (start, end) in [(whole.start, ask.start), (ask.end, whole.end)] {
        let rest = Ask {
            start,
            end,
            ..ask.clone()
        };
        world.export(&rest, &world.tenants()).await.assert_complete(2);
    }
    world.assert_truth(&whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_grow_are_read_again_before_they_count_as_final() {
    let audit = AuditOptions {
        growing: 2,
        ..bad_day()
    };
    let world = World::start(2, 1_000, audit).await;
    // The sandbox's growing blobs are 20 to 30 seconds old when it starts: with this setting the export waits for them,
    // and the clock is put forward once it says so.
    let ask = Ask {
        settle_seconds: 75,
        end: world.now - 19_000,
        ..world.ask()
    };
    let operation = world.begin(&ask, &world.tenants()).unwrap();
    let mut waiting = BTreeSet::new();
    let mut outcome = Outcome::default();
    loop {
        match operation.next().await.unwrap() {
            Next::Event(Event::Progress(progress)) => {
                if progress.status.contains("to settle") && waiting.insert(progress.id) && waiting.len() == 2 {
                    world.session.engine().clock().advance_ms(80_000);
                }
            }
            Next::Event(Event::Record(record)) => outcome.records.push(record),
            Next::Event(_) => {}
            Next::Done => break,
        }
    }
    outcome.assert_complete(2);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_may_still_grow_leave_the_export_incomplete() {
    let audit = AuditOptions {
        growing: 2,
        ..bad_day()
    };
    let world = World::start(1, 500, audit).await;
    let ask = Ask {
        end: world.now,
        ..world.ask()
    };
    let tenants = world.tenants();
    let outcome = world.export(&ask, &tenants).await;
    let record = outcome.record();
    assert!(!flag(record, "complete"));
    assert!(
        text(record, "reason").contains("run the same export again after"),
        "{record:?}"
    );
    assert!(number(record, "finalUntil") < ask.end - 600_000 + 60_000);
    let manifest = world.manifest(&tenants[0]);
    assert_eq!(manifest["complete"], false);
    assert!(
        world.ids(&tenants[0]).len() < world.truth(&tenants[0], &ask).len(),
        "a part of the blobs is still missing"
    );
    // The later run, which finds them whole.
    let ask = Ask {
        settle_seconds: 0,
        ..ask
    };
    world.export(&ask, &tenants).await.assert_complete(1);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_adds_nothing() {
    let world = World::start(2, 1_000, bad_day()).await;
    let ask = world.ask();
    world.export(&ask, &world.tenants()).await.assert_complete(2);
    let again = world.export(&ask, &world.tenants()).await;
    again.assert_complete(2);
    assert_eq!(again.sum("records"), 0);
    assert_eq!(again.sum("totalRecords"), 1_000);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_other_bytes_is_counted_and_the_first_stays() {
    let audit = AuditOptions {
        conflicts: 0.5,
        duplicates: 0.2,
        ..bad_day()
    };
    let world = World::start(1, 800, audit).await;
    let ask = world.ask();
    let outcome = world.export(&ask, &world.tenants()).await;
    outcome.assert_complete(1);
    assert!(outcome.sum("conflicts") > 0);
    assert!(outcome.sum("duplicates") > 0);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_holds_the_same_records() {
    let world = World::start(1, 600, bad_day()).await;
    let ask = Ask {
        format: "csv",
        ..world.ask()
    };
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let tenant = &world.tenants()[0];
    let mut ids = Vec::new();
    for (day, part) in parts(&world.root(tenant)) {
        let mut rows = csv::Reader::from_path(part).unwrap();
        let header: Vec<_> = rows.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(
            header,
            [
                "RecordType",
                "CreationDate",
                "UserIds",
                "Operations",
                "Identity",
                "AuditData"
            ]
        );
        for row in rows.records() {
            let row = row.unwrap();
            let record: serde_json::Value = serde_json::from_str(&row[5]).unwrap();
            assert!(row[1].starts_with(&day), "{row:?}");
            assert_eq!(row[4], *record["Id"].as_str().unwrap_or_default());
            assert!(row[0].chars().next().is_some_and(char::is_alphabetic) || row[0].parse::<u32>().is_ok());
            if let Some(id) = record["Id"].as_str() {
                ids.push(id.to_owned());
            }
        }
    }
    ids.sort();
    let truth: Vec<_> = world
        .truth(tenant, &ask)
        .into_iter()
        .filter(|id| !id.starts_with("sha256:"))
        .collect();
    assert_eq!(ids, truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_files_hold_the_same_records() {
    for compression in ["Gzip", "zstd"] {
        let world = World::start(2, 600, bad_day()).await;
        let ask = Ask {
            compression,
            ..world.ask()
        };
        world.export(&ask, &world.tenants()).await.assert_complete(2);
        world.assert_truth(&ask);
        let suffix = if compression == "zstd" {
            ".ndjson.zst"
        } else {
            ".ndjson.gz"
        };
        for (_, part) in parts(&world.root(&world.tenants()[0])) {
            assert!(part.to_string_lossy().ends_with(suffix), "{}", part.display());
        }
        // What is there is known, and stays as it is.
        let again = world.export(&ask, &world.tenants()).await;
        assert_eq!((again.sum("records"), again.sum("totalRecords")), (0, 600));

        let other = Ask {
            compression: "none",
            ..world.ask()
        };
        let refused = world.export(&other, &world.tenants()).await;
        assert_eq!(refused.failures.len(), 2);
        for failure in &refused.failures {
            assert_eq!(failure.error.kind(), Kind::InvalidInput);
            assert!(
                failure.error.message().contains(suffix.trim_start_matches('.')),
                "{failure:?}"
            );
            assert!(failure.error.advice().contains("compression"), "{failure:?}");
        }
        world.assert_truth(&ask);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_rows_hold_every_field_of_the_same_records() {
    let audit = AuditOptions {
        without_id: 0.0,
        ..bad_day()
    };
    let world = World::start(1, 600, audit).await;
    let (ask, tenant) = (world.ask(), &world.tenants()[0]);
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let folder = tempfile::tempdir().unwrap();
    let flat = Ask {
        format: "csv",
        flatten: true,
        compression: "gzip",
        ..world.ask()
    };
    let facts = serde_json::to_value(world.sandbox.facts()).unwrap();
    let operation = begin(&world.session, request(&facts, folder.path(), &flat), &world.tenants()).unwrap();
    drain(&operation).await.assert_complete(1);

    let mut rows = BTreeMap::new();
    for (_, part) in parts(&folder.path().join(format!("tenant={tenant}"))) {
        let text = unpacked(&part);
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header = reader.headers().unwrap().clone();
        assert_eq!(header.iter().next(), Some("CreationTime"));
        for row in reader.records() {
            let row = row.unwrap();
            let row: BTreeMap<String, String> = header
                .iter()
                .map(str::to_owned)
                .zip(row.iter().map(str::to_owned))
                .collect();
            assert_eq!(rows.insert(row["Id"].clone(), row), None);
        }
    }
    let lines = world.lines(tenant);
    assert_eq!(lines.len(), rows.len());
    for (_, line) in lines {
        let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        let row = &rows[record["Id"].as_str().unwrap()];
        for (name, value) in &record {
            let cell = &row[name];
            match value {
                serde_json::Value::Null => assert_eq!(cell, ""),
                serde_json::Value::String(text) => {
                    assert_eq!(cell.trim_start_matches('\''), text.trim_start_matches('\''))
                }
                other => assert_eq!(&serde_json::from_str::<serde_json::Value>(cell).unwrap(), other),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_own_token_and_a_domain_do_too() {
    let world = World::start(2, 300, bad_day()).await;
    let ask = Ask {
        app_only: true,
        ..world.ask()
    };
    let domains: Vec<String> = world
        .sandbox
        .facts()
        .tenants
        .iter()
        .map(|tenant| tenant.default_domain_name.clone())
        .collect();
    let outcome = world.export(&ask, &domains).await;
    outcome.assert_complete(2);
    world.assert_truth(&ask);
    let ids: BTreeSet<&str> = outcome.records.iter().map(|record| text(record, "tenantId")).collect();
    assert_eq!(ids, world.tenants().iter().map(String::as_str).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_tells_of_the_whole_and_of_each_tenant() {
    let world = World::start(3, 3_000, bad_day()).await;
    let outcome = world.export(&world.ask(), &world.tenants()).await;
    outcome.assert_complete(3);
    let ids: BTreeSet<i64> = outcome.progress.iter().map(|progress| progress.id).collect();
    assert!(ids.contains(&0) && ids.contains(&1), "{ids:?}");
    let last = outcome.progress.iter().rev().find(|progress| progress.id == 0).unwrap();
    assert!(last.completed && last.percent == Some(100));
    assert!(outcome
        .progress
        .iter()
        .filter(|progress| progress.id > 0)
        .all(|progress| progress.parent == 0));
    let Some(Value::List(types)) = outcome.records[0].get("contentTypes") else {
        panic!("no content types")
    };
    assert_eq!(types.len(), 4);
}
