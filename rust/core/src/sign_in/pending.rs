//! Sign-ins whose answer the user will paste, perhaps with a later command.

use super::address::Attempt;
use super::authority::Authority;
use super::{Plan, PATIENCE};
use crate::credential::Credential;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// More at a time than this, and the oldest is forgotten.
const MOST: usize = 32;

/// Lives as long as the process; holds no secret but the verifiers of sign-ins that are under way.
#[derive(Default)]
pub(crate) struct Pending(Mutex<VecDeque<Started>>);

pub(super) struct Started {
    pub(super) plan: Plan,
    pub(super) authority: Authority,
    pub(super) attempt: Attempt,
    at: Instant,
}

impl Pending {
    pub(super) fn keep(&self, plan: &Plan, authority: &Authority, attempt: &Attempt) {
        let mut started = self.lock();
        started.push_back(Started {
            plan: plan.clone(),
            authority: authority.clone(),
            attempt: attempt.clone(),
            at: Instant::now(),
        });
        while started.len() > MOST || started.front().is_some_and(|oldest| oldest.at.elapsed() > PATIENCE) {
            started.pop_front();
        }
    }

    /// The sign-in that `state` belongs to. It can be taken once.
    pub(super) fn take(&self, state: &str, credential: &Credential) -> Result<Started> {
        let mut started = self.lock();
        let found = started
            .iter()
            .position(|one| one.attempt.state() == state && one.at.elapsed() <= PATIENCE);
        let Some(found) = found else {
            return Err(Error::invalid("the pasted address does not belong to a sign-in that was started here").advise(
                "Paste the address in the session that printed the sign-in address, within 15 minutes and once; otherwise \
                 start again.",
            ));
        };
        let same = started
            .get(found)
            .is_some_and(|one| one.plan.credential.application_id() == credential.application_id());
        if !same {
            return Err(Error::invalid("the sign-in was started for another application")
                .advise("Give the credential that the sign-in was started with."));
        }
        started
            .remove(found)
            .ok_or_else(|| Error::internal("a sign-in was lost"))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Started>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
