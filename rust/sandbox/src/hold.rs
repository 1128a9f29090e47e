//! Replies that wait until a test lets them go, and what became of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::world::lock;

/// How many replies of one fault were ever held, lost their client while held, or were released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HoldCounts {
    /// Replies that were held, whatever became of them.
    pub held: u64,
    /// Replies whose client went away while they were held.
    pub closed: u64,
    /// Replies that were let go.
    pub released: u64,
    #[serde(skip)]
    round: u64,
}

/// All holds, by the id of their fault.
#[derive(Default)]
pub(crate) struct Holds(Mutex<HashMap<String, Arc<watch::Sender<HoldCounts>>>>);

/// One reply's place in a hold. Dropped before its release, it counts as closed.
pub(crate) struct Held {
    counts: Arc<watch::Sender<HoldCounts>>,
    waiting: watch::Receiver<HoldCounts>,
    round: u64,
    done: bool,
}

impl Holds {
    fn of(&self, fault: &str) -> Arc<watch::Sender<HoldCounts>> {
        lock(&self.0)
            .entry(fault.to_owned())
            .or_insert_with(|| Arc::new(watch::Sender::default()))
            .clone()
    }

    /// Joins a hold; the reply counts as held from here on.
    pub(crate) fn join(&self, fault: &str) -> Held {
        let counts = self.of(fault);
        let waiting = counts.subscribe();
        let mut round = 0;
        counts.send_modify(|c| {
            c.held += 1;
            round = c.round;
        });
        Held {
            counts,
            waiting,
            round,
            done: false,
        }
    }

    /// Lets go what the fault holds now.
    pub(crate) fn release(&self, fault: &str) -> HoldCounts {
        let counts = self.of(fault);
        counts.send_modify(|c| c.round += 1);
        let now = *counts.borrow();
        now
    }

    /// Lets go everything that is held.
    pub(crate) fn release_all(&self) {
        for counts in lock(&self.0).values() {
            counts.send_modify(|c| c.round += 1);
        }
    }

    /// Waits until `reached` is true of the counts. The counts as they are, and whether it came true in time.
    pub(crate) async fn wait(
        &self,
        fault: &str,
        timeout: Duration,
        reached: impl Fn(&HoldCounts) -> bool,
    ) -> (HoldCounts, bool) {
        let counts = self.of(fault);
        let mut waiting = counts.subscribe();
        let in_time = tokio::time::timeout(timeout, waiting.wait_for(|c| reached(c)))
            .await
            .is_ok_and(|r| r.is_ok());
        let now = *counts.borrow();
        (now, in_time)
    }
}

impl Held {
    /// Returns once the hold is released.
    pub(crate) async fn released(mut self) {
        let round = self.round;
        // The sender lives in `self`, so the wait cannot fail for want of one.
        let _ = self.waiting.wait_for(|c| c.round > round).await;
        self.done = true;
        self.counts.send_modify(|c| c.released += 1);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.done {
            self.counts.send_modify(|c| c.closed += 1);
        }
    }
}
