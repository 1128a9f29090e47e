//! Signing in to one service of many tenants, and what comes of each.

use super::audit::each::{Ended, Task};
use super::audit::item::Item;
use super::audit::wanted::Caller;
use crate::engine::{Engine, Session};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::exchange::AdminApi;
use crate::graph::GraphApi;
use crate::operation::Sink;
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{SharedRefusals, Target, TokenRequest};
use crate::value::Value;
use std::sync::Arc;

/// The fields of a request that [`Asking`] reads.
const FIELDS: [&str; 4] = ["credential", "environment", "throttle", "appOnly"];

/// Who asks one service of many tenants.
pub(super) struct Asking {
    engine: Arc<Engine>,
    pub(super) caller: Caller,
    service: Service,
    refusals: SharedRefusals,
}

impl Asking {
    /// `further` are the fields that the operation reads itself; `throttle` is how many tenants are asked at a time where nothing is
    /// said.
    pub(super) fn read(
        session: &Session,
        request: &Request,
        further: &[&str],
        service: Service,
        throttle: usize,
    ) -> Result<Self> {
        request.only(&[&FIELDS, further].concat())?;
        let mut caller = Caller::read(session, request)?;
        if request.opt_int("throttle")?.unwrap_or_default() == 0 {
            caller.throttle = throttle;
        }
        // Said before anything is sent.
        caller.environment.endpoint(service)?;
        Ok(Asking {
            engine: Arc::clone(session.engine()),
            caller,
            service,
            refusals: SharedRefusals::default(),
        })
    }

    /// Signs in to Graph in a tenant.
    pub(super) async fn graph(&self, task: &Task) -> Result<GraphApi> {
        let (question, _) = self.sign_in(task).await?;
        GraphApi::new(Arc::clone(&self.engine), question)
    }

    /// Signs in to Exchange Online in a tenant.
    pub(super) async fn exchange(&self, task: &Task) -> Result<AdminApi> {
        let (question, tenant) = self.sign_in(task).await?;
        AdminApi::new(Arc::clone(&self.engine), question, tenant)
    }

    /// Gets the token, and the GUID of the tenant with it.
    async fn sign_in(&self, task: &Task) -> Result<(TokenRequest, TenantId)> {
        let environment = &self.caller.environment;
        let target = Target::resource(environment.resource(self.service))?;
        let credential = Arc::clone(&self.caller.credential);
        let question = TokenRequest::new(
            Arc::clone(environment),
            credential,
            Item::tenant_of(&task.request)?,
            target,
        )
        .app_only(self.caller.app_only);
        let token = self.refusals.acquire(self.engine.tokens(), &question);
        let token = task.meter.watch(self.engine.first_wait(), token).await?;
        let tenant = token.tenant().clone();
        Ok((question.for_tenant(tenant.clone()), tenant))
    }
}

/// What came of one tenant: its record, where there is one of the whole tenant, and what could not be had.
pub(super) struct Answer {
    pub(super) item: Item,
    pub(super) count: u64,
    pub(super) record: Option<Value>,
    pub(super) failures: Vec<Error>,
}

impl Answer {
    pub(super) fn of(item: Item, result: Result<Value>) -> Self {
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
