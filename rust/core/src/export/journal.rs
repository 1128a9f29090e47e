//! What the folder holds, written before it does: the truth that a run after a crash starts from.
//!
//! One line is one fact: a CRC-32 in eight hexadecimal digits, a blank, a JSON object. The first line says how the folder
//! is written; every other names a finished part and the records in it. A last line that a crash tore is cut off; any
//! other damage is an error, because going on would write records twice.

use super::dedupe::{self, Entry};
use super::folder::failed;
use crate::error::{Error, Kind, Result};
use base64::prelude::{Engine as _, BASE64_STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

/// How a folder is written; an export with other settings must not mix its parts in.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) tenant: String,
    pub(crate) format: String,
}

impl Header {
    pub(crate) fn new(tenant: &str, format: &str) -> Self {
        Header {
            version: VERSION,
            tenant: tenant.to_owned(),
            format: format.to_owned(),
        }
    }
}

/// One finished part.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartEntry {
    /// Below the tenant's folder, with `/`.
    pub(crate) part: String,
    /// The temporary file that becomes it.
    pub(crate) temporary: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// Seconds since 1970-01-01 UTC.
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// When it was finished, in milliseconds since 1970-01-01 UTC.
    pub(crate) written: i64,
    /// The parts of the source (blobs of the feed) that its records came from.
    pub(crate) blobs: Vec<String>,
    /// The records' dedupe entries in Base64.
    pub(crate) ids: String,
}

impl PartEntry {
    pub(crate) fn encode_ids(entries: &[Entry]) -> String {
        BASE64_STANDARD_NO_PAD.encode(entries.as_flattened())
    }

    pub(crate) fn decode_ids(&self) -> Option<Vec<Entry>> {
        let bytes = BASE64_STANDARD_NO_PAD.decode(&self.ids).ok()?;
        let entries = bytes.chunks_exact(size_of::<Entry>());
        if !entries.remainder().is_empty() || bytes.len() / size_of::<Entry>() != self.records as usize {
            return None;
        }
        entries.map(|entry| entry.try_into().ok()).collect()
    }
}

/// The open journal of a folder, at its end.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal, or starts one with `header`. Every part in it goes to `each`, in order.
    pub(crate) fn open(path: &Path, header: &Header, each: &mut dyn FnMut(PartEntry) -> Result<()>) -> Result<Self> {
        let fail = |action: &str, cause: &io::Error| failed(action, path, cause);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|cause| fail("open the journal", &cause))?;
        let mut reader = BufReader::with_capacity(64 << 10, &mut file);
        let mut good = 0u64;
        let mut line = Vec::new();
        let mut number = 0u64;
        loop {
            line.clear();
            let length = reader
                .read_until(b'\n', &mut line)
                .map_err(|cause| fail("read the journal", &cause))?;
            if length == 0 {
                break;
            }
            number += 1;
            let Some(json) = checked(&line) else {
                // Only the end can be torn: whatever follows a bad line was written after it.
                let more = reader.fill_buf().map_err(|cause| fail("read the journal", &cause))?;
                if !more.is_empty() {
                    return Err(damaged(path, number));
                }
                break;
            };
            if number == 1 {
                let found: Header = serde_json::from_slice(json).map_err(|_| damaged(path, number))?;
                if found != *header {
                    return Err(other_settings(path, &found, header));
                }
            } else {
                each(serde_json::from_slice(json).map_err(|_| damaged(path, number))?)?;
            }
            good += length as u64;
        }
        drop(reader);
        let length = file.metadata().map_err(|cause| fail("read the journal", &cause))?.len();
        if length > good {
            file.set_len(good)
                .and_then(|()| file.sync_all())
                .map_err(|cause| fail("repair the journal", &cause))?;
        }
        let mut journal = Journal {
            path: path.to_owned(),
            file,
        };
        if good == 0 {
            journal.append(std::iter::once(header))?;
        }
        Ok(journal)
    }

    /// Writes the facts, then syncs once: after it they will be found again whatever happens.
    pub(crate) fn append<T: Serialize>(&mut self, facts: impl Iterator<Item = T>) -> Result<()> {
        let fail = |cause: &io::Error| failed("write the journal", &self.path, cause);
        for fact in facts {
            let line = encode(&fact)?;
            self.file.write_all(&line).map_err(|cause| fail(&cause))?;
        }
        self.file.sync_data().map_err(|cause| fail(&cause))
    }
}

