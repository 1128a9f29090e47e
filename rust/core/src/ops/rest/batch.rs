//! `rest_batch`: requests as they come, of one tenant or many, 20 in each request that Graph gets.

use super::caller::{self, Caller};
use crate::engine::{Engine, Session};
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation, Sink};
use crate::request::{Field, Request};
use crate::rest::batch::{send, Item, Outcome, Queue, LARGEST};
use crate::token::TokenRequest;
use crate::value::Value;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// Batches at a time where nothing else is said, and at most.
const THROTTLE: i64 = 4;
const MOST_AT_A_TIME: i64 = 20;
/// Requests that wait in all before no more of the input is taken.
const MOST_WAITING: usize = 2_000;

/// One tenant's requests, under the name that the input has for it.
#[derive(Default)]
struct Lane {
    name: String,
    queue: Queue,
    /// The tenant's GUID, once there was a token for it.
    tenant: Option<String>,
}

/// What a lane waits for.
enum Step {
    Sent(usize, Option<String>, Outcome),
    /// What was told to wait may be sent again.
    Rested(usize, Vec<Item>),
}

struct Lanes {
    engine: Arc<Engine>,
    sink: Sink,
    caller: Arc<Caller>,
    lanes: Vec<Lane>,
    names: HashMap<String, usize>,
    under_way: FuturesUnordered<BoxFuture<'static, Step>>,
    sending: usize,
    taken: i64,
    done: i64,
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&caller::FIELDS)?;
    let caller = Caller::read(session, request, THROTTLE, MOST_AT_A_TIME)?;
    Ok(Operation::spawn(session, |context| run(context, caller)))
}

async fn run(mut context: Context, caller: Caller) -> Result<()> {
    let cancel = context.cancel.clone();
    let mut lanes = Lanes {
        engine: Arc::clone(&context.engine),
        sink: context.sink.clone(),
        caller: Arc::new(caller),
        lanes: Vec::new(),
        names: HashMap::new(),
        under_way: FuturesUnordered::new(),
        sending: 0,
        taken: 0,
        done: 0,
    };
    let mut open = true;
    while open || !lanes.under_way.is_empty() {
        // What waits may wait for something that is still to come.
        let room = lanes.waiting() < MOST_WAITING || lanes.under_way.is_empty();
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some(step) = lanes.under_way.next() => lanes.step(step, open).await?,
            next = context.input.next(), if open && room => match next {
                None => open = false,
                Some(request) => lanes.take(&request).await?,
            },
        }
        lanes.fill(open);
    }
    lanes.end().await
}

