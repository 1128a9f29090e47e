//! Certificates that are made here, as other programs read them.

use crate::support::*;
use openssl::nid::Nid;
use openssl::x509::X509;
use secureapp_core::{
    Credential, Engine, Error, Field, Kind, Next, Operation, Request, Result, Secret, Session, Value,
};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const PASSWORD: &str = "pass word 1";

fn session() -> Session {
    Engine::new(tokio::runtime::Handle::current()).session()
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

fn plan(bits: i64) -> Request {
    Request::new("certificate_create")
        .with("subject", text("CN=Made, O=Contoso"))
        .with("keyLength", Field::Int(bits))
        .with("days", Field::Int(90))
}

/// With files in a folder: `cer`, `pfx` and `pem` name which.
fn into(folder: &TempDir, request: Request, kinds: &[&str]) -> Request {
    kinds.iter().fold(request, |request, kind| {
        let path = folder.path().join(format!("app.{kind}"));
        request.with(&format!("{kind}Path"), text(&path.to_string_lossy()))
    })
}

async fn make(request: Request) -> Result<Answers> {
    let operation = Operation::start(&session(), request)?;
    operation.finish_input();
    finish(&operation).await
}

async fn refused(request: Request) -> Error {
    make(request).await.expect_err("it is refused")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What a program writes; `None` where it is not installed.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    Some(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn its_extensions_say_what_it_is_for() {
    let request = plan(2048).with(
        "dnsNames",
        Field::Texts(vec!["App.Contoso.com".to_owned(), "*.b\u{fc}cher.example".to_owned()]),
    );
    let answers = make(request).await.unwrap();
    let record = answers.record();
    let Some(Value::Bytes(der)) = record.get("certificate") else {
        panic!("no certificate in {record:?}")
    };
    let leaf = X509::from_der(der).unwrap();
    assert_eq!(answers.text("subject"), "CN=Made, O=Contoso");
    assert!(leaf.issuer_name().try_cmp(leaf.subject_name()).unwrap().is_eq());
    assert!(leaf.verify(&leaf.public_key().unwrap()).unwrap());
    assert!(leaf.subject_key_id().is_some());
    let mut order = leaf.subject_name().entries().map(|entry| entry.object().nid());
    assert_eq!(
        order.next(),
        Some(Nid::ORGANIZATIONNAME),
        "the most general part is first"
    );
    let alternatives = leaf.subject_alt_names().unwrap();
    let alternatives: Vec<_> = alternatives.iter().filter_map(|name| name.dnsname()).collect();
    assert_eq!(alternatives, ["app.contoso.com", "*.xn--bcher-kva.example"]);
    let described = String::from_utf8(leaf.to_text().unwrap()).unwrap();
    for words in [
        "X509v3 Basic Constraints: critical",
        "CA:FALSE",
        "X509v3 Key Usage: critical",
        "Digital Signature, Key Encipherment",
        "TLS Web Client Authentication",
        "sha256WithRSAEncryption",
    ] {
        assert!(described.contains(words), "{words} in {described}");
    }
    let (now, day) = (engine().clock().now_ms(), 86_400_000);
    let time = |key| record.get(key).and_then(Value::as_i64).unwrap();
    assert!((now - 660_000..now - 540_000).contains(&time("notBefore")));
    assert!((now + 89 * day..now + 90 * day + 1000).contains(&time("notAfter")));
    assert_eq!(answers.text("thumbprint").len(), 40);
    assert_eq!(answers.text("thumbprintSha256").len(), 64);
    assert_eq!(answers.text("x5tS256").len(), 43);
    assert!(!format!("{answers:?}").contains("MII"), "no key in what can be printed");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_files_are_encrypted_as_asked_and_its_owners_alone() {
    for (encryption, cipher, mac) in [
        ("AES256_SHA256", "AES-256-CBC", "MAC: sha256"),
        ("TripleDES_SHA1", "pbeWithSHA1And3-KeyTripleDES-CBC", "MAC: sha1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let request = into(&folder, plan(2048), &["cer", "pfx", "pem"])
            .with("pfxEncryption", text(encryption))
            .with("password", Field::Secret(Secret::from(PASSWORD)));
        let answers = make(request).await.unwrap();
        let path = |key| answers.text(key).to_owned();
        assert_eq!(names(folder.path()), ["app.cer", "app.pem", "app.pfx"]);
        assert!(!answers
            .events
            .iter()
            .any(|event| matches!(event, secureapp_core::Event::Warning(_))));

        let password = format!("pass:{PASSWORD}");
        let described = output(
            "openssl",
            &[
                "pkcs12",
                "-info",
                "-noout",
                "-in",
                &path("pfxPath"),
                "-passin",
                &password,
            ],
        )
        .unwrap();
        assert_eq!(described.matches(cipher).count(), 2, "{described}");
        assert!(described.contains(mac), "{described}");
        let listed = output(
            "keytool",
            &[
                "-list",
                "-keystore",
                &path("pfxPath"),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
            ],
        );
        assert!(listed.is_none_or(|text| text.contains("made, ") && text.contains("PrivateKeyEntry")));
        let pem = std::fs::read_to_string(path("pemPath")).unwrap();
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{pem}");
        let Some(Value::Bytes(der)) = answers.record().get("certificate") else {
            panic!("no certificate")
        };
        assert_eq!(&std::fs::read(path("cerPath")).unwrap(), der);
        #[cfg(unix)]
        for key in ["pfxPath", "pemPath"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_password_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let answers = make(into(&folder, plan(2048), &["pfx", "pem"])).await.unwrap();
    let warned = answers
        .events
        .iter()
        .any(|event| matches!(event, secureapp_core::Event::Warning(text) if text.contains("without a password")));
    assert!(warned, "{:?}", answers.events);
    for key in ["pfxPath", "pemPath"] {
        let request = Request::new("credential")
            .with("applicationId", text("11111111-2222-3333-4444-555555555555"))
            .with("certificatePath", text(answers.text(key)));
        let credential = Credential::open(&request).expect(key);
        let facts = credential.describe();
        assert_eq!(
            facts.get("certificateThumbprint").and_then(Value::as_text),
            Some(answers.text("thumbprint"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_replaced_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("app.pem");
    std::fs::write(&old, "the only copy of a key").unwrap();
    let request = into(&folder, plan(2048), &["pfx", "pem"]);
    let error = refused(request.clone()).await;
    assert_eq!(
        (error.kind(), error.id()),
        (Kind::Storage, "CertificateFileExists"),
        "{error:?}"
    );
    assert!(error.advice().contains("-Force"));
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "the only copy of a key");
    assert_eq!(names(folder.path()), ["app.pem"]);

    make(request.with("force", Field::Int(1))).await.unwrap();
    assert!(std::fs::read_to_string(&old)
        .unwrap()
        .starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(names(folder.path()), ["app.pem", "app.pfx"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_file_cannot_be_written_none_is_left() {
    for force in [0, 1] {
        let folder = tempfile::tempdir().unwrap();
        let too_long = folder.path().join("n".repeat(300));
        let request = into(&folder, plan(2048), &["pfx"])
            .with("cerPath", text(&too_long.to_string_lossy()))
            .with("force", Field::Int(force));
        let error = refused(request).await;
        assert_eq!(error.kind(), Kind::Storage, "{error:?}");
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_before_a_key_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| text(&folder.path().join(name).to_string_lossy());
    let secret = |text: &str| Field::Secret(Secret::from(text));
    let none = Request::new("certificate_create")
        .with("keyLength", Field::Int(2048))
        .with("days", Field::Int(1));
    for (request, words) in [
        (none, "no subject"),
        (plan(2048).with("subject", text("CN=")), "is empty"),
        (
            plan(2048).with("dnsNames", Field::Texts(vec!["not a name".to_owned()])),
            "not one",
        ),
        (
            plan(2048).with("dnsNames", Field::Texts(vec!["10.0.0.1".to_owned()])),
            "not one",
        ),
        (
            plan(2048).with("dnsNames", Field::Texts(vec![String::new()])),
            "not one",
        ),
        (plan(1024), "1024 bits is too short"),
        (plan(2056), "2056 bits"),
        (plan(32768), "32768 bits"),
        (plan(2048).with("days", Field::Int(0)), "0 days"),
        (plan(2048).with("days", Field::Int(40_000)), "40000 days"),
        (plan(2048).with("password", secret("x")), "without a file"),
        (
            plan(2048).with("cerPath", at("a")).with("password", secret("x")),
            "without a file",
        ),
        (
            plan(2048).with("pfxPath", at("a")).with("password", secret("")),
            "is empty",
        ),
        (
            plan(2048).with("pfxPath", at("a")).with("password", secret("a\0b")),
            "no password can hold",
        ),
        (
            plan(2048)
                .with("pemPath", at("a"))
                .with("pfxEncryption", text("AES256_SHA256")),
            "without a PFX",
        ),
        (
            plan(2048).with("pfxPath", at("a")).with("pfxEncryption", text("RC2")),
            "cannot be encrypted like that",
        ),
        (
            plan(2048).with("pfxPath", at("a")).with("pemPath", at("a")),
            "two files",
        ),
        (plan(2048).with("pfxPath", at("")), "is a folder"),
        (plan(2048).with("pfxPath", at("none/a")), "does not exist"),
    ] {
        let error = refused(request).await;
        assert!(error.message().contains(words), "{error:?} should say '{words}'");
        assert!(!error.advice().is_empty(), "{error:?}");
    }
    assert!(names(folder.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_the_primes_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let session = session();
    let operation = Operation::start(&session, into(&folder, plan(8192), &["cer", "pfx", "pem"])).unwrap();
    let Ok(Next::Event(secureapp_core::Event::Progress(progress))) = operation.next().await else {
        panic!("no progress")
    };
    assert!(progress.status.contains("8192 bits"));
    operation.cancel();
    assert!(operation.next().await.expect_err("stopped").is_cancelled());
    tokio::time::timeout(LONG, session.engine().idle())
        .await
        .expect("the operation does not wait for its thread");
    assert!(names(folder.path()).is_empty());
}
