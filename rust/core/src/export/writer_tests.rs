//! Crashes, resumes and second runs of the writer, on real folders.

use super::*;
use crate::export::batch::Batcher;
use crate::export::open_part;
use crate::export::part_file::hash_of;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

#[path = "writer/harm_tests.rs"]
mod harm;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const DAY: i64 = 86_400_000;
const STEPS: [Step; 5] = [
    Step::PartWritten,
    Step::PartSynced,
    Step::Journaled,
    Step::Renamed,
    Step::DirectorySynced,
];

/// Fails when a step is reached for the n-th time.
#[derive(Debug)]
struct CrashAt(Step, Mutex<u32>);

impl Checkpoint for CrashAt {
    fn reached(&self, step: Step) -> Result<()> {
        let mut left = self.1.lock().unwrap();
        if step == self.0 {
            *left -= 1;
            if *left == 0 {
                return Err(Error::internal("crash"));
            }
        }
        Ok(())
    }
}

fn settings(base: &Path) -> Settings {
    Settings {
        base: base.to_owned(),
        asked: Asked {
            tenant_id: TENANT.to_owned(),
            display_name: "Contoso".to_owned(),
            source: "test".to_owned(),
            records: "records".to_owned(),
            selected_by: "contentCreated".to_owned(),
            content_types: vec!["Audit.General".to_owned()],
            window: Window::new(DAY, 4 * DAY),
            settle_seconds: 600,
        },
        format: Format::Ndjson,
        compression: Compression::None,
        limits: Limits {
            pending_records: 40,
            known_records: 30,
            open_parts: 8,
            ..Limits::default()
        },
        force: false,
        checkpoint: None,
        room: None,
    }
}

fn record(number: u32) -> String {
    format!(
        r#"{{"CreationTime":"2026-01-0{}T10:00:00","Id":"{number:08x}-0000-4000-8000-000000000000","Operation":"o"}}"#,
        number % 5 + 1
    )
}

fn batch(numbers: impl IntoIterator<Item = u32>) -> Batch {
    let records: Vec<String> = numbers.into_iter().map(record).collect();
    batch_of(format!("[{}]", records.join(",\n")).as_bytes())
}

fn batch_of(array: &[u8]) -> Batch {
    let mut batcher = Batcher::new(Arc::from("blob$1"), 0, 1 << 20);
    assert!(batcher.push(array).unwrap().is_none());
    batcher.finish().unwrap().unwrap()
}

