//! The directory of one tenant, as its administrator is let in: by a credential, or by an access token that was brought along.

use crate::engine::Engine;
use crate::environment::{Environment, Service};
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::graph::GraphApi;
use crate::http::{random_id, Reply, RequestSpec, Retry};
use crate::jwt;
use crate::odata::{self, MOST_PAGES};
use crate::operation::Sink;
use crate::request::Request;
use crate::secret::Secret;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use reqwest::header::HeaderName;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::Value as Json;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// How long a new object may take until all of the service knows it. Reports go from seconds to two minutes.
pub(super) const REPLICATION: Duration = Duration::from_secs(180);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

/// The fields of a request that say who asks.
pub(crate) const FIELDS: [&str; 5] = ["credential", "accessToken", "environment", "tenant", "appOnly"];

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registrar {
    engine: Arc<Engine>,
    environment: Arc<Environment>,
    endpoint: Url,
    tenant: TenantId,
    by: By,
    sink: Sink,
    activity: &'static str,
}

#[derive(Clone)]
enum By {
    Credential(Box<GraphApi>),
    Token(Secret),
}

/// Who asks, before anything is sent.
pub(crate) struct Caller {
    environment: Arc<Environment>,
    tenant: TenantId,
    who: Who,
}

enum Who {
    Credential(Box<TokenRequest>),
    /// A token, and the domain that its tenant has to have.
    Token(Secret, Option<TenantId>),
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    aud: String,
    #[serde(default)]
    exp: i64,
    tid: String,
}

impl Caller {
    /// Reads [`FIELDS`].
    pub(crate) fn read(engine: &Engine, request: &Request) -> Result<Self> {
        let environments = engine.environments();
        let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
        environment.endpoint(Service::Graph)?;
        let asked = request.opt_text("tenant")?.map(TenantId::parse).transpose()?;
        if let Some(token) = request.opt_secret("accessToken")? {
            if request.opt_credential("credential")?.is_some() {
                return Err(Error::invalid("both a credential and an access token were given")
                    .advise("Use -Credential or -AccessToken."));
            }
            return Caller::with_token(engine, environment, asked, token);
        }
        let credential = Arc::clone(request.credential("credential")?);
        let tenant = match asked.or_else(|| credential.own_tenant()) {
            Some(tenant) => tenant,
            None if credential.has_refresh_token() => TenantId::parse("organizations")?,
            None => {
                return Err(Error::invalid("it is not known in which tenant the application is")
                    .advise("Give -TenantId, or make the credential with the tenant that it belongs to."))
            }
        };
        let target = Target::resource(environment.resource(Service::Graph))?;
        let token = TokenRequest::new(Arc::clone(&environment), credential, tenant.clone(), target);
        Ok(Caller {
            environment,
            tenant,
            who: Who::Credential(Box::new(token.app_only(request.flag("appOnly")?))),
        })
    }

    fn with_token(
        engine: &Engine,
        environment: Arc<Environment>,
        asked: Option<TenantId>,
        token: &Secret,
    ) -> Result<Self> {
        let token = Secret::from(token.expose().trim());
        let refuse = |what: String, advice: &str| Err(Error::invalid(what).advise(advice));
        let Some(claims) = jwt::known_claims::<Claims>(token.expose()) else {
            return refuse(
                "-AccessToken is no access token whose content can be read".to_owned(),
                "Give the token as the sign-in service issued it.",
            );
        };
        if claims.exp.saturating_mul(1000) <= engine.clock().now_ms() {
            return refuse("the access token has ended".to_owned(), "Get a new one.");
        }
        let audience = claims.aud.trim_end_matches('/');
        let graph = environment.resource(Service::Graph).trim_end_matches('/');
        if !audience.eq_ignore_ascii_case(graph) && audience != GRAPH_ID {
            return refuse(
                format!("the access token is for {audience}, not for Microsoft Graph"),
                "Get one for Microsoft Graph: a token is good for one API.",
            );
        }
        let tenant = TenantId::parse(&claims.tid)?;
        let domain = match asked {
            Some(asked) if asked.guid().is_none() => Some(asked),
            Some(asked) if asked.guid() != tenant.guid() => return Err(elsewhere(&tenant, &asked)),
            _ => None,
        };
        Ok(Caller {
            environment,
            tenant,
            who: Who::Token(token, domain),
        })
    }

