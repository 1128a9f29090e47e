//! The first request to a host goes alone, so that the many behind it find the connection that it opens. Over HTTP/2 they all
//! share that one; without this each would open one of its own, with a TLS handshake, and leave it unused.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A host that has answered within this time still has a connection to share; idle ones are kept somewhat longer.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Introduction {
    state: Mutex<State>,
    over: Notify,
}

#[derive(Debug, Default)]
struct State {
    under_way: bool,
    answered: Option<Instant>,
}

/// Held by the request that goes first until it has its answer or has failed.
#[derive(Debug)]
pub(super) struct First<'a>(&'a Introduction);

impl Introduction {
    /// Returns at once where the host has answered lately or nobody has gone first yet; waits for whoever has, but no longer
    /// than `patience`: a host that is slow to answer one request must not keep the others waiting.
    pub(super) async fn wait(&self, patience: Duration) -> Option<First<'_>> {
        let mut over = pin!(self.over.notified());
        {
            let mut state = self.lock();
            if state.answered.is_some_and(|at| at.elapsed() < FRESH) {
                return None;
            }
            if !state.under_way {
                state.under_way = true;
                return Some(First(self));
            }
            over.as_mut().enable();
        }
        // Whether the first has been answered or not, it is this one's turn.
        let _ = tokio::time::timeout(patience, over).await;
        None
    }

    /// The host has answered.
    pub(super) fn answered(&self) {
        self.lock().answered = Some(Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way = false;
        self.0.over.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn others_wait_until_the_first_is_answered() {
        let host = Introduction::default();
        let first = host.wait(LONG).await.unwrap();
        let mut others = [Box::pin(host.wait(LONG)), Box::pin(host.wait(LONG))];
        for other in &mut others {
            assert!(other.as_mut().now_or_never().is_none());
        }
        host.answered();
        drop(first);
        for other in others {
            assert!(other.await.is_none());
        }
        assert!(host.wait(LONG).now_or_never().unwrap().is_none(), "it has answered");
    }

    #[tokio::test]
    async fn a_first_that_fails_lets_the_others_go() {
        let host = Introduction::default();
        let first = host.wait(LONG).await.unwrap();
        let mut other = Box::pin(host.wait(LONG));
        assert!(other.as_mut().now_or_never().is_none());
        drop(first);
        assert!(other.await.is_none());
        assert!(
            host.wait(LONG).now_or_never().unwrap().is_some(),
            "somebody else goes first"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let host = Introduction::default();
        let _first = host.wait(LONG).await.unwrap();
        assert!(host.wait(LONG).await.is_none());
    }
}