fn lines(base: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for directory in fs::read_dir(base.join(format!("tenant={TENANT}"))).unwrap() {
        let directory = directory.unwrap();
        if !directory.file_name().to_string_lossy().starts_with("date=") {
            continue;
        }
        for part in fs::read_dir(directory.path()).unwrap() {
            let mut text = String::new();
            let mut part = open_part(&part.unwrap().path()).unwrap();
            part.read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    lines.sort();
    lines
}

fn manifest(base: &Path) -> serde_json::Value {
    let path = base.join(format!("tenant={TENANT}/manifest.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn expected(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    let set: BTreeSet<u32> = numbers.into_iter().collect();
    let mut lines: Vec<String> = set.into_iter().map(record).collect();
    lines.sort();
    lines
}

fn compressed(base: &Path, compression: Compression) -> Settings {
    Settings {
        compression,
        ..settings(base)
    }
}

/// Adds 0..200 in batches of ten, each record in two batches.
fn run(settings: Settings) -> Result<Summary> {
    let mut writer = Writer::open(settings)?;
    for start in (0..200).step_by(10) {
        writer.add(&batch(start..start + 10))?;
        writer.add(&batch(start..start + 10))?;
    }
    writer.commit()?;
    finish(writer, &Outcome::default())
}

fn finish(writer: Writer, outcome: &Outcome) -> Result<Summary> {
    let (summary, written) = writer.finish(outcome);
    written.map(|()| summary)
}

#[test]
fn a_second_run_adds_nothing() {
    let base = tempfile::tempdir().unwrap();
    let first = run(settings(base.path())).unwrap();
    assert_eq!(
        (first.counts.records, first.counts.duplicates, first.total_records),
        (200, 200, 200)
    );
    let before = lines(base.path());
    assert_eq!(before, expected(0..200));
    let second = run(settings(base.path())).unwrap();
    assert_eq!(
        (second.counts.records, second.counts.duplicates, second.total_records),
        (0, 400, 200)
    );
    assert_eq!(lines(base.path()), before);
    let manifest = manifest(base.path());
    assert_eq!(manifest["complete"], true);
    assert_eq!(manifest["records"], 200);
    assert_eq!(manifest["firstCreationTime"], "2026-01-01T10:00:00Z");
    assert_eq!(manifest["lastCreationTime"], "2026-01-05T10:00:00Z");
    for part in manifest["parts"].as_array().unwrap() {
        let path = base
            .path()
            .join(format!("tenant={TENANT}"))
            .join(part["path"].as_str().unwrap());
        assert_eq!(part["sha256"], hash_of(&path).unwrap());
        assert_eq!(part["bytes"], fs::metadata(&path).unwrap().len());
    }
}

#[test]
fn a_crash_at_any_step_loses_and_doubles_nothing() {
    use Compression::{Gzip, None, Zstd};
    for step in STEPS {
        for (nth, compression) in [
            (1, None),
            (2, None),
            (3, None),
            (4, None),
            (1, Gzip),
            (3, Gzip),
            (2, Zstd),
        ] {
            let base = tempfile::tempdir().unwrap();
            let settings = compressed(base.path(), compression);
            let crash = Arc::new(CrashAt(step, Mutex::new(nth)));
            let limits = Limits {
                open_parts: 3,
                ..settings.limits
            };
            let crashed = run(Settings {
                checkpoint: Some(crash),
                limits,
                ..settings.clone()
            });
            assert_eq!(
                crashed.unwrap_err().message(),
                "crash",
                "{step:?} {nth} {compression:?}"
            );
            assert_eq!(manifest(base.path())["complete"], false);
            assert_eq!(manifest(base.path())["reason"], "in progress");

            let resumed = run(settings).unwrap();
            assert_eq!(lines(base.path()), expected(0..200), "{step:?} {nth} {compression:?}");
            assert_eq!(resumed.total_records, 200);
            let left: Vec<_> = fs::read_dir(base.path().join(format!("tenant={TENANT}")))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.ends_with(".tmp"))
                .collect();
            assert_eq!(left, Vec::<String>::new());
        }
    }
}

#[test]
fn compressed_parts_are_told_of_as_they_are() {
    for (compression, name, suffix) in [
        (Compression::None, "none", ".ndjson"),
        (Compression::Gzip, "gzip", ".ndjson.gz"),
        (Compression::Zstd, "zstd", ".ndjson.zst"),
    ] {
        let base = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(compressed(base.path(), compression)).unwrap();
        writer.add(&batch(0..100)).unwrap();
        writer.add(&batch_of(b"[{\"Id\":\"\xFF\"}]")).unwrap();
        writer.commit().unwrap();
        let summary = finish(writer, &Outcome::default()).unwrap();
        assert_eq!(lines(base.path()), expected(0..100));

        let manifest = manifest(base.path());
        assert_eq!(
            (&manifest["format"], &manifest["compression"]),
            (&"ndjson".into(), &name.into())
        );
        let root = base.path().join(format!("tenant={TENANT}"));
        let (mut bytes, mut uncompressed) = (0, 0);
        for part in manifest["parts"].as_array().unwrap() {
            let path = part["path"].as_str().unwrap();
            // What could not be read is for people: it lies there as it is.
            assert!(
                path.ends_with(if path.starts_with("rejects/") {
                    ".ndjson"
                } else {
                    suffix
                }),
                "{path}"
            );
            assert_eq!(part["sha256"], hash_of(&root.join(path)).unwrap());
            assert_eq!(part["bytes"], fs::metadata(root.join(path)).unwrap().len());
            let mut text = Vec::new();
            open_part(&root.join(path)).unwrap().read_to_end(&mut text).unwrap();
            assert_eq!(part["uncompressedBytes"], text.len());
            bytes += part["bytes"].as_u64().unwrap();
            uncompressed += text.len() as u64;
        }
        assert_eq!(
            (&manifest["bytes"], &manifest["uncompressedBytes"]),
            (&bytes.into(), &uncompressed.into())
        );
        assert_eq!(summary.counts.bytes, bytes);
        assert_eq!(bytes < uncompressed, compression != Compression::None);

        // Another compression would be a folder that no reader has one pattern for.
        for other in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let opened = Writer::open(compressed(base.path(), other)).map(drop);
            assert_eq!(opened.is_ok(), other == compression, "{opened:?}");
        }
        assert_eq!(lines(base.path()), expected(0..100));
    }
}

#[test]
fn a_compressed_part_that_was_cut_short_is_noticed() {
    let base = tempfile::tempdir().unwrap();
    run(compressed(base.path(), Compression::Gzip)).unwrap();
    let part = base
        .path()
        .join(format!("tenant={TENANT}/date=2026-01-02/part-1.ndjson.gz"));
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() - 1]).unwrap();
    run(compressed(base.path(), Compression::Gzip)).unwrap();
    let manifest = manifest(base.path());
    assert_eq!(manifest["complete"], false);
    let reason = manifest["reason"].as_str().unwrap();
    assert!(reason.contains("date=2026-01-02/part-1.ndjson.gz"), "{reason}");
}

