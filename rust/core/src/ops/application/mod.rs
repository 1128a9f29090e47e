//! The operations on applications' registrations: `application_register`, `application_list`, `application_remove`, and
//! `credential_rotate` on what an application proves itself with.
//!
//! Those that change something tell their plan first, as a record with `plan`, and make what is approved by items with its `number`
//! once the input is finished. Nothing approved is nothing changed.

mod list;
mod register;
mod remove;
mod rotate;

pub(super) use list::start as list;
pub(super) use register::start as register;
pub(super) use remove::start as remove;
pub(super) use rotate::start as rotate;

use crate::error::{Error, Result};
use crate::operation::{Input, Sink};
use crate::value::Value;
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

/// One line of a plan.
fn change(number: usize, line: &str) -> Value {
    Value::map().with("number", number as i64).with("line", line)
}

/// One change failed; the others go on.
async fn fail(sink: &Sink, application: &str, line: &str, error: Error) -> Result<()> {
    let target = Value::map().with("application", application).with("line", line);
    sink.failed(target, error).await
}

/// The numbers of the changes that are approved.
async fn approved(input: &mut Input, cancel: &CancellationToken) -> Result<BTreeSet<usize>> {
    let mut all = BTreeSet::new();
    loop {
        let next = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            next = input.next() => next,
        };
        let Some(item) = next else { return Ok(all) };
        all.extend(usize::try_from(item.int("number")?));
    }
}
