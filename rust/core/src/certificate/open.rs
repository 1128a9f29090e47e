//! Reads certificates and keys from what people have: PFX files, PEM texts, DER, each recognised by its content.

use super::{pem, pfx, refuse};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// Far more than a certificate with its chain takes.
const LARGEST_FILE: u64 = 4 << 20;

/// Certificates and keys in the order in which they were found; which belong together is not known yet.
#[derive(Default)]
pub(super) struct Material {
    pub(super) certificates: Vec<X509>,
    pub(super) keys: Vec<PKey<Private>>,
}

impl Material {
    pub(super) fn and(mut self, mut other: Material) -> Material {
        self.certificates.append(&mut other.certificates);
        self.keys.append(&mut other.keys);
        self
    }

    /// Reads a file of any of the known kinds.
    pub(super) fn from_file(path: &str, password: Option<&Secret>) -> Result<Material> {
        Material::read(&file(Path::new(path))?, password, &format!("the file {path}"))
    }

    /// Reads bytes of any of the known kinds; `what` names them in messages.
    pub(super) fn read(bytes: &[u8], password: Option<&Secret>, what: &str) -> Result<Material> {
        if password.is_some_and(|password| password.expose().contains('\0')) {
            return Err(refuse::password_not_text(what));
        }
        // A DER structure is a SEQUENCE; nothing printable begins with that byte but the digit 0.
        if bytes.first() == Some(&0x30) && bytes.get(1).is_some_and(|length| *length >= 0x80) {
            return der(bytes, password, what);
        }
        let text = text(bytes).ok_or_else(|| refuse::unreadable(what))?;
        if text.contains("-----BEGIN ") {
            return pem::read(&text, password, what);
        }
        // What a Key Vault secret holds: the bytes of a PFX in base64.
        let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
        compact.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        match STANDARD.decode(&*compact).map(Zeroizing::new) {
            Ok(bytes) if bytes.first() == Some(&0x30) => der(&bytes, password, what),
            _ => Err(refuse::unreadable(what)),
        }
    }
}

fn der(bytes: &[u8], password: Option<&Secret>, what: &str) -> Result<Material> {
    if let Some(archive) = pfx::recognise(bytes) {
        return pfx::read(&archive, bytes, password, what);
    }
    if let Ok(certificate) = X509::from_der(bytes) {
        return Ok(Material {
            certificates: vec![certificate],
            keys: Vec::new(),
        });
    }
    let key = match password {
        Some(password) => PKey::private_key_from_pkcs8_passphrase(bytes, password.expose().as_bytes())
            .or_else(|_| PKey::private_key_from_der(bytes)),
        None => PKey::private_key_from_der(bytes),
    };
    Ok(Material {
        certificates: Vec::new(),
        keys: vec![key.map_err(|_| refuse::unreadable(what))?],
    })
}

/// Text in UTF-8, or in UTF-16 as Windows PowerShell's `>` and `Out-File` write it.
fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let utf16 = |pairs: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = pairs.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let mut text = Zeroizing::new(String::with_capacity(pairs.len() * 3 / 2));
        for character in char::decode_utf16(units) {
            text.push(character.ok()?);
        }
        Some(text)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Some(Zeroizing::new(std::str::from_utf8(rest).ok()?.to_owned())),
        // The words around the blocks of a PEM file may be in any encoding; the blocks are ASCII.
        _ => {
            let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
            text.extend(bytes.iter().map(|byte| char::from(*byte)));
            Some(text)
        }
    }
}

/// A whole file, in one buffer that is wiped.
fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed =
        |cause| Error::storage("read", path, &cause).advise("Check the path, and that this account may read the file.");
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if facts.is_dir() {
        return Err(Error::new(Kind::Storage, format!("{} is a folder", path.display()))
            .advise("Give the path of the certificate file."));
    }
    if facts.len() > LARGEST_FILE {
        return Err(refuse::unreadable(&format!("the file {}", path.display())));
    }
    // One byte more than it has, so that reading never has to move what it read.
    let mut bytes = Zeroizing::new(Vec::with_capacity(facts.len() as usize + 1));
    file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
