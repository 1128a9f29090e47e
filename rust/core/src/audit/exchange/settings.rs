//! What a search can be asked for.

use super::super::Window;
use super::row::ALL;
use crate::error::{Error, Result};
use crate::export::{record_type, time};

/// The time range that is asked for, clamped to now. How far back the service keeps anything is the tenant's licence: 180
/// days, a year, or ten.
pub(crate) fn check_window(start: i64, end: i64, now: i64) -> Result<Window> {
    if start >= end {
        return Err(Error::invalid(format!(
            "the start {} is not before the end {}",
            time::iso(start),
            time::iso(end)
        ))
        .advise("Give a -StartTime before -EndTime; times without a zone are local."));
    }
    if start >= now {
        return Err(
            Error::invalid(format!("the start {} is in the future", time::iso(start)))
                .advise("Give a -StartTime in the past; times without a zone are local."),
        );
    }
    Ok(Window {
        start,
        end: end.min(now),
    })
}

/// The record types that are searched, each on its own, in the service's spelling; one search of everything where none is
/// named. A name that there is not is refused: the service takes it for the beginning of one and finds nothing.
pub(crate) fn record_types(names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(vec![ALL.to_owned()]);
    }
    let mut types = Vec::new();
    for name in names {
        let known = record_type::named(name.trim()).ok_or_else(|| {
            Error::invalid(format!("there is no record type '{}'", name.trim()))
                .advise("Use a name or number of the AuditLogRecordType list, such as ExchangeAdmin or 1.")
        })?;
        if !types.iter().any(|other| other == known) {
            types.push(known.to_owned());
        }
    }
    Ok(types)
}
