//! Real audit records from public sources (see `data/README.md`), served again under the sandbox's tenants: identifier,
//! organisation and time are replaced, the rest stays as its source has it.

use std::sync::OnceLock;

use serde_json::Value;

use super::plan::ContentType;

/// A real record with the places of its replaced values.
pub(crate) struct Sample {
    pub(crate) record_type: u32,
    /// Text and what follows it, in order; the last has nothing to follow.
    pub(crate) pieces: Vec<(String, Slot)>,
}

/// What belongs between two pieces of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Id,
    Organization,
    Time,
    End,
}

/// The samples of a content type; none for some.
pub(crate) fn of(content: ContentType) -> &'static [Sample] {
    static LOADED: OnceLock<[Vec<Sample>; 5]> = OnceLock::new();
    let all = LOADED.get_or_init(load);
    ContentType::ALL
        .iter()
        .position(|known| *known == content)
        .map_or(&[], |at| &all[at])
}

fn load() -> [Vec<Sample>; 5] {
    let mut all: [Vec<Sample>; 5] = std::array::from_fn(|_| Vec::new());
    for line in include_str!("../../data/msticpy/exchange_admin_records.ndjson").lines() {
        if let Some(sample) = from_projection(line) {
            all[1].push(sample);
        }
    }
    for file in [
        include_str!("../../data/azure-sentinel/office_activity_reconstructed_auditdata.ndjson"),
        include_str!("../../data/otrf-security-datasets/office_activity_reconstructed_auditdata.ndjson"),
        include_str!("../../data/panther-analysis/m365_audit.ndjson"),
        include_str!("../../data/alertlogic-o365-collector/records.ndjson"),
    ] {
        for line in file.lines() {
            let Ok(record) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let Some(record_type) = record["RecordType"].as_u64().and_then(|n| u32::try_from(n).ok()) else {
                continue;
            };
            let at = match record_type {
                8 | 15 => 0,
                1 | 2 | 3 | 50 => 1,
                4 | 6 | 14 | 36 | 56 => 2,
                // Data loss prevention events belong to a content type that is empty here.
                11 | 13 => continue,
                _ => 3,
            };
            if let Some(sample) = from_record(line, &record, record_type) {
                all[at].push(sample);
            }
        }
    }
    all
}

/// A record that is whole: cut at its identifier, organisation and time.
fn from_record(line: &str, record: &Value, record_type: u32) -> Option<Sample> {
    let mut places = Vec::new();
    for (name, slot) in [
        ("Id", Slot::Id),
        ("OrganizationId", Slot::Organization),
        ("CreationTime", Slot::Time),
    ] {
        let value = record[name].as_str()?;
        let start = [":", ": "].iter().find_map(|colon| {
            let pattern = format!("\"{name}\"{colon}\"{value}\"");
            line.find(&pattern).map(|at| at + pattern.len() - value.len() - 1)
        })?;
        places.push((start, value.len(), slot));
    }
    record["Operation"].as_str()?;
    places.sort_unstable_by_key(|place| place.0);
    let mut pieces = Vec::new();
    let mut from = 0;
    for (start, length, slot) in places {
        pieces.push((line.get(from..start)?.to_owned(), slot));
        from = start + length;
    }
    pieces.push((line.get(from..)?.to_owned(), Slot::End));
    Some(Sample { record_type, pieces })
}

/// A row that kept only some of an Exchange administrator record's fields: the others are added around them.
fn from_projection(line: &str) -> Option<Sample> {
    let row: Value = serde_json::from_str(line).ok()?;
    let parameters = line.split_once("\"Parameters\": ")?.1.trim_end().strip_suffix('}')?;
    let object = row["Parameters"]
        .as_array()?
        .iter()
        .find(|p| p["Name"] == "Identity")
        .map(|p| p["Value"].clone());
    let (user, ip) = (row["UserId"].clone(), row["ClientIP"].as_str().unwrap_or_default());
    let user = match user.as_str() {
        None | Some("") => Value::from("NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)"),
        Some(_) => user,
    };
    let client = if ip.is_empty() {
        String::new()
    } else {
        format!("\"ClientIP\":{},", Value::from(ip))
    };
    let pieces = vec![
        ("{\"CreationTime\":\"".to_owned(), Slot::Time),
        ("\",\"Id\":\"".to_owned(), Slot::Id),
        (format!("\",\"Operation\":{},\"OrganizationId\":\"", row["Operation"]), Slot::Organization),
        (
            format!(
                "\",\"RecordType\":1,\"ResultStatus\":\"True\",\"UserKey\":{user},\"UserType\":{},\"Version\":1,\
                 \"Workload\":\"Exchange\",{client}\"ObjectId\":{},\"UserId\":{user},\"AppId\":\"\",\"ClientAppId\":\"\",\
                 \"ExternalAccess\":false,\"OrganizationName\":\"seccxpninja.onmicrosoft.com\",\"OriginatingServer\":\
                 \"MWHPR06MB3440 (15.20.4065.028)\",\"Parameters\":{parameters}}}",
                if ip.is_empty() { 3 } else { 2 },
                object.unwrap_or_else(|| Value::from("")),
            ),
            Slot::End,
        ),
    ];
    Some(Sample { record_type: 1, pieces })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole_records_once_filled() {
        let counts: Vec<usize> = ContentType::ALL.iter().map(|content| of(*content).len()).collect();
        assert!(
            counts[0] >= 5 && counts[1] >= 1300 && counts[2] >= 200 && counts[3] >= 1,
            "{counts:?}"
        );
        for content in ContentType::ALL {
            for sample in of(content) {
                let text: String = sample
                    .pieces
                    .iter()
                    .map(|(piece, slot)| {
                        let value = match slot {
                            Slot::Id => "<id>",
                            Slot::Organization => "<organization>",
                            Slot::Time => "<time>",
                            Slot::End => "",
                        };
                        format!("{piece}{value}")
                    })
                    .collect();
                let record: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(record["Id"], "<id>");
                assert_eq!(record["OrganizationId"], "<organization>");
                assert_eq!(record["CreationTime"], "<time>");
                assert_eq!(record["RecordType"], sample.record_type);
            }
        }
    }
}
