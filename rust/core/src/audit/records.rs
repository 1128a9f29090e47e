//! From a search's answers to one array of records, also from several of them at the same time.

use super::{Delivery, Window};
use crate::error::Result;
use std::sync::{Mutex as SyncMutex, PoisonError};
use tokio::sync::Mutex;

/// Where a part's records are put.
pub(super) struct Records<'a> {
    out: Mutex<Out<'a>>,
    lacks: SyncMutex<Vec<(Window, String)>>,
}

struct Out<'a> {
    delivery: &'a mut Delivery,
    begun: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(delivery: &'a mut Delivery) -> Self {
        Records {
            out: Mutex::new(Out { delivery, begun: false }),
            lacks: SyncMutex::default(),
        }
    }

    /// Adds records, each one JSON object.
    pub(super) async fn add(&self, records: &[Vec<u8>]) -> Result<()> {
        let mut out = self.out.lock().await;
        for record in records {
            let before: &[u8] = if out.begun { b"," } else { b"[" };
            out.begun = true;
            out.delivery.bytes(before).await?;
            out.delivery.bytes(record).await?;
        }
        Ok(())
    }

    /// A stretch cannot be had.
    pub(super) fn lack(&self, window: Window, reason: &str) {
        let mut lacks = self.lacks.lock().unwrap_or_else(PoisonError::into_inner);
        lacks.push((window, reason.to_owned()));
    }

    pub(super) async fn finish(self) -> Result<()> {
        let Out { delivery, begun } = self.out.into_inner();
        for (window, reason) in self.lacks.into_inner().unwrap_or_else(PoisonError::into_inner) {
            delivery.lack(window, reason);
        }
        delivery.bytes(if begun { b"]" } else { b"[]" }).await
    }
}
