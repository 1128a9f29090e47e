//! Writes that a host has to make, because only it can reach the store.

use super::binding::next_claim;
use super::{Place, Save, Stores};
use crate::error::Result;
use crate::secret::Secret;
use tokio::sync::oneshot;

/// A write that is due.
pub(crate) struct HostWrite {
    pub(crate) id: i64,
    pub(crate) store: String,
    pub(crate) name: String,
}

/// A save that a host is making.
pub(super) struct HostSave {
    id: i64,
    save: Save,
    /// Hears how it went.
    told: oneshot::Sender<bool>,
}

impl Stores {
    /// The writes that a host is to make now; each is given out once, until it is said how it went.
    pub(crate) fn host_writes(&self) -> Vec<HostWrite> {
        let now = self.clock.now_ms();
        let kept = self.lock();
        let due = kept.stale.iter().filter_map(|stale| {
            let place = stale.binding.place();
            let Place::Host { store, name } = &*place else {
                return None;
            };
            Some(HostWrite {
                id: stale.binding.claim(now)?,
                store: store.clone(),
                name: name.clone(),
            })
        });
        due.collect()
    }

    /// What the host is to write, where its store holds `stored`; `None` where there is nothing to write any more.
    pub(crate) fn host_document(&self, id: i64, stored: Option<&Secret>) -> Result<Option<Secret>> {
        let mut kept = self.lock();
        let Some(stale) = kept.stale.iter().find(|stale| stale.binding.is_claimed_as(id)) else {
            return Ok(None);
        };
        let document = stale
            .binding
            .renewed(stored, &stale.credential, self.clock.now_ms())
            .and_then(|document| match document {
                Some(document) => {
                    let text = document.write()?;
                    stale.binding.promise(document);
                    Ok(Some(text))
                }
                None => Ok(None),
            });
        kept.forget_released();
        document
    }

    /// Notes a save that the host is about to make; it tells by the id how that went, and the receiver hears it.
    pub(crate) fn host_saves(&self, save: Save) -> (i64, oneshot::Receiver<bool>) {
        let id = next_claim();
        let (told, hears) = oneshot::channel();
        self.lock().saves.push(HostSave { id, save, told });
        (id, hears)
    }

    /// How a host's write went.
    pub(crate) fn host_wrote(&self, id: i64, well: bool) {
        let now = self.clock.now_ms();
        let mut kept = self.lock();
        if let Some(at) = kept.saves.iter().position(|save| save.id == id) {
            let HostSave { save, told, .. } = kept.saves.swap_remove(at);
            if well {
                kept.saved(save);
            }
            // Not everybody waits for it.
            let _ = told.send(well);
            return;
        }
        kept.stale.retain(|stale| {
            let this = stale.binding.is_claimed_as(id);
            if this {
                stale.binding.finish(now, well);
            }
            !(this && well)
        });
    }
}
