//! How many requests a tenant is sent in a minute, for a service that publishes a limit.
//!
//! A tenth of them may go at once; the others follow at an even rate. So no minute has more than all of them, wherever it begins.

use super::is_loopback;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where nobody says otherwise. The activity feed lets a tenant have 2,000 a minute to begin with ("Activity API throttling"), and
/// other programs of the tenant ask as well.
const PER_MINUTE: u32 = 1500;
const MINUTE: Duration = Duration::from_secs(60);
/// The share that may go at once is one in so many.
const AT_ONCE: u32 = 10;

/// One tenant's.
#[derive(Debug)]
pub(crate) struct Quota {
    /// Time between two requests in the long run.
    every: Duration,
    /// How far ahead of that requests may be.
    ahead: Duration,
    /// When the next request is due in the long run.
    due: Mutex<Instant>,
}

impl Quota {
    fn new(per_minute: u32) -> Self {
        let at_once = (per_minute / AT_ONCE).max(1);
        let every = MINUTE / (per_minute - at_once).max(1);
        Quota {
            every,
            ahead: every * (at_once - 1),
            due: Mutex::new(Instant::now()),
        }
    }

    /// Waits until one more request may go. They go in the order in which they ask.
    pub(super) async fn take(&self) {
        let now = Instant::now();
        let due = {
            let mut next = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let due = (*next).max(now);
            *next = due + self.every;
            due
        };
        let wait = due.duration_since(now).saturating_sub(self.ahead);
        if !wait.is_zero() {
            tokio::time::sleep_until(now + wait).await;
        }
    }

    /// True where a new one would be the same.
    fn is_full(&self) -> bool {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) <= Instant::now()
    }
}

/// All tenants' quotas: two commands for one tenant share one, and so do the rounds of a watch.
#[derive(Debug)]
pub(crate) struct Quotas {
    per_minute: Option<NonZeroU32>,
    of: Mutex<HashMap<String, Arc<Quota>>>,
}

impl Quotas {
    /// `per_minute` for every tenant, also on this machine; `None`: as usual.
    pub(crate) fn new(per_minute: Option<NonZeroU32>) -> Self {
        Quotas {
            per_minute,
            of: Mutex::default(),
        }
    }

    /// The quota of the tenant that has this address to itself; `None` where requests are not counted: a service on this machine
    /// is a sandbox, and its own.
    pub(crate) fn of(&self, address: &str) -> Option<Arc<Quota>> {
        let usual = || (!is_loopback(address)).then_some(PER_MINUTE);
        let per_minute = self.per_minute.map(NonZeroU32::get).or_else(usual)?;
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(address) {
            return Some(Arc::clone(known));
        }
        all.retain(|_, quota| Arc::strong_count(quota) > 1 || !quota.is_full());
        let quota = Arc::new(Quota::new(per_minute));
        all.insert(address.to_owned(), Arc::clone(&quota));
        Some(quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The most that went within any minute.
    fn busiest(times: &[Instant]) -> usize {
        let within = |from: &Instant| times.iter().filter(|at| **at >= *from && **at < *from + MINUTE).count();
        times.iter().map(within).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenth_goes_at_once_and_the_others_evenly() {
        let quota = Quota::new(100);
        let begun = Instant::now();
        for _ in 0..10 {
            quota.take().await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for _ in 0..90 {
            quota.take().await;
        }
        assert!(begun.elapsed() >= Duration::from_secs(59), "{:?}", begun.elapsed());
        tokio::time::sleep(MINUTE).await;
        assert!(quota.is_full(), "what was not used does not pile up");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_minute_has_more(per_minute in 1u32..80, pauses in prop::collection::vec(0u64..4000, 0..300)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let times = runtime.block_on(async {
                let quota = Quota::new(per_minute);
                let mut times = Vec::new();
                for pause in pauses {
                    // Most come at once, as many requests of one listing do.
                    tokio::time::sleep(Duration::from_millis(pause.saturating_sub(3000) * 20)).await;
                    quota.take().await;
                    times.push(Instant::now());
                }
                times
            });
            prop_assert!(busiest(&times) <= per_minute as usize, "{} of {per_minute}", busiest(&times));
        }
    }

    #[tokio::test]
    async fn a_tenant_has_one_quota_and_a_service_on_this_machine_none() {
        let usual = Quotas::new(None);
        let feed = "https://manage.office.com/api/v1.0/a/activity/feed";
        let one = usual.of(feed).unwrap();
        assert!(Arc::ptr_eq(&one, &usual.of(feed).unwrap()));
        assert!(!Arc::ptr_eq(
            &one,
            &usual.of("https://manage.office.com/api/v1.0/b").unwrap()
        ));
        assert!(usual.of("https://localhost:4430/api").is_none());
        assert!(Quotas::new(NonZeroU32::new(60))
            .of("https://localhost:4430/api")
            .is_some());
    }
}
