//! Which store, and under which name.

use super::Document;
use crate::credential::Credential;
use crate::environment::Environment;
use crate::error::Result;
use crate::token::Tokens;
use crate::value::Value;
use crate::vault::{Address, Properties, Vault};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a secret that holds a credential is called.
const CONTENT_TYPE: &str = "application/vnd.secureappmodel.credential+json";

/// Which store, and under which name.
pub(crate) enum Place {
    Vault(VaultPlace),
    /// A store that only the host can reach, by the host's name of it.
    Host {
        store: String,
        name: String,
    },
}

/// A secret of a key vault.
pub(crate) struct VaultPlace {
    pub(crate) environment: Arc<Environment>,
    pub(crate) address: Address,
    pub(crate) name: String,
    /// Who reads and writes the vault; the credential's own application where nobody else does.
    pub(crate) access: Option<Arc<Credential>>,
    pub(crate) app_only: bool,
}

impl Place {
    /// The same text for the same place, whoever goes there.
    pub(crate) fn key(&self) -> String {
        match self {
            Place::Vault(place) => place.key(),
            Place::Host { store, name } => format!("{store}/{name}"),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Place::Vault(place) => &place.name,
            Place::Host { name, .. } => name,
        }
    }

    /// What may be shown of it.
    pub(crate) fn describe(&self) -> Value {
        match self {
            Place::Vault(place) => Value::from(format!("{}/secrets/{}", place.address, place.name)),
            Place::Host { store, name } => Value::from(format!("{store}/{name}")),
        }
    }
}

impl VaultPlace {
    /// A vault does not tell the cases of a name apart.
    pub(super) fn key(&self) -> String {
        format!("{}/secrets/{}", self.address, self.name.to_ascii_lowercase())
    }

    /// The vault as its reader and writer sees it. `own` is the credential that is kept there.
    pub(crate) fn open(&self, tokens: &Tokens, own: &Arc<Credential>) -> Vault {
        Vault::new(
            tokens.clone(),
            Arc::clone(&self.environment),
            Arc::clone(self.access.as_ref().unwrap_or(own)),
            // As the application: a refresh token must not be needed to reach the refresh token.
            self.app_only || self.access.is_none(),
            self.address.clone(),
        )
    }

    /// What a save writes. A deleted secret of that name is recovered: whoever saves wants the name.
    pub(crate) async fn save(&self, vault: &Vault, document: &Document) -> Result<()> {
        let (text, properties) = (document.write()?, properties(document));
        vault.set_secret(&self.name, &text, &properties, |_| {}).await.map(drop)
    }

    /// Writes a newer refresh token. A deleted secret stays deleted.
    pub(super) async fn renew(&self, vault: &Vault, document: &Document) -> Result<()> {
        let (text, properties) = (document.write()?, properties(document));
        vault.renew_secret(&self.name, &text, &properties).await.map(drop)
    }
}

fn properties(document: &Document) -> Properties {
    Properties {
        content_type: Some(CONTENT_TYPE.to_owned()),
        expires: document.expires_on(),
        not_before: None,
        tags: BTreeMap::from([("applicationId".to_owned(), document.application_id().to_owned())]),
    }
}
