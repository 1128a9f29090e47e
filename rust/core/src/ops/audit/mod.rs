//! What the operations on audit records have in common: what they may be asked for, where it comes from, and how many
//! tenants are worked on side by side.

pub(super) mod applications;
pub(super) mod board;
pub(super) mod disk;
pub(super) mod each;
pub(super) mod filter;
pub(super) mod from;
pub(super) mod item;
pub(super) mod once;
pub(super) mod record;
pub(super) mod source;
pub(super) mod wanted;

use crate::error::Error;
use crate::export::Gap;
use crate::value::Value;

/// Why a run that failed is not complete, for a person.
pub(super) fn reason(error: &Error) -> String {
    if error.is_cancelled() {
        return "stopped".to_owned();
    }
    match error.advice() {
        "" => error.message().to_owned(),
        advice => format!("{}. {advice}", error.message()),
    }
}

/// A gap as a result names it.
pub(super) fn gap(gap: &Gap) -> Value {
    Value::map()
        .with("contentType", gap.content_type.as_str())
        .with("start", Value::Time(gap.window.start))
        .with("end", Value::Time(gap.window.end))
        .with("reason", gap.reason.as_str())
}
