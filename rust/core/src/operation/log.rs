//! What is being done, for whoever reads it while it happens.
//!
//! Whether anybody does stands in an operation's request (`verbose`, `debug`). The log goes with the operation's task, with
//! its questions for tokens into other tasks, and with a flight to the end of it; where there is none, no text is made.
//! A line waits for nobody: where the queue is full it is kept until the operation sends its next event.
//!
//! Invariant: no line holds a secret. An address is told without its query, a question by its tenant and what it is for.

use super::Message;
use crate::error::Result;
use crate::event::Event;
use crate::request::Request;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::mpsc;

tokio::task_local! {
    static CURRENT: Log;
}

/// Where an operation's lines go. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Log(Arc<Inner>);

struct Inner {
    verbose: bool,
    debug: bool,
    /// Weak, so that a flight that outlives its operation does not keep its reader waiting.
    events: OnceLock<mpsc::WeakSender<Message>>,
    kept: Mutex<VecDeque<Event>>,
    /// What is not to be told again.
    told: Mutex<HashSet<String>>,
}

/// Tells what is done, in a sentence without its full stop.
pub(crate) fn verbose(text: impl FnOnce() -> String) {
    let _ = CURRENT.try_with(|log| {
        if log.0.verbose {
            log.tell(Event::Verbose(text()));
        }
    });
}

/// The same, for what would be told with each of a thousand requests.
pub(crate) fn verbose_once(text: impl FnOnce() -> String) {
    let _ = CURRENT.try_with(|log| {
        if log.0.verbose {
            let text = text();
            let mut told = log.0.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.insert(text.clone()) {
                log.tell(Event::Verbose(text));
            }
        }
    });
}

/// Tells of the protocol.
pub(crate) fn debug(text: impl FnOnce() -> String) {
    let _ = CURRENT.try_with(|log| {
        if log.0.debug {
            log.tell(Event::Debug(text()));
        }
    });
}

/// The log of the work that is calling.
pub(crate) fn current() -> Option<Log> {
    CURRENT.try_with(Log::clone).ok()
}

/// Runs `work` with this log. Without one, it runs as it is.
pub(crate) async fn within<T>(log: Option<Log>, work: impl Future<Output = T>) -> T {
    match log {
        Some(log) => CURRENT.scope(log, work).await,
        None => work.await,
    }
}

impl Log {
    /// The log that a request wants, taken from it; `None` where nobody reads.
    pub(crate) fn wanted(request: &mut Request) -> Result<Option<Self>> {
        let (verbose, debug) = (request.take_flag("verbose")?, request.take_flag("debug")?);
        Ok((verbose || debug).then(|| {
            Log(Arc::new(Inner {
                verbose,
                debug,
                events: OnceLock::new(),
                kept: Mutex::default(),
                told: Mutex::default(),
            }))
        }))
    }

    /// The same for what does not wait.
    pub(crate) fn during<T>(log: Option<Self>, work: impl FnOnce() -> T) -> T {
        match log {
            Some(log) => CURRENT.sync_scope(log, work),
            None => work(),
        }
    }

    pub(super) fn attach(&self, events: mpsc::WeakSender<Message>) {
        self.0.events.get_or_init(|| events);
    }

    /// The oldest line that found no room.
    pub(super) fn kept(&self) -> Option<Event> {
        self.lock().pop_front()
    }

    fn tell(&self, event: Event) {
        let mut kept = self.lock();
        // Without its operation nobody reads any more.
        let Some(events) = self.0.events.get().and_then(mpsc::WeakSender::upgrade) else {
            return;
        };
        if !kept.is_empty() {
            kept.push_back(event);
        } else if let Err(mpsc::error::TrySendError::Full(Message::Event(event))) =
            events.try_send(Message::Event(event))
        {
            kept.push_back(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::operation::{Next, Operation, EVENT_QUEUE};
    use crate::request::Field;

    fn listening() -> Option<Log> {
        let mut request = Request::new("any").with("verbose", Field::Int(1));
        let log = Log::wanted(&mut request).unwrap();
        assert!(request.only(&[]).is_ok(), "the wish is not the operation's business");
        log
    }

    #[tokio::test]
    async fn lines_that_find_no_room_come_before_the_next_event_and_the_end() {
        let session = Engine::new(tokio::runtime::Handle::current()).session();
        let many = 2 * EVENT_QUEUE;
        let operation = Log::during(listening(), || {
            Operation::spawn(&session, move |context| async move {
                (0..many).for_each(|n| verbose(|| n.to_string()));
                debug(|| unreachable!("nobody wants it"));
                context.sink.warning("between").await?;
                verbose(|| "last".to_owned());
                Ok(())
            })
        });
        let mut lines = Vec::new();
        while let Next::Event(event) = operation.next().await.unwrap() {
            match event {
                Event::Verbose(text) | Event::Warning(text) => lines.push(text),
                other => panic!("{other:?}"),
            }
        }
        let expected: Vec<String> = (0..many)
            .map(|n| n.to_string())
            .chain(["between".to_owned(), "last".to_owned()])
            .collect();
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn where_nobody_reads_no_text_is_made() {
        let session = Engine::new(tokio::runtime::Handle::current()).session();
        assert!(Log::wanted(&mut Request::new("any")).unwrap().is_none());
        let operation = Operation::spawn(&session, |_| async {
            verbose(|| unreachable!("nobody reads"));
            Ok(())
        });
        assert!(matches!(operation.next().await, Ok(Next::Done)));
    }
}
