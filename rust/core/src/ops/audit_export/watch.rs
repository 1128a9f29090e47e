//! `audit_watch`: follows the feed of each tenant into its folder until it is stopped, round after round.
//!
//! A round is an export of what has come since the one before, so what is written, and what a crash leaves, is the same.

mod follow;
mod state;

use super::settings::Settings;
use super::tenant::Shared;
use crate::audit::turns::Turns;
use crate::engine::{Engine, Session};
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation, Sink};
use crate::request::{Field, Request};
use follow::Follower;
use futures_util::stream::{FuturesUnordered, StreamExt};
use state::Tally;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const PROGRESS: Duration = Duration::from_millis(500);
/// Time between two rounds where nothing else is said, and the least. The feed is an hour behind anyway, and every round that
/// brings records adds files.
const POLL_MS: i64 = 900_000;
const LEAST_POLL_MS: i64 = 1000;
/// Fields of an export that a watch takes as they are.
const OF_EXPORT: [&str; 12] = [
    "credential",
    "environment",
    "contentTypes",
    "path",
    "format",
    "bom",
    "flatten",
    "compression",
    "maxMemory",
    "throttle",
    "settleSeconds",
    "appOnly",
];
const OWN: [&str; 3] = ["startTime", "pollMs", "until"];

/// What all tenants of a watch share.
struct Watch {
    engine: Arc<Engine>,
    sink: Sink,
    cancel: CancellationToken,
    shared: Shared,
    /// For a round, but for its time.
    settings: Settings,
    /// Where a folder that has nothing yet begins; `None`: as far back as the feed goes.
    start: Option<i64>,
    poll: Duration,
    /// From when on no further round begins.
    deadline: Option<Instant>,
    turns: Arc<Turns>,
    tally: Tally,
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[&OF_EXPORT[..], &OWN].concat())?;
    let engine = Arc::clone(session.engine());
    let now = engine.clock().now_ms();
    let export = request.carry("audit_export", &OF_EXPORT);
    // Each round has a range of its own; what the start may be is checked here.
    let begin = request.opt_int("startTime")?;
    let any = begin.unwrap_or(now - 60_000);
    let settings = Settings::read(
        session,
        &export
            .with("startTime", Field::Int(any))
            .with("endTime", Field::Int(now)),
    )?;
    let poll = request.opt_int("pollMs")?.unwrap_or(POLL_MS);
    if poll < LEAST_POLL_MS {
        return Err(Error::invalid("the time between two rounds is shorter than a second")
            .advise("Give a -PollInterval of at least one second; the feed is an hour behind anyway, so minutes are enough."));
    }
    let left = request
        .opt_int("until")?
        .map(|until| u64::try_from(until.saturating_sub(now)).unwrap_or(0));
    let throttle = settings.caller.throttle;
    Ok(Operation::spawn(session, move |context| {
        let watch = Arc::new(Watch {
            engine,
            sink: context.sink.clone(),
            cancel: context.cancel.clone(),
            shared: Shared::of(&context),
            settings,
            start: begin,
            poll: Duration::from_millis(poll.unsigned_abs()),
            deadline: left.map(|left| Instant::now() + Duration::from_millis(left)),
            turns: Turns::new(throttle),
            tally: Tally::default(),
        });
        run(context, watch)
    }))
}

async fn run(mut context: Context, watch: Arc<Watch>) -> Result<()> {
    let cancel = context.cancel.clone();
    let mut open = true;
    let mut tenants = FuturesUnordered::new();
    let mut tick = tokio::time::interval(PROGRESS);
    while open || !tenants.is_empty() {
        tokio::select! {
            biased;
            Some(ended) = tenants.next() => {
                let ended: Result<()> = ended;
                // After a cancel the other tenants still put their files in order.
                match ended {
                    Err(error) if !error.is_cancelled() => return Err(error),
                    _ => {}
                }
            }
            () = cancel.cancelled(), if open => open = false,
            next = context.input.next(), if open => match next {
                None => open = false,
                Some(request) => tenants.push(Follower::new(Arc::clone(&watch), request).run()),
            },
            _ = tick.tick() => context.sink.progress(watch.progress(false)),
        }
    }
    if cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    context.sink.progress(watch.progress(true));
    Ok(())
}

impl Watch {
    fn progress(&self, completed: bool) -> Progress {
        Progress {
            id: 0,
            parent: -1,
            activity: "Following audit logs".to_owned(),
            status: self.tally.text(),
            percent: None,
            completed,
        }
    }
}
