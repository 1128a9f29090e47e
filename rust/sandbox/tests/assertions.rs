//! Client assertions: what the sandbox takes, and with which code it refuses the rest.

mod common;

use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::Engine;
use common::{start, Cloud, GRAPH};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509;
use secureapp_sandbox::Options;
use serde_json::{json, Value};

struct Bench {
    cloud: Cloud,
    certificate: X509,
    key: PKey<Private>,
}

async fn bench() -> Bench {
    let cloud = start(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await;
    let pem = cloud.sandbox.own_certificate().unwrap().pem().unwrap();
    Bench {
        certificate: X509::from_pem(pem.as_bytes()).unwrap(),
        key: PKey::private_key_from_pem(pem.as_bytes()).unwrap(),
        cloud,
    }
}

impl Bench {
    fn digest(&self, digest: MessageDigest) -> Vec<u8> {
        self.certificate.digest(digest).unwrap().to_vec()
    }

    fn header(&self, algorithm: &str) -> Value {
        match algorithm {
            "PS256" => {
                json!({"alg": algorithm, "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(self.digest(MessageDigest::sha256()))})
            }
            _ => {
                json!({"alg": algorithm, "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(self.digest(MessageDigest::sha1()))})
            }
        }
    }

    fn claims(&self, audience: &str) -> Value {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let id = &self.cloud.sandbox.facts().application_id;
        json!({"aud": audience, "iss": id, "sub": id, "jti": "1", "nbf": now, "iat": now, "exp": now + 300})
    }

    fn sign(&self, header: &Value, claims: &Value, encode: impl Fn(&str) -> String) -> String {
        let mut token = format!("{}.{}", encode(&header.to_string()), encode(&claims.to_string()));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        if header["alg"] == "PS256" {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(token.as_bytes()).unwrap();
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        token
    }

    fn plain(&self, header: &Value, claims: &Value) -> String {
        self.sign(header, claims, |text| URL_SAFE_NO_PAD.encode(text))
    }

    /// The code that an assertion is refused with; empty where a token came.
    async fn code(&self, assertion: &str) -> String {
        let facts = self.cloud.sandbox.facts();
        let path = format!("{}/oauth2/v2.0/token", self.cloud.tenant(0));
        let answer = self
            .cloud
            .form(
                &path,
                &[
                    ("client_id", &facts.application_id),
                    (
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ),
                    ("client_assertion", assertion),
                    ("grant_type", "client_credentials"),
                    ("scope", &format!("{GRAPH}/.default")),
                ],
            )
            .await;
        match answer.status {
            200 => String::new(),
            status => {
                assert_eq!(
                    (status, &answer.json()["error"]),
                    (401, &json!("invalid_client")),
                    "{}",
                    answer.text
                );
                answer.code()
            }
        }
    }

    fn endpoint(&self) -> String {
        self.cloud.login(&format!("{}/oauth2/v2.0/token", self.cloud.tenant(0)))
    }
}

#[tokio::test]
async fn what_libraries_send_is_taken() {
    let bench = bench().await;
    let endpoint = bench.endpoint();
    let (ps, rs) = (bench.header("PS256"), bench.header("RS256"));
    let claims = bench.claims(&endpoint);
    let mut quoted = claims.clone();
    for name in ["nbf", "exp"] {
        quoted[name] = json!(claims[name].to_string());
    }
    let mut bare = claims.clone();
    for name in ["nbf", "iat", "jti"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    let mut chained = rs.clone();
    chained["x5c"] = json!("MIIB");
    let mut standard = rs.clone();
    standard["x5t"] = json!(STANDARD.encode(bench.digest(MessageDigest::sha1())));
    let kid = json!({"alg": "PS256", "kid": bench.digest(MessageDigest::sha1()).iter().map(|b| format!("{b:02X}")).collect::<String>()});
    for (name, header, claims) in [
        ("PS256", &ps, &claims),
        ("RS256", &rs, &claims),
        ("quoted times", &ps, &quoted),
        ("no times but the end", &ps, &bare),
        ("x5c as a text", &chained, &claims),
        ("x5t in another alphabet", &standard, &claims),
        ("kid", &kid, &claims),
    ] {
        assert_eq!(bench.code(&bench.plain(header, claims)).await, "", "{name}");
    }
    let padded = bench.sign(&ps, &claims, |text| URL_SAFE.encode(text));
    assert_eq!(bench.code(&padded).await, "", "padding");
    let other_alphabet = bench.sign(&ps, &claims, |text| STANDARD.encode(text));
    assert_eq!(bench.code(&other_alphabet).await, "", "the usual base64");

    let tenant = &bench.cloud.sandbox.facts().tenants[0];
    for audience in [
        bench.cloud.login(&format!("{}/oauth2/token", tenant.tenant_id)),
        bench
            .cloud
            .login(&format!("{}/oauth2/v2.0/token", tenant.default_domain_name)),
        bench.cloud.login(&format!("{}/v2.0", tenant.tenant_id)),
    ] {
        let code = bench.code(&bench.plain(&ps, &bench.claims(&audience))).await;
        assert_eq!(code, "", "{audience}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_own_code() {
    let bench = bench().await;
    let endpoint = bench.endpoint();
    let (ps, claims) = (bench.header("PS256"), bench.claims(&endpoint));
    let with = |changes: Value| {
        let mut changed = claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            changed[name] = value.clone();
        }
        bench.plain(&ps, &changed)
    };
    let now = claims["nbf"].as_i64().unwrap();
    let good = bench.plain(&ps, &claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut other = bench.header("PS256");
    other["x5t#S256"] = json!(URL_SAFE_NO_PAD.encode([7; 32]));
    let mut short = bench.header("PS256");
    short["x5t#S256"] = json!("AAAA");
    let elsewhere = bench
        .cloud
        .login(&format!("{}/oauth2/v2.0/token", bench.cloud.tenant(1)));
    for (name, assertion, code) in [
        ("two parts", signed.to_owned(), "50027"),
        ("no JSON", format!("AAAA.BBBB.{signature}"), "50027"),
        ("another tenant's endpoint", with(json!({"aud": elsewhere})), "50027"),
        ("no end", with(json!({"exp": null})), "50027"),
        (
            "another subject",
            with(json!({"sub": "11111111-2222-4333-8444-555555555555"})),
            "50048",
        ),
        ("over", with(json!({"nbf": now - 1200, "exp": now - 600})), "700024"),
        ("not yet", with(json!({"nbf": now + 600, "exp": now + 1200})), "700024"),
        ("an unknown certificate", bench.plain(&other, &claims), "700027"),
        ("a thumbprint that is none", bench.plain(&short, &claims), "50012"),
        ("none at all", bench.plain(&json!({"alg": "PS256"}), &claims), "50012"),
        (
            "another signature",
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 256])),
            "700027",
        ),
        (
            "another algorithm",
            bench.plain(&json!({"alg": "HS256"}), &claims),
            "5002730",
        ),
    ] {
        assert_eq!(bench.code(&assertion).await, code, "{name}");
    }
    // Five minutes of difference are nobody's fault.
    assert_eq!(bench.code(&with(json!({"nbf": now + 240, "exp": now + 600}))).await, "");
    assert_eq!(bench.code(&with(json!({"exp": now - 240}))).await, "");
}

#[tokio::test]
async fn strictness_registration_and_replication_can_be_set() {
    let bench = bench().await;
    let control = bench.cloud.sandbox.control();
    let (ps, claims) = (bench.header("PS256"), bench.claims(&bench.endpoint()));
    let alias = bench.claims(&bench.cloud.login(&format!("{}/oauth2/token", bench.cloud.tenant(0))));
    control
        .set_application(json!({"assertions": {"exactAudience": true, "algorithms": ["RS256"]}}))
        .unwrap();
    assert_eq!(bench.code(&bench.plain(&ps, &claims)).await, "5002730");
    let rs = bench.header("RS256");
    assert_eq!(bench.code(&bench.plain(&rs, &alias)).await, "50027");
    assert_eq!(bench.code(&bench.plain(&rs, &claims)).await, "");
    control.set_application(json!({"assertions": {}})).unwrap();

    let entries = control.certificates();
    let key_id = entries[0]["keyId"].as_str().unwrap();
    assert_eq!(entries[0]["type"], "AsymmetricX509Cert");
    assert_eq!(
        STANDARD.decode(entries[0]["key"].as_str().unwrap()).unwrap(),
        bench.certificate.to_der().unwrap()
    );
    control.remove_certificate(key_id).unwrap();
    assert!(control.remove_certificate(key_id).is_err());
    assert_eq!(bench.code(&bench.plain(&ps, &claims)).await, "700027");

    let pem = String::from_utf8(bench.certificate.to_pem().unwrap()).unwrap();
    control
        .add_certificate(json!({"certificate": pem, "unknownRequests": 2}))
        .unwrap();
    for code in ["700027", "700027", ""] {
        assert_eq!(bench.code(&bench.plain(&ps, &claims)).await, code);
    }
    let der = STANDARD.encode(bench.certificate.to_der().unwrap());
    control
        .add_certificate(json!({"certificate": der, "replicationSeconds": 3600}))
        .unwrap();
    assert_eq!(bench.code(&bench.plain(&ps, &claims)).await, "700027");
    assert!(control.add_certificate(json!({"certificate": "words"})).is_err());
    assert_eq!(control.assertions().last().unwrap().split('.').count(), 3);
}

#[tokio::test]
async fn an_application_has_any_number_of_secrets() {
    let bench = bench().await;
    let control = bench.cloud.sandbox.control();
    let (second, old) = (control.add_secret(false), control.add_secret(true));
    let facts = bench.cloud.sandbox.facts();
    let path = format!("{}/oauth2/v2.0/token", bench.cloud.tenant(0));
    for (secret, status, code) in [
        (facts.secret.as_str(), 200, ""),
        (second["secretText"].as_str().unwrap(), 200, ""),
        (old["secretText"].as_str().unwrap(), 401, "7000222"),
        (second["keyId"].as_str().unwrap(), 401, "7000215"),
    ] {
        let fields = [
            ("client_id", facts.application_id.as_str()),
            ("client_secret", secret),
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let answer = bench.cloud.form(&path, &fields).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        if status != 200 {
            assert_eq!(answer.code(), code);
        }
    }
}
