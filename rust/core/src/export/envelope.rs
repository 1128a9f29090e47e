//! Lists inside an object, as OData services give them: the records of `value`, cut out as they come, and what stands around
//! them once all is there.

use super::split::{RawRecord, Splitter};
use crate::error::{Error, Kind, Result};
use serde::Deserialize;

/// The most bytes that may stand around the list.
const MOST_AROUND: usize = 1 << 20;

/// The streaming reader of one reply. Feed it with [`Envelope::push`], end with [`Envelope::finish`].
#[derive(Debug)]
pub struct Envelope {
    splitter: Splitter,
    /// The object without its list.
    around: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    Behind,
}

/// What OData puts beside a list.
#[derive(Debug, Default, Deserialize)]
pub struct Around {
    #[serde(rename = "@odata.nextLink", default)]
    pub next: Option<String>,
    /// Exchange Online's admin API puts what a cmdlet warns of here.
    #[serde(rename = "@adminapi.warnings", default)]
    pub warnings: Vec<String>,
    /// The same for errors that left the cmdlet going on; texts, or objects.
    #[serde(rename = "@adminapi.errors", default)]
    pub errors: serde_json::Value,
    /// The same for a question to whoever runs a cmdlet, which has done nothing yet.
    #[serde(rename = "@adminapi.confirmationmessage", default)]
    pub confirmation: serde_json::Value,
}

impl Envelope {
    /// `largest` is the size in bytes above which a record is refused.
    pub fn new(largest: usize) -> Self {
        Envelope {
            splitter: Splitter::enclosed(largest),
            around: Vec::new(),
            place: Place::Before,
        }
    }

    /// Takes the next bytes and calls `sink` for every record that they complete.
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(RawRecord<'_>) -> Result<()>) -> Result<()> {
        match self.place {
            Place::Before => {
                self.around.extend_from_slice(chunk);
                if let Some(at) = list_of_value(&self.around) {
                    let list = self.around.split_off(at);
                    self.around.extend_from_slice(b"[]");
                    self.place = Place::Inside;
                    self.splitter.push(&list, sink)?;
                }
            }
            Place::Inside => self.splitter.push(chunk, sink)?,
            Place::Behind => self.around.extend_from_slice(chunk),
        }
        if self.place == Place::Inside {
            if let Some(rest) = self.splitter.rest() {
                self.around.extend_from_slice(rest);
                self.place = Place::Behind;
            }
        }
        if self.around.len() > MOST_AROUND {
            return Err(bad("more stands around the list than belongs there"));
        }
        Ok(())
    }

    /// Says whether the object was whole and had a list, and what stood around that.
    pub fn finish(self) -> Result<Around> {
        match self.place {
            Place::Before => Err(bad("the answer has no list of records")),
            Place::Inside => Err(bad("the list of records ends too early")),
            Place::Behind => {
                serde_json::from_slice(&self.around).map_err(|_| bad("the answer ends too early or is not JSON"))
            }
        }
    }

    /// The same for who may have nothing to list: then there may be no text at all, or an object without a list.
    pub fn finish_with_or_without(self) -> Result<Around> {
        if self.place != Place::Before {
            return self.finish();
        }
        if self.around.trim_ascii().is_empty() {
            return Ok(Around::default());
        }
        match serde_json::from_slice::<serde_json::Value>(&self.around) {
            Ok(serde_json::Value::Object(fields)) if fields.iter().all(is_annotation) => {
                Around::deserialize(serde_json::Value::Object(fields))
                    .map_err(|_| bad("the answer is not what it should be"))
            }
            _ => self.finish(),
        }
    }
}

/// What may stand in an answer without a list.
fn is_annotation((key, value): (&String, &serde_json::Value)) -> bool {
    key.starts_with('@') || key == "value" && value.is_null()
}

