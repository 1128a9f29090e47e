//! Where a credential is kept between processes, and how it is kept current.
//!
//! Entra answers each redemption with a new refresh token and leaves the old one valid, so a store is not written each
//! time: the newest token of the user's own tenant is written once a day while a process runs, and at its end. An authority
//! that withdraws a token with its use is another matter: there the store is read before and written after each redemption,
//! under a lock that other processes see (see [`exclusive`]).
//!
//! A place has one writer in a process, whatever number of credentials were loaded from it (see [`Binding`]).

mod binding;
mod document;
pub(crate) mod exclusive;
mod host;
mod lock;
mod place;
mod replace;

pub(crate) use binding::Binding;
pub(crate) use document::Document;
pub(crate) use place::{Place, VaultPlace};
pub(crate) use replace::Replaced;

use crate::credential::Credential;
use crate::engine::Clock;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::token::Tokens;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// A store is written this often at most while a process runs.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A write that failed is tried again after this at the earliest.
const FAILURE_PAUSE_MS: i64 = 10 * 60 * 1000;

/// What an engine knows of the stores that its credentials are kept in.
pub(crate) struct Stores {
    clock: Arc<Clock>,
    kept: Mutex<Kept>,
    /// Writes that failed in a place where nobody could be told.
    complaints: Mutex<Vec<Error>>,
}

#[derive(Default)]
struct Kept {
    /// By place and environment; one lives as long as a credential that is bound by it, or a write that it owes.
    bindings: Vec<(String, Weak<Binding>)>,
    /// What a store lacks: one for each binding at most.
    stale: Vec<Stale>,
    /// Saves that a host is making.
    saves: Vec<host::HostSave>,
}

#[derive(Clone)]
struct Stale {
    binding: Arc<Binding>,
    /// Has the newest refresh token.
    credential: Arc<Credential>,
}

/// A credential that is now what its place holds.
pub(crate) struct Save {
    pub(crate) credential: Arc<Credential>,
    pub(crate) place: Arc<Place>,
    pub(crate) environment: u64,
    pub(crate) single_use: bool,
    pub(crate) document: Document,
}

/// What is said of a write that failed.
pub(crate) fn not_written(failure: &Error) -> String {
    format!(
        "The newest refresh token could not be stored: {}. The one in use works on. {}",
        failure.message().trim_end_matches('.'),
        failure.advice()
    )
}

impl Stores {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Stores {
            clock,
            kept: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    /// `loaded` was made of what its place holds: its newer refresh tokens go there from now on.
    pub(crate) fn loaded(&self, loaded: Save) {
        self.lock().loaded(loaded);
    }

    /// `save` was written, over whatever its place held before.
    pub(crate) fn saved(&self, save: Save) {
        self.lock().saved(save);
    }

    /// The place holds nothing any more.
    pub(crate) fn removed(&self, place: &Place) {
        self.lock().release(&place.key());
    }

    /// Waits for the writes to a place that are under way, and keeps others waiting until the guards are dropped.
    pub(crate) async fn turns(&self, place: &Place) -> Vec<OwnedMutexGuard<()>> {
        let writers = self.lock().at(&place.key());
        let mut turns = Vec::with_capacity(writers.len());
        for writer in writers {
            turns.push(writer.turn().await);
        }
        turns
    }

    /// A redemption in this environment gave `credential` a newer refresh token.
    pub(crate) fn note(&self, credential: &Arc<Credential>, environment: u64) {
        let Some(binding) = credential.binding().filter(|binding| binding.is_of(environment)) else {
            return;
        };
        let mut kept = self.lock();
        kept.written(&binding);
        kept.stale.push(Stale {
            binding,
            credential: Arc::clone(credential),
        });
    }

    /// The newest refresh token, where the store lacks it.
    pub(crate) fn unsaved(&self, binding: &Arc<Binding>) -> Option<Secret> {
        let kept = self.lock();
        let stale = kept.stale.iter().find(|stale| Arc::ptr_eq(&stale.binding, binding))?;
        Some(stale.credential.lineage(binding.environment())?.newest())
    }

