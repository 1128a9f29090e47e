//! The way from the readers to the writer: batches, as many as there is room for by their bytes.
//!
//! Counting batches would make small ones wait as long as large ones, and the writer would be woken for each.

use crate::error::{Error, Result};
use crate::export::batch::Batch;
use std::sync::Arc;
use tokio::sync::{mpsc, OwnedSemaphorePermit, Semaphore};

/// Bytes under way to one writer.
const ROOM: usize = 512 << 10;
/// Batches that are handed over at once, at most.
const MOST: usize = 64;

/// Where batches are put. Cheap to clone; the way ends when all clones are gone.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    room: Arc<Semaphore>,
    queue: mpsc::Sender<Held>,
}

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Inlet(mpsc::Receiver<Held>);

/// A batch that takes up its room until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) batch: Batch,
    _room: OwnedSemaphorePermit,
}

pub(crate) fn outlet() -> (Outlet, Inlet) {
    let (queue, out) = mpsc::channel(MOST);
    let room = Arc::new(Semaphore::new(ROOM));
    (Outlet { room, queue }, Inlet(out))
}

impl Outlet {
    /// Waits while there is no room.
    pub(crate) async fn send(&self, batch: Batch) -> Result<()> {
        // One that is larger than all of the room goes alone.
        let bytes = batch.bytes.len().clamp(1, ROOM) as u32;
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
        let held = Held {
            batch,
            _room: room.map_err(|_| Error::cancelled())?,
        };
        // The writer ends early only by an error of its own, which is what will be reported.
        self.queue.send(held).await.map_err(|_| Error::cancelled())
    }
}

impl Inlet {
    /// Everything that is there, waiting for the first; empty at the end.
    pub(crate) async fn receive(&mut self) -> Vec<Held> {
        let mut all = Vec::new();
        self.0.recv_many(&mut all, MOST).await;
        all
    }
}
