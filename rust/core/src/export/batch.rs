//! Records on their way from a source to the files, a few hundred at a time.

use super::dedupe::{self, Entry};
use super::split::{Fields, RawRecord, Splitter};
use super::time;
use crate::error::Result;
use std::sync::Arc;

/// When a batch goes on its way.
const BATCH_BYTES: usize = 128 << 10;

/// Records of one part of a source, in one allocation.
#[derive(Debug)]
pub struct Batch {
    /// The part that they came from, as the source names it.
    pub part: Arc<str>,
    /// The records, each followed by a line break.
    pub bytes: Vec<u8>,
    pub records: Vec<Meta>,
}

/// What is known of one record in a [`Batch`].
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Where it ends, its line break included; it begins where the one before ends.
    pub end: usize,
    pub entry: Entry,
    /// Seconds since 1970-01-01 UTC; `None` where the time is absent or unreadable.
    pub created: Option<i64>,
    /// Why it is no valid JSON text, if it is not.
    pub flaw: Option<&'static str>,
    /// Read before in this run, in an earlier attempt at the same part: finding it again means nothing.
    pub again: bool,
}

impl Batch {
    fn new(part: Arc<str>) -> Self {
        Batch {
            part,
            bytes: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Where a record begins.
    pub fn start(&self, record: usize) -> usize {
        record.checked_sub(1).map_or(0, |before| self.records[before].end)
    }

    /// A record's bytes without the line break.
    pub fn record(&self, record: usize) -> &[u8] {
        &self.bytes[self.start(record)..self.records[record].end - 1]
    }

    fn push(&mut self, record: RawRecord<'_>, again: bool) {
        let start = self.bytes.len();
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(BATCH_BYTES / 2);
        }
        // A line break inside a string would be a flaw, so every one that is left stands between tokens.
        if record.has_breaks && record.flaw.is_none() {
            self.bytes
                .extend(record.bytes.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        } else {
            self.bytes.extend_from_slice(record.bytes);
        }
        let bytes = &self.bytes[start..];
        let id = record.id.filter(|_| record.flaw.is_none());
        let entry = dedupe::entry(&dedupe::key(id, bytes), dedupe::fingerprint(bytes));
        let created = record.created.and_then(time::creation_seconds);
        self.bytes.push(b'\n');
        self.records.push(Meta {
            end: self.bytes.len(),
            entry,
            created,
            flaw: record.flaw,
            again,
        });
    }
}

/// Turns the bytes of one part, a JSON array, into batches.
#[derive(Debug)]
pub struct Batcher {
    splitter: Splitter,
    batch: Batch,
    seen: u64,
    /// Records that earlier attempts at this part already handed on.
    before: u64,
}

impl Batcher {
    /// `before` is how many records earlier attempts at the same part handed on; `largest` the largest record allowed.
    pub fn new(part: Arc<str>, before: u64, largest: usize) -> Self {
        Batcher::with_fields(part, before, largest, Fields::AUDIT_LOG)
    }

    /// The same for records that are known by other fields than those of the unified audit log.
    pub fn with_fields(part: Arc<str>, before: u64, largest: usize, fields: Fields) -> Self {
        Batcher {
            splitter: Splitter::new(largest).with_fields(fields),
            batch: Batch::new(part),
            seen: 0,
            before,
        }
    }

    /// Takes the next bytes; a full batch comes back.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Option<Batch>> {
        let Batcher {
            splitter,
            batch,
            seen,
            before,
        } = self;
        splitter.push(chunk, &mut |record| {
            batch.push(record, *seen < *before);
            *seen += 1;
            Ok(())
        })?;
        Ok((self.batch.bytes.len() >= BATCH_BYTES).then(|| self.take()))
    }

    /// The records that are left, once the part is whole.
    pub fn finish(mut self) -> Result<Option<Batch>> {
        self.splitter.finish()?;
        Ok((!self.batch.records.is_empty()).then(|| self.take()))
    }

    /// How many records the part has given so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// What is there, whole or not.
    pub fn take(&mut self) -> Batch {
        let next = Batch::new(Arc::clone(&self.batch.part));
        std::mem::replace(&mut self.batch, next)
    }
}
