//! What lives as long as the process, and the sessions that group one caller's operations.

use std::sync::Arc;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Process-wide state: environments and their connection pools, the token cache, the refresh-token lineages.
///
/// A host makes one for the process; tests make as many as they like, and none sees another's.
pub struct Engine {
    runtime: Handle,
    shutdown: CancellationToken,
}

impl Engine {
    /// `runtime` runs every operation; it must outlive the engine.
    pub fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Engine { runtime, shutdown: CancellationToken::new() })
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Cancels everything that runs, for good.
    pub fn shutdown(&self) {
        self.shutdown.cancel();
    }

    pub fn session(self: &Arc<Self>) -> Session {
        Session { engine: Arc::clone(self), cancel: self.shutdown.child_token() }
    }
}

/// One caller's operations (for a shell, one runspace). Dropping it leaves them running; `cancel` ends them all.
#[derive(Clone)]
pub struct Session {
    engine: Arc<Engine>,
    cancel: CancellationToken,
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
}
