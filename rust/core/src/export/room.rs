//! Memory that several tenants' sets of records share.
//!
//! It is no queue: who finds it full writes its own entries to disk and goes on. So a tenant that is set aside may keep what it has for as
//! long as its service takes, and nobody waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Places for entries. Clones are one room.
#[derive(Clone, Debug)]
pub struct Room(Arc<Places>);

#[derive(Debug)]
struct Places {
    most: usize,
    /// What each set may keep however full it is.
    each: usize,
    used: AtomicUsize,
}

impl Room {
    /// `most` entries of all sets together; `each` is what every set may keep whatever the others do.
    pub fn new(most: usize, each: usize) -> Self {
        Room(Arc::new(Places {
            most,
            each,
            used: AtomicUsize::new(0),
        }))
    }

    /// Entries that are in memory now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    pub(super) fn share(&self) -> Share {
        Share {
            room: self.clone(),
            used: 0,
        }
    }
}

/// What one set has of a room, given back on drop.
#[derive(Debug)]
pub(super) struct Share {
    room: Room,
    used: usize,
}

impl Share {
    /// Takes one more place; true where the set has to make room.
    pub(super) fn take(&mut self) -> bool {
        self.used += 1;
        let used = self.room.0.used.fetch_add(1, Ordering::Relaxed) + 1;
        used > self.room.0.most && self.used >= self.room.0.each
    }

    /// The set has nothing in memory any more.
    pub(super) fn give_back(&mut self) {
        self.room
            .0
            .used
            .fetch_sub(std::mem::take(&mut self.used), Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}