#[test]
fn parts_of_flat_rows_have_the_columns_of_their_records() {
    for compression in [Compression::None, Compression::Gzip] {
        let base = tempfile::tempdir().unwrap();
        let flat = Settings {
            format: Format::Csv {
                byte_order_mark: false,
                flatten: true,
            },
            ..compressed(base.path(), compression)
        };
        let mut writer = Writer::open(flat.clone()).unwrap();
        writer.add(&batch(0..50)).unwrap();
        writer
            .add(&batch_of(
                br#"[{"CreationTime":"2026-01-01T00:00:00","Id":"x","Zone":{"a": [1]}}]"#,
            ))
            .unwrap();
        writer.commit().unwrap();
        finish(writer, &Outcome::default()).unwrap();
        let root = base.path().join(format!("tenant={TENANT}"));
        assert!(!fs::read_dir(&root).unwrap().any(|entry| {
            let name = entry.unwrap().file_name();
            name.to_string_lossy().ends_with(".tmp")
        }));
        let mut rows = Vec::new();
        for day in 1..=5 {
            let part = format!("date=2026-01-0{day}/part-1.csv{}", compression.suffix());
            let mut reader = csv::Reader::from_reader(open_part(&root.join(part)).unwrap());
            let has_zone = reader.headers().unwrap().iter().any(|name| name == "Zone");
            assert_eq!(has_zone, day == 1);
            let at = reader.headers().unwrap().iter().position(|name| name == "Id").unwrap();
            for row in reader.records() {
                let row = row.unwrap();
                rows.push(row[at].to_owned());
                assert_eq!(&row[at] == "x", row.iter().any(|cell| cell == r#"{"a":[1]}"#));
            }
        }
        rows.sort();
        let mut ids: Vec<String> = (0..50u32)
            .map(|id| format!("{id:08x}-0000-4000-8000-000000000000"))
            .collect();
        ids.push("x".to_owned());
        assert_eq!(rows, ids);
        let manifest = manifest(base.path());
        assert_eq!(
            (&manifest["format"], &manifest["flatten"]),
            (&"csv".into(), &true.into())
        );
        // The other CSV has other columns.
        let plain = Format::Csv {
            byte_order_mark: false,
            flatten: false,
        };
        assert!(Writer::open(Settings { format: plain, ..flat }).is_err());
    }
}

#[test]
fn what_was_journaled_before_a_crash_is_not_written_again() {
    let base = tempfile::tempdir().unwrap();
    let crash = Arc::new(CrashAt(Step::Journaled, Mutex::new(1)));
    let mut writer = Writer::open(Settings {
        checkpoint: Some(crash),
        ..settings(base.path())
    })
    .unwrap();
    writer.add(&batch(0..5)).unwrap();
    writer.commit().unwrap_err();
    drop(writer);
    assert_eq!(lines(base.path()), Vec::<String>::new());
    let writer = Writer::open(settings(base.path())).unwrap();
    assert_eq!(lines(base.path()), expected(0..5));
    drop(writer);
}

#[test]
fn two_writers_of_one_folder_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let first = Writer::open(settings(base.path())).unwrap();
    let error = Writer::open(settings(base.path())).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.message().contains("another export is writing"), "{error}");
    assert!(!error.advice().is_empty());
    drop(first);
    Writer::open(settings(base.path())).unwrap();
}

