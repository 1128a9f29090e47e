//! An application as Graph shows it.

use super::permission::Kind;
use super::registrar::REPLICATION;
use super::required::Required;
use crate::certificate::Certificate;
use crate::export::time::creation_seconds;
use crate::value::Value;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde::{Deserialize, Serialize};

/// What marks an application that was registered here.
pub(crate) const TAG: &str = "SecureAppModel";
/// What the names of secrets that were made here begin with, by which they are known again: no value can.
pub(crate) const SECRET_NAME: &str = "SecureAppModel";
/// All that is looked at.
pub(crate) const SELECT: &str = "id,appId,displayName,createdDateTime,signInAudience,tags,web,publicClient,requiredResourceAccess,passwordCredentials,keyCredentials";

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    /// The object id.
    pub(crate) id: String,
    /// The client id.
    pub(crate) app_id: String,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    created_date_time: Option<String>,
    #[serde(default)]
    pub(crate) sign_in_audience: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) web: Platform,
    #[serde(default)]
    pub(crate) public_client: Platform,
    #[serde(default)]
    pub(crate) required_resource_access: Vec<Required>,
    #[serde(default)]
    pub(crate) password_credentials: Vec<Password>,
    #[serde(default)]
    pub(crate) key_credentials: Vec<Key>,
}

/// A registration whose secrets and certificates are changed.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    /// The object id.
    pub(crate) id: &'a str,
    /// Made a moment ago, so that some of the service may not know it yet.
    pub(crate) is_new: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Platform {
    pub(crate) redirect_uris: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Password {
    pub(crate) key_id: String,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    pub(crate) hint: Option<String>,
    #[serde(default)]
    pub(crate) end_date_time: Option<String>,
}

/// A certificate; written back as it was read, with its bytes where they were asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    pub(crate) key_id: String,
    #[serde(default)]
    pub(crate) custom_key_identifier: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    pub(crate) end_date_time: Option<String>,
    #[serde(default)]
    start_date_time: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    usage: Option<String>,
}

/// What a registration tells of one of its secrets or certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) key_id: String,
    pub(crate) display_name: Option<String>,
    /// A secret's first three letters, a certificate's thumbprint.
    pub(crate) hint: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) ends: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Secret,
    Certificate,
}

impl EntryKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            EntryKind::Secret => "Secret",
            EntryKind::Certificate => "Certificate",
        }
    }
}

impl Entry {
    pub(crate) fn value(&self) -> Value {
        Value::map()
            .with("keyId", self.key_id.as_str())
            .with("kind", self.kind.name())
            .with("displayName", self.display_name.clone())
            .with("hint", self.hint.clone())
            .with("endsOn", self.ends.map_or(Value::Null, Value::Time))
    }
}

impl Application {
    /// All of its secrets and certificates.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let secrets = self.password_credentials.iter().map(|secret| Entry {
            kind: EntryKind::Secret,
            key_id: secret.key_id.clone(),
            display_name: secret.display_name.clone(),
            hint: secret.hint.clone(),
            ends: secret.ends(),
        });
        let certificates = self.key_credentials.iter().map(|key| Entry {
            kind: EntryKind::Certificate,
            key_id: key.key_id.clone(),
            display_name: key.display_name.clone(),
            hint: key.thumbprint(),
            ends: millis(key.end_date_time.as_deref()),
        });
        secrets.chain(certificates)
    }

    /// `now` in milliseconds since 1970.
    pub(crate) fn object(&self, now: i64) -> Object<'_> {
        Object {
            id: &self.id,
            is_new: self.is_new(now),
        }
    }

    /// Whether it was made, by this run or another one, so short a time before `now` that some of the service may not know it yet.
    pub(crate) fn is_new(&self, now: i64) -> bool {
        millis(self.created_date_time.as_deref())
            .is_some_and(|created| u128::from(now.abs_diff(created)) < REPLICATION.as_millis())
    }

    pub(crate) fn name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.app_id)
    }

    /// What the module writes of it: no secret is in any answer.
    pub(crate) fn row(&self, tenant: &str, principal: Option<&str>) -> Value {
        let uris = [&self.web.redirect_uris[..], &self.public_client.redirect_uris[..]].concat();
        let of_kind = |kind: Kind| {
            self.required_resource_access
                .iter()
                .map(|one| one.count(kind))
                .sum::<usize>()
        };
        Value::map()
            .with("tenantId", tenant)
            .with("displayName", self.name())
            .with("applicationId", self.app_id.as_str())
            .with("objectId", self.id.as_str())
            .with("servicePrincipalId", principal.map(str::to_owned))
            .with("signInAudience", self.sign_in_audience.clone())
            .with("createdOn", time(self.created_date_time.as_deref()))
            .with("redirectUris", uris)
            .with("tags", self.tags.clone())
            .with("roles", of_kind(Kind::Role) as i64)
            .with("scopes", of_kind(Kind::Scope) as i64)
            .with("keys", Value::List(self.entries().map(|entry| entry.value()).collect()))
    }
}

impl Password {
    /// Made here, and in force at `now` (milliseconds since 1970).
    pub(crate) fn is_ours(&self, now: i64) -> bool {
        is_own_name(self.display_name.as_deref()) && self.ends().is_none_or(|end| end > now)
    }

    /// Milliseconds since 1970.
    pub(crate) fn ends(&self) -> Option<i64> {
        millis(self.end_date_time.as_deref())
    }
}

/// Whether a secret of that name was made here, at first or by a rotation.
fn is_own_name(name: Option<&str>) -> bool {
    name.and_then(|name| name.strip_prefix(SECRET_NAME))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

impl Key {
    /// Whether the registration's entry is of this certificate: most give its SHA-1.
    pub(crate) fn is_of(&self, certificate: &Certificate) -> bool {
        self.digest().is_some_and(|digest| digest == certificate.sha1())
            || self
                .key
                .as_deref()
                .and_then(|key| STANDARD.decode(key).ok())
                .is_some_and(|der| openssl::sha::sha256(&der) == *certificate.sha256())
    }

    fn thumbprint(&self) -> Option<String> {
        self.digest().map(|digest| crate::certificate::hex(&digest))
    }

    /// Graph writes it in base64, or as the digits of a thumbprint.
    fn digest(&self) -> Option<Vec<u8>> {
        let text = self.custom_key_identifier.as_deref()?;
        let digits = |text: &str| {
            let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            (0..20).map(|at| byte(2 * at)).collect::<Option<Vec<u8>>>()
        };
        match text.len() {
            40 => digits(text),
            _ => STANDARD.decode(text).ok(),
        }
    }
}

fn millis(text: Option<&str>) -> Option<i64> {
    creation_seconds(text?.as_bytes()).map(|seconds| seconds.saturating_mul(1000))
}

fn time(text: Option<&str>) -> Value {
    millis(text).map_or(Value::Null, Value::Time)
}
