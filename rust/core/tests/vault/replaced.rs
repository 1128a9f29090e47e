//! What others saved, changed or removed stays as they left it; and a place has one writer in a process.

use crate::support::{open, Outcome, Process, World, MORE_THAN_A_DAY_MS};
use secureapp_core::{Credential, Field, Kind, Request, Value};
use std::sync::Arc;

const NEW_SECRET: &str = "the-secret-after-the-rotation";
const NEW_TOKEN: &str = "0.AXk-another-users-token";

/// The same application with another secret, and another user.
fn renewed_by_hand(world: &World) -> Arc<Credential> {
    let facts = world.sandbox.facts();
    open(&facts.application_id, &facts.partner_tenant_id, NEW_SECRET, NEW_TOKEN)
}

/// What is stored as 'sam'; the application reads it, so that no refresh token is used for that.
async fn kept(world: &World) -> String {
    let request = world
        .request("vault_secret_get")
        .with("name", Field::Text("sam".to_owned()))
        .with("appOnly", Field::Int(1));
    world.run(request).await.text("value").to_owned()
}

fn store(process: &Process) -> Option<String> {
    let described = process.credential.describe();
    described.get("store").and_then(Value::as_text).map(str::to_owned)
}

fn told(outcome: &Outcome, what: &str) {
    assert!(outcome.end.is_ok() && outcome.records.len() == 1, "the token works on");
    let [warning] = &outcome.warnings[..] else {
        panic!("one warning: {:?}", outcome.warnings)
    };
    assert!(
        warning.contains(what) && warning.contains("'sam'") && warning.contains("Get-SecureAppCredential"),
        "{warning}"
    );
    assert!(!warning.contains(NEW_SECRET) && !warning.contains(NEW_TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_one_writer_however_often_it_loads_a_credential() {
    let world = World::start().await;
    world.save(false).await;
    let mut loaded = Vec::new();
    for _ in 0..10 {
        let process = Process::again(&world).await;
        assert!(process.redeem().await.end.is_ok());
        loaded.push(process);
    }
    assert_eq!(world.writes(), 1, "the save");
    world.session.engine().flush_stores().await;
    assert_eq!(world.writes(), 2);
    // And while it runs: the first of them to see the day end writes for all.
    world.session.engine().clock().advance_ms(MORE_THAN_A_DAY_MS);
    for process in &loaded {
        assert!(process.redeem().await.warnings.is_empty());
    }
    assert_eq!(world.writes(), 3);
    let text = kept(&world).await;
    assert!(!text.contains(&world.sandbox.facts().refresh_token));
    assert!(Process::again(&world).await.redeem().await.end.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_process_does_not_undo_its_own_save() {
    let world = World::start().await;
    world.save(false).await;
    let old = Process::again(&world).await;
    old.redeem().await;
    world.save_this(&renewed_by_hand(&world), false).await;
    assert_eq!(store(&old), None, "something else is stored there");
    let saved = kept(&world).await;
    assert!(saved.contains(NEW_SECRET) && saved.contains(NEW_TOKEN));
    old.redeem().await;
    world.session.engine().flush_stores().await;
    world.session.engine().clock().advance_ms(MORE_THAN_A_DAY_MS);
    assert!(old.redeem().await.warnings.is_empty(), "nothing was to be written");
    assert!(kept(&world).await == saved, "it is as it was saved");
    assert_eq!(world.writes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_saved_is_not_undone_at_the_end() {
    let world = World::start().await;
    world.save(false).await;
    let old = Process::start(&world.sandbox, false).await.unwrap();
    old.redeem().await;
    world.save_this(&renewed_by_hand(&world), false).await;
    let saved = kept(&world).await;
    old.engine.flush_stores().await;
    assert!(kept(&world).await == saved, "it is as it was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_saved_is_told_after_a_day_and_left() {
    let world = World::start().await;
    world.save(false).await;
    let old = Process::start(&world.sandbox, false).await.unwrap();
    world.save_this(&renewed_by_hand(&world), false).await;
    let saved = kept(&world).await;
    old.engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    told(&old.redeem().await, "was replaced");
    assert_eq!(store(&old), None);
    assert!(old.redeem().await.warnings.is_empty(), "once");
    old.engine.flush_stores().await;
    assert!(kept(&world).await == saved, "it is as it was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_credential_saved_again_is_another_save() {
    let world = World::start().await;
    world.save(false).await;
    let old = Process::start(&world.sandbox, false).await.unwrap();
    old.redeem().await;
    world.save(false).await;
    let saved = kept(&world).await;
    old.engine.flush_stores().await;
    assert!(kept(&world).await == saved, "a new consent may be what was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_in_the_vault_stays() {
    let world = World::start().await;
    let facts = world.sandbox.facts();
    for (old, new) in [
        (facts.secret.as_str(), NEW_SECRET),
        (facts.refresh_token.as_str(), NEW_TOKEN),
    ] {
        world.save(false).await;
        let process = Process::start(&world.sandbox, false).await.unwrap();
        process.redeem().await;
        let edited = kept(&world).await.replace(old, new);
        assert!(edited.contains(new));
        world.set("sam", &edited).await;
        process.engine.flush_stores().await;
        assert!(kept(&world).await == edited);
    }
    world.save(false).await;
    let process = Process::start(&world.sandbox, false).await.unwrap();
    world.set("sam", "no credential at all").await;
    process.engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    told(&process.redeem().await, "no credential");
    assert_eq!(kept(&world).await, "no credential at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_credential_stays_removed() {
    let world = World::start().await;
    let saved = world.save(false).await;
    let loaded = Process::again(&world).await;
    loaded.redeem().await;
    Process::of(&world, saved).redeem().await;
    let elsewhere = Process::start(&world.sandbox, false).await.unwrap();
    elsewhere.redeem().await;
    let later = Process::start(&world.sandbox, false).await.unwrap();
    world.remove().await;
    assert_eq!(store(&loaded), None);
    world.session.engine().flush_stores().await;
    elsewhere.engine.flush_stores().await;
    later.engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    told(&later.redeem().await, "was removed");
    assert_eq!(world.writes(), 1, "not even tried");
    assert_eq!(world.get("sam").await.error().kind(), Kind::NotFound);
    // Whoever saves wants the name back.
    world.save(false).await;
    assert!(Process::start(&world.sandbox, false)
        .await
        .unwrap()
        .redeem()
        .await
        .end
        .is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_removed_between_the_look_and_the_write_is_not_brought_back() {
    let world = World::start().await;
    world.save(false).await;
    let process = Process::start(&world.sandbox, false).await.unwrap();
    process.redeem().await;
    let conflict = serde_json::json!({"error": {"code": "Conflict", "message": "deleted",
        "innererror": {"code": "ObjectIsDeletedButRecoverable"}}});
    world.fault(
        serde_json::json!({"match": {"method": "PUT", "service": "keyVault"}, "times": -1,
        "action": {"kind": "status", "status": 409, "body": conflict.to_string()}}),
    );
    process.engine.flush_stores().await;
    assert_eq!(world.writes(), 2, "the save, and one refused write");
    assert_eq!(world.count("POST /deletedsecrets/{name}/recover"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_the_newer_token_is_kept() {
    let world = World::start().await;
    world.save(false).await;
    let one = Process::start(&world.sandbox, false).await.unwrap();
    let two = Process::start(&world.sandbox, false).await.unwrap();
    one.redeem().await;
    one.engine.flush_stores().await;
    // Its clock is what says that this token is the newer one.
    two.engine.clock().advance_ms(60 * 60 * 1000);
    two.redeem().await;
    two.engine.flush_stores().await;
    assert_eq!(world.writes(), 3, "the save, and one for each");
    let newest = kept(&world).await;
    one.redeem().await;
    one.engine.flush_stores().await;
    assert!(
        kept(&world).await == newest,
        "an older token is not written over a newer one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_single_use_token_is_not_redeemed_as_ones_own() {
    let world = World::start().await;
    world.save(true).await;
    let old = Process::start(&world.sandbox, true).await.unwrap();
    world.save_this(&renewed_by_hand(&world), true).await;
    let saved = kept(&world).await;
    told(&old.redeem().await, "was replaced");
    assert!(old.redeem().await.warnings.is_empty(), "once");
    old.engine.flush_stores().await;
    assert!(kept(&world).await == saved, "it is as it was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_told_to_leave_what_it_finds_replaced() {
    let world = World::start().await;
    let engine = world.session.engine();
    let place = |kind: &str| {
        Request::new(kind)
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("hostStore", Field::Text("Local".to_owned()))
            .with("name", Field::Text("sam".to_owned()))
    };
    let due = || match secureapp_core::immediate(engine, &Request::new("store.due")).unwrap() {
        Value::List(list) => list,
        other => panic!("{other:?}"),
    };
    let id_of = |value: &Value| value.get("id").and_then(Value::as_i64).unwrap();
    let written = |id: i64, well: bool| {
        let told = Request::new("store.written")
            .with("id", Field::Int(id))
            .with("well", Field::Int(i64::from(well)));
        secureapp_core::immediate(engine, &told).unwrap();
    };
    let save = |credential: Arc<Credential>| place("credential_save").with("credential", Field::Credential(credential));

    let credential = world.credential();
    let failed = world.run(save(Arc::clone(&credential))).await;
    written(id_of(&failed.records[0]), false);
    let process = Process::of(&world, credential);
    assert_eq!(store(&process), None, "a save that failed binds nothing");
    let saved = world.run(save(Arc::clone(&process.credential))).await;
    written(id_of(&saved.records[0]), true);
    assert_eq!(store(&process).as_deref(), Some("Local/sam"));

    let mut outcomes = Vec::new();
    for stored in [
        Some(
            saved
                .text("document")
                .replace(&world.sandbox.facts().secret, NEW_SECRET),
        ),
        None,
    ] {
        let again = world.run(save(Arc::clone(&process.credential))).await;
        written(id_of(&again.records[0]), true);
        process.redeem().await;
        engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
        let [write] = &due()[..] else { panic!("one write") };
        let mut wanted = Request::new("store.document").with("id", Field::Int(id_of(write)));
        if let Some(stored) = stored {
            wanted.set("stored", Field::Secret(stored.as_str().into()));
        }
        outcomes.push(
            secureapp_core::immediate(engine, &wanted)
                .unwrap_err()
                .message()
                .to_owned(),
        );
        written(id_of(write), false);
        assert!(due().is_empty() && store(&process).is_none());
    }
    assert!(
        outcomes[0].contains("was replaced") && outcomes[1].contains("was removed"),
        "{outcomes:?}"
    );

    let again = world.run(save(Arc::clone(&process.credential))).await;
    written(id_of(&again.records[0]), true);
    process.redeem().await;
    assert!(world.run(place("credential_remove")).await.end.is_ok());
    engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    assert!(due().is_empty(), "nothing is written to what was removed");
}
