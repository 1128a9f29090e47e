//! Client assertions (Microsoft Entra documentation, "Microsoft identity platform application authentication certificate
//! credentials"). As tolerant as the service is seen to be: times as numbers or numeric texts, base64 with or without
//! padding and of either alphabet, `x5c` of any shape.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::Engine;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use serde_json::Value;

use crate::keys::{hex, KeyCredential, Keys};
use crate::reply::Call;
use crate::world::World;

use super::error::Refusal;
use super::grant::{Client, Form};
use super::party::Party;

/// The service allows clocks to differ by this much, in seconds.
const SKEW: i64 = 300;
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Checks the application's own assertion.
pub(super) fn check(world: &World, call: &Call, form: &Form, client: &Client) -> Result<(), Refusal> {
    let client_id = client.id.as_str();
    if form.require("client_assertion_type")? != JWT_BEARER {
        return Err(malformed("The client_assertion_type is not supported."));
    }
    let assertion = form.require("client_assertion")?;
    let parts: Vec<&str> = assertion.split('.').collect();
    let &[header_text, claims_text, signature] = parts.as_slice() else {
        return Err(malformed("It must have three parts."));
    };
    let json = |text: &str| {
        decode(text)
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .filter(Value::is_object)
    };
    let (Some(header), Some(claims), Some(signature)) = (json(header_text), json(claims_text), decode(signature))
    else {
        return Err(malformed(
            "Its parts must be base64url, and the first two JSON objects.",
        ));
    };
    let party = Party::find(world, client_id);
    let keys = party
        .as_ref()
        .and_then(Party::keys)
        .ok_or_else(|| malformed("Its client has no keys."))?;
    let settings = keys.settings();
    let algorithm = header["alg"].as_str().unwrap_or_default();
    if !settings.algorithms.iter().any(|known| known == algorithm) {
        return Err(Refusal::new(
            5002730,
            "invalid_client",
            format!("Invalid JWT token. The signing algorithm '{algorithm}' is not supported for this key."),
        ));
    }
    parties(&claims, client_id)?;
    audience(world, call, &claims, &client.tenant, settings.exact_audience)?;
    lifetime(world, &claims)?;
    world
        .stats
        .assertion(claims["jti"].as_str().unwrap_or_default(), assertion);
    let (certificate, named) = certificate(world, keys, &header, client_id)?;
    let now = world.clock.now();
    if now > certificate.not_after || now < certificate.not_before {
        return Err(unregistered(client_id, "The key used is expired.", &named));
    }
    let signed = &assertion.as_bytes()[..header_text.len() + 1 + claims_text.len()];
    if !verifies(&certificate, algorithm, signed, &signature) {
        return Err(Refusal::new(
            700027,
            "invalid_client",
            format!(
                "Client assertion contains an invalid signature. [Reason - The signature does not verify with the key., \
                 Thumbprint of key used by client: '{named}', Configured keys: {}]",
                hex(&certificate.sha1)
            ),
        ));
    }
    Ok(())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(text.replace('+', "-").replace('/', "_")).ok()
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(
        50027,
        "invalid_client",
        format!("JWT token is invalid or malformed. {why}"),
    )
}

fn parties(claims: &Value, client_id: &str) -> Result<(), Refusal> {
    let (issuer, subject) = (
        claims["iss"].as_str().unwrap_or_default(),
        claims["sub"].as_str().unwrap_or_default(),
    );
    if issuer != subject {
        return Err(Refusal::new(
            50048,
            "invalid_client",
            format!(
                "Subject must match Issuer claim in the client assertion. Subject: '{subject}', issuer: '{issuer}'."
            ),
        ));
    }
    if !issuer.eq_ignore_ascii_case(client_id) {
        return Err(malformed(
            "The issuer of the client assertion is not the 'client_id' parameter.",
        ));
    }
    Ok(())
}

fn audience(world: &World, call: &Call, claims: &Value, tenant: &str, exact: bool) -> Result<(), Refusal> {
    let given = claims["aud"].as_str().unwrap_or_default();
    let login = &world.endpoints.login;
    let fits = if exact {
        given == format!("{login}{}", call.path)
    } else {
        let mut names = vec![tenant];
        if let Some(found) = world.estate.find(tenant) {
            names.extend([&found.id, &found.default_domain, &found.custom_domain].map(String::as_str));
        }
        names.iter().any(|name| {
            ["oauth2/token", "oauth2/v2.0/token", "v2.0", ""].iter().any(|path| {
                given
                    .trim_end_matches('/')
                    .eq_ignore_ascii_case(format!("{login}/{name}/{path}").trim_end_matches('/'))
            })
        })
    };
    if fits {
        Ok(())
    } else {
        Err(malformed(&format!(
            "The audience '{given}' of the client assertion is not this token endpoint."
        )))
    }
}

/// A time as the service takes it: a number, or a text of one.
fn time(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn lifetime(world: &World, claims: &Value) -> Result<(), Refusal> {
    let Some(end) = time(&claims["exp"]) else {
        return Err(malformed("It has no lifetime ('exp')."));
    };
    let now = world.clock.now();
    let begin = time(&claims["nbf"]).unwrap_or(i64::MIN);
    if now > end.saturating_add(SKEW) || now < begin.saturating_sub(SKEW) {
        let at = |seconds| format!("{}.0000000Z", crate::clock::iso_seconds(seconds));
        return Err(Refusal::new(
            700024,
            "invalid_client",
            format!(
                "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time \
                 of assertion {}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                at(now),
                at(begin.max(0)),
                at(end)
            ),
        ));
    }
    Ok(())
}

/// The registered certificate that the header names, and the name.
fn certificate(
    world: &World,
    keys: &Keys,
    header: &Value,
    client_id: &str,
) -> Result<(KeyCredential, String), Refusal> {
    let by_digest = ["x5t#S256", "x5t"].iter().find_map(|name| header[*name].as_str());
    let digest = match (by_digest, header["kid"].as_str()) {
        (Some(text), _) => decode(text).filter(|digest| matches!(digest.len(), 20 | 32)),
        (None, Some(text)) => from_hex(text),
        (None, None) => None,
    };
    let Some(digest) = digest else {
        return Err(Refusal::new(
            50012,
            "invalid_client",
            "Authentication failed. The client assertion names no certificate: 'x5t#S256' or 'x5t' is missing or not a digest.",
        ));
    };
    let named = hex(&digest);
    match keys.find(&digest, world.clock.now()) {
        Some(certificate) => Ok((certificate, named)),
        None => Err(unregistered(client_id, "The key was not found.", &named)),
    }
}

fn unregistered(client_id: &str, reason: &str, named: &str) -> Refusal {
    Refusal::new(
        700027,
        "invalid_client",
        format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
             {reason}, Thumbprint of key used by client: '{named}', Please visit the Azure Portal, Graph Explorer or directly \
             use MS Graph to see configured keys for app Id '{client_id}'.]"
        ),
    )
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (text.len() % 2 == 0 && text.is_ascii())
        .then(|| {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
                .collect()
        })
        .flatten()
}

fn verifies(certificate: &KeyCredential, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
    let verify = || {
        let mut verifier = Verifier::new(MessageDigest::sha256(), &certificate.key)?;
        if algorithm == "PS256" {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        verifier.verify_oneshot(signature, signed)
    };
    // OpenSSL calls some wrong signatures errors.
    verify().unwrap_or(false)
}
