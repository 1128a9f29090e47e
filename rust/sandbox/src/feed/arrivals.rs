//! When each tenant's requests came, for who wants to know how many there were in any stretch of time.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::world::lock;

/// How many of a tenant's requests are remembered, the latest ones.
const KEPT: usize = 10_000;

#[derive(Default)]
pub(super) struct Arrivals(Mutex<HashMap<String, VecDeque<Instant>>>);

impl Arrivals {
    pub(super) fn note(&self, tenant: &str) {
        let mut all = lock(&self.0);
        let times = all.entry(tenant.to_owned()).or_default();
        if times.len() == KEPT {
            times.pop_front();
        }
        times.push_back(Instant::now());
    }

    /// The most of a tenant's requests that came within any stretch of this length.
    pub(super) fn busiest(&self, tenant: &str, stretch: Duration) -> usize {
        let all = lock(&self.0);
        all.get(tenant)
            .map_or(0, |times| most_within(times.iter().copied(), stretch))
    }
}

/// `times` in their order.
fn most_within(times: impl Iterator<Item = Instant>, stretch: Duration) -> usize {
    let mut within = VecDeque::new();
    let mut most = 0;
    for at in times {
        within.push_back(at);
        while within.front().is_some_and(|first| at - *first >= stretch) {
            within.pop_front();
        }
        most = most.max(within.len());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_begins_anywhere() {
        let begun = Instant::now();
        let times = [0, 900, 1000, 1100, 1899, 1900, 5000];
        let most = |ms| {
            let at = times.iter().map(|ms| begun + Duration::from_millis(*ms));
            most_within(at, Duration::from_millis(ms))
        };
        assert_eq!((most(1), most(1000), most(1001), most(60_000)), (1, 4, 5, 7));
    }
}
