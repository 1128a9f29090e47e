//! The certificate that the sandbox hands out for its application, with its key.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509Builder, X509NameBuilder, X509};

/// A self-signed certificate and its key. Made up like everything here: it opens nothing but its sandbox.
pub struct OwnCertificate {
    certificate: X509,
    key: PKey<Private>,
}

impl OwnCertificate {
    /// RSA with 2048 bits, valid from a day ago for a year.
    pub(crate) fn create() -> Result<Self, ErrorStack> {
        let key = PKey::from_rsa(Rsa::generate(2048)?)?;
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(openssl::nid::Nid::COMMONNAME, "Sandbox application")?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
        let yesterday = crate::clock::machine_ms() / 1000 - 86_400;
        let mut builder = X509Builder::new()?;
        builder.set_version(2)?;
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(&*Asn1Time::from_unix(yesterday)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(yesterday + 366 * 86_400)?)?;
        builder.set_pubkey(&key)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(OwnCertificate {
            certificate: builder.build(),
            key,
        })
    }

    /// The certificate alone.
    pub fn certificate_pem(&self) -> Result<String, ErrorStack> {
        Ok(String::from_utf8_lossy(&self.certificate.to_pem()?).into_owned())
    }

    /// The certificate and its key (PKCS #8), one after the other.
    pub fn pem(&self) -> Result<String, ErrorStack> {
        let key = self.key.private_key_to_pem_pkcs8()?;
        Ok(self.certificate_pem()? + &String::from_utf8_lossy(&key))
    }

    /// Both as PKCS #12.
    pub fn pfx(&self, password: &str) -> Result<Vec<u8>, ErrorStack> {
        Pkcs12::builder()
            .name("Sandbox application")
            .pkey(&self.key)
            .cert(&self.certificate)
            .build2(password)?
            .to_der()
    }
}

impl std::fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnCertificate")
    }
}
