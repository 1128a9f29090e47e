//! Searches that go on from call to call under one `SessionId`.

use std::collections::HashMap;

use crate::feed::events::Event;
use crate::random::Random;

use super::super::error::ExchangeError;
use super::super::settings::{ExchangeSettings, MoreOf};

/// Sessions that are kept.
const KEPT: usize = 256;

/// `SessionCommand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `ReturnLargeSet`: unsorted, up to the session's limit.
    LargeSet,
    /// `ReturnNextPreviewPage`, and a call without a command: sorted by date, up to 5,000.
    Preview,
}

impl Command {
    pub(super) fn read(text: Option<&str>) -> Result<Self, ExchangeError> {
        let is = |name: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(name));
        if is("ReturnLargeSet") {
            Ok(Command::LargeSet)
        } else if text.is_none_or(str::is_empty) || is("ReturnNextPreviewPage") || is("Initialize") {
            Ok(Command::Preview)
        } else {
            Err(ExchangeError::thrown(
                "ParameterBindingException",
                format!(
                    "Cannot convert value '{}' to UnifiedAuditSessionCommand.",
                    text.unwrap_or_default()
                ),
            ))
        }
    }

    pub(super) fn limit(self, settings: &ExchangeSettings) -> usize {
        match self {
            Command::LargeSet => settings.session_limit,
            Command::Preview => settings.preview_limit.min(settings.session_limit),
        }
    }
}

/// What a search finds.
#[derive(Default)]
pub(super) struct Found {
    /// As many as are given at most.
    pub(super) rows: Vec<Event>,
    /// How many there are.
    pub(super) total: usize,
}

/// One call's rows with their numbers in the session.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<(usize, Event)>,
    pub(super) total: usize,
    pub(super) more: bool,
}

pub(super) struct Session {
    command: Command,
    found: Found,
    at: usize,
    pauses: u32,
}

/// All sessions, by tenant and id, with the number of the call that used them last.
#[derive(Default)]
pub(crate) struct Sessions {
    known: HashMap<String, (u64, Session)>,
    calls: u64,
}

impl Session {
    pub(super) fn new(command: Command, found: Found) -> Self {
        Session {
            command,
            found,
            at: 0,
            pauses: 0,
        }
    }

    /// Whether this call gives nothing although there is more.
    pub(super) fn hesitates(&mut self, random: &mut Random, settings: &ExchangeSettings) -> bool {
        let there_is_more = self.at < self.found.rows.len();
        let hesitates = there_is_more && self.pauses < settings.longest_pause && random.chance(settings.empty_pages);
        self.pauses = if hesitates { self.pauses + 1 } else { 0 };
        hesitates
    }

    pub(super) fn next(&mut self, size: usize, random: &mut Random, settings: &ExchangeSettings) -> Rows {
        if settings.restarts && self.at > 0 && self.at >= self.found.rows.len() {
            self.at = 0;
        }
        let size = match size > 1 && random.chance(settings.short_pages) {
            true => 1 + random.below(size as u64 - 1) as usize,
            false => size,
        };
        let until = self.found.rows.len().min(self.at + size);
        let rows = (self.at..until).map(|at| (at + 1, self.found.rows[at])).collect();
        self.at = until;
        Rows {
            rows,
            total: self.found.total,
            more: match settings.more_of {
                MoreOf::Search => until < self.found.total,
                MoreOf::Session => until < self.found.rows.len(),
            },
        }
    }
}

impl Sessions {
    /// The session of that id, begun where there is none; one that was begun with another command is begun anew.
    pub(super) fn open(&mut self, key: &str, command: Command, search: impl FnOnce() -> Found) -> &mut Session {
        self.calls += 1;
        let calls = self.calls;
        if self
            .known
            .get(key)
            .is_none_or(|(_, session)| session.command != command)
        {
            if self.known.len() >= KEPT {
                let oldest = self
                    .known
                    .iter()
                    .min_by_key(|(_, (used, _))| *used)
                    .map(|(key, _)| key.clone());
                oldest.and_then(|oldest| self.known.remove(&oldest));
            }
            self.known
                .insert(key.to_owned(), (calls, Session::new(command, search())));
        }
        let (used, session) = self.known.entry(key.to_owned()).or_insert_with(|| {
            let nothing = Found::default();
            (calls, Session::new(command, nothing))
        });
        *used = calls;
        session
    }
}
