//! The tokens that the identity platform has issued, as the services look them up.
//!
//! Services here do not verify signatures: they know every token that was issued, by its digest. That is stricter than
//! a signature (a token from another sandbox is unknown) and cheap enough to keep out of a client's measurements.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::resource::Resource;
use crate::world::lock;

/// What an access token allows.
pub(crate) struct Access {
    pub(crate) resource: Resource,
    pub(crate) tenant_id: String,
    pub(crate) application_id: String,
    /// The user it acts for; None for the application itself.
    pub(crate) user: Option<Arc<User>>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<&'static str>,
    pub(crate) expires_on: i64,
}

impl Access {
    /// Whether the token carries a delegated permission.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own.eq_ignore_ascii_case(scope))
    }

    /// Whether the token carries an application role.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }
}

/// A user of the partner.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) object_id: String,
    pub(crate) puid: String,
    /// Whether the sign-in that the refresh token came from passed multi-factor authentication.
    pub(crate) mfa: bool,
}

type Digest = [u8; 32];

/// Access tokens and refresh tokens by digest.
#[derive(Default)]
pub(crate) struct Tokens {
    access: Mutex<HashMap<Digest, Arc<Access>>>,
    refresh: Mutex<HashMap<Digest, Arc<Mutex<RefreshToken>>>>,
}

/// A refresh token: of one user and one application, good for any API and any tenant (Microsoft Entra documentation,
/// "Refresh tokens in the Microsoft identity platform").
pub(crate) struct RefreshToken {
    pub(crate) user: Arc<User>,
    pub(crate) application_id: String,
    /// The API it was first asked for, which a redemption that names none gets.
    pub(crate) resource: String,
    pub(crate) last_used: i64,
    pub(crate) revoked: bool,
    pub(crate) redeemed: bool,
    /// Whether it came from one of the sign-in pages, with the second factor: that satisfies a tenant which asks for it.
    pub(crate) interactive_mfa: bool,
    /// Whether the sign-in was a public client's, which proves nothing: nor does it have to when it redeems this.
    pub(crate) of_public_client: bool,
}

/// More than this many access tokens, and those past their time are dropped.
const SWEEP_AT: usize = 50_000;

impl Tokens {
    pub(crate) fn add_access(&self, token: &str, access: Access, now: i64) {
        let mut table = lock(&self.access);
        if table.len() >= SWEEP_AT && table.len() % SWEEP_AT == 0 {
            table.retain(|_, held| held.expires_on + 3600 > now);
        }
        table.insert(digest(token), Arc::new(access));
    }

    pub(crate) fn access(&self, token: &str) -> Option<Arc<Access>> {
        lock(&self.access).get(&digest(token)).cloned()
    }

    pub(crate) fn add_refresh(&self, token: &str, refresh: RefreshToken) {
        lock(&self.refresh).insert(digest(token), Arc::new(Mutex::new(refresh)));
    }

    pub(crate) fn refresh(&self, token: &str) -> Option<Arc<Mutex<RefreshToken>>> {
        lock(&self.refresh).get(&digest(token)).cloned()
    }
}

fn digest(token: &str) -> Digest {
    openssl::sha::sha256(token.as_bytes())
}
