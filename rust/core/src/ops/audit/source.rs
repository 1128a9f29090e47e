//! A tenant that has been signed in to, and the source of its records.

use super::from::From;
use super::wanted::{Caller, Wanted};
use crate::audit::exchange::Search;
use crate::audit::feed::{Feed, Since};
use crate::audit::graph::{Queries, Reports};
use crate::audit::meter::Meter;
use crate::audit::Window;
use crate::engine::Engine;
use crate::error::Result;
use crate::exchange::AdminApi;
use crate::graph::GraphApi;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use std::sync::Arc;

/// The source, whichever it is.
pub(crate) enum Opened {
    Feed(Feed),
    Search(Search),
    Queries(Queries),
    Reports(Reports),
}

pub(crate) struct SignedIn {
    engine: Arc<Engine>,
    token: TokenRequest,
    /// As its GUID, which the addresses of services need.
    tenant: TenantId,
    /// The GUID of the company that asks, which the feed wants to know.
    publisher: String,
}

impl SignedIn {
    /// Gets a token for `from` in `tenant`.
    pub(crate) async fn new(engine: &Arc<Engine>, caller: &Caller, from: From, tenant: TenantId) -> Result<Self> {
        let environment = &caller.environment;
        let credential = Arc::clone(&caller.credential);
        let target = Target::resource(environment.resource(from.service()))?;
        let token = TokenRequest::new(Arc::clone(environment), credential, tenant, target).app_only(caller.app_only);
        let tokens = engine.tokens();
        let guid = tokens.acquire(&token).await?.tenant().clone();
        let publisher = match caller.credential.home_tenant() {
            Some(home) if from == From::Feed => tokens.resolve(environment, home).await?.to_string(),
            _ => guid.to_string(),
        };
        Ok(SignedIn {
            engine: Arc::clone(engine),
            token: token.for_tenant(guid.clone()),
            tenant: guid,
            publisher,
        })
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Exchange Online of the tenant, where that was signed in to.
    pub(crate) fn exchange(self) -> Result<AdminApi> {
        AdminApi::new(self.engine, self.token, self.tenant)
    }

    /// `since` is what is known of the tenant's subscriptions; only the feed has any. `meter` is told when the tenant can only wait.
    pub(crate) fn open(self, wanted: &Wanted, window: Window, since: Arc<Since>, meter: &Arc<Meter>) -> Result<Opened> {
        let first_wait = self.engine.first_wait();
        let meter = Arc::clone(meter);
        let held_up = move |held_up| meter.set_held_up(held_up);
        match wanted.from {
            From::Feed => {
                Feed::new(self.engine, self.token, self.tenant, self.publisher, since, held_up).map(Opened::Feed)
            }
            From::Exchange => {
                let filter = wanted.filter.exchange.clone();
                let api = self.exchange()?.paced(held_up);
                Ok(Opened::Search(Search::new(api, filter, first_wait)))
            }
            From::Graph => {
                let api = GraphApi::new(self.engine, self.token)?;
                Ok(Opened::Queries(Queries::new(
                    api,
                    wanted.filter.graph.clone(),
                    window,
                    held_up,
                )))
            }
            From::Report(kind) => {
                let api = GraphApi::new(self.engine, self.token)?;
                Ok(Opened::Reports(Reports::new(api, kind, held_up)))
            }
        }
    }
}
