//! Refresh tokens that die with their use: read, redeemed and written with nobody in between.

use crate::support::{Process, World};
use secureapp_core::Kind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_take_turns_and_each_redeems_what_the_other_stored() {
    let world = World::start().await;
    world.save(true).await;
    let one = Process::start(&world.sandbox, true).await.unwrap();
    let two = Process::start(&world.sandbox, true).await.unwrap();
    for _ in 0..3 {
        let (a, b) = tokio::join!(one.redeem(), two.redeem());
        for outcome in [a, b] {
            assert!(outcome.end.is_ok() && outcome.warnings.is_empty(), "{outcome:?}");
        }
    }
    assert_eq!(world.writes(), 1 + 6, "one after each redemption");
    one.engine.flush_stores().await;
    assert_eq!(world.writes(), 1 + 6, "nothing is left to write");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_after_a_redemption_is_told_and_made_up_for() {
    let world = World::start().await;
    world.save(true).await;
    let process = Process::start(&world.sandbox, true).await.unwrap();
    world.vault(json!({"access": "read-only"}));
    let outcome = process.redeem().await;
    assert!(outcome.end.is_ok());
    assert!(
        outcome.warnings[0].contains("could not be stored"),
        "{:?}",
        outcome.warnings
    );
    // The store has a dead token; this process has the good one.
    assert!(process.redeem().await.end.is_ok());
    world.vault(json!({}));
    process.engine.flush_stores().await;
    let next = Process::start(&world.sandbox, true).await.unwrap();
    assert!(next.redeem().await.end.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_in_the_gap_is_found_and_the_spent_token_is_not_asked_for_again() {
    let world = World::start().await;
    world.save(true).await;
    let killed = Process::start(&world.sandbox, true).await.unwrap();
    world.vault(json!({"access": "read-only"}));
    assert!(killed.redeem().await.end.is_ok());
    drop(killed);
    world.vault(json!({}));
    let next = Process::start(&world.sandbox, true).await.unwrap();
    let before = world.redemptions();
    for _ in 0..3 {
        let outcome = next.redeem().await;
        assert_eq!(outcome.error().kind(), Kind::NotSignedIn);
        assert!(
            outcome.error().advice().contains("Consent again"),
            "{}",
            outcome.error().advice()
        );
    }
    assert_eq!(
        world.redemptions() - before,
        1,
        "tried once, because it might not have been sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_was_never_sent_costs_nothing() {
    let world = World::start().await;
    world.save(true).await;
    let killed = Process::start(&world.sandbox, true).await.unwrap();
    world.fault(
        json!({"id": "held", "match": {"service": "login", "grant": "refresh_token"}, "action": {"kind": "reset"}}),
    );
    assert!(killed.redeem().await.end.is_err());
    drop(killed);
    world.sandbox.control().clear_faults();
    let next = Process::start(&world.sandbox, true).await.unwrap();
    assert!(
        next.redeem().await.end.is_ok(),
        "the note of the one before is no verdict"
    );
}
