//! The journal on real folders: torn ends, damage, and writing it anew.

use super::*;
use crate::export::coverage::Scope;
use crate::export::dedupe::Entry;
use crate::export::{Compression, Format};
use crate::window::Window;
use proptest::prelude::*;

fn entry(number: u64) -> PartEntry {
    let ids: Vec<Entry> = (0..number % 5).map(|id| [(number + id) as u8; 20]).collect();
    PartEntry {
        part: format!("date=2026-01-02/part-{number}.ndjson"),
        temporary: format!("_part-{number}.tmp"),
        sha256: "00".to_owned(),
        bytes: number,
        uncompressed: number.checked_mul(9).filter(|_| number % 2 == 0),
        records: ids.len() as u64,
        first: None,
        last: Some(7),
        written: 1,
        blobs: vec!["a$b".to_owned()],
        ids: PartEntry::encode_ids(&ids),
    }
}

fn header() -> Header {
    Header::new("t", (Format::Ndjson, Compression::None), "records")
}

fn open(path: &Path) -> Result<(Journal, Vec<Fact>)> {
    let mut found = Vec::new();
    let header = header();
    let as_found = Journal::read(path, &header, &mut |fact| {
        found.push(fact);
        Ok(())
    })?;
    Ok((as_found.repair()?, found))
}

fn found(path: &Path) -> Result<Vec<PartEntry>> {
    let parts = open(path)?.1.into_iter().map(|fact| match fact {
        Fact::Part(entry) => entry,
        Fact::Time(scope) => panic!("{scope:?}"),
    });
    Ok(parts.collect())
}

fn write(path: &Path, count: u64) -> Vec<PartEntry> {
    let entries: Vec<_> = (1..=count).map(entry).collect();
    let (mut journal, _) = open(path).unwrap();
    journal.append(entries.iter().map(Line::Part)).unwrap();
    entries
}

#[test]
fn what_many_runs_asked_for_becomes_one_fact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(super::super::folder::JOURNAL);
    let run = |number: i64| Scope {
        source: "feed".to_owned(),
        content_type: "Audit.General".to_owned(),
        asked: vec![Window::new(number, number + 1)].into(),
        had: vec![Window::new(number, number + 1)].into(),
        ..Scope::default()
    };
    let runs: Vec<Scope> = (0..10_000).map(run).collect();
    let (mut journal, _) = open(&path).unwrap();
    journal.append(runs.iter().map(Line::Time)).unwrap();
    drop(journal);
    assert_eq!(open(&path).unwrap().1.len(), 10_000);
    let all = Scope {
        asked: vec![Window::new(0, 10_000)].into(),
        had: vec![Window::new(0, 10_000)].into(),
        ..run(0)
    };
    assert_eq!(open(&path).unwrap().1, [Fact::Time(all)]);
}

