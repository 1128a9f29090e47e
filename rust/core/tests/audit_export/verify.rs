//! Folders that are read again: what is told of a whole one, and of everything that can happen to one.

use super::support::*;
use secureapp_core::{Kind, Operation, Request, Value};
use secureapp_sandbox::AuditOptions;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder with one tenant's whole export in it.
async fn exported(records: u64, ask: impl Fn(&World) -> Ask) -> (World, PathBuf) {
    let audit = AuditOptions {
        records_per_blob: 20,
        without_id: 0.05,
        ..AuditOptions::default()
    };
    let world = World::start(1, records, audit).await;
    let ask = ask(&world);
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let root = world.root(&world.tenants()[0]);
    (world, root)
}

pub(crate) async fn verify(world: &World, paths: &[&Path]) -> Outcome {
    let operation = Operation::start(&world.session, Request::new("audit_verify")).expect("a check");
    for path in paths {
        let path = path.to_string_lossy().into_owned();
        let item = Request::new("folder").with("path", secureapp_core::Field::Text(path));
        operation.submit(item).expect("an item");
    }
    operation.finish_input();
    drain(&operation).await
}

async fn one(world: &World, root: &Path) -> Value {
    let outcome = verify(world, &[root]).await;
    assert!(outcome.end.is_none() && outcome.failures.is_empty(), "{outcome:?}");
    outcome.record().clone()
}

/// Subject, file and text of every problem; each says what to do.
fn problems(record: &Value) -> Vec<(String, String, String)> {
    let Some(Value::List(problems)) = record.get("problems") else {
        panic!("no problems in {record:?}")
    };
    let owned = |problem: &Value, key| text(problem, key).to_owned();
    problems
        .iter()
        .map(|problem| {
            assert!(!text(problem, "remedy").is_empty(), "{problem:?}");
            (
                owned(problem, "subject"),
                owned(problem, "file"),
                owned(problem, "detail"),
            )
        })
        .collect()
}

fn subjects(record: &Value) -> Vec<String> {
    problems(record).into_iter().map(|(subject, ..)| subject).collect()
}

