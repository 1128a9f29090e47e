//! `mail_send`: one message, with files and with a report on exports, which are the operation's input.
//!
//! What can be attached is; where that is too much, the message says where the files are instead of not being sent.

mod compose;
mod request;

use crate::engine::{Engine, Session};
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::graph::GraphApi;
use crate::mail::report::Export;
use crate::mail::{files, is_too_large, Draft, File, Mailbox, Message};
use crate::operation::{Context, Operation, Sink};
use crate::request::Request;
use crate::value::Value;
use compose::Omitted;
use request::Wanted;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const ACTIVITY: &str = "Sending mail";

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let wanted = Wanted::read(session, request)?;
    Ok(Operation::spawn(session, |context| run(context, wanted)))
}

async fn run(mut context: Context, wanted: Wanted) -> Result<()> {
    let mut exports = Vec::new();
    let cancel = context.cancel.clone();
    loop {
        let next = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            next = context.input.next() => next,
        };
        match next {
            Some(item) => exports.push(Export::read(&item)?),
            None => break,
        }
    }
    let sender = Sender {
        engine: Arc::clone(&context.engine),
        sink: context.sink.clone(),
        wanted,
        exports,
        draft: Mutex::default(),
    };
    let result = context.or_cancelled(sender.send()).await;
    sender.progress("", None, true);
    if result.is_err() {
        sender.tidy_up().await;
    }
    context.sink.record(result?).await
}

/// A message on its way.
struct Sender {
    engine: Arc<Engine>,
    sink: Sink,
    wanted: Wanted,
    exports: Vec<Export>,
    /// What lies in the mailbox and was not sent.
    draft: Mutex<Option<(GraphApi, Draft)>>,
}

impl Sender {
    async fn send(&self) -> Result<Value> {
        self.progress("looking at the files", None, false);
        let (attached, mut omitted) = self.files()?;
        let api = self.sign_in().await?;
        let mailbox = Mailbox::new(api.clone(), self.user());
        let whole = self.message(&omitted);
        let in_pieces = !whole.fits_one_request(&attached);
        let outcome = if in_pieces {
            self.send_in_pieces(&api, &mailbox, &whole, &attached).await
        } else {
            self.progress("sending", None, false);
            mailbox.send_at_once(&whole, &attached).await
        };
        match outcome {
            Ok(()) => return self.done(&attached, &omitted).await,
            // The mailbox takes no message of this size, or large files take a permission that sending does not.
            Err(error)
                if !attached.is_empty() && (is_too_large(&error) || in_pieces && error.kind() == Kind::Denied) =>
            {
                omitted.push(Omitted {
                    files: attached.iter().map(|file| file.path.clone()).collect(),
                    reason: error.told(),
                });
            }
            Err(error) => return Err(error),
        }
        self.tidy_up().await;
        self.progress("sending without the files", None, false);
        mailbox.send_at_once(&self.message(&omitted), &[]).await?;
        self.done(&[], &omitted).await
    }

    /// What is attached, and what cannot be.
    fn files(&self) -> Result<(Vec<File>, Vec<Omitted>)> {
        let mut groups = Vec::new();
        for path in &self.wanted.attachments {
            groups.push(vec![File::look_at(path, None)?]);
        }
        let mut omitted = Vec::new();
        for export in &self.exports {
            let Some(path) = &export.path else { continue };
            match files::of_export(path) {
                Ok(files) if files.is_empty() => {}
                Ok(files) => groups.push(files),
                // A report says what there is to say all the same.
                Err(error) => omitted.push(Omitted {
                    files: vec![path.clone()],
                    reason: error.message().to_owned(),
                }),
            }
        }
        let (fit, left) = files::fitting(groups);
        if !left.is_empty() {
            omitted.push(Omitted {
                files: left.into_iter().flatten().map(|file| file.path).collect(),
                reason: "they are too large or too many for a message".to_owned(),
            });
        }
        Ok((fit, omitted))
    }

