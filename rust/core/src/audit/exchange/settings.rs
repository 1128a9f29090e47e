//! What a search can be asked for.

use super::row::ALL;
use crate::error::{Error, Result};
use crate::export::record_type;

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
