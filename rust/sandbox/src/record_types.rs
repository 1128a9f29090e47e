//! The names of audit record types.

use std::collections::HashMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../core/data/record-types.csv");

/// The name of a record type; its number where it has none here.
pub(crate) fn name(kind: u64) -> String {
    names()
        .get(&kind)
        .map_or_else(|| kind.to_string(), |name| (*name).to_owned())
}

/// Whether there is a record type of that name, in any case.
pub(crate) fn is_name(text: &str) -> bool {
    names().values().any(|name| name.eq_ignore_ascii_case(text))
}

fn names() -> &'static HashMap<u64, &'static str> {
    static NAMES: OnceLock<HashMap<u64, &'static str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let pair = |line: &'static str| {
            let mut columns = line.split(',');
            Some((columns.next()?.parse().ok()?, columns.next()?))
        };
        TABLE.lines().filter_map(pair).collect()
    })
}
