//! One tenant that is followed.

use super::super::report::Report;
use super::super::tenant::Job;
use super::state::{record, Told};
use super::Watch;
use crate::audit::feed;
use crate::audit::meter::Meter;
use crate::audit::Window;
use crate::error::{Error, Result};
use crate::export::folder::JOURNAL;
use crate::export::journal;
use crate::export::time;
use crate::operation::or_cancelled;
use crate::ops::audit::disk;
use crate::ops::audit::each::Ended;
use crate::ops::audit::item::Item;
use crate::request::Request;
use crate::tenant::TenantId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest wait before a tenant is tried again whose failure no waiting mends by itself, and before what could not be read
/// is asked for again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

pub(super) struct Follower {
    watch: Arc<Watch>,
    item: Item,
    request: Request,
    /// Where the next round begins; `None` until the folder has been looked at.
    next: Option<i64>,
    /// Something before that could not be read: from when, and when it is asked for again.
    again: Option<Again>,
    /// The round that ended last asked for it.
    asked_again: bool,
    told: Option<Told>,
    /// Failures in a row that waiting does not mend.
    refusals: u32,
    records: u64,
}

/// Something that could not be read. All that came since comes with it, so it is asked for less and less often.
#[derive(Clone, Copy)]
struct Again {
    from: i64,
    at: Instant,
    wait: Duration,
}

impl Follower {
    pub(super) fn new(watch: Arc<Watch>, request: Request) -> Self {
        watch.tally.add_tenant();
        Follower {
            item: Item::read(&request),
            watch,
            request,
            next: None,
            again: None,
            asked_again: false,
            told: None,
            refusals: 0,
            records: 0,
        }
    }

    /// Works until the watch ends.
    pub(super) async fn run(mut self) -> Result<()> {
        let watch = Arc::clone(&self.watch);
        loop {
            let begun = Instant::now();
            let report = {
                let turn = async { Ok(watch.turns.take().await) };
                let turn = or_cancelled(&watch.cancel, turn).await?;
                watch.tally.begin_round();
                self.round(Meter::of(turn)).await
            };
            watch.tally.end_round(report.records());
            if watch.cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            let next = self.take(&report, begun);
            self.tell(report, next).await?;
            if !self.wait(next).await? {
                return Ok(());
            }
        }
    }

    /// One export, from where the last one ended to as late as it can be final.
    async fn round(&mut self, meter: Meter) -> Report {
        let watch = &self.watch;
        let now = watch.engine.clock().now_ms();
        let settle = i64::try_from(watch.settings.wanted.settle_seconds).unwrap_or(0) * 1000;
        let start = match self.next {
            Some(next) => Ok(next),
            None => self.begin(now).await,
        };
        let end = now - settle;
        match start {
            Ok(start) => {
                let next = *self.next.insert(start);
                let again = self.again.filter(|again| again.at <= Instant::now());
                self.asked_again = again.is_some();
                let window = Window::new(again.map_or(next, |again| again.from).min(end - 1000), end);
                let settings = Arc::new(watch.settings.for_window(window));
                let job = Job::new(&watch.shared, settings, Arc::new(meter));
                job.run(self.item.clone(), &self.request).await
            }
            Err(error) => {
                let mut report = Report::new(self.item.clone(), &watch.settings, Window::new(end, end));
                report.fail(error.for_tenant(self.item.tenant.clone()));
                report
            }
        }
    }

