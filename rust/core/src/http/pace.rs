//! How fast one tenant of a service is asked: with as many requests in flight as it answers well, and with none while it asks
//! for a pause.
//!
//! Services throttle by tenant, so all that a source asks of one tenant shares a pace. A refusal halves what may be in flight
//! and makes all of it wait; then one request at a time tries whether it may go on. Each answer in good time adds one until the
//! first refusal, after it each round of answers does. An answer that takes far longer than usual takes a quarter away.

use super::held_up::{when_long, HeldUp, Step, LONG};
use super::limits::Permit;
use super::quota::Quota;
use super::reply::Reply;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Requests in flight to begin with.
const FIRST: f64 = 4.0;
/// How often in a row a tenant's requests are refused before it is given up: about four minutes where the service names no
/// time.
const REFUSALS: u32 = 12;
/// The longest wait where the service names none, and all waits in a row: half a minute and ten minutes, in first waits.
const LONGEST_WAIT: u32 = 60;
const PATIENCE: u32 = 1200;
/// An answer is slow that takes so many times the usual, and so many first waits at least.
const SLOW: u32 = 4;
const LEAST_SLOW: u32 = 2;

/// What one tenant's requests share.
pub(crate) struct Pace {
    most: f64,
    first_wait: Duration,
    refuses: fn(&Reply) -> bool,
    quota: Option<Arc<Quota>>,
    held_up: Arc<HeldUp>,
    state: Mutex<State>,
    changed: Notify,
}

/// A request's place among the tenant's, given back on drop.
pub(crate) struct Turn {
    pace: Arc<Pace>,
    step: Step,
    number: u64,
    is_trial: bool,
    /// Microseconds until its headers came.
    took: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Requests that may be in flight.
    window: f64,
    /// Nothing was refused yet.
    is_new: bool,
    in_flight: usize,
    /// Turns so far, and how many there were at the last cut: what becomes of older ones is old news.
    begun: u64,
    cut_at: u64,
    usual: Option<Duration>,
    /// Refusals in a row, the time that was waited for them, and until when.
    refusals: u32,
    waited: Duration,
    until: Option<Instant>,
    given_up: bool,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace({:?})", self.lock())
    }
}

impl Pace {
    /// At most `most` requests in flight; `refuses` tells a reply that asks for fewer. `first_wait` is the first pause where
    /// the service names none; each further one doubles. `quota` is what the service lets a tenant have in a minute, where it
    /// says so. `held_up` is called with true when the tenant can only wait, and with false when it goes on; it must not block.
    pub(crate) fn new(
        most: usize,
        first_wait: Duration,
        refuses: fn(&Reply) -> bool,
        quota: Option<Arc<Quota>>,
        held_up: impl Fn(bool) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let most = most.max(1) as f64;
        Arc::new(Pace {
            most,
            first_wait,
            refuses,
            quota,
            held_up: HeldUp::new(held_up),
            state: Mutex::new(State::new(FIRST.min(most))),
            changed: Notify::new(),
        })
    }

    pub(super) fn refuses(&self, reply: &Reply) -> bool {
        (self.refuses)(reply)
    }

