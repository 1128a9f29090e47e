//! One command's work: started with a request, fed with more of them, read as one ordered stream of events.
//!
//! Life: `start` spawns the work; `submit` and `finish_input` feed it; `next` gives events, then `Done` or the error that
//! ended it; `cancel` may be called at any time from any thread. After a cancel, `next` answers with a cancelled error,
//! never with `Done`: a stopped operation does not look like a finished one.

mod context;
pub(crate) mod log;
mod unread;

pub(crate) use context::{or_cancelled, Context, Input, Sink};
pub(crate) use unread::Unread;

use crate::credential::Credential;
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::http::Budget;
use crate::request::Request;
use futures_util::FutureExt;
use std::borrow::Borrow;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Events that may wait for their reader before the work waits too.
const EVENT_QUEUE: usize = 256;
/// Items that may wait to be taken up before `submit` answers that it would block.
const INPUT_QUEUE: usize = 256;
/// How long a cancelled operation may take to put its files in order before its reader is told without waiting more.
const CANCEL_GRACE: Duration = Duration::from_millis(300);

pub struct Operation {
    events: tokio::sync::Mutex<mpsc::Receiver<Message>>,
    input: Mutex<Option<Intake>>,
    cancel: CancellationToken,
    /// Until when a cancelled operation's reader waits for it; set when the reader first sees the cancel, so that a
    /// reader which polls in short steps waits no longer than one that does not.
    grace: OnceLock<Instant>,
    /// The credential that the work has made, where that is its result.
    made: Arc<OnceLock<Arc<Credential>>>,
    /// How it ended, once its reader knows.
    end: OnceLock<Result<()>>,
}

/// Answers an item where that needs no waiting; `None` hands it to the work.
type AtOnce = Box<dyn Fn(&Request) -> Option<Event> + Send + Sync>;

/// Where items go.
struct Intake {
    queue: mpsc::Sender<Request>,
    at_once: Option<AtOnce>,
    /// Weak, so that events end with the work even while somebody could still submit.
    events: mpsc::WeakSender<Message>,
}

enum Message {
    Event(Event),
    /// Answered when the reader comes back for what is behind it: then it has made use of all that came before.
    Read(oneshot::Sender<()>),
    End(Result<()>),
}

/// What `next` found.
#[derive(Debug)]
pub enum Next {
    Event(Event),
    /// The operation finished; every later call says so again.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    Taken,
    /// The queue is full: read events, then try again.
    WouldBlock,
}

