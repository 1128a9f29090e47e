//! One search to its end: calls under one `SessionId`, and the judgement whether all of it came.

use super::super::records::Records;
use super::row::{Give, Row};
use crate::error::{Error, Result};
use crate::exchange::AdminApi;
use crate::http::random_id;
use serde_json::{json, Map, Value};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The most rows of one call and of one session ("Search-UnifiedAuditLog").
pub(super) const PAGE: u64 = 5_000;
pub(super) const LIMIT: u64 = 50_000;
/// Times that are kept of a session's rows at most; of a preview's, all.
const SAMPLE: usize = 8_192;
/// How many calls without a row are believed: the first ones, and those after a full page. Users have met pauses of six
/// calls, in searches that said how many rows they have.
const DOUBTS: u32 = 4;
/// How many of them are waited for where the search has said that there is more.
const PATIENCE: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Unsorted, up to [`LIMIT`].
    LargeSet,
    /// The newest, so many, up to [`PAGE`].
    Preview(u64),
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Command::LargeSet => "ReturnLargeSet",
            Command::Preview(_) => "ReturnNextPreviewPage",
        }
    }

    /// Rows that one call asks for.
    fn size(self) -> u64 {
        match self {
            Command::LargeSet => PAGE,
            Command::Preview(rows) => rows,
        }
    }

    /// Rows that a session gives at most.
    fn limit(self) -> u64 {
        match self {
            Command::LargeSet => LIMIT,
            Command::Preview(rows) => rows,
        }
    }
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// All of it came.
    Whole { rows: u64 },
    /// A preview showed the newest rows; there are more. `newer` of them are of a later second than the oldest.
    More { oldest: i64, rows: u64, newer: u64 },
    /// The session gives no more. `times` are those of some of its rows, `total` is how many there are, if that is known.
    Limit { times: Vec<i64>, total: u64 },
    /// It gave full pages, then nothing, and never said how many rows it has: its end, or a pause. Shorter stretches end in a
    /// page that is not full.
    Unproven,
    /// It cannot be told whether all of it came, with the reason.
    Doubtful(String),
}

pub(super) struct Session<'a> {
    api: &'a AdminApi,
    turns: &'a Semaphore,
    first_wait: Duration,
    command: Command,
    give: Give,
    seen: u64,
    oldest: i64,
    times: Vec<i64>,
    /// Rows that had a time, and how many there are to each time that is kept.
    timed: usize,
    stride: usize,
    /// What the search says that it has.
    total: u64,
    more: Option<bool>,
    /// Rows of the last call that gave any.
    last: u64,
    /// Calls in a row that gave none.
    nothing: u32,
}

