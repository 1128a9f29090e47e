//! What is told of a tenant that is followed, and of all of them together.

use super::super::report::Report;
use crate::error::Kind;
use crate::value::Value;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How a tenant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// All that could come has come.
    Following,
    /// The last round went well but for something that is missing.
    Incomplete,
    /// The last round failed; the next one asks for the same again.
    Failing,
}

impl State {
    pub(super) fn of(report: &Report) -> Self {
        match (report.error(), report.reason()) {
            (Some(_), _) => State::Failing,
            (None, Some(_)) => State::Incomplete,
            (None, None) => State::Following,
        }
    }

    fn name(self) -> &'static str {
        match self {
            State::Following => "Following",
            State::Incomplete => "Incomplete",
            State::Failing => "Failing",
        }
    }
}

/// What must differ for a tenant to be told of again although no record has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: State,
    error: Option<(Kind, String)>,
    pub(super) gaps: usize,
}

impl Told {
    /// `gaps` that are known, from this round or one before.
    pub(super) fn of(report: &Report, gaps: usize) -> Self {
        let error = report.error().map(|error| {
            let code = error.service().map(|service| service.code.clone());
            (error.kind(), code.unwrap_or_default())
        });
        Told {
            state: State::of(report),
            error,
            gaps,
        }
    }

    /// True where the error is not the one that was told last.
    pub(super) fn fails_anew(&self, last: Option<&Told>) -> bool {
        self.error.is_some() && last.is_none_or(|last| last.error != self.error)
    }
}

/// One line: what a round brought, and how it goes on.
pub(super) fn record(report: Report, total: u64, now: i64, next: Duration) -> Value {
    let state = State::of(&report);
    let final_until = report.final_until();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    report
        .into_value()
        .with("time", Value::Time(now))
        .with("state", state.name())
        .with("watchRecords", number(total))
        .with("lagMs", final_until.map(|until| now - until))
        .with("nextRound", Value::Time(now.saturating_add(milliseconds(next))))
}

/// All tenants, for progress. All relaxed: nothing else depends on it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tenants: AtomicI64,
    working: AtomicI64,
    failing: AtomicI64,
    rounds: AtomicU64,
    records: AtomicU64,
}

impl Tally {
    pub(super) fn add_tenant(&self) {
        self.tenants.fetch_add(1, Relaxed);
    }

    pub(super) fn begin_round(&self) {
        self.working.fetch_add(1, Relaxed);
    }

    pub(super) fn end_round(&self, records: u64) {
        self.working.fetch_sub(1, Relaxed);
        self.rounds.fetch_add(1, Relaxed);
        self.records.fetch_add(records, Relaxed);
    }

    /// A tenant fails that did not, or the other way round.
    pub(super) fn turn(&self, from: Option<State>, to: State) {
        let failing = |state: State| i64::from(state == State::Failing);
        self.failing.fetch_add(failing(to) - from.map_or(0, failing), Relaxed);
    }

    pub(super) fn text(&self) -> String {
        let failing = match self.failing.load(Relaxed) {
            0 => String::new(),
            failing => format!(", {failing} failing"),
        };
        format!(
            "{} tenants{failing}, {} at work, {} records in {} rounds",
            self.tenants.load(Relaxed),
            self.working.load(Relaxed),
            self.records.load(Relaxed),
            self.rounds.load(Relaxed)
        )
    }
}
