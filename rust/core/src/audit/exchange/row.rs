//! A search's parameters and its rows.

use super::super::Window;
use crate::error::Result;
use crate::export::time;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

/// The name under which a search without `RecordType` is kept.
pub(crate) const ALL: &str = "UnifiedAuditLog";

/// What a search is narrowed by, as the service names it: `Operations`, `UserIds`, `IPAddresses`, `ObjectIds`, `FreeText`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter(Map<String, Value>);

impl From<Map<String, Value>> for Filter {
    fn from(parameters: Map<String, Value>) -> Self {
        Filter(parameters)
    }
}

impl Filter {
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// A search's parameters apart from those of its session. A content type is the name of a record type, or [`ALL`].
    pub(crate) fn parameters(&self, content_type: &str, window: Window) -> Map<String, Value> {
        let mut parameters = self.0.clone();
        // Without a zone the service takes them as UTC.
        let moment = |ms: i64| time::seconds_text(ms.div_euclid(1000)).unwrap_or_default();
        parameters.insert("StartDate".to_owned(), json!(moment(window.start)));
        parameters.insert("EndDate".to_owned(), json!(moment(window.end)));
        if content_type != ALL {
            parameters.insert("RecordType".to_owned(), json!(content_type));
        }
        parameters
    }
}

/// One row, as far as it is of interest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw<'a> {
    #[serde(borrow, default)]
    audit_data: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    identity: Option<Cow<'a, str>>,
    #[serde(default)]
    result_index: Value,
    #[serde(default)]
    result_count: Value,
    #[serde(default)]
    audit_search_request_metadata: Value,
}

/// The head of a record.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "CreationTime", borrow, default)]
    created: Option<Cow<'a, str>>,
    #[serde(rename = "Id", borrow, default)]
    id: Option<Cow<'a, str>>,
}

/// What of a row is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Give {
    /// The record: `AuditData`, or the row without its place in the search where that is no JSON object.
    Record,
    /// The row, with the record's id for its `Identity` where it came without.
    Row,
}

#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// As [`Give`] says.
    pub(super) record: Vec<u8>,
    /// Its record is JSON from its beginning to its end; some come cut short.
    pub(super) is_record: bool,
    /// The id of a record that is not whole, where it is known.
    pub(super) id: Option<String>,
    /// The same for each copy of a record, whole or not; of one without an id, for the same bytes.
    pub(super) key: u64,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub(super) created: Option<i64>,
    /// Its number in the session, from 1.
    pub(super) index: Option<u64>,
    /// What the search says of its size: all rows, or those asked for, or nothing.
    pub(super) count: Option<u64>,
    pub(super) more: Option<bool>,
}

impl Row {
    pub(super) fn read(text: &[u8], give: Give) -> Result<Row> {
        let raw: Raw<'_> = serde_json::from_slice(text).map_err(|_| {
            crate::error::Error::new(
                crate::error::Kind::Protocol,
                "the search gave a row that is not what it should be",
            )
            .advise("Report this with the name of the command: the service has changed its format.")
        })?;
        let data = raw.audit_data.as_deref();
        let head = data.and_then(|data| serde_json::from_str::<Head<'_>>(data).ok());
        let identity = raw.identity.as_deref().filter(|id| !id.is_empty());
        let id = match &head {
            Some(head) => head.id.as_deref().or(identity),
            None => identity.or_else(|| data.and_then(|data| peek(data, "Id"))),
        };
        let created = match &head {
            Some(head) => head.created.as_deref().and_then(seconds),
            None => data
                .and_then(|data| peek(data, "CreationTime"))
                .and_then(seconds)
                .or_else(|| creation_date(text)),
        };
        let record = match (give, &head, data) {
            (Give::Record, Some(_), Some(data)) => data.trim().as_bytes().to_vec(),
            (Give::Record, ..) => lasting(text).unwrap_or_else(|| text.to_vec()),
            (Give::Row, ..) if identity.is_none() => named(text, id).unwrap_or_else(|| text.to_vec()),
            _ => text.to_vec(),
        };
        Ok(Row {
            key: match (id, data) {
                (Some(id), _) => key(id.as_bytes()),
                (None, Some(data)) => key(data.as_bytes()),
                (None, None) => key(&lasting(text).unwrap_or_default()),
            },
            id: id.filter(|_| head.is_none()).map(str::to_owned),
            created: created.map(|seconds| seconds * 1000),
            is_record: head.is_some(),
            record,
            index: number(&raw.result_index),
            count: number(&raw.result_count),
            more: more(&raw.audit_search_request_metadata),
        })
    }
}

fn seconds(text: &str) -> Option<i64> {
    time::creation_seconds(text.as_bytes())
}

