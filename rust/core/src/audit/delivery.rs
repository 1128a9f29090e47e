//! From the bytes of one part to batches on their way to the writer.

use super::{Outlet, Part, Window};
use crate::error::Result;
use crate::export::batch::{Batch, Batcher};
use std::sync::Arc;

/// One attempt at reading a part.
#[derive(Debug)]
pub(crate) struct Delivery {
    batcher: Batcher,
    out: Outlet,
    lacks: Vec<(Window, String)>,
}

impl Delivery {
    /// `before` is how many records earlier attempts at this part delivered.
    pub(crate) fn new(part: &Part, before: u64, largest: usize, out: &Outlet) -> Self {
        Delivery {
            batcher: Batcher::with_fields(Arc::clone(&part.id), before, largest, part.fields),
            out: out.clone(),
            lacks: Vec::new(),
        }
    }

    /// Takes the next bytes of the part's JSON array; waits while the writer is busy.
    pub(crate) async fn bytes(&mut self, chunk: &[u8]) -> Result<()> {
        match self.batcher.push(chunk)? {
            Some(batch) => self.send(batch).await,
            None => Ok(()),
        }
    }

    /// A stretch of the part cannot be had, with the reason; the rest of it is whole.
    pub(crate) fn lack(&mut self, window: Window, reason: String) {
        self.lacks.push((window, reason));
    }

    /// Hands on what is left and says whether the array was whole, and what of the part it lacks all the same. Gives the
    /// number of records.
    pub(crate) async fn finish(mut self, read: Result<()>) -> (u64, Result<Vec<(Window, String)>>) {
        // Whole records of a part that broke off are records all the same.
        let rest = self.batcher.take();
        let sent = if rest.records.is_empty() {
            Ok(())
        } else {
            self.send(rest).await
        };
        let seen = self.batcher.seen();
        let whole = read.and(sent).and_then(|()| self.batcher.finish().map(drop));
        (seen, whole.map(|()| self.lacks))
    }

    async fn send(&self, batch: Batch) -> Result<()> {
        self.out.send(batch).await
    }
}