    /// Has the end of the next operation tell of a write that failed.
    pub(crate) fn complain(&self, failure: Error) {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }

    /// Writes what has not been written for a day. What failed is returned, for its user to be told; the tokens in use go on.
    pub(crate) async fn settle(&self, tokens: &Tokens, cancel: &CancellationToken) -> Vec<Error> {
        let now = self.clock.now_ms();
        let due: Vec<_> = self
            .lock()
            .stale
            .iter()
            .filter(|stale| stale.is_in_vault() && stale.binding.is_due(now))
            .cloned()
            .collect();
        let mut failures = std::mem::take(&mut *self.complaints.lock().unwrap_or_else(PoisonError::into_inner));
        for stale in due {
            let write = self.write(tokens, &stale.binding, &stale.credential);
            match crate::operation::or_cancelled(cancel, write).await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => break,
                Err(error) => failures.push(error),
            }
        }
        failures
    }

    /// Writes everything, whatever its age: the process is about to end.
    pub(crate) async fn flush(&self, tokens: &Tokens) {
        let all = self.lock().stale.clone();
        let writes = all.iter().filter(|stale| stale.is_in_vault()).map(|stale| async move {
            // There is nobody left to tell; what is in the store is good, or somebody else's.
            let _ = self.write(tokens, &stale.binding, &stale.credential).await;
        });
        futures_util::future::join_all(writes).await;
    }

    /// Writes the newest refresh token to its vault, at once.
    pub(crate) async fn write(
        &self,
        tokens: &Tokens,
        binding: &Arc<Binding>,
        credential: &Arc<Credential>,
    ) -> Result<()> {
        let result = binding.write(tokens, credential, &self.clock).await;
        let mut kept = self.lock();
        if result.is_ok() {
            kept.written(binding);
        }
        kept.forget_released();
        result
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stale {
    fn is_in_vault(&self) -> bool {
        matches!(&*self.binding.place(), Place::Vault(_))
    }
}

impl Kept {
    fn at(&self, key: &str) -> Vec<Arc<Binding>> {
        let here = self.bindings.iter().filter(|(of, _)| of == key);
        here.filter_map(|(_, binding)| binding.upgrade()).collect()
    }

    fn loaded(&mut self, loaded: Save) {
        let here = self.at(&loaded.place.key());
        for binding in here.into_iter().filter(|binding| binding.is_of(loaded.environment)) {
            if binding.share(&loaded.place, loaded.single_use, &loaded.document) {
                return loaded.credential.bind(binding);
            }
            binding.release();
        }
        self.forget_released();
        self.bind(loaded);
    }

    fn saved(&mut self, save: Save) {
        self.release(&save.place.key());
        // What the credential owed to another place went to this one.
        self.stale
            .retain(|stale| !Arc::ptr_eq(&stale.credential, &save.credential));
        self.bind(save);
    }

    fn bind(&mut self, save: Save) {
        let key = save.place.key();
        let binding = Arc::new(Binding::new(
            save.place,
            save.environment,
            save.single_use,
            save.document,
        ));
        self.bindings.push((key, Arc::downgrade(&binding)));
        save.credential.bind(binding);
    }

    /// Releases whoever is bound to the place.
    fn release(&mut self, key: &str) {
        for binding in self.at(key) {
            binding.release();
        }
        self.forget_released();
    }

    fn forget_released(&mut self) {
        self.stale.retain(|stale| !stale.binding.is_released());
        self.bindings
            .retain(|(_, binding)| binding.upgrade().is_some_and(|binding| !binding.is_released()));
    }

    /// The store has the newest token.
    fn written(&mut self, binding: &Arc<Binding>) {
        self.stale.retain(|stale| !Arc::ptr_eq(&stale.binding, binding));
    }
}
