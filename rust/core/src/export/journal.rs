//! What the folder holds, written before it does: the truth that a run after a crash starts from.
//!
//! One line is one fact: a CRC-32 in eight hexadecimal digits, a blank, a JSON object. The first line says how the folder
//! is written; every other names a finished part and the records in it, or says what a run asked for or got. A last line
//! that a crash or a full disk tore is cut off; any other damage is an error, because going on would write records twice.
//!
//! Where most of it is what run after run asked for and got, it is written anew with the sum of that.

mod line;

pub(crate) use line::{Fact, Header, Line, PartEntry};

use super::coverage::Coverage;
use super::folder::{failed, sync_directory};
use crate::error::{Error, Kind, Result};
use line::{check, checked, encode};
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes that can go before writing the journal anew is worth it.
const WASTE: u64 = 1 << 20;

/// The open journal of a folder.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// The length of its whole lines. What lies behind it is of a write that failed.
    whole: u64,
    /// The bytes that the next write finds room for.
    #[cfg(test)]
    room: Option<usize>,
}

/// What reading a journal has found.
#[derive(Debug)]
struct Found {
    /// The length of what is whole.
    whole: u64,
    /// Bytes of it that nobody needs any more.
    waste: u64,
}

/// A journal that was read and is still as it was found.
#[derive(Debug)]
pub(crate) struct AsFound<'a> {
    path: PathBuf,
    header: &'a Header,
    file: File,
    found: Found,
}

impl AsFound<'_> {
    /// Cuts off a torn end, begins the journal where nothing is, and writes it anew where that is worth it.
    pub(crate) fn repair(self) -> Result<Journal> {
        let AsFound {
            path,
            header,
            file,
            found,
        } = self;
        let whole = found.whole;
        let length = file
            .metadata()
            .map_err(|cause| failed("read the journal", &path, &cause))?
            .len();
        if length > whole {
            file.set_len(whole)
                .and_then(|()| file.sync_all())
                .map_err(|cause| failed("repair the journal", &path, &cause))?;
        }
        if found.waste >= WASTE && found.waste > whole / 2 {
            // Windows replaces no file that is open.
            drop(file);
            let whole = compact(&path, header)?;
            return Ok(Journal::of(open_for_writing(&path)?, path, whole));
        }
        let mut journal = Journal::of(file, path, whole);
        if whole == 0 {
            journal.write(std::iter::once(header))?;
            // Its lines are of no use after a power cut that takes its name.
            journal.path.parent().map_or(Ok(()), sync_directory)?;
        }
        Ok(journal)
    }
}

impl Journal {
    /// Reads the journal; it begins with `header`, or will. Every fact in it goes to `each`, in order.
    pub(crate) fn read<'a>(
        path: &Path,
        header: &'a Header,
        each: &mut dyn FnMut(Fact) -> Result<()>,
    ) -> Result<AsFound<'a>> {
        let mut file = open_for_writing(path)?;
        let found = read(path, &mut file, &mut |written| check(path, &written, header), each)?;
        Ok(AsFound {
            path: path.to_owned(),
            header,
            file,
            found,
        })
    }

    fn of(file: File, path: PathBuf, whole: u64) -> Self {
        Journal {
            path,
            file,
            whole,
            #[cfg(test)]
            room: None,
        }
    }

    /// Lets the next write fail as on a disk that has room for so many bytes.
    #[cfg(test)]
    pub(super) fn fill_up(&mut self, room: usize) {
        self.room = Some(room);
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
        #[cfg(test)]
        if let Some(room) = self.room.take() {
            self.file.write_all(&text[..room.min(text.len())])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
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
pub(crate) fn look(path: &Path, part: &mut dyn FnMut(&PartEntry) -> Result<()>) -> Result<Option<(Header, Coverage)>> {
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
            Fact::Part(entry) => part(&entry)?,
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

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
