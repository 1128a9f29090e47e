//! Certificate files as other programs write them, and what is said of those that cannot be used.
//!
//! They are made anew by the programs themselves: a file from OpenSSL says what OpenSSL writes, and nothing of it goes stale.

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::{X509Builder, X509NameBuilder};
use secureapp_core::{Credential, Error, Field, Request, Result, Secret, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const PASSWORD: &str = "pass word 1";

/// A folder to make files in.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        Workshop(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a program in the folder; false where it is not there or cannot do that.
    fn can(&self, program: &str, arguments: &str) -> bool {
        let status = Command::new(program)
            .args(arguments.split('|').flat_map(|part| match part.strip_prefix('"') {
                Some(quoted) => vec![quoted.trim_end_matches('"')],
                None => part.split_whitespace().collect(),
            }))
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn openssl(&self, arguments: &str) {
        assert!(self.can("openssl", arguments), "openssl {arguments}");
    }

    /// `key.pem` (PKCS #8) and `cert.pem`, self-signed and good for a year; `other.key` of another certificate.
    fn pair(&self) -> &Self {
        self.openssl("req -x509 -newkey rsa:2048 -noenc -keyout key.pem -out cert.pem -days 365 -subj /CN=Pair");
        self.openssl("genrsa -out other.key 2048");
        self
    }

    /// `root.pem`, `middle.pem` and `leaf.pem` with `leaf.key`.
    fn chain(&self) -> &Self {
        self.openssl("req -x509 -newkey rsa:2048 -noenc -keyout root.key -out root.pem -days 365 -subj /CN=Root");
        std::fs::write(self.path("ca.ext"), "basicConstraints=critical,CA:TRUE").expect("a file");
        self.openssl("req -new -newkey rsa:2048 -noenc -keyout middle.key -out middle.csr -subj /CN=Middle");
        self.openssl("x509 -req -in middle.csr -CA root.pem -CAkey root.key -days 365 -extfile ca.ext -out middle.pem");
        self.openssl("req -new -newkey rsa:2048 -noenc -keyout leaf.key -out leaf.csr -subj /CN=Leaf");
        self.openssl("x509 -req -in leaf.csr -CA middle.pem -CAkey middle.key -days 365 -out leaf.pem");
        self
    }

    /// A certificate of `key.pem` that is valid between two days, counted from today.
    fn timed(&self, file: &str, name: &str, from: i64, to: i64) {
        let key = PKey::private_key_from_pem(&std::fs::read(self.path("key.pem")).expect("a key")).expect("a key");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs() as i64;
        let day = |day: i64| Asn1Time::from_unix(now + day * 86_400).expect("a time");
        let mut subject = X509NameBuilder::new().expect("a name");
        subject.append_entry_by_text("CN", name).expect("a name");
        let mut builder = X509Builder::new().expect("a builder");
        builder.set_subject_name(&subject.build()).expect("a name");
        builder.set_not_before(&day(from)).expect("a time");
        builder.set_not_after(&day(to)).expect("a time");
        builder.set_pubkey(&key).expect("a key");
        builder.sign(&key, MessageDigest::sha256()).expect("signed");
        std::fs::write(self.path(file), builder.build().to_pem().expect("a certificate")).expect("a file");
    }

    fn join(&self, target: &str, parts: &[&str]) {
        let whole: Vec<u8> = parts
            .iter()
            .flat_map(|part| std::fs::read(self.path(part)).expect(part))
            .collect();
        std::fs::write(self.path(target), whole).expect("a file");
    }

    fn open(&self, file: &str) -> Result<Value> {
        open(&request(&self.path(file)))
    }

    fn open_with(&self, file: &str, password: &str) -> Result<Value> {
        open(&request(&self.path(file)).with("certificatePassword", Field::Secret(Secret::from(password))))
    }

    fn refused(&self, file: &str, password: Option<&str>) -> Error {
        let opened = match password {
            Some(password) => self.open_with(file, password),
            None => self.open(file),
        };
        opened.expect_err(file)
    }
}

fn request(path: &Path) -> Request {
    Request::new("credential")
        .with(
            "applicationId",
            Field::Text("11111111-2222-3333-4444-555555555555".to_owned()),
        )
        .with("certificatePath", Field::Text(path.to_string_lossy().into_owned()))
}

fn open(request: &Request) -> Result<Value> {
    Credential::open(request).map(|credential| credential.describe())
}

fn subject(opened: Result<Value>) -> String {
    let facts = opened.expect("a credential");
    facts
        .get("certificateSubject")
        .and_then(Value::as_text)
        .unwrap_or_default()
        .to_owned()
}

/// The forms of keys that people have now and then; those that they usually have are in the matrix of the engine's tests.
#[test]
fn rare_forms_of_keys_open() {
    let shop = Workshop::new();
    shop.pair();
    let key = "-in key.pem -out";
    for (file, made_by) in [
        (
            "3des.key",
            format!("pkcs8 -topk8 -v1 PBE-SHA1-3DES {key} 3des.key -passout|\"pass:{PASSWORD}\""),
        ),
        (
            "old.key",
            format!("rsa -traditional -aes256 {key} old.key -passout|\"pass:{PASSWORD}\""),
        ),
    ] {
        shop.openssl(&made_by);
        shop.join("joined.pem", &[file, "cert.pem"]);
        assert_eq!(subject(shop.open_with("joined.pem", PASSWORD)), "CN=Pair", "{file}");
    }
    shop.openssl("x509 -in cert.pem -outform DER -out cert.cer");
    for (file, made_by) in [
        (
            "pkcs1.der",
            "rsa -traditional -in key.pem -outform DER -out pkcs1.der".to_owned(),
        ),
        (
            "pkcs8.der",
            "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out pkcs8.der".to_owned(),
        ),
        (
            "aes.der",
            format!("pkcs8 -topk8 -in key.pem -outform DER -out aes.der -passout|\"pass:{PASSWORD}\""),
        ),
    ] {
        shop.openssl(&made_by);
        let apart = request(&shop.path("cert.cer"))
            .with(
                "certificateKeyPath",
                Field::Text(shop.path(file).to_string_lossy().into_owned()),
            )
            .with("certificatePassword", Field::Secret(Secret::from(PASSWORD)));
        assert_eq!(subject(open(&apart)), "CN=Pair", "{file}");
    }
}

#[test]
fn the_certificate_that_fits_the_key_is_found_in_a_chain() {
    let shop = Workshop::new();
    shop.chain();
    shop.join("last.pem", &["root.pem", "middle.pem", "leaf.pem", "leaf.key"]);
    shop.join("first.pem", &["leaf.key", "leaf.pem", "middle.pem", "root.pem"]);
    shop.join("others.pem", &["root.pem", "middle.pem"]);
    shop.openssl("pkcs12 -export -in leaf.pem -inkey leaf.key -certfile others.pem -out chain.pfx -passout pass:");
    for file in ["last.pem", "first.pem", "chain.pfx"] {
        assert_eq!(subject(shop.open(file)), "CN=Leaf", "{file}");
    }
    shop.join("keys.pem", &["root.key", "leaf.pem", "leaf.key"]);
    assert_eq!(subject(shop.open("keys.pem")), "CN=Leaf", "several keys");
    shop.join("mixed.pem", &["middle.pem", "leaf.key"]);
    assert_eq!(shop.refused("mixed.pem", None).id(), "CertificateKeyMismatch");
}

#[test]
fn what_java_wrote_until_2021_is_named() {
    let shop = Workshop::new();
    let made = shop.can(
        "keytool",
        "-J-Dkeystore.pkcs12.legacy -genkeypair -alias old -keyalg RSA -keysize 2048 -dname CN=Old -validity 90 -storetype PKCS12 \
         -keystore old.p12 -storepass changeit",
    );
    if !made {
        eprintln!("skipped: keytool is not installed here");
        return;
    }
    assert_eq!(shop.refused("old.p12", Some("changeit")).id(), "CertificateLegacy");
    assert_eq!(shop.refused("old.p12", Some("changeIt")).id(), "CertificatePassword");
}

#[test]
fn old_algorithms_are_named_and_their_provider_is_left_alone() {
    let shop = Workshop::new();
    shop.pair();
    let made = shop.can(
        "openssl",
        &format!("pkcs12 -export -legacy -in cert.pem -inkey key.pem -out old.pfx -passout|\"pass:{PASSWORD}\""),
    );
    if !made {
        eprintln!("skipped: this machine's openssl has no legacy provider");
        return;
    }
    for _ in 0..2 {
        let error = shop.refused("old.pfx", Some(PASSWORD));
        assert_eq!(error.id(), "CertificateLegacy", "{error:?}");
        assert!(error.advice().contains("openssl pkcs12 -legacy"), "{}", error.advice());
    }
    let old_key = format!("pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in key.pem -passout|\"pass:{PASSWORD}\"|-out md5.key");
    shop.openssl(&old_key);
    shop.join("md5.pem", &["cert.pem", "md5.key"]);
    assert_eq!(shop.refused("md5.pem", Some(PASSWORD)).id(), "CertificateUnsupported");
    // Its integrity is protected with what every OpenSSL knows, so a wrong password is still told.
    assert_eq!(shop.refused("old.pfx", Some("wrong")).id(), "CertificatePassword");
}

#[test]
fn a_pfx_without_an_integrity_check_opens_or_is_left_to_another_reader() {
    let shop = Workshop::new();
    shop.pair();
    shop.openssl(&format!(
        "pkcs12 -export -nomac -in cert.pem -inkey key.pem -out nomac.pfx -passout|\"pass:{PASSWORD}\""
    ));
    // Newer releases of OpenSSL open it.
    match shop.open_with("nomac.pfx", PASSWORD) {
        Err(error) => assert_eq!(error.id(), "CertificateLegacy", "{error:?}"),
        opened => assert_eq!(subject(opened), "CN=Pair"),
    }
    shop.openssl(
        "pkcs12 -export -nomac -keypbe NONE -certpbe NONE -in cert.pem -inkey key.pem -out open.pfx -passout pass:",
    );
    assert_eq!(subject(shop.open("open.pfx")), "CN=Pair");
}

#[test]
fn each_defect_has_a_sentence_of_its_own() {
    let shop = Workshop::new();
    shop.pair();
    let export = format!("-passout|\"pass:{PASSWORD}\"|-out");
    shop.openssl(&format!("pkcs12 -export -in cert.pem -inkey key.pem {export} good.pfx"));
    shop.openssl(&format!("pkcs12 -export -in cert.pem -nokeys {export} nokey.pfx"));
    shop.openssl(&format!(
        "pkcs12 -export -nocerts -in key.pem -inkey key.pem {export} nocert.pfx"
    ));
    shop.openssl(&format!("pkcs8 -topk8 -in key.pem {export} locked.key"));
    shop.join("locked.pem", &["cert.pem", "locked.key"]);
    shop.join("strange.pem", &["cert.pem", "other.key"]);
    shop.openssl("req -x509 -newkey rsa:1024 -noenc -keyout weak.key -out weak.crt -days 9 -subj /CN=Weak");
    shop.join("weak.pem", &["weak.crt", "weak.key"]);
    shop.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ec.key -out ec.crt -days 9 -subj /CN=Curve");
    shop.join("ec.pem", &["ec.crt", "ec.key"]);
    shop.openssl("req -x509 -newkey rsa-pss -noenc -keyout pss.key -out pss.crt -days 9 -subj /CN=Pss");
    shop.join("pss.pem", &["pss.crt", "pss.key"]);
    shop.timed("expired.crt", "Expired", -400, -1);
    shop.join("expired.pem", &["expired.crt", "key.pem"]);
    shop.timed("early.crt", "Early", 1, 30);
    shop.join("early.pem", &["early.crt", "key.pem"]);
    let mut cut = std::fs::read(shop.path("good.pfx")).expect("a file");
    cut.truncate(cut.len() / 2);
    std::fs::write(shop.path("cut.pfx"), cut).expect("a file");
    std::fs::write(shop.path("empty.pfx"), []).expect("a file");
    std::fs::write(shop.path("page.pem"), "<html>-----BEGIN CERTIFICATE-----\nnothing\n").expect("a file");
    std::fs::write(
        shop.path("damaged.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .expect("a file");
    let cases = [
        ("good.pfx", Some("wrong"), "CertificatePassword", "does not open"),
        ("good.pfx", None, "CertificatePassword", "no password was given"),
        ("good.pfx", Some("nul\0"), "CertificatePassword", "no password can hold"),
        ("locked.pem", Some("wrong"), "CertificatePassword", "does not open"),
        ("locked.pem", None, "CertificatePassword", "no password was given"),
        ("nokey.pfx", Some(PASSWORD), "CertificateNoKey", "no private key"),
        ("cert.pem", None, "CertificateNoKey", "no private key"),
        ("nocert.pfx", Some(PASSWORD), "CertificateMissing", "no certificate"),
        ("key.pem", None, "CertificateMissing", "no certificate"),
        ("strange.pem", None, "CertificateKeyMismatch", "does not belong"),
        ("weak.pem", None, "CertificateKeyWeak", "1024 bits"),
        ("ec.pem", None, "CertificateKeyType", "EC (elliptic curve)"),
        ("pss.pem", None, "CertificateKeyType", "RSASSA-PSS"),
        ("expired.pem", None, "CertificateExpired", "expired on 20"),
        ("cut.pfx", Some(PASSWORD), "CertificateUnreadable", "damaged"),
        ("empty.pfx", None, "CertificateUnreadable", "damaged"),
        ("page.pem", None, "CertificateUnreadable", "damaged"),
        ("damaged.pem", None, "CertificateUnreadable", "damaged"),
        ("early.pem", None, "CertificateNotYetValid", "not valid before 20"),
    ];
    for (file, password, id, words) in cases {
        let error = shop.refused(file, password);
        assert_eq!(error.id(), id, "{file}: {error:?}");
        assert!(
            error.message().contains(words),
            "{file}: {error:?} should say '{words}'"
        );
        assert!(!error.advice().is_empty(), "{file}");
        assert!(!format!("{error:?} {}", error.advice()).contains(PASSWORD), "{file}");
    }
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn are_opened_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), sequence in any::<bool>(), pem in any::<bool>(), password in "\\PC{0,8}") {
            let shop = Workshop::new();
            let mut whole = if sequence { vec![0x30, 0x81, 0xc5, 0x02, 0x01, 0x03] } else { Vec::new() };
            if pem {
                whole.extend(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
            }
            whole.extend(bytes);
            if pem {
                whole.extend(b"\n-----END ENCRYPTED PRIVATE KEY-----\n-----BEGIN ");
            }
            std::fs::write(shop.path("any"), whole).unwrap();
            prop_assert!(shop.open_with("any", &password).is_err());
        }
    }
}
