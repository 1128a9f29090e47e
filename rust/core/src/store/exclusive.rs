//! Redeeming a refresh token that dies with its use: read, redeem, write, with nobody in between.
//!
//! The lock's file says which token is about to be redeemed. It is cleared once the store has the new one. Whoever finds it
//! uncleared knows that a redemption was cut off: the stored token is tried once more, because the service may never have
//! seen the request; where it is refused, it is known to be spent, and only a new consent helps. It is not asked again.

use super::binding::stored;
use super::lock::{digest, FileLock, Note};
use super::{Binding, Place, Stores};
use crate::credential::Credential;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::token::Tokens;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The right to redeem a stored token.
pub(crate) struct Exclusive {
    lock: FileLock,
    binding: Arc<Binding>,
    /// The token to redeem: the store's.
    token: Secret,
    /// An earlier redemption of it was begun and never finished.
    doubtful: bool,
}

impl Exclusive {
    /// Takes the lock, reads the store, and notes what is about to be done. `known` is the newest token of this process.
    /// `None` says that the store holds something else by now: the credential is not kept there any more.
    ///
    /// The future is boxed because reaching the store takes a token, and a token may take this.
    pub(crate) fn enter<'a>(
        tokens: &'a Tokens,
        stores: &'a Stores,
        credential: &'a Arc<Credential>,
        binding: &'a Arc<Binding>,
        known: Secret,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Exclusive>>> + Send + 'a>> {
        Box::pin(Exclusive::take(tokens, stores, credential, binding, known))
    }

    async fn take(
        tokens: &Tokens,
        stores: &Stores,
        credential: &Arc<Credential>,
        binding: &Arc<Binding>,
        known: Secret,
    ) -> Result<Option<Self>> {
        let place = binding.place();
        let Place::Vault(place) = &*place else {
            return Err(Error::internal(
                "a refresh token that dies with its use is kept in a key vault only",
            ));
        };
        let mut lock = FileLock::take(&place.key()).await?;
        if binding.is_released() {
            return Ok(None);
        }
        let token = if let Some(unsaved) = stores.unsaved(binding) {
            unsaved
        } else {
            let vault = place.open(tokens, credential);
            let text = stored(&vault, &place.name).await.map_err(unread)?;
            match binding.compare(text.as_ref()) {
                Ok((document, _)) => document.refresh_token().cloned().unwrap_or(known),
                Err(replaced) => {
                    // Somebody else's token must not be redeemed as this credential's.
                    stores.complain(replaced);
                    return Ok(None);
                }
            }
        };
        let mark = digest(token.expose());
        let note = lock.read()?;
        if note.spent.as_ref() == Some(&mark) {
            return Err(consent_again(&place.name, None));
        }
        let doubtful = note.begun.as_ref() == Some(&mark);
        lock.write(&Note {
            begun: Some(mark),
            spent: None,
        })?;
        Ok(Some(Exclusive {
            lock,
            binding: Arc::clone(binding),
            token,
            doubtful,
        }))
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// The redemption gave a new token, which is the credential's newest by now. A store that cannot be written is an error
    /// to be told; the token goes on working in this process.
    pub(crate) fn redeemed<'a>(
        mut self,
        tokens: &'a Tokens,
        stores: &'a Stores,
        credential: &'a Arc<Credential>,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            stores.write(tokens, &self.binding, credential).await?;
            self.lock.write(&Note::default())
        })
    }

    /// The redemption failed. What the caller is to be told: the service's own refusal, unless it is the end of a redemption
    /// that was cut off earlier.
    pub(crate) fn refused(mut self, error: Error) -> Error {
        let dead = error.service().is_some_and(|service| service.error == "invalid_grant");
        let note = if dead && self.doubtful {
            Note {
                begun: None,
                spent: Some(digest(self.token.expose())),
            }
        } else if error
            .service()
            .is_some_and(|service| matches!(service.http_status, 400..=407 | 409..=428 | 430..=499))
        {
            // The service saw it and did not redeem it.
            Note::default()
        } else {
            // It may have been redeemed: the note stays for whoever comes next.
            return error;
        };
        // A note that cannot be cleared makes the next one look twice, no more.
        let _ = self.lock.write(&note);
        if dead && self.doubtful {
            return consent_again(self.binding.place().name(), Some(error));
        }
        error
    }
}

#[cold]
fn unread(error: Error) -> Error {
    let message = format!(
        "the stored refresh token could not be read before it was to be redeemed: {}",
        error.message()
    );
    let mut named = Error::new(error.kind(), message).advise(error.advice());
    if let Some(service) = error.service() {
        named = named.with_service(service.clone());
    }
    named
}

#[cold]
fn consent_again(name: &str, cause: Option<Error>) -> Error {
    let error = Error::new(
        Kind::NotSignedIn,
        format!("the refresh token of the stored credential '{name}' is spent: a process ended between redeeming it and storing the new one"),
    )
    .advise("Consent again: get a new refresh token for the user, and save the credential anew with Save-SecureAppCredential.");
    match cause.and_then(|cause| cause.service().cloned()) {
        Some(service) => error.with_service(service),
        None => error,
    }
}