fn first_part(root: &Path) -> PathBuf {
    parts(root).remove(0).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_export_is_valid_in_every_format() {
    for format in ["ndjson", "csv"] {
        let (world, root) = exported(600, |world| Ask { format, ..world.ask() }).await;
        for path in [world.folder.path(), &root] {
            let record = one(&world, path).await;
            assert_eq!(problems(&record), [], "{format}");
            assert!(flag(&record, "valid") && flag(&record, "intact") && flag(&record, "complete"));
            assert_eq!(
                (number(&record, "records"), number(&record, "rejects")),
                (600, 0),
                "{format}"
            );
            assert_eq!(number(&record, "parts"), parts(&root).len() as i64);
            assert_eq!(text(&record, "tenantId"), world.tenants()[0]);
            assert!(Path::new(text(&record, "path")) == root);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_lost_part_is_named() {
    type Harm = fn(&Path);
    let harms: [(&str, &str, Harm); 6] = [
        ("Altered", "SHA-256", |part| {
            let text = fs::read_to_string(part).unwrap();
            let altered = text.replacen("\"Workload\"", "\"Worklaod\"", 1);
            assert_ne!(altered, text);
            fs::write(part, altered).unwrap();
        }),
        ("Altered", "records and was written with", |part| {
            let text = fs::read_to_string(part).unwrap();
            let (first, _) = text.split_once('\n').unwrap();
            fs::write(part, format!("{text}{first}\n")).unwrap();
        }),
        ("Altered", "cut short", |part| {
            let text = fs::read_to_string(part).unwrap();
            fs::write(part, text.trim_end()).unwrap();
        }),
        ("Altered", "after 1 records", |part| fs::write(part, "{}x\n").unwrap()),
        ("Altered", "bytes", |part| fs::write(part, "").unwrap()),
        ("Missing", "is not there", |part| fs::remove_file(part).unwrap()),
    ];
    let (world, root) = exported(300, World::ask).await;
    let part = first_part(&root);
    let good = fs::read(&part).unwrap();
    for (subject, word, harm) in harms {
        harm(&part);
        let record = one(&world, &root).await;
        let problems = problems(&record);
        let name = part.strip_prefix(&root).unwrap().to_string_lossy();
        let (found, file, text) = &problems[0];
        assert_eq!((found.as_str(), file.as_str()), (subject, &*name), "{problems:?}");
        assert!(text.contains(word), "{text}");
        assert!(!flag(&record, "valid") && !flag(&record, "intact") && flag(&record, "complete"));
        fs::write(&part, &good).unwrap();
    }
    assert_eq!(problems(&one(&world, &root).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_into_a_folder_that_has_lost_a_part_says_so_and_writes_nothing_twice() {
    let (world, root) = exported(300, World::ask).await;
    let (ask, tenants) = (world.ask(), world.tenants());
    let part = first_part(&root);
    let name = part.strip_prefix(&root).unwrap().to_string_lossy();
    let good = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();

    let again = world.export(&ask, &tenants).await;
    assert!(again.end.is_none() && again.failures.is_empty(), "{again:?}");
    let record = again.record();
    assert_eq!(number(record, "records"), 0);
    assert_eq!(
        (flag(record, "complete"), flag(record, "folderComplete")),
        (false, false)
    );
    assert!(text(record, "reason").contains(&*name), "{record:?}");
    let is_told = |warning: &String| warning.contains(&*name) && warning.contains("Put the file back");
    assert!(again.warnings.iter().any(is_told), "{:?}", again.warnings);
    let manifest = world.manifest(&tenants[0]);
    assert_eq!(manifest["complete"], false);
    assert!(manifest["reason"].as_str().unwrap().contains(&*name), "{manifest}");

    // A run that is given none of what was in it has all that it was asked for; the folder has not.
    let before = Ask {
        end: ask.start + HOUR_MS,
        ..ask.clone()
    };
    let other = world.export(&before, &tenants).await;
    other.assert_complete(1);
    assert!(!flag(other.record(), "folderComplete") && other.warnings.iter().any(is_told));

    fs::write(&part, &good).unwrap();
    let back = world.export(&ask, &tenants).await;
    back.assert_complete(1);
    assert!(flag(back.record(), "folderComplete") && !back.warnings.iter().any(is_told));
    assert_eq!(problems(&one(&world, &root).await), []);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_there_twice_is_found_across_parts() {
    let (world, root) = exported(300, World::ask).await;
    let all = parts(&root);
    let (first, last) = (&all[0].1, &all[all.len() - 1].1);
    let text = fs::read_to_string(first).unwrap();
    let repeated = text.lines().next().unwrap();
    let mut file = OpenOptions::new().append(true).open(last).unwrap();
    writeln!(file, "{repeated}").unwrap();

    let record = one(&world, &root).await;
    assert_eq!(subjects(&record), ["Altered", "Duplicate"], "{record:?}");
    assert_eq!(number(&record, "records"), 301);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_export_has_not_finished_and_what_others_put_there_is_told() {
    let (world, root) = exported(300, World::ask).await;
    let part = first_part(&root);
    fs::write(root.join("_date=2026-01-01.part-9.tmp"), "{").unwrap();
    fs::write(part.with_file_name("part-77.ndjson"), "{}\n").unwrap();
    fs::write(part.with_file_name("_SUCCESS"), "").unwrap();
    let mut journal = OpenOptions::new().append(true).open(root.join("_journal")).unwrap();
    journal.write_all(b"0123").unwrap();

    let record = one(&world, &root).await;
    let problems = problems(&record);
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|(subject, file, _)| (subject.as_str(), file.as_str()))
        .collect();
    let unknown = part.with_file_name("part-77.ndjson");
    let unknown = unknown.strip_prefix(&root).unwrap().to_str().unwrap();
    assert_eq!(
        found,
        [
            ("Unfinished", "_journal"),
            ("Unfinished", "_date=2026-01-01.part-9.tmp"),
            ("Unknown", unknown)
        ]
    );

    // With a part that nobody knows no export goes on, and all of it stays as it is.
    let ask = world.ask();
    let refused = world.export(&ask, &world.tenants()).await;
    let error = &refused.failures[0].error;
    assert_eq!((error.kind(), error.tenant()), (Kind::Storage, &*world.tenants()[0]));
    assert!(
        error.message().contains(unknown) && error.advice().contains("Test-SecureAppAuditExport"),
        "{error} {}",
        error.advice()
    );
    assert_eq!(
        subjects(&one(&world, &root).await),
        ["Unfinished", "Unfinished", "Unknown"]
    );
    // Once it is moved away, the next export makes good what was broken off.
    fs::rename(root.join(unknown), world.folder.path().join("part-77.ndjson")).unwrap();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert!(subjects(&one(&world, &root).await).is_empty());
    fs::remove_file(part.with_file_name("_SUCCESS")).unwrap();
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_journal_is_told_and_the_right_one_mends_it() {
    let (world, root) = exported(300, |world| Ask {
        end: world.now - 3 * DAY_MS,
        ..world.ask()
    })
    .await;
    let journal = root.join("_journal");
    let older = fs::read(&journal).unwrap();
    let ask = world.ask();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    let right = fs::read(&journal).unwrap();
    fs::write(&journal, older).unwrap();

    let record = one(&world, &root).await;
    assert!(
        problems(&record).iter().any(|(subject, ..)| subject == "Unknown"),
        "{record:?}"
    );
    let refused = world.export(&ask, &world.tenants()).await;
    let error = &refused.failures[0].error;
    assert!(error.message().contains("not named by the journal"), "{error}");
    assert!(error.advice().contains("older journal"), "{}", error.advice());

    fs::write(&journal, right).unwrap();
    world.export(&ask, &world.tenants()).await.assert_complete(1);
    assert_eq!(problems(&one(&world, &root).await), []);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_and_a_wrong_manifest_are_told() {
    let (world, root) = exported(300, World::ask).await;
    let manifest = root.join("manifest.json");
    let good = fs::read_to_string(&manifest).unwrap();
    for (harmed, word) in [
        (good.replacen("\"records\": 300", "\"records\": 299", 1), "records"),
        (good.replacen("part-1.", "part-2.", 1), "list of parts"),
        (good.replacen("\"gaps\": []", "\"gaps\": [1]", 1), "gaps"),
        ("{".to_owned(), "JSON"),
    ] {
        assert_ne!(harmed, good);
        fs::write(&manifest, harmed).unwrap();
        let problems = problems(&one(&world, &root).await);
        assert!(
            problems[0].0 == "Manifest" && problems[0].2.contains(word),
            "{problems:?}"
        );
    }
    fs::remove_file(&manifest).unwrap();
    assert_eq!(subjects(&one(&world, &root).await), ["Manifest"]);
    fs::write(&manifest, &good).unwrap();

    let journal = root.join("_journal");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("sha256", "sha265", 1)).unwrap();
    let record = one(&world, &root).await;
    assert_eq!(subjects(&record), ["Journal"]);
    assert!(!flag(&record, "complete") || !flag(&record, "intact"));
    fs::remove_file(&journal).unwrap();
    assert_eq!(subjects(&one(&world, &root).await), ["Journal"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_and_a_reject_are_told_although_the_files_are_whole() {
    let world = World::start(
        1,
        300,
        AuditOptions {
            records_per_blob: 20,
            ..AuditOptions::default()
        },
    )
    .await;
    world.fault(json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1,
        "action": {"kind": "status", "status": 400, "body": "{\"error\":{\"code\":\"AF20051\",\"message\":\"expired\"}}"}}));
    world.fault(
        json!({"match": {"service": "manage", "pathContains": "/audit/"}, "times": 1,
        "action": {"kind": "status", "status": 200, "body": "[{\"Id\":\"\u{1}\"}]"}}),
    );
    world.export(&world.ask(), &world.tenants()).await;
    let root = world.root(&world.tenants()[0]);

    let record = one(&world, &root).await;
    let problems = problems(&record);
    assert_eq!(subjects(&record), ["Gap", "Rejected"]);
    assert!(problems[0].2.contains("AF20051"), "{problems:?}");
    assert!(!flag(&record, "valid") && flag(&record, "intact") && !flag(&record, "complete"));
    assert_eq!(number(&record, "rejects"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_written_to_is_said_to_be() {
    let (world, root) = exported(300, World::ask).await;
    let before = one(&world, &root).await;
    world.fault(
        json!({"id": "held", "match": {"service": "manage", "pathContains": "/audit/"}, "times": -1,
        "action": {"kind": "hold", "stage": "before-headers"}}),
    );
    let export = world.begin(&world.ask(), &world.tenants()).unwrap();
    world.held("held").await;

    let record = one(&world, &root).await;
    assert_eq!(subjects(&record), ["InUse"]);
    assert!(flag(&record, "inUse") && flag(&record, "intact") && !flag(&record, "valid"));
    assert_eq!(number(&record, "records"), number(&before, "records"));
    world.sandbox.control().clear_faults();
    drain(&export).await.assert_complete(1);
    assert!(flag(&one(&world, &root).await, "valid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_without_exports_is_one_failure_and_the_others_go_on() {
    let (world, root) = exported(100, World::ask).await;
    let empty = tempfile::tempdir().unwrap();
    let gone = empty.path().join("gone");
    let outcome = verify(
        &world,
        &[empty.path(), &gone, &root, world.folder.path(), Path::new("relative")],
    )
    .await;
    assert!(outcome.end.is_none());
    assert_eq!(outcome.records.len(), 1, "a folder that is named twice is checked once");
    assert_eq!(outcome.failures.len(), 3);
    for failure in &outcome.failures {
        assert!(!failure.error.advice().is_empty(), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_stopped_ends_as_stopped() {
    let (world, root) = exported(300, World::ask).await;
    let operation = Operation::start(&world.session, Request::new("audit_verify")).unwrap();
    let path = root.to_string_lossy().into_owned();
    operation
        .submit(Request::new("folder").with("path", secureapp_core::Field::Text(path)))
        .unwrap();
    operation.cancel();
    assert!(drain(&operation).await.end.unwrap().is_cancelled());
    world.session.engine().idle().await;
    assert!(flag(&one(&world, &root).await, "valid"));
}
