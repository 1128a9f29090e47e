//! An application that is proved by a certificate of a key vault: with the key taken out, or left there to sign.

use crate::support::{run_with, World};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509NameBuilder, X509};
use secureapp_core::{Field, Kind, Next, Operation, Request};
use serde_json::json;
use std::sync::Arc;

/// Imports a certificate into the sandbox's vault and registers it with the application.
async fn import(world: &World, content_type: &str, exportable: bool) {
    let (certificate, key) = self_signed();
    let pem = [key.private_key_to_pem_pkcs8().unwrap(), certificate.to_pem().unwrap()].concat();
    let pem = String::from_utf8(pem).unwrap();
    let value = if content_type.ends_with("pkcs12") {
        let mut builder = openssl::pkcs12::Pkcs12::builder();
        builder.cert(&certificate).pkey(&key);
        STANDARD.encode(builder.build2("").unwrap().to_der().unwrap())
    } else {
        pem
    };
    let facts = world.sandbox.facts();
    let control = world.sandbox.control();
    control
        .add_certificate(json!({"certificate": STANDARD.encode(certificate.to_der().unwrap())}))
        .unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(reqwest::Certificate::from_pem(world.sandbox.ca_pem().as_bytes()).unwrap())
        .build()
        .unwrap();
    let item = Request::new("item")
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("resource", Field::Text(facts.endpoints.key_vault.clone()));
    let tokens = Request::new("tokens")
        .with("environment", Field::Text("Cloud".to_owned()))
        .with("credential", Field::Credential(world.credential()));
    let token = run_with(&world.session, tokens, vec![item]).await;
    let body = json!({"value": value, "policy": {
        "key_props": {"exportable": exportable}, "secret_props": {"contentType": content_type}}});
    let reply = http
        .post(format!(
            "{}/certificates/app/import?api-version=7.4",
            facts.endpoints.key_vault
        ))
        .bearer_auth(token.text("accessToken"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status().as_u16(), 200);
}

/// Makes the credential, and gets a token with it.
async fn token(world: &World, remote: bool, algorithm: &str) -> secureapp_core::Result<String> {
    let facts = world.sandbox.facts();
    let request = world
        .request("vault_credential")
        .with("name", Field::Text("app".to_owned()))
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("assertionAlgorithm", Field::Text(algorithm.to_owned()))
        .with("remote", Field::Int(i64::from(remote)));
    let operation = Operation::start(&world.session, request)?;
    operation.finish_input();
    while let Next::Event(_) = operation.next().await? {}
    let tokens = Request::new("tokens")
        .with("environment", Field::Text("Cloud".to_owned()))
        // Both algorithms prove the same application by the same certificate, so that one would answer for the other.
        .with("forceRefresh", Field::Int(1))
        .with("credential", Field::Credential(Arc::clone(&operation.credential()?)));
    let item = Request::new("item")
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("resource", Field::Text("https://graph.microsoft.com".to_owned()));
    let outcome = run_with(&world.session, tokens, vec![item]).await;
    outcome.end.clone().map(|()| outcome.text("accessToken").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_vault_proves_the_application_either_way() {
    for (content_type, exportable) in [
        ("application/x-pkcs12", true),
        ("application/x-pem-file", true),
        ("application/x-pkcs12", false),
    ] {
        let world = World::start().await;
        import(&world, content_type, exportable).await;
        for algorithm in ["PS256", "RS256"] {
            assert!(
                token(&world, true, algorithm).await.unwrap().starts_with("eyJ"),
                "{algorithm}"
            );
            let local = token(&world, false, algorithm).await;
            if exportable {
                assert!(local.unwrap().starts_with("eyJ"), "{content_type} {algorithm}");
            } else {
                let error = local.unwrap_err();
                assert_eq!(error.kind(), Kind::InvalidInput);
                assert!(error.message().contains("cannot leave its vault"));
            }
        }
        assert_eq!(
            world.count("POST /keys/{name}/{version}/sign"),
            2,
            "one signature for each token"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_does_not_sign_says_which_role_is_missing() {
    let world = World::start().await;
    import(&world, "application/x-pkcs12", false).await;
    let body = json!({"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}});
    world.fault(json!({"match": {"pathContains": "/sign"}, "times": -1,
        "action": {"kind": "status", "status": 403, "body": body.to_string()}}));
    let error = token(&world, true, "PS256").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.advice().contains("Key Vault Crypto User"), "{}", error.advice());
}

fn self_signed() -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "vault").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(60).unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}
