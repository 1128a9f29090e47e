//! Certificates: imported, read, and the secret that holds each with its key.

use std::collections::BTreeMap;

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use http::Method;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::reply::{self, Reply};
use crate::world::lock;

use super::error::Refusal;
use super::state::{version_id, Certificate, Item, Secret, SentAttributes, Times};
use super::{check_name, Request};

const PKCS12: &str = "application/x-pkcs12";
const PEM: &str = "application/x-pem-file";

#[derive(Deserialize)]
struct ImportBody {
    value: String,
    pwd: Option<String>,
    #[serde(default)]
    policy: Option<Policy>,
    #[serde(default)]
    attributes: Option<SentAttributes>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Policy {
    key_props: Option<KeyProperties>,
    secret_props: Option<SecretProperties>,
}

#[derive(Deserialize)]
struct KeyProperties {
    exportable: Option<bool>,
}

#[derive(Deserialize)]
struct SecretProperties {
    #[serde(rename = "contentType")]
    content_type: Option<String>,
}

pub(super) fn serve(request: &Request<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let method = &request.call.method;
    match path {
        [] | [""] if method == Method::GET => list(request),
        [name, "import"] if method == Method::POST => import(request, name),
        [name] if method == Method::GET => get(request, name, ""),
        [name, version] if method == Method::GET => get(request, name, version),
        _ => Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "The method is not allowed for this resource.",
        )),
    }
}

fn list(request: &Request<'_>) -> Result<Reply, Refusal> {
    let certificates = lock(&request.vault().certificates);
    let entries = certificates
        .values()
        .filter_map(|item| {
            let last = item.versions.last()?;
            Some(json!({
                "id": request.id("certificates", &item.name, ""),
                "x5t": thumbprint(&last.certificate),
                "attributes": last.times.attributes(),
                "tags": last.tags,
            }))
        })
        .collect();
    drop(certificates);
    request.page(entries)
}

fn get(request: &Request<'_>, name: &str, version: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let certificates = lock(&request.vault().certificates);
    let missing = || Refusal::not_found("Certificate", name);
    let item = certificates.get(&name.to_ascii_lowercase()).ok_or_else(missing)?;
    let found = find(item, version).ok_or_else(missing)?;
    Ok(reply::json(200, &bundle(request, &item.name, found)))
}

pub(super) fn find<'a>(item: &'a Item<Certificate>, version: &str) -> Option<&'a Certificate> {
    match version {
        "" => item.versions.last(),
        version => item
            .versions
            .iter()
            .find(|held| held.version.eq_ignore_ascii_case(version)),
    }
}

fn import(request: &Request<'_>, name: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let body: ImportBody = request.body()?;
    let policy = body.policy.unwrap_or_default();
    let content_type = policy
        .secret_props
        .and_then(|properties| properties.content_type)
        .unwrap_or_else(|| if body.value.contains("-----BEGIN") { PEM } else { PKCS12 }.to_owned());
    let (certificate, key) = read(&body.value, body.pwd.as_deref().unwrap_or_default(), &content_type)
        .ok_or_else(|| Refusal::bad("The specified PKCS#12 or PEM X.509 certificate can not be read, or lacks its private key. Please check if certificate is in valid format and the password is right."))?;
    if key.rsa().is_err() {
        return Err(Refusal::bad("This sandbox keeps RSA certificates only."));
    }
    let exportable = policy
        .key_props
        .and_then(|properties| properties.exportable)
        .unwrap_or(true);
    let mut times = Times::new(request.now);
    times.not_before = Some(seconds(certificate.not_before()));
    times.expires = Some(seconds(certificate.not_after()));
    if let Some(sent) = body.attributes {
        times.enabled = sent.enabled.unwrap_or(true);
    }
    let version = version_id(&mut request.world.random());
    let internal = |_: ErrorStack| Refusal::new(500, "InternalServerError", "The certificate cannot be written.");
    let linked = Secret {
        version: version.clone(),
        value: secret_value(&certificate, &key, exportable, &content_type).map_err(internal)?,
        content_type: Some(content_type.clone()),
        tags: body.tags.clone().unwrap_or_default(),
        times: times.clone(),
        kid: Some(request.id("keys", name, &version)),
    };
    let held = Certificate {
        version,
        certificate,
        key,
        exportable,
        content_type,
        tags: body.tags.unwrap_or_default(),
        times,
    };
    let reply = reply::json(200, &bundle(request, name, &held));
    add(&mut lock(&request.vault().secrets), name, linked);
    add(&mut lock(&request.vault().certificates), name, held);
    Ok(reply)
}