    /// Signs in.
    pub(crate) async fn sign_in(self, engine: &Arc<Engine>, sink: &Sink, activity: &'static str) -> Result<Registrar> {
        let (tenant, by) = match self.who {
            Who::Credential(token) => {
                let tenant = engine.tokens().acquire(&token).await?.tenant().clone();
                let api = GraphApi::new(Arc::clone(engine), token.for_tenant(tenant.clone()))?;
                (tenant, By::Credential(Box::new(api)))
            }
            Who::Token(token, domain) => {
                if let Some(domain) = domain {
                    let asked = engine.tokens().resolve(&self.environment, &domain).await?;
                    if asked.guid() != self.tenant.guid() {
                        return Err(elsewhere(&self.tenant, &domain));
                    }
                }
                (self.tenant, By::Token(token))
            }
        };
        let endpoint = self.environment.endpoint(Service::Graph)?;
        let endpoint =
            Url::parse(endpoint).map_err(|cause| Error::invalid(format!("'{endpoint}' is not an address: {cause}")))?;
        Ok(Registrar {
            engine: Arc::clone(engine),
            environment: self.environment,
            endpoint,
            tenant,
            by,
            sink: sink.clone(),
            activity,
        })
    }
}

/// A token is of one tenant, and another one is named.
#[cold]
fn elsewhere(tenant: &TenantId, asked: &TenantId) -> Error {
    Error::invalid(format!(
        "the access token is of the tenant {tenant}, and -TenantId names {asked}"
    ))
    .advise("Leave -TenantId out, or get a token in that tenant.")
}

impl Registrar {
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The application permissions that the caller's own token has, asked for anew: a cached one may be older than a consent, or than
    /// the end of what the application proves itself with. None of a token that was brought along.
    pub(crate) async fn application_permissions(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Permissions {
            #[serde(default)]
            roles: Vec<String>,
        }
        let By::Credential(api) = &self.by else {
            return Ok(Vec::new());
        };
        let token = self
            .engine
            .tokens()
            .acquire(&api.token().clone().force_refresh(true))
            .await?;
        let claims = jwt::known_claims::<Permissions>(token.access_token().expose());
        Ok(claims.map(|claims| claims.roles).unwrap_or_default())
    }

