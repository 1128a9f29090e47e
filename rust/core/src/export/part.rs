//! One part while it is being written: a temporary file, its hash, and the records in it.

use super::batch::Batch;
use super::csv::Rows;
use super::dedupe::Entry;
use super::folder::{failed, Folder};
use super::journal::PartEntry;
use super::Format;
use crate::error::Result;
use openssl::sha::Sha256;
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that gather before they go to the file.
const BUFFER: usize = 32 << 10;

/// A part in progress. Dropping it leaves its temporary file, which the next export removes.
#[derive(Debug)]
pub(crate) struct OpenPart {
    /// Where it will be, below the tenant's folder.
    name: String,
    temporary: String,
    body: Body,
    first: Option<i64>,
    last: Option<i64>,
    entries: Vec<Entry>,
    blobs: Vec<Arc<str>>,
}

#[derive(Debug)]
enum Body {
    Ndjson(Box<PartFile>),
    Csv(Box<Rows<PartFile>>),
}

impl OpenPart {
    pub(crate) fn create(folder: &Folder, name: String, temporary: String, format: Format) -> Result<Self> {
        let path = folder.path(&temporary);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = PartFile::new(file.map_err(|cause| failed("write", &path, &cause))?, path.clone());
        let body = match format {
            Format::Ndjson => Body::Ndjson(Box::new(file)),
            Format::Csv { byte_order_mark } => {
                let rows = Rows::begin(file, byte_order_mark).map_err(|cause| failed("write", &path, &cause))?;
                Body::Csv(Box::new(rows))
            }
        };
        Ok(OpenPart {
            name,
            temporary,
            body,
            first: None,
            last: None,
            entries: Vec::new(),
            blobs: Vec::new(),
        })
    }

    pub(crate) fn temporary(&self) -> &str {
        &self.temporary
    }

    pub(crate) fn records(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.file().bytes
    }

    /// Adds some records of a batch, one after the other as they stand there.
    pub(crate) fn add(&mut self, batch: &Batch, records: Range<usize>) -> Result<()> {
        let written = match &mut self.body {
            // Lines are what a batch has.
            Body::Ndjson(file) => file.write_all(&batch.bytes[batch.start(records.start)..batch.start(records.end)]),
            Body::Csv(rows) => records.clone().try_for_each(|record| rows.write(batch.record(record))),
        };
        written.map_err(|cause| failed("write", &self.file().path, &cause))?;
        for meta in &batch.records[records] {
            self.note(meta.entry, meta.created);
        }
        self.note_blob(&batch.part);
        Ok(())
    }

    /// Adds a line that was made here.
    pub(crate) fn add_line(&mut self, line: &[u8], entry: Entry, blob: &Arc<str>) -> Result<()> {
        let written = match &mut self.body {
            Body::Ndjson(file) => file.write_all(line).and_then(|()| file.write_all(b"\n")),
            Body::Csv(rows) => rows.write(line),
        };
        written.map_err(|cause| failed("write", &self.file().path, &cause))?;
        self.note(entry, None);
        self.note_blob(blob);
        Ok(())
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
        let path = self.file().path.clone();
        let file = match self.body {
            Body::Ndjson(file) => Ok(*file),
            Body::Csv(rows) => rows.finish(),
        };
        let (sha256, bytes) = file
            .and_then(PartFile::finish)
            .map_err(|cause| failed("write", &path, &cause))?;
        let mut blobs = self.blobs;
        blobs.sort_unstable();
        blobs.dedup();
        Ok(PartEntry {
            part: self.name,
            temporary: self.temporary,
            sha256,
            bytes,
            records: self.entries.len() as u64,
            first: self.first,
            last: self.last,
            written,
            blobs: blobs.iter().map(|blob| blob.to_string()).collect(),
            ids: PartEntry::encode_ids(&self.entries),
        })
    }

    fn file(&self) -> &PartFile {
        match &self.body {
            Body::Ndjson(file) => file,
            Body::Csv(rows) => rows.get_ref(),
        }
    }
}

/// A file that knows its size and hash.
struct PartFile {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

impl PartFile {
    fn new(file: File, path: PathBuf) -> Self {
        PartFile {
            file,
            path,
            buffer: Vec::new(),
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn finish(mut self) -> io::Result<(String, u64)> {
        self.flush()?;
        self.file.sync_all()?;
        Ok((hex(&self.hash.finish()), self.bytes))
    }
}

impl fmt::Debug for PartFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartFile")
            .field("path", &self.path)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            self.hash.update(bytes);
            self.file.write_all(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hash.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        if self.buffer.capacity() > BUFFER {
            self.buffer.shrink_to(BUFFER);
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // INVARIANT: writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The SHA-256 of a file, as the journal and the manifest have it.
pub(crate) fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hex(&hash.finish())),
            length => hash.update(&buffer[..length]),
        }
    }
}
