//! Certificates with their private keys: opened from what people have, checked, and ready to sign.
//!
//! Only RSA keys of 2048 bits and more are taken: the sign-in endpoint verifies nothing else (Microsoft's "Microsoft
//! identity platform application authentication certificate credentials").

pub(crate) mod create;
mod key;
mod open;
mod pem;
pub(crate) mod pfx;
pub(crate) mod refuse;

use crate::error::{Error, Result};
use crate::export::time::iso;
use crate::request::Request;
use crate::vault::VaultKey;
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
pub(crate) use key::Key;
use open::Material;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::{X509NameRef, X509};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Fewer bits than this are refused, here as by the service.
const FEWEST_BITS: u32 = 2048;
/// A certificate that ends sooner than this is worth a warning.
const WARN_BEFORE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The request fields that [`Certificate::from_request`] reads.
pub(crate) const FIELDS: [&str; 7] = [
    "certificatePath",
    "certificateKeyPath",
    "certificatePassword",
    "certificateData",
    "certificate",
    "privateKey",
    "signer",
];

/// How a signature is made, by its JWS name (RFC 7518).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Ps256 => "PS256",
            Algorithm::Rs256 => "RS256",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PS256" => Ok(Algorithm::Ps256),
            "RS256" => Ok(Algorithm::Rs256),
            _ => {
                Err(Error::invalid(format!("'{text}' is not an algorithm for assertions"))
                    .advise("Use PS256 or RS256."))
            }
        }
    }
}

/// A certificate whose private key is at hand.
pub(crate) struct Certificate {
    subject: String,
    der: Vec<u8>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
    /// Milliseconds since 1970.
    not_before: i64,
    not_after: i64,
    public: PKey<Public>,
    key: Key,
    /// The key's owner has declined PS256; it is not asked again.
    declined_pss: AtomicBool,
    /// What the service's refusals have taught about it; see `token/patience.rs`.
    pub(crate) standing: Standing,
}

/// What is remembered of a certificate's refusals.
#[derive(Default)]
pub(crate) struct Standing {
    /// How far the service's clock is ahead of this machine's, in milliseconds.
    pub(crate) ahead_ms: AtomicI64,
    /// Until when (milliseconds since 1970) it is taken as not registered, without waiting for it to become so.
    pub(crate) unknown_until: AtomicI64,
}

impl Certificate {
    /// Reads the certificate that a request names; `None` where it names none.
    ///
    /// `certificatePath`: a PFX, PEM or DER file, with `certificateKeyPath` where the key is in another file and
    /// `certificatePassword` (secret) where they are encrypted. `certificateData` (secret): the same as text, PEM or a PFX
    /// in base64. `certificate`: the certificate alone, DER in base64, with `privateKey` (secret; PKCS #8 or PKCS #1 DER in
    /// base64) or `signer` (a key that its owner keeps).
    pub(crate) fn from_request(request: &Request) -> Result<Option<Certificate>> {
        let password = request.opt_secret("certificatePassword")?;
        let text = |key| {
            let text = request.opt_text(key)?;
            Ok::<_, Error>(text.filter(|text| !text.trim().is_empty()))
        };
        let path = text("certificatePath")?;
        let data = request.opt_secret("certificateData")?;
        let leaf = text("certificate")?;
        let key_path = text("certificateKeyPath")?;
        if usize::from(path.is_some()) + usize::from(data.is_some()) + usize::from(leaf.is_some()) > 1 {
            return Err(Error::invalid("the credential names more than one certificate").advise("Give one of them."));
        }
        let alone = |why: &str| {
            Err(Error::invalid(format!("{why} was given without a certificate"))
                .advise("Give the certificate as well."))
        };
        if let Some(leaf) = leaf {
            return Certificate::from_parts(request, leaf).map(Some);
        }
        let (mut material, mut what) = match (path, data) {
            (Some(path), _) => (Material::from_file(path, password)?, format!("the file {path}")),
            (None, Some(data)) => {
                let what = "the certificate's data";
                (
                    Material::read(data.expose().as_bytes(), password, what)?,
                    what.to_owned(),
                )
            }
            (None, None) if key_path.is_some() => return alone("a private key"),
            (None, None) if password.is_some() => return alone("a certificate's password"),
            (None, None) => return Ok(None),
        };
        if let Some(path) = key_path {
            material = material.and(Material::from_file(path, password)?);
            what = format!("{what} and {path}");
        }
        Certificate::of(material, &what).map(Some)
    }

    /// A certificate without its key, and the key from somewhere else.
    fn from_parts(request: &Request, leaf: &str) -> Result<Certificate> {
        let what = "the certificate";
        let der = STANDARD.decode(leaf.trim()).map_err(|_| refuse::not_base64(what))?;
        let leaf = X509::from_der(&der).map_err(|_| refuse::unreadable(what))?;
        if let Some(key) = request.opt_secret("privateKey")? {
            let der = STANDARD
                .decode(key.expose().trim())
                .map(Zeroizing::new)
                .map_err(|_| refuse::not_base64("the private key"))?;
            let key = PKey::private_key_from_der(&der).map_err(|_| refuse::unreadable("the private key"))?;
            let material = Material {
                certificates: vec![leaf],
                keys: vec![key],
            };
            return Certificate::of(material, what);
        }
        match request.opt_signer("signer")? {
            Some(signer) => Certificate::checked(&leaf, Key::External(Arc::clone(signer))),
            None => Err(refuse::no_key(what)),
        }
    }

    /// A certificate whose key stays in a key vault.
    pub(crate) fn in_vault(der: &[u8], key: VaultKey) -> Result<Certificate> {
        let leaf = X509::from_der(der).map_err(|_| refuse::unreadable("the vault's certificate"))?;
        Certificate::checked(&leaf, Key::Vault(Box::new(key)))
    }

