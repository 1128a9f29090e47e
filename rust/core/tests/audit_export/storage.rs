//! Disks that fill up and names that are taken: what is reported is what the files hold, and the rest comes later.

use super::child;
use super::support::*;
use secureapp_core::Kind;
use secureapp_sandbox::AuditOptions;
use serde_json::json;
use std::fs;

/// Days that lie in the middle of the feed.
fn days_ago(world: &World, days: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(world.now / 1000 - days * 86_400).unwrap();
    format!("date={}", time.date())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_get_its_name() {
    let world = World::start(1, 600, AuditOptions::default()).await;
    world.fault(
        json!({"id": "first", "match": {"service": "manage", "pathContains": "/audit/"}, "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"}}),
    );
    let ask = world.ask();
    let tenant = &world.tenants()[0];
    let operation = world.begin(&ask, &world.tenants()).unwrap();
    world.held("first").await;
    // The folder is in use, and a file comes to stand where the folder of a day belongs.
    let obstacle = world.root(tenant).join(days_ago(&world, 3));
    fs::write(&obstacle, "").unwrap();
    world.sandbox.control().release("first");
    let outcome = drain(&operation).await;

    assert_eq!(outcome.failures[0].error.kind(), Kind::Storage);
    assert!(!outcome.failures[0].error.advice().is_empty());
    fs::remove_file(&obstacle).unwrap();
    let held = world.ids(tenant).len() as i64;
    assert!(held < 600);
    assert_eq!(number(outcome.record(), "records"), held);
    assert_eq!(number(outcome.record(), "totalRecords"), held);
    let manifest = world.manifest(tenant);
    assert_eq!(
        (&manifest["complete"], &manifest["records"]),
        (&json!(false), &json!(held))
    );
    assert!(manifest["reason"].as_str().unwrap().contains("rename"), "{manifest}");
    assert_eq!(manifest["finalUntil"], json!(null));

    // The next run gives the parts their names and has nothing to add.
    let next = world.export(&ask, &world.tenants()).await;
    next.assert_complete(1);
    assert_eq!(next.sum("totalRecords"), 600);
    world.assert_truth(&ask);
}

/// Exports 9,000 records in a child whose shell ran `limit` first; checks what it said, then that the rest can be had.
async fn fills_up(limit: &dyn Fn(&str) -> String, compression: &'static str, test: &str, some: bool) {
    let world = World::start(
        1,
        9_000,
        AuditOptions {
            records_per_blob: 400,
            ..AuditOptions::default()
        },
    )
    .await;
    // With more tenants at a time each has fewer records in memory, and finishes parts on the way.
    let ask = Ask {
        throttle: 64,
        compression,
        ..world.ask()
    };
    let folder = world.folder.path();
    let shell = limit(&folder.to_string_lossy());
    let output = child::command(&world, &ask, &world.tenants(), folder, test, Some(&shell))
        .output()
        .unwrap();
    let said = child::said(&output);
    let trace = || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        println!("skipped: this machine lets nobody mount a small disk\n{}", trace());
        return;
    }
    assert_eq!(said.len(), 1, "{}", trace());
    let said = &said[0];
    assert_eq!(said["complete"], false, "{said}");
    assert_eq!(said["records"], said["lines"], "{said}");
    assert_eq!(said["total"], said["lines"], "{said}");
    let lines = said["lines"].as_i64().unwrap();
    assert!(lines < 9_000 && (lines > 0) == some, "{said}");
    let reason = said["reason"].as_str().unwrap();
    assert!(
        reason.contains("write") && reason.contains("run the same export again"),
        "{reason}"
    );
    // A manifest that found no room is the one from the start.
    assert_eq!(said["manifest"]["complete"], false, "{said}");

    world.export(&ask, &world.tenants()).await.assert_complete(1);
    world.assert_truth(&ask);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_any_more() {
    if child::is_child().await {
        return;
    }
    let limit = |_: &str| "trap '' XFSZ; ulimit -f 200".to_owned();
    fills_up(&limit, "none", "storage::a_file_that_may_not_grow_any_more", false).await;
}

/// Its records wait in a file of their own first.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_file_that_may_not_grow_any_more() {
    if child::is_child().await {
        return;
    }
    let limit = |_: &str| "trap '' XFSZ; ulimit -f 200".to_owned();
    let name = "storage::a_compressed_file_that_may_not_grow_any_more";
    fills_up(&limit, "gzip", name, false).await;
}

/// A disk of its own for the child, which only it sees.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full() {
    if child::is_child().await {
        return;
    }
    let limit = |folder: &str| {
        format!(
            "unshare -rm true 2>/dev/null || exit 77\n\
             [ -n \"$SECUREAPP_TEST_MOUNTED\" ] || SECUREAPP_TEST_MOUNTED=1 exec unshare -rm sh -c \
             'mount -t tmpfs -o size=9m tmpfs \"{folder}\" || exit 77; exec \"$0\" \"$@\"' \"$0\" \"$@\""
        )
    };
    fills_up(&limit, "none", "storage::a_disk_that_is_full", true).await;
}
