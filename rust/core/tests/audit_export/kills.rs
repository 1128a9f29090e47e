//! Exports that are killed (SIGKILL) at random moments, resumed each time, and compared with one that nobody disturbed.
//!
//! Ten kills of a small export. `SECUREAPP_EXPORT_KILLS=200 cargo test --release -p secureapp-core --test audit_export kills --
//! --nocapture` kills an export of 200,000 records of 20 tenants so often and prints what it saw; bench/results/export-kills.md
//! keeps that. `SECUREAPP_SEED` chooses other moments.

use super::child;
use super::random::{told, Random};
use super::support::*;
use super::verify::verify;
use secureapp_sandbox::{AuditOptions, Options, Signature};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;

const NAME: &str = "kills::killed_at_random_moments_it_holds_what_an_undisturbed_export_holds";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_it_holds_what_an_undisturbed_export_holds() {
    if child::is_child().await {
        return;
    }
    let asked = told("SECUREAPP_EXPORT_KILLS");
    let (tenants, records) = if asked.is_some() { (20, 200_000) } else { (4, 12_000) };
    let seed = told("SECUREAPP_SEED").unwrap_or(1);
    let mut random = Random::new(seed);
    let world = World::with(Options {
        tenants,
        records,
        signature: Signature::Filler,
        audit: AuditOptions {
            records_per_blob: 100,
            without_id: 0.01,
            ..AuditOptions::default()
        },
        ..Options::default()
    })
    .await;
    // Each tenant has little room for records in memory, so that parts are finished on the way.
    let ask = Ask {
        // The feed's oldest hours leave it meanwhile, and what was asked for of them stays missing.
        start: world.now - 7 * DAY_MS + 7_200_000,
        throttle: 64,
        ..world.ask()
    };
    let undisturbed = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    assert!(start(&world, &ask, undisturbed.path()).wait().unwrap().success());
    let usual = begun.elapsed();
    let expected = Export::of(&world, undisturbed.path());
    assert_eq!(expected.count(), records as usize);

    let (mut killed, mut resumed, mut whole, mut ended) = (0, 0, 0, 0);
    while killed < asked.unwrap_or(10) {
        let mut child = start(&world, &ask, world.folder.path());
        // A part of a thousand of the usual time, from before the first request to after the last.
        tokio::time::sleep(usual.mul_f64(random.below(1000) as f64 / 1000.0)).await;
        child.kill().unwrap();
        match child.wait().unwrap().success() {
            true => ended += 1,
            false => killed += 1,
        }
        resumed += 1;
        // Once all of it is there, kills would find nothing to disturb: it is begun anew.
        if size_of_parts(&world) == expected.bytes() {
            finish(&world, &ask, &expected).await;
            whole += 1;
            for tenant in world.tenants() {
                fs::remove_dir_all(world.root(&tenant)).unwrap();
            }
        }
    }
    finish(&world, &ask, &expected).await;
    println!(
        "seed {seed}: {killed} exports of {records} records of {tenants} tenants killed in {:.0} s, {resumed} times begun or resumed, {whole} \
         times until all of it was there, {ended} were quicker than their kill; undisturbed it takes {:.1} s",
        begun.elapsed().as_secs_f64(),
        usual.as_secs_f64()
    );
}

fn start(world: &World, ask: &Ask, folder: &Path) -> Child {
    let mut command = child::command(world, ask, &world.tenants(), folder, NAME, None);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Resumes without a kill and compares: the records, the check, and what lies about.
async fn finish(world: &World, ask: &Ask, expected: &Export) {
    let outcome = world.export(ask, &world.tenants()).await;
    outcome.assert_complete(world.tenants().len());
    let found = Export::of(world, world.folder.path());
    assert!(
        found.0 == expected.0,
        "the records differ from those of an undisturbed export"
    );
    let checked = verify(world, &[world.folder.path()]).await;
    assert_eq!(checked.records.len(), world.tenants().len());
    for record in &checked.records {
        assert!(flag(record, "valid"), "{record:?}");
    }
    let left = strangers(world.folder.path());
    assert!(left.is_empty(), "{left:?}");
}

/// Each tenant's records, by day, sorted.
struct Export(BTreeMap<String, Vec<(String, String)>>);

impl Export {
    fn of(world: &World, folder: &Path) -> Self {
        let tenants = world.tenants().into_iter().map(|tenant| {
            let mut records = lines(&folder.join(format!("tenant={tenant}")));
            records.sort_unstable();
            (tenant, records)
        });
        Export(tenants.collect())
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Its parts' size, uncompressed.
    fn bytes(&self) -> u64 {
        let records = self.0.values().flatten();
        records.map(|(_, line)| line.len() as u64 + 1).sum()
    }
}

fn size_of_parts(world: &World) -> u64 {
    let tenants = world.tenants();
    let parts = tenants.iter().flat_map(|tenant| parts(&world.root(tenant)));
    parts.map(|(_, part)| fs::metadata(part).unwrap().len()).sum()
}

/// What a whole export leaves nowhere.
fn strangers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(strangers(&path));
        } else if !(name.starts_with("part-") || ["manifest.json", "_journal", "_lock"].contains(&name.as_str())) {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}
