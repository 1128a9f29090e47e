//! A credential as a store keeps it: one JSON text, so that its parts are never of different ages.

use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::http::random_id;
use crate::request::{Field, Request};
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// The version of the text's form.
const VERSION: u32 = 1;

/// What is kept of a credential.
#[derive(Clone)]
pub(crate) struct Document {
    /// Made by each save, and kept where only the refresh token is written anew: two saves are never taken for one.
    save_id: Option<String>,
    application_id: String,
    tenant: Option<String>,
    account: Option<String>,
    secret: Option<Secret>,
    refresh_token: Option<Secret>,
    acquired_on: Option<i64>,
    mfa: Option<bool>,
    /// When the refresh token's life began: its last redemption, or the sign-in.
    refreshed_on: Option<i64>,
    saved_on: i64,
    single_use: bool,
}

/// What became of a stored credential since it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Unchanged,
    /// Another process wrote a newer refresh token of the same credential.
    Renewed,
    /// It was saved anew or edited.
    Replaced,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    version: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    save_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    application_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    tenant_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    account: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    secret: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acquired_on: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mfa: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refreshed_on: Option<i64>,
    #[serde(default)]
    saved_on: i64,
    #[serde(default)]
    single_use: bool,
}

impl Document {
    /// What a save writes: the credential now, with the newest refresh token that this environment instance gave it.
    /// `single_use` marks a refresh token that dies with its use.
    pub(crate) fn of(credential: &Credential, environment: u64, now_ms: i64, single_use: bool) -> Result<Self> {
        Ok(Document {
            save_id: Some(random_id()?),
            application_id: credential.application_id().to_owned(),
            tenant: credential.home_tenant().map(|tenant| tenant.as_str().to_owned()),
            account: credential.account().map(str::to_owned),
            secret: credential.secret().cloned(),
            refresh_token: newest_refresh_token(credential, environment),
            acquired_on: credential.acquired_on(),
            mfa: credential.mfa(),
            refreshed_on: credential.refreshed_on(),
            saved_on: now_ms,
            single_use,
        })
    }

    /// What is stored, with the credential's newest refresh token. Everything else stays as it is there.
    pub(crate) fn renewed(&self, credential: &Credential, environment: u64, now_ms: i64) -> Self {
        Document {
            refresh_token: newest_refresh_token(credential, environment),
            refreshed_on: credential.refreshed_on(),
            saved_on: now_ms,
            ..self.clone()
        }
    }

    /// A new save of what is stored, with what `credential` proves its application by.
    pub(crate) fn proved_like(self, credential: &Credential, now_ms: i64) -> Result<Self> {
        Ok(Document {
            save_id: Some(random_id()?),
            secret: credential.secret().cloned(),
            saved_on: now_ms,
            ..self
        })
    }

    /// What became of the stored credential that was last seen as `seen`, and is this by now.
    pub(crate) fn since(&self, seen: &Document) -> Since {
        let same = |one: &Option<Secret>, other: &Option<Secret>| {
            one.as_ref().map(Secret::expose) == other.as_ref().map(Secret::expose)
        };
        let one_save = self.save_id == seen.save_id
            && self.application_id == seen.application_id
            && self.tenant == seen.tenant
            && self.account == seen.account
            && self.acquired_on == seen.acquired_on
            && self.mfa == seen.mfa
            && same(&self.secret, &seen.secret);
        let one_token = self.refreshed_on == seen.refreshed_on && same(&self.refresh_token, &seen.refresh_token);
        match one_save {
            true if self.saved_on != seen.saved_on => Since::Renewed,
            true if one_token => Since::Unchanged,
            _ => Since::Replaced,
        }
    }

