//! The steps of a rotation: add, prove, switch, retire. What fails before the old key is removed leaves the old credential working, and
//! says so.

use super::origin::{mark, Origin};
use super::plan::Plan;
use super::wanted::Wanted;
use crate::application::apply::{
    add_certificate, add_secret, is_unseen, key_id_of, remove_certificate, remove_new_secret, remove_secret, unseen,
};
use crate::application::object::{Application, Entry, EntryKind, Key, Object};
use crate::application::proof::{is_unknown_yet, prove};
use crate::application::registrar::Registrar;
use crate::application::wanted::Proof;
use crate::certificate::Certificate;
use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::operation::or_cancelled;
use crate::request::{Field, Request};
use crate::store::{Place, Replaced};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Tokens that a new key has to get before it counts as known: the service's nodes learn of it one after the other.
const PROOFS: usize = 3;
const UNTOUCHED: &str = "The old credential works as before.";

pub(crate) struct Rotation<'a> {
    pub(crate) registrar: &'a Registrar,
    pub(crate) application: &'a Application,
    pub(crate) wanted: &'a Wanted,
    pub(crate) plan: &'a Plan,
}

/// The key that was added.
pub(crate) struct New {
    pub(crate) kind: EntryKind,
    /// Unknown where the directory does not show a certificate's entry yet.
    pub(crate) key_id: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) ends: i64,
    /// The old credential, proved by the new key.
    pub(crate) credential: Arc<Credential>,
    /// The certificate was there before.
    was_there: bool,
}

