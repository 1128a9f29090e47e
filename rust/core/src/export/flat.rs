//! Records as rows of their own fields, for spreadsheets and databases.
//!
//! The columns are the common fields of the audit log in a fixed order, then every other top-level field of the part's
//! records by name. A field is called what the records call it; names that differ in case alone are one column, because
//! PowerShell and most databases know no difference. A cell has a string's text, any other value as JSON without blanks, and
//! nothing where the field is null or absent. Nothing of a record is lost: where one does not fit, a last column,
//! `AuditData`, has the whole of it.

use super::csv::{begin, finish, guarded};
use super::fields::{compact, fields, named};
use super::text;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

/// The common schema of the Office 365 Management Activity API, with `AppAccessContext`: when, who, what, to what, from where,
/// how it went, then what tells machines more than people.
const COMMON: [&str; 15] = [
    "CreationTime",
    "UserId",
    "Operation",
    "RecordType",
    "Workload",
    "ObjectId",
    "ClientIP",
    "ResultStatus",
    "UserType",
    "UserKey",
    "OrganizationId",
    "Scope",
    "AppAccessContext",
    "Version",
    "Id",
];

/// Those of them that Graph's `auditLogRecord` has outside of the record, under its own names.
const OF_GRAPH: [(&str, &str); 10] = [
    ("CreationTime", "createdDateTime"),
    ("UserId", "userPrincipalName"),
    ("Operation", "operation"),
    ("RecordType", "auditLogRecordType"),
    ("Workload", "service"),
    ("ObjectId", "objectId"),
    ("ClientIP", "clientIp"),
    ("UserType", "userType"),
    ("OrganizationId", "organizationId"),
    ("Id", "id"),
];

/// The column for what has none, named as in the other CSV.
const REST: &str = "AuditData";
/// Columns of one part, and the length of a name, that no record of Microsoft's comes near.
const MOST: usize = 1000;
const LONGEST: usize = 256;

/// Which columns the rows of a part have.
#[derive(Debug)]
pub struct Columns {
    /// In the order in which they were met, as they were spelled first.
    names: Vec<String>,
    /// Each name in small letters, and where it is.
    places: HashMap<String, usize>,
    /// Some record does not fit into columns of its fields.
    rest: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            names: COMMON.map(str::to_owned).into(),
            places: COMMON.map(str::to_lowercase).into_iter().zip(0..).collect(),
            rest: false,
        }
    }
}

impl Columns {
    /// Takes in the fields of a record, which must be a valid JSON object.
    pub fn note(&mut self, record: &[u8]) {
        let mut taken = Taken::default();
        for (name, _, spare) in cells_of(record) {
            let key = name.to_lowercase();
            let place = self.places.get(&key).copied().or_else(|| self.add(name, key));
            self.rest |= !place.is_some_and(|place| taken.take(place) || spare);
        }
    }

    fn add(&mut self, name: Cow<'_, str>, key: String) -> Option<usize> {
        let place = self.names.len();
        if place >= MOST || name.len() > LONGEST {
            return None;
        }
        self.names.push(name.into_owned());
        self.places.insert(key, place);
        Some(place)
    }

    /// Puts the columns into their order; the places are those of the order afterwards.
    fn sort(&mut self) {
        if self.rest && self.places.remove(&REST.to_lowercase()).is_some() {
            self.names.retain(|name| !name.eq_ignore_ascii_case(REST));
        }
        self.names[COMMON.len()..].sort_unstable();
        self.places = self.names.iter().map(|name| name.to_lowercase()).zip(0..).collect();
    }
}

/// Columns that a record has filled.
#[derive(Debug, Default)]
struct Taken([u64; MOST.div_ceil(64)]);

