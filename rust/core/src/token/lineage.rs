//! Refresh tokens through their rotations.
//!
//! Entra answers each redemption with a new refresh token and keeps the old one valid (Microsoft's "Refresh tokens in the
//! Microsoft identity platform"). A lineage is the chain of tokens that grew from one: two credentials made with any of
//! them are the same user of the same application, and share what is cached. The newest token of the home tenant is kept.

use crate::credential::{refresh_mark, Credential, Mark};
use crate::error::Result;
use crate::secret::Secret;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Earlier tokens of a lineage by which it can still be found.
const REMEMBERED: usize = 16;
/// Lineages beyond which those that no question uses are forgotten.
const MANY: usize = 4096;

/// Lineages by the environment instance that issued them, and by the marks of their tokens. A token of one environment is
/// never sent to another's hosts, so neither is its lineage.
pub(super) struct Lineages {
    by_mark: Mutex<HashMap<(u64, Mark), Arc<Lineage>>>,
}

pub(super) struct Lineage {
    id: u64,
    newest: Mutex<Newest>,
    /// Where a token dies with its use, redemptions of a lineage go one after the other.
    turn: Arc<Semaphore>,
}

struct Newest {
    token: Secret,
    marks: VecDeque<Mark>,
}

impl Lineages {
    pub(super) fn new() -> Self {
        Lineages {
            by_mark: Mutex::new(HashMap::new()),
        }
    }

    /// The lineage that the credential's refresh token belongs to; `None` where it has none. `next_id` numbers a new one.
    pub(super) fn of(
        &self,
        environment: u64,
        credential: &Credential,
        next_id: impl FnOnce() -> u64,
    ) -> Option<Arc<Lineage>> {
        let (mark, token) = (credential.refresh_mark()?, credential.first_refresh_token()?);
        let mut by_mark = self.lock();
        if let Some(lineage) = by_mark.get(&(environment, *mark)) {
            return Some(Arc::clone(lineage));
        }
        if by_mark.len() >= MANY {
            by_mark.retain(|_, lineage| Arc::strong_count(lineage) > lineage.lock().marks.len());
        }
        let lineage = Arc::new(Lineage {
            id: next_id(),
            newest: Mutex::new(Newest {
                token: token.clone(),
                marks: VecDeque::from([*mark]),
            }),
            turn: Arc::new(Semaphore::new(1)),
        });
        by_mark.insert((environment, *mark), Arc::clone(&lineage));
        Some(lineage)
    }

    /// Makes `token` the newest of `lineage`.
    pub(super) fn adopt(
        &self,
        environment: u64,
        application_id: &str,
        lineage: &Arc<Lineage>,
        token: &Secret,
    ) -> Result<()> {
        let mark = refresh_mark(application_id, token)?;
        let mut by_mark = self.lock();
        let mut newest = lineage.lock();
        newest.token = token.clone();
        if !newest.marks.contains(&mark) {
            newest.marks.push_back(mark);
            by_mark.insert((environment, mark), Arc::clone(lineage));
        }
        if newest.marks.len() > REMEMBERED {
            // The first one stays: it is what the user's script keeps giving.
            if let Some(old) = newest.marks.remove(1) {
                by_mark.remove(&(environment, old));
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u64, Mark), Arc<Lineage>>> {
        self.by_mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lineage {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The token to redeem next.
    pub(super) fn newest(&self) -> Secret {
        self.lock().token.clone()
    }

    pub(super) fn turn(&self) -> &Arc<Semaphore> {
        &self.turn
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
