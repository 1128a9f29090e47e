//! Messages: sent once, with files of every size, or with where the files are.

use crate::support::{Outcome, World};
use secureapp_core::{Field, Kind, Request, Value};
use secureapp_sandbox::Options;
use serde_json::{json, Value as Json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Bed {
    world: World,
    folder: TempDir,
}

impl Bed {
    async fn start() -> Self {
        let options = Options {
            tenants: 1,
            records: 0,
            ..Options::default()
        };
        Bed {
            world: World::start(options).await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn set(&self, settings: Json) {
        self.world.sandbox.control().set_mail(settings).unwrap();
    }

    /// A file whose bytes differ everywhere.
    fn file(&self, name: &str, size: usize) -> PathBuf {
        let path = self.folder.path().join(name);
        let bytes: Vec<u8> = (0..size)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8)
            .collect();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn user(&self) -> String {
        self.world.sandbox.facts().user_principal_name.clone()
    }

    /// A message of the application, from the user's mailbox.
    fn message(&self, files: &[&PathBuf]) -> Request {
        let files = files.iter().map(|path| path.display().to_string()).collect();
        let tenant = self.world.sandbox.facts().partner_tenant_id.clone();
        self.world
            .request("mail_send", &self.world.credential_request())
            .with("appOnly", Field::Int(1))
            .with("tenant", Field::Text(tenant))
            .with("from", Field::Text(self.user()))
            .with("to", Field::Texts(vec!["Pat <pat@fabrikam.example>".to_owned()]))
            .with("subject", Field::Text("Audit".to_owned()))
            .with("body", Field::Text("a < b".to_owned()))
            .with("attachments", Field::Texts(files))
    }

    async fn send(&self, request: Request) -> Outcome {
        let outcome = self.world.run(request).await;
        outcome.assert_no_secret(&self.world);
        outcome
    }

    fn report(&self) -> Json {
        self.world.sandbox.control().mail()
    }

    /// The one message that was sent; nothing else lies about.
    fn sent(&self) -> Json {
        let report = self.report();
        assert_eq!(report["sent"].as_array().unwrap().len(), 1, "{report}");
        assert_eq!(
            (report["drafts"].as_u64(), report["uploads"].as_u64()),
            (Some(0), Some(0)),
            "{report}"
        );
        report["sent"][0].clone()
    }
}

fn sha256(path: &PathBuf) -> String {
    let digest = openssl::sha::sha256(&fs::read(path).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(record: &Value, key: &str) -> Vec<String> {
    match record.get(key) {
        Some(Value::List(values)) => values
            .iter()
            .filter_map(|value| value.as_text().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_message_is_one_request() {
    let bed = Bed::start().await;
    let file = bed.file("report.csv", 1000);

    let outcome = bed.send(bed.message(&[&file])).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    let sent = bed.sent();
    assert_eq!(
        (sent["sentBy"].as_str(), sent["mailbox"].as_str()),
        (Some("sendMail"), Some(bed.user().as_str()))
    );
    assert_eq!(
        sent["message"]["body"],
        json!({"contentType": "Text", "content": "a < b"})
    );
    assert_eq!(
        sent["message"]["toRecipients"][0]["emailAddress"],
        json!({"address": "pat@fabrikam.example", "name": "Pat"})
    );
    assert_eq!(sent["attachments"][0]["sha256"], sha256(&file));
    assert_eq!(bed.world.requests("/v1.0"), 1);
    assert_eq!(texts(&outcome.records[0], "attached").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sends_from_their_own_mailbox() {
    let bed = Bed::start().await;
    let tenant = bed.world.sandbox.facts().partner_tenant_id.clone();
    let request = bed
        .world
        .request("mail_send", &bed.world.credential_request())
        .with("tenant", Field::Text(tenant))
        .with("to", Field::Texts(vec!["pat@fabrikam.example".to_owned()]));

    let outcome = bed.send(request).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    assert_eq!(bed.sent()["mailbox"], bed.user());
    assert_eq!(bed.world.requests("/v1.0/me/sendMail"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_uploaded_in_pieces_and_arrive_whole() {
    let bed = Bed::start().await;
    let (large, small, edge) = (
        bed.file("large.ndjson", 9_000_001),
        bed.file("small.csv", 2_999_999),
        bed.file("edge.csv", 3_000_000),
    );

    let outcome = bed.send(bed.message(&[&large, &small, &edge])).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    let sent = bed.sent();
    assert_eq!(sent["sentBy"], "send");
    for (at, file) in [&large, &small, &edge].into_iter().enumerate() {
        assert_eq!(sent["attachments"][at]["sha256"], sha256(file), "{sent}");
    }
    assert_eq!(bed.world.requests("PUT /api/gv1.0"), 3 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_every_kind_of_failure() {
    for action in [
        json!({"kind": "reset"}),
        json!({"kind": "status", "status": 503}),
        json!({"kind": "status", "status": 416}),
        json!({"kind": "truncate", "bytes": 3, "close": "abort"}),
    ] {
        let bed = Bed::start().await;
        let large = bed.file("large.ndjson", 9_000_001);
        bed.world
            .fault(json!({"match": {"service": "outlook", "method": "PUT"}, "skip": 1, "times": 1, "action": action}));

        let outcome = bed.send(bed.message(&[&large])).await;

        assert!(outcome.end.is_ok(), "{action}: {:?}", outcome.end);
        let sent = bed.sent();
        assert_eq!(sent["attachments"].as_array().unwrap().len(), 1, "{action}");
        assert_eq!(sent["attachments"][0]["sha256"], sha256(&large), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mailbox_does_not_take_is_told_where_it_is() {
    for when_sent in [false, true] {
        let bed = Bed::start().await;
        bed.set(json!({"largestMessage": 5_000_000, "sizeCheckedWhenSent": when_sent}));
        let large = bed.file("large & wide.ndjson", 7_000_000);

        let outcome = bed
            .send(bed.message(&[&large]).with("machine", Field::Text("PC1".to_owned())))
            .await;

        assert!(outcome.end.is_ok(), "{:?}", outcome.end);
        let sent = bed.sent();
        assert_eq!(sent["attachments"], json!([]));
        let body = sent["message"]["body"]["content"].as_str().unwrap();
        assert!(body.starts_with("a < b"), "{body}");
        for part in [large.to_str().unwrap(), "on PC1", "maximum supported size"] {
            assert!(body.contains(part), "{part} is not in {body}");
        }
        assert_eq!(outcome.warnings.len(), 1);
        assert_eq!(texts(&outcome.records[0], "omitted"), [large.display().to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_every_limit_is_not_even_tried() {
    let bed = Bed::start().await;
    let huge = bed.folder.path().join("huge.ndjson");
    fs::File::create(&huge).unwrap().set_len(151_000_000).unwrap();
    let small = bed.file("small.csv", 10);

    let outcome = bed.send(bed.message(&[&huge, &small])).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    let sent = bed.sent();
    assert_eq!(sent["attachments"].as_array().unwrap().len(), 1);
    assert!(sent["message"]["body"]["content"]
        .as_str()
        .unwrap()
        .contains("huge.ndjson"));
    assert_eq!(bed.world.requests("PUT /api/gv1.0"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_named_and_sending_alone_is_enough_for_the_message() {
    let bed = Bed::start().await;
    let large = bed.file("large.ndjson", 4_000_000);
    let control = bed.world.sandbox.control();
    control
        .set_application(json!({"withheldPermissions": ["Mail.ReadWrite"]}))
        .unwrap();

    let outcome = bed.send(bed.message(&[&large])).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    assert!(outcome.warnings[0].contains("Mail.ReadWrite"), "{:?}", outcome.warnings);
    assert!(bed.sent()["message"]["body"]["content"]
        .as_str()
        .unwrap()
        .contains("large.ndjson"));

    let bed = Bed::start().await;
    let control = bed.world.sandbox.control();
    control
        .set_application(json!({"withheldPermissions": ["Mail.Send"]}))
        .unwrap();
    let outcome = bed.send(bed.message(&[])).await;
    assert_eq!(outcome.error().kind(), Kind::Denied);
    assert!(
        outcome.error().advice().contains("Mail.Send"),
        "{}",
        outcome.error().advice()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_never_sent_twice() {
    // At once: nobody can be asked, so it is said.
    let bed = Bed::start().await;
    bed.set(json!({"lostAnswers": 1}));
    let outcome = bed.send(bed.message(&[])).await;
    assert_eq!(outcome.error().id(), "SendUncertain");
    assert!(outcome.error().advice().contains("Sent Items"));
    bed.sent();

    // As a draft, which is asked.
    let bed = Bed::start().await;
    bed.set(json!({"lostAnswers": 1}));
    let large = bed.file("large.ndjson", 4_000_000);
    let outcome = bed.send(bed.message(&[&large])).await;
    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    bed.sent();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_did_not_go_is_sent_again() {
    let bed = Bed::start().await;
    let large = bed.file("large.ndjson", 4_000_000);
    bed.world.fault(
        json!({"match": {"service": "graph", "pathContains": "/send"}, "times": 1, "action": {"kind": "reset"}}),
    );

    let outcome = bed.send(bed.message(&[&large])).await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    assert_eq!(bed.sent()["attachments"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_uploaded_to_a_strange_host_and_no_draft_is_left() {
    let bed = Bed::start().await;
    bed.set(json!({"uploadHost": "https://localhost:1"}));
    let large = bed.file("large.ndjson", 4_000_000);

    let outcome = bed.send(bed.message(&[&large])).await;

    assert_eq!(outcome.error().kind(), Kind::Protocol);
    assert!(outcome.error().message().contains("localhost"), "{}", outcome.error());
    let report = bed.report();
    assert_eq!(
        (report["sent"].clone(), report["drafts"].clone()),
        (json!([]), json!(0)),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_before_anything_is_sent() {
    let bed = Bed::start().await;
    let missing = bed.folder.path().join("missing.csv");
    for (request, expected) in [
        (
            bed.message(&[]).with("from", Field::Text(String::new())),
            "no mailbox of its own",
        ),
        (bed.message(&[]).with("to", Field::Texts(Vec::new())), "no recipient"),
        (
            bed.message(&[]).with("to", Field::Texts(vec!["pat".to_owned()])),
            "no mail address",
        ),
        (
            bed.message(&[])
                .with("subject", Field::Text("a\r\nBcc: x@y.z".to_owned())),
            "subject",
        ),
        (bed.message(&[&missing]), "missing.csv"),
    ] {
        let outcome = bed.send(request).await;
        assert!(outcome.error().message().contains(expected), "{}", outcome.error());
    }
    assert_eq!(bed.world.requests(""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_is_not_there_says_what_to_do() {
    let bed = Bed::start().await;
    let outcome = bed
        .send(
            bed.message(&[])
                .with("from", Field::Text("nobody@contoso.example".to_owned())),
        )
        .await;
    assert!(
        outcome.error().advice().contains("-From"),
        "{}",
        outcome.error().advice()
    );
    bed.set(json!({"withoutMailbox": [bed.user()]}));
    let outcome = bed.send(bed.message(&[])).await;
    assert!(
        outcome.error().advice().contains("mailbox in Exchange Online"),
        "{}",
        outcome.error().advice()
    );
}
