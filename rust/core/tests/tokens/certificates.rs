//! Certificates as proof: what is sent, what is sent again, and what is refused before anything is sent.

use crate::support::*;
use secureapp_core::{engine, Credential, Engine, Field, HttpOptions, Kind, Request, Secret, Signer, Value};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "pass word \u{e4}\u{20ac}";
const V2: &str = "https://graph.microsoft.com/.default";

fn request(bed: &Bed) -> Request {
    Request::new("credential").with("applicationId", Field::Text(bed.sandbox.facts().application_id.clone()))
}

fn secret(text: &str) -> Field {
    Field::Secret(Secret::from(text))
}

fn path(path: &Path) -> Field {
    Field::Text(path.to_string_lossy().into_owned())
}

fn open(request: &Request) -> Arc<Credential> {
    Arc::new(Credential::open(request).expect("a credential"))
}

/// The sandbox's own certificate as PEM text.
fn own(bed: &Bed) -> Request {
    let pem = bed.sandbox.own_certificate().unwrap().pem().unwrap();
    request(bed).with("certificateData", secret(&pem))
}

/// How the service took the client's proof: 1 for a secret, 2 for an assertion.
fn method(answers: &Answers) -> String {
    let claims = secureapp_core::jwt::claims(answers.token()).expect("claims");
    claims["appidacr"].as_str().unwrap_or_default().to_owned()
}

