//! Where a credential is kept between processes, and how it is kept current.
//!
//! Entra answers each redemption with a new refresh token and leaves the old one valid, so a store is not written each
//! time: the newest token of the user's own tenant is written once a day while a process runs, and at its end. An authority
//! that withdraws a token with its use is another matter: there the store is read before and written after each redemption,
//! under a lock that other processes see (see [`exclusive`]).

mod binding;
mod document;
pub(crate) mod exclusive;
mod lock;

pub(crate) use binding::{Binding, Place, VaultPlace};
pub(crate) use document::Document;

use crate::credential::Credential;
use crate::engine::Clock;
use crate::error::Error;
use crate::token::Tokens;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// A store is written this often at most while a process runs.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A write that failed is tried again after this at the earliest.
const FAILURE_PAUSE_MS: i64 = 10 * 60 * 1000;

/// The credentials of an engine whose newest refresh token is not in their store yet.
pub(crate) struct Stores {
    clock: Arc<Clock>,
    stale: Mutex<Vec<Arc<Credential>>>,
    /// Writes that failed in a place where nobody could be told.
    complaints: Mutex<Vec<Error>>,
}

/// What is said of a write that failed.
pub(crate) fn not_written(failure: &Error) -> String {
    format!(
        "The newest refresh token could not be stored: {}. The one in use works on. {}",
        failure.message().trim_end_matches('.'),
        failure.advice()
    )
}

/// A write that a host has to make, because only it can reach the store.
pub(crate) struct HostWrite {
    pub(crate) id: i64,
    pub(crate) store: String,
    pub(crate) name: String,
    pub(crate) document: crate::Secret,
}

impl Stores {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Stores {
            clock,
            stale: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    /// A redemption in this environment gave `credential` a newer refresh token.
    pub(crate) fn note(&self, credential: &Arc<Credential>, environment: u64) {
        let bound = credential.binding().is_some_and(|binding| binding.is_of(environment));
        if !bound {
            return;
        }
        let mut stale = self.lock();
        if !stale.iter().any(|known| Arc::ptr_eq(known, credential)) {
            stale.push(Arc::clone(credential));
        }
    }

    /// Whether the store lacks the newest token.
    pub(crate) fn is_stale(&self, credential: &Arc<Credential>) -> bool {
        self.lock().iter().any(|known| Arc::ptr_eq(known, credential))
    }

    /// Has the end of the next operation tell of a write that failed.
    pub(crate) fn complain(&self, failure: Error) {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The store has the newest token.
    pub(crate) fn written(&self, credential: &Arc<Credential>) {
        self.lock().retain(|known| !Arc::ptr_eq(known, credential));
    }

    /// Writes what has not been written for a day. What failed is returned, for its user to be told; the tokens in use go on.
    pub(crate) async fn settle(&self, tokens: &Tokens, cancel: &CancellationToken) -> Vec<Error> {
        let now = self.clock.now_ms();
        let due: Vec<_> = self
            .lock()
            .iter()
            .filter(|credential| is_due(credential, now))
            .cloned()
            .collect();
        let mut failures = std::mem::take(&mut *self.complaints.lock().unwrap_or_else(PoisonError::into_inner));
        for credential in due {
            let write = crate::operation::or_cancelled(cancel, self.write(tokens, &credential));
            match write.await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => break,
                Err(error) => failures.push(error),
            }
        }
        failures
    }

    /// Writes everything, whatever its age: the process is about to end.
    pub(crate) async fn flush(&self, tokens: &Tokens) {
        let all: Vec<_> = self.lock().clone();
        let writes = all.iter().map(|credential| async move {
            // There is nobody left to tell; what is in the store is still valid.
            let _ = self.write(tokens, credential).await;
        });
        futures_util::future::join_all(writes).await;
    }

    async fn write(&self, tokens: &Tokens, credential: &Arc<Credential>) -> Result<(), Error> {
        let Some(binding) = credential.binding() else {
            return Ok(());
        };
        let Place::Vault(_) = binding.place() else {
            return Ok(());
        };
        let written = binding.write(tokens, credential, &self.clock).await;
        if written.is_ok() {
            self.written(credential);
        }
        written
    }

    /// The writes that a host is to make now; each is given out once, until it is said how it went.
    pub(crate) fn host_writes(&self) -> Vec<HostWrite> {
        let now = self.clock.now_ms();
        let stale = self.lock().clone();
        let due = stale.iter().filter_map(|credential| {
            let binding = credential.binding()?;
            let Place::Host { store, name } = binding.place() else {
                return None;
            };
            let id = binding.claim(now)?;
            let document = Document::of(credential, binding.environment(), now).write().ok()?;
            Some(HostWrite {
                id,
                store: store.clone(),
                name: name.clone(),
                document,
            })
        });
        due.collect()
    }

    /// Binds a credential to a store of the host, which is about to make the first write; it tells by the id how that went.
    pub(crate) fn bind_at_host(&self, credential: &Arc<Credential>, binding: &Arc<Binding>) -> i64 {
        credential.bind(Arc::clone(binding));
        self.note(credential, binding.environment());
        binding.claim_now()
    }

    /// How a host's write went.
    pub(crate) fn host_wrote(&self, id: i64, well: bool) {
        let now = self.clock.now_ms();
        let mut stale = self.lock();
        stale.retain(|credential| match credential.binding() {
            Some(binding) if binding.is_claimed_as(id) => {
                binding.finish(now, well);
                !well
            }
            _ => true,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Credential>>> {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_due(credential: &Arc<Credential>, now: i64) -> bool {
    credential.binding().is_some_and(|binding| binding.is_due(now))
}
