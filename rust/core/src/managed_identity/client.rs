//! Requests to the platform of this machine.

use super::answer::Answer;
use super::patience::{Manners, Patience};
use crate::engine::Clock;
use crate::error::{Error, Result};
use crate::http::{self, Budget, Client, Limits, RequestSpec, Retry};
use crate::operation::log;
use once_cell::sync::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The platform's endpoint is on this machine or one hop away: what takes longer to reach is not there.
const REACH: Duration = Duration::from_secs(3);
/// Bytes that an answer may have.
const LIMIT: usize = 1 << 20;

/// How the platforms of this machine are asked. One for an engine.
pub(crate) struct Platform {
    options: http::Options,
    limits: Arc<Limits>,
    clock: Arc<Clock>,
    client: OnceCell<Client>,
    arc_keys: OnceCell<PathBuf>,
}

impl Platform {
    pub(crate) fn new(options: http::Options, limits: Arc<Limits>, clock: Arc<Clock>) -> Self {
        Platform {
            options: http::Options {
                connect_timeout: options.connect_timeout.min(REACH),
                ..options
            },
            limits,
            clock,
            client: OnceCell::new(),
            arc_keys: OnceCell::new(),
        }
    }

    /// Takes Azure Arc's keys from another folder than the agent's. Only the first call has an effect.
    pub(crate) fn use_arc_keys(&self, folder: PathBuf) {
        // A second folder would make the first one's rule mean nothing.
        let _ = self.arc_keys.set(folder);
    }

    pub(super) fn arc_keys(&self) -> Option<&Path> {
        self.arc_keys.get().map(PathBuf::as_path)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.options.connect_timeout
    }

    pub(super) fn read_timeout(&self) -> Duration {
        self.options.read_timeout
    }

    /// Sends until there is an answer worth having, or waiting longer is not what the platform's documentation advises.
    pub(super) async fn send(&self, spec: RequestSpec, manners: Manners) -> Result<Answer> {
        let client = self
            .client
            .get_or_try_init(|| Client::for_platform(self.options.clone(), Arc::clone(&self.limits)))?;
        // Sending again is this module's: the statuses and the waits are others than those of the cloud's services.
        let once = Retry {
            repeats: 0,
            waits: Duration::ZERO,
            ..Retry::default()
        };
        let spec = spec.limit(LIMIT).retry(once);
        self.patiently(manners, || async {
            client.send(&spec).await.map(|reply| Answer::from(&reply))
        })
        .await
    }

    /// Repeats an exchange while its outcome may change.
    pub(super) async fn patiently<F>(&self, manners: Manners, exchange: impl Fn() -> F) -> Result<Answer>
    where
        F: std::future::Future<Output = Result<Answer>>,
    {
        let mut patience = Patience::new(manners, self.options.first_backoff);
        let budget = Budget::current();
        loop {
            let outcome = exchange().await;
            match patience.next_wait(&outcome) {
                Some(wait) if budget.as_ref().is_none_or(Budget::take) => {
                    log::verbose(|| {
                        let why = match &outcome {
                            Ok(answer) => format!("{} answered HTTP {}", answer.authority, answer.status),
                            Err(error) => error.message().to_owned(),
                        };
                        format!("Asking again in {:.1} s: {why}", wait.as_secs_f64())
                    });
                    tokio::time::sleep(wait).await;
                }
                Some(_) => return outcome,
                None => {
                    if outcome.is_ok() {
                        budget.iter().for_each(Budget::succeeded);
                    }
                    return outcome;
                }
            }
        }
    }
}

/// An endpoint that a variable names, with these parameters in its query.
pub(super) fn address(endpoint: &str, query: &[(&str, &str)]) -> Result<Url> {
    let refused = |why: &str| {
        Err(Error::invalid(format!("the managed identity's endpoint {why}"))
            .advise("Check the variables IDENTITY_ENDPOINT, MSI_ENDPOINT and AZURE_POD_IDENTITY_AUTHORITY_HOST: the hosting platform sets them."))
    };
    let Ok(mut url) = Url::parse(endpoint) else {
        return refused("is not an address");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return refused("is not an http address");
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
