//! PEM texts (RFC 7468 and the older forms of OpenSSL): any number of blocks, in any order, with any words between them.

use super::open::Material;
use super::refuse;
use crate::error::{Error, Result};
use crate::secret::Secret;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

/// One `-----BEGIN x-----` to `-----END x-----`.
struct Block<'a> {
    label: &'a str,
    text: &'a str,
}

pub(super) fn read(text: &str, password: Option<&Secret>, what: &str) -> Result<Material> {
    let mut material = Material::default();
    for block in blocks(text) {
        match block.label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                let certificate = X509::from_pem(block.text.as_bytes()).map_err(|_| refuse::unreadable(what))?;
                material.certificates.push(certificate);
            }
            label if label.ends_with("PRIVATE KEY") => material.keys.push(key(&block, password, what)?),
            // Parameters, requests and revocation lists are of no use here and do no harm.
            _ => {}
        }
    }
    if material.certificates.is_empty() && material.keys.is_empty() {
        return Err(refuse::unreadable(what));
    }
    Ok(material)
}

fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.find("-----BEGIN ")?;
        rest = &rest[begin..];
        let label = &rest["-----BEGIN ".len()..];
        let label = &label[..label.find("-----")?];
        let end = format!("-----END {label}-----");
        let length = rest.find(&end)? + end.len();
        let (text, after) = rest.split_at(length);
        rest = after;
        Some(Block { label, text })
    })
}

fn key(block: &Block<'_>, password: Option<&Secret>, what: &str) -> Result<PKey<Private>> {
    let encrypted = block.label.starts_with("ENCRYPTED") || block.text.contains("Proc-Type: 4,ENCRYPTED");
    let password = match password.filter(|password| !password.expose().is_empty()) {
        None if encrypted => return Err(refuse::password_needed(what)),
        // Never without one, even where none is needed: OpenSSL would ask for it on the terminal.
        password => password.map_or("", Secret::expose),
    };
    PKey::private_key_from_pem_passphrase(block.text.as_bytes(), password.as_bytes())
        .map_err(|cause| why(&cause, encrypted, what))
}

fn why(cause: &ErrorStack, encrypted: bool, what: &str) -> Error {
    let reasons = || cause.errors().iter().filter_map(|error| error.reason());
    if encrypted && reasons().any(|reason| reason.contains("unsupported") || reason.contains("unknown pbe")) {
        return refuse::old_key(what);
    }
    if encrypted {
        return refuse::password_wrong(what);
    }
    refuse::unreadable(what)
}
