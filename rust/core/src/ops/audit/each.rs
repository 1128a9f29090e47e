//! Works on the tenants of an operation's input, so many at a time.

use super::board::Board;
use super::item::Item;
use crate::audit::meter::Meter;
use crate::audit::turns::{Turn, Turns};
use crate::error::{Error, Result};
use crate::operation::{Context, Input, Sink};
use crate::request::Request;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How often progress is looked at. A reader shows less of it if it likes.
const PROGRESS: Duration = Duration::from_millis(500);

/// What the work on one tenant ended with.
pub(crate) trait Ended: Send {
    fn records(&self) -> u64;

    /// True where this run switched a content type on.
    fn is_fresh(&self) -> bool;

    /// Tells the operation's reader.
    fn send(self, sink: &Sink) -> impl Future<Output = Result<()>> + Send;
}

/// One tenant of the input, and where the work on it says how far it is.
pub(crate) struct Task {
    pub(crate) item: Item,
    pub(crate) request: Request,
    pub(crate) meter: Arc<Meter>,
}

/// Runs `work` for each tenant, `throttle` at a time beside those that can only wait for their service, and tells how each
/// ended. A cancelled run lets the works end by themselves.
pub(crate) async fn each<W, F>(mut context: Context, activity: &'static str, throttle: usize, work: W) -> Result<()>
where
    W: Fn(Task) -> F + Send,
    F: Future + Send,
    F::Output: Ended,
{
    let cancel = context.cancel.clone();
    let mut board = Board::new(activity);
    let turns = Turns::new(throttle);
    let mut fresh = 0;
    let mut open = true;
    let mut under_way = FuturesUnordered::new();
    let mut tick = tokio::time::interval(PROGRESS);
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            Some((id, ended)) = under_way.next() => {
                let ended: F::Output = ended;
                board.end(&context.sink, id, ended.records());
                fresh += u64::from(ended.is_fresh());
                // After a cancel nobody reads what is sent; the other tenants still put what they have in order.
                if let Err(error) = ended.send(&context.sink).await {
                    if !error.is_cancelled() {
                        return Err(error);
                    }
                }
                board.show(&context.sink, open);
            }
            () = cancel.cancelled(), if open => open = false,
            (turn, next) = next(&turns, &mut context.input), if open => match next {
                None => open = false,
                Some(request) => {
                    let task = Task { item: Item::read(&request), request, meter: Arc::new(Meter::of(turn)) };
                    let id = board.begin(task.item.title(), &task.meter);
                    let work = work(task);
                    under_way.push(async move { (id, work.await) });
                }
            },
            _ = tick.tick() => board.show(&context.sink, open),
        }
    }
    if cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    board.finish(&context.sink);
    if fresh > 0 {
        // One line for all of them: the first export of an estate would say it a thousand times.
        let tenants = if fresh == 1 { "one tenant" } else { "several tenants" };
        let text = format!(
            "The subscriptions of {tenants} ({fresh}) were started by this run. The service fills a new subscription with about \
             a day of the past at most; take what is older with Export-SecureAppAuditLog -Source Exchange or \
             Graph."
        );
        context.sink.warning(text).await?;
    }
    Ok(())
}

/// The next item, once it can be worked on.
async fn next(turns: &Arc<Turns>, input: &mut Input) -> (Turn, Option<Request>) {
    let turn = turns.take().await;
    (turn, input.next().await)
}
