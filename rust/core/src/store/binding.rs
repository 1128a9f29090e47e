//! What ties the credentials of this process to their place in a store.

use super::document::Since;
use super::{Document, Place, DAY_MS, FAILURE_PAUSE_MS};
use crate::credential::Credential;
use crate::engine::Clock;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::token::Tokens;
use crate::vault::Vault;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Shared by all credentials of this process that are kept in one place and environment, so that it has one writer.
///
/// It writes over nothing that it does not know: the store is read before each write, and where something else than a newer
/// refresh token of the same credential is found, the binding is released and what is there stays.
pub(crate) struct Binding {
    /// The environment instance whose refresh tokens are kept.
    environment: u64,
    turn: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

struct State {
    place: Arc<Place>,
    single_use: bool,
    /// What the store held when it was last seen.
    seen: Document,
    /// What is stored is no business of this binding's any more.
    released: bool,
    /// When the store was last known to be current; milliseconds since 1970.
    stored_on: i64,
    failed_on: Option<i64>,
    /// The write that a host has been given.
    claim: Option<Claim>,
}

struct Claim {
    id: i64,
    /// What the host writes, once it has asked for that.
    document: Option<Document>,
}

impl Binding {
    /// `seen` is what the store holds.
    pub(super) fn new(place: Arc<Place>, environment: u64, single_use: bool, seen: Document) -> Self {
        Binding {
            environment,
            turn: Arc::default(),
            state: Mutex::new(State {
                place,
                single_use,
                stored_on: seen.saved_on(),
                seen,
                released: false,
                failed_on: None,
                claim: None,
            }),
        }
    }

