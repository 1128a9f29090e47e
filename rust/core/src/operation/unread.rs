//! What must be known and found no reader, because its operation was stopped: the session's next operation says it at its end.

use super::Sink;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sentences for people, oldest first.
#[derive(Default)]
pub(crate) struct Unread(Mutex<Vec<String>>);

impl Unread {
    pub(crate) fn leave(&self, text: String) {
        self.lock().push(text);
    }

    /// Warns of all of it. What is not read stays.
    pub(super) async fn tell(&self, sink: &Sink) {
        let texts = std::mem::take(&mut *self.lock());
        for text in texts {
            let told = async {
                sink.warning(text.as_str()).await?;
                sink.until_read().await
            };
            if told.await.is_err() {
                self.leave(text);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