impl Operation {
    /// Starts `body` on the engine's runtime. Must not be called from inside the runtime's own tasks by host threads that
    /// then block on it.
    pub(crate) fn spawn<B, F>(session: &Session, body: B) -> Operation
    where
        B: FnOnce(Context) -> F,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (events_in, events) = mpsc::channel(EVENT_QUEUE);
        let weak = events_in.downgrade();
        let (input, input_out) = mpsc::channel(INPUT_QUEUE);
        let cancel = session.child_token();
        let made = Arc::new(OnceLock::new());
        let (log, budget) = (log::current(), Budget::current());
        if let Some(log) = &log {
            log.attach(weak.clone());
        }
        let sink = Sink {
            events: events_in,
            cancel: cancel.clone(),
            log: log.clone(),
        };
        let context = Context {
            engine: Arc::clone(session.engine()),
            sink: sink.clone(),
            input: Input(input_out),
            cancel: cancel.clone(),
            unread: Arc::clone(session.unread()),
            made: Arc::clone(&made),
        };
        let (engine, unread) = (Arc::clone(session.engine()), Arc::clone(session.unread()));
        let running = session.engine().count_running();
        let stopped = cancel.clone();
        let work = Budget::within(budget, body(context));
        session.engine().runtime().spawn(log::within(log, async move {
            // A panic is caught here rather than left to end the task: the body's own tasks may hold the queue open, and
            // the reader would wait for ever.
            let result = AssertUnwindSafe(work)
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(defect()));
            // A stored credential may have got a newer refresh token by this work, or by any before it.
            for failure in engine.stores().settle(engine.tokens(), &stopped).await {
                // The reader may be gone.
                let _ = sink.warning(crate::store::not_written(&failure)).await;
            }
            unread.tell(&sink).await;
            drop(running);
            sink.end(result).await;
        }));
        Operation {
            events: tokio::sync::Mutex::new(events),
            input: Mutex::new(Some(Intake {
                queue: input,
                at_once: None,
                events: weak,
            })),
            cancel,
            grace: OnceLock::new(),
            made,
            end: OnceLock::new(),
        }
    }

    /// Has `answer` look at every item first, on its submitter's thread: what needs no waiting costs no task and no wake-up.
    pub(crate) fn answering(mut self, answer: impl Fn(&Request) -> Option<Event> + Send + Sync + 'static) -> Self {
        let input = self.input.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(input) = input {
            input.at_once = Some(Box::new(answer));
        }
        self
    }

    /// Hands over one more item, which is copied if it cannot be answered at once. An error says that the input is already
    /// finished or the operation has ended.
    pub fn submit(&self, item: impl Borrow<Request>) -> Result<Submitted> {
        let item = item.borrow();
        if self.cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(input) = input.as_ref() else {
            return Err(Error::invalid("this operation's input is already finished"));
        };
        // The lock is held until the answer lies in the queue, so that the end of the input does not overtake it.
        if input.answered_at_once(item) {
            return Ok(Submitted::Taken);
        }
        let place = match input.queue.try_reserve() {
            Ok(place) => place,
            Err(mpsc::error::TrySendError::Full(())) => return Ok(Submitted::WouldBlock),
            Err(mpsc::error::TrySendError::Closed(())) => {
                return Err(Error::invalid("this operation takes no more input"))
            }
        };
        place.send(item.clone());
        Ok(Submitted::Taken)
    }

    /// No more items will come. Calling it again changes nothing.
    pub fn finish_input(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The next event, if it is there already. `None` says nothing about the end: ask [`Operation::next`] then.
    pub fn try_next(&self) -> Option<Event> {
        if self.cancel.is_cancelled() {
            return None;
        }
        let mut events = self.events.try_lock().ok()?;
        loop {
            match events.try_recv() {
                Ok(Message::Event(event)) => return Some(event),
                Ok(Message::Read(told)) => answer(told),
                Ok(Message::End(result)) => {
                    self.end.get_or_init(|| result);
                    return None;
                }
                Err(_) => return None,
            }
        }
    }

    /// The next event, when there is one. One reader at a time; dropping the future loses nothing. Once the operation has
    /// ended, every further call says again how it did.
    pub async fn next(&self) -> Result<Next> {
        if let Some(end) = self.end.get() {
            return end.clone().map(|()| Next::Done);
        }
        let mut events = self.events.lock().await;
        loop {
            let message = tokio::select! {
                biased;
                () = self.cancel.cancelled() => {
                    let grace = *self.grace.get_or_init(|| Instant::now() + CANCEL_GRACE);
                    // Whether it ended in time makes no difference to its reader.
                    let _ = tokio::time::timeout_at(grace, drain(&mut events)).await;
                    return self.ended(Err(Error::cancelled()));
                }
                message = events.recv() => message,
            };
            match message {
                Some(Message::Event(event)) => return Ok(Next::Event(event)),
                Some(Message::Read(told)) => answer(told),
                Some(Message::End(result)) => return self.ended(result),
                None => return self.ended(Err(defect())),
            }
        }
    }

    fn ended(&self, result: Result<()>) -> Result<Next> {
        self.end.get_or_init(|| result).clone().map(|()| Next::Done)
    }

    /// The credential that the work has made: there once the record that tells of it has been read. A credential is not part
    /// of a record, because its secrets stay here.
    pub fn credential(&self) -> Result<Arc<Credential>> {
        self.made
            .get()
            .cloned()
            .ok_or_else(|| Error::invalid("this operation has not made a credential"))
    }

    /// Stops the work. Safe at any time, from any thread, as often as you like.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl Intake {
    fn answered_at_once(&self, item: &Request) -> bool {
        let Some(answer) = &self.at_once else { return false };
        // Work that has ended takes nothing more, and a reader who is behind makes the submitter wait as ever.
        let Some(events) = self.events.upgrade().filter(|_| !self.queue.is_closed()) else {
            return false;
        };
        let Ok(place) = events.try_reserve() else { return false };
        let Some(event) = answer(item) else { return false };
        place.send(Message::Event(event));
        true
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Who asked may be gone.
fn answer(told: oneshot::Sender<()>) {
    let _ = told.send(());
}

#[cold]
fn defect() -> Error {
    Error::internal("a defect in SecureAppModel stopped the operation")
        .advise("Try again; if it happens every time, report it with the command that was run.")
}

/// Reads events to the end and forgets them, so that work which is being put in order can finish.
async fn drain(events: &mut mpsc::Receiver<Message>) {
    while let Some(message) = events.recv().await {
        if matches!(message, Message::End(_)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use tokio::sync::Notify;

    fn session() -> Session {
        Engine::new(tokio::runtime::Handle::current()).session()
    }

    #[tokio::test]
    async fn panic_in_a_body_ends_it_as_internal_even_while_its_tasks_hold_the_queue() {
        let operation = Operation::spawn(&session(), |context| async move {
            let sink = context.sink.clone();
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(sink);
            });
            context.sink.warning("before").await?;
            panic!("on purpose");
        });
        assert!(matches!(operation.next().await, Ok(Next::Event(Event::Warning(_)))));
        assert_eq!(
            operation.next().await.expect_err("internal").kind(),
            crate::Kind::Internal
        );
        assert_eq!(operation.next().await.expect_err("again").kind(), crate::Kind::Internal);
    }

    #[tokio::test]
    async fn failure_is_repeated_and_never_followed_by_done() {
        let operation = Operation::spawn(&session(), |_| async { Err(Error::invalid("no")) });
        for _ in 0..2 {
            assert_eq!(
                operation.next().await.expect_err("fails").kind(),
                crate::Kind::InvalidInput
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn short_polls_after_a_cancel_still_reach_its_end() {
        let operation = Operation::spawn(&session(), |context| async move {
            std::future::pending::<()>().await;
            drop(context);
            Ok(())
        });
        operation.cancel();
        let step = CANCEL_GRACE / 3;
        let mut polls = 0;
        let error = loop {
            match tokio::time::timeout(step, operation.next()).await {
                Ok(end) => break end.expect_err("cancelled"),
                Err(_) => polls += 1,
            }
            assert!(polls < 10, "the grace period starts again at every poll");
        };
        assert!(error.is_cancelled());
    }

    /// Answers what is called `known` at once; the work answers the rest with a warning.
    fn echo() -> Operation {
        let operation = Operation::spawn(&session(), |mut context| async move {
            while let Some(item) = context.input.next().await {
                context.sink.warning(item.kind()).await?;
            }
            Ok(())
        });
        operation.answering(|item| (item.kind() == "known").then(|| Event::Verbose("at once".to_owned())))
    }

    #[tokio::test]
    async fn what_is_known_is_there_before_the_work_has_run() {
        let operation = echo();
        for kind in ["asked", "known"] {
            assert_eq!(operation.submit(Request::new(kind)).unwrap(), Submitted::Taken);
        }
        operation.finish_input();
        // Nothing has been awaited here, so no task has run.
        assert!(matches!(operation.try_next(), Some(Event::Verbose(_))));
        assert!(operation.try_next().is_none());
        assert!(matches!(operation.next().await, Ok(Next::Event(Event::Warning(_)))));
        assert!(matches!(operation.next().await, Ok(Next::Done)));
        assert!(
            operation.submit(Request::new("known")).is_err(),
            "the input is finished"
        );
    }

    #[tokio::test]
    async fn answers_at_once_wait_for_their_reader_like_all_others() {
        let operation = echo();
        let mut taken = 0;
        while operation.submit(Request::new("known")).unwrap() == Submitted::Taken {
            taken += 1;
        }
        assert_eq!(
            taken,
            EVENT_QUEUE + INPUT_QUEUE,
            "what the reader leaves goes to the work's own queue"
        );
        operation.finish_input();
        let mut had = 0;
        while let Next::Event(_) = operation.next().await.unwrap() {
            had += 1;
        }
        assert_eq!(had, taken);
    }

    #[tokio::test]
    async fn nothing_is_answered_at_once_when_the_work_has_ended() {
        let operation = Operation::spawn(&session(), |_| async { Err(Error::invalid("no")) })
            .answering(|_| Some(Event::Verbose(String::new())));
        assert!(operation.next().await.is_err());
        assert!(operation.submit(Request::new("item")).is_err());
        let operation = echo();
        operation.cancel();
        assert!(operation
            .submit(Request::new("known"))
            .expect_err("cancelled")
            .is_cancelled());
        assert!(operation.try_next().is_none());
    }

    #[tokio::test]
    async fn engine_is_idle_once_a_cancelled_operation_nobody_reads_has_ended() {
        let session = session();
        let started = Arc::new(Notify::new());
        let told = Arc::clone(&started);
        let operation = Operation::spawn(&session, |context| async move {
            told.notify_one();
            while context.sink.warning("more").await.is_ok() {}
            Ok(())
        });
        started.notified().await;
        session.engine().shutdown();
        session.engine().idle().await;
        assert!(operation.next().await.expect_err("cancelled").is_cancelled());
    }
}
