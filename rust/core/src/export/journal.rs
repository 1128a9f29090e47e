//! What the folder holds, written before it does: the truth that a run after a crash starts from.
//!
//! One line is one fact: a CRC-32 in eight hexadecimal digits, a blank, a JSON object. The first line says how the folder
//! is written; every other names a finished part and the records in it, or says what a run asked for or got. A last line
//! that a crash or a full disk tore is cut off; any other damage is an error, because going on would write records twice.
//!
//! Where most of it is what run after run asked for and got, it is written anew with the sum of that.

use super::coverage::{Coverage, Scope};
use super::dedupe::{self, Entry};
use super::folder::{failed, sync_directory};
use super::{Compression, Format};
use crate::error::{Error, Kind, Result};
use crate::window::Window;
use base64::prelude::{Engine as _, BASE64_STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const VERSION: u32 = 2;
/// Bytes that can go before writing the journal anew is worth it.
const WASTE: u64 = 1 << 20;

/// How a folder is written; an export with other settings must not mix its parts in.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) tenant: String,
    pub(crate) format: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) flatten: bool,
    #[serde(default, skip_serializing_if = "Compression::is_none")]
    pub(crate) compression: Compression,
    /// What its records are; a reader of the folder must not meet two kinds.
    pub(crate) records: String,
}

impl Header {
    pub(crate) fn new(tenant: &str, (format, compression): (Format, Compression), records: &str) -> Self {
        Header {
            version: VERSION,
            tenant: tenant.to_owned(),
            format: format.name().to_owned(),
            flatten: format.is_flat(),
            compression,
            records: records.to_owned(),
        }
    }

    fn check_version(&self, path: &Path) -> Result<()> {
        match self.version {
            VERSION => Ok(()),
            version => Err(other_version(path, version)),
        }
    }

    /// What its parts are, for a person: "flattened csv.gz".
    fn parts(&self) -> String {
        let flattened = if self.flatten { "flattened " } else { "" };
        format!("{flattened}{}{}", self.format, self.compression.suffix())
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
    /// The bytes of its text, where they are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uncompressed: Option<u64>,
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

/// One line after the first.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Fact {
    Part(PartEntry),
    /// What a run asked for, or what it got.
    Time(Scope),
}

/// A [`Fact`] on its way into the file.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Line<'a> {
    Part(&'a PartEntry),
    Time(&'a Scope),
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

    /// True where a record of this part may be what a source that selects by the records' own time delivers for `window`.
    /// What it goes by may differ from the record's `CreationTime`, but not by a day.
    pub(crate) fn may_have(&self, window: Window) -> bool {
        const DAY_S: i64 = 86_400;
        match (self.first, self.last) {
            (Some(first), Some(last)) => (first - DAY_S) * 1000 < window.end && (last + DAY_S) * 1000 > window.start,
            _ => true,
        }
    }
}

/// The open journal of a folder.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// The length of its whole lines. What lies behind it is of a write that failed.
    whole: u64,
}

/// What reading a journal has found.
struct Found {
    /// The length of what is whole.
    whole: u64,
    /// Bytes of it that nobody needs any more.
    waste: u64,
}

impl Journal {
    /// Opens the journal, or starts one with `header`. Every fact in it goes to `each`, in order.
    pub(crate) fn open(path: &Path, header: &Header, each: &mut dyn FnMut(Fact) -> Result<()>) -> Result<Self> {
        let mut file = open_for_writing(path)?;
        let found = read(path, &mut file, &mut |written| check(path, &written, header), each)?;
        let length = file
            .metadata()
            .map_err(|cause| failed("read the journal", path, &cause))?
            .len();
        if length > found.whole {
            file.set_len(found.whole)
                .and_then(|()| file.sync_all())
                .map_err(|cause| failed("repair the journal", path, &cause))?;
        }
        let path = path.to_owned();
        if found.waste >= WASTE && found.waste > found.whole / 2 {
            // Windows replaces no file that is open.
            drop(file);
            let whole = compact(&path, header)?;
            let file = open_for_writing(&path)?;
            return Ok(Journal { path, file, whole });
        }
        let whole = found.whole;
        let mut journal = Journal { path, file, whole };
        if whole == 0 {
            journal.write(std::iter::once(header))?;
        }
        Ok(journal)
    }