    pub(crate) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.lock().place)
    }

    pub(crate) fn environment(&self) -> u64 {
        self.environment
    }

    /// Whether refresh tokens of this environment instance are kept here.
    pub(crate) fn is_of(&self, environment: u64) -> bool {
        self.environment == environment
    }

    /// The store's user says that a refresh token dies with its use.
    pub(crate) fn single_use(&self) -> bool {
        self.lock().single_use
    }

    /// Whether something else is stored there by now, or nothing.
    pub(crate) fn is_released(&self) -> bool {
        self.lock().released
    }

    /// Has its credentials be no longer kept there.
    pub(super) fn release(&self) {
        self.lock().released = true;
    }

    /// Waits for a write that is under way, and keeps others waiting until the guard is dropped.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Takes a newly loaded credential in; false where `document`, which it was made of, was saved after what is known here.
    pub(super) fn share(self: &Arc<Self>, place: &Arc<Place>, single_use: bool, document: &Document) -> bool {
        // Who can be reached only through the store itself is no way to it.
        let through_itself = match &**place {
            Place::Vault(place) => place.access.as_ref().and_then(|access| access.binding()),
            Place::Host { .. } => None,
        };
        let through_itself = through_itself.is_some_and(|binding| Arc::ptr_eq(&binding, self));
        let mut state = self.lock();
        if state.released || document.since(&state.seen) == Since::Replaced {
            return false;
        }
        if !through_itself {
            state.place = Arc::clone(place);
        }
        state.single_use |= single_use;
        state.stored_on = document.saved_on();
        state.seen = document.clone();
        true
    }

    pub(super) fn is_due(&self, now: i64) -> bool {
        let state = self.lock();
        let paused = state
            .failed_on
            .is_some_and(|failed| now < failed.saturating_add(FAILURE_PAUSE_MS));
        !paused && state.claim.is_none() && now >= state.stored_on.saturating_add(DAY_MS)
    }

    /// Gives out a write that is due, once.
    pub(super) fn claim(&self, now: i64) -> Option<i64> {
        self.is_due(now).then(|| {
            let id = next_claim();
            self.lock().claim = Some(Claim { id, document: None });
            id
        })
    }

    pub(super) fn is_claimed_as(&self, id: i64) -> bool {
        self.lock().claim.as_ref().is_some_and(|claim| claim.id == id)
    }

    /// Says what the host is to write.
    pub(super) fn promise(&self, document: Document) {
        if let Some(claim) = &mut self.lock().claim {
            claim.document = Some(document);
        }
    }

    pub(super) fn finish(&self, now: i64, well: bool) {
        let mut state = self.lock();
        let promised = state.claim.take().and_then(|claim| claim.document);
        if well {
            state.stored_on = now;
            state.failed_on = None;
            if let Some(document) = promised {
                state.seen = document;
            }
        } else {
            state.failed_on = Some(now);
        }
    }

    /// Writes the credential's newest refresh token to its vault, if what is there is still the same credential.
    pub(super) async fn write(&self, tokens: &Tokens, credential: &Arc<Credential>, clock: &Clock) -> Result<()> {
        let _turn = self.turn().await;
        if self.is_released() {
            return Ok(());
        }
        let place = self.place();
        let Place::Vault(place) = &*place else {
            return Err(Error::internal("a store of the host cannot be written here"));
        };
        let vault = place.open(tokens, credential);
        let result = async {
            // First of all, so that a redemption which this takes is part of what is written.
            vault.ready().await?;
            let stored = stored(&vault, &place.name).await?;
            if let Some(document) = self.renewed(stored.as_ref(), credential, clock.now_ms())? {
                place.renew(&vault, &document).await?;
                self.lock().seen = document;
            }
            Ok(())
        };
        let result = result.await;
        self.finish(clock.now_ms(), result.is_ok());
        result
    }

    /// What is to be written over `stored`; `None` where another process wrote a refresh token that is as new.
    pub(super) fn renewed(
        &self,
        stored: Option<&Secret>,
        credential: &Credential,
        now: i64,
    ) -> Result<Option<Document>> {
        let (stored, since) = self.compare(stored)?;
        // Of tokens that die with their use the store's is dead by now, whatever the other machine's clock says.
        let enough =
            since == Since::Renewed && !self.single_use() && stored.refreshed_on() >= credential.refreshed_on();
        Ok((!enough).then(|| stored.renewed(credential, self.environment, now)))
    }

    /// What is written over `stored` when the application proves itself anew, as `credential` does: with the newest refresh token,
    /// whoever has it. `is_behind` says that the store lacks one of this process. It counts as a new save.
    pub(super) fn proved_anew(
        &self,
        stored: Option<&Secret>,
        credential: &Credential,
        is_behind: bool,
        now: i64,
    ) -> Result<Document> {
        let (stored, since) = self.compare(stored)?;
        let has_newest = match self.single_use() {
            true => !is_behind,
            false => since == Since::Renewed && stored.refreshed_on() >= credential.refreshed_on(),
        };
        let stored = match has_newest {
            true => stored,
            false => stored.renewed(credential, self.environment, now),
        };
        stored.proved_like(credential, now)
    }

    /// Reads what is stored by now. An error says that it is not the credential that was loaded or saved here; the binding
    /// is released then.
    pub(super) fn compare(&self, stored: Option<&Secret>) -> Result<(Document, Since)> {
        let document = stored.map(Document::read);
        let mut state = self.lock();
        let problem = match document {
            Some(Ok(document)) => match document.since(&state.seen) {
                Since::Replaced => "was replaced by something else than this process",
                since => {
                    state.seen = document.clone();
                    return Ok((document, since));
                }
            },
            Some(Err(_)) => "was replaced by something that is no credential",
            None => "was removed by something else than this process",
        };
        state.released = true;
        Err(released(state.place.name(), problem))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a vault holds under the name; `None` where there is nothing.
pub(super) async fn stored(vault: &Vault, name: &str) -> Result<Option<Secret>> {
    match vault.secret(name, None).await {
        Ok(secret) => Ok(Some(secret.value.unwrap_or_else(|| Secret::from("")))),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Numbers the writes of hosts.
pub(super) fn next_claim() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

#[cold]
fn released(name: &str, problem: &str) -> Error {
    Error::new(
        Kind::Storage,
        format!("the stored credential '{name}' {problem} since it was read or saved here, and is left as it is"),
    )
    .advise("This credential is not kept there any more: load it again with Get-SecureAppCredential, or save it with Save-SecureAppCredential.")
}
