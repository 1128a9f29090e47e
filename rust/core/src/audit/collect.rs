//! Lists and reads a window of a source: side by side, each part once, again where needed, with what is missing named.

use super::meter::Meter;
use super::{Delivery, Notice, Outlet, Part, Source, Window};
use crate::engine::Clock;
use crate::error::{Error, Kind, Result};
use crate::export::dedupe::{self, Dedupe, Seen};
use crate::export::{time, Gap, Got, Lack};
use crate::window::Windows;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, Semaphore};
use tokio::task::JoinSet;

/// Parts that may wait to be read.
const FOUND_QUEUE: usize = 64;
/// Listings at a time; each is a chain of pages.
const LISTINGS: usize = 4;
/// How often one part is read before it counts as missing.
const ATTEMPTS: u32 = 4;
/// Parts that may be missing before the run gives up: then it is not the parts that are at fault.
const MOST_GAPS: usize = 1000;
/// The longest time that a run waits for parts to become final.
const PATIENCE_MS: i64 = 60_000;

/// What is wanted, and how.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) content_types: Vec<String>,
    pub(crate) window: Window,
    /// A part that is read earlier than this after it was made may still grow.
    pub(crate) settle_ms: i64,
    /// Parts that are read at a time.
    pub(crate) readers: usize,
    /// The largest record, in bytes.
    pub(crate) largest_record: usize,
    /// The first wait before a part is read again.
    pub(crate) first_backoff: Duration,
}

/// What was found, apart from the records themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    pub(crate) gaps: Vec<Gap>,
    /// Of each content type: what is there for good, and why the rest is not.
    pub(crate) got: Vec<Got>,
    /// Why not all of it is there or final.
    pub(crate) incomplete: Option<String>,
    pub(crate) final_until: i64,
    pub(crate) warnings: Vec<String>,
    /// Content types that were switched on by this run.
    pub(crate) fresh: Vec<String>,
}

/// What is asked for that the source need not have any more. How long it keeps records is the tenant's licence, which it does not
/// tell, so this is no gap.
fn old<S: Source>(window: Window, clock: &Clock) -> Option<Notice> {
    const DAY_MS: i64 = 86_400_000;
    let days = S::KEPT_DAYS?;
    let oldest = clock.now_ms() - days * DAY_MS;
    (window.start < oldest).then(|| {
        Notice::Warning(format!(
            "{} keeps records for {days} days as a rule, and is asked for time before {}. Where nothing comes of that time, that does \
             not say that there was nothing",
            S::NAME,
            time::iso(oldest)
        ))
    })
}

/// Reads everything that `source` has for `ask` and hands the records to `out`.
pub(crate) async fn collect<S: Source>(
    source: &Arc<S>,
    ask: &Ask,
    clock: &Clock,
    out: &Outlet,
    meter: &Arc<Meter>,
) -> Result<Collected> {
    meter.begin(S::PARTS);
    let mut notices = source.prepare(&ask.content_types).await?;
    notices.extend(old::<S>(ask.window, clock));
    let mut run = Run {
        source,
        ask,
        clock,
        out,
        meter,
        seen: Dedupe::new(),
        found: BTreeMap::new(),
        gaps: Vec::new(),
        unread: None,
        provisional: BTreeMap::new(),
    };
    let mut listed_at = clock.now_ms();
    run.pass(ask.window, Vec::new()).await?;
    let mut patience = PATIENCE_MS;
    while let Some(wait) = run.wait_needed(listed_at).filter(|wait| *wait <= patience) {
        run.settle(wait).await;
        patience -= wait;
        let again: Vec<(Part, u64)> = std::mem::take(&mut run.provisional).into_values().collect();
        // What was listed at least the settle delay after it was made needs no second listing.
        let oldest = again.iter().map(|(part, _)| part.created).min();
        let final_until = listed_at - ask.settle_ms;
        let start = oldest.map_or(final_until, |oldest| oldest.min(final_until));
        let start = start.max(ask.window.start);
        listed_at = clock.now_ms();
        run.pass(Window { start, ..ask.window }, again).await?;
    }
    Ok(run.finish(notices, listed_at))
}

