//! One search to its end: calls under one `SessionId`, and the judgement whether all of it came.
//!
//! A search may say how many rows it has, or whether it has more; then its word and its rows must agree. One that says neither is
//! silent: its end is seen as a page that is not full, as nothing, or as its first row again, and any of these can come in
//! the middle. So a second search over the same time has to agree with it ([`confirm`]), or it is asked for longer than it is known
//! to pause.

use super::super::Window;
use super::confirm::{self, Look};
use super::cut::Intake;
use super::row::{Give, Row};
use crate::error::Result;
use crate::exchange::AdminApi;
use crate::http::random_id;
use serde_json::{json, Map, Value};
use std::collections::HashMap;
use std::time::Duration;

/// The most rows of one call and of one session ("Search-UnifiedAuditLog").
pub(super) const PAGE: u64 = 5_000;
pub(super) const LIMIT: u64 = 50_000;
/// Times that are kept of a session's rows at most; of a preview's, all.
const SAMPLE: usize = 8_192;
/// How many calls in a row that give nothing and say nothing are the end. Users have met pauses of six (hawk, issue 289).
pub(super) const SILENCE: u32 = 7;
/// How many are the end where as many rows came as were announced; and how many warnings in a row are believed.
pub(super) const DOUBTS: u32 = 4;
/// How many are waited for where the search has said that there is more.
const PATIENCE: u32 = 8;
/// The longest wait between two calls, in first waits.
const LONGEST_WAIT: u32 = 3;

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

/// What all sessions over one stretch of time have in common.
#[derive(Clone, Copy)]
pub(super) struct Over<'a, 'd> {
    pub(super) api: &'a AdminApi,
    /// The wait after the first call that gave nothing.
    pub(super) first_wait: Duration,
    pub(super) give: Give,
    pub(super) window: Window,
    /// The search's parameters without those of its session.
    pub(super) parameters: &'a Map<String, Value>,
    /// Rows that searches over longer stretches have given.
    pub(super) known: &'a Keys,
    pub(super) intake: &'a Intake<'d>,
}

/// Rows by their keys, with their times.
pub(super) type Keys = HashMap<u64, i64>;

/// How a search ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// All of it came.
    Whole { rows: u64 },
    /// A preview showed the newest rows; there are more. `newer` of them are of a later second than the oldest. `keys` are those of a
    /// silent search.
    More {
        oldest: i64,
        rows: u64,
        newer: u64,
        keys: Keys,
    },
    /// The session gives no more. `times` are those of some of its rows, `total` is how many there are, if that is known, `keys` those
    /// of a silent search.
    Limit { times: Vec<i64>, total: u64, keys: Keys },
    /// It cannot be told whether all of it came, with the reason, and, where it was silent, with its own rows and those of others that
    /// it should have given. They are witnesses only of a search by the other command: what is the matter with one may be again.
    Doubtful { reason: String, own: Keys, others: Keys },
}

/// What is to be made of a call.
enum Judged {
    GoOn,
    /// It looks like the end, and nothing says so.
    Seems,
    Ended(Ended),
}

pub(super) struct Session<'a, 'd> {
    pub(super) over: Over<'a, 'd>,
    pub(super) command: Command,
    parameters: Value,
    pub(super) seen: u64,
    oldest: i64,
    times: Vec<i64>,
    /// Rows that had a time, and how many there are to each time that is kept.
    timed: usize,
    stride: usize,
    /// What the search says that it has.
    total: u64,
    more: Option<bool>,
    /// Its rows, while it does not say whether it has more.
    pub(super) keys: Keys,
    /// Rows of the last call that gave any.
    last: u64,
    /// Calls in a row that gave nothing, and those that warned besides.
    nothing: u32,
    warned: u32,
    begun_again: bool,
    /// No second search agreed that it is at its end: only silence proves it, once these rows have come too.
    owed: Option<Keys>,
}

/// What one call gave.
pub(super) struct Page {
    pub(super) rows: u64,
    /// The lowest number in the session.
    first: Option<u64>,
    pub(super) warning: Option<String>,
}

