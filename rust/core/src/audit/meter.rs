//! How far a tenant's export is, for progress that is drawn elsewhere.

use super::turns::Turn;
use crate::http::HeldUp;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Counts that the work writes and progress reads. All relaxed: nothing else depends on them.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// What the source calls its parts; absent until one is asked.
    parts: Mutex<Option<&'static str>>,
    listed: AtomicU64,
    read: AtomicU64,
    records: AtomicU64,
    all_listed: AtomicBool,
    /// Seconds for which the run waits for the newest content to become final.
    settling: AtomicU64,
    /// All that the tenant's requests can do is wait for the service.
    held_up: AtomicBool,
    turn: Option<Turn>,
}

impl Meter {
    /// Of a tenant that has this turn, for as long as the meter lives.
    pub(crate) fn of(turn: Turn) -> Self {
        Meter {
            turn: Some(turn),
            ..Meter::default()
        }
    }

    /// Counts from the beginning, for a source that calls its parts so.
    pub(crate) fn begin(&self, parts: &'static str) {
        for count in [&self.listed, &self.read, &self.records, &self.settling] {
            count.store(0, Ordering::Relaxed);
        }
        self.all_listed.store(false, Ordering::Relaxed);
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts);
    }

    pub(crate) fn add_listed(&self) {
        self.listed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_records(&self, records: u64) {
        self.records.store(records, Ordering::Relaxed);
    }

    pub(crate) fn set_all_listed(&self) {
        self.all_listed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_settling(&self, seconds: u64) {
        self.settling.store(seconds, Ordering::Relaxed);
    }

    /// Says whether the tenant can only wait for its service. Meanwhile its turn is another one's.
    pub(crate) fn set_held_up(&self, held_up: bool) {
        self.held_up.store(held_up, Ordering::Relaxed);
        if let Some(turn) = &self.turn {
            turn.set_aside(held_up);
        }
    }

    /// Runs `work` that comes before any request with a pace, a sign-in: where it waits before it asks again or takes long, the tenant
    /// can only wait. `first_wait` is the unit of waiting.
    pub(crate) async fn watch<T>(self: &Arc<Self>, first_wait: Duration, work: impl Future<Output = T>) -> T {
        let meter = Arc::clone(self);
        let held_up = HeldUp::new(move |held_up| meter.set_held_up(held_up));
        held_up.begin().watch(first_wait, Box::pin(work)).await
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// How much of what is listed has been read, once all of it is listed.
    pub(crate) fn percent(&self) -> Option<i64> {
        let listed = self.listed.load(Ordering::Relaxed);
        let known = self.all_listed.load(Ordering::Relaxed) && listed > 0;
        known.then(|| i64::try_from(self.read().min(listed) * 100 / listed).unwrap_or(100))
    }

    pub(crate) fn status(&self) -> String {
        let settling = self.settling.load(Ordering::Relaxed);
        if settling > 0 {
            return format!(
                "{} records, waiting {settling} s for the newest content to settle",
                self.records()
            );
        }
        if self.held_up.load(Ordering::Relaxed) {
            return format!("{} records, waiting for the service", self.records());
        }
        let Some(parts) = *self.parts.lock().unwrap_or_else(PoisonError::into_inner) else {
            return "signing in".to_owned();
        };
        let so_far = match self.all_listed.load(Ordering::Relaxed) {
            true => "",
            false => " so far",
        };
        let listed = self.listed.load(Ordering::Relaxed);
        format!(
            "{} of {listed} {parts}{so_far}, {} records",
            self.read(),
            self.records()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_of_what_the_source_reads() {
        let meter = Meter::default();
        assert_eq!(meter.status(), "signing in");
        meter.begin("searches");
        meter.add_listed();
        assert_eq!(meter.status(), "0 of 1 searches so far, 0 records");
        meter.add_read();
        meter.set_all_listed();
        meter.set_records(5);
        assert_eq!(meter.status(), "1 of 1 searches, 5 records");
        assert_eq!(meter.percent(), Some(100));
        meter.set_settling(9);
        assert!(meter.status().contains("waiting 9 s"));
        meter.set_settling(0);
        meter.set_held_up(true);
        assert!(meter.status().contains("waiting for the service"));
        meter.set_held_up(false);
        meter.begin("blobs");
        assert_eq!(meter.status(), "0 of 0 blobs so far, 0 records");
    }
}
