//! PKCS #12 (PFX): RFC 7292, as OpenSSL, .NET, Java, GnuTLS and Windows write it.

use super::open::Material;
use super::refuse;
use crate::error::{Error, Result};
use crate::secret::Secret;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::{X509Ref, X509};
use zeroize::Zeroizing;

/// Object identifiers, in DER, that tell of protection by a Windows account instead of a password: Microsoft's bag of a
/// protected password (1.3.6.1.4.1.311.17.4) and the DPAPI-NG recipient (1.3.6.1.4.1.311.74.1).
const ACCOUNT_PROTECTED: [&[u8]; 2] = [
    &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x11, 0x04],
    &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x4a, 0x01],
];
/// Content types of an archive that a key pair protects instead of a password: PKCS #7 enveloped data, and signed data.
const KEY_PROTECTED: [&[u8]; 2] = [
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02],
];

/// How often a password is hashed before it opens anything. .NET refuses to do it more than 300,000 times for one key.
const ITERATIONS: u32 = 100_000;

/// How an archive is encrypted, by the names that Export-PfxCertificate has for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// PBES2 with AES-256, and a MAC with SHA-256: from Windows 10 1709 and Windows Server 2019 on.
    #[default]
    Aes256Sha256,
    /// What every Windows opens, and OpenSSL without its legacy provider too.
    TripleDesSha1,
}

impl Encryption {
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text {
            "AES256_SHA256" => Ok(Encryption::Aes256Sha256),
            "TripleDES_SHA1" => Ok(Encryption::TripleDesSha1),
            _ => Err(Error::invalid("a PFX file cannot be encrypted like that")
                .advise("Use AES256_SHA256, or TripleDES_SHA1 for an old Windows.")),
        }
    }
}

/// An archive of a certificate with its chain and its key; `title` is what lists of its contents show.
pub(crate) fn write(
    key: &PKeyRef<Private>,
    leaf: &X509Ref,
    chain: Vec<X509>,
    title: &str,
    password: &str,
    encryption: Encryption,
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let (cipher, digest) = match encryption {
        Encryption::Aes256Sha256 => (Nid::AES_256_CBC, MessageDigest::sha256()),
        Encryption::TripleDesSha1 => (Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC, MessageDigest::sha1()),
    };
    let mut builder = Pkcs12::builder();
    if !title.is_empty() {
        builder.name(title);
    }
    builder
        .pkey(key)
        .cert(leaf)
        .key_algorithm(cipher)
        .cert_algorithm(cipher)
        .mac_md(digest);
    if !chain.is_empty() {
        let mut stack = Stack::new()?;
        chain.into_iter().try_for_each(|certificate| stack.push(certificate))?;
        builder.ca(stack);
    }
    if !password.is_empty() {
        builder.key_iter(ITERATIONS).mac_iter(ITERATIONS);
    }
    builder.build2(password)?.to_der().map(Zeroizing::new)
}

/// The archive, where the bytes have the outer form of one.
pub(super) fn recognise(bytes: &[u8]) -> Option<Pkcs12> {
    // The one structure here that starts with the integer 3, its version; OpenSSL alone would take others for it.
    let header = match bytes.get(1)? {
        long @ 0x81.. => 2 + usize::from(long & 0x7f),
        _ => 2,
    };
    if bytes.get(header..header + 3)? != [0x02, 0x01, 0x03] {
        return None;
    }
    Pkcs12::from_der(bytes).ok()
}

pub(super) fn read(archive: &Pkcs12, bytes: &[u8], password: Option<&Secret>, what: &str) -> Result<Material> {
    let given = password.map_or("", Secret::expose);
    let parsed = archive
        .parse2(given)
        .map_err(|cause| why(&cause, bytes, given.is_empty(), what))?;
    let mut material = Material::default();
    material.certificates.extend(parsed.cert);
    material.certificates.extend(parsed.ca.into_iter().flatten());
    material.keys.extend(parsed.pkey);
    if material.keys.is_empty() && is_account_protected(bytes) {
        return Err(refuse::protected(what));
    }
    Ok(material)
}

fn why(cause: &ErrorStack, bytes: &[u8], no_password: bool, what: &str) -> Error {
    let says = |words: &[&str]| {
        cause.errors().iter().any(|error| {
            let reason = error.reason().unwrap_or_default();
            words.iter().any(|word| reason.contains(word))
        })
    };
    if is_account_protected(bytes) {
        return refuse::protected(what);
    }
    if says(&["mac absent"]) {
        return refuse::unchecked(what);
    }
    // Checked before anything is decrypted, so it does not matter what the rest is encrypted with.
    if says(&["mac verify failure"]) {
        return if no_password {
            refuse::password_needed(what)
        } else {
            refuse::password_wrong(what)
        };
    }
    if says(&["unsupported", "unknown digest", "unknown pbe", "unknown cipher"]) {
        return refuse::legacy(what);
    }
    if says(&["cipherfinal", "bad decrypt", "wrong password", "decrypt error"]) {
        return if no_password {
            refuse::password_needed(what)
        } else {
            refuse::password_wrong(what)
        };
    }
    refuse::unreadable(what)
}

fn is_account_protected(bytes: &[u8]) -> bool {
    ACCOUNT_PROTECTED
        .iter()
        .chain(&KEY_PROTECTED)
        .any(|id| memchr::memmem::find(bytes, id).is_some())
}