impl<'a, 'd> Session<'a, 'd> {
    pub(super) fn new(over: Over<'a, 'd>, command: Command) -> Result<Self> {
        let mut parameters = over.parameters.clone();
        parameters.insert("SessionId".to_owned(), json!(random_id()?));
        parameters.insert("SessionCommand".to_owned(), json!(command.name()));
        parameters.insert("ResultSize".to_owned(), json!(command.size()));
        Ok(Session {
            over,
            command,
            parameters: Value::Object(parameters),
            seen: 0,
            oldest: i64::MAX,
            times: Vec::new(),
            timed: 0,
            stride: 1,
            total: 0,
            more: None,
            keys: Keys::new(),
            last: 0,
            nothing: 0,
            warned: 0,
            begun_again: false,
            owed: None,
        })
    }

    /// Runs the search. An error says that a call failed: its session has gone on, so it cannot be taken up again.
    pub(super) async fn run(mut self) -> Result<Ended> {
        // The newest come first, so what is beyond the number that is wanted is older.
        let last = match self.over.intake.is_newest() {
            true => self.command.limit(),
            false => u64::MAX,
        };
        loop {
            let page = self.page(|row| row.index.is_none_or(|index| index <= last)).await?;
            match self.judge(page) {
                Judged::Ended(ended) => return Ok(ended),
                Judged::Seems => {
                    let look = confirm::look(&self).await?;
                    if let Some(ended) = self.hear(look) {
                        return Ok(ended);
                    }
                }
                Judged::GoOn => {}
            }
            self.over.wait(self.nothing + self.warned).await;
        }
    }

