//! `rest_request`: one request of a user's own to many tenants, its answers as values, collections item by item; and `rest_batch`.

mod batch;
mod caller;

pub(super) use batch::start as batch;

use super::audit::item::Item;
use crate::engine::{Engine, Session};
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation, Sink};
use crate::request::Request;
use crate::rest::{method, Answer, Ask, Call, Headers};
use crate::token::{Refusals, Token, TokenRequest};
use crate::value::Value;
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use bytes::Bytes;
use caller::Caller;
use futures_util::stream::{FuturesUnordered, StreamExt};
use reqwest::Method;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tenants at a time where nothing else is said, and at most.
const THROTTLE: i64 = 16;
const MOST_AT_A_TIME: i64 = 64;
const PROGRESS_STEP: Duration = Duration::from_millis(200);

struct Settings {
    caller: Caller,
    ask: Ask,
    /// The items of a collection to its end, instead of the answer.
    all: bool,
}

/// What became of one tenant: the token that it was asked with, and whether its answer has been handed on.
type Ended = (Item, Result<Arc<Token>>, Result<()>);

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let own = ["method", "headers", "body", "bodyBytes", "all"];
    request.only(&[&caller::FIELDS[..], &own].concat())?;
    let settings = Settings {
        caller: Caller::read(session, request, THROTTLE, MOST_AT_A_TIME)?,
        ask: Ask {
            method: method(request.opt_text("method")?.unwrap_or("GET"))?,
            headers: Headers::read(request.texts("headers")?)?,
            body: body(request)?,
        },
        all: request.flag("all")?,
    };
    let is_get = settings.ask.method == Method::GET;
    if is_get && settings.ask.body.is_some() {
        return Err(Error::invalid("a GET has no body")
            .advise("Say with -Method what is to be done with the body, for example POST or PATCH."));
    }
    if settings.all && !is_get {
        return Err(Error::invalid("only what is read with GET is a collection").advise("Leave -All out."));
    }
    Ok(Operation::spawn(session, |context| run(context, settings)))
}

/// A text as it is, or bytes in base64.
fn body(request: &Request) -> Result<Option<Bytes>> {
    if let Some(text) = request.opt_text("body")? {
        return Ok(Some(Bytes::from(text.to_owned())));
    }
    let bytes = request
        .opt_secret("bodyBytes")?
        .map(|text| STANDARD.decode(text.expose()));
    let bytes = bytes
        .transpose()
        .map_err(|_| Error::invalid("the body is not base64"))?;
    Ok(bytes.map(Bytes::from))
}

async fn run(mut context: Context, settings: Settings) -> Result<()> {
    let (settings, engine) = (&settings, Arc::clone(&context.engine));
    let (sink, cancel) = (context.sink.clone(), context.cancel.clone());
    let mut refusals = Refusals::default();
    let mut count = Count::default();
    let mut open = true;
    let mut under_way = FuturesUnordered::new();
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some(ended) = under_way.next() => {
                let (item, token, outcome): Ended = ended;
                refusals.note(&token);
                if let Err(error) = outcome {
                    sink.failed(item.target(), error.for_tenant(item.tenant.as_str())).await?;
                }
                count.done += 1;
                count.show(&sink, settings, open);
            }
            next = context.input.next(), if open && under_way.len() < settings.caller.throttle => match next {
                None => open = false,
                Some(request) => {
                    count.taken += 1;
                    let question = settings.caller.question(&request).and_then(|question| {
                        let known = engine.tokens().cached(&question).is_some();
                        refusals.answer(&question).filter(|_| !known).map_or(Ok(question), Err)
                    });
                    let (engine, sink) = (&*engine, &sink);
                    under_way.push(async move { settings.tenant(engine, sink, Item::read(&request), question).await });
                }
            },
        }
    }
    count.finish(&sink, settings);
    Ok(())
}

impl Settings {
    async fn tenant(&self, engine: &Engine, sink: &Sink, item: Item, question: Result<TokenRequest>) -> Ended {
        let question = match question {
            Ok(question) => question,
            Err(error) => return (item, Err(error.clone()), Err(error)),
        };
        match engine.tokens().acquire(&question).await {
            Ok(token) => {
                let outcome = self.ask(engine, sink, &item, &question, &token).await;
                (item, Ok(token), outcome)
            }
            Err(error) => (item, Err(error.clone()), Err(error)),
        }
    }

    async fn ask(
        &self,
        engine: &Engine,
        sink: &Sink,
        item: &Item,
        question: &TokenRequest,
        token: &Token,
    ) -> Result<()> {
        let tenant = token.tenant().as_str();
        let url = self.caller.place.address(tenant)?;
        let call = Call {
            engine,
            token: question,
            ask: &self.ask,
        };
        let record = |body: Value| {
            Value::map()
                .with("item", item.number)
                .with("tenantId", tenant)
                .with("displayName", item.display_name.as_str())
                .with("body", body)
        };
        if !self.all {
            return match call.answer(&url).await? {
                Answer::Nothing => Ok(()),
                Answer::Content(body) => sink.record(record(body)).await,
            };
        }
        let mut given = 0u64;
        let read = call.all(url, |body| {
            given += 1;
            sink.record(record(body))
        });
        match read.await {
            Err(error) if given > 0 && !error.is_cancelled() => {
                let advice = format!("What came before, {given} items, was given. {}", error.advice());
                Err(error.advise(advice))
            }
            read => read,
        }
    }
}

/// Progress over the tenants; none for a single one.
#[derive(Default)]
struct Count {
    taken: i64,
    done: i64,
    shown: Option<Instant>,
}

impl Count {
    fn show(&mut self, sink: &Sink, settings: &Settings, open: bool) {
        if self.taken < 2 || self.shown.is_some_and(|shown| shown.elapsed() < PROGRESS_STEP) {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = (!open).then(|| 100 * self.done / self.taken);
        sink.progress(self.line(settings, percent, false));
    }

    fn finish(&self, sink: &Sink, settings: &Settings) {
        if self.shown.is_some() {
            sink.progress(self.line(settings, Some(100), true));
        }
    }

    fn line(&self, settings: &Settings, percent: Option<i64>, completed: bool) -> Progress {
        Progress {
            id: 0,
            parent: -1,
            activity: format!("Asking {}", settings.caller.place.authority()),
            status: format!("{} of {} tenants", self.done, self.taken),
            percent,
            completed,
        }
    }
}