fn stat(bed: &Bed, name: &str) -> u64 {
    bed.sandbox.control().stats()[name].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_algorithms_work_on_both_endpoints_for_the_application_and_its_user() {
    let bed = bed(1).await;
    let tenant = bed.tenant(0);
    bed.sandbox
        .control()
        .set_application(json!({"assertions": {"exactAudience": true}}))
        .unwrap();
    for algorithm in ["PS256", "RS256"] {
        bed.sandbox
            .control()
            .set_application(json!({"assertions": {"exactAudience": true, "algorithms": [algorithm]}}))
            .unwrap();
        let application = own(&bed).with("assertionAlgorithm", Field::Text(algorithm.to_owned()));
        let user = application
            .clone()
            .with("refreshToken", secret(&bed.sandbox.facts().refresh_token));
        for credential in [open(&application), open(&user)] {
            for item in [item(&tenant, GRAPH), scoped(&tenant, &[V2])] {
                let answers = bed.ask_with(&credential, &["forceRefresh"], item).await;
                assert_eq!(method(&answers), "2", "{algorithm}");
            }
        }
    }
    assert_eq!((stat(&bed, "assertions"), stat(&bed, "repeatedAssertions")), (8, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_from_files_of_every_kind() {
    let bed = bed(1).await;
    let own = bed.sandbox.own_certificate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let pem = own.pem().unwrap();
    let certificate = own.certificate_pem().unwrap();
    let key = &pem[pem.find("-----BEGIN PRIVATE").unwrap()..];
    let pfx = file("a.pfx", &own.pfx(PASSWORD).unwrap());
    let open_pfx = file("b.pfx", &own.pfx("").unwrap());
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(pem.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(own.pfx("").unwrap());
    let sources = [
        (
            "pfx",
            request(&bed)
                .with("certificatePath", path(&pfx))
                .with("certificatePassword", secret(PASSWORD)),
        ),
        (
            "pfx without password",
            request(&bed).with("certificatePath", path(&open_pfx)),
        ),
        (
            "pfx with an empty password",
            request(&bed)
                .with("certificatePath", path(&open_pfx))
                .with("certificatePassword", secret("")),
        ),
        (
            "pem",
            request(&bed).with("certificatePath", path(&file("a.pem", pem.as_bytes()))),
        ),
        (
            "pem of Out-File",
            request(&bed).with("certificatePath", path(&file("b.pem", &utf16))),
        ),
        (
            "two files",
            request(&bed)
                .with("certificatePath", path(&file("a.crt", certificate.as_bytes())))
                .with("certificateKeyPath", path(&file("a.key", key.as_bytes()))),
        ),
        (
            "base64 in a file",
            request(&bed).with("certificatePath", path(&file("c.txt", base64.as_bytes()))),
        ),
        ("base64", request(&bed).with("certificateData", secret(&base64))),
    ];
    let mut tokens = Vec::new();
    for (name, source) in &sources {
        let answers = bed.ask(&open(source), item(&bed.tenant(0), GRAPH)).await;
        assert_eq!(method(&answers), "2", "{name}");
        tokens.push(answers.token().to_owned());
    }
    tokens.dedup();
    assert_eq!(
        tokens.len(),
        1,
        "one certificate is one identity, wherever it came from"
    );
    assert_eq!(bed.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_shows_its_certificate_and_not_its_key() {
    let bed = bed(1).await;
    let credential = open(&own(&bed));
    let facts = credential.describe();
    assert_eq!(
        facts.get("certificateSubject").and_then(Value::as_text),
        Some("CN=Sandbox application")
    );
    assert_eq!(
        facts
            .get("certificateThumbprint")
            .and_then(Value::as_text)
            .map(str::len),
        Some(40)
    );
    assert!(facts
        .get("certificateExpiresOn")
        .and_then(Value::as_i64)
        .is_some_and(|end| end > bed.engine.clock().now_ms()));
    assert!(matches!(facts.get("warnings"), Some(Value::List(warnings)) if warnings.is_empty()));
    assert!(!format!("{credential:?} {facts:?}").contains("PRIVATE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_trouble_gets_a_new_assertion_each_time() {
    let bed = bed(1).await;
    let credential = open(&own(&bed));
    bed.fault(json!({
        "match": {"service": "login", "method": "POST"}, "times": 3,
        "action": {"kind": "truncate", "bytes": 10, "close": "abort"},
    }));
    let answers = bed.ask(&credential, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(method(&answers), "2");
    assert_eq!((stat(&bed, "assertions"), stat(&bed, "repeatedAssertions")), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_uploaded_a_moment_ago_is_waited_for() {
    let bed = bed(1).await;
    let own_certificate = bed.sandbox.own_certificate().unwrap().certificate_pem().unwrap();
    let credential = open(&own(&bed));
    let control = bed.sandbox.control();
    control
        .add_certificate(json!({"certificate": own_certificate, "unknownRequests": 1}))
        .unwrap();
    let answers = bed.ask(&credential, item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(method(&answers), "2");
    assert_eq!((stat(&bed, "assertions"), stat(&bed, "repeatedAssertions")), (2, 0));

    control
        .add_certificate(json!({"certificate": own_certificate, "unknownRequests": 1000}))
        .unwrap();
    let answers = bed
        .ask_with(&credential, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    let error = answers.error();
    assert_eq!(error.service().unwrap().code, "AADSTS700027");
    assert!(error.advice().contains("half a minute"), "{}", error.advice());
    let asked = bed.asked();
    bed.ask_with(&credential, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_eq!(bed.asked(), asked + 1, "it was waited for a moment ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_until_a_certificate_is_known() {
    // An hour between two tries: who waits for one here waits too long.
    let http = HttpOptions {
        first_backoff: Duration::from_secs(360),
        ..HttpOptions::default()
    };
    let engine = Engine::with_options(tokio::runtime::Handle::current(), engine::Options { http });
    let bed = bed_with(sandbox(1).await, engine);
    let own_certificate = bed.sandbox.own_certificate().unwrap().certificate_pem().unwrap();
    bed.sandbox
        .control()
        .add_certificate(json!({"certificate": own_certificate, "unknownRequests": 1000}))
        .unwrap();
    let user = own(&bed).with("refreshToken", secret(&bed.sandbox.facts().refresh_token));
    for credential in [open(&own(&bed)), open(&user)] {
        bed.hold("before-headers", 1);
        let operation = bed.begin(&credential, &[], vec![item(&bed.tenant(0), GRAPH)]);
        bed.held("held", 1).await;
        bed.release();
        bed.held("released", 1).await;
        operation.cancel();
        let ended = tokio::time::timeout(LONG, finish(&operation))
            .await
            .expect("it does not wait");
        assert!(ended.expect_err("stopped").is_cancelled());
        tokio::time::timeout(LONG, bed.engine.idle())
            .await
            .expect("nothing is left running");
        bed.sandbox.control().clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_put_right_by_the_services_own() {
    let bed = bed(1).await;
    let credential = open(&own(&bed));
    bed.sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 1800}))
        .unwrap();
    for _ in 0..2 {
        let answers = bed
            .ask_with(&credential, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
            .await;
        assert_eq!(method(&answers), "2");
    }
    assert_eq!(bed.asked(), 3, "the difference is remembered");
}

/// Serves a signer with the key of a PEM text, as an owner does who cannot do every algorithm.
fn serve(signer: &Arc<Signer>, pem: &str, knows: &'static [&'static str]) -> std::thread::JoinHandle<Vec<String>> {
    let key = openssl::pkey::PKey::private_key_from_pem(pem.as_bytes()).unwrap();
    let signer = Arc::clone(signer);
    std::thread::spawn(move || {
        let mut asked = Vec::new();
        while let Ok(request) = signer.next(LONG) {
            let Some(request) = request else { break };
            asked.push(request.algorithm.clone());
            if !knows.contains(&request.algorithm.as_str()) {
                signer.decline(request.id);
                continue;
            }
            let mut maker = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
            if request.algorithm == "PS256" {
                maker.set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS).unwrap();
                maker
                    .set_rsa_pss_saltlen(openssl::sign::RsaPssSaltlen::DIGEST_LENGTH)
                    .unwrap();
            }
            signer.reply(request.id, maker.sign_oneshot_to_vec(&request.data).unwrap());
        }
        asked
    })
}

/// The sandbox's certificate with its key at an owner's.
fn external(bed: &Bed, signer: &Arc<Signer>) -> Request {
    use base64::Engine as _;
    let pem = bed.sandbox.own_certificate().unwrap().certificate_pem().unwrap();
    let der = openssl::x509::X509::from_pem(pem.as_bytes()).unwrap().to_der().unwrap();
    request(bed)
        .with(
            "certificate",
            Field::Text(base64::engine::general_purpose::STANDARD.encode(der)),
        )
        .with("signer", Field::Signer(Arc::clone(signer)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_its_owner_keeps_signs_with_what_it_can() {
    let bed = bed(1).await;
    let pem = bed.sandbox.own_certificate().unwrap().pem().unwrap();
    for (knows, asked) in [
        (&["PS256", "RS256"][..], &["PS256", "PS256"][..]),
        (&["RS256"], &["PS256", "RS256", "RS256"]),
    ] {
        let signer = Arc::new(Signer::new());
        let owner = serve(&signer, &pem, knows);
        let credential = open(&external(&bed, &signer));
        for _ in 0..2 {
            let answers = bed
                .ask_with(&credential, &["forceRefresh"], item(&bed.tenant(0), GRAPH))
                .await;
            assert_eq!(method(&answers), "2");
        }
        signer.close();
        assert_eq!(owner.join().unwrap(), asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_refusal_and_a_wrong_key_are_told_apart() {
    let bed = bed(1).await;
    let ask = |signer: Arc<Signer>, algorithm: Option<&'static str>| {
        let mut request = external(&bed, &signer);
        if let Some(algorithm) = algorithm {
            request.set("assertionAlgorithm", Field::Text(algorithm.to_owned()));
        }
        let bed = &bed;
        async move {
            bed.ask(&open(&request), item(&bed.tenant(0), GRAPH))
                .await
                .error()
                .clone()
        }
    };
    let signer = Arc::new(Signer::new());
    let other = String::from_utf8(
        openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap())
            .unwrap()
            .private_key_to_pem_pkcs8()
            .unwrap(),
    )
    .unwrap();
    let owner = serve(&signer, &other, &["PS256", "RS256"]);
    let error = ask(Arc::clone(&signer), None).await;
    assert_eq!(
        (error.kind(), error.id()),
        (Kind::NotSignedIn, "CertificateKeyMismatch"),
        "{error:?}"
    );
    signer.close();
    owner.join().unwrap();

    let signer = Arc::new(Signer::new());
    let owner = serve(&signer, &other, &["RS256"]);
    let error = ask(Arc::clone(&signer), Some("PS256")).await;
    assert!(error.message().contains("this algorithm"), "{error:?}");
    signer.close();
    owner.join().unwrap();

    let error = ask(signer, None).await;
    assert!(error.message().contains("the key's owner is gone"), "{error:?}");
    assert_eq!(bed.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_never_has_this_ones_token() {
    let bed = bed(1).await;
    let tenant = bed.tenant(0);
    let first = bed.ask(&open(&own(&bed)), item(&tenant, GRAPH)).await;
    let by_secret = bed.ask(&bed.application(), item(&tenant, GRAPH)).await;
    assert_ne!(first.token(), by_secret.token());
    let stranger = sandbox(1).await;
    let pem = stranger.own_certificate().unwrap().pem().unwrap();
    let answers = bed
        .ask(
            &open(&request(&bed).with("certificateData", secret(&pem))),
            item(&tenant, GRAPH),
        )
        .await;
    let error = answers.error();
    assert_eq!(error.service().unwrap().code, "AADSTS700027");
    assert!(
        !format!("{:?}", error.to_value()).contains("eyJ"),
        "no assertion in an error"
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    let base = || {
        Request::new("credential").with(
            "applicationId",
            Field::Text("11111111-2222-3333-4444-555555555555".to_owned()),
        )
    };
    let text = |text: &str| Field::Text(text.to_owned());
    for (request, words) in [
        (base().with("certificatePassword", secret("x")), "without a certificate"),
        (
            base().with("certificateKeyPath", text("/nowhere")),
            "without a certificate",
        ),
        (
            base()
                .with("secret", secret("x"))
                .with("assertionAlgorithm", text("PS256")),
            "without a certificate",
        ),
        (
            base().with("certificatePath", text("/nowhere/a.pfx")),
            "could not read /nowhere/a.pfx",
        ),
        (base().with("certificatePath", text("/tmp")), "/tmp is a folder"),
        (base().with("certificateData", secret("words")), "neither a PFX"),
        (
            base()
                .with("certificateData", secret("x"))
                .with("certificate", text("x")),
            "more than one certificate",
        ),
        (base().with("certificate", text("%%")), "not base64"),
        (base().with("certificate", text("MAA=")), "neither a PFX"),
        (
            base()
                .with("certificateData", secret("x"))
                .with("assertionAlgorithm", text("ES256")),
            "'ES256'",
        ),
    ] {
        let error = Credential::open(&request).expect_err(words);
        assert!(error.message().contains(words), "{error:?} should say '{words}'");
        assert!(!error.advice().is_empty(), "{error:?}");
    }
}
