//! Cuts the records of a JSON array out of a stream of bytes, without building a tree.
//!
//! The bytes of a record are handed over as they came. On the way the top-level `Id` and `CreationTime` are found, and
//! the grammar is checked in full, so that nothing which a JSON reader would refuse reaches a file unmarked. A record
//! whose extent is certain but whose text is not (invalid UTF-8, a bare control character, a bad escape) is handed over
//! with its flaw; anything that makes the extent itself doubtful ends the array with an error.

use super::text;
use crate::error::{Error, Kind, Result};
use std::ops::Range;

/// Nesting that no audit record comes near; deeper input is refused rather than remembered.
const DEEPEST: usize = 512;

/// By which top-level fields a record is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Tells it from others.
    pub id: &'static str,
    /// When it happened.
    pub created: &'static str,
}

impl Fields {
    /// Those of the unified audit log.
    pub const AUDIT_LOG: Fields = Fields {
        id: "Id",
        created: "CreationTime",
    };
}

/// One record as it stands in the array.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// From `{` to `}`.
    pub bytes: &'a [u8],
    /// What stands between the quotes of the first top-level [`Fields::id`], escapes and all.
    pub id: Option<&'a [u8]>,
    /// The same for [`Fields::created`].
    pub created: Option<&'a [u8]>,
    /// True where line breaks stand between the record's tokens.
    pub has_breaks: bool,
    /// Why the record is no valid JSON text, if it is not.
    pub flaw: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Array,
    FirstRecord,
    Record,
    RecordSeparator,
    End,
    FirstKey,
    Key,
    Colon,
    Value,
    FirstValue,
    Separator,
    /// Inside a string; true for a key.
    Text(bool),
    Literal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Id,
    Created,
}

/// What has been found of one top-level field; only its first occurrence counts, whatever its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Absent,
    NotText,
    Text(Range<usize>),
}

/// The streaming splitter. Feed it with [`Splitter::push`], end with [`Splitter::finish`].
///
/// It holds at most one unfinished record and one chunk.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// The next byte to look at.
    at: usize,
    /// Where the record in progress begins; everything before it is done with.
    start: usize,
    /// Where the text or literal in progress begins.
    token: usize,
    expect: Expect,
    /// Open containers of the record in progress, true for an object.
    open: Vec<bool>,
    key_has_escapes: bool,
    pending: Option<Wanted>,
    id: Field,
    created: Field,
    has_breaks: bool,
    flaw: Option<&'static str>,
    /// Bytes of the stream before `buffer`, for messages.
    dropped: u64,
    largest: usize,
    fields: Fields,
    /// Something else may follow the array.
    enclosed: bool,
}

impl Splitter {
    /// `largest` is the size in bytes above which a record is refused: it bounds the memory that a splitter can take.
    pub fn new(largest: usize) -> Self {
        Splitter {
            buffer: Vec::new(),
            at: 0,
            start: 0,
            token: 0,
            expect: Expect::Array,
            open: Vec::new(),
            key_has_escapes: false,
            pending: None,
            id: Field::Absent,
            created: Field::Absent,
            has_breaks: false,
            flaw: None,
            dropped: 0,
            largest,
            fields: Fields::AUDIT_LOG,
            enclosed: false,
        }
    }

    /// Records are known by other fields than those of the unified audit log.
    pub fn with_fields(self, fields: Fields) -> Self {
        Splitter { fields, ..self }
    }

    /// For an array inside something else: what follows it is left alone, see [`Splitter::rest`].
    pub fn enclosed(largest: usize) -> Self {
        Splitter {
            enclosed: true,
            ..Splitter::new(largest)
        }
    }

    /// What follows the array, once that is whole: all bytes of the last push behind it.
    pub fn rest(&self) -> Option<&[u8]> {
        (self.expect == Expect::End).then(|| self.buffer.get(self.at..).unwrap_or_default())
    }

    /// Takes the next bytes and calls `sink` for every record that they complete.
    ///
    /// After an error the splitter must not be used again; records handed over before it are whole.
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(RawRecord<'_>) -> Result<()>) -> Result<()> {
        self.forget_done();
        if !self.open.is_empty() && self.buffer.len() > self.largest {
            return Err(self.too_large());
        }
        self.buffer.extend_from_slice(chunk);
        while self.step(sink)? {}
        Ok(())
    }

    /// Says whether the array was whole.
    pub fn finish(&self) -> Result<()> {
        if self.expect == Expect::End {
            return Ok(());
        }
        Err(Error::new(
            Kind::Protocol,
            format!("the list of records ends too early, after {} bytes", self.offset()),
        ))
    }

