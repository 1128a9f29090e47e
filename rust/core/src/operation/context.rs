//! What an operation's body works with: its input, where its events go, and the stop.

use super::log::Log;
use super::{Message, Unread};
use crate::credential::Credential;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::{Event, Failure, Progress};
use crate::request::Request;
use crate::value::Value;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// What an operation's body works with.
pub(crate) struct Context {
    pub(crate) engine: Arc<Engine>,
    pub(crate) sink: Sink,
    pub(crate) input: Input,
    pub(crate) cancel: CancellationToken,
    /// For what must be known and finds no reader.
    pub(crate) unread: Arc<Unread>,
    pub(super) made: Arc<OnceLock<Arc<Credential>>>,
}

impl Context {
    /// Leaves a credential for the operation's reader to take. The first one counts.
    pub(crate) fn made(&self, credential: &Arc<Credential>) {
        self.made.get_or_init(|| Arc::clone(credential));
    }

    /// Runs `work` until it is done or the operation is cancelled, whichever comes first.
    pub(crate) async fn or_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        or_cancelled(&self.cancel, work).await
    }
}

/// Runs `work` until it is done or `cancel` fires; a cancelled future is dropped, which ends its requests.
pub(crate) async fn or_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::cancelled()),
        result = work => result,
    }
}

/// The items that were submitted, in order.
pub(crate) struct Input(pub(super) mpsc::Receiver<Request>);

impl Input {
    /// The next item; `None` once the input is finished and empty.
    pub(crate) async fn next(&mut self) -> Option<Request> {
        self.0.recv().await
    }
}

/// Where an operation's events go. Waits while the queue is full; fails when the operation is cancelled.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(super) events: mpsc::Sender<Message>,
    pub(super) cancel: CancellationToken,
    pub(super) log: Option<Log>,
}

impl Sink {
    pub(crate) async fn send(&self, event: Event) -> Result<()> {
        or_cancelled(&self.cancel, async {
            self.send_kept().await?;
            self.put(Message::Event(event)).await
        })
        .await
    }

    /// The last word. The reader may be gone or no longer reading; then nobody needs to know how it ended.
    pub(super) async fn end(&self, result: Result<()>) {
        let _ = or_cancelled(&self.cancel, async {
            self.send_kept().await?;
            self.put(Message::End(result)).await
        })
        .await;
    }

    /// The log's lines that found no room yet.
    async fn send_kept(&self) -> Result<()> {
        while let Some(line) = self.log.as_ref().and_then(Log::kept) {
            self.put(Message::Event(line)).await?;
        }
        Ok(())
    }

    async fn put(&self, message: Message) -> Result<()> {
        self.events.send(message).await.map_err(|_| Error::cancelled())
    }

    pub(crate) async fn record(&self, value: Value) -> Result<()> {
        self.send(Event::Record(value)).await
    }

    pub(crate) async fn failed(&self, target: Value, error: Error) -> Result<()> {
        self.send(Event::Failed(Failure { target, error })).await
    }

    pub(crate) async fn warning(&self, text: impl Into<String>) -> Result<()> {
        self.send(Event::Warning(text.into())).await
    }

    /// Waits until the reader has made use of all that was sent, which its coming back for more shows. Fails when the operation is
    /// cancelled before that.
    pub(crate) async fn until_read(&self) -> Result<()> {
        self.reading().await?.await
    }

    /// The same in two: the question is sent, and what is returned is the waiting.
    pub(crate) async fn reading(&self) -> Result<impl Future<Output = Result<()>> + Send + 'static> {
        let (told, read) = oneshot::channel();
        or_cancelled(&self.cancel, self.put(Message::Read(told))).await?;
        let cancel = self.cancel.clone();
        Ok(async move { or_cancelled(&cancel, async { read.await.map_err(|_| Error::cancelled()) }).await })
    }

    /// Progress is dropped rather than waited for: a slow reader must not slow the work.
    pub(crate) fn progress(&self, progress: Progress) {
        let _ = self.events.try_send(Message::Event(Event::Progress(progress)));
    }
}