impl Lanes {
    fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.queue.len()).sum()
    }

    async fn take(&mut self, request: &Request) -> Result<()> {
        self.taken += 1;
        let number = request.opt_int("item").ok().flatten().unwrap_or_default();
        let name = request.opt_text("tenant").ok().flatten().unwrap_or_default();
        let item = request
            .only(&["item", "tenant", "id", "method", "url", "headers", "body", "dependsOn"])
            .and_then(|()| Item::read(request, number));
        let item = match item {
            Ok(item) => item,
            Err(error) => return self.refuse(name, number, "", error).await,
        };
        let at = self.lane(name);
        let name = name.to_owned();
        match self.lanes[at].queue.add(item) {
            Ok(()) => Ok(()),
            Err(refused) => {
                let (item, error) = *refused;
                self.refuse(&name, item.number, &item.id, error).await
            }
        }
    }

    /// INVARIANT: a lane keeps its place.
    fn lane(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.get(name) {
            return *at;
        }
        self.lanes.push(Lane {
            name: name.to_owned(),
            ..Lane::default()
        });
        let at = self.lanes.len() - 1;
        self.names.insert(name.to_owned(), at);
        at
    }

    /// Sends what can be sent: whole batches while more may come, and the rest once nothing does.
    fn fill(&mut self, open: bool) {
        for at in 0..self.lanes.len() {
            while self.sending < self.caller.throttle {
                let lane = &mut self.lanes[at];
                if lane.queue.is_empty() || (open && lane.queue.len() < LARGEST) {
                    break;
                }
                let batch = lane.queue.take();
                if batch.is_empty() {
                    break;
                }
                self.sending += 1;
                let (engine, caller, name) = (Arc::clone(&self.engine), Arc::clone(&self.caller), lane.name.clone());
                self.under_way.push(Box::pin(async move {
                    match door(&engine, &caller, &name).await {
                        Ok((question, url)) => {
                            let tenant = question.tenant().to_string();
                            Step::Sent(at, Some(tenant), send(&engine, &question, &url, batch).await)
                        }
                        Err(error) => Step::Sent(at, None, Outcome::failed(batch, &error)),
                    }
                }));
            }
        }
    }

    async fn step(&mut self, step: Step, open: bool) -> Result<()> {
        match step {
            Step::Sent(at, tenant, Outcome { answers, again, wait }) => {
                self.sending -= 1;
                self.lanes[at].tenant = tenant.or(self.lanes[at].tenant.take());
                self.answers(at, answers).await?;
                if !again.is_empty() {
                    self.under_way.push(Box::pin(async move {
                        tokio::time::sleep(wait).await;
                        Step::Rested(at, again)
                    }));
                }
            }
            Step::Rested(at, items) => {
                for item in items.into_iter().rev() {
                    self.lanes[at].queue.again(item);
                }
            }
        }
        self.show(open, false);
        Ok(())
    }

    async fn answers(&mut self, at: usize, answers: Vec<(Item, Result<Value>)>) -> Result<()> {
        for (item, answer) in answers {
            let unmet = self.lanes[at].queue.answered(&item.id, answer.is_ok());
            match answer {
                Ok(value) => {
                    let record = Value::map()
                        .with("item", item.number)
                        .with("tenantId", self.lanes[at].tenant.as_deref())
                        .with("id", item.id.as_str())
                        .with("method", item.method.as_str())
                        .with("url", item.url.as_str())
                        .with("answer", value);
                    self.done += 1;
                    self.sink.record(record).await?;
                }
                Err(error) => self.refused(at, &item, error).await?,
            }
            for (item, error) in unmet {
                self.refused(at, &item, error).await?;
            }
        }
        Ok(())
    }

    async fn refused(&mut self, at: usize, item: &Item, error: Error) -> Result<()> {
        let name = self.lanes[at].name.clone();
        let tenant = self.lanes[at].tenant.clone().unwrap_or_else(|| name.clone());
        self.refuse(&name, item.number, &item.id, error.for_tenant(tenant))
            .await
    }

    async fn refuse(&mut self, tenant: &str, number: i64, id: &str, error: Error) -> Result<()> {
        self.done += 1;
        let target = Value::map().with("item", number).with("tenant", tenant).with("id", id);
        self.sink.failed(target, error).await
    }

    async fn end(mut self) -> Result<()> {
        for at in 0..self.lanes.len() {
            for (item, error) in self.lanes[at].queue.stuck() {
                self.refused(at, &item, error).await?;
            }
        }
        self.show(false, true);
        if self.done == self.taken {
            return Ok(());
        }
        Err(Error::new(
            Kind::Internal,
            format!("{} of {} requests have no answer", self.taken - self.done, self.taken),
        ))
    }

    fn show(&self, open: bool, completed: bool) {
        self.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: "Sending batches".to_owned(),
            status: format!("{} of {} requests", self.done, self.taken),
            percent: (!open && self.taken > 0).then(|| 100 * self.done / self.taken),
            completed,
        });
    }
}

/// The question for a tenant's token and the address of its batches. The first batch asks for the token, whose tenant may be
/// part of the address; the others have it from the cache.
async fn door(engine: &Engine, caller: &Caller, name: &str) -> Result<(TokenRequest, Url)> {
    let mut item = Request::new("tenant");
    if !name.is_empty() {
        item.set("tenant", Field::Text(name.to_owned()));
    }
    let question = caller.question(&item)?;
    let token = engine.tokens().acquire(&question).await?;
    let url = caller.place.address(token.tenant().as_str())?;
    Ok((question.for_tenant(token.tenant().clone()), url))
}
