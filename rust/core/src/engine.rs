//! What lives as long as the process, and the sessions that group one caller's operations.

use crate::delegated::kept::Kept;
use crate::environment::Environments;
use crate::http;
use crate::managed_identity::Platform;
use crate::operation::Unread;
use crate::sign_in::Pending;
use crate::store::Stores;
use crate::token::Tokens;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Process-wide state: environments and their connection pools, the token cache, the refresh-token lineages.
///
/// A host makes one for the process; tests make as many as they like, and none sees another's.
pub struct Engine {
    runtime: Handle,
    shutdown: CancellationToken,
    running: watch::Sender<usize>,
    clock: Arc<Clock>,
    environments: Environments,
    tokens: Tokens,
    stores: Arc<Stores>,
    pending: Pending,
    customers: Kept,
    first_wait: Duration,
    quotas: http::Quotas,
}

/// What a host may set for a whole engine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Timeouts and waits of every HTTP client.
    pub http: http::Options,
}

impl Engine {
    /// `runtime` runs every operation; it must outlive the engine.
    pub fn new(runtime: Handle) -> Arc<Self> {
        Engine::with_options(runtime, Options::default())
    }

    /// The same, with other settings than the usual ones.
    pub fn with_options(runtime: Handle, options: Options) -> Arc<Self> {
        let clock = Arc::new(Clock::default());
        let first_wait = options.http.first_backoff;
        let quotas = http::Quotas::new(options.http.requests_per_minute);
        let limits = http::Limits::new();
        let platform = Platform::new(options.http.clone(), Arc::clone(&limits), Arc::clone(&clock));
        let stores = Arc::new(Stores::new(Arc::clone(&clock)));
        let tokens = Tokens::new(runtime.clone(), Arc::clone(&clock), platform, Arc::clone(&stores));
        let environments = Environments::new(options.http, limits);
        environments.on_gone(tokens.forgetter());
        Arc::new(Engine {
            environments,
            tokens,
            stores,
            pending: Pending::default(),
            customers: Kept::default(),
            first_wait,
            quotas,
            clock,
            runtime,
            shutdown: CancellationToken::new(),
            running: watch::Sender::new(0),
        })
    }

    /// The clouds that operations can be sent to.
    pub fn environments(&self) -> &Environments {
        &self.environments
    }

    /// The token cache.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Where credentials are kept between processes.
    pub(crate) fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Writes the newest refresh tokens to the stores that lack them. A host calls this before [`Engine::shutdown`].
    pub async fn flush_stores(&self) {
        self.stores.flush(&self.tokens).await;
    }

    /// Takes the keys of Azure Arc's agent from another folder than the agent's own: for tests, on machines without it. Only
    /// the first call has an effect, and only before the first token.
    pub fn use_arc_keys(&self, folder: PathBuf) {
        self.tokens.platform().use_arc_keys(folder);
    }

    /// The first wait before something is tried again that a service could not do; each further one is longer.
    pub(crate) fn first_wait(&self) -> Duration {
        self.first_wait
    }

    /// What tenants' activity feeds may be asked in a minute.
    pub(crate) fn quotas(&self) -> &http::Quotas {
        &self.quotas
    }

    /// The sign-ins that wait for a pasted answer.
    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Lists of customers that were read before.
    pub(crate) fn customers(&self) -> &Kept {
        &self.customers
    }

    /// The time by which tokens end.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Cancels everything that runs, for good.
    pub fn shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Waits until no operation runs any more. After [`Engine::shutdown`] this is how a host lets operations put their
    /// files in order before it stops the runtime.
    pub async fn idle(&self) {
        // The sender is this engine's own, so the wait cannot fail while `self` is borrowed.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Counts an operation as running until the returned guard is dropped.
    pub(crate) fn count_running(self: &Arc<Self>) -> Running {
        self.running.send_modify(|running| *running += 1);
        Running(Arc::clone(self))
    }

    pub fn session(self: &Arc<Self>) -> Session {
        Session {
            engine: Arc::clone(self),
            cancel: self.shutdown.child_token(),
            unread: Arc::default(),
        }
    }
}

/// This machine's clock, which a test can put forward instead of waiting.
#[derive(Debug, Default)]
pub struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.offset_ms.load(Ordering::Relaxed)
    }

    /// Puts the clock forward (or, with a negative number, back).
    pub fn advance_ms(&self, by: i64) {
        self.offset_ms.fetch_add(by, Ordering::Relaxed);
    }
}

/// One operation that runs; see [`Engine::idle`].
pub(crate) struct Running(Arc<Engine>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0
            .running
            .send_modify(|running| *running = running.saturating_sub(1));
    }
}

/// One caller's operations (for a shell, one runspace). Dropping it leaves them running; `cancel` ends them all.
#[derive(Clone)]
pub struct Session {
    engine: Arc<Engine>,
    cancel: CancellationToken,
    unread: Arc<Unread>,
}

impl Session {
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Cancels every operation of this session and any that is started later.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    pub(crate) fn child_token(&self) -> CancellationToken {
        self.cancel.child_token()
    }

    /// What its stopped operations had to say and nobody read.
    pub(crate) fn unread(&self) -> &Arc<Unread> {
        &self.unread
    }
}
