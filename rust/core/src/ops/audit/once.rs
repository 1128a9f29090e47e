//! What a reader without files is given: each record once, whatever their number.

use super::disk;
use crate::audit::Held;
use crate::error::Result;
use crate::export::batch::Batch;
use crate::export::dedupe::Seen;
use crate::export::known::Known;
use crate::export::Limits;

/// Which records have been given. What is over its share of memory lies in the system's folder for temporary files.
pub(crate) struct Once(Known);

impl Once {
    pub(crate) fn new() -> Self {
        Once(Known::new(&std::env::temp_dir(), Limits::default().known_records))
    }

    /// What `make` makes of the records that have not been given yet.
    pub(crate) async fn new_of<T: Send + 'static>(
        mut self,
        batches: Vec<Held>,
        make: impl Fn(&Batch, usize) -> T + Send + 'static,
    ) -> Result<(Self, Vec<T>)> {
        disk::job(move || {
            let mut new = Vec::new();
            for Held { batch, .. } in &batches {
                for (at, meta) in batch.records.iter().enumerate() {
                    if self.0.insert(meta.entry)? == Seen::New {
                        new.push(make(batch, at));
                    }
                }
            }
            Ok((self, new))
        })
        .await?
    }
}