    /// Writes the facts, then syncs once: after it they will be found again whatever happens.
    pub(crate) fn append<'a>(&mut self, facts: impl Iterator<Item = Line<'a>>) -> Result<()> {
        self.write(facts)
    }

    fn write<T: Serialize>(&mut self, lines: impl Iterator<Item = T>) -> Result<()> {
        let mut text = Vec::new();
        for line in lines {
            text.extend(encode(&line)?);
        }
        self.replace_end(&text)
            .map_err(|cause| failed("write the journal", &self.path, &cause))?;
        self.whole += text.len() as u64;
        Ok(())
    }

    /// Of a write before that failed half of a line may be there, and behind it no line would be read.
    fn replace_end(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.set_len(self.whole)?;
        self.file.seek(SeekFrom::Start(self.whole))?;
        self.file.write_all(text)?;
        self.file.sync_data()
    }
}

fn open_for_writing(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|cause| failed("open the journal", path, &cause))
}

/// True where it has a first line. Before that line is there, no part can have its name.
pub(crate) fn has_begun(path: &Path) -> Result<bool> {
    let mut first = Vec::new();
    match File::open(path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut first)) {
        Ok(_) => Ok(checked(&first).is_some()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(failed("read the journal", path, &cause)),
    }
}

/// How a folder is written and what its exports have asked for and got; `None` where none has begun. Each part goes to `part`.
/// Reads what is whole and repairs nothing.
pub(crate) fn look(path: &Path, part: &mut dyn FnMut(&PartEntry)) -> Result<Option<(Header, Coverage)>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed("read the journal", path, &cause)),
    };
    let mut header = None;
    let mut coverage = Coverage::default();
    let keep = &mut |written: Header| {
        written.check_version(path)?;
        header = Some(written);
        Ok(())
    };
    read(path, &mut file, keep, &mut |fact| {
        match fact {
            Fact::Part(entry) => part(&entry),
            Fact::Time(scope) => coverage.add(scope),
        }
        Ok(())
    })?;
    Ok(header.map(|header| (header, coverage)))
}

/// Reads to the end, or to a line that a crash tore.
fn read(
    path: &Path,
    file: &mut File,
    header: &mut dyn FnMut(Header) -> Result<()>,
    each: &mut dyn FnMut(Fact) -> Result<()>,
) -> Result<Found> {
    let fail = |cause: io::Error| failed("read the journal", path, &cause);
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut found = Found { whole: 0, waste: 0 };
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(fail)?;
        if length == 0 {
            return Ok(found);
        }
        number += 1;
        let Some(json) = checked(&line) else {
            // Only the end can be torn: whatever follows a bad line was written after it.
            let more = reader.fill_buf().map_err(fail)?;
            return if more.is_empty() {
                Ok(found)
            } else {
                Err(damaged(path, number))
            };
        };
        let bad = |_| damaged(path, number);
        if number == 1 {
            header(serde_json::from_slice(json).map_err(bad)?)?;
        } else {
            let fact = serde_json::from_slice(json).map_err(bad)?;
            if let Fact::Time(_) = fact {
                // All of them together say what one for each content type can.
                found.waste += length as u64;
            }
            each(fact)?;
        }
        found.whole += length as u64;
    }
}

