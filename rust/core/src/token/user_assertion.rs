//! The access token that an API was called with, by which it acts for its caller (the on-behalf-of flow).

use crate::credential::{mark, Mark};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A user's access token whose audience is the asking application.
#[derive(Clone, Debug)]
pub struct UserAssertion {
    token: Secret,
    mark: Mark,
}

impl UserAssertion {
    /// Refuses what is no token. Nothing is sent.
    pub fn new(token: &Secret) -> Result<Self> {
        let text = token.expose().trim();
        let text = text.strip_prefix("Bearer ").unwrap_or(text).trim();
        if text.split('.').count() != 3 || text.contains(char::is_whitespace) {
            return Err(Error::invalid("the user assertion is not a token").advise(
                "Give the access token that your API was called with, as it stands in the Authorization header.",
            ));
        }
        Ok(UserAssertion {
            mark: mark(&["user assertion", text])?,
            token: Secret::from(text),
        })
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Tells users' tokens apart in the cache.
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }
}
