//! Whether all that a tenant's queries do is wait for the service. A query takes minutes, some take hours.

use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Waits {
    held_up: Box<dyn Fn(bool) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: usize,
    /// All that the requests under way can do is wait.
    requests_wait: bool,
    is_told: bool,
}

/// One of a count, taken from it on drop.
pub(super) struct Counted<'a> {
    waits: &'a Waits,
    of: fn(&mut State) -> &mut usize,
}

impl Waits {
    /// `held_up` is called with true when the tenant can only wait, and with false when it goes on; it must not block.
    pub(super) fn new(held_up: impl Fn(bool) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Waits {
            held_up: Box::new(held_up),
            state: Mutex::default(),
        })
    }

    /// What the tenant's requests say of themselves.
    pub(super) fn set_requests_wait(&self, requests_wait: bool) {
        self.change(|state| state.requests_wait = requests_wait);
    }

    /// A query, from its creation until its records were read.
    pub(super) fn query(&self) -> Counted<'_> {
        self.count(|state| &mut state.under_way)
    }

    /// Its time between creation and end.
    pub(super) fn wait(&self) -> Counted<'_> {
        self.count(|state| &mut state.waiting)
    }

    fn count(&self, of: fn(&mut State) -> &mut usize) -> Counted<'_> {
        self.change(|state| *of(state) += 1);
        Counted { waits: self, of }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let all_wait = state.under_way > 0 && state.waiting == state.under_way;
        let is_held_up = state.requests_wait || all_wait;
        if std::mem::replace(&mut state.is_told, is_held_up) != is_held_up {
            (self.held_up)(is_held_up);
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.waits.change(|state| *(self.of)(state) -= 1);
    }
}
