//! Whether all that a tenant's work can do is wait for its services.
//!
//! It is told in this place alone, so that whoever lends the tenant's turn to others knows it whatever the reason is: a pause that
//! was asked for, a wait before something is sent again, a sign-in or an answer that does not come.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Without an answer for so many first waits, ten seconds as a rule, the work can only wait.
pub(super) const LONG: u32 = 20;

/// What is done when work waits before it asks again.
type Notice = dyn Fn() + Send + Sync;

tokio::task_local! {
    static NOTICE: Arc<Notice>;
}

/// Runs `work`, and calls `notice` whenever it says that it waits before it asks again ([`waits`]).
pub(crate) fn noticing<F: Future + Unpin>(
    notice: impl Fn() + Send + Sync + 'static,
    work: F,
) -> impl Future<Output = F::Output> {
    NOTICE.scope(Arc::new(notice), work)
}

/// Says that the work that is calling waits before it asks again, or waits for work that does.
pub(crate) fn waits() {
    let _ = NOTICE.try_with(|notice| notice());
}

/// What is known of one tenant's work. When this is gone, the tenant is not held up any more.
pub(crate) struct HeldUp {
    tell: Box<dyn Fn(bool) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Steps so far.
    begun: u64,
    under_way: BTreeMap<u64, Way>,
    /// Something failed, and nothing has come since.
    is_failing: bool,
    /// The service has asked for a pause.
    is_paused: bool,
    is_told: bool,
}

/// How one step is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Moving,
    /// It began while everything failed, and is likely to fail as well.
    Trying,
    Waiting,
}

/// Something that is under way, a request for instance, until it is dropped.
pub(crate) struct Step {
    of: Arc<HeldUp>,
    number: u64,
}

impl fmt::Debug for HeldUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldUp({:?})", self.lock())
    }
}

