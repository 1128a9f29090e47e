//! How many requests may be in flight: in all, and to one host.

use super::introduction::Introduction;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests in flight to one host, where nobody asks for more.
const PER_HOST: usize = 48;
/// How many more there may be in all: a host that hangs cannot keep the others' tokens away.
const FOR_OTHERS: usize = 16;
/// Requests that try whether a throttled tenant may go on, of all tenants together: however many there are, they keep no place
/// from the others.
const TRIALS: usize = 8;
/// Requests that are not answered for long and have made room for others.
const LEFT_HANGING: usize = 64;
/// The most that one host can be asked at a time. They share a few connections, so this bounds memory, not sockets.
pub(crate) const MOST_PER_HOST: usize = 256;

/// Shared by all environments of an engine.
pub(crate) struct Limits {
    global: Arc<Gate>,
    trials: Arc<Gate>,
    hanging: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hosts: HashMap<String, Arc<Host>>,
    /// What is asked for at the moment beyond the usual.
    raised: Vec<usize>,
}

#[derive(Debug)]
struct Host {
    gate: Arc<Gate>,
    introduction: Introduction,
}

/// A place among the requests in flight, given back on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    host: Arc<Host>,
    /// The host's, the one in all and that of a trial, or a single one among those that hang.
    places: Mutex<Vec<Place>>,
    hanging: Arc<Gate>,
}

impl Permit {
    pub(super) fn introduction(&self) -> &Introduction {
        &self.host.introduction
    }

    /// Lets another request go: this one may wait for its answer for ever.
    pub(super) fn make_room(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() > 1 {
            if let Some(place) = Arc::clone(&self.hanging).try_enter() {
                *places = vec![place];
            }
        }
    }
}

/// While this lives, one host may have this many requests in flight.
pub(crate) struct Raised {
    limits: Arc<Limits>,
    to: usize,
}

impl Limits {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Limits {
            global: Gate::new(PER_HOST + FOR_OTHERS),
            trials: Gate::new(TRIALS),
            hanging: Gate::new(LEFT_HANGING),
            state: Mutex::default(),
        })
    }

    /// Waits for a place. The host's comes first: whoever waits for a busy host holds nothing that others need. `is_trial` says
    /// that the request may well be refused.
    pub(crate) async fn enter(&self, authority: &str, is_trial: bool) -> Result<Permit> {
        let trial = match is_trial {
            true => Some(Arc::clone(&self.trials).enter().await?),
            false => None,
        };
        let host = {
            let mut state = self.lock();
            match state.hosts.get(authority) {
                Some(host) => Arc::clone(host),
                None => {
                    let host = Arc::new(Host {
                        gate: Gate::new(state.per_host()),
                        introduction: Introduction::default(),
                    });
                    state.hosts.insert(authority.to_owned(), Arc::clone(&host));
                    host
                }
            }
        };
        let of_host = Arc::clone(&host.gate).enter().await?;
        let of_all = Arc::clone(&self.global).enter().await?;
        Ok(Permit {
            places: Mutex::new([of_host, of_all].into_iter().chain(trial).collect()),
            hanging: Arc::clone(&self.hanging),
            host,
        })
    }

    /// Allows `to` requests to one host, where that is more than usual, until the answer is dropped.
    pub(crate) fn raise(self: &Arc<Self>, to: usize) -> Raised {
        let to = to.min(MOST_PER_HOST);
        self.change(|raised| raised.push(to));
        Raised {
            limits: Arc::clone(self),
            to,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<usize>)) {
        let mut state = self.lock();
        change(&mut state.raised);
        let per_host = state.per_host();
        state.hosts.values().for_each(|host| host.gate.resize(per_host));
        self.global.resize(per_host + FOR_OTHERS);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn per_host(&self) -> usize {
        self.raised.iter().copied().max().unwrap_or(0).max(PER_HOST)
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.limits.change(|raised| {
            if let Some(at) = raised.iter().position(|to| *to == self.to) {
                raised.swap_remove(at);
            }
        });
    }
}

/// Places that can become more and fewer while they are in use.
#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    /// Changed by [`Gate::resize`] alone, under the lock of the limits.
    size: AtomicUsize,
    /// Places in use that are not to be given back.
    surplus: AtomicUsize,
}

impl Gate {
    fn new(size: usize) -> Arc<Self> {
        Arc::new(Gate {
            places: Arc::new(Semaphore::new(size)),
            size: AtomicUsize::new(size),
            surplus: AtomicUsize::new(0),
        })
    }

