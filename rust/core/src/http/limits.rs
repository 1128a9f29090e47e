//! How many requests may be in flight: in all, and to one host.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests in flight in all.
const GLOBAL: usize = 64;
/// Requests in flight to one host: fewer than in all, so that a host that hangs cannot keep the others' tokens away.
const PER_HOST: usize = 48;

/// Shared by all environments of an engine.
pub(crate) struct Limits {
    global: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place among the requests in flight, given back on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    _host: OwnedSemaphorePermit,
    _global: OwnedSemaphorePermit,
}

impl Limits {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Limits {
            global: Arc::new(Semaphore::new(GLOBAL)),
            hosts: Mutex::new(HashMap::new()),
        })
    }

    /// Waits for a place. The host's comes first: whoever waits for a busy host holds nothing that others need.
    pub(crate) async fn enter(&self, authority: &str) -> Result<Permit> {
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            match hosts.get(authority) {
                Some(host) => Arc::clone(host),
                None => Arc::clone(
                    hosts
                        .entry(authority.to_owned())
                        .or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))),
                ),
            }
        };
        let closed = |_| Error::internal("the limit on requests in flight was closed");
        let host = host.acquire_owned().await.map_err(closed)?;
        let global = Arc::clone(&self.global).acquire_owned().await.map_err(closed)?;
        Ok(Permit {
            _host: host,
            _global: global,
        })
    }
}