    /// The certificate of `material` that has its key there too.
    fn of(mut material: Material, what: &str) -> Result<Certificate> {
        if material.certificates.is_empty() {
            return Err(refuse::no_certificate(what));
        }
        if material.keys.is_empty() {
            return Err(refuse::no_key(what));
        }
        for certificate in &material.certificates {
            let Ok(public) = certificate.public_key() else {
                continue;
            };
            if let Some(at) = material.keys.iter().position(|key| key.public_eq(&public)) {
                return Certificate::checked(certificate, Key::Local(material.keys.swap_remove(at)));
            }
        }
        Err(refuse::key_mismatch(what))
    }

    fn checked(leaf: &X509, key: Key) -> Result<Certificate> {
        let unreadable = |_| refuse::unreadable("the certificate");
        let subject = name(leaf.subject_name());
        let public = leaf.public_key().map_err(unreadable)?;
        match public.id() {
            Id::RSA => {}
            other => return Err(refuse::not_rsa(&subject, type_name(other))),
        }
        if public.bits() < FEWEST_BITS {
            return Err(refuse::weak(&subject, public.bits()));
        }
        let digest = |digest| leaf.digest(digest).map(|bytes| bytes.to_vec()).map_err(unreadable);
        let certificate = Certificate {
            sha1: digest(MessageDigest::sha1())?,
            sha256: digest(MessageDigest::sha256())?,
            not_before: millis(leaf.not_before()).ok_or_else(|| refuse::unreadable("the certificate"))?,
            not_after: millis(leaf.not_after()).ok_or_else(|| refuse::unreadable("the certificate"))?,
            der: leaf.to_der().map_err(unreadable)?,
            subject,
            public,
            key,
            declined_pss: AtomicBool::new(false),
            standing: Standing::default(),
        };
        certificate.valid_at(crate::export::time::now())?;
        Ok(certificate)
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The certificate without its key.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-1 digest of the certificate: what Windows and the portal call its thumbprint.
    pub(crate) fn sha1(&self) -> &[u8] {
        &self.sha1
    }

    pub(crate) fn sha256(&self) -> &[u8] {
        &self.sha256
    }

    /// The length of its key.
    pub(crate) fn bits(&self) -> u32 {
        self.public.bits()
    }

    /// Milliseconds since 1970.
    pub(crate) fn not_before(&self) -> i64 {
        self.not_before
    }

    /// Milliseconds since 1970.
    pub(crate) fn not_after(&self) -> i64 {
        self.not_after
    }

    /// What tells this certificate's credentials apart from others: whose it is, and where its key is.
    pub(crate) fn identity(&self) -> (String, &'static str) {
        (hex(&self.sha256), self.key.mark())
    }

    /// Refuses where the certificate is not valid at `now` (milliseconds since 1970).
    pub(crate) fn valid_at(&self, now: i64) -> Result<()> {
        if now > self.not_after {
            return Err(refuse::expired(&self.subject, self.not_after));
        }
        if now < self.not_before {
            return Err(refuse::not_yet_valid(&self.subject, self.not_before));
        }
        Ok(())
    }

    /// What its user should know before it is too late.
    pub(crate) fn warning(&self, now: i64) -> Option<String> {
        let left = self.not_after.saturating_sub(now);
        (left < WARN_BEFORE_MS).then(|| {
            format!(
                "The certificate {} expires on {}, in {} days: make a new one and upload it to the app registration before \
                 then.",
                self.subject,
                iso(self.not_after),
                (left / 86_400_000).max(0)
            )
        })
    }

    /// The algorithm to sign with where its user names none.
    pub(crate) fn usual_algorithm(&self) -> Algorithm {
        if self.declined_pss.load(Ordering::Relaxed) {
            Algorithm::Rs256
        } else {
            Algorithm::Ps256
        }
    }

    /// The key's owner cannot do PS256; from now on RS256 is usual.
    pub(crate) fn note_declined_pss(&self) {
        self.declined_pss.store(true, Ordering::Relaxed);
    }

    /// Signs a JWS signing input.
    pub(crate) async fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        let signed = self.key.sign(algorithm, data).await?;
        let signature = signed.map_err(|cause| refuse::cannot_sign(&self.subject, &cause))?;
        // An owner's answer is checked here, where the reason can still be told: the service only says "not accepted".
        if matches!(self.key, Key::External(_))
            && !key::verify(&self.public, algorithm, data, &signature)
                .map_err(|cause| refuse::cannot_sign(&self.subject, &cause))?
        {
            return Err(refuse::signature_mismatch(&self.subject));
        }
        Ok(signature)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.subject, hex(&self.sha1))
    }
}

/// Upper-case hexadecimal digits, as thumbprints are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn millis(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some((i64::from(since.days) * 86_400 + i64::from(since.secs)) * 1000)
}

/// The name as RFC 4514 orders it: the most special part first.
fn name(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let value = entry.data().as_utf8().map(|text| text.to_string()).unwrap_or_default();
            let value: String = value.chars().filter(|character| !character.is_control()).collect();
            format!("{}={value}", entry.object().nid().short_name().unwrap_or("?"))
        })
        .collect();
    parts.reverse();
    parts.join(", ")
}

fn type_name(id: Id) -> &'static str {
    match id {
        Id::EC => "EC (elliptic curve)",
        Id::DSA => "DSA",
        Id::ED25519 => "Ed25519",
        Id::ED448 => "Ed448",
        Id::RSA_PSS => "RSASSA-PSS",
        _ => "another kind",
    }
}