struct Run<'a, S> {
    source: &'a Arc<S>,
    ask: &'a Ask,
    clock: &'a Clock,
    out: &'a Outlet,
    meter: &'a Arc<Meter>,
    /// Parts that were met before: a listing may name one twice.
    seen: Dedupe,
    /// Parts found by content type.
    found: BTreeMap<Arc<str>, u64>,
    gaps: Vec<Gap>,
    /// When the earliest part came that could not be read and may be readable later.
    unread: Option<i64>,
    /// Parts that may still grow, with the records they have given.
    provisional: BTreeMap<Arc<str>, (Part, u64)>,
}

impl<S: Source> Run<'_, S> {
    /// Lists `window` and reads what is new in it, and `again` once more.
    async fn pass(&mut self, window: Window, again: Vec<(Part, u64)>) -> Result<()> {
        let (found_in, mut found) = mpsc::channel::<Part>(FOUND_QUEUE);
        let ask = self.ask;
        let meter = self.meter;
        let mut listers = self.listers(window, found_in);
        let listing = async {
            let mut lost = Vec::new();
            while let Some(done) = listers.join_next().await {
                lost.extend(done.map_err(|_| Error::internal("a listing ended early"))??);
            }
            meter.set_all_listed();
            Ok(lost)
        };
        let reading = async {
            let mut readers: JoinSet<Read> = JoinSet::new();
            let mut again = again.into_iter();
            let mut open = true;
            loop {
                let free = readers.len() < ask.readers.max(1);
                if free {
                    if let Some((part, before)) = again.next() {
                        readers.spawn(self.reader(part, Some(before)));
                        continue;
                    }
                }
                tokio::select! {
                    biased;
                    Some(done) = readers.join_next() => {
                        let done = done.map_err(|_| Error::internal("the reader of a part ended early"))?;
                        self.take(done)?;
                    }
                    part = found.recv(), if open && free => match part {
                        None => open = false,
                        Some(part) => if self.is_new(&part) {
                            self.meter.add_listed();
                            readers.spawn(self.reader(part, None));
                        },
                    },
                    else => return Ok(()),
                }
            }
        };
        let (lost, ()) = tokio::try_join!(listing, reading)?;
        self.gaps.extend(lost);
        Ok(())
    }

    /// Lists every content type in windows that the source takes, a few at a time.
    fn listers(&self, window: Window, found: mpsc::Sender<Part>) -> JoinSet<Result<Option<Gap>>> {
        let turns = Arc::new(Semaphore::new(LISTINGS));
        let mut listers = JoinSet::new();
        for content_type in &self.ask.content_types {
            for window in slices(window, self.source.longest_window()) {
                let source = Arc::clone(self.source);
                let (content_type, found, turns) = (content_type.clone(), found.clone(), Arc::clone(&turns));
                listers.spawn(async move {
                    let turn = turns.acquire().await;
                    let _turn = turn.map_err(|_| Error::internal("the turns of listings were closed"))?;
                    let lost = source.list(&content_type, window, &found).await?;
                    Ok(lost.map(|window| Gap {
                        content_type,
                        window,
                        reason:
                            "the service did not keep it any more when it was asked for; take it from another source"
                                .to_owned(),
                    }))
                });
            }
        }
        listers
    }

    /// True for a part in the window that was not met before.
    fn is_new(&mut self, part: &Part) -> bool {
        let inside = (self.ask.window.start..self.ask.window.end).contains(&part.created);
        let name = dedupe::entry(&dedupe::key(Some(part.id.as_bytes()), b""), 0);
        let new = inside && (self.seen.insert(name) == Seen::New);
        if new {
            *self.found.entry(Arc::clone(&part.content_type)).or_default() += 1;
        }
        new
    }

    /// Reads one part, again where it came broken.
    fn reader(&self, part: Part, before: Option<u64>) -> impl std::future::Future<Output = Read> + Send + 'static {
        let source = Arc::clone(self.source);
        let out = self.out.clone();
        let largest = self.ask.largest_record;
        let mut backoff = self.ask.first_backoff;
        let started = self.clock.now_ms();
        async move {
            let again = before.is_some();
            let mut records = before.unwrap_or_default();
            let mut attempt = 1;
            loop {
                let mut delivery = Delivery::new(&part, records, largest, &out);
                let read = source.read(&part, &mut delivery).await;
                let (seen, result) = delivery.finish(read).await;
                records = records.max(seen);
                match result {
                    Err(error) if attempt < ATTEMPTS && may_come_whole(&error) => {
                        tokio::time::sleep(backoff).await;
                        backoff *= 2;
                        attempt += 1;
                    }
                    result => {
                        return Read {
                            part,
                            records,
                            started,
                            again,
                            result,
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, done: Read) -> Result<()> {
        match done.result {
            Ok(lacks) => {
                if !done.again {
                    self.meter.add_read();
                }
                for (window, reason) in lacks {
                    self.unread = Some(self.unread.map_or(window.start, |at| at.min(window.start)));
                    self.gaps.push(Gap {
                        content_type: done.part.content_type.to_string(),
                        window,
                        reason,
                    });
                }
                if done.started < done.part.created.saturating_add(self.ask.settle_ms) {
                    self.provisional
                        .insert(Arc::clone(&done.part.id), (done.part, done.records));
                }
                Ok(())
            }
            Err(error) if self.source.is_gap(&error) && self.gaps.len() < MOST_GAPS => {
                let window = self.source.span(&done.part);
                // What the service no longer has is lost; anything else may be read by the next run.
                if error.kind() != Kind::NotFound {
                    self.unread = Some(self.unread.map_or(window.start, |at| at.min(window.start)));
                }
                self.gaps.push(Gap {
                    content_type: done.part.content_type.to_string(),
                    window,
                    reason: format!("{} {}: {error}", S::PART, done.part.id),
                });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// How long until all of the window can be listed and read for good; `None` where it was, by a listing at `listed_at`.
    fn wait_needed(&self, listed_at: i64) -> Option<i64> {
        let is_final = listed_at >= self.final_from() && self.provisional.is_empty();
        (!is_final).then(|| (self.final_from() - self.clock.now_ms()).max(0))
    }

    /// From when on nothing in the window can change any more.
    fn final_from(&self) -> i64 {
        self.ask.window.end.saturating_add(self.ask.settle_ms)
    }

    async fn settle(&self, wait: i64) {
        let mut left = u64::try_from(wait).unwrap_or(0);
        // The clock is looked at as well: it may be put forward meanwhile.
        while left > 0 && self.clock.now_ms() < self.final_from() {
            self.meter.set_settling(left.div_ceil(1000));
            let step = left.min(1000);
            tokio::time::sleep(Duration::from_millis(step)).await;
            left -= step;
        }
        self.meter.set_settling(0);
    }

    fn finish(mut self, notices: Vec<Notice>, listed_at: i64) -> Collected {
        let Window { start, end } = self.ask.window;
        let mut awaited = Vec::new();
        for content_type in &self.ask.content_types {
            let parts = self.found.get(content_type.as_str()).copied().unwrap_or_default();
            let shortfall = self.source.shortfall(content_type, self.ask.window, parts);
            awaited.extend(shortfall.awaited.map(|until| (until, content_type.as_str())));
            if let Some((window, reason)) = shortfall.gap {
                self.gaps.push(Gap {
                    content_type: content_type.clone(),
                    window,
                    reason,
                });
            }
        }
        let oldest = self.provisional.values().map(|(part, _)| part.created).min();
        let final_until = end.min(listed_at - self.ask.settle_ms);
        let final_until = oldest.map_or(final_until, |oldest| oldest.min(final_until)).max(start);
        let young = (final_until < end).then(|| {
            format!(
                "what was published after {} may still grow; run the same export again after {}",
                time::iso(final_until),
                time::iso(self.final_from())
            )
        });
        let nothing_yet = awaited.iter().max().map(|(until, _)| {
            let names: Vec<&str> = awaited.iter().map(|(_, name)| *name).collect();
            format!(
                "nothing has come yet of {}, which was switched on a short time ago: that can take hours; run the same export again \
                 after {}",
                names.join(", "),
                time::iso(*until)
            )
        });
        let got = self.ask.content_types.iter().map(|content_type| {
            let mut lacks: Vec<Lack> = self
                .gaps
                .iter()
                .filter(|gap| gap.content_type == *content_type)
                .map(Lack::from)
                .collect();
            let is_awaited = awaited.iter().any(|(_, name)| name == content_type);
            lacks.extend(
                nothing_yet
                    .iter()
                    .filter(|_| is_awaited)
                    .map(|reason| Lack::new(self.ask.window, reason)),
            );
            lacks.extend(
                young
                    .iter()
                    .map(|reason| Lack::new(Window::new(final_until, end), reason)),
            );
            let mut had = Windows::from(vec![self.ask.window]);
            lacks.iter().for_each(|lack| had.remove(lack.window));
            Got {
                content_type: content_type.clone(),
                had,
                lacks,
            }
        });
        let got = got.collect();
        let missing = match self.gaps.as_slice() {
            [] => None,
            [gap] => Some(format!("there is a gap in the content: {}", gap.reason)),
            [gap, ..] => Some(format!(
                "there are {} gaps in the content, the first: {}",
                self.gaps.len(),
                gap.reason
            )),
        };
        let reasons: Vec<String> = [missing, nothing_yet, young].into_iter().flatten().collect();
        let mut fresh = Vec::new();
        let mut warnings = Vec::new();
        for notice in notices {
            match notice {
                Notice::Warning(text) => warnings.push(text),
                Notice::Fresh { content_type } => fresh.push(content_type),
            }
        }
        // What has not come yet is asked for again from the beginning.
        let unread = if awaited.is_empty() { self.unread } else { Some(start) };
        Collected {
            gaps: self.gaps,
            got,
            incomplete: (!reasons.is_empty()).then(|| reasons.join("; ")),
            // The next run begins there, so that it asks again for what could not be read in this one.
            final_until: unread.map_or(final_until, |unread| unread.min(final_until)).max(start),
            warnings,
            fresh,
        }
    }
}

/// True where reading a part again may help. One whose requests are throttled has waited already.
fn may_come_whole(error: &Error) -> bool {
    match error.kind() {
        Kind::Throttled => false,
        Kind::Protocol => true,
        _ => error.is_retryable(),
    }
}

/// A part that was read, or could not be.
struct Read {
    part: Part,
    records: u64,
    started: i64,
    /// Read before in this run, when it might still have grown.
    again: bool,
    /// What of the part cannot be had although the rest was.
    result: Result<Vec<(Window, String)>>,
}

/// Adjoining windows of at most `longest`, in whole seconds (services take no less), which together cover `window`. What
/// they cover too much is left out when it is found.
pub(crate) fn slices(window: Window, longest: i64) -> Vec<Window> {
    let longest = longest.max(1000);
    let whole_end = window.end + (-window.end).rem_euclid(1000);
    let mut slices = Vec::new();
    let mut start = window.start - window.start.rem_euclid(1000);
    while start < whole_end {
        let end = whole_end.min(start.saturating_add(longest));
        slices.push(Window { start, end });
        start = end;
    }
    slices
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
