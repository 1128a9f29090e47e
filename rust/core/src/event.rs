//! Everything an operation can say while it runs.

use crate::error::Error;
use crate::value::Value;

#[derive(Clone, Debug)]
pub enum Event {
    /// One result.
    Record(Value),
    /// One item of the input failed; the rest goes on.
    Failed(Failure),
    /// Something that the user should change.
    Warning(String),
    /// What is being done.
    Verbose(String),
    /// Protocol detail, without secrets.
    Debug(String),
    Progress(Progress),
    /// Something that the user must do now for the work to go on.
    Prompt(Prompt),
}

/// What the user must do. Whoever shows it shows `message`; the rest is for doing it for them.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub kind: PromptKind,
    pub message: String,
    /// The address to open.
    pub url: String,
    /// What to enter there; empty where nothing is.
    pub user_code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Sign in at the address; the answer arrives by itself.
    Browser,
    /// Sign in at the address and hand over the address that the browser ends at, as an item of the operation's input.
    Paste,
    /// Enter the code at the address, on any machine.
    Device,
}

impl PromptKind {
    fn key(self) -> &'static str {
        match self {
            PromptKind::Browser => "browser",
            PromptKind::Paste => "paste",
            PromptKind::Device => "device",
        }
    }
}

/// `target` is the map that names the failed item (`item`, `tenant`, `resource`, ..).
#[derive(Clone, Debug)]
pub struct Failure {
    pub target: Value,
    pub error: Error,
}

/// One line of progress. `id` 0 is the whole; an item's line has its own id and `parent` 0.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub id: i64,
    /// -1 for the whole.
    pub parent: i64,
    pub activity: String,
    pub status: String,
    /// 0 to 100; `None` where the end is not known.
    pub percent: Option<i64>,
    /// The line is finished and should disappear.
    pub completed: bool,
}

impl Event {
    /// The number that the ABI uses for this kind of event.
    pub fn code(&self) -> u32 {
        match self {
            Event::Record(_) => 1,
            Event::Failed(_) => 2,
            Event::Warning(_) => 3,
            Event::Verbose(_) => 4,
            Event::Debug(_) => 5,
            Event::Progress(_) => 6,
            Event::Prompt(_) => 7,
        }
    }

    pub fn into_value(self) -> Value {
        match self {
            Event::Record(value) => value,
            Event::Failed(failure) => Value::map()
                .with("target", failure.target)
                .with("error", failure.error.to_value()),
            Event::Warning(text) | Event::Verbose(text) | Event::Debug(text) => Value::Text(text),
            Event::Progress(progress) => Value::map()
                .with("id", progress.id)
                .with("parent", progress.parent)
                .with("activity", progress.activity)
                .with("status", progress.status)
                .with("percent", progress.percent)
                .with("completed", progress.completed),
            Event::Prompt(prompt) => Value::map()
                .with("kind", prompt.kind.key())
                .with("message", prompt.message)
                .with("url", prompt.url)
                .with("userCode", prompt.user_code),
        }
    }
}
