//! One tenant's Microsoft Graph: addresses, and requests that carry its token.

use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::{authorized, random_id, Budget, Pace, Reply, RequestSpec, Retry};
use crate::tenant::TenantId;
use crate::token::TokenRequest;
use reqwest::header::HeaderName;
use std::sync::Arc;
use url::Url;

/// The reports are throttled to five requests in ten seconds, mostly without a word how long to wait ("Throttling limits").
const PATIENCE: Retry = Retry::PATIENT;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct GraphApi {
    engine: Arc<Engine>,
    token: TokenRequest,
    endpoint: Url,
    pace: Option<Arc<Pace>>,
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
            pace: None,
        })
    }

    /// The same, with at most so many requests at a time, and as many as the tenant answers well. `held_up` is told when they can
    /// only wait, and when they go on.
    pub(crate) fn paced(self, most: usize, held_up: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let refuses = |reply: &Reply| reply.status() == 429;
        let pace = Pace::new(most, self.engine.first_wait(), refuses, None, held_up);
        GraphApi {
            pace: Some(pace),
            ..self
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn token(&self) -> &TokenRequest {
        &self.token
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        self.token.tenant()
    }

    /// `path` begins with the version: `v1.0/auditLogs/signIns`.
    pub(crate) fn address(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self
            .endpoint
            .join(path)
            .map_err(|cause| Error::internal(format!("'{path}' is no path: {cause}")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(crate) async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        authorized(&self.engine, &self.token, self.asked(spec)?).await
    }

    /// With an id by which the service finds it, and as patient as Graph wants its callers. It draws on the operation's stock of
    /// retries, less what throttling costs: here that is the rule, tenant by tenant.
    pub(crate) fn asked(&self, spec: RequestSpec) -> Result<RequestSpec> {
        let id = HeaderName::from_static("client-request-id");
        Ok(spec
            .header(id, &random_id()?)?
            .retry(PATIENCE)
            .pace(self.pace.as_ref())
            .budget(self.token.budget().cloned().map(Budget::free_of_throttling)))
    }

    /// The error that a failed reply stands for. A 403 names the permissions, any of which would do: "Directory.Read.All".
    #[cold]
    pub(crate) fn refused(&self, reply: &Reply, action: &str, permissions: &str) -> Error {
        let error = reply.error(action).for_tenant(self.tenant().as_str());
        if error.kind() != Kind::Denied {
            return error;
        }
        error.advise(format!(
            "Give the application the permission {permissions} of Microsoft Graph and consent to it in this tenant."
        ))
    }
}
