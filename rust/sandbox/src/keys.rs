//! What the application proves itself with: secrets and certificates (`passwordCredentials` and `keyCredentials` of the
//! registration in Microsoft Graph), any number of each.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::RwLock;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::random::Random;
use crate::world::{read, write};

/// A registration's credentials.
pub(crate) struct Keys {
    secrets: RwLock<Vec<Password>>,
    certificates: RwLock<Vec<KeyCredential>>,
    /// What so many readings more of the registration still see.
    seen: RwLock<(u32, Vec<KeyCredential>)>,
    settings: RwLock<AssertionSettings>,
}

/// How long the portal lets a secret live where nothing else is chosen for it, about.
const SECRET_LIFE: i64 = 730 * 86_400;

struct Password {
    key_id: String,
    name: Option<String>,
    value: String,
    expired: bool,
    /// Seconds since 1970.
    created: i64,
    ends: i64,
    /// Not known to the nodes that the next so many requests meet.
    unknown_requests: AtomicU32,
}

/// An uploaded certificate.
#[derive(Clone)]
pub(crate) struct KeyCredential {
    pub(crate) key_id: String,
    pub(crate) sha1: Vec<u8>,
    pub(crate) sha256: Vec<u8>,
    pub(crate) key: PKey<Public>,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    name: String,
    der: Vec<u8>,
    /// Not known to this node of the service before this time (seconds since 1970) ..
    known_from: i64,
    /// .. nor to the next so many requests.
    unknown_requests: u32,
}

/// How strictly assertions are taken; `POST /sandbox/application`'s `assertions`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AssertionSettings {
    /// The audience has to be the address that the request was sent to, in the same letters. Otherwise any of the
    /// tenant's token endpoints will do, by GUID or domain, version 1 or 2, and the tenant's issuer.
    pub(crate) exact_audience: bool,
    /// Signature algorithms that are taken.
    pub(crate) algorithms: Vec<String>,
}

impl Default for AssertionSettings {
    fn default() -> Self {
        AssertionSettings {
            exact_audience: false,
            algorithms: vec!["PS256".to_owned(), "RS256".to_owned()],
        }
    }
}

/// `POST /sandbox/certificates`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Upload {
    /// PEM, or DER in base64.
    certificate: String,
    /// How long the service does not know it yet, in seconds.
    #[serde(default)]
    replication_seconds: i64,
    /// How many requests meet a node that does not know it yet.
    #[serde(default)]
    unknown_requests: u32,
}

/// What the service finds for a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretHealth {
    Good,
    Expired,
    Wrong,
}

impl Keys {
    pub(crate) fn new(secret: String, now: i64) -> Self {
        let first = Password {
            key_id: Random::new(1).guid(),
            name: None,
            value: secret,
            expired: false,
            created: now,
            ends: now + SECRET_LIFE,
            unknown_requests: AtomicU32::new(0),
        };
        Keys {
            secrets: RwLock::new(vec![first]),
            ..Keys::none()
        }
    }

    /// Those of a registration that is new.
    pub(crate) fn none() -> Self {
        Keys {
            secrets: RwLock::default(),
            certificates: RwLock::default(),
            seen: RwLock::default(),
            settings: RwLock::default(),
        }
    }

    pub(crate) fn settings(&self) -> AssertionSettings {
        read(&self.settings).clone()
    }

    pub(crate) fn set(&self, settings: AssertionSettings) {
        *write(&self.settings) = settings;
    }

    /// Judges a secret as it came.
    pub(crate) fn secret(&self, value: &str, now: i64) -> SecretHealth {
        match read(&self.secrets).iter().find(|secret| secret.value == value) {
            Some(secret) if secret.is_met_too_early() => SecretHealth::Wrong,
            Some(secret) if secret.expired || secret.ends <= now => SecretHealth::Expired,
            Some(_) => SecretHealth::Good,
            None => SecretHealth::Wrong,
        }
    }