fn key(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// A text in a record that is not whole.
fn peek<'a>(data: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = data.split_once(&format!("\"{name}\":"))?;
    let (value, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    (!value.is_empty() && !value.contains('\\')).then_some(value)
}

/// The row's own time, in seconds, where the service has not written it as its host's culture does.
fn creation_date(text: &[u8]) -> Option<i64> {
    let row: Map<String, Value> = serde_json::from_slice(text).ok()?;
    seconds(row.get("CreationDate")?.as_str()?)
}

/// Whether a search says that it has more: in an object or in the text of one, by a name in either case.
fn more(metadata: &Value) -> Option<bool> {
    if let Value::String(text) = metadata {
        let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        return more(&Value::Object(fields));
    }
    let mut fields = metadata.as_object()?.iter();
    let (_, said) = fields.find(|(name, _)| name.eq_ignore_ascii_case("moreRecordsAvailable"))?;
    match said {
        Value::Bool(more) => Some(*more),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A row without what another search would say differently of the same one.
fn lasting(text: &[u8]) -> Option<Vec<u8>> {
    let mut row: Map<String, Value> = serde_json::from_slice(text).ok()?;
    for of_search in ["ResultIndex", "ResultCount", "AuditSearchRequestMetadata"] {
        row.retain(|name, _| name.split('@').next() != Some(of_search));
    }
    serde_json::to_vec(&row).ok()
}

/// A row with this `Identity`.
fn named(text: &[u8], id: Option<&str>) -> Option<Vec<u8>> {
    let mut row: Map<String, Value> = serde_json::from_slice(text).ok()?;
    row.insert("Identity".to_owned(), json!(id?));
    serde_json::to_vec(&row).ok()
}

/// A whole number, also as text; some rows have none, or one with a fraction.
fn number(value: &Value) -> Option<u64> {
    match value {
        // Counts with a fraction have been met; they count nothing.
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && number >= 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(row: &Value) -> Row {
        Row::read(row.to_string().as_bytes(), Give::Record).unwrap()
    }

    #[test]
    fn rows_of_all_times_are_read() {
        let data = r#"{"CreationTime":"2026-01-15T10:00:01","Id":"a","x":"\u00e9\\/"}"#;
        let row = read(&json!({"AuditData": data, "ResultIndex": 7, "ResultCount": "12",
            "AuditSearchRequestMetadata": {"moreRecordsAvailable": true}, "ResultIndex@data.type": "System.Int32"}));
        assert_eq!(row.record, data.as_bytes());
        assert_eq!((row.index, row.count, row.more), (Some(7), Some(12), Some(true)));
        assert_eq!(row.created, Some(1_768_471_201_000));
        let bare = read(&json!({"AuditData": data, "ResultIndex": "", "ResultCount": 3.5}));
        assert_eq!((bare.index, bare.count, bare.more), (None, None, None));
        for (metadata, more) in [
            (json!({"moreRecordsAvailable": false}), Some(false)),
            (json!({"MoreRecordsAvailable": true}), Some(true)),
            (json!({"MoreRecordsAvailable": "True"}), Some(true)),
            (json!("{\"moreRecordsAvailable\":true}"), Some(true)),
            (json!("{\"MoreRecordsAvailable\": false}"), Some(false)),
            (json!({"moreRecordsAvailable": null}), None),
            (json!({"other": true}), None),
            (json!("more"), None),
            (json!(null), None),
        ] {
            let row = read(&json!({"AuditData": data, "AuditSearchRequestMetadata": metadata}));
            assert_eq!(row.more, more, "{metadata}");
        }
    }

    #[test]
    fn a_record_that_is_cut_short_still_says_which_it_is() {
        let whole = r#"{"CreationTime":"2026-01-15T10:00:01","Id":"a","x":"y"}"#;
        let known = read(&json!({"AuditData": whole}));
        let cut = &whole[..whole.len() - 4];
        let date = "2026-01-15T10:00:01.0000000+00:00";
        for row in [
            json!({"AuditData": cut}),
            json!({"AuditData": cut, "Identity": "", "CreationDate": "1/15/2026 10:00:01 AM"}),
            json!({"AuditData": "{\"Crea", "Identity": "a", "CreationDate": date}),
            json!({"AuditData": null, "Identity": "a", "CreationDate": date}),
        ] {
            let read = read(&row);
            assert!(known.is_record && !read.is_record, "{row}");
            assert_eq!(
                (read.id.as_deref(), read.created, read.key),
                (Some("a"), known.created, known.key)
            );
        }
        let nameless = read(&json!({"AuditData": null}));
        assert_eq!((nameless.id, nameless.created), (None, None));
    }

    #[test]
    fn what_is_no_record_is_kept_as_the_row_that_it_came_in() {
        for data in [json!("{\"Id\":\"a\""), json!(null), json!("text"), json!("[1]")] {
            let row = json!({"AuditData": data, "Identity": "a"});
            let mut sent = row.clone();
            sent["ResultIndex"] = json!(7);
            sent["ResultCount@data.type"] = json!("System.Int32");
            sent["AuditSearchRequestMetadata"] = json!({"moreRecordsAvailable": true});
            let read = read(&sent);
            assert!(!read.is_record, "{data}");
            assert_eq!(serde_json::from_slice::<Value>(&read.record).unwrap(), row);
        }
        assert!(Row::read(b"5", Give::Record).is_err());
    }

    #[test]
    fn a_whole_row_always_says_which_record_it_is() {
        let whole = |row: &Value| {
            let text = Row::read(row.to_string().as_bytes(), Give::Row).unwrap().record;
            serde_json::from_slice::<Value>(&text).unwrap()
        };
        let row = json!({"AuditData": "{\"Id\":\"a\"}", "Identity": "b", "Operations": "x"});
        assert_eq!(whole(&row), row);
        for nothing in [json!(null), json!("")] {
            let named = whole(&json!({"AuditData": "{\"Id\":\"a\"}", "Identity": nothing, "Operations": "x"}));
            assert_eq!(
                named,
                json!({"AuditData": "{\"Id\":\"a\"}", "Identity": "a", "Operations": "x"})
            );
        }
        let unknown = json!({"AuditData": "{}", "Operations": "x"});
        assert_eq!(whole(&unknown), unknown);
    }

    proptest! {
        #[test]
        fn any_row_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Row::read(&text, Give::Row);
        }
    }
}