    /// One call with all its pages; rows that are not `wanted` go nowhere.
    pub(super) async fn page(&mut self, mut wanted: impl FnMut(&Row) -> bool) -> Result<Page> {
        let mut call = self.over.api.call("Search-UnifiedAuditLog", &self.parameters)?;
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
                let row = Row::read(&text, self.over.give)?;
                page.rows += 1;
                page.first = [page.first, row.index].into_iter().flatten().min();
                self.note(&row);
                if wanted(&row) {
                    ready.push(row);
                }
            }
            self.over.intake.add(ready, self.over.window).await?;
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
        if self.more.is_none() {
            self.keys.insert(row.key, row.created.unwrap_or(i64::MIN));
        }
        if let Some(created) = row.created {
            self.oldest = self.oldest.min(created);
            self.sample(created);
        }
    }

    /// It says neither how many rows it has nor whether it has more. Where more came than it has counted, its count says nothing.
    fn is_silent(&self) -> bool {
        self.more.is_none() && (self.total == 0 || self.seen > self.total)
    }

    /// As many rows came as it has counted.
    fn is_counted(&self) -> bool {
        self.total > 0 && self.seen == self.total
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

    fn judge(&mut self, page: Page) -> Judged {
        let full = self.command.size();
        if page.rows == 0 {
            return self.judge_nothing(page.warning);
        }
        if let Some(warning) = page.warning {
            return doubtful(format!("the search warned: {warning}"));
        }
        match page.first {
            // It has begun again from its first row.
            Some(first) if self.seen > 0 && first <= self.seen => {
                self.begun_again = true;
                if self.is_counted() {
                    return Judged::Ended(Ended::Whole { rows: self.seen });
                }
                if self.is_silent() {
                    return Judged::Seems;
                }
                return doubtful("the search began again before it was at its end".to_owned());
            }
            Some(first) if first > self.seen + 1 => {
                return doubtful(format!("the search went from row {} to row {first}", self.seen));
            }
            _ => {}
        }
        self.seen += page.rows;
        self.last = page.rows;
        (self.nothing, self.warned) = (0, 0);
        // Counts are wrong at times: a full page is followed by another call, whatever they say. At the limit a session ends,
        // whatever there is beyond it, so that there is no more says nothing there.
        let is_counted = self.more.is_none() && self.is_counted() && page.rows < full;
        if (self.more == Some(false) && self.seen < self.command.limit()) || is_counted {
            return Judged::Ended(Ended::Whole { rows: self.seen });
        }
        if self.seen < self.command.limit() {
            // So few that a second search can show all of them; otherwise another call comes first.
            let is_small = page.rows < full && self.seen < PAGE && self.is_silent() && self.owed.is_none();
            return if is_small { Judged::Seems } else { Judged::GoOn };
        }
        Judged::Ended(match self.command {
            Command::Preview(_) => Ended::More {
                oldest: self.oldest,
                rows: self.seen,
                newer: self.times.iter().filter(|time| **time > self.oldest).count() as u64,
                keys: std::mem::take(&mut self.keys),
            },
            Command::LargeSet => Ended::Limit {
                times: std::mem::take(&mut self.times),
                total: self.total,
                keys: std::mem::take(&mut self.keys),
            },
        })
    }

    /// A call that gave no rows: the end, or one of the pauses that the search is known for.
    fn judge_nothing(&mut self, warning: Option<String>) -> Judged {
        if let Some(warning) = warning {
            self.warned += 1;
            return match self.warned >= DOUBTS {
                true => doubtful(format!("the search gave no rows and warned: {warning}")),
                false => Judged::GoOn,
            };
        }
        self.warned = 0;
        self.nothing += 1;
        if self.more == Some(true) || self.seen < self.total {
            return match self.nothing >= PATIENCE {
                true => doubtful(format!(
                    "the search says that it has more than the {} rows that it gave",
                    self.seen
                )),
                false => Judged::GoOn,
            };
        }
        let ended_short = self.last > 0 && self.last < self.command.size();
        let enough = match (self.owed.is_some(), ended_short) {
            (false, true) => 1,
            (false, false) if !self.is_silent() => DOUBTS,
            _ => SILENCE,
        };
        if self.nothing < enough {
            Judged::GoOn
        } else if self.seen > 0 && !self.is_silent() {
            Judged::Ended(Ended::Whole { rows: self.seen })
        } else if self.owed.is_some() {
            Judged::Ended(self.after_silence())
        } else {
            Judged::Seems
        }
    }

    /// Notes what a second search says; gives the end where there is nothing left to be asked.
    fn hear(&mut self, look: Look) -> Option<Ended> {
        let owed = self.owed.get_or_insert_default();
        match look {
            Look::Agrees => return Some(Ended::Whole { rows: self.seen }),
            Look::Failed => return Some(self.doubtful("a second search over the same time failed".to_owned())),
            Look::Others(keys) => owed.extend(keys),
            Look::Unclear => {}
        }
        if self.begun_again {
            let reason = "the search began again, and a second one over the same time did not give the same rows";
            return Some(self.doubtful(reason.to_owned()));
        }
        (self.nothing >= SILENCE).then(|| self.after_silence())
    }

    fn after_silence(&mut self) -> Ended {
        let owed = self.owed.iter().flatten();
        match owed.filter(|(key, _)| !self.keys.contains_key(*key)).count() {
            0 => Ended::Whole { rows: self.seen },
            missing => self.doubtful(format!(
                "other searches over the same time gave {missing} rows that this one did not"
            )),
        }
    }

    fn doubtful(&mut self, reason: String) -> Ended {
        Ended::Doubtful {
            reason,
            own: std::mem::take(&mut self.keys),
            others: self.owed.take().unwrap_or_default(),
        }
    }
}

impl Over<'_, '_> {
    /// Waits before the next call, after so many in a row that gave nothing.
    pub(super) async fn wait(&self, nothing: u32) {
        if nothing > 0 {
            tokio::time::sleep(self.first_wait * nothing.min(LONGEST_WAIT)).await;
        }
    }
}

#[cold]
fn doubtful(reason: String) -> Judged {
    Judged::Ended(Ended::Doubtful {
        reason,
        own: Keys::new(),
        others: Keys::new(),
    })
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