    /// Adds a secret and returns its id and its value.
    pub(crate) fn add_secret(&self, random: &mut Random, now: i64, expired: bool) -> (String, String) {
        let secret = Password {
            expired,
            ..Password::new(random, None, now, now + SECRET_LIFE, 0)
        };
        let facts = (secret.key_id.clone(), secret.value.clone());
        write(&self.secrets).push(secret);
        facts
    }

    /// Adds a secret as Graph's `addPassword` does and returns it as that shows it, with its value. The next `unknown` requests meet
    /// a node that does not know it yet.
    pub(crate) fn add_password(
        &self,
        random: &mut Random,
        name: Option<String>,
        (starts, ends): (i64, i64),
        unknown: u32,
    ) -> Value {
        let secret = Password::new(random, name, starts, ends, unknown);
        let mut shown = secret.shown(starts);
        shown["secretText"] = secret.value.as_str().into();
        write(&self.secrets).push(secret);
        shown
    }

    /// Removes a secret; false where there is none of that id.
    pub(crate) fn remove_password(&self, key_id: &str) -> bool {
        let mut secrets = write(&self.secrets);
        let before = secrets.len();
        secrets.retain(|secret| !secret.key_id.eq_ignore_ascii_case(key_id));
        secrets.len() < before
    }

    /// Puts the certificates of a `keyCredentials` in place of those that are there. An entry without `key` keeps the one that has
    /// its `keyId`. Of what is new the next `unknown` requests do not know, neither for a token nor of the registration.
    pub(crate) fn replace_certificates(
        &self,
        entries: &[Value],
        random: &mut Random,
        now: i64,
        unknown: u32,
    ) -> Result<(), String> {
        let old = read(&self.certificates).clone();
        let mut new = Vec::new();
        for entry in entries {
            let kept = |known: &&KeyCredential| {
                entry["keyId"]
                    .as_str()
                    .is_some_and(|id| known.key_id.eq_ignore_ascii_case(id))
            };
            if let Some(known) = old.iter().find(kept) {
                new.push(known.clone());
                continue;
            }
            let upload = Upload {
                certificate: entry["key"].as_str().unwrap_or_default().to_owned(),
                replication_seconds: 0,
                unknown_requests: unknown,
            };
            let credential = KeyCredential::of(&upload, random, now)?;
            new.push(KeyCredential {
                name: entry["displayName"]
                    .as_str()
                    .map_or(credential.name.clone(), str::to_owned),
                ..credential
            });
        }
        *write(&self.certificates) = new;
        *write(&self.seen) = (unknown, old);
        Ok(())
    }

    /// Whether every secret counts as expired.
    pub(crate) fn set_secrets_expired(&self, expired: bool) {
        write(&self.secrets)
            .iter_mut()
            .for_each(|secret| secret.expired = expired);
    }

    /// When every secret ends, in seconds since 1970.
    pub(crate) fn set_secrets_end(&self, ends: i64) {
        write(&self.secrets).iter_mut().for_each(|secret| secret.ends = ends);
    }

    /// The registration's `passwordCredentials` ("passwordCredential resource type"): of the values, their first letters.
    pub(crate) fn shown_secrets(&self, now: i64) -> Value {
        read(&self.secrets).iter().map(|secret| secret.shown(now)).collect()
    }

    /// Uploads a certificate and returns how the registration shows it.
    pub(crate) fn upload(&self, upload: &Upload, random: &mut Random, now: i64) -> Result<Value, String> {
        let credential = KeyCredential::of(upload, random, now)?;
        let shown = credential.shown();
        let mut certificates = write(&self.certificates);
        certificates.retain(|known| known.sha256 != credential.sha256);
        certificates.push(credential);
        Ok(shown)
    }

