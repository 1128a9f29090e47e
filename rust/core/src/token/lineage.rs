//! Refresh tokens through their rotations.
//!
//! Entra answers each redemption with a new refresh token and keeps the old one valid (Microsoft's "Refresh tokens in the
//! Microsoft identity platform"). A lineage is the chain of tokens that grew from one: two credentials made with any of
//! them are the same user of the same application, and share what is cached. The newest token of the home tenant is kept.

use crate::credential::{refresh_mark, Credential, Mark};
use crate::error::Result;
use crate::secret::Secret;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Earlier tokens of a lineage by which it can still be found.
const REMEMBERED: usize = 16;
/// Marks beyond which the lineages that no credential holds are forgotten.
const MANY: usize = 4096;

/// Lineages by the environment instance that issued them, and by the marks of their tokens. A token of one environment is
/// never sent to another's hosts, so neither is its lineage.
pub(super) struct Lineages {
    by_mark: Mutex<HashMap<(u64, Mark), Arc<Lineage>>>,
}

/// One user's chain of refresh tokens of one application.
pub(crate) struct Lineage {
    id: u64,
    newest: Mutex<Newest>,
    /// Where a token dies with its use, redemptions of a lineage go one after the other.
    turn: Arc<Semaphore>,
}

struct Newest {
    token: Secret,
    /// When the token was adopted; `None` for the first one, whose age its credential may know.
    since: Option<i64>,
    marks: VecDeque<Mark>,
}

impl Lineages {
    pub(super) fn new() -> Self {
        Lineages {
            by_mark: Mutex::new(HashMap::new()),
        }
    }

    /// The lineage that the credential's refresh token belongs to; `None` where it has none. `next_id` numbers a new one.
    /// The credential holds it from then on.
    pub(super) fn of(
        &self,
        environment: u64,
        credential: &Credential,
        next_id: impl FnOnce() -> u64,
    ) -> Option<Arc<Lineage>> {
        if let Some(lineage) = credential.lineage(environment) {
            return Some(lineage);
        }
        let (mark, token) = (credential.refresh_mark()?, credential.first_refresh_token()?);
        let mut by_mark = self.lock();
        let lineage = match by_mark.get(&(environment, *mark)) {
            Some(lineage) => Arc::clone(lineage),
            None => {
                forget_unheld(&mut by_mark);
                let lineage = Arc::new(Lineage {
                    id: next_id(),
                    newest: Mutex::new(Newest {
                        token: token.clone(),
                        since: None,
                        marks: VecDeque::from([*mark]),
                    }),
                    turn: Arc::new(Semaphore::new(1)),
                });
                by_mark.insert((environment, *mark), Arc::clone(&lineage));
                lineage
            }
        };
        credential.hold_lineage(environment, &lineage);
        Some(lineage)
    }

    /// Makes `token`, which came at `now_ms`, the newest of `lineage`.
    pub(super) fn adopt(
        &self,
        environment: u64,
        application_id: &str,
        lineage: &Arc<Lineage>,
        token: &Secret,
        now_ms: i64,
    ) -> Result<()> {
        let mark = refresh_mark(application_id, token)?;
        let mut by_mark = self.lock();
        let mut newest = lineage.lock();
        newest.token = token.clone();
        newest.since = Some(now_ms);
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

    /// Forgets the lineages of an environment instance; a credential that holds one keeps it.
    pub(super) fn forget(&self, environment: u64) {
        self.lock().retain(|(of, _), _| *of != environment);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u64, Mark), Arc<Lineage>>> {
        self.by_mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Once there are many, drops those that no credential holds: scripts make a credential per call, so that a lineage must
/// outlive its credential, but not for ever.
fn forget_unheld(by_mark: &mut HashMap<(u64, Mark), Arc<Lineage>>) {
    if by_mark.len() < MANY {
        return;
    }
    let mut entries: HashMap<u64, usize> = HashMap::new();
    for lineage in by_mark.values() {
        *entries.entry(lineage.id).or_default() += 1;
    }
    by_mark.retain(|_, lineage| Arc::strong_count(lineage) > entries.get(&lineage.id).copied().unwrap_or_default());
}

impl Lineage {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The token to redeem next.
    pub(crate) fn newest(&self) -> Secret {
        self.lock().token.clone()
    }

    /// When the newest token came; `None` while it is the first.
    pub(crate) fn renewed_on(&self) -> Option<i64> {
        self.lock().since
    }

    pub(super) fn turn(&self) -> &Arc<Semaphore> {
        &self.turn
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lineage({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Field, Request};

    const APPLICATION: &str = "11111111-2222-3333-4444-555555555555";

    fn credential(token: &str) -> Credential {
        let request = Request::new("credential")
            .with("applicationId", Field::Text(APPLICATION.to_owned()))
            .with("refreshToken", Field::Secret(token.into()));
        Credential::open(&request).unwrap()
    }

    #[test]
    fn any_of_its_tokens_finds_a_lineage_and_the_first_always_does() {
        let lineages = Lineages::new();
        let first = lineages.of(1, &credential("t0"), || 7).unwrap();
        for number in 1..100 {
            let token = Secret::from(format!("t{number}").as_str());
            lineages.adopt(1, APPLICATION, &first, &token, 0).unwrap();
            assert_eq!(
                lineages.of(1, &credential(&format!("t{number}")), || 8).unwrap().id(),
                7
            );
        }
        assert_eq!(first.newest().expose(), "t99");
        assert_eq!(lineages.of(1, &credential("t0"), || 8).unwrap().id(), 7);
        assert_eq!(
            lineages.of(1, &credential("t1"), || 8).unwrap().id(),
            8,
            "long forgotten"
        );
        assert_eq!(
            lineages.of(2, &credential("t0"), || 9).unwrap().id(),
            9,
            "another environment"
        );
    }

    #[test]
    fn what_a_credential_holds_is_kept_when_there_are_many() {
        let lineages = Lineages::new();
        let held = credential("held");
        lineages.of(1, &held, || 1).unwrap();
        for number in 0..3 * MANY {
            lineages.of(1, &credential(&format!("passing {number}")), || number as u64 + 10);
        }
        assert!(lineages.lock().len() <= MANY);
        assert_eq!(lineages.of(1, &credential("held"), || 2).unwrap().id(), 1);
    }
}
