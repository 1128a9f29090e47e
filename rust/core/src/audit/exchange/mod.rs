//! `Search-UnifiedAuditLog` through Exchange Online's admin API.
//!
//! The search is asked by the time of events and gives at most 5,000 rows a call and 50,000 a session ("Search-UnifiedAuditLog",
//! Microsoft's reference). A stretch of time counts as had only when a session over it came to its own end below that limit;
//! anything else is asked again, divided, and in the end named as missing. What its users have found besides (pages that are
//! empty or short before more comes, rows that come again, records that are cut short, counts that are wrong or missing, cancelled
//! tasks, sessions that begin again) is expected in every reply.

mod confirm;
mod cut;
mod divide;
mod row;
mod session;
mod settings;
mod survey;

pub(crate) use row::Filter;
pub(crate) use settings::record_types;

use super::{stretch, Delivery, Notice, Part, Shortfall, Source, Window};
use crate::error::{Error, Kind, Result};
use crate::exchange::AdminApi;
use crate::export::split::Fields;
use cut::Intake;
use divide::Plan;
use futures_util::stream::{FuturesUnordered, StreamExt};
use row::Give;
use serde::Deserialize;
use serde_json::json;
use session::{Command, Ended, Keys, Over, Session, PAGE};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, Semaphore};

/// Parts are days, cut at midnight UTC, where days are not so quiet that they are read together.
const DAY_MS: i64 = 86_400_000;
/// Longer than any time that is asked for.
const FOR_EVER: i64 = i64::MAX / 4;
/// By what rows are known.
const ROW: Fields = Fields {
    id: "Identity",
    created: "CreationDate",
};
/// The most rows of one call.
pub(crate) const LARGEST: u64 = PAGE;
/// Searches of one tenant at a time, each of which waits for its calls one after the other.
const SEARCHES: usize = 4;
/// How often a stretch is asked for before it is divided, or missing.
const TRIES: u32 = 3;
/// Stretches that always fail are divided down to this length, so that the gap is as small as it is.
const SHORTEST_MS: i64 = 60_000;

/// A tenant's audit log search.
pub(crate) struct Search {
    api: AdminApi,
    filter: Filter,
    turns: Semaphore,
    /// Rows per millisecond where they were counted last: where the next part begins with its guess.
    density: Mutex<Option<f64>>,
    auditing_off: AtomicBool,
    first_wait: Duration,
    give: Give,
    /// All rows, where it is not said how many.
    most: Option<u64>,
    /// There are more than so many, or may be.
    cut: AtomicBool,
}

/// A stretch of time and how often it was asked for in vain.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    window: Window,
    tries: u32,
    /// Rows per millisecond, where they are known of this stretch better than of its surroundings.
    density: Option<f64>,
}

#[derive(Deserialize)]
struct AuditConfig {
    #[serde(rename = "UnifiedAuditLogIngestionEnabled")]
    enabled: Option<bool>,
}

impl Search {
    pub(crate) fn new(api: AdminApi, filter: Filter, first_wait: Duration) -> Self {
        Search {
            api,
            filter,
            turns: Semaphore::new(SEARCHES),
            density: Mutex::new(None),
            auditing_off: AtomicBool::new(false),
            first_wait,
            give: Give::Record,
            most: None,
            cut: AtomicBool::new(false),
        }
    }

    /// Gives whole rows, known by their `Identity`, instead of the records in them.
    pub(crate) fn rows(self) -> Self {
        Search {
            give: Give::Row,
            ..self
        }
    }

    /// Gives only the newest rows, so many and [`LARGEST`] at most, by one search over all of the time.
    pub(crate) fn newest(self, most: u64) -> Self {
        Search {
            most: Some(most),
            ..self
        }
    }

