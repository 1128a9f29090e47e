//! What can be changed about the platforms while the sandbox runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::Mutex;

use serde::Deserialize;

use crate::world::lock;

#[derive(Default)]
pub(crate) struct Settings {
    no_system_identity: AtomicBool,
    expires_on: AtomicU8,
    /// The path that Azure Arc names instead of the key file's own.
    realm: Mutex<Option<PathBuf>>,
}

/// How a reply writes the moment at which its token ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExpiresOn {
    /// Seconds since 1970, as text.
    #[default]
    Epoch,
    /// `2026-01-31T10:00:00+00:00`
    Iso,
    /// `1/31/2026 10:00:00 AM +00:00`, as App Service on Linux was known to write it.
    Date,
}

/// `POST /sandbox/managedIdentity`; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Change {
    system_assigned: Option<bool>,
    expires_on: Option<ExpiresOn>,
    /// An empty text: the key file's own path.
    arc_realm: Option<String>,
}

impl Settings {
    pub(crate) fn change(&self, change: Change) {
        if let Some(yes) = change.system_assigned {
            self.no_system_identity.store(!yes, Ordering::Relaxed);
        }
        if let Some(form) = change.expires_on {
            self.expires_on.store(form as u8, Ordering::Relaxed);
        }
        if let Some(path) = change.arc_realm {
            *lock(&self.realm) = (!path.is_empty()).then(|| PathBuf::from(path));
        }
    }

    pub(super) fn has_system_identity(&self) -> bool {
        !self.no_system_identity.load(Ordering::Relaxed)
    }

    pub(super) fn expires_on(&self) -> ExpiresOn {
        match self.expires_on.load(Ordering::Relaxed) {
            1 => ExpiresOn::Iso,
            2 => ExpiresOn::Date,
            _ => ExpiresOn::Epoch,
        }
    }

    pub(super) fn realm(&self) -> Option<PathBuf> {
        lock(&self.realm).clone()
    }
}
