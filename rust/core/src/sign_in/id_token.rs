//! The id token of a sign-in, checked as OpenID Connect Core 1.0, section 3.1.3.7 asks: signature, issuer, audience, life,
//! nonce.

use super::authority::Authority;
use super::keys::KeySet;
use super::Plan;
use crate::error::{Error, Kind, Result};
use crate::jwt;
use crate::tenant;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde::Deserialize;

/// How far two clocks may be apart, in seconds.
const TOLERANCE: i64 = 300;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What it says of the user.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    pub(super) tid: Option<String>,
    #[serde(default)]
    pub(super) oid: Option<String>,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    upn: Option<String>,
    #[serde(default)]
    unique_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// How the user proved who they are.
    #[serde(default)]
    pub(super) amr: Vec<String>,
}

impl Claims {
    /// The sign-in name, or the next best that tells users apart.
    pub(super) fn account(&self) -> Option<&str> {
        self.names().next().or(self.oid.as_deref()).or(self.sub.as_deref())
    }

    /// Whether this is the account that was expected.
    pub(super) fn is(&self, expected: &str) -> bool {
        self.names()
            .chain(self.oid.as_deref())
            .any(|name| name.eq_ignore_ascii_case(expected.trim()))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let names = [&self.preferred_username, &self.upn, &self.unique_name, &self.email];
        names
            .into_iter()
            .filter_map(|name| name.as_deref())
            .filter(|name| !name.is_empty())
    }
}

/// Reads a token and refuses it unless all of it is right. `now` is the service's time in seconds since 1970.
pub(super) fn verify(
    plan: &Plan,
    authority: &Authority,
    keys: &KeySet,
    token: &str,
    nonce: Option<&str>,
    now: i64,
) -> Result<Claims> {
    let refused = |why: String| {
        plan.name(
            Error::new(Kind::Protocol, format!("the id token of the sign-in cannot be trusted: {why}"))
                .advise("Nothing was kept. Sign in again; if it happens again, check what stands between this machine and the sign-in host."),
        )
    };
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(refused("it does not have three parts".to_owned()));
    };
    let known: Header = jwt::part(header).ok_or_else(|| refused("its header cannot be read".to_owned()))?;
    if known.alg != "RS256" {
        return Err(refused(format!(
            "it is signed with '{}', not with RS256",
            printable(&known.alg)
        )));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    let input = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
    if !keys.verifies(known.kid.as_deref(), input, &signature) {
        return Err(refused("its signature is not the sign-in host's".to_owned()));
    }
    let claims: Claims = jwt::part(payload).ok_or_else(|| refused("its claims cannot be read".to_owned()))?;
    let tid = claims.tid.as_deref().filter(|tid| tenant::parse_guid(tid).is_some());
    if claims.iss != authority.issuer_of(tid) {
        return Err(refused("another tenant or authority issued it".to_owned()));
    }
    let application = plan.credential.application_id();
    let for_us = match &claims.aud {
        Audience::One(audience) => audience.eq_ignore_ascii_case(application),
        Audience::Many(audiences) => audiences
            .iter()
            .any(|audience| audience.eq_ignore_ascii_case(application)),
    };
    if !for_us {
        return Err(refused("it is for another application".to_owned()));
    }
    if claims.exp.saturating_add(TOLERANCE) < now {
        return Err(refused("its time is over".to_owned()));
    }
    if nonce.is_some() && claims.nonce.as_deref() != nonce {
        return Err(refused("it belongs to another sign-in".to_owned()));
    }
    Ok(claims)
}

