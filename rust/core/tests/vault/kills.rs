//! Processes that are killed while they redeem. The child is this test program, started again.
//!
//! 1,000 redemptions of two processes are killed at ten places. `SECUREAPP_KILLS=100 cargo test --release -p secureapp-core
//! --test vault kills -- --nocapture` kills them at a hundred and prints what it saw; bench/results/kills.md keeps that.

use crate::support::{add_environment, engine, Outcome, Process, World};
use secureapp_core::{Field, Request};
use serde_json::{json, Value as Json};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const FACTS: &str = "SECUREAPP_CHILD_FACTS";

/// Redemptions of both processes together, all at once.
const REDEMPTIONS: u64 = 1000;

fn kills(usual: u64) -> u64 {
    let told = std::env::var("SECUREAPP_KILLS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Not a test of its own: what a child does. Without its parent's facts it does nothing.
#[test]
fn child() {
    let Ok(facts) = std::env::var(FACTS) else { return };
    let facts: Json = serde_json::from_str(&facts).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let text = |key: &str| facts[key].as_str().unwrap().to_owned();
        let engine = engine();
        let mut request = Request::new("environment.add").with("name", Field::Text("Cloud".to_owned()));
        for key in ["loginHost", "graphHost", "keyVaultHost", "caPem"] {
            request.set(key, Field::Text(text(key)));
        }
        if facts["singleUse"] == true {
            request.set("singleUseRefreshTokens", Field::Int(1));
        }
        secureapp_core::immediate(&engine, &request).unwrap();
        let process = Process::load(engine, &text("application"), &text("tenant"), &text("secret"))
            .await
            .unwrap();
        let process = Arc::new(process);
        let count = facts["redemptions"].as_u64().unwrap();
        let all = (0..count).map(|_| {
            let process = Arc::clone(&process);
            tokio::spawn(async move { process.redeem().await })
        });
        for task in all.collect::<Vec<_>>() {
            let outcome = task.await.unwrap();
            if let Err(error) = outcome.end {
                panic!("{error:?}");
            }
        }
        process.engine.flush_stores().await;
    });
}