impl Rotation<'_> {
    /// Adds the new key and proves it. `goes_to_store` says that it can be nowhere else. A stop takes it away again, once it is there.
    pub(crate) async fn make(&self, goes_to_store: bool, cancel: &CancellationToken) -> Result<New> {
        let new = self
            .add(goes_to_store)
            .await
            .map_err(|error| advised(error, UNTOUCHED))?;
        let proved = or_cancelled(cancel, async {
            for _ in 0..PROOFS {
                prove(self.registrar, &new.credential).await?;
            }
            Ok(())
        });
        match proved.await {
            Ok(()) => Ok(new),
            Err(error) => Err(self.undo(&new, error).await),
        }
    }

    fn object(&self) -> Object<'_> {
        self.application.object(self.registrar.engine().clock().now_ms())
    }

    async fn add(&self, goes_to_store: bool) -> Result<New> {
        let object = self.object();
        match &self.wanted.proof {
            Proof::Secret { days } => {
                let place = self.wanted.place().filter(|_| goes_to_store);
                let origin = Origin {
                    place: place.as_deref().and_then(mark),
                    after: self.plan.after.clone(),
                };
                let made = add_secret(self.registrar, object, *days, &origin.name()).await?;
                let request = Request::new("credential")
                    .with("applicationId", Field::Text(self.application.app_id.clone()))
                    .with("secret", Field::Secret(made.value));
                Ok(New {
                    kind: EntryKind::Secret,
                    key_id: Some(made.key_id),
                    ends: made.ends,
                    credential: Arc::new(self.wanted.subject.proved_like(&Credential::open(&request)?)),
                    was_there: false,
                })
            }
            Proof::Certificate(given) => {
                let certificate = certificate(given)?;
                let of = |key: &&Key| key.is_of(certificate);
                let there = self.application.key_credentials.iter().find(of);
                if there.is_none() {
                    add_certificate(self.registrar, object, certificate).await?;
                }
                let proved = given.for_application(&self.application.app_id, self.registrar.tenant())?;
                Ok(New {
                    kind: EntryKind::Certificate,
                    key_id: there.map(|key| key.key_id.clone()),
                    ends: certificate.not_after(),
                    credential: Arc::new(self.wanted.subject.proved_like(&proved)),
                    was_there: there.is_some(),
                })
            }
        }
    }

    /// Names a new certificate's entry, where the directory shows it by now. It is for people.
    pub(crate) async fn name(&self, new: &mut New) {
        if let (None, Proof::Certificate(given)) = (&new.key_id, &self.wanted.proof) {
            if let Some(certificate) = given.certificate() {
                let found = key_id_of(self.registrar, self.object(), certificate).await;
                new.key_id = found.ok().flatten();
            }
        }
    }

    /// Puts the new credential where the old one is kept.
    pub(crate) async fn store(&self, new: &New) -> Result<()> {
        let Some(binding) = &self.wanted.binding else {
            return Err(Error::internal("there is no store to write"));
        };
        let place = binding.place();
        let Place::Vault(kept) = &*place else {
            return Err(Error::internal("a store of the host cannot be written here"));
        };
        let engine = self.registrar.engine();
        self.registrar.progress("storing the new credential", None);
        // Where its own application opens the vault, it does with the new key.
        let vault = kept.open(engine.tokens(), &new.credential);
        let ready = self
            .registrar
            .patiently("the new credential", is_unknown_yet, || vault.ready());
        let replaced = match ready.await {
            Ok(()) => engine.stores().replace(&vault, binding, &new.credential).await,
            Err(error) => Replaced::Not(error),
        };
        match replaced {
            Replaced::Done => Ok(()),
            Replaced::Not(error) => Err(self.undo(new, error).await),
            Replaced::Unknown(error) => Err(advised(
                error,
                "It is not known whether the store has the new credential by now. Both it and the old one work: load the stored one and update it again, which takes away what is over.",
            )),
        }
    }

    pub(crate) async fn retire(&self, entry: &Entry) -> Result<()> {
        let object = self.object();
        self.registrar.progress("removing what is over", None);
        let removed = match entry.kind {
            EntryKind::Secret => remove_secret(self.registrar, object.id, &entry.key_id).await,
            EntryKind::Certificate => {
                let kept = match &self.wanted.proof {
                    Proof::Certificate(given) => Some(certificate(given)?),
                    Proof::Secret { .. } => None,
                };
                self.registrar
                    .patiently("the new certificate", is_unseen, || {
                        remove_certificate(self.registrar, object, &entry.key_id, kept)
                    })
                    .await
            }
        };
        removed.map_err(|error| {
            let state = format!("The new credential works. The old key {} does too: the next update removes it, or the Entra admin center.", entry.key_id);
            advised(error, &state)
        })
    }

    /// Takes the new key away, and says in `error` what there is now.
    async fn undo(&self, new: &New, error: Error) -> Error {
        if new.was_there {
            return advised(error, UNTOUCHED);
        }
        let object = &self.application.id;
        let undone = match (&self.wanted.proof, &new.key_id) {
            (Proof::Secret { .. }, Some(key_id)) => remove_new_secret(self.registrar, object, key_id).await,
            (Proof::Secret { .. }, None) => Err(Error::internal("a secret without an id")),
            (Proof::Certificate(given), _) => self.remove_new(given).await,
        };
        let state = match undone {
            Ok(()) => format!("The new key was taken away again. {UNTOUCHED}"),
            Err(failure) => format!(
                "The new key{} could not be taken away again ({}); nobody uses it, and it can be removed in the Entra admin center. {UNTOUCHED}",
                new.key_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default(),
                failure.message().trim_end_matches('.')
            ),
        };
        advised(error, &state)
    }

    async fn remove_new(&self, given: &Credential) -> Result<()> {
        let (object, certificate) = (self.object(), certificate(given)?);
        let remove = || async {
            match key_id_of(self.registrar, object, certificate).await? {
                Some(key_id) => remove_certificate(self.registrar, object, &key_id, None).await,
                None => Err(unseen()),
            }
        };
        self.registrar.patiently("the new certificate", is_unseen, remove).await
    }
}

fn certificate(credential: &Credential) -> Result<&Certificate> {
    // What has no certificate was refused when the request was read.
    credential
        .certificate()
        .ok_or_else(|| Error::internal("there is no certificate to add"))
}

/// What state things are in comes before what to do about the failure. A stop has nobody left to tell.
fn advised(error: Error, state: &str) -> Error {
    let advice = match error.advice() {
        "" => state.to_owned(),
        advice => format!("{state} {advice}"),
    };
    error.advise(advice)
}
