//! One tenant's Microsoft Graph.

use super::explain;
use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::http::{authorized, random_id, Budget, Reply, RequestSpec, Retry};
use crate::odata::{Collection, Pages};
use crate::tenant::TenantId;
use crate::token::TokenRequest;
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The reports are throttled to five requests in ten seconds, mostly without a word how long to wait ("Throttling limits").
const PATIENCE: Retry = Retry {
    repeats: 10,
    waits: Duration::from_secs(600),
    budget: None,
};

/// The operation's, less what throttling costs: here it is the rule, tenant by tenant.
fn budget(token: &TokenRequest) -> Option<Budget> {
    token.budget().cloned().map(Budget::free_of_throttling)
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct GraphApi {
    engine: Arc<Engine>,
    token: TokenRequest,
    endpoint: Url,
}

impl GraphApi {
    /// `token` must be for Microsoft Graph in its tenant.
    pub(crate) fn new(engine: Arc<Engine>, token: TokenRequest) -> Result<Self> {
        let endpoint = token.environment().endpoint(Service::Graph)?;
        let endpoint =
            Url::parse(endpoint).map_err(|cause| Error::invalid(format!("'{endpoint}' is not an address: {cause}")))?;
        Ok(GraphApi {
            engine,
            token,
            endpoint,
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn tenant(&self) -> &TenantId {
        self.token.tenant()
    }

    /// `path` begins with the version: `v1.0/auditLogs/signIns`.
    pub(super) fn address(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self
            .endpoint
            .join(path)
            .map_err(|cause| Error::internal(format!("'{path}' is no path: {cause}")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(super) async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        let id = HeaderName::from_static("client-request-id");
        let spec = spec
            .header(id, &random_id()?)?
            .retry(PATIENCE)
            .budget(budget(&self.token));
        authorized(&self.engine, &self.token, spec).await
    }

    /// `what` reads like "the sign-ins"; it needs one of `permissions`.
    pub(super) fn pages(&self, what: &'static str, permissions: &'static str, first: Url) -> Pages<List> {
        let list = List {
            api: self.clone(),
            what,
            permissions,
        };
        Pages::new(list, first)
    }
}

/// A collection that is read with GET.
pub(super) struct List {
    api: GraphApi,
    what: &'static str,
    permissions: &'static str,
}

impl Collection for List {
    fn engine(&self) -> &Engine {
        &self.api.engine
    }

    fn token(&self) -> &TokenRequest {
        &self.api.token
    }

    fn name(&self) -> String {
        format!("the list of {}", self.what)
    }

    fn request(&self, url: &Url, _page: u32) -> Result<RequestSpec> {
        let id = HeaderName::from_static("client-request-id");
        Ok(RequestSpec::get(url.as_str())?
            .header(id, &random_id()?)?
            .retry(PATIENCE)
            .budget(budget(&self.api.token)))
    }

    fn refused(&self, reply: &Reply) -> Error {
        explain::refusal(
            reply,
            &format!("list {}", self.what),
            self.permissions,
            self.api.tenant(),
        )
    }

    fn is_repeatable(&self, _page: u32) -> bool {
        true
    }
}