    async fn enter(self: Arc<Self>) -> Result<Place> {
        let permit = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| Error::internal("the limit on requests in flight was closed"))?;
        Ok(Place {
            permit: Some(permit),
            gate: self,
        })
    }

    fn try_enter(self: Arc<Self>) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place {
            permit: Some(permit),
            gate: self,
        })
    }

    fn resize(&self, size: usize) {
        let before = self.size.swap(size, Ordering::Relaxed);
        for _ in before..size {
            if !self.take_surplus() {
                self.places.add_permits(1);
            }
        }
        let fewer = before.saturating_sub(size);
        let free = self.places.forget_permits(fewer);
        self.surplus.fetch_add(fewer - free, Ordering::Relaxed);
    }

    fn take_surplus(&self) -> bool {
        self.surplus
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |surplus| surplus.checked_sub(1))
            .is_ok()
    }
}

#[derive(Debug)]
struct Place {
    permit: Option<OwnedSemaphorePermit>,
    gate: Arc<Gate>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.gate.take_surplus() {
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Enters as often as it can without waiting.
    fn fill(limits: &Limits, host: &str) -> Vec<Permit> {
        std::iter::from_fn(|| limits.enter(host, false).now_or_never().map(Result::unwrap)).collect()
    }

    #[test]
    fn a_busy_host_leaves_room_for_others() {
        let limits = Limits::new();
        let busy = fill(&limits, "busy");
        assert_eq!(busy.len(), PER_HOST);
        assert_eq!(fill(&limits, "other").len(), FOR_OTHERS);
        drop(busy);
        assert_eq!(fill(&limits, "other").len(), PER_HOST);
    }

    #[test]
    fn trials_are_few_however_many_there_are() {
        let limits = Limits::new();
        let trials = std::iter::from_fn(|| limits.enter("host", true).now_or_never());
        let trials: Vec<_> = trials.map(Result::unwrap).collect();
        assert_eq!(trials.len(), TRIALS);
        assert_eq!(fill(&limits, "host").len(), PER_HOST - TRIALS);
        drop(trials);
        assert!(limits.enter("host", true).now_or_never().is_some());
    }

    #[test]
    fn what_hangs_makes_room_for_so_many_others() {
        let limits = Limits::new();
        let mut hanging = Vec::new();
        loop {
            let more = fill(&limits, "host");
            if more.is_empty() {
                break;
            }
            more.iter().for_each(Permit::make_room);
            more.iter().for_each(Permit::make_room);
            hanging.extend(more);
        }
        assert_eq!(hanging.len(), LEFT_HANGING + PER_HOST);
        drop(hanging);
        assert_eq!(fill(&limits, "host").len(), PER_HOST);
    }

    #[test]
    fn what_is_raised_is_raised_for_old_and_new_hosts_and_only_while_it_is_asked_for() {
        let limits = Limits::new();
        assert_eq!(fill(&limits, "old").len(), PER_HOST);
        let raised = limits.raise(100);
        let more = limits.raise(70);
        for host in ["old", "new"] {
            assert_eq!(fill(&limits, host).len(), 100);
        }
        drop(raised);
        assert_eq!(fill(&limits, "new").len(), 70);
        drop(more);
        for host in ["old", "new"] {
            assert_eq!(fill(&limits, host).len(), PER_HOST);
        }
        assert_eq!(fill(&limits, "unlike any other").len(), PER_HOST);
    }

    #[test]
    fn requests_that_outlive_what_was_raised_give_nothing_back() {
        let limits = Limits::new();
        let raised = limits.raise(1000);
        let mut held = fill(&limits, "host");
        assert_eq!(held.len(), MOST_PER_HOST);
        drop(raised);
        held.truncate(PER_HOST);
        assert_eq!(fill(&limits, "host").len(), 0);
        let again = limits.raise(60);
        assert_eq!(fill(&limits, "host").len(), 60 - PER_HOST);
        drop(again);
        drop(held);
        assert_eq!(fill(&limits, "host").len(), PER_HOST);
        assert_eq!(fill(&limits, "other").len(), PER_HOST);
    }

    #[test]
    fn a_limit_below_the_usual_changes_nothing_here() {
        let limits = Limits::new();
        let _raised = limits.raise(1);
        assert_eq!(fill(&limits, "host").len(), PER_HOST);
    }
}
