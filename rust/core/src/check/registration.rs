//! The application's registration as Microsoft Graph shows it: which secrets and certificates it has, and until when.
//!
//! Source: Microsoft Graph reference, "Get application", "keyCredential resource type", "passwordCredential resource type".

use crate::certificate::Certificate;
use crate::error::Error;
use crate::export::time::creation_seconds;
use crate::secret::Secret;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use openssl::sha::sha256;
use serde::Deserialize;

/// The properties that are asked for; Graph leaves the first of them out unless it is named.
pub(crate) const SELECT: &str = "keyCredentials,passwordCredentials";
/// What takes reading it.
pub(crate) const PERMISSION: &str = "the Microsoft Graph permission Application.Read.All";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registration {
    #[serde(default)]
    key_credentials: Vec<Entry>,
    #[serde(default)]
    password_credentials: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// A certificate's SHA-1 in base64, unless its uploader chose something else.
    #[serde(default)]
    custom_key_identifier: Option<String>,
    /// A certificate's DER in base64.
    #[serde(default)]
    key: Option<String>,
    /// The first three letters of a secret; secrets from before there were hints have none.
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    end_date_time: Option<String>,
}

/// Whether the registration could be looked at.
pub(crate) enum Seen {
    Read(Registration),
    Refused(Error),
    /// Nobody asked, and why.
    NotAsked(&'static str),
}

/// What a registration says of one credential.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Until when, in milliseconds since 1970; `None` where it names no end.
    Until(Option<i64>),
    Missing,
}

impl Registration {
    pub(crate) fn certificate(&self, certificate: &Certificate) -> Listed {
        let decoded = |text: &Option<String>| STANDARD.decode(text.as_deref().unwrap_or_default()).unwrap_or_default();
        let is_it = |entry: &&Entry| {
            decoded(&entry.custom_key_identifier) == certificate.sha1()
                || sha256(&decoded(&entry.key)) == *certificate.sha256()
        };
        match self.key_credentials.iter().find(is_it) {
            Some(entry) => Listed::Until(entry.ends()),
            None => Listed::Missing,
        }
    }

    /// Several secrets can begin like this one. It is accepted, so it is none of those that have ended by `now`
    /// (milliseconds since 1970); of the others the first to end is taken.
    pub(crate) fn secret(&self, secret: &Secret, now: i64) -> Listed {
        let hint: String = secret.expose().chars().take(3).collect();
        let lasting = || {
            let entries = self.password_credentials.iter();
            entries.filter(|entry| entry.ends().is_none_or(|end| end > now))
        };
        let first = |entries: Vec<&Entry>| {
            let ends = entries.iter().filter_map(|entry| entry.ends()).min();
            (!entries.is_empty()).then_some(Listed::Until(ends))
        };
        first(lasting().filter(|entry| entry.hint.as_deref() == Some(&hint)).collect())
            .or_else(|| first(lasting().filter(|entry| entry.hint.is_none()).collect()))
            .unwrap_or(Listed::Missing)
    }
}

impl Entry {
    fn ends(&self) -> Option<i64> {
        creation_seconds(self.end_date_time.as_deref()?.as_bytes()).map(|seconds| seconds.saturating_mul(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::time::iso;

    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    fn registration(secrets: &[(Option<&str>, Option<i64>)]) -> Registration {
        let secrets: Vec<_> = secrets
            .iter()
            .map(|(hint, days)| {
                let end = days.map(|days| iso(NOW + days * DAY));
                serde_json::json!({"hint": hint, "endDateTime": end, "keyId": "x", "secretText": null})
            })
            .collect();
        serde_json::from_value(serde_json::json!({ "passwordCredentials": secrets })).unwrap()
    }

    #[test]
    fn a_secret_is_known_by_its_beginning_and_the_first_to_end_counts() {
        let until = |days: i64| Listed::Until(Some(NOW + days * DAY));
        for (secrets, expected) in [
            (&[(Some("abc"), Some(9)), (Some("xyz"), Some(1))][..], until(9)),
            (&[(Some("abc"), Some(9)), (Some("abc"), Some(4))], until(4)),
            (&[(Some("abc"), Some(-4)), (Some("abc"), Some(9))], until(9)),
            (&[(None, Some(7)), (Some("xyz"), Some(1))], until(7)),
            (&[(Some("abc"), None)], Listed::Until(None)),
            (&[(Some("xyz"), Some(5))], Listed::Missing),
            (&[], Listed::Missing),
        ] {
            let secret = Secret::from("abc~DEF");
            assert_eq!(registration(secrets).secret(&secret, NOW), expected, "{secrets:?}");
        }
    }
}
