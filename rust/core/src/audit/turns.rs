//! How many tenants are worked on at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Tenants beside those that have a turn: they wait for their service and hold little but their files.
const MOST_ASIDE: usize = 128;

/// Turns of tenants. Who can only wait for the service is set aside, and the turn is another one's meanwhile: nobody waits
/// behind a tenant that is throttled.
#[derive(Debug)]
pub(crate) struct Turns {
    most: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    aside: usize,
}

/// One tenant's turn, given back on drop.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    is_aside: AtomicBool,
}

impl Turns {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Turns {
            most: most.max(1),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Waits for a turn.
    pub(crate) async fn take(self: &Arc<Self>) -> Turn {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().take(self.most) {
                return Turn {
                    turns: Arc::clone(self),
                    is_aside: AtomicBool::new(false),
                };
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, most: usize) -> bool {
        let is_free = self.taken < most + self.aside.min(MOST_ASIDE);
        self.taken += usize::from(is_free);
        is_free
    }
}

impl Turn {
    /// Says whether the tenant can only wait. One that goes on does so at once, whoever has its turn meanwhile.
    pub(crate) fn set_aside(&self, aside: bool) {
        let mut state = self.turns.lock();
        if self.is_aside.swap(aside, Ordering::Relaxed) == aside {
            return;
        }
        if aside {
            state.aside += 1;
            self.turns.changed.notify_one();
        } else {
            state.aside -= 1;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.set_aside(false);
        self.turns.lock().taken -= 1;
        self.turns.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn fill(turns: &Arc<Turns>) -> Vec<Turn> {
        std::iter::from_fn(|| turns.take().now_or_never()).collect()
    }

    #[tokio::test]
    async fn who_only_waits_takes_nobodys_turn() {
        let turns = Turns::new(3);
        let first = fill(&turns);
        assert_eq!(first.len(), 3);
        let waiting = turns.take();
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        first[0].set_aside(true);
        first[0].set_aside(true);
        let other = waiting.await;
        assert_eq!(fill(&turns).len(), 0);
        // Back again, they are one more than there should be, until one ends.
        first[0].set_aside(false);
        drop(other);
        assert_eq!(fill(&turns).len(), 0);
        drop(first);
        assert_eq!(fill(&turns).len(), 3);
    }

    #[tokio::test]
    async fn so_many_are_set_aside_and_no_more() {
        let turns = Turns::new(1);
        let mut all = Vec::new();
        while let Some(turn) = turns.take().now_or_never() {
            turn.set_aside(true);
            all.push(turn);
        }
        assert_eq!(all.len(), MOST_ASIDE + 1);
        drop(all);
        assert_eq!(fill(&turns).len(), 1);
    }
}