    /// Drops the bytes of finished records, so that the buffer never grows with the stream.
    fn forget_done(&mut self) {
        let done = if self.open.is_empty() { self.at } else { self.start };
        if done == 0 {
            return;
        }
        self.buffer.drain(..done);
        self.at -= done;
        self.start = self.start.saturating_sub(done);
        self.token = self.token.saturating_sub(done);
        self.dropped += done as u64;
    }

    /// Handles one token or one run of white space; false when more bytes are needed.
    fn step(&mut self, sink: &mut dyn FnMut(RawRecord<'_>) -> Result<()>) -> Result<bool> {
        match self.expect {
            Expect::Text(is_key) => return Ok(self.texts(is_key)),
            Expect::Literal => return self.literal(),
            Expect::End if self.enclosed => return Ok(false),
            _ => {}
        }
        let Some(&byte) = self.buffer.get(self.at) else {
            return Ok(false);
        };
        match byte {
            b' ' | b'\t' => {
                self.at += 1;
                return Ok(true);
            }
            b'\n' | b'\r' => {
                self.has_breaks |= !self.open.is_empty();
                self.at += 1;
                return Ok(true);
            }
            _ => {}
        }
        match (self.expect, byte) {
            (Expect::Key | Expect::FirstKey, b'"') => self.begin_text(true),
            (Expect::Colon, b':') => self.advance(Expect::Value),
            (Expect::Value | Expect::FirstValue, b'"') => self.begin_text(false),
            (Expect::Value | Expect::FirstValue, b'{') => self.open(true)?,
            (Expect::Value | Expect::FirstValue, b'[') => self.open(false)?,
            (Expect::Value | Expect::FirstValue, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.note_not_text();
                self.token = self.at;
                self.advance(Expect::Literal);
            }
            (Expect::Separator, b',') => {
                let in_object = self.open.last().copied().unwrap_or(false);
                self.advance(if in_object { Expect::Key } else { Expect::Value });
            }
            (Expect::FirstKey | Expect::Separator, b'}') if self.open.last() == Some(&true) => return self.close(sink),
            (Expect::FirstValue | Expect::Separator, b']') if self.open.last() == Some(&false) => {
                return self.close(sink)
            }
            (Expect::Record | Expect::FirstRecord, b'{') => self.begin_record(),
            (Expect::FirstRecord | Expect::RecordSeparator, b']') => self.advance(Expect::End),
            (Expect::RecordSeparator, b',') => self.advance(Expect::Record),
            (Expect::Array, b'[') => self.advance(Expect::FirstRecord),
            (Expect::Array, 0xEF) if self.offset() == 0 => return self.byte_order_mark(),
            _ => return Err(self.unexpected(byte)),
        }
        Ok(true)
    }

    fn advance(&mut self, expect: Expect) {
        self.at += 1;
        self.expect = expect;
    }

    fn byte_order_mark(&mut self) -> Result<bool> {
        match self.buffer.get(..3) {
            None => Ok(false),
            Some([0xEF, 0xBB, 0xBF]) => {
                self.at = 3;
                Ok(true)
            }
            Some(_) => Err(self.unexpected(0xEF)),
        }
    }

    fn begin_record(&mut self) {
        self.start = self.at;
        self.id = Field::Absent;
        self.created = Field::Absent;
        self.pending = None;
        self.has_breaks = false;
        self.flaw = None;
        self.open.push(true);
        self.advance(Expect::FirstKey);
    }

    fn open(&mut self, object: bool) -> Result<()> {
        if self.open.len() >= DEEPEST {
            return Err(Error::new(
                Kind::Protocol,
                format!("a record is nested more than {DEEPEST} levels deep"),
            ));
        }
        self.note_not_text();
        self.open.push(object);
        self.advance(if object { Expect::FirstKey } else { Expect::FirstValue });
        Ok(())
    }

    fn close(&mut self, sink: &mut dyn FnMut(RawRecord<'_>) -> Result<()>) -> Result<bool> {
        self.open.pop();
        if !self.open.is_empty() {
            self.advance(Expect::Separator);
            return Ok(true);
        }
        self.advance(Expect::RecordSeparator);
        let bytes = &self.buffer[self.start..self.at];
        if bytes.len() > self.largest {
            return Err(self.too_large());
        }
        let flaw = self
            .flaw
            .or_else(|| std::str::from_utf8(bytes).err().map(|_| "invalid UTF-8"));
        sink(RawRecord {
            bytes,
            id: field_text(bytes, &self.id),
            created: field_text(bytes, &self.created),
            has_breaks: self.has_breaks,
            flaw,
        })?;
        Ok(true)
    }

    fn begin_text(&mut self, is_key: bool) {
        self.token = self.at + 1;
        self.key_has_escapes = false;
        self.advance(Expect::Text(is_key));
    }

    /// Goes on inside a string, and in the strings that follow it without anything else between; false when the end of one
    /// is not there yet. Records are strings for the most part, so this is where nearly all of the time goes.
    fn texts(&mut self, mut is_key: bool) -> bool {
        while self.text() {
            let text = self.token..self.at;
            if is_key {
                self.end_key(text);
            } else if let Some(wanted) = self.pending.take() {
                let text = text.start - self.start..text.end - self.start;
                *self.field(wanted) = Field::Text(text);
            }
            self.at += 1;
            let between = self.buffer.get(self.at..self.at + 2);
            match (is_key, between) {
                (true, Some(b":\"")) => is_key = false,
                (false, Some(b",\"")) => is_key = self.open.last() == Some(&true),
                _ => {
                    self.expect = if is_key { Expect::Colon } else { Expect::Separator };
                    return true;
                }
            }
            self.at += 2;
            self.token = self.at;
            self.key_has_escapes = false;
        }
        self.expect = Expect::Text(is_key);
        false
    }

    /// Goes to the quote that ends a string; false when it is not there yet.
    fn text(&mut self) -> bool {
        loop {
            let Some(offset) = self.buffer.get(self.at..).and_then(text::special) else {
                self.at = self.buffer.len();
                return false;
            };
            self.at += offset;
            match self.buffer[self.at] {
                b'"' => return true,
                b'\\' => {
                    let rest = &self.buffer[self.at..];
                    let length = match rest.get(1) {
                        None => return false,
                        Some(b'u') => 6,
                        Some(_) => 2,
                    };
                    let Some(escape) = rest.get(..length) else { return false };
                    if !text::is_escape(escape) {
                        self.flaw = Some("a bad escape in a string");
                        // Only the backslash and what it escapes are certain.
                        self.at += 2;
                    } else {
                        self.at += length;
                    }
                    self.key_has_escapes = true;
                }
                _ => {
                    self.flaw = Some("a bare control character in a string");
                    self.at += 1;
                }
            }
        }
    }

    fn end_key(&mut self, text: Range<usize>) {
        if self.open.len() != 1 {
            return;
        }
        let key = &self.buffer[text];
        let wanted = if self.key_has_escapes {
            let key = text::unescape(key);
            self.fields.wanted(key.as_bytes())
        } else {
            self.fields.wanted(key)
        };
        self.pending = wanted.filter(|wanted| *self.field(*wanted) == Field::Absent);
    }

    fn field(&mut self, wanted: Wanted) -> &mut Field {
        match wanted {
            Wanted::Id => &mut self.id,
            Wanted::Created => &mut self.created,
        }
    }

    fn note_not_text(&mut self) {
        if let Some(wanted) = self.pending.take() {
            *self.field(wanted) = Field::NotText;
        }
    }

    fn literal(&mut self) -> Result<bool> {
        let rest = &self.buffer[self.at..];
        let Some(length) = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
        else {
            self.at = self.buffer.len();
            return Ok(false);
        };
        self.at += length;
        if !text::is_literal(&self.buffer[self.token..self.at]) {
            return Err(Error::new(
                Kind::Protocol,
                format!(
                    "the records are not valid JSON: a bad number or word before byte {}",
                    self.offset()
                ),
            ));
        }
        self.expect = Expect::Separator;
        Ok(true)
    }

    fn offset(&self) -> u64 {
        self.dropped + self.at as u64
    }

    #[cold]
    fn unexpected(&self, byte: u8) -> Error {
        let what = if self.expect == Expect::Array {
            "the content is not a list of records"
        } else {
            "the records are not valid JSON"
        };
        let shown = char::from(byte).escape_default();
        Error::new(
            Kind::Protocol,
            format!("{what}: unexpected '{shown}' at byte {}", self.offset()),
        )
    }

    #[cold]
    fn too_large(&self) -> Error {
        Error::new(
            Kind::Protocol,
            format!("a record is larger than {} bytes", self.largest),
        )
    }
}

impl Fields {
    fn wanted(&self, key: &[u8]) -> Option<Wanted> {
        if key == self.id.as_bytes() {
            Some(Wanted::Id)
        } else if key == self.created.as_bytes() {
            Some(Wanted::Created)
        } else {
            None
        }
    }
}

fn field_text<'a>(record: &'a [u8], field: &Field) -> Option<&'a [u8]> {
    match field {
        Field::Text(range) => record.get(range.clone()),
        Field::Absent | Field::NotText => None,
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