    pub(crate) fn read(text: &Secret) -> Result<Self> {
        let read: Text<'_> = serde_json::from_str(text.expose()).map_err(|_| {
            Error::invalid("what is stored under that name is no credential that Save-SecureAppCredential wrote").advise(
                "Save it with Save-SecureAppCredential; a refresh token alone is read with Get-SecureAppKeyVaultSecret and given to New-SecureAppCredential.",
            )
        })?;
        if read.version != VERSION {
            return Err(
                Error::invalid("the stored credential was written by a newer version of SecureAppModel")
                    .advise("Update the module, or save the credential again."),
            );
        }
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        Ok(Document {
            save_id: owned(read.save_id),
            application_id: read.application_id.into_owned(),
            tenant: owned(read.tenant_id),
            account: owned(read.account),
            secret: owned(read.secret).map(Secret::new),
            refresh_token: owned(read.refresh_token).map(Secret::new),
            acquired_on: read.acquired_on,
            mfa: read.mfa,
            refreshed_on: read.refreshed_on,
            saved_on: read.saved_on,
            single_use: read.single_use,
        })
    }

    pub(crate) fn write(&self) -> Result<Secret> {
        fn text(secret: &Option<Secret>) -> Option<Cow<'_, str>> {
            secret.as_ref().map(|secret| Cow::Borrowed(secret.expose()))
        }
        let json = Text {
            version: VERSION,
            save_id: self.save_id.as_deref().map(Cow::Borrowed),
            application_id: Cow::Borrowed(&self.application_id),
            tenant_id: self.tenant.as_deref().map(Cow::Borrowed),
            account: self.account.as_deref().map(Cow::Borrowed),
            secret: text(&self.secret),
            refresh_token: text(&self.refresh_token),
            acquired_on: self.acquired_on,
            mfa: self.mfa,
            refreshed_on: self.refreshed_on,
            saved_on: self.saved_on,
            single_use: self.single_use,
        };
        // Room for everything escaped, so that growing leaves no half-written copy behind.
        let secrets = [&self.secret, &self.refresh_token];
        let room: usize = secrets
            .into_iter()
            .flatten()
            .map(|secret| 6 * secret.expose().len())
            .sum();
        let mut buffer = Vec::with_capacity(room + 4096);
        serde_json::to_writer(&mut buffer, &json)
            .map_err(|cause| Error::internal(format!("a credential could not be written as JSON: {cause}")))?;
        match String::from_utf8(buffer) {
            Ok(text) => Ok(Secret::new(text)),
            Err(_) => Err(Error::internal("a credential's JSON is not UTF-8")),
        }
    }

    /// The credential that it was made of. What proves the application is not stored unless it is a secret: where `access` is
    /// the same application, its proof serves.
    pub(crate) fn credential(&self, access: Option<&Credential>) -> Result<Arc<Credential>> {
        let mut request = Request::new("credential").with("applicationId", Field::Text(self.application_id.clone()));
        for (key, text) in [("tenant", &self.tenant), ("account", &self.account)] {
            if let Some(text) = text {
                request.set(key, Field::Text(text.clone()));
            }
        }
        for (key, secret) in [("secret", &self.secret), ("refreshToken", &self.refresh_token)] {
            if let Some(secret) = secret {
                request.set(key, Field::Secret(secret.clone()));
            }
        }
        for (key, number) in [("acquiredOn", self.acquired_on), ("mfa", self.mfa.map(i64::from))] {
            if let Some(number) = number {
                request.set(key, Field::Int(number));
            }
        }
        let credential = Credential::open(&request)?.refreshed(self.refreshed_on);
        Ok(Arc::new(match access {
            Some(access) if self.secret.is_none() && access.application_id() == credential.application_id() => {
                credential.proved_like(access)
            }
            _ => credential,
        }))
    }

    pub(crate) fn application_id(&self) -> &str {
        &self.application_id
    }

    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// When the refresh token's life began, where that is known.
    pub(crate) fn refreshed_on(&self) -> Option<i64> {
        self.refreshed_on.or(self.acquired_on)
    }

    pub(crate) fn saved_on(&self) -> i64 {
        self.saved_on
    }

    pub(crate) fn is_single_use(&self) -> bool {
        self.single_use
    }

    /// When the refresh token ends if it is not used again.
    pub(crate) fn expires_on(&self) -> Option<i64> {
        self.refresh_token.as_ref()?;
        self.refreshed_on()
            .map(|on| on.saturating_add(crate::credential::REFRESH_TOKEN_LIFE_MS))
    }
}

fn newest_refresh_token(credential: &Credential, environment: u64) -> Option<Secret> {
    let newest = credential.lineage(environment).map(|lineage| lineage.newest());
    newest.or_else(|| credential.first_refresh_token().cloned())
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({})", self.application_id)
    }
}
