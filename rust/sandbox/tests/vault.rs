//! The vault's own rules: which token, which caller, which request; what a deleted name means; signatures that verify.

mod common;

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use common::{answer, start, Answer, Cloud};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier};
use openssl::x509::X509;
use reqwest::Method;
use secureapp_sandbox::Options;
use serde_json::{json, Value};

async fn cloud() -> Cloud {
    start(Options {
        tenants: 1,
        records: 0,
        ..Options::default()
    })
    .await
}

fn vault(cloud: &Cloud) -> String {
    cloud.sandbox.facts().endpoints.key_vault.clone()
}

/// A token of the application for a resource, in the partner's tenant.
async fn token(cloud: &Cloud, resource: &str) -> String {
    let reply = cloud.app_only(&cloud.sandbox.facts().partner_tenant_id, resource).await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn send(cloud: &Cloud, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let join = if path.contains('?') { '&' } else { '?' };
    let mut request = cloud
        .http
        .request(method, format!("{}/{path}{join}api-version=7.5", vault(cloud)))
        .bearer_auth(token);
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    answer(request.send().await.unwrap()).await
}

fn inner(reply: &Answer) -> String {
    reply.json()["error"]["innererror"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_request_without_the_right_token_is_challenged() {
    let cloud = cloud().await;
    let url = format!("{}/secrets/a?api-version=7.4", vault(&cloud));
    let none = answer(cloud.http.get(&url).send().await.unwrap()).await;
    let facts = cloud.sandbox.facts();
    let authority = format!("{}/{}", facts.endpoints.login, facts.partner_tenant_id);
    assert_eq!(none.status, 401);
    assert_eq!(
        none.headers["www-authenticate"],
        format!("Bearer authorization=\"{authority}\", resource=\"{}\"", vault(&cloud))
    );
    cloud
        .sandbox
        .control()
        .set_vault(json!({"challenge": "scope"}))
        .unwrap();
    let other = token(&cloud, "https://graph.microsoft.com").await;
    let wrong = send(&cloud, &other, Method::GET, "secrets/a", None).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text.contains("AKV10022"), "{}", wrong.text);
    assert!(wrong.headers["www-authenticate"]
        .to_str()
        .unwrap()
        .contains("/.default\""));
    // A token of a customer's tenant, for the right resource.
    let customer = cloud.token(cloud.tenant(0), &vault(&cloud)).await;
    let foreign = send(&cloud, &customer, Method::GET, "secrets/a", None).await;
    assert!(foreign.text.contains("AKV10032"), "{}", foreign.text);
    for good in [
        token(&cloud, "https://vault.azure.net").await,
        token(&cloud, &vault(&cloud)).await,
    ] {
        assert_eq!(send(&cloud, &good, Method::GET, "secrets/a", None).await.status, 404);
    }
}

#[tokio::test]
async fn who_may_not_is_told_why() {
    let cloud = cloud().await;
    let token = token(&cloud, &vault(&cloud)).await;
    let set = json!({"value": "v"});
    for (access, read, write) in [
        ("rbac", "ForbiddenByRbac", "ForbiddenByRbac"),
        ("policy", "AccessDenied", "AccessDenied"),
        ("firewall", "ForbiddenByFirewall", "ForbiddenByFirewall"),
        ("read-only", "", "ForbiddenByRbac"),
    ] {
        cloud.sandbox.control().set_vault(json!({"access": access})).unwrap();
        let get = send(&cloud, &token, Method::GET, "secrets/a", None).await;
        let put = send(&cloud, &token, Method::PUT, "secrets/a", Some(set.clone())).await;
        assert_eq!((inner(&get).as_str(), inner(&put).as_str()), (read, write), "{access}");
        assert_eq!(put.status, 403);
        assert_eq!(get.status, if read.is_empty() { 404 } else { 403 });
    }
    cloud.sandbox.control().set_vault(json!({"throttled": 7})).unwrap();
    let slow = send(&cloud, &token, Method::GET, "secrets/a", None).await;
    assert_eq!((slow.status, slow.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(cloud.sandbox.control().set_vault(json!({"acces": "rbac"})).is_err());
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let cloud = cloud().await;
    let token = token(&cloud, &vault(&cloud)).await;
    let url = format!("{}/secrets/a", vault(&cloud));
    for query in ["", "?api-version=1.0", "?api-version=2020-01-01"] {
        let reply = cloud.get(&format!("{url}{query}"), &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "BadParameter"), "{query}");
    }
    for (name, body) in [
        ("a_b", json!({"value": "v"})),
        (&"x".repeat(128), json!({"value": "v"})),
        ("a", json!({})),
        ("a", json!({"value": "x".repeat(25 * 1024 + 1)})),
    ] {
        let reply = send(&cloud, &token, Method::PUT, &format!("secrets/{name}"), Some(body)).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    for query in ["maxresults=0", "maxresults=26", "$skiptoken=nonsense"] {
        assert_eq!(
            send(&cloud, &token, Method::GET, &format!("secrets?{query}"), None)
                .await
                .status,
            400
        );
    }
}

#[tokio::test]
async fn a_deleted_name_is_taken_until_it_is_recovered_or_purged() {
    let cloud = cloud().await;
    let token = token(&cloud, &vault(&cloud)).await;
    let set = || send(&cloud, &token, Method::PUT, "secrets/gone", Some(json!({"value": "v"})));
    assert_eq!(set().await.status, 200);
    let deleted = send(&cloud, &token, Method::DELETE, "secrets/gone", None).await;
    assert!(deleted.json()["recoveryId"]
        .as_str()
        .unwrap()
        .ends_with("/deletedsecrets/gone"));
    assert!(deleted.json()["value"].is_null());
    assert_eq!(inner(&set().await), "ObjectIsDeletedButRecoverable");
    cloud
        .sandbox
        .control()
        .set_vault(json!({"recoveryRequests": 1}))
        .unwrap();
    let recovered = send(&cloud, &token, Method::POST, "deletedsecrets/gone/recover", None).await;
    assert_eq!(recovered.status, 200);
    assert_eq!(inner(&set().await), "ObjectIsBeingRecovered");
    assert_eq!(set().await.status, 200);
    send(&cloud, &token, Method::DELETE, "secrets/gone", None).await;
    assert_eq!(
        send(&cloud, &token, Method::DELETE, "deletedsecrets/gone", None)
            .await
            .status,
        204
    );
    assert_eq!(set().await.status, 200);
    let versions = send(&cloud, &token, Method::GET, "secrets/gone/versions", None).await;
    assert_eq!(versions.json()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_disabled_secret_is_not_read_and_a_change_shows_no_value() {
    let cloud = cloud().await;
    let token = token(&cloud, &vault(&cloud)).await;
    let set = send(&cloud, &token, Method::PUT, "secrets/s", Some(json!({"value": "v"}))).await;
    let id = set.json()["id"].as_str().unwrap().to_owned();
    let version = id.rsplit('/').next().unwrap();
    let off = json!({"attributes": {"enabled": false}});
    let changed = send(
        &cloud,
        &token,
        Method::PATCH,
        &format!("secrets/s/{version}"),
        Some(off),
    )
    .await;
    assert_eq!(changed.status, 200);
    assert!(changed.json()["value"].is_null());
    assert_eq!(
        inner(&send(&cloud, &token, Method::GET, "secrets/s", None).await),
        "SecretDisabled"
    );
}

#[tokio::test]
async fn a_certificate_has_its_secret_and_its_key_signs() {
    let cloud = cloud().await;
    let token = token(&cloud, &vault(&cloud)).await;
    let (certificate, key) = self_signed();
    let mut builder = Pkcs12::builder();
    builder.cert(&certificate).pkey(&key);
    let pfx = STANDARD.encode(builder.build2("p").unwrap().to_der().unwrap());
    let both = [key.private_key_to_pem_pkcs8().unwrap(), certificate.to_pem().unwrap()].concat();
    let both = String::from_utf8(both).unwrap();
    for (content_type, exportable) in [
        ("application/x-pkcs12", true),
        ("application/x-pem-file", true),
        ("application/x-pkcs12", false),
    ] {
        let pem = content_type == "application/x-pem-file";
        let value = if pem { &both } else { &pfx };
        let body = json!({"value": value, "pwd": "p", "policy": {
            "key_props": {"exportable": exportable}, "secret_props": {"contentType": content_type}}});
        let wrong =
            json!({"value": pfx, "pwd": "q", "policy": {"secret_props": {"contentType": "application/x-pkcs12"}}});
        assert_eq!(
            send(&cloud, &token, Method::POST, "certificates/c/import", Some(wrong))
                .await
                .status,
            400
        );
        let bundle = send(&cloud, &token, Method::POST, "certificates/c/import", Some(body))
            .await
            .json();
        assert_eq!(bundle["cer"], STANDARD.encode(certificate.to_der().unwrap()));
        let sid = bundle["sid"]
            .as_str()
            .unwrap()
            .strip_prefix(&vault(&cloud))
            .unwrap()
            .to_owned();
        let secret = send(&cloud, &token, Method::GET, sid.trim_start_matches('/'), None)
            .await
            .json();
        assert_eq!(
            (secret["contentType"].as_str().unwrap(), &secret["managed"]),
            (content_type, &json!(true))
        );
        let value = secret["value"].as_str().unwrap();
        let holds_key = if content_type.ends_with("pkcs12") {
            let parsed = Pkcs12::from_der(&STANDARD.decode(value).unwrap())
                .unwrap()
                .parse2("")
                .unwrap();
            parsed.pkey.is_some()
        } else {
            PKey::private_key_from_pem(value.as_bytes()).is_ok()
        };
        assert_eq!(holds_key, exportable);
        let kid = bundle["kid"]
            .as_str()
            .unwrap()
            .strip_prefix(&vault(&cloud))
            .unwrap()
            .to_owned();
        for algorithm in ["PS256", "RS256"] {
            let digest = openssl::sha::sha256(b"what is signed");
            let sign = json!({"alg": algorithm, "value": URL_SAFE_NO_PAD.encode(digest)});
            let path = format!("{}/sign", kid.trim_start_matches('/'));
            let signed = send(&cloud, &token, Method::POST, &path, Some(sign)).await.json();
            let signature = URL_SAFE_NO_PAD.decode(signed["value"].as_str().unwrap()).unwrap();
            let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
            if algorithm == "PS256" {
                verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
            }
            assert!(
                verifier.verify_oneshot(&signature, b"what is signed").unwrap(),
                "{algorithm}"
            );
        }
        let short = json!({"alg": "PS256", "value": "AAAA"});
        let path = format!("{}/sign", kid.trim_start_matches('/'));
        assert_eq!(send(&cloud, &token, Method::POST, &path, Some(short)).await.status, 400);
    }
}

fn self_signed() -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}
