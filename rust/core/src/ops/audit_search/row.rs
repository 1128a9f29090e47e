//! Rows of `Search-UnifiedAuditLog` as values.

use super::super::audit::record::read_time;
use crate::error::{Error, Kind, Result};
use crate::json;
use crate::value::Value;
use std::borrow::Cow;

/// The columns that every row has, in the order in which the cmdlet's users know them.
const COLUMNS: [&str; 10] = [
    "RecordType",
    "CreationDate",
    "UserIds",
    "Operations",
    "AuditData",
    "ResultIndex",
    "ResultCount",
    "Identity",
    "IsValid",
    "ObjectState",
];
/// What says whether the service's own session has more rows.
const METADATA: &str = "AuditSearchRequestMetadata";

/// The columns, and whatever else a row has after them; without the annotations of the interface.
pub(super) fn value(text: &[u8]) -> Result<Value> {
    let unreadable = || {
        Error::new(Kind::Protocol, "the search gave a row that is not what it should be")
            .advise("Report this with the name of the command: the service has changed its format.")
    };
    let parsed = std::str::from_utf8(text).ok().and_then(|text| json::parse(text).ok());
    let Some(Value::Map(mut entries)) = parsed else {
        return Err(unreadable());
    };
    entries.retain(|(key, _)| !key.contains('@'));
    let mut row: Vec<(Cow<'static, str>, Value)> = Vec::with_capacity(COLUMNS.len() + 1);
    for column in COLUMNS {
        let at = entries.iter().position(|(key, _)| key == column);
        let value = at.map_or(Value::Null, |at| entries.remove(at).1);
        row.push((Cow::Borrowed(column), value));
    }
    row.extend(entries);
    let mut row = Value::Map(row);
    read_time(&mut row, "CreationDate");
    Ok(row)
}

/// A row of a search that was put together from several: its number among all, and nothing of what their sessions said of
/// themselves. How many there are is not known while they come.
pub(super) fn numbered(row: Value, number: u64) -> Value {
    let Value::Map(mut entries) = row else { return row };
    entries.retain(|(key, _)| key != METADATA);
    for (key, value) in &mut entries {
        match key.as_ref() {
            "ResultIndex" => *value = Value::I64(i64::try_from(number).unwrap_or(i64::MAX)),
            "ResultCount" => *value = Value::Null,
            _ => {}
        }
    }
    Value::Map(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(row: &Value) -> Vec<&str> {
        match row {
            Value::Map(entries) => entries.iter().map(|(key, _)| key.as_ref()).collect(),
            _ => panic!("no row"),
        }
    }

    #[test]
    fn a_row_has_the_columns_in_their_order() {
        let text = br#"{"Identity":"a","CreationDate@data.type":"System.DateTime","CreationDate":"2026-01-15T10:00:01.0000000+00:00",
            "AuditData":"{\"Id\":\"a\"}","ResultIndex":3,"ResultCount":9,"New":1,"AuditSearchRequestMetadata":{"moreRecordsAvailable":true}}"#;
        let row = value(text).unwrap();
        let mut expected = COLUMNS.to_vec();
        expected.extend(["New", METADATA]);
        assert_eq!(keys(&row), expected);
        assert!(matches!(row.get("CreationDate"), Some(Value::Time(1_768_471_201_000))));
        assert_eq!(row.get("AuditData").unwrap().as_text(), Some("{\"Id\":\"a\"}"));
        assert!(matches!(row.get("IsValid"), Some(Value::Null)));
        let row = numbered(row, 7);
        assert_eq!(row.get("ResultIndex").unwrap().as_i64(), Some(7));
        assert!(matches!(row.get("ResultCount"), Some(Value::Null)));
        assert!(row.get(METADATA).is_none());
        assert!(value(b"[1]").is_err());
    }
}
