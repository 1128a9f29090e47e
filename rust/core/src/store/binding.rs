//! One credential's place in a store.

use super::{Document, DAY_MS, FAILURE_PAUSE_MS};
use crate::credential::Credential;
use crate::engine::Clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::token::Tokens;
use crate::value::Value;
use crate::vault::{Address, Properties, Vault};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a secret that holds a credential is called.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.secureappmodel.credential+json";

/// Which store, and under which name.
pub(crate) enum Place {
    Vault(VaultPlace),
    /// A store that only the host can reach, by the host's name of it.
    Host {
        store: String,
        name: String,
    },
}

/// A secret of a key vault.
pub(crate) struct VaultPlace {
    pub(crate) environment: Arc<Environment>,
    pub(crate) address: Address,
    pub(crate) name: String,
    /// Who reads and writes the vault; the credential's own application where nobody else does.
    pub(crate) access: Option<Arc<Credential>>,
    pub(crate) app_only: bool,
}

/// Binds a credential to its place. One writer at a time.
pub(crate) struct Binding {
    place: Place,
    /// The environment instance whose refresh tokens are kept.
    environment: u64,
    single_use: bool,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// When the store was last known to be current; milliseconds since 1970.
    stored_on: i64,
    failed_on: Option<i64>,
    /// The write that a host has been given.
    claim: Option<i64>,
}

impl Binding {
    pub(crate) fn new(place: Place, environment: u64, single_use: bool, stored_on: i64) -> Self {
        Binding {
            place,
            environment,
            single_use,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                stored_on,
                failed_on: None,
                claim: None,
            }),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
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
        self.single_use
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
        self.is_due(now).then(|| self.claim_now())
    }

    pub(super) fn claim_now(&self) -> i64 {
        static LAST: AtomicI64 = AtomicI64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().claim = Some(id);
        id
    }

    pub(super) fn is_claimed_as(&self, id: i64) -> bool {
        self.lock().claim == Some(id)
    }

    pub(super) fn finish(&self, now: i64, well: bool) {
        let mut state = self.lock();
        state.claim = None;
        if well {
            state.stored_on = now;
            state.failed_on = None;
        } else {
            state.failed_on = Some(now);
        }
    }

    /// Writes the credential, with the newest refresh token, to its vault.
    pub(crate) async fn write(&self, tokens: &Tokens, credential: &Arc<Credential>, clock: &Clock) -> Result<()> {
        let Place::Vault(place) = &self.place else {
            return Err(Error::internal("a store of the host cannot be written here"));
        };
        let _turn = self.turn.lock().await;
        let vault = place.open(tokens, credential);
        // First of all, so that a redemption which this takes is part of what is written.
        let ready = vault.ready().await;
        let now = clock.now_ms();
        let result = match ready {
            Ok(()) => {
                place
                    .write(&vault, &Document::of(credential, self.environment, now))
                    .await
            }
            Err(error) => Err(error),
        };
        self.finish(now, result.is_ok());
        result
    }

    /// What may be shown of it.
    pub(crate) fn describe(&self) -> Value {
        match &self.place {
            Place::Vault(place) => Value::from(format!("{}/secrets/{}", place.address, place.name)),
            Place::Host { store, name } => Value::from(format!("{store}/{name}")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VaultPlace {
    /// The vault as its reader and writer sees it. `own` is the credential that is kept there.
    pub(crate) fn open(&self, tokens: &Tokens, own: &Arc<Credential>) -> Vault {
        Vault::new(
            tokens.clone(),
            Arc::clone(&self.environment),
            Arc::clone(self.access.as_ref().unwrap_or(own)),
            // As the application: a refresh token must not be needed to reach the refresh token.
            self.app_only || self.access.is_none(),
            self.address.clone(),
        )
    }

    pub(crate) async fn write(&self, vault: &Vault, document: &Document) -> Result<()> {
        let properties = Properties {
            content_type: Some(CONTENT_TYPE.to_owned()),
            expires: document.expires_on(),
            not_before: None,
            tags: BTreeMap::from([("applicationId".to_owned(), document.application_id().to_owned())]),
        };
        vault
            .set_secret(&self.name, &document.write()?, &properties, |_| {})
            .await
            .map(drop)
    }
}