/// Writes the journal anew with one fact of time for each content type, and says how long it is then. A crash leaves the old
/// one or the new one.
fn compact(path: &Path, header: &Header) -> Result<u64> {
    let temporary = path.with_file_name("_journal.tmp");
    let fail = |cause: io::Error| failed("write", &temporary, &cause);
    let mut new = BufWriter::new(File::create(&temporary).map_err(fail)?);
    new.write_all(&encode(header)?).map_err(fail)?;
    let mut coverage = Coverage::default();
    let same = &mut |written| check(path, &written, header);
    let mut old = open_for_writing(path)?;
    read(path, &mut old, same, &mut |fact| match fact {
        Fact::Part(entry) => new.write_all(&encode(&Line::Part(&entry))?).map_err(fail),
        Fact::Time(scope) => {
            coverage.add(scope);
            Ok(())
        }
    })?;
    for scope in coverage.scopes() {
        new.write_all(&encode(&Line::Time(scope))?).map_err(fail)?;
    }
    let new = new.into_inner().map_err(|cause| fail(cause.into_error()))?;
    new.sync_all().map_err(fail)?;
    let length = new.metadata().map_err(fail)?.len();
    // Windows replaces no file that is open.
    drop((old, new));
    fs::rename(&temporary, path).map_err(|cause| failed("replace", path, &cause))?;
    path.parent().map_or(Ok(()), sync_directory)?;
    Ok(length)
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

/// What a journal was found to be by who only reads it.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// `None` where not even the first line is whole.
    pub(crate) header: Option<Header>,
    /// Bytes that were there.
    pub(crate) length: u64,
    /// The last line is not whole.
    pub(crate) torn: bool,
}

/// Reads a journal and leaves it as it is. Every fact in it goes to `each`, in order.
pub(crate) fn survey(path: &Path, each: &mut dyn FnMut(&Header, Fact) -> Result<()>) -> Result<Survey> {
    let fail = |cause: io::Error| Error::storage("read the journal", path, &cause);
    let mut file = File::open(path).map_err(fail)?;
    let mut first = Vec::new();
    BufReader::new(&file).read_until(b'\n', &mut first).map_err(fail)?;
    let whole_file = |file: &File| file.metadata().map(|about| about.len()).map_err(fail);
    let Some(json) = checked(&first) else {
        let length = whole_file(&file)?;
        return match length > first.len() as u64 {
            true => Err(damaged(path, 1)),
            false => Ok(Survey {
                header: None,
                length,
                torn: length > 0,
            }),
        };
    };
    let header: Header = serde_json::from_slice(json).map_err(|_| damaged(path, 1))?;
    file.rewind().map_err(fail)?;
    let known = &mut |written: Header| written.check_version(path);
    let found = read(path, &mut file, known, &mut |fact| each(&header, fact))?;
    let length = whole_file(&file)?;
    Ok(Survey {
        header: Some(header),
        length,
        torn: length > found.whole,
    })
}

#[cold]
fn damaged(path: &Path, line: u64) -> Error {
    Error::new(Kind::Storage, format!("the journal {} is damaged in line {line}", path.display())).advise(
        "Write the tenant's folder anew with Export-SecureAppAuditLog -Force, or choose another -Path. A journal of before does not know \
         the parts that came later.",
    )
}

fn check(path: &Path, found: &Header, wanted: &Header) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(other_settings(path, found, wanted))
}

#[cold]
fn other_version(path: &Path, version: u32) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    let text = format!("{folder} was written by another version of this module (layout {version})");
    Error::invalid(text)
        .advise("Choose another -Path, or write the tenant's folder anew with Export-SecureAppAuditLog -Force.")
}

#[cold]
fn other_settings(path: &Path, found: &Header, wanted: &Header) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    if found.version != wanted.version {
        return other_version(path, found.version);
    }
    let text = if found.tenant != wanted.tenant {
        format!("{folder} holds the records of another tenant, {}", found.tenant)
    } else if found.parts() != wanted.parts() {
        format!(
            "{folder} holds {} parts, and this export would add {} parts",
            found.parts(),
            wanted.parts()
        )
    } else {
        format!(
            "{folder} holds {}, and this export would add {}",
            found.records, wanted.records
        )
    };
    Error::invalid(text).advise(
        "Choose another -Path, ask for the same kind, format and compression, or write the tenant's folder anew with \
         Export-SecureAppAuditLog -Force.",
    )
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