    /// Where the folder goes on, or begins.
    async fn begin(&self, now: i64) -> Result<i64> {
        let watch = &self.watch;
        let tenant = TenantId::parse(self.request.text("tenant")?)?;
        let resolve = watch
            .engine
            .tokens()
            .resolve(&watch.settings.caller.environment, &tenant);
        let guid = or_cancelled(&watch.cancel, resolve).await?;
        let journal = watch.settings.output.path.join(format!("tenant={guid}")).join(JOURNAL);
        let earliest = feed::earliest(now);
        let looked = disk::job(move || journal::look(&journal, &mut |_| Ok(()))).await??;
        let coverage = looked.map(|(_, coverage)| coverage).unwrap_or_default();
        let wanted = &watch.settings.wanted;
        let source = wanted.filter.source(wanted.from);
        let known = coverage.goes_on_from(&source, &wanted.content_types, earliest);
        Ok(known.unwrap_or_else(|| watch.start.unwrap_or(earliest)))
    }

    /// Learns from a round, and says how long after it the next one begins.
    fn take(&mut self, report: &Report, begun: Instant) -> Duration {
        let poll = self.watch.poll;
        let left = poll.saturating_sub(begun.elapsed());
        match (report.error(), report.final_until()) {
            (None, Some(final_until)) => {
                self.refusals = 0;
                self.next = self.next.max(Some(report.end_time()));
                let unread = Some(final_until).filter(|from| *from < report.end_time());
                self.again = match (self.again, unread) {
                    // It was not its turn.
                    (Some(again), unread) if !self.asked_again => Some(Again {
                        from: unread.map_or(again.from, |from| from.min(again.from)),
                        ..again
                    }),
                    (_, None) => None,
                    (before, Some(from)) => {
                        let wait = before
                            .filter(|before| before.from == from)
                            .map_or(poll, |before| before.wait * 2);
                        let wait = wait.min(LONGEST_WAIT.max(poll));
                        Some(Again {
                            from,
                            at: Instant::now() + wait,
                            wait,
                        })
                    }
                };
                left
            }
            (Some(error), _) if !error.is_retryable() && error.kind() != crate::error::Kind::Storage => {
                self.refusals = (self.refusals + 1).min(16);
                let wait = poll
                    .saturating_mul(1 << (self.refusals - 1))
                    .min(LONGEST_WAIT.max(poll));
                wait.saturating_sub(begun.elapsed())
            }
            _ => {
                self.refusals = 0;
                left
            }
        }
    }

    /// Tells of a round that brought records or news, and of a failure once.
    async fn tell(&mut self, mut report: Report, next: Duration) -> Result<()> {
        let mut gaps = report.gaps().len();
        if let (Some(again), None) = (self.again, report.reason()) {
            report.lack(format!(
                "something from {} on could not be read and is asked for again",
                time::iso(again.from)
            ));
            gaps = self.told.as_ref().map_or(gaps, |told| told.gaps);
        }
        if let (Some(harm), None) = (report.harm().map(str::to_owned), report.reason()) {
            report.lack(harm);
        }
        let now = Told::of(&report, gaps);
        let first = self.told.is_none();
        self.records += report.records();
        self.watch
            .tally
            .turn(self.told.as_ref().map(|told| told.state), now.state);
        let anew = now.fails_anew(self.told.as_ref());
        let news = report.records() > 0 || self.told.as_ref() != Some(&now);
        self.told = Some(now);
        if !news {
            return Ok(());
        }
        let sink = &self.watch.sink;
        for warning in report.warnings().iter().filter(|_| first) {
            sink.warning(warning.as_str()).await?;
        }
        let error = report.error().filter(|_| anew).cloned();
        let clock = self.watch.engine.clock().now_ms();
        sink.record(record(report, self.records, clock, next)).await?;
        match error {
            Some(error) => sink.failed(self.item.target(), error).await,
            None => Ok(()),
        }
    }

    /// False where there is no further round.
    async fn wait(&self, next: Duration) -> Result<bool> {
        let at = Instant::now() + next;
        if self.watch.deadline.is_some_and(|deadline| deadline <= at) {
            // The watch is not over before its time: tenants may still come.
            return Ok(false);
        }
        or_cancelled(&self.watch.cancel, async {
            tokio::time::sleep_until(at).await;
            Ok(true)
        })
        .await
    }
}
