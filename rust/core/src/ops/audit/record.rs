//! Audit records as values: what a caller gets who wants objects and no files.

use super::from::From;
use crate::export::batch::Batch;
use crate::export::{record_type, time};
use crate::json;
use crate::value::Value;

/// Makes values of one tenant's records.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    item: i64,
    tenant: String,
    from: From,
}

impl Records {
    pub(crate) fn new(item: i64, tenant: &str, from: From) -> Self {
        Records {
            item,
            tenant: tenant.to_owned(),
            from,
        }
    }

    /// The value of one record of a batch.
    pub(crate) fn of(&self, batch: &Batch, at: usize) -> Value {
        self.value(batch.record(at), batch.records[at].flaw)
    }

    /// `fields` is the record. Where it is no JSON text, or nested too deeply, `text` is what came and `flaw` says why.
    fn value(&self, bytes: &[u8], flaw: Option<&'static str>) -> Value {
        let about = Value::map()
            .with("item", self.item)
            .with("tenantId", self.tenant.as_str())
            .with("records", self.from.kind());
        match fields(bytes, flaw) {
            Ok(mut fields) => {
                let name = self.record_type(&fields);
                if self.from.is_audit_log() {
                    read_time(&mut fields, "CreationTime");
                }
                about.with("recordType", name).with("fields", fields)
            }
            Err(flaw) => about
                .with("text", String::from_utf8_lossy(bytes).into_owned())
                .with("flaw", flaw),
        }
    }

    /// The name of its type; `None` where it has none, or its number has two.
    fn record_type(&self, fields: &Value) -> Option<String> {
        let field = match self.from {
            From::Graph => "auditLogRecordType",
            _ => "RecordType",
        };
        match fields.get(field)? {
            Value::Text(name) => Some(name.clone()),
            Value::I64(number) => record_type::name(u32::try_from(*number).ok()?).map(str::to_owned),
            _ => None,
        }
    }
}

fn fields(bytes: &[u8], flaw: Option<&'static str>) -> Result<Value, &'static str> {
    match flaw {
        Some(flaw) => Err(flaw),
        None => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| json::parse(text).ok())
            .ok_or("nested too deeply"),
    }
}

/// Makes a time of a field, where it is one; a time without a zone is UTC.
pub(crate) fn read_time(fields: &mut Value, name: &str) {
    let Value::Map(entries) = fields else { return };
    for (key, value) in entries {
        if key != name {
            continue;
        }
        if let Some(moment) = value.as_text().and_then(time::millis) {
            *value = Value::Time(moment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(from: From) -> Records {
        Records::new(7, "t", from)
    }

    #[test]
    fn a_record_has_its_fields_and_the_name_of_its_type() {
        let value = records(From::Feed).value(
            br#"{"CreationTime":"2026-01-15T10:00:01","RecordType":1,"Nested":{"CreationTime":"2026-01-15T10:00:01"},"Big":18446744073709551615}"#,
            None,
        );
        let fields = value.get("fields").unwrap();
        assert_eq!(value.get("item").unwrap().as_i64(), Some(7));
        assert_eq!(value.get("recordType").unwrap().as_text(), Some("ExchangeAdmin"));
        assert!(matches!(
            fields.get("CreationTime"),
            Some(Value::Time(1_768_471_201_000))
        ));
        // Only the record's own time is read.
        assert!(fields
            .get("Nested")
            .unwrap()
            .get("CreationTime")
            .unwrap()
            .as_text()
            .is_some());
        let other = records(From::Graph).value(br#"{"auditLogRecordType":"exchangeAdmin","createdDateTime":"2026-01-15T10:00:01.1234567Z","CreationTime":"2026-01-15T10:00:01"}"#, None);
        assert_eq!(other.get("recordType").unwrap().as_text(), Some("exchangeAdmin"));
        assert!(other
            .get("fields")
            .unwrap()
            .get("CreationTime")
            .unwrap()
            .as_text()
            .is_some());
        let odd = records(From::Exchange).value(br#"{"CreationTime":"yesterday","RecordType":"ExchangeAdmin"}"#, None);
        assert_eq!(
            odd.get("fields").unwrap().get("CreationTime").unwrap().as_text(),
            Some("yesterday")
        );
    }

    #[test]
    fn what_cannot_be_read_comes_as_it_is() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(300), "]".repeat(300));
        for (bytes, flaw) in [
            (&b"{\"a\":\"\xff\"}"[..], Some("invalid UTF-8")),
            (deep.as_bytes(), None),
        ] {
            let value = records(From::Feed).value(bytes, flaw);
            assert!(value.get("fields").is_none());
            assert!(value.get("text").unwrap().as_text().unwrap().starts_with("{\"a\":"));
            assert!(!value.get("flaw").unwrap().as_text().unwrap().is_empty());
        }
    }
}