/// What may be repeated in a message.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::super::authority::Authority;
    use super::*;
    use crate::request::{Field, Request};
    use crate::{Credential, Engine, Secret};
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::sign::Signer;
    use serde_json::{json, Value as Json};
    use std::sync::Arc;

    const APPLICATION: &str = "11111111-2222-3333-4444-555555555555";
    const TENANT: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    const NOW: i64 = 1_700_000_000;

    struct Bench {
        plan: Plan,
        authority: Authority,
        key: PKey<Private>,
        keys: KeySet,
    }

    fn bench() -> Bench {
        let engine = Engine::new(tokio::runtime::Handle::current());
        let request = Request::new("credential")
            .with("applicationId", Field::Text(APPLICATION.to_owned()))
            .with("secret", Field::Secret(Secret::from("s")));
        let rsa = Rsa::generate(2048).unwrap();
        let (n, e) = (
            URL_SAFE_NO_PAD.encode(rsa.n().to_vec()),
            URL_SAFE_NO_PAD.encode(rsa.e().to_vec()),
        );
        let keys = json!({"keys": [{"kty": "EC"}, {"kty": "RSA", "kid": "k", "n": n, "e": e}]});
        let authority = json!({
            "issuer": "https://login.example/{tenantid}/v2.0", "authorization_endpoint": "a", "token_endpoint": "t",
            "jwks_uri": "j",
        });
        Bench {
            plan: Plan {
                environment: engine.environments().find("Public").unwrap(),
                credential: Arc::new(Credential::open(&request).unwrap()),
                tokens: engine.tokens().clone(),
                tenant: crate::tenant::TenantId::parse("organizations").unwrap(),
                target: crate::token::Target::default_of("https://api.example", "https://graph.example").unwrap(),
                expected_account: None,
                claims: None,
            },
            authority: serde_json::from_value(authority).unwrap(),
            key: PKey::from_rsa(rsa).unwrap(),
            keys: serde_json::from_value(keys).unwrap(),
        }
    }

    fn claims() -> Json {
        json!({
            "iss": format!("https://login.example/{TENANT}/v2.0"), "aud": APPLICATION, "exp": NOW + 3600, "nonce": "n",
            "tid": TENANT, "oid": "o", "preferred_username": "Sam@contoso.example",
        })
    }

    impl Bench {
        fn token(&self, header: Json, claims: &Json) -> String {
            let encode = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
            let input = format!("{}.{}", encode(&header), encode(claims));
            let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
            let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
        }

        fn verify(&self, token: &str) -> Result<Claims> {
            verify(&self.plan, &self.authority, &self.keys, token, Some("n"), NOW)
        }

        fn check(&self, changes: Json) -> Result<Claims> {
            let mut claims = claims();
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            self.verify(&self.token(json!({"alg": "RS256", "kid": "k"}), &claims))
        }
    }

    #[tokio::test]
    async fn a_right_token_is_read() {
        let bench = bench();
        let claims = bench.check(json!({})).unwrap();
        assert_eq!(claims.account(), Some("Sam@contoso.example"));
        assert!(claims.is("sam@CONTOSO.example") && claims.is("O") && !claims.is("other@contoso.example"));
        for fine in [json!({"aud": [APPLICATION, "other"]}), json!({"exp": NOW - 299})] {
            assert!(bench.check(fine.clone()).is_ok(), "{fine}");
        }
    }

    #[tokio::test]
    async fn anything_wrong_is_refused_with_what_it_is() {
        let bench = bench();
        for (changes, why) in [
            (json!({"iss": "https://login.example/other/v2.0"}), "issued"),
            (json!({"tid": "c9a646d3-9c61-4cb7-bfcd-ee2522c8f633"}), "issued"),
            (
                json!({"tid": "../x", "iss": "https://login.example/../x/v2.0"}),
                "issued",
            ),
            (json!({"aud": "other"}), "another application"),
            (json!({"aud": ["other"]}), "another application"),
            (json!({"exp": NOW - 301}), "time is over"),
            (json!({"nonce": "m"}), "another sign-in"),
            (json!({"nonce": null}), "another sign-in"),
            (json!({"exp": "soon"}), "cannot be read"),
        ] {
            let error = bench.check(changes.clone()).err().expect("it is refused");
            assert!(error.message().contains(why), "{changes}: {error}");
        }
        for (header, why) in [
            (json!({"alg": "none"}), "'none'"),
            (json!({"alg": "HS256", "kid": "k"}), "'HS256'"),
            (json!({"alg": "RS256", "kid": "unknown"}), "signature"),
        ] {
            let error = bench
                .verify(&bench.token(header.clone(), &claims()))
                .err()
                .expect("it is refused");
            assert!(error.message().contains(why), "{header}: {error}");
        }
        let token = bench.token(json!({"alg": "RS256", "kid": "k"}), &claims());
        let (body, signature) = token.rsplit_once('.').unwrap();
        let mut changed = claims();
        changed["preferred_username"] = json!("eve@contoso.example");
        let other = bench.token(json!({"alg": "RS256", "kid": "k"}), &changed);
        let (forged, _) = other.rsplit_once('.').unwrap();
        for token in [
            format!("{forged}.{signature}"),
            format!("{body}."),
            body.to_owned(),
            format!("{token}.x"),
        ] {
            assert!(bench.verify(&token).is_err(), "{token}");
        }
    }
}
