//! What a directory holds for service principals.

use super::permission::Kind;
use serde::Deserialize;

/// A service principal, and what its API offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Principal {
    pub(crate) id: String,
    pub(crate) app_id: String,
    #[serde(default)]
    app_roles: Vec<Offer>,
    #[serde(default)]
    oauth2_permission_scopes: Vec<Offer>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Offer {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) value: Option<String>,
}

impl Principal {
    pub(crate) fn offers(&self, kind: Kind) -> &[Offer] {
        match kind {
            Kind::Role => &self.app_roles,
            Kind::Scope => &self.oauth2_permission_scopes,
        }
    }
}

/// An application role that somebody holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    pub(crate) resource_id: String,
    pub(crate) app_role_id: String,
}

/// Delegated permissions that were consented to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) consent_type: String,
    pub(crate) resource_id: String,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

impl Grant {
    /// Whether it is for every user.
    pub(crate) fn is_for_all(&self) -> bool {
        self.consent_type == "AllPrincipals"
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_ascii_whitespace()
    }
}

/// A directory role that can be held.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) display_name: String,
}

/// A directory role that somebody holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    pub(crate) role_definition_id: String,
}

/// A group, or anything else that has an id.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Identified {
    pub(crate) id: String,
}
