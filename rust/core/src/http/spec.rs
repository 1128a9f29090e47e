//! What is to be sent, and how its answer is wanted.

use super::budget::Budget;
use super::pace::{Pace, Turn};
use super::retry::Retry;
use crate::error::{Error, Result};
use crate::secret::Secret;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{HeaderName, HeaderValue, ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Url};
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Largest body that is read as a whole where nothing else is said.
const DEFAULT_LIMIT: usize = 16 << 20;

/// Makes a form.
type MakeForm = dyn Fn() -> BoxFuture<'static, Result<Zeroizing<String>>> + Send + Sync;

/// What is sent as the body.
#[derive(Clone)]
pub(super) enum Content {
    Fixed(Bytes),
    /// Made anew for each exchange.
    Fresh(Arc<MakeForm>),
}

/// One request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RequestSpec {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) content: Content,
    pub(super) limit: usize,
    pub(super) streamed: bool,
    pub(super) repeatable: bool,
    pub(super) retry: Retry,
    pub(super) abandon: Option<CancellationToken>,
    pub(super) pace: Option<Arc<Pace>>,
    /// Its place in the pace, once it has one.
    pub(super) turn: Option<Arc<Turn>>,
}

impl RequestSpec {
    /// A GET that wants JSON. `url` is made of an environment's endpoint and of values that were checked or escaped.
    pub(crate) fn get(url: &str) -> Result<Self> {
        RequestSpec::new(Method::GET, url)
    }

    /// A POST; not sent twice unless [`RequestSpec::repeatable`] says that this does no harm.
    pub(crate) fn post(url: &str) -> Result<Self> {
        let mut spec = RequestSpec::new(Method::POST, url)?;
        spec.repeatable = false;
        Ok(spec)
    }

    /// A PUT, which may be sent twice.
    pub(crate) fn put(url: &str) -> Result<Self> {
        RequestSpec::new(Method::PUT, url)
    }

    /// A DELETE, which may be sent twice.
    pub(crate) fn delete(url: &str) -> Result<Self> {
        RequestSpec::new(Method::DELETE, url)
    }

    /// A request as a user makes it up. Only what changes nothing is sent twice when it is not known whether it arrived (RFC
    /// 9110, section 9.2.1).
    pub(crate) fn of_user(method: Method, url: &Url) -> Result<Self> {
        let repeatable = method.is_safe();
        let spec = RequestSpec::new(method, url.as_str())?;
        Ok(spec.repeatable(repeatable))
    }

    /// A request to a hosting platform's endpoint on this machine, which may speak plain HTTP. Repeating it does no harm.
    pub(crate) fn to_platform(url: Url) -> Self {
        RequestSpec::of(Method::GET, url)
    }

    fn new(method: Method, url: &str) -> Result<Self> {
        let url = Url::parse(url).map_err(|cause| Error::invalid(format!("'{url}' is not an address: {cause}")))?;
        if url.scheme() != "https" {
            return Err(Error::invalid(format!(
                "'{}' is not an https address",
                url.host_str().unwrap_or_default()
            ))
            .advise("Tokens are only sent over https; check the environment's hosts with Get-SecureAppEnvironment."));
        }
        Ok(RequestSpec::of(method, url))
    }

    fn of(method: Method, url: Url) -> Self {
        RequestSpec {
            method,
            url,
            headers: vec![(ACCEPT, HeaderValue::from_static("application/json"))],
            content: Content::Fixed(Bytes::new()),
            limit: DEFAULT_LIMIT,
            streamed: false,
            repeatable: true,
            retry: Retry::default(),
            abandon: None,
            pace: None,
            turn: None,
        }
    }

    /// Sets a header; a value with line breaks or other control characters is refused.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Error::invalid(format!("the header {name} cannot hold this value")))?;
        self.headers.retain(|(existing, _)| *existing != name);
        self.headers.push((name, value));
        Ok(self)
    }

    /// Sets the `Authorization` header.
    pub(crate) fn bearer(self, token: &Secret) -> Result<Self> {
        let text = Secret::new(format!("Bearer {}", token.expose()));
        self.secret_header(AUTHORIZATION, &text)
            .map_err(|_| Error::invalid("the access token holds characters that no token has"))
    }

    /// Sets a header whose value is a secret.
    pub(crate) fn secret_header(mut self, name: HeaderName, value: &Secret) -> Result<Self> {
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| Error::invalid(format!("the header {name} cannot hold its value")))?;
        value.set_sensitive(true);
        self.headers.retain(|(existing, _)| *existing != name);
        self.headers.push((name, value));
        Ok(self)
    }

    /// Sets a form as the body, made anew each time the request is sent: what proves a client may be good for one request
    /// only. Each buffer is zeroized once it is no longer needed. A failure to make it ends the request.
    pub(crate) fn form<F>(mut self, make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Zeroizing<String>>> + Send + 'static,
    {
        self.headers.push((
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        ));
        self.content = Content::Fresh(Arc::new(move || Box::pin(make())));
        self
    }

    /// Sets JSON as the body. The buffer is zeroized once it is no longer needed.
    pub(crate) fn json(mut self, body: Zeroizing<Vec<u8>>) -> Self {
        self.headers
            .push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        self.content = Content::Fixed(Bytes::from_owner(body));
        self
    }

    /// Sets the body as it is; its type is a header like any other.
    pub(crate) fn content(mut self, body: Bytes) -> Self {
        self.content = Content::Fixed(body);
        self
    }

    /// Sets bytes as the body.
    pub(crate) fn octets(mut self, body: Bytes) -> Self {
        self.headers
            .push((CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")));
        self.content = Content::Fixed(body);
        self
    }

    /// Makes it a POST of a form that holds no secret.
    pub(crate) fn posting(mut self, form: String) -> Self {
        self.method = Method::POST;
        self.headers.push((
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        ));
        self.content = Content::Fixed(Bytes::from(form));
        self
    }

    /// The largest body, in bytes after decompression, that is read as a whole.
    pub(crate) fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// A successful answer's body is left to be read chunk by chunk; its place among the requests in flight is held until
    /// then, so the reader must not wait for another request meanwhile.
    pub(crate) fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }

    /// Sending this twice does no harm.
    pub(crate) fn repeatable(mut self, yes: bool) -> Self {
        self.repeatable = yes;
        self
    }

    /// Asked at this pace, by who is authorized: it waits for its turn, and when it is refused, for its pause.
    pub(crate) fn pace(mut self, pace: Option<&Arc<Pace>>) -> Self {
        self.pace = pace.cloned();
        self
    }

    pub(crate) fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Draws on the operation's stock of retries.
    pub(crate) fn budget(mut self, budget: Option<Budget>) -> Self {
        self.retry.budget = budget;
        self
    }

    /// Once `abandoned` fires, the request ends where it waits (for its turn, or to be sent again), but an exchange that
    /// has begun goes to its end: its answer may hold what must not be lost.
    pub(crate) fn abandon_unless_sent(mut self, abandoned: CancellationToken) -> Self {
        self.abandon = Some(abandoned);
        self
    }

    /// The body of the next exchange.
    pub(super) fn turn(mut self, turn: &Arc<Turn>) -> Self {
        self.turn = Some(Arc::clone(turn));
        self
    }

    pub(super) async fn body(&self) -> Result<Bytes> {
        match &self.content {
            Content::Fixed(bytes) => Ok(bytes.clone()),
            Content::Fresh(make) => make().await.map(Bytes::from_owner),
        }
    }

    /// `host[:port]`.
    pub(super) fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }
}
