//! Who asks: an application, proved by a secret, optionally acting for the user behind a refresh token.

/// A shared, thread-safe handle; the secrets in it are zeroized when the last user drops it.
#[derive(Debug)]
pub struct Credential;