    /// Removes a certificate by its key id or a thumbprint; false where there is none.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut certificates = write(&self.certificates);
        let before = certificates.len();
        certificates.retain(|known| {
            known.key_id != name
                && !hex(&known.sha1).eq_ignore_ascii_case(name)
                && !hex(&known.sha256).eq_ignore_ascii_case(name)
        });
        certificates.len() < before
    }

    /// The registration's `keyCredentials`.
    pub(crate) fn shown(&self) -> Value {
        let (left, before) = &mut *write(&self.seen);
        if let Some(less) = left.checked_sub(1) {
            *left = less;
            return before.iter().map(KeyCredential::shown).collect();
        }
        read(&self.certificates).iter().map(KeyCredential::shown).collect()
    }

    /// The certificate that an assertion names by a digest, if this node of the service knows it by now.
    pub(crate) fn find(&self, digest: &[u8], now: i64) -> Option<KeyCredential> {
        let mut certificates = write(&self.certificates);
        let known = certificates
            .iter_mut()
            .find(|known| known.sha1 == digest || known.sha256 == digest)?;
        if known.unknown_requests > 0 {
            known.unknown_requests -= 1;
            return None;
        }
        (now >= known.known_from).then(|| known.clone())
    }
}

impl Password {
    /// A secret as the service makes them: forty characters with a tilde.
    fn new(random: &mut Random, name: Option<String>, created: i64, ends: i64, unknown: u32) -> Self {
        Password {
            key_id: random.guid(),
            name,
            value: format!("{}~{}", random.text(3), random.secret(36)),
            expired: false,
            created,
            ends,
            unknown_requests: AtomicU32::new(unknown),
        }
    }

    fn is_met_too_early(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.unknown_requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn shown(&self, now: i64) -> Value {
        let ends = if self.expired {
            self.ends.min(now - 3600)
        } else {
            self.ends
        };
        json!({
            "customKeyIdentifier": null,
            "displayName": self.name,
            "endDateTime": format!("{}Z", crate::clock::iso_seconds(ends)),
            "hint": self.value.chars().take(3).collect::<String>(),
            "keyId": self.key_id,
            "secretText": null,
            "startDateTime": format!("{}Z", crate::clock::iso_seconds(self.created.min(ends))),
        })
    }
}

impl KeyCredential {
    fn of(upload: &Upload, random: &mut Random, now: i64) -> Result<Self, String> {
        let certificate = certificate(&upload.certificate)?;
        let failed = |e| format!("the certificate cannot be used: {e}");
        let digest = |digest| certificate.digest(digest).map(|bytes| bytes.to_vec()).map_err(failed);
        Ok(KeyCredential {
            key_id: random.guid(),
            sha1: digest(MessageDigest::sha1())?,
            sha256: digest(MessageDigest::sha256())?,
            key: certificate.public_key().map_err(failed)?,
            not_before: seconds(certificate.not_before()).map_err(failed)?,
            not_after: seconds(certificate.not_after()).map_err(failed)?,
            name: certificate
                .subject_name()
                .entries()
                .filter_map(|entry| {
                    Some(format!(
                        "{}={}",
                        entry.object().nid().short_name().ok()?,
                        entry.data().as_utf8().ok()?
                    ))
                })
                .collect::<Vec<_>>()
                .join(", "),
            der: certificate.to_der().map_err(failed)?,
            known_from: now.saturating_add(upload.replication_seconds),
            unknown_requests: upload.unknown_requests,
        })
    }

    /// As Microsoft Graph shows it ("keyCredential resource type").
    fn shown(&self) -> Value {
        json!({
            "customKeyIdentifier": STANDARD.encode(&self.sha1),
            "displayName": self.name,
            "endDateTime": format!("{}Z", crate::clock::iso_seconds(self.not_after)),
            "key": STANDARD.encode(&self.der),
            "keyId": self.key_id,
            "startDateTime": format!("{}Z", crate::clock::iso_seconds(self.not_before)),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        })
    }
}

fn certificate(text: &str) -> Result<X509, String> {
    let read = if text.contains("-----BEGIN") {
        X509::from_pem(text.as_bytes()).ok()
    } else {
        let compact: String = text.split_ascii_whitespace().collect();
        STANDARD.decode(compact).ok().and_then(|der| X509::from_der(&der).ok())
    };
    read.ok_or_else(|| "the certificate is neither PEM nor DER in base64".to_owned())
}

fn seconds(time: &openssl::asn1::Asn1TimeRef) -> Result<i64, openssl::error::ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * 86_400 + i64::from(since.secs))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
