//! Folders and disks that others harm: journals of before, full disks, files that cannot be looked at.

use super::*;
use crate::export::folder::tests::SYNCED;
use crate::export::unfinished;
use std::path::PathBuf;

fn root(base: &Path) -> PathBuf {
    base.join(format!("tenant={TENANT}"))
}

fn incomplete() -> Outcome {
    Outcome {
        incomplete: Some("disk".to_owned()),
        ..Outcome::default()
    }
}

/// The names of all files in the tenant's folder, but for the lock, with what is in them.
fn files(base: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut directories = vec![root(base)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => directories.push(path),
                false => found.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

fn part_names(base: &Path) -> BTreeSet<PathBuf> {
    let is_part = |path: &PathBuf| path.to_string_lossy().contains("/date=");
    files(base).into_iter().map(|(path, _)| path).filter(is_part).collect()
}

/// Five records, then the others; gives the journal of when only the five were there.
fn two_runs(base: &Path) -> Vec<u8> {
    let mut writer = Writer::open(settings(base)).unwrap();
    writer.add(&batch(0..5)).unwrap();
    writer.commit().unwrap();
    finish(writer, &incomplete()).unwrap();
    let before = fs::read(root(base).join(JOURNAL)).unwrap();
    run(settings(base)).unwrap();
    before
}

#[test]
fn a_journal_that_does_not_name_every_part_is_refused_and_nothing_is_touched() {
    type Harm = fn(&Path, Vec<u8>);
    let harms: [Harm; 4] = [
        // From a backup.
        |journal, before| fs::write(journal, before).unwrap(),
        // Only its first line.
        |journal, before| {
            let first = before.iter().position(|byte| *byte == b'\n').unwrap();
            fs::write(journal, &before[..=first]).unwrap();
        },
        // What a crash would have left, had it come before the parts had their names.
        |journal, before| {
            let torn = fs::read(journal).unwrap();
            fs::write(journal, &torn[..before.len() + 100]).unwrap();
        },
        // Files from another folder.
        |journal, _| {
            let day = journal.with_file_name("date=2026-01-02");
            fs::copy(day.join("part-1.ndjson"), day.join("part-1 (copy).ndjson")).unwrap();
        },
    ];
    for (number, harm) in harms.into_iter().enumerate() {
        let base = tempfile::tempdir().unwrap();
        let before = two_runs(base.path());
        harm(&root(base.path()).join(JOURNAL), before);
        // It may be of a part that the right journal names.
        fs::write(root(base.path()).join("_date=2026-01-04.part-9.tmp"), "{}").unwrap();
        let harmed = files(base.path());

        let error = Writer::open(settings(base.path())).unwrap_err();
        assert_eq!(error.kind(), Kind::Storage);
        let named = if number == 3 {
            "part-1 (copy).ndjson is"
        } else {
            "more are"
        };
        assert!(
            error.message().contains(named) && error.message().contains("not named by the journal"),
            "{error}"
        );
        for way in [
            "Test-SecureAppAuditExport",
            "an older journal",
            "move these files",
            "-Force",
        ] {
            assert!(error.advice().contains(way), "{}", error.advice());
        }
        // Who only looks is told the same.
        let looked = unfinished::look(&root(base.path())).unwrap_err();
        assert_eq!(looked.message(), error.message());
        assert!(files(base.path()) == harmed, "it is left as it was found, {number}");

        // Without the files it goes on, and with -Force it begins anew.
        let mut forced = settings(base.path());
        if number % 2 == 0 {
            forced.force = true;
        } else {
            let journal = fs::read_to_string(root(base.path()).join(JOURNAL)).unwrap();
            for part in part_names(base.path()) {
                let name = part
                    .strip_prefix(root(base.path()))
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                if !journal.contains(&name) {
                    fs::remove_file(part).unwrap();
                }
            }
        }
        assert!(run(forced).unwrap().folder_complete);
        assert_eq!(lines(base.path()), expected(0..200), "{number}");
    }
}

#[test]
fn a_folder_that_is_started_anew_has_no_part_that_its_journal_should_name() {
    let base = tempfile::tempdir().unwrap();
    let before = two_runs(base.path());
    fs::write(root(base.path()).join(JOURNAL), before).unwrap();
    let forced = Writer::open(Settings {
        force: true,
        ..settings(base.path())
    });
    // As long as it is written to, who looks cannot tell which came first, the journal or the part.
    let writer = forced.unwrap();
    let day = root(base.path()).join("date=2026-01-02");
    fs::create_dir(&day).unwrap();
    fs::write(day.join("part-1.ndjson"), "{}\n").unwrap();
    assert!(unfinished::look(&root(base.path())).unwrap().is_some());
    drop(writer);
    assert!(unfinished::look(&root(base.path())).is_err());
}

/// The bytes that a full disk takes of the journal's next lines, and what comes after it.
#[test]
fn a_journal_that_is_torn_at_any_byte_reads_whole_after_the_next_write() {
    // In memory where that can be: there are some thousand runs, and what a disk does with a sync is not asked here.
    let base = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let run_on = |room: usize, goes_on: bool| -> bool {
        if root(base.path()).exists() {
            fs::remove_dir_all(root(base.path())).unwrap();
        }
        let mut writer = Writer::open(settings(base.path())).unwrap();
        writer.add(&batch([1])).unwrap();
        writer.commit().unwrap();
        let length = || fs::metadata(root(base.path()).join(JOURNAL)).unwrap().len();
        let whole = length();
        writer.journal.fill_up(room);
        writer.add(&batch([2, 3])).unwrap();
        let error = writer.commit().unwrap_err();
        assert!(error.advice().contains("Free space"), "{error}");
        let taken = length() - whole;
        if goes_on {
            // The same writer finds room again; then the run ends, which is a write as well.
            writer.add(&batch([4])).unwrap();
            writer.commit().unwrap();
            finish(writer, &incomplete()).unwrap();
            assert_eq!(lines(base.path()), expected([1, 4]));
            let mut parts = Vec::new();
            let journal = root(base.path()).join(JOURNAL);
            let survey = journal::survey(&journal, &mut |_, fact| {
                if let Fact::Part(part) = fact {
                    parts.push(root(base.path()).join(part.part));
                }
                Ok(())
            });
            let survey = survey.unwrap();
            assert!(!survey.torn && survey.header.is_some(), "{room}");
            assert_eq!(
                parts.into_iter().collect::<BTreeSet<_>>(),
                part_names(base.path()),
                "{room}"
            );
        } else {
            // Killed there and then.
            drop(writer);
        }
        let mut resumed = Writer::open(settings(base.path())).unwrap();
        resumed.add(&batch(1..6)).unwrap();
        resumed.commit().unwrap();
        let summary = finish(resumed, &Outcome::default()).unwrap();
        assert!(
            summary.folder_complete && summary.total_records == 5,
            "{room} {summary:?}"
        );
        assert_eq!(lines(base.path()), expected(1..6), "{room}");
        taken < room as u64
    };
    for goes_on in [true, false] {
        let mut room = 0;
        // Until all of the lines find room, and only the sync fails.
        while !run_on(room, goes_on) {
            room += 1;
        }
        assert!(room > 400, "two lines have {room} bytes");
    }
}

/// What was synced before each step.
#[derive(Debug, Default)]
struct Syncs(Mutex<Vec<(Step, Vec<PathBuf>)>>);

impl Checkpoint for Syncs {
    fn reached(&self, step: Step) -> Result<()> {
        self.0.lock().unwrap().push((step, SYNCED.take()));
        Ok(())
    }
}

#[test]
fn the_names_of_temporary_parts_are_synced_before_the_journal_has_them() {
    let base = tempfile::tempdir().unwrap();
    let syncs = Arc::new(Syncs::default());
    SYNCED.take();
    let mut writer = Writer::open(Settings {
        checkpoint: Some(syncs.clone()),
        ..settings(base.path())
    })
    .unwrap();
    let opened = SYNCED.take();
    assert!(opened.contains(&base.path().to_owned()) && opened.contains(&root(base.path())));
    writer.add(&batch([1, 2])).unwrap();
    writer.commit().unwrap();
    let root = root(base.path());
    let days = ["date=2026-01-02", "date=2026-01-03"].map(|day| root.join(day));
    let found = syncs.0.lock().unwrap();
    let (mut steps, mut synced): (Vec<Step>, Vec<BTreeSet<&PathBuf>>) = (Vec::new(), Vec::new());
    for (step, paths) in found.iter().filter(|(step, _)| *step != Step::PartWritten) {
        steps.push(*step);
        synced.push(paths.iter().collect());
    }
    assert_eq!(steps, STEPS[1..]);
    // The temporary files' names; nothing; the new days' names; the parts' names in them.
    let expected = [
        BTreeSet::from([&root]),
        BTreeSet::new(),
        BTreeSet::from([&root]),
        days.iter().collect(),
    ];
    assert_eq!(synced, expected);
}

#[cfg(unix)]
#[test]
fn a_part_that_cannot_be_looked_at_is_an_error_and_not_gone() {
    let base = tempfile::tempdir().unwrap();
    run(settings(base.path())).unwrap();
    let part = root(base.path()).join("date=2026-01-02/part-1.ndjson");
    let text = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink(&part, &part).unwrap();
    let failures = [
        Writer::open(settings(base.path())).map(drop),
        unfinished::look(&root(base.path())).map(drop),
    ];
    for failure in failures {
        let error = failure.unwrap_err();
        assert_eq!(error.kind(), Kind::Storage);
        assert!(error.message().contains(&*part.to_string_lossy()), "{error}");
    }
    fs::remove_file(&part).unwrap();
    fs::write(&part, text).unwrap();
    let again = run(settings(base.path())).unwrap();
    assert_eq!(
        (again.counts.records, again.folder_complete, again.warning),
        (0, true, None)
    );
}
