//! How far a tenant's export is, for progress that is drawn elsewhere.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts that the work writes and progress reads. All relaxed: nothing else depends on them.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    listed: AtomicU64,
    read: AtomicU64,
    records: AtomicU64,
    all_listed: AtomicBool,
    /// Seconds for which the run waits for blobs to become final.
    settling: AtomicU64,
}

impl Meter {
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
        let of = if self.all_listed.load(Ordering::Relaxed) {
            ""
        } else {
            " so far"
        };
        let listed = self.listed.load(Ordering::Relaxed);
        format!("{} of {listed}{of} blobs, {} records", self.read(), self.records())
    }
}
