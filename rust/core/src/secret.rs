//! Values that must not be seen: zeroized when dropped, masked wherever they could be printed.

use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret text (client secret, refresh token, access token).
///
/// Clones share one copy, which is zeroized with the last of them: a token that is handed around does not multiply.
/// `Debug` prints `***`; only [`Secret::expose`] reads the text, so a search for `expose` finds every use.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes ownership of `text`; the given allocation is the one that will be zeroized.
    pub fn new(text: String) -> Self {
        Secret(Arc::new(Zeroizing::new(text)))
    }

    /// The text itself. Never log it, and copy it only into a request that is about to be sent.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True when there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::new(text.to_owned())
    }
}
