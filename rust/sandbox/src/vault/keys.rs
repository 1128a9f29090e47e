//! The keys behind certificates: their public half, and signatures made with the private one, which stays here.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use http::Method;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;
use serde::Deserialize;
use serde_json::json;

use crate::reply::{self, Reply};
use crate::world::lock;

use super::certificates::find;
use super::error::Refusal;
use super::{check_name, Request};

#[derive(Deserialize)]
struct SignBody {
    alg: String,
    value: String,
}

pub(super) fn serve(request: &Request<'_>, path: &[&str]) -> Result<Reply, Refusal> {
    let method = &request.call.method;
    match path {
        [name] if method == Method::GET => get(request, name, ""),
        [name, version, "sign"] if method == Method::POST => sign(request, name, version),
        [name, "sign"] if method == Method::POST => sign(request, name, ""),
        [name, version] if method == Method::GET => get(request, name, version),
        _ => Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "The method is not allowed for this resource.",
        )),
    }
}

fn get(request: &Request<'_>, name: &str, version: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let certificates = lock(&request.vault().certificates);
    let missing = || Refusal::not_found("Key", name);
    let item = certificates.get(&name.to_ascii_lowercase()).ok_or_else(missing)?;
    let held = find(item, version).ok_or_else(missing)?;
    let rsa = held.key.rsa().map_err(|_| missing())?;
    let key = json!({
        "key": {
            "kid": request.id("keys", &item.name, &held.version),
            "kty": "RSA",
            "key_ops": ["sign", "verify", "wrapKey", "unwrapKey", "encrypt", "decrypt"],
            "n": URL_SAFE_NO_PAD.encode(rsa.n().to_vec()),
            "e": URL_SAFE_NO_PAD.encode(rsa.e().to_vec()),
        },
        "attributes": held.times.attributes(),
        "managed": true,
    });
    Ok(reply::json(200, &key))
}

fn sign(request: &Request<'_>, name: &str, version: &str) -> Result<Reply, Refusal> {
    check_name(name)?;
    let body: SignBody = request.body()?;
    let digest = URL_SAFE_NO_PAD
        .decode(body.value.trim_end_matches('='))
        .map_err(|_| Refusal::bad("Property value is not base64url."))?;
    let certificates = lock(&request.vault().certificates);
    let missing = || Refusal::not_found("Key", name);
    let item = certificates.get(&name.to_ascii_lowercase()).ok_or_else(missing)?;
    let held = find(item, version).ok_or_else(missing)?;
    if !held.times.enabled {
        return Err(Refusal::forbidden(
            "Operation sign is not allowed on a disabled key.",
            "KeyDisabled",
        ));
    }
    if held.times.expires.is_some_and(|until| until <= request.now) {
        return Err(Refusal::forbidden(
            "Operation sign is not allowed on an expired key.",
            "KeyExpired",
        ));
    }
    let (pss, hash, length) = match body.alg.as_str() {
        "PS256" => (true, Md::sha256(), 32),
        "PS384" => (true, Md::sha384(), 48),
        "PS512" => (true, Md::sha512(), 64),
        "RS256" => (false, Md::sha256(), 32),
        "RS384" => (false, Md::sha384(), 48),
        "RS512" => (false, Md::sha512(), 64),
        other => {
            return Err(Refusal::bad(format!(
                "Key and signing algorithm are incompatible, or the algorithm {other} is not supported."
            )))
        }
    };
    if digest.len() != length {
        return Err(Refusal::bad(format!(
            "Invalid length of 'value': {} bytes. Required by '{}' algorithm: {length} bytes.",
            digest.len(),
            body.alg
        )));
    }
    let signature = sign_digest(&held.key, &digest, pss, hash)
        .map_err(|_| Refusal::new(500, "InternalServerError", "The signature cannot be made."))?;
    let kid = request.id("keys", &item.name, &held.version);
    Ok(reply::json(
        200,
        &json!({"kid": kid, "value": URL_SAFE_NO_PAD.encode(signature)}),
    ))
}

fn sign_digest(
    key: &PKey<Private>,
    digest: &[u8],
    pss: bool,
    hash: &openssl::md::MdRef,
) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(key)?;
    context.sign_init()?;
    if pss {
        context.set_rsa_padding(Padding::PKCS1_PSS)?;
        context.set_signature_md(hash)?;
        context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        context.set_rsa_mgf1_md(hash)?;
    } else {
        context.set_rsa_padding(Padding::PKCS1)?;
        context.set_signature_md(hash)?;
    }
    let mut signature = Vec::new();
    context.sign_to_vec(digest, &mut signature)?;
    Ok(signature)
}