    fn message(&self, omitted: &[Omitted]) -> Message {
        let folders = self.exports.iter().filter_map(|export| export.path.as_deref());
        let folders: Vec<_> = folders.collect();
        compose::message(&self.wanted, &self.exports, &compose::places(omitted, &folders))
    }

    async fn sign_in(&self) -> Result<GraphApi> {
        let token = self.wanted.token()?;
        // First of all: what fails here was certainly not sent.
        let guid = self.engine.tokens().acquire(&token).await?.tenant().clone();
        GraphApi::new(Arc::clone(&self.engine), token.for_tenant(guid))
    }

    /// The mailbox that is used; the signed-in user's own where nobody is named.
    fn user(&self) -> Option<&str> {
        self.wanted.message.from.as_ref().map(|from| from.address.as_str())
    }

    async fn send_in_pieces(&self, api: &GraphApi, mailbox: &Mailbox, message: &Message, files: &[File]) -> Result<()> {
        self.progress("making a draft", None, false);
        let draft = mailbox.draft(message).await?;
        self.hold(Some((api.clone(), draft.clone())));
        let all: u64 = files.iter().map(|file| file.size).sum::<u64>().max(1);
        let mut before = 0;
        for file in files {
            let told = |there: u64| {
                let percent = i64::try_from(100 * (before + there) / all).unwrap_or_default();
                self.progress(&format!("attaching {}", file.name), Some(percent), false);
            };
            mailbox.attach_file(&draft, file, &told).await?;
            before += file.size;
        }
        self.progress("sending", Some(100), false);
        // From here on it may be on its way, and is nobody's to delete.
        let held = self.hold(None);
        let sent = mailbox.send(&draft).await;
        if sent.as_ref().is_err_and(is_too_large) {
            self.hold(held);
        }
        sent
    }

    fn hold(&self, draft: Option<(GraphApi, Draft)>) -> Option<(GraphApi, Draft)> {
        std::mem::replace(&mut *self.draft.lock().unwrap_or_else(PoisonError::into_inner), draft)
    }

    /// Takes away a draft that will not be sent. It is only a draft: a failure changes nothing of the outcome.
    async fn tidy_up(&self) {
        if let Some((api, draft)) = self.hold(None) {
            let _ = Mailbox::new(api, self.user()).discard(&draft).await;
        }
    }

    async fn done(&self, attached: &[File], omitted: &[Omitted]) -> Result<Value> {
        let left: Vec<PathBuf> = omitted.iter().flat_map(|omitted| omitted.files.clone()).collect();
        let reason: Vec<&str> = omitted.iter().map(|omitted| omitted.reason.as_str()).collect();
        if !left.is_empty() {
            let text = format!(
                "The message was sent without {}: {}. It says where they are.",
                if left.len() == 1 {
                    "one of the files".to_owned()
                } else {
                    format!("{} of the files", left.len())
                },
                reason.join("; ")
            );
            self.sink.warning(text).await?;
        }
        let message = &self.wanted.message;
        let addresses =
            |list: &[crate::mail::Address]| -> Vec<String> { list.iter().map(|to| to.address.clone()).collect() };
        let paths =
            |paths: Vec<PathBuf>| -> Vec<String> { paths.iter().map(|path| path.display().to_string()).collect() };
        Ok(Value::map()
            .with("from", self.user().map(str::to_owned))
            .with("to", addresses(&message.to))
            .with("cc", addresses(&message.cc))
            .with("bcc", addresses(&message.bcc))
            .with("subject", message.subject.as_str())
            .with(
                "attached",
                paths(attached.iter().map(|file| file.path.clone()).collect()),
            )
            .with("omitted", paths(left))
            .with("reason", (!reason.is_empty()).then(|| reason.join("; "))))
    }

    fn progress(&self, status: &str, percent: Option<i64>, completed: bool) {
        self.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: ACTIVITY.to_owned(),
            status: status.to_owned(),
            percent,
            completed,
        });
    }
}
