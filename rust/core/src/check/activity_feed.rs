//! Whether the Management Activity feed lets this credential read a tenant's audit log.

use super::Row;
use crate::error::Error;

pub(crate) const CHECK: &str = "ActivityFeed";

/// Judges the answer to the list of subscriptions, which takes ActivityFeed.Read and changes nothing.
pub(crate) fn judge(tenant: &str, answer: Result<(), &Error>) -> Row {
    Row::of_answer(
        CHECK,
        tenant,
        answer.map(|()| "the activity feed can be read (ActivityFeed.Read)"),
    )
}
