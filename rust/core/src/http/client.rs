//! Sending: the limit, the exchange, and the decision to send again.

use super::held_up::{self, when_long};
use super::limits::Limits;
use super::reply::Reply;
use super::retry::{self, Account, Options};
use super::spec::RequestSpec;
use super::transport::{self, Stage};
use crate::error::{Error, Kind, Result};
use crate::operation::log;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue, ACCEPT_ENCODING};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Idle connections are kept this long.
const POOL_IDLE: Duration = Duration::from_secs(90);
/// A connection that answers no ping for this long is given up.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A request without a pace that is not answered for so long lets others go before.
const HANGING: Duration = Duration::from_secs(10);

/// Whom a client trusts besides the system's roots.
pub(crate) struct Trust<'a> {
    pub(crate) ca_pem: Option<&'a str>,
    pub(crate) environment: &'a str,
}

/// An environment instance's connections.
pub(crate) struct Client {
    inner: reqwest::Client,
    limits: Arc<Limits>,
    options: Options,
}

impl Client {
    /// `local`: every host is this machine, which no proxy can reach. Other clients honour the system's proxy settings.
    pub(crate) fn new(trust: &Trust<'_>, local: bool, options: Options, limits: Arc<Limits>) -> Result<Self> {
        let mut builder = builder(&options).https_only(true);
        if local {
            builder = builder.no_proxy();
        }
        if let Some(pem) = trust.ca_pem {
            for root in roots(pem, trust.environment)? {
                builder = builder.add_root_certificate(root);
            }
        }
        let inner = built(builder)?;
        Ok(Client { inner, limits, options })
    }

    /// For the endpoints that a hosting platform has on this machine: plain HTTP is theirs, and a proxy would take what they
    /// answer elsewhere.
    pub(crate) fn for_platform(options: Options, limits: Arc<Limits>) -> Result<Self> {
        let inner = built(builder(&options).no_proxy())?;
        Ok(Client { inner, limits, options })
    }

    /// The unit of waiting: the first wait where the service names none.
    pub(crate) fn first_backoff(&self) -> Duration {
        self.options.first_backoff
    }

    /// Sends until there is an answer worth having or the retries are used up. Every HTTP status is an `Ok`: what it means
    /// is for the caller to say. An `Err` says that no whole answer came.
    pub(crate) async fn send(&self, spec: &RequestSpec) -> Result<Reply> {
        let mut account = Account::new(&spec.retry, self.options.first_backoff);
        loop {
            // Before the place is taken: making it may wait for a person (a key that asks for a PIN).
            let body = unless_abandoned(spec.abandon.as_ref(), spec.body()).await??;
            if let Some(turn) = &spec.turn {
                unless_abandoned(spec.abandon.as_ref(), turn.ration()).await?;
            }
            let is_trial = spec.turn.as_ref().is_some_and(|turn| turn.is_trial(account.repeats()));
            let permit =
                unless_abandoned(spec.abandon.as_ref(), self.limits.enter(spec.authority(), is_trial)).await??;
            let first = permit.introduction().wait(self.options.introduction);
            let first = unless_abandoned(spec.abandon.as_ref(), first).await?;
            let sent = Instant::now();
            let exchange = Box::pin(self.exchange(spec, body));
            let response = match &spec.turn {
                Some(turn) => turn.watch(&permit, exchange).await,
                None => when_long(HANGING, exchange, || permit.make_room()).await,
            };
            if let Some(turn) = &spec.turn {
                turn.set_took(sent.elapsed());
            }
            log::debug(|| exchanged(spec, sent.elapsed(), &response));
            if response.is_ok() {
                permit.introduction().answered();
            }
            drop(first);
            let reply = match response {
                Ok(response) => Reply::read(response, spec, permit)
                    .await
                    .map_err(|error| (Stage::Body, error)),
                Err(failure) => {
                    drop(permit);
                    Err(failure)
                }
            };
            let wait = match reply {
                Ok(reply) => {
                    // A pace has its own pauses, for all of a tenant.
                    if reply.status() == 429 && spec.turn.is_some() {
                        return Ok(reply);
                    }
                    if !retry::status_may_change(reply.status(), spec.repeatable) {
                        if let Some(budget) = &spec.retry.budget {
                            budget.succeeded();
                        }
                        return Ok(reply);
                    }
                    match account.next_wait_of(reply.status(), reply.retry_after()) {
                        Some(wait) => {
                            log::verbose(|| {
                                let asked = reply.retry_after().map(|asked| asked.as_secs());
                                let asked =
                                    asked.map_or(String::new(), |asked| format!(" and asked to wait {asked} s"));
                                let status = reply.status();
                                format!(
                                    "{}: {} answered HTTP {status}{asked}",
                                    account.words(wait),
                                    spec.authority()
                                )
                            });
                            wait
                        }
                        None => return Ok(reply),
                    }
                }
                Err((stage, error)) => {
                    // What never reached the service can be sent again whatever it is.
                    let harmless = spec.repeatable || stage == Stage::Connect;
                    match account
                        .next_wait_after(&error, stage != Stage::Connect)
                        .filter(|_| harmless)
                    {
                        Some(wait) => {
                            log::verbose(|| format!("{}: {}", account.words(wait), error.message()));
                            wait
                        }
                        None if stage == Stage::Connect => return Err(error.unsent()),
                        None => return Err(error),
                    }
                }
            };
            match &spec.turn {
                Some(turn) => turn.wait(),
                None => held_up::waits(),
            }
            unless_abandoned(spec.abandon.as_ref(), tokio::time::sleep(wait)).await?;
        }
    }

