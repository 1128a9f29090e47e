//! The executable: its one line, its help and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn spawn(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secureapp-sandbox"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let facts = serde_json::from_str(&line).unwrap();
    (child, facts)
}

#[test]
fn it_prints_its_facts_and_ends_with_its_standard_input() {
    let (mut child, facts) = spawn(&["--tenants", "3", "--records", "30", "--exit-with-stdin"]);
    let port = facts["endpoints"]["login"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    assert_eq!(facts["environment"], format!("Sandbox-{port}"));
    assert_eq!(facts["tenants"].as_array().unwrap().len(), 3);
    assert_eq!(facts["processId"], child.id());
    for name in [
        "partnerTenantId",
        "applicationId",
        "secret",
        "refreshToken",
        "userPrincipalName",
    ] {
        assert!(!facts[name].as_str().unwrap().is_empty(), "{name}");
    }
    let certificate = Path::new(facts["certificatePath"].as_str().unwrap()).to_owned();
    assert!(std::fs::read_to_string(&certificate)
        .unwrap()
        .starts_with("-----BEGIN CERTIFICATE-----"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(!certificate.exists());
}

#[cfg(unix)]
#[test]
fn it_ends_on_sigterm_and_not_with_its_standard_input_unless_told() {
    let (mut child, _) = spawn(&["--tenants", "0"]);
    drop(child.stdin.take());
    assert!(child.try_wait().unwrap().is_none());
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_explains_itself() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_secureapp-sandbox"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for option in [
        "--tenants",
        "--records",
        "--latency-ms",
        "--port",
        "--seed",
        "--preset",
        "--exit-with-stdin",
    ] {
        assert!(help.contains(option), "{option}");
    }
    let wrong = run(&["--tenants", "many"]);
    assert_eq!(wrong.status.code(), Some(2));
    let mut text = String::new();
    wrong.stderr.as_slice().read_to_string(&mut text).unwrap();
    assert!(
        text.contains("needs a whole number") && text.contains("--help"),
        "{text}"
    );
}