    /// Reads one object or list. `action` reads like "list the groups", `permission` is what it takes.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)], ask: Ask<'_>) -> Result<T> {
        let url = self.address(path, query)?;
        let reply = self.send(RequestSpec::get(url.as_str())?).await?;
        match reply.is_success() {
            true => reply.json(),
            false => Err(self.refused(&reply, ask)),
        }
    }

    /// Reads a collection to its end.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        ask: Ask<'_>,
    ) -> Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Page<T> {
            value: Vec<T>,
            #[serde(rename = "@odata.nextLink")]
            next: Option<String>,
        }
        let home = self.address(path, query)?;
        let mut url = home.clone();
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let reply = self.send(RequestSpec::get(url.as_str())?).await?;
            if !reply.is_success() {
                return Err(self.refused(&reply, ask));
            }
            let page: Page<T> = reply.json()?;
            found.extend(page.value);
            let Some(link) = page.next else { return Ok(found) };
            url = odata::follow(&home, &url, &link).map_err(|what| self.astray(ask, &what))?;
        }
        Err(self.astray(ask, "does not end"))
    }

    /// Changes something. Such a request is sent once: whether it arrived can be seen by the next run.
    pub(crate) async fn change(&self, method: Method, path: &str, body: Option<&Json>, ask: Ask<'_>) -> Result<Reply> {
        let url = self.address(path, &[])?;
        let mut spec = RequestSpec::of_user(method, &url)?;
        if let Some(body) = body {
            let body =
                serde_json::to_vec(body).map_err(|cause| Error::internal(format!("a body is no JSON: {cause}")))?;
            spec = spec.json(Zeroizing::new(body));
        }
        let reply = self.send(spec).await?;
        match reply.is_success() {
            true => Ok(reply),
            false => Err(self.refused(&reply, ask)),
        }
    }

    /// Does `work`. Where `what` is new, does it again while it fails only because not all of the service knows that yet; of anything
    /// older the service means what it says.
    pub(crate) async fn once_known<T, F>(&self, what: &str, is_new: bool, mut work: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match is_new {
            true => self.patiently(what, is_unknown_yet, work).await,
            false => work().await,
        }
    }

    /// Does `work` again, with longer and longer waits in between, while `passes` says that its failure will pass.
    pub(crate) async fn patiently<T, F>(
        &self,
        what: &str,
        passes: fn(&Error) -> bool,
        mut work: impl FnMut() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let begun = tokio::time::Instant::now();
        let mut wait = self.engine.first_wait();
        let mut told = false;
        let result = loop {
            let error = match work().await {
                Err(error) if passes(&error) => error,
                done => break done,
            };
            if begun.elapsed() + wait > REPLICATION {
                break Err(error);
            }
            self.progress(&format!("waiting until the service knows {what} everywhere"), None);
            told = true;
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        };
        if told {
            self.progress(what, None);
        }
        result
    }

    pub(crate) fn progress(&self, status: &str, percent: Option<i64>) {
        self.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: self.activity.to_owned(),
            status: status.to_owned(),
            percent,
            completed: false,
        });
    }

    /// No more progress.
    pub(crate) fn finished(&self) {
        self.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: self.activity.to_owned(),
            completed: true,
            ..Progress::default()
        });
    }

    fn address(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self
            .endpoint
            .join(&format!("v1.0/{path}"))
            .map_err(|cause| Error::internal(format!("'{path}' is no path: {cause}")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        match &self.by {
            By::Credential(api) => api.send(spec).await,
            By::Token(token) => {
                let id = HeaderName::from_static("client-request-id");
                let spec = spec.header(id, &random_id()?)?.retry(Retry::PATIENT).bearer(token)?;
                self.environment.http()?.send(&spec).await
            }
        }
    }

    #[cold]
    fn refused(&self, reply: &Reply, ask: Ask<'_>) -> Error {
        let error = reply.error(ask.action).for_tenant(self.tenant.as_str());
        match error.kind() {
            Kind::Denied => error.advise(format!(
                "It takes the Microsoft Graph permission {} and, for a signed-in user, {}.",
                ask.permission, ask.role
            )),
            Kind::NotSignedIn if matches!(self.by, By::Token(_)) => {
                error.advise("The access token is not accepted any more: get a new one for Microsoft Graph.")
            }
            _ => error,
        }
    }

    #[cold]
    fn astray(&self, ask: Ask<'_>, what: &str) -> Error {
        Error::new(Kind::Protocol, format!("the answer to '{}' {what}", ask.action))
            .for_tenant(self.tenant.as_str())
            .advise("Try again; if it stays so, check the environment's hosts with Get-SecureAppEnvironment.")
            .permanent()
    }
}

/// What is asked for, for its refusal.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Reads like "list the groups".
    pub(crate) action: &'a str,
    pub(crate) permission: &'a str,
    /// The role that a user needs.
    pub(crate) role: &'a str,
}

impl<'a> Ask<'a> {
    /// Reading or changing applications and service principals.
    pub(crate) fn application(action: &'a str) -> Self {
        Ask {
            action,
            permission: "Application.ReadWrite.All",
            role: "the role Application Administrator or Cloud Application Administrator",
        }
    }

    /// Giving away permissions and roles.
    pub(crate) fn privileged(action: &'a str, permission: &'a str) -> Self {
        Ask {
            action,
            permission,
            role: "the role Privileged Role Administrator",
        }
    }
}

/// What a service says of an object that only some of its nodes know. ("NoBackingApplicationObject" is the detail of the text
/// about a valid application object.)
fn is_unknown_yet(error: &Error) -> bool {
    let Some(service) = error.service() else { return false };
    let says = |text: &str| service.description.to_ascii_lowercase().contains(text);
    match service.http_status {
        404 => true,
        400 => says("does not reference a valid application object") || says("does not exist"),
        403 => says("must in the local tenant"),
        _ => false,
    }
}

/// Somebody else has just made the same.
pub(crate) fn is_there_already(error: &Error) -> bool {
    error.service().is_some_and(|service| {
        let text = service.description.to_ascii_lowercase();
        match service.http_status {
            409 => true,
            400 => text.contains("already exist") || text.contains("conflicting object"),
            _ => false,
        }
    })
}

/// A text inside an OData literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
