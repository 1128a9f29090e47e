//! Exports that are killed with no warning, wherever they are, and begun again.

use super::child;
use super::support::*;
use secureapp_sandbox::AuditOptions;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

/// Where a child is killed. Each is a state that the sandbox or the folder shows, so that it is reached on every machine.
enum Kill {
    /// The sandbox holds this many replies of that stage; the writer has what came before them.
    Held(&'static str, u64),
    /// The folder holds a file of which this is true.
    File(fn(&str, u64) -> bool),
}

const KILLS: [(&str, Kill); 12] = [
    ("before the first blob's headers", Kill::Held("before-headers", 0)),
    ("in the first blob", Kill::Held("mid-body", 0)),
    ("after a blob's headers", Kill::Held("after-headers", 7)),
    ("in a later blob", Kill::Held("mid-body", 11)),
    ("before a later blob's headers", Kill::Held("before-headers", 17)),
    ("in one of the last blobs", Kill::Held("mid-body", 23)),
    (
        "with a temporary part",
        Kill::File(|name, size| name.contains("/_date=") && name.ends_with(".tmp") && size > 0),
    ),
    (
        "with a journal that names parts",
        Kill::File(|name, size| name.ends_with("/_journal") && size > 400),
    ),
    (
        "with a first part in its place",
        Kill::File(|name, _| name.contains("/part-1.")),
    ),
    (
        "with a second part in its place",
        Kill::File(|name, _| name.contains("/part-2.")),
    ),
    (
        "while a manifest is written",
        Kill::File(|name, _| name.ends_with("/_manifest.json.tmp")),
    ),
    (
        "with a third part in its place",
        Kill::File(|name, _| name.contains("/part-3.")),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_killed_and_resumed_holds_every_record_once() {
    const NAME: &str = "killed::an_export_that_is_killed_and_resumed_holds_every_record_once";
    if child::is_child().await {
        return;
    }
    let audit = AuditOptions {
        records_per_blob: 300,
        duplicates: 0.05,
        late: 0.01,
        without_id: 0.01,
        relisted: 0.05,
        ..AuditOptions::default()
    };
    let world = World::start(2, 9_000, audit).await;
    let tenants = world.tenants();
    let folder = world.folder.path();
    let (mut killed, mut resumed) = (0, 0);
    for (number, (place, kill)) in KILLS.iter().enumerate() {
        let ask = Ask {
            // Parts are finished on the way, not only at the end.
            throttle: 64,
            compression: ["none", "zstd", "gzip", "none"][number / 3 % 4],
            ..world.ask()
        };
        let before = files(folder);
        let mut child = {
            world.sandbox.control().clear_faults();
            if let Kill::Held(stage, skip) = kill {
                world.fault(
                    json!({"id": place, "match": {"service": "manage", "pathContains": "/audit/"}, "skip": skip, "times": -1,
                    "action": {"kind": "hold", "stage": stage}}),
                );
            }
            let mut command = child::command(&world, &ask, &tenants, folder, NAME, None);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        match kill {
            Kill::Held(..) => world.held(place).await,
            Kill::File(is_there) => until(folder, &before, *is_there, &mut child),
        }
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        world.sandbox.control().clear_faults();
        for tenant in &tenants {
            whole_lines(&world.root(tenant));
        }
        // Some are killed several times in a row, the others are resumed and begun anew.
        if number % 3 == 2 {
            let outcome = world.export(&ask, &tenants).await;
            outcome.assert_complete(2);
            world.assert_truth(&ask);
            resumed += 1;
            for tenant in &tenants {
                fs::remove_dir_all(world.root(tenant)).unwrap();
            }
        }
    }
    assert_eq!(resumed, 4);
    // A child that was quicker than the look at its folder ended on its own; most cannot be.
    assert!(killed >= 6, "{killed}");
}

/// Looks at the folder without a pause until a new file is as wanted, or the child has ended.
fn until(folder: &Path, before: &[(String, u64)], is_there: fn(&str, u64) -> bool, child: &mut Child) {
    while child.try_wait().unwrap().is_none() {
        let new = files(folder).into_iter().filter(|file| !before.contains(file));
        if new.into_iter().any(|(name, size)| is_there(&name, size)) {
            return;
        }
    }
}

/// Every file below a folder with its size; one that goes meanwhile is left out.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) => found.push((entry.path().to_string_lossy().into_owned(), kind.len())),
            Err(_) => {}
        }
    }
    found
}

/// No part under its final name is torn.
fn whole_lines(root: &Path) {
    for (_, line) in lines(root) {
        serde_json::from_str::<serde_json::Value>(&line).expect("a whole record");
    }
}
