//! The sandbox's certificate authority and the certificate of its services.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{AlpnError, SslAcceptor, SslMethod, SslOptions, SslVersion};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509Builder, X509NameBuilder, X509};

/// A fresh authority and what its services serve with.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: SslAcceptor,
    /// SHA-1 of the services' certificate in hexadecimal digits, as Windows and Service Fabric name certificates.
    pub(crate) thumbprint: String,
}

/// Makes an authority and a certificate for `localhost`, `127.0.0.1` and `::1`. Keys are P-256 (handshakes are cheap) and
/// live in memory only; both certificates are valid from a day ago for 30 days.
pub(crate) fn create() -> Result<Certificates, ErrorStack> {
    let (ca_key, leaf_key) = (new_key()?, new_key()?);
    let ca = authority(&ca_key)?;
    let leaf = service(&leaf_key, &ca, &ca_key)?;

    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_private_key(&leaf_key)?;
    builder.set_certificate(&leaf)?;
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    builder.set_alpn_select_callback(|_, offered| {
        openssl::ssl::select_next_proto(b"\x02h2\x08http/1.1", offered).ok_or(AlpnError::NOACK)
    });
    let ca_pem = String::from_utf8_lossy(&ca.to_pem()?).into_owned();
    let digest = leaf.digest(MessageDigest::sha1())?;
    Ok(Certificates {
        thumbprint: digest.iter().map(|byte| format!("{byte:02X}")).collect(),
        ca_pem,
        acceptor: builder.build(),
    })
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn start(name: &str, key: &PKey<Private>) -> Result<X509Builder, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_nid(Nid::ORGANIZATIONNAME, "SecureAppModel sandbox")?;
    subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&subject.build())?;
    let yesterday = crate::clock::machine_ms() / 1000 - 86_400;
    builder.set_not_before(&*Asn1Time::from_unix(yesterday)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(yesterday + 31 * 86_400)?)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn authority(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut builder = start("Sandbox authority", key)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "SecureAppModel sandbox")?;
    name.append_entry_by_nid(Nid::COMMONNAME, "Sandbox authority")?;
    builder.set_issuer_name(&name.build())?;
    builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(id)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn service(key: &PKey<Private>, ca: &X509, ca_key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut builder = start("localhost", key)?;
    builder.set_issuer_name(ca.subject_name())?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let (id, issuer, names) = {
        let context = builder.x509v3_context(Some(ca), None);
        (
            SubjectKeyIdentifier::new().build(&context)?,
            AuthorityKeyIdentifier::new().keyid(true).build(&context)?,
            SubjectAlternativeName::new()
                .dns("localhost")
                .ip("127.0.0.1")
                .ip("::1")
                .build(&context)?,
        )
    };
    builder.append_extension(id)?;
    builder.append_extension(issuer)?;
    builder.append_extension(names)?;
    builder.sign(ca_key, MessageDigest::sha256())?;
    Ok(builder.build())
}