#[test]
fn another_format_needs_force_and_force_starts_anew() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let csv = Settings {
        format: Format::Csv {
            byte_order_mark: true,
            flatten: false,
        },
        ..settings(base.path())
    };
    assert_eq!(Writer::open(csv.clone()).unwrap_err().kind(), Kind::InvalidInput);
    let mut writer = Writer::open(Settings { force: true, ..csv }).unwrap();
    assert_eq!(lines(base.path()), Vec::<String>::new());
    writer.add(&batch(0..1)).unwrap();
    writer.commit().unwrap();
    finish(writer, &Outcome::default()).unwrap();
    let text = lines(base.path()).concat();
    assert!(
        text.contains("\u{feff}RecordType,CreationDate,UserIds,Operations,Identity,AuditData"),
        "{text}"
    );
}

#[test]
fn force_leaves_other_peoples_files() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let note = base.path().join(format!("tenant={TENANT}/note.txt"));
    fs::write(&note, "mine").unwrap();
    drop(
        Writer::open(Settings {
            force: true,
            ..settings(base.path())
        })
        .unwrap(),
    );
    assert!(note.exists());
}

#[test]
fn a_clearing_that_was_interrupted_is_finished() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let root = base.path().join(format!("tenant={TENANT}"));
    fs::write(root.join("_restart"), "").unwrap();
    fs::remove_file(root.join(JOURNAL)).unwrap();
    let summary = run(settings(base.path())).unwrap();
    assert_eq!((summary.counts.records, summary.total_records), (200, 200));
}

#[test]
fn parts_without_a_journal_are_not_trusted() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    fs::remove_file(base.path().join(format!("tenant={TENANT}")).join(JOURNAL)).unwrap();
    let error = Writer::open(settings(base.path())).unwrap_err();
    assert!(error.message().contains("no journal"), "{error}");
}

#[test]
fn parts_that_were_taken_away_stay_known() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    for day in 1..=5 {
        fs::remove_dir_all(base.path().join(format!("tenant={TENANT}/date=2026-01-0{day}"))).unwrap();
    }
    assert_eq!(run(settings(base.path())).unwrap().counts.records, 0);
}

#[test]
fn a_part_that_was_taken_away_is_told_until_it_is_back() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let name = "date=2026-01-02/part-1.ndjson";
    let part = base.path().join(format!("tenant={TENANT}")).join(name);
    let aside = base.path().join("aside");
    fs::rename(&part, &aside).unwrap();

    let again = run(settings(base.path())).unwrap();
    assert_eq!((again.counts.records, again.counts.duplicates), (0, 400));
    assert!(!again.folder_complete);
    let warning = again.warning.unwrap();
    assert!(
        warning.contains(&format!("{name} is not there any more. Put the file back")),
        "{warning}"
    );
    let told = manifest(base.path());
    assert_eq!(told["complete"], false);
    assert!(told["reason"].as_str().unwrap().contains(name), "{told}");

    // A run is told of it where it was given some of its records.
    let mut writer = Writer::open(settings(base.path())).unwrap();
    writer.add(&batch([0])).unwrap();
    assert_eq!(writer.missed(), None);
    writer.add(&batch([1])).unwrap();
    assert!(writer.missed().unwrap().contains(name));
    drop(writer);

    fs::rename(&aside, &part).unwrap();
    let whole = run(settings(base.path())).unwrap();
    assert_eq!((whole.folder_complete, whole.warning), (true, None));
    assert_eq!(lines(base.path()), expected(0..200));
}

/// How many of a run's records a run over `window` knows, for which all of them are old.
fn remembered(window: Window) -> u64 {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let mut later = settings(base.path());
    later.limits.remember_days = 0;
    later.asked.window = window;
    std::thread::sleep(std::time::Duration::from_millis(2));
    let mut writer = Writer::open(later).unwrap();
    assert_eq!(writer.contents.records, 200);
    writer.add(&batch(0..200)).unwrap();
    writer.counts.duplicates
}

#[test]
fn old_records_are_remembered_where_what_is_asked_for_has_them() {
    let days = |first: i64, end: i64| {
        let new_year = time::millis("2026-01-01T00:00:00Z").unwrap();
        remembered(Window::new(new_year + (first - 1) * DAY, new_year + (end - 1) * DAY))
    };
    // By the records' own time, with a day on each side: 40 records on each of the first five days of the year.
    assert_eq!(days(1, 6), 200);
    assert_eq!(days(3, 4), 120);
    assert_eq!(days(40, 41), 0);
}

