//! What the operations on customers' security have in common: who asks, of how many tenants at a time, and how a tenant's answer is
//! told.

mod alerts;
mod scores;
mod summary;

pub(super) use alerts::start as alerts;
pub(super) use scores::start as scores;
pub(super) use summary::start as summary;

use super::audit::each::Ended;
use super::audit::item::Item;
use super::audit::wanted::Caller;
use crate::engine::{Engine, Session};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::graph::GraphApi;
use crate::operation::Sink;
use crate::request::Request;
use crate::token::{Refusals, Target, TokenRequest};
use crate::value::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Tenants at a time where nothing else is said.
const THROTTLE: usize = 32;

/// The fields of a request that [`Asking`] reads.
const FIELDS: [&str; 4] = ["credential", "environment", "throttle", "appOnly"];

/// Who asks Graph.
struct Asking {
    engine: Arc<Engine>,
    caller: Caller,
    refusals: Mutex<Refusals>,
}

impl Asking {
    /// `further` are the fields that the operation reads itself.
    fn read(session: &Session, request: &Request, further: &[&str]) -> Result<Self> {
        request.only(&[&FIELDS, further].concat())?;
        let mut caller = Caller::read(session, request)?;
        if request.opt_int("throttle")?.unwrap_or_default() == 0 {
            caller.throttle = THROTTLE;
        }
        // Said before anything is sent.
        caller.environment.endpoint(Service::Graph)?;
        Ok(Asking {
            engine: Arc::clone(session.engine()),
            caller,
            refusals: Mutex::default(),
        })
    }

    /// Signs in to Graph in the tenant of an item.
    async fn graph(&self, item: &Request) -> Result<GraphApi> {
        let environment = &self.caller.environment;
        let target = Target::resource(environment.resource(Service::Graph))?;
        let credential = Arc::clone(&self.caller.credential);
        let question = TokenRequest::new(Arc::clone(environment), credential, Item::tenant_of(item)?, target)
            .app_only(self.caller.app_only);
        let tokens = self.engine.tokens();
        if let Some(error) = self.refusals(|refusals| refusals.answer(&question)) {
            if tokens.cached(&question).is_none() {
                return Err(error);
            }
        }
        let answer = tokens.acquire(&question).await;
        self.refusals(|refusals| refusals.note(&answer));
        let tenant = answer?.tenant().clone();
        GraphApi::new(Arc::clone(&self.engine), question.for_tenant(tenant))
    }

    fn refusals<T>(&self, work: impl FnOnce(&mut Refusals) -> T) -> T {
        work(&mut self.refusals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What came of one tenant: its record, where there is one of the whole tenant, and what could not be had.
struct Answer {
    item: Item,
    count: u64,
    record: Option<Value>,
    failures: Vec<Error>,
}

impl Answer {
    fn of(item: Item, result: Result<Value>) -> Self {
        let (record, failures) = match result {
            Ok(record) => (Some(record), Vec::new()),
            Err(error) => (None, vec![error]),
        };
        Answer {
            item,
            count: u64::from(record.is_some()),
            record,
            failures,
        }
    }
}

impl Ended for Answer {
    fn records(&self) -> u64 {
        self.count
    }

    fn is_fresh(&self) -> bool {
        false
    }

    async fn send(self, sink: &Sink) -> Result<()> {
        for error in self.failures {
            let error = error.for_tenant(self.item.tenant.as_str());
            sink.failed(self.item.target(), error).await?;
        }
        match self.record {
            Some(record) => sink.record(record).await,
            None => Ok(()),
        }
    }
}

/// The start of a record: whose it is. `tenant` is the GUID.
fn about(item: &Item, api: &GraphApi) -> Value {
    Value::map()
        .with("item", item.number)
        .with("tenantId", api.tenant().as_str())
        .with("displayName", item.display_name.as_str())
}