#[test]
fn writing_it_anew_keeps_every_part_with_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(super::super::folder::JOURNAL);
    let parts: Vec<PartEntry> = (1..=3).map(entry).collect();
    let time = |start: i64| Scope {
        source: "feed".to_owned(),
        content_type: "Audit.General".to_owned(),
        asked: vec![Window::new(start, start + 10)].into(),
        had: vec![Window::new(start, start + 9)].into(),
        ..Scope::default()
    };
    let (mut journal, _) = open(&path).unwrap();
    let scopes: Vec<Scope> = (0..10_000).map(|day| time(day * 9)).collect();
    let lines = [Line::Part(&parts[0]), Line::Part(&parts[1])];
    journal
        .append(lines.into_iter().chain(scopes.iter().map(Line::Time)))
        .unwrap();
    drop(journal);
    let before = fs::metadata(&path).unwrap().len();

    let (mut journal, facts) = open(&path).unwrap();
    assert_eq!(facts.len(), 10_002);
    assert!(fs::metadata(&path).unwrap().len() < before / 50);
    // It goes on where the new file ends.
    journal.append([Line::Part(&parts[2])].into_iter()).unwrap();
    drop(journal);
    let all = Scope {
        asked: vec![Window::new(0, 90_001)].into(),
        had: vec![Window::new(0, 90_000)].into(),
        ..time(0)
    };
    let [one, two, three] = <[PartEntry; 3]>::try_from(parts).unwrap();
    let expected = [Fact::Part(one), Fact::Part(two), Fact::Time(all), Fact::Part(three)];
    assert_eq!(open(&path).unwrap().1, expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Every byte that a full disk may take of two lines.
#[test]
fn what_a_failed_write_left_is_not_written_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let torn = [entry(2), entry(3)];
    let lines = torn.each_ref().map(|entry| encode(&Line::Part(entry)).unwrap());
    let (mut journal, _) = open(&path).unwrap();
    journal.append([Line::Part(&entry(1))].into_iter()).unwrap();
    let mut expected = vec![entry(1)];
    for room in 0..=lines.concat().len() {
        let length = fs::metadata(&path).unwrap().len();
        journal.fill_up(room);
        let error = journal.append(torn.iter().map(Line::Part)).unwrap_err();
        assert!(error.advice().contains("Free space"), "{error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), length + room as u64);
        // Who reads it now finds the lines that are whole.
        let mut seen = Vec::new();
        look(&path, &mut |part| {
            seen.push(part.clone());
            Ok(())
        })
        .unwrap();
        let whole = usize::from(room >= lines[0].len()) + usize::from(room == lines.concat().len());
        assert_eq!(
            (&seen[..expected.len()], &seen[expected.len()..]),
            (&expected[..], &torn[..whole])
        );
        let next = entry(4 + room as u64);
        journal.append([Line::Part(&next)].into_iter()).unwrap();
        expected.push(next);
    }
    drop(journal);
    assert_eq!(found(&path).unwrap(), expected);
}

#[test]
fn another_format_or_tenant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(super::super::folder::JOURNAL);
    write(&path, 1);
    let lines = (Format::Ndjson, Compression::None);
    let csv = Format::Csv {
        byte_order_mark: true,
        flatten: true,
    };
    for (header, difference) in [
        (
            Header::new("t", (csv, Compression::Gzip), "records"),
            "holds ndjson parts, and this export would add flattened csv.gz parts",
        ),
        (
            Header::new("t", (Format::Ndjson, Compression::Zstd), "records"),
            "holds ndjson parts, and this export would add ndjson.zst parts",
        ),
        (
            Header::new("u", lines, "records"),
            "holds the records of another tenant, t",
        ),
        (
            Header::new("t", lines, "sign-ins"),
            "holds records, and this export would add sign-ins",
        ),
    ] {
        let error = Journal::read(&path, &header, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().ends_with(difference), "{error}");
        assert!(error.advice().contains("-Force"));
    }
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    write(&path, 3);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(found(&path).unwrap_err().kind(), Kind::Storage);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_torn_end_costs_only_the_torn_line(count in 1u64..6, cut in 0usize..10_000, garbage in prop::collection::vec(1u8..10, 0..20)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let entries = write(&path, count);
        let bytes = fs::read(&path).unwrap();
        let cut = cut % (bytes.len() + 1);
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
        let mut torn = bytes[..cut].to_vec();
        torn.extend(&garbage[..garbage.len().min(if garbage.contains(&b'\n') { 0 } else { 20 })]);
        fs::write(&path, &torn).unwrap();
        prop_assert_eq!(&found(&path).unwrap(), &entries[..whole]);
        // What was cut off is gone for good, and the journal goes on behind what is left.
        let (mut journal, _) = open(&path).unwrap();
        journal.append([Line::Part(&entry(9))].into_iter()).unwrap();
        let found = found(&path).unwrap();
        prop_assert_eq!(found.len(), whole + 1);
        prop_assert_eq!(&found[whole], &entry(9));
    }
}

#[test]
fn ids_survive() {
    let entry = entry(4);
    assert_eq!(entry.decode_ids().unwrap().len(), 4);
    assert_eq!(
        PartEntry {
            ids: "AAAA".to_owned(),
            ..entry
        }
        .decode_ids(),
        None
    );
}
