//! One part against its line in the journal.

use super::problem::{Problems, Subject};
use super::records::{Counted, Reader};
use super::{unreadable, Check, Meter, UNREADABLE};
use crate::error::{Error, Result};
use crate::export::dedupe::Seen;
use crate::export::folder::REJECTS;
use crate::export::journal::PartEntry;
use crate::export::known::Known;
use crate::export::part_file::hex;
use crate::export::reader::text_of;
use crate::export::split::Fields;
use openssl::sha::Sha256;
use std::fs::File;
use std::io::{self, Read};
use tokio_util::sync::CancellationToken;

const BUFFER: usize = 64 << 10;

/// Where a part was found, and what it is.
pub(super) enum Found {
    Here {
        bytes: u64,
        records: u64,
    },
    /// Whole, but it still has its temporary name.
    Unplaced,
    Gone,
}

/// Reads a part and tells what is wrong with its content.
pub(super) fn read(
    check: &Check<'_>,
    fields: &Fields,
    entry: &PartEntry,
    known: &mut Known,
    problems: &mut Problems,
) -> Result<Found> {
    let path = check.root.join(&entry.part);
    let gone = |opened: &io::Result<File>| {
        opened
            .as_ref()
            .is_err_and(|cause| cause.kind() == io::ErrorKind::NotFound)
    };
    let mut file = File::open(&path);
    if gone(&file) {
        let temporary = check.root.join(&entry.temporary);
        let is_there = temporary.try_exists();
        if is_there.map_err(|cause| unreadable("look at", &temporary, &cause))? {
            return Ok(Found::Unplaced);
        }
        // It may have got its name in between.
        file = File::open(&path);
    }
    if gone(&file) {
        return Ok(Found::Gone);
    }
    let file = file.map_err(|cause| unreadable("read", &path, &cause))?;
    let mut raw = Raw {
        file,
        hash: Sha256::new(),
        bytes: 0,
        meter: check.meter,
        cancel: check.cancel,
    };
    let mut tally = Tally {
        entry,
        expected: entry.decode_ids(),
        at: 0,
        known,
        repeated: 0,
        first_repeated: None,
        strange: 0,
    };
    let largest = check.limits.largest_record;
    let result = text_of(&path, &mut raw).map_err(broken).and_then(|text| {
        let reader = if entry.part.starts_with(REJECTS) {
            Reader::Rejects
        } else {
            Reader::of(&entry.part, *fields)
        };
        reader.read(text, BUFFER, largest, &mut |counted| tally.take(counted))
    });
    // What follows an unreadable record counts for the hash all the same.
    let drained = io::copy(&mut raw, &mut io::sink());
    if check.cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    drained.map_err(|cause| unreadable("read", &path, &cause))?;
    let (sha256, bytes) = (hex(&raw.hash.finish()), raw.bytes);
    let records = tally.report(result, &sha256, bytes, problems)?;
    Ok(Found::Here { bytes, records })
}

#[cold]
fn broken(cause: io::Error) -> Error {
    Error::new(
        crate::error::Kind::Protocol,
        format!("its text cannot be read: {cause}"),
    )
}

/// A file that is hashed as it is read, until somebody stops it.
struct Raw<'a> {
    file: File,
    hash: Sha256,
    bytes: u64,
    meter: &'a Meter,
    cancel: &'a CancellationToken,
}

impl Read for Raw<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        let length = self.file.read(into)?;
        self.hash.update(&into[..length]);
        self.bytes += length as u64;
        self.meter.add(length as u64);
        Ok(length)
    }
}

/// The records of a part, counted and compared as they come.
struct Tally<'a> {
    entry: &'a PartEntry,
    /// What the journal knows of its records; empty where that is forgotten, `None` where it is unreadable.
    expected: Option<Vec<crate::export::dedupe::Entry>>,
    at: u64,
    known: &'a mut Known,
    repeated: u64,
    first_repeated: Option<String>,
    /// Records that are not those of the journal.
    strange: u64,
}

impl Tally<'_> {
    fn take(&mut self, record: Counted) -> Result<()> {
        let expected = self.expected.as_ref().and_then(|ids| ids.get(self.at as usize));
        let entry = match expected {
            Some(expected) if record.is(expected) => Some(*expected),
            Some(_) => {
                self.strange += 1;
                record.entry()
            }
            None => record.entry(),
        };
        self.at += 1;
        if let Some(entry) = entry {
            if self.known.insert(entry)? != Seen::New {
                self.repeated += 1;
                let name = record.name();
                self.first_repeated
                    .get_or_insert_with(|| format!("{name} in record {}", self.at));
            }
        }
        Ok(())
    }

    /// Tells what is wrong, and gives the number of records.
    fn report(self, result: Result<()>, sha256: &str, bytes: u64, problems: &mut Problems) -> Result<u64> {
        let entry = self.entry;
        let mut wrong = Vec::new();
        if bytes != entry.bytes {
            wrong.push(format!("it has {bytes} bytes and was written with {}", entry.bytes));
        } else if sha256 != entry.sha256 {
            wrong.push("its SHA-256 is not the one that it was written with".to_owned());
        }
        match result {
            Err(error) if error.kind() == crate::error::Kind::Storage => return Err(error.with_id(UNREADABLE)),
            Err(error) => wrong.push(format!("after {} records: {}", self.at, error.message())),
            Ok(()) if self.at != entry.records => {
                wrong.push(format!(
                    "it has {} records and was written with {}",
                    self.at, entry.records
                ));
            }
            Ok(()) => {}
        }
        if self.strange > 0 {
            wrong.push(format!(
                "{} of its records are not those that were written",
                self.strange
            ));
        }
        if !wrong.is_empty() {
            problems.add(Subject::Altered, &entry.part, &wrong.join("; "));
        }
        if self.expected.is_none() {
            problems.add(
                Subject::Journal,
                &entry.part,
                "the journal has a bad list of its records",
            );
        }
        if let Some(first) = self.first_repeated {
            let text = format!(
                "{} of its records are in the folder before, the first {first}",
                self.repeated
            );
            problems.add(Subject::Duplicate, &entry.part, &text);
        }
        Ok(self.at)
    }
}
