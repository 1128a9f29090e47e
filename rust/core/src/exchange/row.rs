//! A cmdlet's rows as values: without the annotations that stand beside each value and say what it is.

use crate::error::Result;
use crate::export::time;
use crate::json;
use crate::value::Value;
use std::borrow::Cow;

/// How an annotation's key ends; before it stands the key of what it says something about.
const ANNOTATIONS: [&str; 2] = ["@data.type", "@odata.type"];

type Entries = Vec<(Cow<'static, str>, Value)>;

/// The fields of a row. Times that the service marks as such are times; quotas, sizes and durations stay its texts.
pub(crate) fn value(text: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(text).map_err(|_| crate::error::Error::invalid("a row is not UTF-8"))?;
    json::parse(text).map(plain)
}

fn plain(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(plain).collect()),
        Value::Map(entries) => Value::Map(fields(entries)),
        other => other,
    }
}

fn fields(entries: Entries) -> Entries {
    let times: Vec<String> = entries
        .iter()
        .filter(|(_, value)| value.as_text() == Some("System.DateTime"))
        .filter_map(|(key, _)| annotated(key).map(str::to_owned))
        .collect();
    entries
        .into_iter()
        .filter(|(key, _)| !is_annotation(key))
        .map(|(key, value)| match value.as_text().and_then(moment) {
            Some(time) if times.iter().any(|name| *name == key) => (key, Value::Time(time)),
            _ => (key, plain(value)),
        })
        .collect()
}

/// An annotation, of a value or of the row. A hashtable's own keys may be addresses.
fn is_annotation(key: &str) -> bool {
    key.starts_with('@') || annotated(key).is_some()
}

fn annotated(key: &str) -> Option<&str> {
    ANNOTATIONS.iter().find_map(|end| key.strip_suffix(end))
}

/// A time in UTC; one that names another zone stays as it is.
fn moment(text: &str) -> Option<i64> {
    let zone = text
        .get(19..)?
        .trim_start_matches(|at: char| at == '.' || at.is_ascii_digit());
    matches!(zone, "" | "Z" | "+00:00")
        .then(|| time::millis(text))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_go_and_times_are_times() {
        let row = value(
            br##"{"@odata.type":"#Exchange.GenericHashTable","Guid@odata.type":"#Guid","Guid":"a","WhenCreated@data.type":"System.DateTime",
            "WhenCreated":"2022-09-21T08:07:47.1230000+00:00","Other@data.type":"System.DateTime","Other":"2022-09-21T08:07:47+02:00",
            "Nested":{"x@odata.type":"#Int64","x":"5","a@b.example":1},"List":[{"y@data.type":"System.DateTime","y":"2022-09-21T08:07:47"}],
            "Plain":"2022-09-21T08:07:47","ProhibitSendQuota":"99 GB (106,300,440,576 bytes)"}"##,
        )
        .unwrap();
        let Value::Map(entries) = &row else { panic!("no row") };
        let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(
            keys,
            [
                "Guid",
                "WhenCreated",
                "Other",
                "Nested",
                "List",
                "Plain",
                "ProhibitSendQuota"
            ]
        );
        assert!(matches!(row.get("WhenCreated"), Some(Value::Time(1_663_747_667_123))));
        assert!(matches!(row.get("Other"), Some(Value::Text(_))));
        assert!(matches!(row.get("Plain"), Some(Value::Text(_))));
        assert_eq!(row.get("Nested").unwrap().get("x").unwrap().as_text(), Some("5"));
        assert!(row.get("Nested").unwrap().get("a@b.example").is_some());
        let Some(Value::List(items)) = row.get("List") else {
            panic!("no list")
        };
        assert!(matches!(items[0].get("y"), Some(Value::Time(_))));
        assert!(value(b"{").is_err());
    }
}
