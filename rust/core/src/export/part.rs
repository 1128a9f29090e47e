//! One part while it is being written: its temporary file, and the records in it.
//!
//! A part that is compressed or flattened is made at its end, of the lines that its records wait in: so a job of a writer has
//! one encoder, however many parts are in progress, and all columns are known before the first row is written.

use super::batch::Batch;
use super::csv;
use super::dedupe::Entry;
use super::flat::{self, Columns};
use super::folder::{failed, Folder};
use super::journal::PartEntry;
use super::part_file::{Finished, PartFile};
use super::spool::Spool;
use super::{Compression, Format};
use crate::error::Result;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A part in progress. Dropping it leaves its temporary files, which the next export removes.
#[derive(Debug)]
pub(crate) struct OpenPart {
    /// Where it will be, below the tenant's folder.
    name: String,
    temporary: String,
    /// The file in the folder that is open now.
    path: PathBuf,
    body: Body,
    first: Option<i64>,
    last: Option<i64>,
    entries: Vec<Entry>,
    blobs: Vec<Arc<str>>,
}

#[derive(Debug)]
enum Body {
    /// Written as it comes.
    Text(Box<Text>),
    /// Made of its records at the end.
    Spooled(Box<Spooled>),
}

#[derive(Debug)]
struct Spooled {
    records: Spool,
    columns: Columns,
    format: Format,
    compression: Compression,
    /// The temporary file that the part is made in.
    target: PathBuf,
}

/// Records in their format, on their way into the file.
#[derive(Debug)]
enum Text {
    Ndjson(PartFile),
    Csv(csv::Rows<PartFile>),
    Flat(flat::Rows<PartFile>),
}

impl OpenPart {
    pub(crate) fn create(
        folder: &Folder,
        name: String,
        temporary: String,
        format: Format,
        compression: Compression,
    ) -> Result<Self> {
        let target = folder.path(&temporary);
        let spooled = format.is_flat() || compression != Compression::None;
        let path = if spooled {
            folder.path(&spool_of(&temporary))
        } else {
            target.clone()
        };
        let body = if spooled {
            Spool::create(&path).map(|records| {
                Body::Spooled(Box::new(Spooled {
                    records,
                    columns: Columns::default(),
                    format,
                    compression,
                    target,
                }))
            })
        } else {
            PartFile::create(&path, compression)
                .and_then(|file| Text::begin(file, format, Columns::default()))
                .map(|text| Body::Text(Box::new(text)))
        };
        Ok(OpenPart {
            name,
            temporary,
            body: body.map_err(|cause| failed("write", &path, &cause))?,
            path,
            first: None,
            last: None,
            entries: Vec::new(),
            blobs: Vec::new(),
        })
    }

    /// The files that it may have left in the folder while it is not finished.
    pub(crate) fn temporaries(&self) -> [String; 2] {
        [self.temporary.clone(), spool_of(&self.temporary)]
    }

    pub(crate) fn records(&self) -> usize {
        self.entries.len()
    }

    /// What has been written, before it is compressed or flattened.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.body {
            Body::Text(text) => text.file().text_bytes(),
            Body::Spooled(spooled) => spooled.records.bytes(),
        }
    }

    /// Adds some records of a batch, one after the other as they stand there.
    pub(crate) fn add(&mut self, batch: &Batch, records: Range<usize>) -> Result<()> {
        self.write(&batch.bytes[batch.start(records.start)..batch.start(records.end)])?;
        for meta in &batch.records[records] {
            self.note(meta.entry, meta.created);
        }
        self.note_blob(&batch.part);
        Ok(())
    }

    /// Adds a record that was made here.
    pub(crate) fn add_line(&mut self, record: String, entry: Entry, blob: &Arc<str>) -> Result<()> {
        self.write((record + "\n").as_bytes())?;
        self.note(entry, None);
        self.note_blob(blob);
        Ok(())
    }

    /// Takes records as lines, which is what a batch has.
    fn write(&mut self, lines: &[u8]) -> Result<()> {
        let written = match &mut self.body {
            Body::Text(text) => text.write(lines),
            Body::Spooled(spooled) => spooled.write(lines),
        };
        written.map_err(|cause| failed("write", &self.path, &cause))
    }

    fn note(&mut self, entry: Entry, created: Option<i64>) {
        self.first = [self.first, created].into_iter().flatten().min();
        self.last = self.last.max(created);
        if self.entries.len() == self.entries.capacity() {
            // Doubling would hold twice what is allowed to wait for the journal.
            self.entries.reserve_exact(self.entries.len() / 8 + 16);
        }
        self.entries.push(entry);
    }

    fn note_blob(&mut self, blob: &Arc<str>) {
        if !self.blobs.last().is_some_and(|last| Arc::ptr_eq(last, blob)) {
            self.blobs.push(Arc::clone(blob));
        }
    }

    /// Writes what is left and makes the temporary file last.
    pub(crate) fn finish(self, written: i64) -> Result<PartEntry> {
        let text = match self.body {
            Body::Text(text) => Ok(*text),
            Body::Spooled(spooled) => spooled.into_text(),
        };
        let file = text
            .and_then(Text::finish)
            .map_err(|cause| failed("write", &self.path, &cause))?;
        let mut blobs = self.blobs;
        blobs.sort_unstable();
        blobs.dedup();
        Ok(PartEntry {
            part: self.name,
            temporary: self.temporary,
            sha256: file.sha256,
            bytes: file.bytes,
            uncompressed: file.uncompressed,
            records: self.entries.len() as u64,
            first: self.first,
            last: self.last,
            written,
            blobs: blobs.iter().map(|blob| blob.to_string()).collect(),
            ids: PartEntry::encode_ids(&self.entries),
        })
    }
}

impl Spooled {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.format.is_flat() {
            each(lines).for_each(|record| self.columns.note(record));
        }
        self.records.write(lines)
    }

    fn into_text(self) -> io::Result<Text> {
        let file = PartFile::create(&self.target, self.compression)?;
        let mut text = Text::begin(file, self.format, self.columns)?;
        self.records.drain(|line| text.write(line))?;
        Ok(text)
    }
}

impl Text {
    fn begin(file: PartFile, format: Format, columns: Columns) -> io::Result<Self> {
        Ok(match format {
            Format::Ndjson => Text::Ndjson(file),
            Format::Csv {
                byte_order_mark,
                flatten: false,
            } => Text::Csv(csv::Rows::begin(file, byte_order_mark)?),
            Format::Csv {
                byte_order_mark,
                flatten: true,
            } => Text::Flat(flat::Rows::begin(file, byte_order_mark, columns)?),
        })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Text::Ndjson(file) => file.write_all(lines),
            Text::Csv(rows) => each(lines).try_for_each(|record| rows.write(record)),
            Text::Flat(rows) => each(lines).try_for_each(|record| rows.write(record)),
        }
    }

    fn file(&self) -> &PartFile {
        match self {
            Text::Ndjson(file) => file,
            Text::Csv(rows) => rows.get_ref(),
            Text::Flat(rows) => rows.get_ref(),
        }
    }

    fn finish(self) -> io::Result<Finished> {
        let file = match self {
            Text::Ndjson(file) => file,
            Text::Csv(rows) => rows.finish()?,
            Text::Flat(rows) => rows.finish()?,
        };
        file.finish()
    }
}

/// The records of lines.
fn each(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

/// The file in which a part's records wait, named after its temporary file.
fn spool_of(temporary: &str) -> String {
    format!("{}.lines.tmp", temporary.trim_end_matches(".tmp"))
}
