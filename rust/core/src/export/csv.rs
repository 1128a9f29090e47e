//! Records as the rows that `Search-UnifiedAuditLog | Export-Csv` gives: the columns scripts already know.

use super::fields::named;
use super::record_type;
use super::text;
use super::time;
use std::borrow::Cow;
use std::io::{self, Write};

/// The columns, in order.
pub const COLUMNS: [&str; 6] = [
    "RecordType",
    "CreationDate",
    "UserIds",
    "Operations",
    "Identity",
    "AuditData",
];

/// Where Graph's `auditLogRecord` has the same: the record itself is inside.
const OF_GRAPH: [&str; COLUMNS.len()] = [
    "auditLogRecordType",
    "createdDateTime",
    "userPrincipalName",
    "operation",
    "id",
    "auditData",
];

/// Writes rows of [`COLUMNS`] after RFC 4180.
#[derive(Debug)]
pub struct Rows<W: Write>(csv::Writer<W>);

impl<W: Write> Rows<W> {
    /// Starts the text: a byte order mark if wanted, then the header.
    pub fn begin(out: W, byte_order_mark: bool) -> io::Result<Self> {
        let mut rows = begin(out, byte_order_mark)?;
        rows.write_record(COLUMNS)?;
        Ok(Rows(rows))
    }

    /// Writes one record, which must be a valid JSON object without line breaks.
    pub fn write(&mut self, record: &[u8]) -> io::Result<()> {
        let [kind, created, user, operation, id] =
            named(record, ["RecordType", "CreationTime", "UserId", "Operation", "Id"]);
        if kind.is_none() && id.is_none() {
            if let [Some(kind), created, user, operation, id, Some(data)] = named(record, OF_GRAPH) {
                return self.row([
                    record_type(Some(kind)),
                    creation_date(created),
                    plain(user),
                    plain(operation),
                    plain(id),
                    String::from_utf8_lossy(data),
                ]);
            }
        }
        self.row([
            record_type(kind),
            creation_date(created),
            plain(user),
            plain(operation),
            plain(id),
            String::from_utf8_lossy(record),
        ])
    }

    fn row(&mut self, row: [Cow<'_, str>; COLUMNS.len()]) -> io::Result<()> {
        for column in row {
            self.0.write_field(guarded(column).as_bytes())?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Where the rows go; rows that were just written may not have arrived there yet.
    pub fn get_ref(&self) -> &W {
        self.0.get_ref()
    }

    /// Ends the text and gives back where it went.
    pub fn finish(self) -> io::Result<W> {
        finish(self.0)
    }
}

/// Starts a text after RFC 4180, with a byte order mark if wanted: Excel needs it to see UTF-8.
pub(crate) fn begin<W: Write>(mut out: W, byte_order_mark: bool) -> io::Result<csv::Writer<W>> {
    if byte_order_mark {
        out.write_all(b"\xEF\xBB\xBF")?;
    }
    let mut rows = csv::WriterBuilder::new();
    Ok(rows.terminator(csv::Terminator::CRLF).from_writer(out))
}

pub(crate) fn finish<W: Write>(rows: csv::Writer<W>) -> io::Result<W> {
    rows.into_inner()
        .map_err(|error| io::Error::new(error.error().kind(), error.to_string()))
}

/// A spreadsheet runs a cell that begins like a formula; an apostrophe in front makes it text.
pub(crate) fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => Cow::Owned(format!("'{text}")),
        _ => text,
    }
}

fn creation_date(raw: Option<&[u8]>) -> Cow<'_, str> {
    let text = plain(raw);
    match time::creation_seconds(text.as_bytes()) {
        Some(seconds) => Cow::Owned(time::iso(seconds * 1000)),
        None => text,
    }
}

/// The feed's records have a number here, for which the cmdlet shows a name.
fn record_type(raw: Option<&[u8]>) -> Cow<'_, str> {
    let text = plain(raw);
    match text.parse().ok().and_then(record_type::name) {
        Some(name) => Cow::Borrowed(name),
        None => text,
    }
}

/// A string's text, any other value as it is written, nothing for null.
fn plain(raw: Option<&[u8]>) -> Cow<'_, str> {
    match raw {
        None | Some(b"null") => Cow::Borrowed(""),
        Some([b'"', text @ .., b'"']) => text::unescape(text),
        Some(other) => String::from_utf8_lossy(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(records: &[&str]) -> String {
        let mut rows = Rows::begin(Vec::new(), false).unwrap();
        for record in records {
            rows.write(record.as_bytes()).unwrap();
        }
        String::from_utf8(rows.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_row_has_the_cmdlets_columns() {
        let record = r#"{"CreationTime":"2021-05-18T21:13:33","Id":"7","Operation":"Add user.","RecordType":8,"UserId":"a@b.c","x":[{"Id":"no"}]}"#;
        let quoted = record.replace('"', "\"\"");
        assert_eq!(
            rows(&[record]),
            format!(
                "RecordType,CreationDate,UserIds,Operations,Identity,AuditData\r\n\
                 AzureActiveDirectory,2021-05-18T21:13:33Z,a@b.c,Add user.,7,\"{quoted}\"\r\n"
            )
        );
    }

    #[test]
    fn a_cell_never_begins_like_a_formula() {
        for start in ["=", "+", "-", "@", "\\t", "\\r"] {
            let record = format!(r#"{{"UserId":"{start}cmd|' /C calc'!A0","Id":"{start}","Operation":"{start}"}}"#);
            let text = rows(&[&record]);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            for column in 2..5 {
                assert!(row[column].starts_with('\''), "{row:?}");
            }
        }
    }

    #[test]
    fn a_record_of_graph_is_the_same_row_as_the_record_inside() {
        let inside = r#"{"Id":"a","RecordType":1,"CreationTime":"2026-01-02T03:04:05","UserId":"u","Operation":"o"}"#;
        let graph = format!(
            r#"{{"id":"a","createdDateTime":"2026-01-02T03:04:05Z","auditLogRecordType":"exchangeAdmin","operation":"o","userPrincipalName":"u","auditData":{inside}}}"#
        );
        assert_eq!(
            rows(&[inside]).replace("ExchangeAdmin", "exchangeAdmin"),
            rows(&[&graph])
        );
    }

    #[test]
    fn unknown_types_stay_numbers_and_absent_fields_are_empty() {
        let text = rows(&[
            r#"{"RecordType":900,"UserId":null}"#,
            r#"{"RecordType" : "ExchangeAdmin" , "Operation":"a,b"}"#,
        ]);
        assert!(text.contains("\r\n900,,,,,"), "{text}");
        assert!(text.contains("\r\nExchangeAdmin,,,\"a,b\",,"), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_the_record_says(user: String, operation: String, id: String, blanks in "[ \t]{0,3}") {
            let quote = |text: &str| serde_json::to_string(text).unwrap();
            let record = format!(
                "{{{blanks}\"Nested\":{{\"UserId\":\"no\",\"a\":[1,\"}}\"]}},\"UserId\"{blanks}:{blanks}{}{blanks},\"Operation\":{},\"Id\":{}}}",
                quote(&user), quote(&operation), quote(&id)
            );
            let text = rows(&[&record]);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&row[2], guarded(user.as_str().into()));
            prop_assert_eq!(&row[3], guarded(operation.as_str().into()));
            prop_assert_eq!(&row[4], guarded(id.as_str().into()));
            prop_assert_eq!(&row[5], record.as_str());
        }
    }
}
