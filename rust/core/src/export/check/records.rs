//! The records of a part's text, each with what it is known by.

use crate::error::{Error, Kind, Result};
use crate::export::dedupe::{self, Entry, Key};
use crate::export::split::{Fields, Splitter};
use crate::export::text;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use std::io::{self, Read};

/// The field of a reject that holds the bytes as they came.
const REJECT: Fields = Fields {
    id: "base64",
    created: "",
};

/// How a part is read.
pub(super) enum Reader {
    Lines(Fields),
    Csv(Fields),
    Rejects,
}

/// One record.
pub(super) struct Counted {
    /// Its key, and its fingerprint where its bytes are known.
    key: Option<(Key, Option<u32>)>,
    /// The same by the record inside of it, which a row may be made of.
    inner: Option<Entry>,
    id: String,
}

impl Counted {
    /// True where it can be what the journal remembers.
    pub(super) fn is(&self, expected: &Entry) -> bool {
        let by_key = self.key.is_none_or(|(key, fingerprint)| {
            expected[..16] == key && fingerprint.is_none_or(|print| expected[16..] == print.to_le_bytes())
        });
        by_key || self.inner.is_some_and(|inner| inner == *expected)
    }

    /// What it is known by; `None` where its row does not say.
    pub(super) fn entry(&self) -> Option<Entry> {
        let (key, fingerprint) = self.key?;
        Some(dedupe::entry(&key, fingerprint.unwrap_or_default()))
    }

    /// For a person.
    pub(super) fn name(&self) -> &str {
        if self.id.is_empty() {
            "a record without an id"
        } else {
            &self.id
        }
    }

    fn of(id: Option<&[u8]>, bytes: &[u8]) -> Self {
        Counted {
            key: Some((dedupe::key(id, bytes), Some(dedupe::fingerprint(bytes)))),
            inner: None,
            id: id.map(|id| text::unescape(id).into_owned()).unwrap_or_default(),
        }
    }
}

impl Reader {
    /// By the name of the part.
    pub(super) fn of(part: &str, fields: Fields) -> Self {
        let file = part.rsplit('/').next().unwrap_or(part);
        if file.contains(".csv") {
            Reader::Csv(fields)
        } else {
            Reader::Lines(fields)
        }
    }

    /// Hands each record to `each`. An error of kind [`Kind::Storage`] is `each`'s own; any other says that the text is not what
    /// an export writes.
    pub(super) fn read(
        self,
        from: Box<dyn Read + '_>,
        buffer: usize,
        largest: usize,
        each: &mut dyn FnMut(Counted) -> Result<()>,
    ) -> Result<()> {
        match self {
            Reader::Lines(fields) => lines(from, buffer, largest, fields, &mut |id, bytes| {
                each(Counted::of(id, bytes))
            }),
            Reader::Rejects => lines(from, buffer, largest * 2, REJECT, &mut |id, _| {
                let bytes = id.and_then(|id| BASE64_STANDARD.decode(id).ok());
                let bytes = bytes.ok_or_else(|| bad("a reject without its bytes".to_owned()))?;
                each(Counted::of(None, &bytes))
            }),
            Reader::Csv(fields) => rows(from, buffer, fields, largest, each),
        }
    }
}

/// Takes a record's id, where it has one, and its bytes.
type EachLine<'a> = dyn FnMut(Option<&[u8]>, &[u8]) -> Result<()> + 'a;

/// Records that stand one in a line: as the splitter's array, with the line breaks for commas.
fn lines(
    mut from: Box<dyn Read + '_>,
    buffer: usize,
    largest: usize,
    fields: Fields,
    each: &mut EachLine<'_>,
) -> Result<()> {
    let mut splitter = Splitter::new(largest).with_fields(fields);
    let sink = &mut |record: crate::export::split::RawRecord<'_>| match record.flaw {
        None => each(record.id, record.bytes),
        Some(flaw) => Err(bad(format!("a record is no valid JSON text: {flaw}"))),
    };
    splitter.push(b"[", sink)?;
    let mut chunk = vec![0; buffer];
    let mut ended = true;
    let mut first = true;
    loop {
        let length = from.read(&mut chunk).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        for line in chunk[..length].split_inclusive(|byte| *byte == b'\n') {
            if ended && !first {
                splitter.push(b",", sink)?;
            }
            first = false;
            let text = line.strip_suffix(b"\n");
            ended = text.is_some();
            splitter.push(text.unwrap_or(line), sink)?;
        }
    }
    splitter.push(b"]", sink)?;
    splitter.finish()?;
    if ended {
        Ok(())
    } else {
        Err(bad("its last line is cut short".to_owned()))
    }
}

/// Rows of a table. A column named after the record's id says by what it is known; `AuditData` is the record itself.
fn rows(
    from: Box<dyn Read + '_>,
    buffer: usize,
    fields: Fields,
    largest: usize,
    each: &mut dyn FnMut(Counted) -> Result<()>,
) -> Result<()> {
    let mut rows = csv::ReaderBuilder::new().buffer_capacity(buffer).from_reader(from);
    let wrong = |cause: csv::Error| bad(format!("its rows cannot be read: {cause}"));
    let columns = rows.byte_headers().map_err(wrong)?.clone();
    let column = |name: &str| {
        let is = |column: &[u8]| {
            let column = column.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(column);
            column.eq_ignore_ascii_case(name.as_bytes())
        };
        columns.iter().position(is)
    };
    let (id, data) = (column("Identity").or_else(|| column(fields.id)), column("AuditData"));
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row).map_err(wrong)? {
        let cell = |column: Option<usize>| {
            column
                .and_then(|column| row.get(column))
                .filter(|cell| !cell.is_empty())
        };
        let mut inner = None;
        if let Some(data) = cell(data) {
            let mut splitter = Splitter::new(largest).with_fields(fields);
            for piece in [b"[", data, b"]"] {
                splitter.push(piece, &mut |record| {
                    inner = Some(dedupe::entry(
                        &dedupe::key(record.id, record.bytes),
                        dedupe::fingerprint(record.bytes),
                    ));
                    Ok(())
                })?;
            }
            splitter.finish()?;
        }
        let id = String::from_utf8_lossy(cell(id).unwrap_or_default());
        // As a text between quotes, which is what keys are made of.
        let key = (!id.is_empty()).then(|| (dedupe::key(Some(id.replace('\\', "\\\\").as_bytes()), b""), None));
        let of_inner = inner.and_then(|inner| Some((*inner.first_chunk::<16>()?, None)));
        each(Counted {
            key: key.or(of_inner),
            inner,
            id: id.into_owned(),
        })?;
    }
    Ok(())
}

#[cold]
fn unreadable(cause: io::Error) -> Error {
    bad(format!("its text cannot be read: {cause}"))
}

#[cold]
fn bad(text: String) -> Error {
    Error::new(Kind::Protocol, text)
}