/// Where the list of the top-level `value` begins, once that much is there.
fn list_of_value(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_text(text, at)?;
                let is_key = depth == 1 && &text[at..end] == b"\"value\"";
                at = end;
                if is_key {
                    let mut rest = text[at..]
                        .iter()
                        .enumerate()
                        .filter(|(_, byte)| !byte.is_ascii_whitespace());
                    if rest.next()?.1 == &b':' {
                        let (offset, byte) = rest.next()?;
                        return (*byte == b'[').then_some(at + offset);
                    }
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind the text that begins at `at`.
fn end_of_text(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    loop {
        match text.get(end)? {
            b'"' => return Some(end + 1),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

#[cold]
fn bad(what: &str) -> Error {
    Error::new(Kind::Protocol, what.to_owned()).transient()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The records and what stands around them, from chunks of this size.
    fn read(text: &[u8], chunk: usize) -> Result<(Vec<String>, Around)> {
        let mut envelope = Envelope::new(1 << 20);
        let mut records = Vec::new();
        for chunk in text.chunks(chunk.max(1)) {
            envelope.push(chunk, &mut |record| {
                records.push(String::from_utf8_lossy(record.bytes).into_owned());
                Ok(())
            })?;
        }
        envelope.finish().map(|around| (records, around))
    }

    const REPLY: &str = r#"{"@odata.context":"https://x/\"value\":[","n":{"value":[1]},"@adminapi.warnings":["w"],
        "value" : [{"a":"]}"},{"value":[{}]}] , "@odata.nextLink":"https://x/next"}"#;

    #[test]
    fn the_list_is_told_from_what_looks_like_it() {
        for chunk in 1..REPLY.len() {
            let (records, around) = read(REPLY.as_bytes(), chunk).unwrap();
            assert_eq!(records, [r#"{"a":"]}"}"#, r#"{"value":[{}]}"#], "{chunk}");
            assert_eq!(around.next.as_deref(), Some("https://x/next"));
            assert_eq!(around.warnings, ["w"]);
        }
        let (records, around) = read(br#"{"value":[]}"#, 3).unwrap();
        assert!(records.is_empty() && around.next.is_none());
    }

    #[test]
    fn what_has_no_list_is_refused() {
        for text in [
            r#"{}"#,
            r#"{"value":5}"#,
            r#"{"error":{"value":[]}}"#,
            "[]",
            "<html>",
            "",
        ] {
            assert_eq!(read(text.as_bytes(), 4).unwrap_err().kind(), Kind::Protocol, "{text}");
        }
        let long = format!(r#"{{"value":[],"x":"{}"}}"#, "y".repeat(MOST_AROUND));
        assert!(read(long.as_bytes(), 1000).is_err());
    }

    #[test]
    fn who_may_have_nothing_to_list_is_taken_at_its_word_and_no_further() {
        let read = |text: &str| {
            let mut envelope = Envelope::new(1000);
            envelope.push(text.as_bytes(), &mut |_| Ok(())).unwrap();
            envelope.finish_with_or_without()
        };
        for text in ["", " \r\n", "{}", r#"{"value":null}"#, r#"{"value":[{}]}"#] {
            assert!(read(text).is_ok(), "{text}");
        }
        assert_eq!(read(r#"{"@adminapi.warnings":["w"]}"#).unwrap().warnings, ["w"]);
        for text in [
            r#"{"value":5}"#,
            r#"{"value":{}}"#,
            r#"{"error":{"code":"x"}}"#,
            "[]",
            "<html>",
            "{",
            r#"{"value":["#,
        ] {
            assert_eq!(read(text).unwrap_err().kind(), Kind::Protocol, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_cut_is_noticed(cut in 0..REPLY.len(), chunk in 1usize..40) {
            let error = read(&REPLY.as_bytes()[..cut], chunk).unwrap_err();
            prop_assert!(error.is_retryable());
        }

        #[test]
        fn it_finds_what_serde_finds(records in prop::collection::vec("[a-z\"\\\\{}\\[\\],:]{0,8}", 0..6), extra in "[a-z\"\\\\{}\\[\\],:]{0,8}", chunk in 1usize..30) {
            let records: Vec<_> = records.into_iter().map(|text| serde_json::json!({"value": [text]})).collect();
            let text = serde_json::json!({"a": extra, "value": records, "z": {"value": []}}).to_string();
            let (found, _) = read(text.as_bytes(), chunk).unwrap();
            let found: Vec<serde_json::Value> = found.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(found, records);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), chunk in 1usize..50) {
            let _ = read(&bytes, chunk);
        }
    }
}