    async fn exchange(&self, spec: &RequestSpec, body: Bytes) -> Result<reqwest::Response, (Stage, Error)> {
        let mut request = self.inner.request(spec.method.clone(), spec.url.clone());
        for (name, value) in &spec.headers {
            request = request.header(name, value);
        }
        if !body.is_empty() || spec.method != reqwest::Method::GET {
            request = request.body(body);
        }
        request
            .send()
            .await
            .map_err(|cause| transport::classify(cause, spec.authority()))
    }
}

/// One exchange without what may be secret: no query, no body, and of the headers those by which the service's own log can
/// be searched.
fn exchanged(spec: &RequestSpec, took: Duration, outcome: &Result<reqwest::Response, (Stage, Error)>) -> String {
    let (scheme, path) = (spec.url.scheme(), spec.url.path());
    let mut line = format!("{} {scheme}://{}{path}: ", spec.method, spec.authority());
    match outcome {
        Ok(response) => {
            line += &format!("HTTP {}", response.status().as_u16());
            for name in ["client-request-id", "request-id", "x-ms-request-id", "ms-correlationid"] {
                if let Some(id) = response.headers().get(name).and_then(|value| value.to_str().ok()) {
                    line += &format!(", {name} {id}");
                }
            }
        }
        Err((_, error)) => line += error.message(),
    }
    line += &format!(", {} ms", took.as_millis());
    line
}

/// What every client has in common.
fn builder(options: &Options) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .use_native_tls()
        .user_agent(concat!("SecureAppModel/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .default_headers(HeaderMap::from_iter([(
            ACCEPT_ENCODING,
            HeaderValue::from_static("gzip"),
        )]))
        // Bodies are unpacked here: only what is on the wire can be counted against what was announced.
        .no_gzip()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|cause| {
        Error::new(
            Kind::Network,
            format!("TLS could not be set up: {}", transport::root_cause(&cause)),
        )
        .advise("Check this machine's OpenSSL installation and its certificate store.")
    })
}

/// Waits for `work`, or fails with a cancelled error once nobody wants it any more.
async fn unless_abandoned<T>(abandoned: Option<&CancellationToken>, work: impl Future<Output = T>) -> Result<T> {
    let Some(abandoned) = abandoned else {
        return Ok(work.await);
    };
    tokio::select! {
        biased;
        () = abandoned.cancelled() => Err(Error::cancelled()),
        done = work => Ok(done),
    }
}

fn roots(pem: &str, environment: &str) -> Result<Vec<reqwest::Certificate>> {
    let refused = || {
        Error::invalid(format!(
            "the certificate given for the environment {environment} cannot be read"
        ))
        .advise("Give a PEM file with one or more certificates (-----BEGIN CERTIFICATE-----) to -CertificatePath.")
    };
    let stack = openssl::x509::X509::stack_from_pem(pem.as_bytes()).map_err(|_| refused())?;
    if stack.is_empty() {
        return Err(refused());
    }
    stack
        .iter()
        .map(|root| {
            let der = root.to_der().map_err(|_| refused())?;
            reqwest::Certificate::from_der(&der).map_err(|_| refused())
        })
        .collect()
}
