//! The header, the exported symbols and the tables behind them say the same.

mod support;

use secureapp::op::EventKind;
use secureapp::status::Status;
use secureapp::version::ABI_VERSION;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use support::{declared, header_code, header_path, library};

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn header_in_the_tree_is_what_cbindgen_makes_of_the_source() {
    let config = cbindgen::Config::from_file(crate_dir().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_crate(crate_dir())
        .with_config(config)
        .generate()
        .expect("the source parses")
        .write(&mut made);
    if std::env::var_os("SECUREAPP_UPDATE_HEADER").is_some() {
        std::fs::write(header_path(), &made).expect("the header can be written");
    }
    let kept = std::fs::read(header_path()).expect("the header is in the tree");
    assert!(
        made == kept,
        "include/secureapp.h does not match the source; make it anew with \
         `SECUREAPP_UPDATE_HEADER=1 cargo test -p secureapp-ffi --test header`"
    );
}

#[cfg(unix)]
#[test]
fn library_exports_exactly_what_the_header_declares() {
    let option = if cfg!(target_os = "macos") { "-gU" } else { "-D" };
    let listed = Command::new("nm")
        .args([option, "--defined-only"])
        .arg(library())
        .output()
        .expect("nm is installed");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("nm prints text");
    let exported: BTreeSet<String> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(|name| {
            name.strip_prefix('_')
                .filter(|_| cfg!(target_os = "macos"))
                .unwrap_or(name)
                .to_owned()
        })
        .collect();
    assert_eq!(exported, declared());
}

#[test]
fn header_numbers_are_the_tables_numbers() {
    let code = header_code();
    for (status, name) in Status::ALL {
        let line = format!("SA_STATUS_{name} = {},", status as i32);
        assert!(code.contains(&line), "the header lacks `{line}`");
    }
    assert_eq!(code.matches("SA_STATUS_").count(), Status::ALL.len());
    for (kind, name) in [
        (EventKind::Record, "RECORD"),
        (EventKind::Failed, "FAILED"),
        (EventKind::Warning, "WARNING"),
        (EventKind::Verbose, "VERBOSE"),
        (EventKind::Debug, "DEBUG"),
        (EventKind::Progress, "PROGRESS"),
        (EventKind::Prompt, "PROMPT"),
    ] {
        let line = format!("SA_EVENT_KIND_{name} = {},", kind as u32);
        assert!(code.contains(&line), "the header lacks `{line}`");
    }
    assert!(code.contains(&format!("#define SA_ABI_VERSION {ABI_VERSION}")));
}

#[test]
fn every_kind_of_error_has_a_status_of_its_own_name() {
    use secureapp_core::Kind;
    let kinds = [
        Kind::InvalidInput,
        Kind::NotSignedIn,
        Kind::Denied,
        Kind::NotFound,
        Kind::Throttled,
        Kind::Network,
        Kind::Timeout,
        Kind::Server,
        Kind::Protocol,
        Kind::Storage,
        Kind::Cancelled,
        Kind::Internal,
    ];
    for kind in kinds {
        let status = Status::of(kind);
        assert!((status as i32) < 0);
        assert_eq!(format!("{status:?}"), format!("{kind:?}"));
    }
    let failures = Status::ALL.iter().filter(|(status, _)| (*status as i32) < 0).count();
    assert_eq!(failures, kinds.len());
}

#[test]
fn status_numbers_and_names_are_distinct() {
    let numbers: BTreeSet<i32> = Status::ALL.iter().map(|(status, _)| *status as i32).collect();
    let names: BTreeSet<&str> = Status::ALL.iter().map(|(_, name)| *name).collect();
    assert_eq!((numbers.len(), names.len()), (Status::ALL.len(), Status::ALL.len()));
}

#[test]
fn event_numbers_are_the_cores_numbers() {
    use secureapp_core::event::{Event, Failure, Progress};
    use secureapp_core::{Error, Value};
    let failure = Failure {
        target: Value::Null,
        error: Error::cancelled(),
    };
    for (event, kind) in [
        (Event::Record(Value::Null), EventKind::Record),
        (Event::Failed(failure), EventKind::Failed),
        (Event::Warning(String::new()), EventKind::Warning),
        (Event::Verbose(String::new()), EventKind::Verbose),
        (Event::Debug(String::new()), EventKind::Debug),
        (Event::Progress(Progress::default()), EventKind::Progress),
    ] {
        assert_eq!(event.code(), kind as u32);
    }
}
