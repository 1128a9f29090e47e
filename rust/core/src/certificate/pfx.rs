//! PKCS #12 (PFX): RFC 7292, as OpenSSL, .NET, Java, GnuTLS and Windows write it.

use super::open::Material;
use super::refuse;
use crate::error::{Error, Result};
use crate::secret::Secret;
use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;

/// Object identifiers, in DER, that tell of protection by a Windows account instead of a password: Microsoft's bag of a
/// protected password (1.3.6.1.4.1.311.17.4) and the DPAPI-NG recipient (1.3.6.1.4.1.311.74.1).
const ACCOUNT_PROTECTED: [&[u8]; 2] = [
    &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x11, 0x04],
    &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x4a, 0x01],
];
/// Content types of an archive that a key pair protects instead of a password: PKCS #7 enveloped data, and signed data.
const KEY_PROTECTED: [&[u8]; 2] = [
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03],
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02],
];

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
