//! What the vault holds, and how it is told to behave.

use std::collections::BTreeMap;
use std::sync::Mutex;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use serde::Deserialize;

use crate::random::Random;
use crate::world::lock;

/// The one vault of a sandbox.
#[derive(Default)]
pub(crate) struct Vault {
    pub(super) secrets: Mutex<BTreeMap<String, Item<Secret>>>,
    pub(super) certificates: Mutex<BTreeMap<String, Item<Certificate>>>,
    pub(super) settings: Mutex<Settings>,
}

/// Everything of one name. Names are compared without regard to case and kept as they were first written.
pub(super) struct Item<T> {
    pub(super) name: String,
    /// Oldest first; never empty.
    pub(super) versions: Vec<T>,
    /// When it was deleted; it can be recovered until it is purged.
    pub(super) deleted_on: Option<i64>,
    /// How many more requests find it not back yet after a recovery.
    pub(super) returning: u32,
}

/// One version of a secret.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) version: String,
    pub(super) value: String,
    pub(super) content_type: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) times: Times,
    /// The key of the certificate that this secret is the other side of.
    pub(super) kid: Option<String>,
}

/// One version of a certificate, with its key.
pub(super) struct Certificate {
    pub(super) version: String,
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
    pub(super) exportable: bool,
    pub(super) content_type: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) times: Times,
}

/// Whether and when something may be used, and when it was made; seconds since 1970.
#[derive(Clone)]
pub(super) struct Times {
    pub(super) enabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// `POST /sandbox/vault`; what is absent goes back to its default.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The parameter of the challenge that names what a token is asked for.
    pub(super) challenge: Challenge,
    /// What that parameter says; the vault's own address where it is absent.
    pub(super) resource: Option<String>,
    /// Who may do what.
    pub(super) access: Access,
    /// Every request is answered with 429 while this is set; a `Retry-After` goes with it where it is above 0.
    pub(super) throttled: Option<u32>,
    /// How many requests find a recovered secret not back yet.
    pub(super) recovery_requests: u32,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Challenge {
    #[default]
    Resource,
    Scope,
}

/// Why a caller with a good token is refused.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Access {
    #[default]
    Allowed,
    /// Everything but changing something.
    ReadOnly,
    /// No role assignment.
    Rbac,
    /// No access policy.
    Policy,
    Firewall,
}

impl Vault {
    /// Makes the vault behave so from now on.
    pub(crate) fn set(&self, settings: Settings) {
        *lock(&self.settings) = settings;
    }
}

impl<T> Item<T> {
    pub(super) fn new(name: &str, first: T) -> Self {
        Item {
            name: name.to_owned(),
            versions: vec![first],
            deleted_on: None,
            returning: 0,
        }
    }
}

impl Times {
    pub(super) fn new(now: i64) -> Self {
        Times {
            enabled: true,
            not_before: None,
            expires: None,
            created: now,
            updated: now,
        }
    }

    /// The `attributes` of a bundle.
    pub(super) fn attributes(&self) -> serde_json::Value {
        let mut attributes = serde_json::json!({
            "enabled": self.enabled,
            "created": self.created,
            "updated": self.updated,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        });
        if let Some(seconds) = self.not_before {
            attributes["nbf"] = seconds.into();
        }
        if let Some(seconds) = self.expires {
            attributes["exp"] = seconds.into();
        }
        attributes
    }
}

/// Attributes as a request sends them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SentAttributes {
    pub(super) enabled: Option<bool>,
    pub(super) nbf: Option<i64>,
    pub(super) exp: Option<i64>,
}

impl SentAttributes {
    pub(super) fn apply(&self, times: &mut Times) {
        if let Some(enabled) = self.enabled {
            times.enabled = enabled;
        }
        times.not_before = self.nbf.or(times.not_before);
        times.expires = self.exp.or(times.expires);
    }
}

/// A version's name: 32 hexadecimal digits.
pub(super) fn version_id(random: &mut Random) -> String {
    format!("{:016x}{:016x}", random.next(), random.next())
}