#[test]
fn conflicts_keep_the_first_and_flaws_go_to_rejects() {
    let base = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(base.path())).unwrap();
    writer
        .add(&batch_of(
            b"[{\"Id\":\"a\",\r\n \"x\":1},{\"Id\":\"a\", \"x\":1},{\"Id\":\"a\",\"x\":2},{\"x\":1},{\"x\":1},{\"Id\":\"\xFF\"},{\"Id\":\"\xFF\"}]",
        ))
        .unwrap();
    writer.commit().unwrap();
    let counts = finish(writer, &Outcome::default()).unwrap().counts;
    assert_eq!(
        (counts.records, counts.duplicates, counts.conflicts, counts.rejects),
        (2, 3, 1, 1)
    );
    let root = base.path().join(format!("tenant={TENANT}"));
    let unknown = fs::read_to_string(root.join("date=unknown/part-1.ndjson")).unwrap();
    assert_eq!(unknown, "{\"Id\":\"a\", \"x\":1}\n{\"x\":1}\n");
    let reject: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join("rejects/part-1.ndjson")).unwrap()).unwrap();
    assert_eq!(reject["reason"], "invalid UTF-8");
    assert_eq!(reject["part"], "blob$1");
    assert_eq!(
        BASE64_STANDARD.decode(reject["base64"].as_str().unwrap()).unwrap(),
        b"{\"Id\":\"\xFF\"}"
    );
    assert_eq!(manifest(base.path())["rejects"], 1);
}

#[test]
fn a_run_that_is_broken_off_keeps_what_was_finished() {
    let base = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(base.path())).unwrap();
    writer.add(&batch(0..5)).unwrap();
    writer.commit().unwrap();
    writer.add(&batch(5..10)).unwrap();
    let outcome = Outcome {
        incomplete: Some("stopped".to_owned()),
        ..Outcome::default()
    };
    let summary = finish(writer, &outcome).unwrap();
    assert_eq!(summary.counts.records, 5);
    assert_eq!(lines(base.path()), expected(0..5));
    let manifest = manifest(base.path());
    assert_eq!(
        (&manifest["complete"], &manifest["reason"]),
        (&false.into(), &"stopped".into())
    );
    assert_eq!(manifest["records"], 5);
}

#[test]
fn a_part_that_cannot_be_placed_is_counted_by_the_run_that_places_it() {
    let base = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(base.path())).unwrap();
    writer.add(&batch(0..20)).unwrap();
    // A file stands where a day's folder belongs: the other days have theirs, or not, as the order falls.
    let obstacle = base.path().join(format!("tenant={TENANT}/date=2026-01-03"));
    fs::write(&obstacle, "").unwrap();
    assert_eq!(writer.commit().unwrap_err().kind(), Kind::Storage);
    let outcome = Outcome {
        incomplete: Some("disk".to_owned()),
        ..Outcome::default()
    };
    let summary = finish(writer, &outcome).unwrap();
    fs::remove_file(&obstacle).unwrap();
    let placed = lines(base.path()).len() as u64;
    assert!(placed < 20);
    assert_eq!((summary.counts.records, summary.total_records), (placed, placed));
    assert_eq!(manifest(base.path())["records"], placed);
    // The journal knows all of them: the next export places the rest and writes none twice.
    assert_eq!(run(settings(base.path())).unwrap().counts.records, 180);
    assert_eq!(lines(base.path()), expected(0..200));
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Writer::open(settings(&file)).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.message().contains("file/tenant="), "{error}");
    assert!(error.advice().contains("-Path"), "{}", error.advice());
}

#[test]
fn many_days_stay_within_the_open_parts() {
    let base = tempfile::tempdir().unwrap();
    let limits = Limits {
        open_parts: 3,
        ..settings(base.path()).limits
    };
    let mut writer = Writer::open(Settings {
        limits,
        ..settings(base.path())
    })
    .unwrap();
    writer.add(&batch(0..100)).unwrap();
    assert!(writer.open.len() <= 3);
    assert!(writer.pending <= 100);
    writer.commit().unwrap();
    finish(writer, &Outcome::default()).unwrap();
    assert_eq!(lines(base.path()), expected(0..100));
}
