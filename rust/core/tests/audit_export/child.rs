//! Exports in a process of their own: this test program again, told by its environment to do nothing else.

use super::support::*;
use secureapp_core::Value;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const PLAN: &str = "SECUREAPP_TEST_EXPORT";

/// What starts `test` of this program as the child that exports `tenants` into `folder`. With `shell`, a POSIX shell runs
/// that text first, in the same process.
pub(crate) fn command(
    world: &World,
    ask: &Ask,
    tenants: &[String],
    folder: &Path,
    test: &str,
    shell: Option<&str>,
) -> Command {
    let program = std::env::current_exe().expect("this program");
    let plan = json!({
        "facts": world.sandbox.facts(), "ca": world.sandbox.ca_pem(), "tenants": tenants, "folder": folder,
        "start": ask.start, "end": ask.end, "throttle": ask.throttle,
        "compression": ask.compression, "source": ask.source, "settle": ask.settle_seconds,
    });
    let mut command = match shell {
        None => Command::new(program),
        Some(text) => {
            let mut command = Command::new("sh");
            command
                .arg("-c")
                .arg(format!("{text}\nexec \"$0\" \"$@\""))
                .arg(program);
            command
        }
    };
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(PLAN, plan.to_string());
    command
}

/// True in a child, after it has exported what it was told to. It prints a line of JSON for each tenant.
pub(crate) async fn is_child() -> bool {
    let Ok(plan) = std::env::var(PLAN) else { return false };
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
    let field = |key: &str| plan[key].as_i64().expect("a number");
    let folder = Path::new(plan["folder"].as_str().expect("a folder"));
    let source = match plan["source"].as_str() {
        Some("exchange") => "exchange",
        Some("graph") => "graph",
        _ => "feed",
    };
    let ask = Ask {
        start: field("start"),
        end: field("end"),
        format: "ndjson",
        compression: match plan["compression"].as_str() {
            Some("gzip") => "gzip",
            Some("zstd") => "zstd",
            _ => "none",
        },
        flatten: false,
        force: false,
        settle_seconds: field("settle"),
        content_types: if source == "feed" { TYPES } else { "" },
        app_only: false,
        throttle: field("throttle"),
        source,
        filter: &[],
        pass_thru: false,
    };
    let tenants: Vec<String> = serde_json::from_value(plan["tenants"].clone()).expect("tenants");
    let session = session(&plan["facts"], plan["ca"].as_str().expect("a certificate"));
    let operation = begin(&session, request(&plan["facts"], folder, &ask), &tenants).expect("an export");
    let outcome = drain(&operation).await;
    for record in &outcome.records {
        let tenant = text(record, "tenantId");
        let root = folder.join(format!("tenant={tenant}"));
        let manifest = std::fs::read(root.join("manifest.json")).ok();
        let manifest: Option<serde_json::Value> = manifest.and_then(|text| serde_json::from_slice(&text).ok());
        let line = json!({
            "tenant": tenant, "records": number(record, "records"), "total": number(record, "totalRecords"),
            "complete": flag(record, "complete"), "reason": record.get("reason").and_then(Value::as_text),
            "lines": lines(&root).len(), "manifest": manifest,
        });
        println!("CHILD {line}");
    }
    true
}

/// What a child said of its tenants.
pub(crate) fn said(output: &std::process::Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once("CHILD "));
    lines
        .map(|(_, json)| serde_json::from_str(json).expect("a line of JSON"))
        .collect()
}
