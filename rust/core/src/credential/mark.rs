//! Marks: what tells credentials apart in the token cache without keeping what they prove themselves with.

use crate::error::{Error, Result};
use crate::secret::Secret;
use once_cell::sync::OnceCell;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

/// A keyed hash of secrets: the same for the same ones within a process, and worth nothing outside of it.
pub(crate) type Mark = [u8; 16];

/// Tells refresh tokens apart; a token belongs to the application that it was issued to.
pub(crate) fn refresh_mark(application_id: &str, token: &Secret) -> Result<Mark> {
    mark(&["refresh token", application_id, token.expose()])
}

/// The mark of a list of texts.
pub(crate) fn mark(parts: &[&str]) -> Result<Mark> {
    static KEY: OnceCell<[u8; 32]> = OnceCell::new();
    let failed = |cause| Error::internal(format!("a keyed hash could not be made: {cause}"));
    let key = KEY.get_or_try_init(|| {
        let mut key = [0; 32];
        openssl::rand::rand_bytes(&mut key).map(|()| key)
    });
    let key = PKey::hmac(key.map_err(failed)?).map_err(failed)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key).map_err(failed)?;
    for part in parts {
        // With lengths, so that no two lists of parts read the same.
        signer.update(&(part.len() as u64).to_le_bytes()).map_err(failed)?;
        signer.update(part.as_bytes()).map_err(failed)?;
    }
    let digest = signer.sign_to_vec().map_err(failed)?;
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_read_the_same_when_joined_have_marks_of_their_own() {
        assert_eq!(mark(&["ab", "c"]).unwrap(), mark(&["ab", "c"]).unwrap());
        assert_ne!(mark(&["ab", "c"]).unwrap(), mark(&["a", "bc"]).unwrap());
    }
}
