//! Self-signed certificates for applications: what one is to be, the key and the certificate, and the files that hold them.

mod files;
mod subject;

pub(crate) use files::Files;

use super::open::Material;
use super::Certificate;
use crate::error::{Error, Result};
use crate::request::Request;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509Name, X509};
use tokio::sync::oneshot;

/// In bits. Every provider of keys can hold these: those of Windows count in steps of 64.
const KEY_LENGTHS: std::ops::RangeInclusive<u32> = super::FEWEST_BITS..=16384;
const KEY_LENGTH_STEP: u32 = 64;
/// A century.
const MOST_DAYS: i64 = 36_500;
const DAY_S: i64 = 86_400;
/// How far in the past its validity begins: the service's clock may be behind this machine's.
const BACKDATED_S: i64 = 10 * 60;

/// What a certificate is to be.
pub(crate) struct Plan {
    subject: X509Name,
    dns_names: Vec<String>,
    pub(crate) bits: u32,
    days: i64,
}

/// A certificate that was made, with its key.
pub(crate) struct Made {
    leaf: X509,
    key: PKey<Private>,
}

impl Plan {
    pub(crate) const FIELDS: [&'static str; 4] = ["subject", "dnsNames", "keyLength", "days"];

    /// Reads `subject` (the first of `dnsNames` where it is absent), `dnsNames`, `keyLength` (bits) and `days`.
    pub(crate) fn from_request(request: &Request) -> Result<Plan> {
        let dns_names = request
            .texts("dnsNames")?
            .iter()
            .map(|name| dns_name(name))
            .collect::<Result<Vec<_>>>()?;
        let given = request.opt_text("subject")?.filter(|text| !text.trim().is_empty());
        let subject = given.or(dns_names.first().map(String::as_str)).ok_or_else(|| {
            Error::invalid("the certificate has no subject").advise("Give -Subject, for example 'CN=Contoso SAM'.")
        })?;
        let bits = key_length(request.int("keyLength")?)?;
        let days = request.int("days")?;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(
                Error::invalid(format!("a certificate cannot be valid for {days} days")).advise(format!(
                    "Give -Days from 1 to {MOST_DAYS}; the app registrations of many organizations take a year or two."
                )),
            );
        }
        Ok(Plan {
            subject: subject::parse(subject)?,
            dns_names,
            bits,
            days,
        })
    }

    /// Makes the key and the certificate; `now` is in milliseconds since 1970. Takes from a tenth of a second to minutes.
    pub(crate) async fn make(self, now: i64) -> Result<Made> {
        let (done, made) = oneshot::channel();
        // A thread of its own: OpenSSL's search for primes cannot be broken off. One that nobody waits for any more ends
        // by itself, and neither the pool nor the end of the process waits for it.
        std::thread::Builder::new()
            .name("secureapp-key".to_owned())
            .spawn(move || {
                // The receiver is gone where the work was stopped.
                let _ = done.send(self.generate(now / 1000));
            })
            .map_err(|cause| Error::internal(format!("no thread could be started to make a key: {cause}")))?;
        made.await
            .map_err(|_| Error::internal("the making of a key was broken off"))?
            .map_err(|cause| Error::internal(format!("the certificate could not be made: {cause}")))
    }

    fn generate(&self, now_s: i64) -> Result<Made, ErrorStack> {
        let key = PKey::from_rsa(Rsa::generate(self.bits)?)?;
        let mut serial = BigNum::new()?;
        // RFC 5280, section 4.1.2.2: positive, and 20 bytes at most.
        serial.rand(159, MsbOption::ONE, false)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_subject_name(&self.subject)?;
        builder.set_issuer_name(&self.subject)?;
        builder.set_not_before(&*Asn1Time::from_unix(now_s - BACKDATED_S)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(now_s + self.days * DAY_S)?)?;
        builder.set_pubkey(&key)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        // To encipher keys is what Windows' key exchange keys say that they may do.
        let usage = KeyUsage::new()
            .critical()
            .digital_signature()
            .key_encipherment()
            .build()?;
        builder.append_extension(usage)?;
        builder.append_extension(ExtendedKeyUsage::new().client_auth().build()?)?;
        let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(id)?;
        if !self.dns_names.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &self.dns_names {
                names.dns(name);
            }
            let names = names.build(&builder.x509v3_context(None, None))?;
            builder.append_extension(names)?;
        }
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Made {
            leaf: builder.build(),
            key,
        })
    }
}

impl Made {
    /// The certificate as everything here knows certificates.
    pub(crate) fn certificate(&self) -> Result<Certificate> {
        let material = Material {
            certificates: vec![self.leaf.clone()],
            keys: vec![self.key.clone()],
        };
        Certificate::of(material, "the new certificate")
    }

    /// DER.
    pub(crate) fn der(&self) -> Result<Vec<u8>> {
        self.leaf.to_der().map_err(unwritable)
    }

    /// The common name, for whoever lists what is in a file.
    fn title(&self) -> String {
        let entry = self.leaf.subject_name().entries_by_nid(Nid::COMMONNAME).next();
        let title = entry.and_then(|entry| entry.data().as_utf8().ok());
        title.map(|title| title.to_string()).unwrap_or_default()
    }
}

fn key_length(bits: i64) -> Result<u32> {
    let wrong = |why: &str| {
        Err(Error::invalid(format!("a key of {bits} bits {why}"))
            .advise("Use -KeyLength 2048, 3072 or 4096; any multiple of 64 from 2048 to 16384 is made."))
    };
    match u32::try_from(bits) {
        Ok(bits) if KEY_LENGTHS.contains(&bits) && bits % KEY_LENGTH_STEP == 0 => Ok(bits),
        _ if bits < i64::from(*KEY_LENGTHS.start()) => wrong("is too short to sign in with"),
        _ => wrong("is not one that everybody can use"),
    }
}

/// A DNS name as a certificate holds it: in lower case, in ASCII.
fn dns_name(text: &str) -> Result<String> {
    let bad = || {
        Error::invalid("what was given as a DNS name of the certificate is not one")
            .advise("Give names such as app.contoso.com; a subject goes to -Subject.")
    };
    let text = text.trim();
    let (star, name) = match text.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    match url::Host::parse(name) {
        Ok(url::Host::Domain(domain))
            if domain.len() <= 253
                && domain.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && label
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                }) =>
        {
            Ok(format!("{star}{domain}"))
        }
        _ => Err(bad()),
    }
}

#[cold]
fn unwritable(cause: ErrorStack) -> Error {
    Error::internal(format!("the certificate could not be encoded: {cause}"))
}
