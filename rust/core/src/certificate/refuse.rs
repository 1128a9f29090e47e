//! Why a certificate cannot be used: one sentence each, and what to do about it. The ids are for programs.

use crate::error::{Error, Kind};
use crate::export::time::iso;
use openssl::error::ErrorStack;

/// The id of a PFX that only a reader of old algorithms can open; the host may try with its own.
pub(crate) const LEGACY: &str = "CertificateLegacy";

#[cold]
fn refused(id: &'static str, message: String) -> Error {
    Error::invalid(message).with_id(id)
}

#[cold]
pub(super) fn unreadable(what: &str) -> Error {
    refused(
        "CertificateUnreadable",
        format!("{what} is neither a PFX (PKCS #12) file nor a PEM file, or it is damaged"),
    )
    .advise("Export the certificate again, with its private key, as .pfx or .pem.")
}

#[cold]
pub(super) fn not_base64(what: &str) -> Error {
    refused("CertificateUnreadable", format!("{what} is not base64")).advise("Give the DER bytes in base64.")
}

#[cold]
pub(super) fn password_needed(what: &str) -> Error {
    refused(
        "CertificatePassword",
        format!("{what} is encrypted, and no password was given"),
    )
    .advise("Give its password with -CertificatePassword.")
}

#[cold]
pub(super) fn password_wrong(what: &str) -> Error {
    refused("CertificatePassword", format!("the password does not open {what}"))
        .advise("Check the password that the file was exported with; it is case-sensitive.")
}

#[cold]
pub(super) fn password_not_text(what: &str) -> Error {
    refused(
        "CertificatePassword",
        format!("the password for {what} holds a character that no password can hold"),
    )
    .advise("Give the password without a null character.")
}

#[cold]
pub(super) fn protected(what: &str) -> Error {
    refused(
        "CertificateProtected",
        format!("{what} is protected to a user account or group of a Windows domain, not by a password"),
    )
    .advise(
        "Import it on a Windows machine where that account is signed in and use -CertificateThumbprint there, or export \
         it again with a password instead of 'Group or user names'.",
    )
}

#[cold]
pub(super) fn legacy(what: &str) -> Error {
    refused(
        LEGACY,
        format!("{what} is encrypted with an old algorithm that OpenSSL does not offer any more"),
    )
    .advise(
        "Export it again with AES256-SHA256, or convert it: openssl pkcs12 -legacy -in old.pfx -nodes -out new.pem.",
    )
}

#[cold]
pub(super) fn unchecked(what: &str) -> Error {
    refused(
        LEGACY,
        format!("{what} has a password but no integrity check (MAC), which this OpenSSL does not open"),
    )
    .advise("Export it again without leaving the integrity check out.")
}

#[cold]
pub(super) fn old_key(what: &str) -> Error {
    refused(
        "CertificateUnsupported",
        format!("the private key in {what} is encrypted with an algorithm that OpenSSL does not offer"),
    )
    .advise("Encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.key -out new.key.")
}

#[cold]
pub(super) fn no_key(what: &str) -> Error {
    refused("CertificateNoKey", format!("there is no private key in {what}")).advise(
        "Export the certificate with its private key, or name the key's file with -CertificateKeyPath. A .cer or .crt \
         file never holds the key.",
    )
}

#[cold]
pub(super) fn no_certificate(what: &str) -> Error {
    refused("CertificateMissing", format!("there is no certificate in {what}"))
        .advise("Give the file that holds the certificate, and the key's with -CertificateKeyPath.")
}

#[cold]
pub(super) fn key_mismatch(what: &str) -> Error {
    refused(
        "CertificateKeyMismatch",
        format!("the private key does not belong to any certificate in {what}"),
    )
    .advise("Give the key that the certificate was made with.")
}

#[cold]
pub(super) fn not_rsa(subject: &str, kind: &str) -> Error {
    refused(
        "CertificateKeyType",
        format!("the key of the certificate {subject} is of type {kind}, but only RSA keys can sign in"),
    )
    .advise("Make an RSA certificate of 2048 bits or more and upload it to the app registration.")
}

#[cold]
pub(super) fn weak(subject: &str, bits: u32) -> Error {
    refused(
        "CertificateKeyWeak",
        format!("the key of the certificate {subject} has {bits} bits, which is too few"),
    )
    .advise("Make an RSA certificate of 2048 bits or more and upload it to the app registration.")
}

#[cold]
pub(super) fn expired(subject: &str, not_after: i64) -> Error {
    Error::new(
        Kind::NotSignedIn,
        format!("the certificate {subject} expired on {}", iso(not_after)),
    )
    .with_id("CertificateExpired")
    .advise("Make a new certificate, upload it to the app registration, and use it; if it is not expired, set this machine's clock right.")
}

#[cold]
pub(super) fn not_yet_valid(subject: &str, not_before: i64) -> Error {
    Error::new(
        Kind::NotSignedIn,
        format!("the certificate {subject} is not valid before {}", iso(not_before)),
    )
    .with_id("CertificateNotYetValid")
    .advise("Wait until then, or set this machine's clock right.")
}

#[cold]
pub(super) fn signature_mismatch(subject: &str) -> Error {
    Error::new(
        Kind::NotSignedIn,
        format!("the key that signed does not belong to the certificate {subject}"),
    )
    .with_id("CertificateKeyMismatch")
    .advise("Give the certificate together with its own private key.")
}

/// A key that OpenSSL holds but cannot sign with.
#[cold]
pub(super) fn cannot_sign(subject: &str, cause: &ErrorStack) -> Error {
    Error::internal(format!("the key of the certificate {subject} could not sign: {cause}"))
        .advise("Export the certificate again with its private key.")
}