impl Taken {
    /// False where it was taken before.
    fn take(&mut self, place: usize) -> bool {
        let (word, bit) = (&mut self.0[place / 64], 1 << (place % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// Writes rows after RFC 4180.
#[derive(Debug)]
pub struct Rows<W: Write> {
    out: csv::Writer<W>,
    columns: Columns,
}

impl<W: Write> Rows<W> {
    /// Starts the text: a byte order mark if wanted, then the header.
    pub fn begin(out: W, byte_order_mark: bool, mut columns: Columns) -> io::Result<Self> {
        let mut out = begin(out, byte_order_mark)?;
        columns.sort();
        let rest = columns.rest.then_some(REST);
        for name in columns.names.iter().map(String::as_str).chain(rest) {
            out.write_field(guarded(name.into()).as_bytes())?;
        }
        out.write_record(None::<&[u8]>)?;
        Ok(Rows { out, columns })
    }

    /// Writes one record that the columns were made of.
    pub fn write(&mut self, record: &[u8]) -> io::Result<()> {
        let mut cells = vec![None; self.columns.names.len()];
        let mut fits = true;
        for (name, value, spare) in cells_of(record) {
            let place = self.columns.places.get(&name.to_lowercase());
            match place.map(|place| &mut cells[*place]) {
                Some(cell @ None) => *cell = Some(value),
                _ => fits &= spare,
            }
        }
        for value in cells {
            self.cell(value)?;
        }
        if self.columns.rest {
            self.out.write_field(if fits { &[] } else { record })?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    fn cell(&mut self, value: Option<&[u8]>) -> io::Result<()> {
        Ok(match value {
            None | Some(b"null") => self.out.write_field(b""),
            // Only text can be taken for a formula: a number is one also where it begins with a minus.
            Some([b'"', text @ .., b'"']) => self.out.write_field(guarded(text::unescape(text)).as_bytes()),
            Some(value) => self.out.write_field(compact(value)),
        }?)
    }

    /// Where the rows go; rows that were just written may not have arrived there yet.
    pub fn get_ref(&self) -> &W {
        self.out.get_ref()
    }

    /// Ends the text and gives back where it went.
    pub fn finish(self) -> io::Result<W> {
        finish(self.out)
    }
}

/// Column and value of each field; true for what need not have a cell where the column is filled.
fn cells_of(record: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, &[u8], bool)> {
    let (record, around) = match named(record, ["Id", "RecordType", "auditLogRecordType", "auditData"]) {
        // One of Graph's: the record itself is inside.
        [None, None, Some(_), Some(data @ [b'{', ..])] => (data, record),
        _ => (record, [].as_slice()),
    };
    let around = fields(around).filter(|(name, _)| name != "auditData");
    let around = around.map(|(name, value)| match OF_GRAPH.iter().find(|(_, of)| *of == name) {
        Some((same, _)) => (Cow::Borrowed(*same), value, true),
        None => (name, value, false),
    });
    fields(record).map(|(name, value)| (name, value, false)).chain(around)
}

#[cfg(test)]
mod tests {
    use super::super::fields::tests::values;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn rows(records: &[&str]) -> Vec<Map<String, Value>> {
        let mut columns = Columns::default();
        records.iter().for_each(|record| columns.note(record.as_bytes()));
        let mut rows = Rows::begin(Vec::new(), false, columns).unwrap();
        records.iter().for_each(|record| rows.write(record.as_bytes()).unwrap());
        let text = rows.finish().unwrap();
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header = reader.headers().unwrap().clone();
        let row = |row: Result<csv::StringRecord, _>| -> Map<String, Value> {
            let row = row.unwrap();
            header
                .iter()
                .map(str::to_owned)
                .zip(row.iter().map(Value::from))
                .collect()
        };
        reader.records().map(row).collect()
    }

    fn header(records: &[&str]) -> Vec<String> {
        let mut columns = Columns::default();
        records.iter().for_each(|record| columns.note(record.as_bytes()));
        let text = Rows::begin(Vec::new(), true, columns).unwrap().finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap().strip_suffix("\r\n").unwrap();
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn the_common_fields_come_first_and_the_others_by_name() {
        let records = [
            r#"{"zeta":1,"Id":"1","Alpha":null}"#,
            r#"{"Beta":"b","UserId":"u","ALPHA":2}"#,
        ];
        let header = header(&records);
        assert_eq!(header[..COMMON.len()], COMMON);
        assert_eq!(header[COMMON.len()..], ["Alpha", "Beta", "zeta"]);
        let rows = rows(&records);
        assert_eq!((&rows[0]["Alpha"], &rows[1]["Alpha"]), (&"".into(), &"2".into()));
    }

    #[test]
    fn nested_values_are_json_and_text_is_no_formula() {
        let record = r#"{"Id":"=1+1","Actor": [ {"ID": "a b", "Type" : 5} ],"Size":-7,"Ok":true}"#;
        let row = &rows(&[record])[0];
        assert_eq!(row["Id"], "'=1+1");
        assert_eq!(row["Actor"], r#"[{"ID":"a b","Type":5}]"#);
        assert_eq!((&row["Size"], &row["Ok"]), (&"-7".into(), &"true".into()));
    }

    #[test]
    fn what_does_not_fit_is_there_as_a_whole() {
        let twice = r#"{"Id":"1","a":1,"A":2}"#;
        let all = rows(&[twice, r#"{"Id":"2","AuditData":"own"}"#, r#"{"Id":"3","a":9}"#]);
        assert_eq!((&all[0]["a"], &all[0]["AuditData"]), (&"1".into(), &twice.into()));
        assert_eq!(all[1]["AuditData"], r#"{"Id":"2","AuditData":"own"}"#);
        assert_eq!(all[2]["AuditData"], "");

        let many: Map<String, Value> = (0..2 * MOST)
            .map(|number| (format!("f{number}"), number.into()))
            .collect();
        let many = serde_json::to_string(&many).unwrap();
        let long = format!(r#"{{"{}":1}}"#, "n".repeat(LONGEST + 1));
        let all = rows(&[&many, &long]);
        assert_eq!(
            (&all[0]["AuditData"], &all[1]["AuditData"]),
            (&many.into(), &long.into())
        );
        assert_eq!(all[0].len(), MOST + 1);
    }

    #[test]
    fn a_record_of_graph_is_the_same_row_as_the_record_inside() {
        let inside = r#"{"Id":"a","RecordType":1,"CreationTime":"2026-01-02T03:04:05","Operation":"o","x":[1]}"#;
        let graph = format!(
            r#"{{"id":"a","createdDateTime":"2026-01-02T03:04:05Z","auditLogRecordType":"exchangeAdmin","service":"w","administrativeUnits":["u"],"auditData":{inside}}}"#
        );
        let (mut expected, mut row) = (rows(&[inside]).remove(0), rows(&[&graph]).remove(0));
        assert_eq!(row.remove("administrativeUnits"), Some(r#"["u"]"#.into()));
        expected.insert("Workload".to_owned(), "w".into());
        assert_eq!(row, expected);
    }

    proptest! {
        #[test]
        fn every_field_of_a_record_is_in_its_row(
            records in prop::collection::vec(prop::collection::btree_map("[a-zA-Z]{0,3}|AuditData|Id", values(), 0..6), 1..6),
        ) {
            let texts: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
            let rows = rows(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            for ((record, text), row) in records.iter().zip(&texts).zip(&rows) {
                if row.get("AuditData").is_some_and(|all| all == text) {
                    continue;
                }
                for (name, value) in record {
                    let (_, cell) = row.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)).unwrap();
                    let expected = match value {
                        Value::Null => String::new(),
                        Value::String(text) => guarded(text.into()).into_owned(),
                        other => other.to_string(),
                    };
                    prop_assert_eq!(cell, &Value::from(expected));
                }
                prop_assert_eq!(
                    row.values().filter(|cell| *cell != "").count(),
                    record.values().filter(|value| !value.is_null() && *value != "").count()
                );
            }
        }
    }
}