/// What one call gave.
struct Page {
    rows: u64,
    /// The lowest number in the session.
    first: Option<u64>,
    warning: Option<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        api: &'a AdminApi,
        turns: &'a Semaphore,
        first_wait: Duration,
        command: Command,
        give: Give,
    ) -> Self {
        Session {
            api,
            turns,
            first_wait,
            command,
            give,
            seen: 0,
            oldest: i64::MAX,
            times: Vec::new(),
            timed: 0,
            stride: 1,
            total: 0,
            more: None,
            last: 0,
            nothing: 0,
        }
    }

    /// Runs the search. An error says that a call failed: its session has gone on, so it cannot be taken up again.
    pub(super) async fn run(&mut self, parameters: &Map<String, Value>, records: &Records<'_>) -> Result<Ended> {
        let mut parameters = parameters.clone();
        parameters.insert("SessionId".to_owned(), json!(random_id()?));
        parameters.insert("SessionCommand".to_owned(), json!(self.command.name()));
        parameters.insert("ResultSize".to_owned(), json!(self.command.size()));
        let parameters = Value::Object(parameters);
        loop {
            let page = self.page(&parameters, records).await?;
            if let Some(ended) = self.judge(page) {
                return Ok(ended);
            }
            if self.nothing > 0 {
                tokio::time::sleep(self.first_wait * self.nothing).await;
            }
        }
    }

    async fn page(&mut self, parameters: &Value, records: &Records<'_>) -> Result<Page> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|_| Error::internal("the turns of searches were closed"))?;
        let mut call = self.api.call("Search-UnifiedAuditLog", parameters)?;
        let mut page = Page {
            rows: 0,
            first: None,
            warning: None,
        };
        let mut warnings = Vec::new();
        while let Some(next) = call.next().await? {
            warnings.extend(next.warnings);
            let mut ready = Vec::with_capacity(next.items.len());
            for text in next.items {
                let row = Row::read(&text, self.give)?;
                page.rows += 1;
                page.first = [page.first, row.index].into_iter().flatten().min();
                self.note(&row);
                ready.push(row.record);
            }
            records.add(&ready).await?;
        }
        page.warning = warnings.into_iter().find(|warning| is_failure(warning, page.rows));
        Ok(page)
    }

    fn note(&mut self, row: &Row) {
        self.more = row.more.or(self.more);
        // Since 2026 it is the number of rows that were asked for, which says nothing.
        if let Some(count) = row.count.filter(|count| *count != self.command.size()) {
            self.total = self.total.max(count);
        }
        if let Some(created) = row.created {
            self.oldest = self.oldest.min(created);
            self.sample(created);
        }
    }

    /// Keeps the times of every row of a small search, of every second one of a larger one, and so on.
    fn sample(&mut self, created: i64) {
        if self.timed % self.stride == 0 {
            if self.times.len() == SAMPLE {
                let mut at = 0;
                self.times.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
            if self.timed % self.stride == 0 {
                self.times.push(created);
            }
        }
        self.timed += 1;
    }

    /// What is to be made of a call; `None` where another one is needed.
    fn judge(&mut self, page: Page) -> Option<Ended> {
        let full = self.command.size();
        let whole = Ended::Whole {
            rows: self.seen + page.rows,
        };
        if page.rows == 0 {
            return self.judge_nothing(page.warning);
        }
        if let Some(warning) = page.warning {
            return Some(Ended::Doubtful(format!("the search warned: {warning}")));
        }
        let known_whole = self.total > 0 && self.seen >= self.total;
        match page.first {
            // It has begun again from its first row.
            Some(first) if self.seen > 0 && first <= self.seen => {
                let was_at_its_end = known_whole || (self.last < full && self.total == 0 && self.more != Some(true));
                return Some(match was_at_its_end {
                    true => Ended::Whole { rows: self.seen },
                    false => Ended::Doubtful("the search began again before it was at its end".to_owned()),
                });
            }
            Some(first) if first > self.seen + 1 => {
                return Some(Ended::Doubtful(format!(
                    "the search went from row {} to row {first}",
                    self.seen
                )));
            }
            _ => {}
        }
        self.seen += page.rows;
        self.last = page.rows;
        self.nothing = 0;
        // Counts are wrong at times: a full page is followed by another call, whatever they say. At the limit a session ends,
        // whatever there is beyond it, so that there is no more says nothing there.
        let is_counted = self.more.is_none() && self.total > 0 && self.seen >= self.total && page.rows < full;
        if (self.more == Some(false) && self.seen < self.command.limit()) || is_counted {
            return Some(whole);
        }
        if self.seen < self.command.limit() {
            return None;
        }
        Some(match self.command {
            Command::Preview(_) => Ended::More {
                oldest: self.oldest,
                rows: self.seen,
                newer: self.times.iter().filter(|time| **time > self.oldest).count() as u64,
            },
            Command::LargeSet => Ended::Limit {
                times: std::mem::take(&mut self.times),
                total: self.total,
            },
        })
    }

    /// A call that gave no rows: the end, or one of the pauses that the search is known for.
    fn judge_nothing(&mut self, warning: Option<String>) -> Option<Ended> {
        self.nothing += 1;
        if let Some(warning) = warning {
            return (self.nothing >= DOUBTS)
                .then(|| Ended::Doubtful(format!("the search gave no rows and warned: {warning}")));
        }
        let said_more = self.more == Some(true) || self.seen < self.total;
        if said_more {
            let reason = format!(
                "the search says that it has more than the {} rows that it gave",
                self.seen
            );
            return (self.nothing >= PATIENCE).then_some(Ended::Doubtful(reason));
        }
        let is_end = self.last > 0 && self.last < self.command.size();
        if !is_end && self.nothing < DOUBTS {
            return None;
        }
        let is_proven = is_end || self.seen == 0 || self.total > 0;
        Some(match is_proven {
            true => Ended::Whole { rows: self.seen },
            false => Ended::Unproven,
        })
    }
}

/// True for a warning that means that the search did not do its work. Others are harmless ("Micro delay applied").
fn is_failure(warning: &str, rows: u64) -> bool {
    let warning = warning.to_ascii_lowercase();
    let says_so = [
        "cancel",
        "fail",
        "error",
        "time out",
        "timed out",
        "timeout",
        "try again",
    ];
    says_so.iter().any(|word| warning.contains(word)) || (rows == 0 && !warning.contains("micro delay"))
}
