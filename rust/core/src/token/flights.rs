//! Questions under way, each asked once however many wait for its answer.
//!
//! A flight belongs to the cache and runs on its own task. Whoever stops waiting is detached and changes nothing for the
//! others; when nobody waits any more the flight is abandoned. No lock is held while anything is awaited.

use crate::error::{Error, Result};
use crate::http::{held_up, Budget};
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) struct Flights<K, V> {
    under_way: Mutex<HashMap<K, Arc<Flight<V>>>>,
}

struct Flight<V> {
    /// Its place in the order of everything that begins.
    begun: u64,
    /// Changed only under the lock of `under_way`.
    waiters: std::sync::atomic::AtomicUsize,
    /// Nobody waits (or waited at some moment).
    abandoned: CancellationToken,
    /// Goes on to the end of an exchange that has begun, even when abandoned.
    protected: bool,
    /// What its work may spend on asking again: the retries of all who wait for it.
    budget: Budget,
    /// Its work has waited before it asked again.
    delayed: CancellationToken,
    outcome: watch::Sender<Option<Outcome<V>>>,
}

#[derive(Clone)]
enum Outcome<V> {
    Landed(Result<V>),
    /// It ended because nobody waited; somebody who came after that has to ask anew.
    Abandoned,
}

/// What a caller does who finds no flight to join.
pub(super) struct Launch<F> {
    pub(super) begun: u64,
    /// See `Flight::protected`; the work itself must heed the token that it is given.
    pub(super) protected: bool,
    pub(super) budget: Budget,
    pub(super) work: F,
}

/// What is found when the lock is held.
pub(super) enum Found<V> {
    /// The answer came in the meantime.
    Answer(Result<V>),
    Nothing,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Flights {
            under_way: Mutex::new(HashMap::new()),
        })
    }

    /// Waits for a flight of `key` that began after `not_before`, or starts one.
    ///
    /// `look` is called under the lock, where no flight can land unseen, and so is `joined`,
    /// with the flight's budget, where one is joined. Dropping the future detaches the caller.
    pub(super) async fn fly<L, M, J, W, F>(
        self: &Arc<Self>,
        runtime: &Handle,
        key: &K,
        not_before: u64,
        look: L,
        launch: M,
        joined: J,
    ) -> Result<V>
    where
        L: Fn() -> Found<V>,
        M: Fn() -> Launch<W>,
        J: Fn(&Budget),
        W: FnOnce(CancellationToken) -> F,
        F: Future<Output = Result<V>> + Send + 'static,
    {
        loop {
            let (waiter, delayed, mut outcome) = {
                let mut under_way = self.lock();
                if let Found::Answer(answer) = look() {
                    return answer;
                }
                let existing = under_way.get(key).filter(|flight| flight.begun >= not_before).cloned();
                let flight = match existing {
                    Some(flight) => {
                        joined(&flight.budget);
                        flight
                    }
                    None => {
                        let launch = launch();
                        let flight = Arc::new(Flight {
                            begun: launch.begun,
                            waiters: Default::default(),
                            abandoned: CancellationToken::new(),
                            protected: launch.protected,
                            budget: launch.budget,
                            delayed: CancellationToken::new(),
                            outcome: watch::Sender::new(None),
                        });
                        let work = (launch.work)(flight.abandoned.clone());
                        let delayed = flight.delayed.clone();
                        let run = Box::pin(Arc::clone(self).run(key.clone(), Arc::clone(&flight), work));
                        runtime.spawn(held_up::noticing(move || delayed.cancel(), run));
                        under_way.insert(key.clone(), Arc::clone(&flight));
                        flight
                    }
                };
                flight.waiters.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let outcome = flight.outcome.subscribe();
                let delayed = flight.delayed.clone();
                (
                    Waiter {
                        flights: self,
                        key,
                        flight,
                    },
                    delayed,
                    outcome,
                )
            };
            let mut told = false;
            let landed = loop {
                tokio::select! {
                    biased;
                    landed = outcome.wait_for(Option::is_some) => break landed.ok().and_then(|outcome| outcome.clone()),
                    // Who waits for it waits for the service as well.
                    () = delayed.cancelled(), if !told => {
                        held_up::waits();
                        told = true;
                    }
                }
            };
            drop(waiter);
            match landed {
                Some(Outcome::Landed(result)) => return result,
                Some(Outcome::Abandoned) => {}
                None => return Err(broken_off()),
            }
        }
    }

    async fn run(self: Arc<Self>, key: K, flight: Arc<Flight<V>>, work: impl Future<Output = Result<V>>) {
        // Also when the work panics or the runtime stops: a flight that has ended must not be joined, nor waited for.
        let mut landing = Landing {
            flights: &self,
            key: &key,
            flight: &flight,
            outcome: None,
        };
        landing.outcome = Some(if flight.protected {
            match work.await {
                Err(error) if error.is_cancelled() && flight.abandoned.is_cancelled() => Outcome::Abandoned,
                result => Outcome::Landed(result),
            }
        } else {
            tokio::select! {
                biased;
                () = flight.abandoned.cancelled() => Outcome::Abandoned,
                result = work => Outcome::Landed(result),
            }
        });
    }

    fn forget(&self, key: &K, flight: &Arc<Flight<V>>) {
        let mut under_way = self.lock();
        if under_way.get(key).is_some_and(|current| Arc::ptr_eq(current, flight)) {
            under_way.remove(key);
        }
    }
}

