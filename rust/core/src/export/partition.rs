//! The folders that a tenant's records are divided into.

use super::folder::REJECTS;
use super::time;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Partition {
    /// A UTC day, counted from 1970-01-01.
    Day(i64),
    /// Records whose time cannot be read.
    Unknown,
    /// What is no valid JSON text.
    Rejects,
}

impl Partition {
    /// Where a record belongs that was made at this second since 1970-01-01 UTC.
    pub(crate) fn of(created: Option<i64>) -> Self {
        created.map_or(Partition::Unknown, |seconds| Partition::Day(seconds.div_euclid(86_400)))
    }

    /// The folder's name.
    pub(crate) fn name(self) -> String {
        let day = |days: i64| days.checked_mul(86_400).and_then(time::day);
        match self {
            Partition::Rejects => REJECTS.to_owned(),
            Partition::Day(days) => format!("date={}", day(days).unwrap_or_else(|| "unknown".to_owned())),
            Partition::Unknown => "date=unknown".to_owned(),
        }
    }
}
