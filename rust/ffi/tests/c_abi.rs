//! Compiles the C tour of the interface and runs it against a sandbox: plain, under valgrind, and with everything built
//! for the address sanitizer, which must also find a defect that is put in on purpose.
#![cfg(unix)]

mod support;

use secureapp_sandbox::{Facts, Options, Sandbox};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

const CUSTOMERS: usize = 12;

/// What every case here shares: a running sandbox, the compiled program, and the arguments that it takes.
struct Tour {
    _sandbox: Sandbox,
    _folder: TempDir,
    program: PathBuf,
    arguments: Vec<OsString>,
}

static TOUR: LazyLock<Tour> = LazyLock::new(|| {
    let sandbox = Sandbox::start_blocking(Options {
        tenants: CUSTOMERS,
        records: 0,
        ..Options::default()
    })
    .expect("the sandbox starts");
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let certificate = folder.path().join("ca.pem");
    std::fs::write(&certificate, sandbox.ca_pem()).expect("the certificate can be written");
    let arguments = arguments(sandbox.facts(), &certificate);
    let program = folder.path().join("tour");
    compile(&program);
    Tour {
        _sandbox: sandbox,
        _folder: folder,
        program,
        arguments,
    }
});

fn arguments(facts: &Facts, certificate: &Path) -> Vec<OsString> {
    let customers: Vec<&str> = facts.tenants.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let mut all: Vec<OsString> = [
        ("login", &facts.endpoints.login),
        ("graph", &facts.endpoints.graph),
        ("partnerCenter", &facts.endpoints.partner_center),
        ("manage", &facts.endpoints.manage),
        ("aadGraph", &facts.endpoints.aad_graph),
        ("outlook", &facts.endpoints.outlook),
        ("tenant", &facts.partner_tenant_id),
        ("application", &facts.application_id),
        ("secret", &facts.secret),
        ("refreshToken", &facts.refresh_token),
        ("customers", &customers.join(",")),
    ]
    .iter()
    .map(|(name, value)| OsString::from(format!("{name}={value}")))
    .collect();
    let mut path = OsString::from("certificate=");
    path.push(certificate);
    all.push(path);
    all
}

fn compile(program: &Path) {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = support::library();
    let folder = library.parent().expect("a library is in a folder");
    let output = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-pthread", "-o"])
        .arg(program)
        .arg("-I")
        .arg(crate_dir.join("include"))
        .arg(crate_dir.join("tests/c/tour.c"))
        .arg(crate_dir.join("tests/c/support.c"))
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .output()
        .expect("a C compiler is installed");
    succeeded(&output, "cc");
}

fn succeeded(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn tour_of_the_interface_in_c() {
    let output = Command::new(&TOUR.program)
        .args(&TOUR.arguments)
        .output()
        .expect("the tour runs");
    succeeded(&output, "tour");
    // A guest is silent: what it printed is the program's own, and the last line is the end of it.
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed.lines().last(), Some("shutting down"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn tour_leaks_nothing_under_valgrind() {
    if !is_installed("valgrind") {
        println!("skipped: valgrind is not installed");
        return;
    }
    let output = Command::new("valgrind")
        .args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite",
        ])
        .args(["--show-leak-kinds=definite", "--fair-sched=yes"])
        .arg(&TOUR.program)
        .args(&TOUR.arguments)
        .output()
        .expect("valgrind runs");
    succeeded(&output, "valgrind");
}

#[cfg(target_os = "linux")]
#[test]
fn tour_is_clean_under_the_address_sanitizer_which_finds_a_planted_defect() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build/sanitize.sh");
    let output = Command::new("sh")
        .arg(script)
        .args(&TOUR.arguments)
        .output()
        .expect("sh runs");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    succeeded(&output, "build/sanitize.sh");
}
