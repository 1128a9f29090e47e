//! Where a certificate's private key is, and how it signs.

use super::Algorithm;
use crate::error::{Error, Result};
use crate::signer::Signer;
use crate::vault::VaultKey;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer as OpensslSigner, Verifier};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// A new place for keys is a variant here: its mark, and how it signs.
pub(crate) enum Key {
    /// In this process, in memory that OpenSSL wipes when the last user lets go.
    Local(PKey<Private>),
    /// With an owner who signs when asked: a key that cannot be exported.
    External(Arc<Signer>),
    /// In a key vault, which signs when asked.
    Vault(Box<VaultKey>),
}

impl Key {
    /// Tells credentials apart that have the same certificate with a key in another place.
    pub(super) fn mark(&self) -> &'static str {
        match self {
            Key::Local(_) => "local",
            Key::External(_) => "external",
            Key::Vault(_) => "vault",
        }
    }

    /// Signs `data` (the JWS signing input, not its digest). An OpenSSL failure is `Ok(Err(_))`.
    pub(super) async fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Result<Vec<u8>, ErrorStack>> {
        match self {
            Key::Local(key) => {
                // An RSA-2048 signature takes about a millisecond of one core: too long for a thread that others'
                // replies wait for, and more at a time than there are cores would only take turns.
                let _turn = turns()
                    .acquire()
                    .await
                    .map_err(|_| Error::internal("the queue of signatures was closed"))?;
                let (key, data) = (key.clone(), data.to_vec());
                tokio::task::spawn_blocking(move || sign(&key, algorithm, &data))
                    .await
                    .map_err(|_| Error::internal("a signature was broken off"))
            }
            Key::External(signer) => signer.sign(algorithm.name(), data.to_vec()).await.map(Ok),
            Key::Vault(key) => key.sign(algorithm.name(), data).await.map(Ok),
        }
    }
}

fn turns() -> &'static Semaphore {
    static TURNS: OnceLock<Semaphore> = OnceLock::new();
    TURNS.get_or_init(|| Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get())))
}

fn sign(key: &PKeyRef<Private>, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut signer = OpensslSigner::new(MessageDigest::sha256(), key)?;
    if algorithm == Algorithm::Ps256 {
        // RFC 7518, section 3.5: MGF1 with the same digest, and a salt as long as it.
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    signer.sign_oneshot_to_vec(data)
}

/// Whether `signature` was made with the private half of `key`.
pub(super) fn verify<T: HasPublic>(
    key: &PKeyRef<T>,
    algorithm: Algorithm,
    data: &[u8],
    signature: &[u8],
) -> Result<bool, ErrorStack> {
    let mut verifier = Verifier::new(MessageDigest::sha256(), key)?;
    if algorithm == Algorithm::Ps256 {
        verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
        verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    // OpenSSL calls a signature of the wrong length an error; it is only a wrong signature.
    Ok(verifier.verify_oneshot(signature, data).unwrap_or(false))
}