impl HeldUp {
    /// `tell` is called with true when the tenant can only wait, and with false when it goes on; it must not block.
    pub(crate) fn new(tell: impl Fn(bool) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(HeldUp {
            tell: Box::new(tell),
            state: Mutex::default(),
        })
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Step {
        let number = self.change(|state| {
            state.begun += 1;
            let way = if state.is_failing { Way::Trying } else { Way::Moving };
            state.under_way.insert(state.begun, way);
            state.begun
        });
        Step {
            of: Arc::clone(self),
            number,
        }
    }

    /// Says whether all of the tenant's requests wait because the service asked for it.
    pub(super) fn set_paused(&self, is_paused: bool) {
        self.change(|state| state.is_paused = is_paused);
    }

    pub(super) fn is_held_up(&self) -> bool {
        self.lock().is_held_up()
    }

    fn wait(&self, number: u64) {
        self.change(|state| {
            // What it was noticed for may be over.
            if let Some(way) = state.under_way.get_mut(&number) {
                *way = Way::Waiting;
                state.is_failing = true;
            }
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let changed = change(&mut state);
        let now = state.is_held_up();
        if std::mem::replace(&mut state.is_told, now) != now {
            (self.tell)(now);
        }
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_held_up(&self) -> bool {
        let waits = |way: &Way| match way {
            Way::Moving => false,
            Way::Trying => self.is_failing,
            Way::Waiting => true,
        };
        // Between two steps nothing is under way: then the last one tells.
        let is_any = self.is_failing || !self.under_way.is_empty();
        self.is_paused || (is_any && self.under_way.values().all(waits))
    }
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        if self.lock().is_told {
            (self.tell)(false);
        }
    }
}

impl Step {
    /// Only time helps it: it is not answered, or waits before it is sent again.
    pub(crate) fn wait(&self) {
        self.of.wait(self.number);
    }

    /// Something came: an answer, a piece of one.
    pub(crate) fn go_on(&self) {
        self.of.change(|state| {
            state.under_way.insert(self.number, Way::Moving);
            state.is_failing = false;
        });
    }

    /// It came to nothing.
    pub(crate) fn fail(&self) {
        self.of.change(|state| state.is_failing = true);
    }

    /// Runs `work`, a sign-in, which only time helps once it waits before it asks again, or takes longer than [`LONG`].
    pub(crate) async fn watch<F: Future + Unpin>(&self, first_wait: Duration, work: F) -> F::Output {
        let (of, number) = (Arc::clone(&self.of), self.number);
        let work = std::pin::pin!(noticing(move || of.wait(number), work));
        when_long(first_wait * LONG, work, || self.wait()).await
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.of.change(|state| state.under_way.remove(&self.number));
    }
}

/// Waits for `work`, and calls `then` once, where it takes longer than `long`. Large work is to be boxed: it would be there as often as there
/// are functions that hand it on.
pub(super) async fn when_long<F: Future + Unpin>(long: Duration, mut work: F, then: impl FnOnce()) -> F::Output {
    match tokio::time::timeout(long, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            then();
            work.await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn bed() -> (Arc<HeldUp>, impl Fn() -> bool) {
        let told = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&told);
        let held_up = HeldUp::new(move |held_up| tell.store(held_up, Ordering::Relaxed));
        (held_up, move || told.load(Ordering::Relaxed))
    }

    #[test]
    fn a_tenant_is_held_up_when_everything_under_way_waits() {
        let (held_up, is_told) = bed();
        let (one, two) = (held_up.begin(), held_up.begin());
        assert!(!is_told());
        one.wait();
        assert!(!is_told(), "the other one moves");
        two.wait();
        assert!(is_told());
        one.go_on();
        assert!(!is_told());
        drop(one);
        assert!(is_told(), "what is left waits");
        two.go_on();
        drop(two);
        assert!(!is_told());
    }

    #[test]
    fn what_is_tried_after_a_failure_counts_as_waiting_until_something_comes() {
        let (held_up, is_told) = bed();
        let step = held_up.begin();
        step.fail();
        assert!(!is_told(), "it is not over yet");
        drop(step);
        assert!(is_told(), "nothing is under way, and the last one failed");
        let (one, two) = (held_up.begin(), held_up.begin());
        assert!(is_told());
        one.go_on();
        drop(one);
        assert!(!is_told(), "the other one was only tried because of the failure");
        drop(two);
        assert!(!is_told());
    }

    #[test]
    fn a_pause_holds_up_whatever_is_under_way() {
        let (held_up, is_told) = bed();
        let step = held_up.begin();
        held_up.set_paused(true);
        step.go_on();
        assert!(is_told());
        held_up.set_paused(false);
        assert!(!is_told());
    }

    #[test]
    fn work_that_is_over_holds_nobody_up() {
        let (held_up, is_told) = bed();
        let step = held_up.begin();
        step.wait();
        drop(held_up);
        assert!(is_told());
        drop(step);
        assert!(!is_told());
    }

    #[tokio::test]
    async fn a_sign_in_that_waits_before_it_asks_again_waits_at_once() {
        let (held_up, is_told) = bed();
        let step = held_up.begin();
        let sign_in = Box::pin(async {
            let before = is_told();
            waits();
            (before, is_told())
        });
        let seen = step.watch(Duration::from_secs(500), sign_in);
        assert_eq!(seen.await, (false, true));
        drop(step);
        held_up.wait(1);
        waits();
        held_up.begin().go_on();
        assert!(!is_told(), "what is over changes nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_long_waits_and_other_work_does_not() {
        let first_wait = Duration::from_millis(500);
        let (held_up, is_told) = bed();
        let step = held_up.begin();
        step.watch(first_wait, Box::pin(tokio::time::sleep(first_wait * LONG / 2)))
            .await;
        assert!(!is_told());
        step.watch(first_wait, Box::pin(tokio::time::sleep(first_wait * LONG * 2)))
            .await;
        assert!(is_told());
    }
}