fn add<T>(table: &mut BTreeMap<String, Item<T>>, name: &str, version: T) {
    match table.get_mut(&name.to_ascii_lowercase()) {
        Some(item) => item.versions.push(version),
        None => {
            table.insert(name.to_ascii_lowercase(), Item::new(name, version));
        }
    }
}

fn read(value: &str, password: &str, content_type: &str) -> Option<(X509, PKey<Private>)> {
    if content_type == PEM || value.contains("-----BEGIN") {
        let certificate = X509::from_pem(value.as_bytes()).ok()?;
        let key = PKey::private_key_from_pem(value.as_bytes()).ok()?;
        return certificate
            .public_key()
            .ok()?
            .public_eq(&key)
            .then_some((certificate, key));
    }
    let der = STANDARD.decode(value.trim()).ok()?;
    let parsed = Pkcs12::from_der(&der).ok()?.parse2(password).ok()?;
    Some((parsed.cert?, parsed.pkey?))
}

/// The linked secret: PKCS#12 with an empty password, or PEM; with the key only where the policy lets it out.
fn secret_value(
    certificate: &X509,
    key: &PKey<Private>,
    exportable: bool,
    content_type: &str,
) -> Result<String, ErrorStack> {
    if content_type == PEM {
        let mut pem = if exportable {
            key.private_key_to_pem_pkcs8()?
        } else {
            Vec::new()
        };
        pem.extend(certificate.to_pem()?);
        return Ok(String::from_utf8_lossy(&pem).into_owned());
    }
    let mut builder = Pkcs12::builder();
    builder.cert(certificate);
    if exportable {
        builder.pkey(key);
    }
    Ok(STANDARD.encode(builder.build2("")?.to_der()?))
}

fn bundle(request: &Request<'_>, name: &str, held: &Certificate) -> Value {
    let bits = held.key.bits();
    json!({
        "id": request.id("certificates", name, &held.version),
        "kid": request.id("keys", name, &held.version),
        "sid": request.id("secrets", name, &held.version),
        "x5t": thumbprint(&held.certificate),
        "cer": held.certificate.to_der().map(|der| STANDARD.encode(der)).unwrap_or_default(),
        "contentType": held.content_type,
        "attributes": held.times.attributes(),
        "tags": held.tags,
        "policy": {
            "id": format!("{}/policy", request.id("certificates", name, "")),
            "key_props": {"exportable": held.exportable, "kty": "RSA", "key_size": bits, "reuse_key": false},
            "secret_props": {"contentType": held.content_type},
            "x509_props": {"subject": subject(&held.certificate), "validity_months": 12},
            "issuer": {"name": "Unknown"},
            "attributes": {"enabled": true, "created": held.times.created, "updated": held.times.updated},
        },
    })
}

fn thumbprint(certificate: &X509) -> String {
    certificate
        .digest(MessageDigest::sha1())
        .map(|digest| URL_SAFE_NO_PAD.encode(digest))
        .unwrap_or_default()
}

fn subject(certificate: &X509) -> String {
    certificate
        .subject_name()
        .entries()
        .filter_map(|entry| {
            let name = entry.object().nid().short_name().ok()?;
            Some(format!("{name}={}", entry.data().as_utf8().ok()?))
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// Seconds since 1970 of a certificate's time; 0 where it cannot be told.
fn seconds(time: &Asn1TimeRef) -> i64 {
    let difference = || Asn1Time::from_unix(0).ok()?.diff(time).ok();
    difference().map_or(0, |difference| {
        i64::from(difference.days) * 86_400 + i64::from(difference.secs)
    })
}