    /// Waits until the pause is over and a place is free.
    pub(super) async fn enter(self: &Arc<Self>) -> Arc<Turn> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let until = match self.lock().enter(Instant::now()) {
                Entry::Taken { number, is_trial } => {
                    return Arc::new(Turn {
                        pace: Arc::clone(self),
                        step: self.held_up.begin(),
                        number,
                        is_trial,
                        took: AtomicU64::new(0),
                    })
                }
                Entry::Full => None,
                Entry::Pause(until) => Some(until),
            };
            match until {
                None => changed.await,
                Some(until) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(until) => {}
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// True where the tenant was refused last, or nothing of it moves and this request was sent again before, which `repeats` says:
    /// whether it may go on is what it tries. One that failed once is as likely to go well as any.
    pub(super) fn is_trial(&self, repeats: u32) -> bool {
        self.is_trial || (repeats > 1 && self.pace.held_up.is_held_up())
    }

    /// Waits until the tenant may have one more request.
    pub(super) async fn ration(&self) {
        if let Some(quota) = &self.pace.quota {
            quota.take().await;
        }
    }

    /// Waits for the service. When that takes long, others may go before, this tenant's turn and `permit`'s places included.
    pub(super) async fn watch<F: Future + Unpin>(&self, permit: &Permit, work: F) -> F::Output {
        let then = || {
            permit.make_room();
            self.step.wait();
        };
        when_long(self.pace.first_wait * LONG, work, then).await
    }

    /// Waits for the token that it is sent with.
    pub(super) async fn sign_in<F: Future + Unpin>(&self, work: F) -> F::Output {
        self.step.watch(self.pace.first_wait, work).await
    }

    /// It will be sent again after a while.
    pub(super) fn wait(&self) {
        self.step.wait();
    }

    /// A piece of the answer has come.
    pub(super) fn go_on(&self) {
        self.step.go_on();
    }

    /// The rest of the answer will not come.
    pub(super) fn broke_off(&self) {
        self.step.fail();
    }

    /// How long the service took, without any wait of ours.
    pub(super) fn set_took(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.took.store(micros, Ordering::Relaxed);
    }

    /// The service asks for fewer requests. Gives the pause after which this one is to be sent again; `None` where it is not.
    pub(super) fn refused(&self, asked: Option<Duration>) -> Option<Duration> {
        let (pace, state) = (&self.pace, &mut *self.pace.lock());
        let wait = state.refused(self.number, asked, pace.first_wait, Instant::now());
        pace.held_up.set_paused(state.is_paused());
        wait
    }

    /// The service did what was asked, or said that it cannot be done.
    pub(super) fn answered(&self) {
        let took = Duration::from_micros(self.took.load(Ordering::Relaxed));
        let (pace, state) = (&self.pace, &mut *self.pace.lock());
        state.answered(self.number, took, pace.first_wait, pace.most);
        pace.held_up.set_paused(state.is_paused());
        self.step.go_on();
    }

    /// No answer came, or one that says that the service has its own troubles.
    pub(super) fn failed(&self) {
        self.pace.lock().cut(self.number, 0.5);
        self.step.fail();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pace.lock().in_flight -= 1;
        self.pace.changed.notify_waiters();
    }
}

enum Entry {
    Taken { number: u64, is_trial: bool },
    Full,
    Pause(Instant),
}

impl State {
    fn new(window: f64) -> Self {
        State {
            window,
            is_new: true,
            in_flight: 0,
            begun: 0,
            cut_at: 0,
            usual: None,
            refusals: 0,
            waited: Duration::ZERO,
            until: None,
            given_up: false,
        }
    }

    fn enter(&mut self, now: Instant) -> Entry {
        if let Some(until) = self.until.filter(|until| *until > now) {
            return Entry::Pause(until);
        }
        let allowed = if self.refusals > 0 { 1 } else { self.window as usize };
        if self.in_flight >= allowed {
            return Entry::Full;
        }
        self.in_flight += 1;
        self.begun += 1;
        Entry::Taken {
            number: self.begun,
            is_trial: self.refusals > 0,
        }
    }

    /// All of the tenant waits because it was refused.
    fn is_paused(&self) -> bool {
        self.refusals > 0 && !self.given_up
    }

    /// Makes the window smaller, once for all that was in flight at the time.
    fn cut(&mut self, number: u64, share: f64) -> bool {
        let is_news = number > self.cut_at;
        if is_news {
            self.is_new = false;
            self.window = (self.window * share).max(1.0);
            self.cut_at = self.begun;
        }
        is_news
    }

    fn refused(
        &mut self,
        number: u64,
        asked: Option<Duration>,
        first_wait: Duration,
        now: Instant,
    ) -> Option<Duration> {
        if !self.cut(number, 0.5) {
            let left = self.until.map_or(Duration::ZERO, |until| until.duration_since(now));
            return (!self.given_up).then_some(left);
        }
        let doubled = first_wait * 2u32.pow(self.refusals.min(6)).min(LONGEST_WAIT);
        let wait = match asked {
            // A little more than asked for, so that many who wait do not come back in the same instant.
            Some(asked) => asked + first_wait.mul_f64(0.5 * random_unit()),
            None => doubled.mul_f64(0.5 + 0.5 * random_unit()),
        };
        self.given_up = self.refusals >= REFUSALS || self.waited + wait > first_wait * PATIENCE;
        if self.given_up {
            self.until = None;
            return None;
        }
        self.refusals += 1;
        self.waited += wait;
        self.until = Some(now + wait);
        Some(wait)
    }

    fn answered(&mut self, number: u64, took: Duration, first_wait: Duration, most: f64) {
        let usual = self.usual.unwrap_or(took);
        self.usual = Some((usual * 7 + took) / 8);
        // One that was under way when another one was refused says nothing of what may be asked now.
        if number <= self.cut_at {
            return;
        }
        self.refusals = 0;
        self.waited = Duration::ZERO;
        self.until = None;
        self.given_up = false;
        if took > usual * SLOW && took > first_wait * LEAST_SLOW {
            self.cut(number, 0.75);
            return;
        }
        let step = if self.is_new { 1.0 } else { 1.0 / self.window };
        self.window = (self.window + step).min(most);
    }
}

/// A number in 0..1, good enough to spread waits. Each `RandomState` has its own random keys.
fn random_unit() -> f64 {
    let bits = std::hash::RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