fn start(world: &World, single_use: bool, redemptions: u64) -> Child {
    let facts = world.sandbox.facts();
    let told = json!({
        "loginHost": facts.endpoints.login, "graphHost": facts.endpoints.graph, "keyVaultHost": facts.endpoints.key_vault,
        "caPem": world.sandbox.ca_pem(), "application": facts.application_id, "tenant": facts.partner_tenant_id,
        "secret": facts.secret, "singleUse": single_use, "redemptions": redemptions,
    });
    Command::new(std::env::current_exe().unwrap())
        .args(["kills::child", "--exact", "--nocapture"])
        .env(FACTS, told.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills both children once the service has seen so many redemptions, or lets them end; how many were killed.
async fn kill_after(world: &World, children: &mut [Child], redemptions: u64) -> u64 {
    loop {
        let running = children.iter_mut().any(|child| child.try_wait().unwrap().is_none());
        if world.redemptions() >= redemptions || !running {
            break;
        }
        tokio::task::yield_now().await;
    }
    kill(children)
}

fn kill(children: &mut [Child]) -> u64 {
    let killed = children.iter_mut().map(|child| {
        // It may have ended by itself.
        let _ = child.kill();
        u64::from(!child.wait().unwrap().success())
    });
    killed.sum()
}

/// Two children that end by themselves, without a complaint.
fn run_both(world: &World, single_use: bool, redemptions: u64) {
    let mut children = [(); 2].map(|()| start(world, single_use, redemptions / 2));
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
}

/// Holds the next write to the store, before or after it is done, and kills whoever waits for it.
async fn kill_at_the_write(world: &World, stage: &str, children: &mut [Child]) {
    world.fault(
        json!({"id": "write", "match": {"service": "keyVault", "method": "PUT"}, "action": {"kind": "hold", "stage": stage}}),
    );
    let control = world.sandbox.control();
    let limit = Duration::from_secs(120);
    let held = control.wait_hold("write", "held", 1, limit).await;
    assert!(held.is_ok(), "{stage}: nothing was written");
    assert_eq!(kill(children), children.len() as u64, "{stage}");
    // Until the service knows that nobody waits any more, letting go would do the write.
    let closed = control.wait_hold("write", "closed", 1, limit).await;
    assert!(closed.is_ok(), "{stage}: the connection is still there");
    control.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_kill_the_stored_token_redeems_and_each_process_wrote_once_at_most() {
    let kills = kills(10);
    let world = World::start().await;
    world.save(false).await;
    let (mut killed, mut most_writes) = (0, 0);
    for round in 0..kills {
        let (seen, written) = (world.redemptions(), world.writes());
        let mut children = [(); 2].map(|()| start(&world, false, REDEMPTIONS / 2));
        killed += kill_after(&world, &mut children, seen + 1 + round * REDEMPTIONS / kills).await;
        most_writes = most_writes.max(world.writes() - written);
        assert!(most_writes <= 2, "round {round}: {most_writes} writes");
        let next = Process::start(&world.sandbox, false).await.unwrap();
        assert!(
            next.redeem().await.end.is_ok(),
            "round {round}: the stored token is dead"
        );
    }
    // The last kills may come when one of the two has ended.
    assert!(killed >= kills, "only {killed} processes were killed in {kills} rounds");
    println!(
        "{killed} processes killed in {kills} rounds, {} redemptions, at most {most_writes} writes in a round",
        world.redemptions()
    );
    // And without a kill: both end well. Whoever ends last has not always the newer token.
    let (seen, written) = (world.redemptions(), world.writes());
    run_both(&world, false, REDEMPTIONS);
    let written = world.writes() - written;
    assert!((1..=2).contains(&written), "{written} writes");
    // One that is asked for just before another is sent may share its answer.
    let redeemed = world.redemptions() - seen;
    assert!(redeemed > REDEMPTIONS / 10 * 9, "{redeemed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_the_write_leaves_a_stored_token_that_redeems() {
    for stage in ["before-headers", "after-headers"] {
        let world = World::start().await;
        world.save(false).await;
        let mut children = [start(&world, false, 20)];
        kill_at_the_write(&world, stage, &mut children).await;
        let next = Process::start(&world.sandbox, false).await.unwrap();
        assert!(next.redeem().await.end.is_ok(), "{stage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_kill_a_single_use_token_redeems_or_is_found_spent() {
    let (mut spent, kills) = (0, kills(3));
    for round in 0..kills {
        let world = single_use_world().await;
        let mut children = [(); 2].map(|()| start(&world, true, 20));
        kill_after(&world, &mut children, 2 + 5 * round % 38).await;
        let next = Process::start(&world.sandbox, true).await.unwrap();
        let before = world.redemptions();
        let first = next.redeem().await;
        if first.end.is_ok() {
            let second = next.redeem().await;
            assert!(second.end.is_ok(), "round {round}: {:?}", second.end);
        } else {
            spent += 1;
            consent_is_asked_for(&first);
            consent_is_asked_for(&next.redeem().await);
            assert!(
                world.redemptions() - before <= 1,
                "round {round}: asked again for a spent token"
            );
        }
    }
    println!("{kills} kills among single-use redemptions, {spent} of them in the gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_redemption_and_write_is_found_at_the_next_start() {
    let world = single_use_world().await;
    kill_at_the_write(&world, "before-headers", &mut [start(&world, true, 1)]).await;
    let before = world.redemptions();
    for tries in [1, 1] {
        // Another process each time: what the first one found out is on disk.
        let next = Process::start(&world.sandbox, true).await.unwrap();
        consent_is_asked_for(&next.redeem().await);
        consent_is_asked_for(&next.redeem().await);
        assert_eq!(world.redemptions() - before, tries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_write_loses_nothing() {
    let world = single_use_world().await;
    kill_at_the_write(&world, "after-headers", &mut [start(&world, true, 1)]).await;
    let next = Process::start(&world.sandbox, true).await.unwrap();
    assert!(next.redeem().await.end.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_redeem_a_single_use_token_in_turns() {
    let world = single_use_world().await;
    let written = world.writes();
    run_both(&world, true, 40);
    let redeemed = world.redemptions();
    assert_eq!(world.writes() - written, redeemed, "one after each redemption");
    assert!(redeemed > 36, "{redeemed}");
}

fn consent_is_asked_for(outcome: &Outcome) {
    let advice = outcome.error().advice();
    assert!(advice.contains("Consent again"), "{:?} {advice}", outcome.end);
}

/// A sandbox that withdraws used tokens, and a credential stored in it as one whose token works once.
async fn single_use_world() -> World {
    let world = World::start().await;
    add_environment(&world.sandbox, &engine(), true);
    world.save(true).await;
    world
}