fn encode<T: Serialize>(fact: &T) -> Result<Vec<u8>> {
    let mut line = vec![b' '; 9];
    serde_json::to_writer(&mut line, fact).map_err(|cause| Error::internal(format!("a journal line: {cause}")))?;
    let crc = format!("{:08x}", dedupe::fingerprint(&line[9..]));
    line[..8].copy_from_slice(crc.as_bytes());
    line.push(b'\n');
    Ok(line)
}

/// The JSON of a whole and undamaged line.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (crc, json) = line.split_at_checked(9)?;
    let crc = std::str::from_utf8(crc.strip_suffix(b" ")?).ok()?;
    (u32::from_str_radix(crc, 16).ok()? == dedupe::fingerprint(json)).then_some(json)
}

#[cold]
fn damaged(path: &Path, line: u64) -> Error {
    Error::new(Kind::Storage, format!("the journal {} is damaged in line {line}", path.display())).advise(
        "Restore the file from a backup, or export with -Force to write the tenant's folder anew, or choose another -Path.",
    )
}

#[cold]
fn other_settings(path: &Path, found: &Header, wanted: &Header) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    let text = if found.version != wanted.version {
        format!(
            "{folder} was written by another version of this module (layout {})",
            found.version
        )
    } else if found.tenant != wanted.tenant {
        format!("{folder} holds the records of another tenant, {}", found.tenant)
    } else {
        format!(
            "{folder} holds {} parts, and this export would add {} parts",
            found.format, wanted.format
        )
    };
    Error::invalid(text)
        .advise("Choose another -Path, ask for the same format, or use -Force to write the tenant's folder anew.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn entry(number: u64) -> PartEntry {
        let ids: Vec<Entry> = (0..number % 5).map(|id| [(number + id) as u8; 20]).collect();
        PartEntry {
            part: format!("date=2026-01-02/part-{number}.ndjson"),
            temporary: format!("_part-{number}.tmp"),
            sha256: "00".to_owned(),
            bytes: number,
            records: ids.len() as u64,
            first: None,
            last: Some(7),
            written: 1,
            blobs: vec!["a$b".to_owned()],
            ids: PartEntry::encode_ids(&ids),
        }
    }

    fn read(path: &Path) -> Result<Vec<PartEntry>> {
        let mut found = Vec::new();
        Journal::open(path, &Header::new("t", "ndjson"), &mut |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }

    fn write(path: &Path, count: u64) -> Vec<PartEntry> {
        let entries: Vec<_> = (1..=count).map(entry).collect();
        let mut journal = Journal::open(path, &Header::new("t", "ndjson"), &mut |_| Ok(())).unwrap();
        journal.append(entries.iter()).unwrap();
        entries
    }

    #[test]
    fn another_format_or_tenant_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::folder::JOURNAL);
        write(&path, 1);
        for header in [Header::new("t", "csv"), Header::new("u", "ndjson")] {
            let error = Journal::open(&path, &header, &mut |_| Ok(())).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
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
        assert_eq!(read(&path).unwrap_err().kind(), Kind::Storage);
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
            prop_assert_eq!(&read(&path).unwrap(), &entries[..whole]);
            // What was cut off is gone for good, and the journal goes on behind what is left.
            let mut journal = Journal::open(&path, &Header::new("t", "ndjson"), &mut |_| Ok(())).unwrap();
            journal.append(std::iter::once(&entry(9))).unwrap();
            let found = read(&path).unwrap();
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
}
