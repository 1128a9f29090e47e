//! A stored credential that proves its application anew, in place of the one that a vault holds.

use super::binding::stored;
use super::document::Since;
use super::lock::FileLock;
use super::{Binding, Document, Place, Save, Stores, VaultPlace};
use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::vault::Vault;
use std::sync::Arc;

/// What became of it.
pub(crate) enum Replaced {
    Done,
    /// The store has what it had before.
    Not(Error),
    /// Nothing says what the store has by now.
    Unknown(Error),
}

impl Stores {
    /// Puts `credential` where `binding` keeps the one before it, unless something else is stored there by now.
    pub(crate) async fn replace(
        &self,
        vault: &Vault,
        binding: &Arc<Binding>,
        credential: &Arc<Credential>,
    ) -> Replaced {
        let place = binding.place();
        let Place::Vault(kept) = &*place else {
            return Replaced::Not(Error::internal("a store of the host cannot be written here"));
        };
        let _turns = self.turns(&place).await;
        let (document, _lock) = match self.anew(vault, kept, binding, credential).await {
            Ok(document) => document,
            Err(error) => return Replaced::Not(error),
        };
        if let Err(error) = kept.save(vault, &document).await {
            // The write may have come through all the same.
            match stored(vault, &kept.name).await {
                Ok(text) if text.as_ref().is_some_and(|text| is_there(text, &document)) => {}
                Ok(_) => return Replaced::Not(error),
                Err(_) => return Replaced::Unknown(error),
            }
        }
        self.saved(Save {
            credential: Arc::clone(credential),
            place: Arc::clone(&place),
            environment: binding.environment(),
            single_use: binding.single_use(),
            document,
        });
        Replaced::Done
    }

    /// What is to be written. Where refresh tokens die with their use, nobody redeems one while the lock is held.
    async fn anew(
        &self,
        vault: &Vault,
        place: &VaultPlace,
        binding: &Arc<Binding>,
        credential: &Credential,
    ) -> Result<(Document, Option<FileLock>)> {
        let lock = match binding.single_use() {
            true => Some(FileLock::take(&place.key()).await?),
            false => None,
        };
        let held = stored(vault, &place.name).await?;
        let is_behind = self.unsaved(binding).is_some();
        let document = binding.proved_anew(held.as_ref(), credential, is_behind, self.clock.now_ms())?;
        Ok((document, lock))
    }
}

fn is_there(text: &Secret, document: &Document) -> bool {
    Document::read(text).is_ok_and(|there| there.since(document) != Since::Replaced)
}