impl<K, V> Flights<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Flight<V>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Landing<'a, K: Clone + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    flights: &'a Flights<K, V>,
    key: &'a K,
    flight: &'a Arc<Flight<V>>,
    /// Still nothing when the flight was broken off.
    outcome: Option<Outcome<V>>,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        self.flights.forget(self.key, self.flight);
        let outcome = self
            .outcome
            .take()
            .unwrap_or_else(|| Outcome::Landed(Err(broken_off())));
        self.flight.outcome.send_replace(Some(outcome));
    }
}

#[cold]
fn broken_off() -> Error {
    Error::internal("a defect in SecureAppModel broke off the request for a token")
        .advise("Try again; if it happens every time, report it with the command that was run.")
}

/// One caller's part in a flight.
struct Waiter<'a, K: Eq + Hash, V> {
    flights: &'a Flights<K, V>,
    key: &'a K,
    flight: Arc<Flight<V>>,
}

impl<K: Eq + Hash, V> Drop for Waiter<'_, K, V> {
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        if self.flight.waiters.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 1 {
            return;
        }
        self.flight.abandoned.cancel();
        // A protected one can still bring an answer, which whoever asks next may wait for.
        let current = under_way
            .get(self.key)
            .is_some_and(|current| Arc::ptr_eq(current, &self.flight));
        if current && !self.flight.protected {
            under_way.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn a_flight_that_breaks_off_fails_its_waiters_and_the_next_one_starts_anew() {
        let flights: Arc<Flights<&str, u64>> = Flights::new();
        let runtime = Handle::current();
        let begun = AtomicU64::new(0);
        let ask = |protected: bool| {
            let (flights, runtime, begun) = (&flights, &runtime, &begun);
            async move {
                let launch = || Launch {
                    begun: begun.fetch_add(1, Ordering::Relaxed) + 1,
                    protected,
                    budget: Budget::new(),
                    work: |_| async { panic!("on purpose") },
                };
                flights.fly(runtime, &"key", 0, || Found::Nothing, launch, |_| {}).await
            }
        };
        for protected in [false, true] {
            let (one, other) = tokio::join!(ask(protected), ask(protected));
            for answer in [one, other] {
                assert_eq!(answer.expect_err("no answer").kind(), Kind::Internal);
            }
        }
        assert_eq!(begun.load(Ordering::Relaxed), 2, "each pair shares a flight");
    }
}