    /// True where [`Search::newest`] left something out, or may have.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Looks whether the tenant records anything at all: where not, the search just finds nothing.
    pub(crate) async fn look_at_auditing(&self) -> Result<bool> {
        let mut tries = 0;
        let config = loop {
            match self
                .api
                .rows::<AuditConfig>("Get-AdminAuditLogConfig", &json!({}))
                .await
            {
                Err(error) if self.is_worth_a_try(&error, tries) => {
                    tokio::time::sleep(self.first_wait * 2u32.pow(tries)).await;
                    tries += 1;
                }
                config => break config,
            }
        };
        match config {
            Ok(rows) => {
                let off = rows.first().is_some_and(|config| config.enabled == Some(false));
                self.auditing_off.store(off, Ordering::Relaxed);
                Ok(!off)
            }
            // Whoever may search need not be allowed to look at the settings.
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::InvalidInput) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// One search for the newest rows, again where it did not do its work.
    async fn preview(&self, content_type: &str, window: Window, most: u64, intake: &Intake<'_>) -> Result<()> {
        let mut known = Keys::new();
        for tries in 0..TRIES {
            match self
                .session(content_type, window, Command::Preview(most), &known, intake)
                .await?
            {
                Ended::Doubtful { reason, .. } if tries + 1 == TRIES => intake.lack(window, &reason),
                Ended::Doubtful { others, .. } => {
                    known.extend(others);
                    tokio::time::sleep(self.first_wait * 2u32.pow(tries)).await;
                }
                Ended::Whole { .. } => break,
                Ended::More { .. } | Ended::Limit { .. } => {
                    self.cut.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads stretch after stretch, each followed by what it was divided into.
    async fn lane(&self, content_type: &str, window: Window, intake: &Intake<'_>) -> Result<()> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|_| Error::internal("the turns of searches were closed"))?;
        let mut density = self.density();
        let mut left: Vec<Stretch> = fresh(vec![window]).collect();
        let mut known = Keys::new();
        while let Some(stretch) = left.pop() {
            let command = match Plan::of(stretch.window, stretch.density.or(density)) {
                // Previews alone have been seen to be capped; one that was doubted is not asked for again.
                Plan::Look if stretch.tries == 0 => Command::Preview(PAGE),
                Plan::Look | Plan::Read => Command::LargeSet,
                Plan::Divide(pieces) => {
                    left.extend(fresh(pieces));
                    continue;
                }
            };
            let mut ended = self
                .session(content_type, stretch.window, command, &known, intake)
                .await?;
            if let Ended::Limit { times, total, .. } = &mut ended {
                if *total <= session::LIMIT {
                    *total = self.count(content_type, stretch.window, times, intake).await?;
                }
            }
            let witnesses = match (&mut ended, command) {
                (Ended::More { keys, .. } | Ended::Limit { keys, .. }, _) => Some(keys),
                // It is asked for again by the large set.
                (Ended::Doubtful { own, .. }, Command::Preview(_)) => Some(own),
                (Ended::Doubtful { others, .. }, Command::LargeSet) => Some(others),
                (Ended::Whole { .. }, _) => None,
            };
            if let Some(keys) = witnesses {
                if known.len() >= session::LIMIT as usize {
                    known.clear();
                }
                known.extend(keys.drain());
            }
            if let Some(learned) = self.go_on(stretch, ended, intake, &mut left).await {
                density = Some(learned);
                // Single seconds say little of the rest.
                if intake.is_again() {
                    continue;
                }
                *self.density.lock().unwrap_or_else(PoisonError::into_inner) = density;
            }
        }
        Ok(())
    }

    /// How many rows a stretch has whose session met its limit and did not say; 0 where that cannot be found out. The newest are
    /// a known number, and their share of the session's rows, which come in no order, is their share of all.
    async fn count(&self, content_type: &str, window: Window, times: &[i64], intake: &Intake<'_>) -> Result<u64> {
        match self
            .session(content_type, window, Command::Preview(PAGE), &Keys::new(), intake)
            .await?
        {
            Ended::More { oldest, newer, .. } => Ok(divide::total(times, oldest, newer)),
            _ => Ok(0),
        }
    }

    /// Asks once more for what came cut short, names what still does, and ends the part.
    async fn again(&self, content_type: &str, intake: Intake<'_>) -> Result<()> {
        // What was whole before may be cut short now.
        for _ in 0..TRIES {
            for window in intake.due(self.density()) {
                self.lane(content_type, window, &intake).await?;
            }
        }
        intake.finish().await
    }

    /// One search, begun anew where a call failed.
    async fn session(
        &self,
        content_type: &str,
        window: Window,
        command: Command,
        known: &Keys,
        intake: &Intake<'_>,
    ) -> Result<Ended> {
        let mut tries = 0;
        let parameters = self.filter.parameters(content_type, window);
        let over = Over {
            api: &self.api,
            first_wait: self.first_wait,
            give: self.give,
            window,
            parameters: &parameters,
            known,
            intake,
        };
        loop {
            match Session::new(over, command)?.run().await {
                Err(error) if self.is_worth_a_try(&error, tries) => {
                    tokio::time::sleep(self.first_wait * 2u32.pow(tries)).await;
                    tries += 1;
                }
                ended => return ended,
            }
        }
    }

    /// Says what is left of a stretch after a session over it, and gives the rows per millisecond that were found.
    async fn go_on(&self, stretch: Stretch, ended: Ended, intake: &Intake<'_>, left: &mut Vec<Stretch>) -> Option<f64> {
        let Stretch { window, tries, .. } = stretch;
        let length = (window.end - window.start).max(1) as f64;
        match ended {
            Ended::Whole { rows } => Some(rows as f64 / length),
            Ended::More { oldest, rows, .. } => {
                // The newest rows: the time that they fill says how many there are in all.
                left.extend(fresh(vec![window]));
                Some(rows as f64 / filled(window, oldest))
            }
            Ended::Limit { times, total, .. } => match divide::by_times(window, &times, total) {
                Some(pieces) => {
                    let each = divide::assumed(total) as f64 / pieces.len() as f64;
                    left.extend(fresh(pieces).map(|piece| Stretch {
                        density: Some(each / (piece.window.end - piece.window.start) as f64),
                        ..piece
                    }));
                    None
                }
                None => {
                    intake.lack(
                        window,
                        "there are more records in one second than a search gives; narrow it with -RecordType, or take this time from the activity feed",
                    );
                    None
                }
            },
            Ended::Doubtful { reason, .. } => {
                if tries + 1 < TRIES {
                    tokio::time::sleep(self.first_wait * 2u32.pow(tries)).await;
                    left.push(Stretch {
                        tries: tries + 1,
                        ..stretch
                    });
                } else if let Some(halves) = stretch::in_two(window, SHORTEST_MS) {
                    // One more try for each: what is wrong may lie in one of them.
                    left.extend(fresh(halves).map(|half| Stretch {
                        tries: TRIES - 1,
                        ..half
                    }));
                } else {
                    intake.lack(window, &reason);
                }
                None
            }
        }
    }

    /// One that is throttled has waited already.
    fn is_worth_a_try(&self, error: &Error, tries: u32) -> bool {
        error.is_retryable() && error.kind() != Kind::Throttled && tries + 1 < TRIES
    }

    fn density(&self) -> Option<f64> {
        *self.density.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The milliseconds of `window` that its newest rows fill, the oldest of which is this one.
fn filled(window: Window, oldest: i64) -> f64 {
    (window.end - oldest.clamp(window.start, window.end - 1)).max(1000) as f64
}

/// Stretches that were not asked for yet; the one that is to be read first comes last.
fn fresh(windows: Vec<Window>) -> impl Iterator<Item = Stretch> {
    windows.into_iter().rev().map(|window| Stretch {
        window,
        tries: 0,
        density: None,
    })
}

impl Source for Search {
    const NAME: &'static str = "Search-UnifiedAuditLog";
    const PART: &'static str = "search";
    const PARTS: &'static str = "searches";
    const SELECTED_BY: &'static str = "creationTime";

    /// A year or ten, where the tenant has paid for it ("Audit log retention policies").
    const KEPT_DAYS: Option<i64> = Some(180);

    fn longest_window(&self) -> i64 {
        if self.most.is_some() {
            FOR_EVER
        } else {
            31 * DAY_MS
        }
    }

    async fn prepare(&self, _content_types: &[String]) -> Result<Vec<Notice>> {
        // Whoever wants rows may call for many small searches; they look when nothing was found.
        if self.give == Give::Record {
            self.look_at_auditing().await?;
        }
        Ok(Vec::new())
    }

    async fn list(&self, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Option<Window>> {
        let length = match self.most {
            Some(_) => FOR_EVER,
            None => match self.survey(content_type, window).await? {
                Some(length) => length,
                None => return Ok(None),
            },
        };
        let fields = match self.give {
            Give::Record => Fields::AUDIT_LOG,
            Give::Row => ROW,
        };
        stretch::list(content_type, window, length, fields, found).await?;
        Ok(None)
    }

    fn span(&self, part: &Part) -> Window {
        stretch::span(part)
    }

    fn shortfall(&self, _content_type: &str, window: Window, _parts: u64) -> Shortfall {
        let reason = "auditing is off in this tenant, so nothing is recorded: turn it on with Set-AdminAuditLogConfig \
                      -UnifiedAuditLogIngestionEnabled $true; it takes up to an hour to act";
        Shortfall {
            gap: self
                .auditing_off
                .load(Ordering::Relaxed)
                .then(|| (window, reason.to_owned())),
            awaited: None,
        }
    }

    async fn read(&self, part: &Part, delivery: &mut Delivery) -> Result<()> {
        let window = stretch::of(part)?;
        if let Some(most) = self.most {
            let intake = Intake::newest(delivery);
            self.preview(&part.content_type, window, most, &intake).await?;
            return self.again(&part.content_type, intake).await;
        }
        let intake = Intake::new(delivery);
        let mut lanes: FuturesUnordered<_> = divide::lanes(window, self.density(), SEARCHES)
            .into_iter()
            .map(|window| self.lane(&part.content_type, window, &intake))
            .collect();
        while let Some(done) = lanes.next().await {
            done?;
        }
        drop(lanes);
        self.again(&part.content_type, intake).await
    }
}
