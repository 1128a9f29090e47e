//! Lists of customers that were read before, for whoever is content with one of some minutes ago.

use super::merge::Customer;
use crate::credential::Mark;
use crate::token::TokenRequest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// No list is kept for longer.
const LONGEST_MS: i64 = 24 * 3600 * 1000;

/// A partner's customers, and the id of its own tenant where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) customers: Vec<Customer>,
    pub(crate) partner: Option<String>,
}

/// Who asked, and where: nobody gets a list that somebody else may read.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    environment: u64,
    tenant: String,
    application: Mark,
    user: Option<Mark>,
}

/// Each with the time when it was read, in milliseconds since 1970.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<Key, (i64, Arc<Listed>)>>);

impl Kept {
    /// The list that was read for the same asker since then.
    pub(crate) fn since(&self, oldest: i64, partner: &TokenRequest) -> Option<Arc<Listed>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_on, listed) = lists.get(&Key::of(partner))?;
        (*read_on >= oldest).then(|| Arc::clone(listed))
    }

    pub(crate) fn keep(&self, now: i64, partner: &TokenRequest, listed: Listed) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, (read_on, _)| now - *read_on < LONGEST_MS);
        lists.insert(Key::of(partner), (now, Arc::new(listed)));
    }
}

impl Key {
    fn of(partner: &TokenRequest) -> Self {
        let credential = partner.credential();
        Key {
            environment: partner.environment().instance(),
            tenant: partner.tenant().as_str().to_owned(),
            application: *credential.proof_mark(),
            user: credential.refresh_mark().copied(),
        }
    }
}
