//! Processes that are killed while they redeem. The child is this test program, started again.
//!
//! `SECUREAPP_REDEMPTIONS=1000 SECUREAPP_KILLS=20 cargo test -p secureapp-core --test vault kills` is the full run.

use crate::support::{add_environment, engine, Process, World};
use secureapp_core::{Field, Request};
use serde_json::{json, Value as Json};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const FACTS: &str = "SECUREAPP_CHILD_FACTS";

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
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

/// Kills both children once the service has seen so many redemptions, or lets them end.
async fn kill_after(world: &World, children: &mut [Child], redemptions: u64) {
    loop {
        let running = children.iter_mut().any(|child| child.try_wait().unwrap().is_none());
        if world.redemptions() >= redemptions || !running {
            break;
        }
        tokio::task::yield_now().await;
    }
    for child in children {
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_kill_the_stored_token_redeems_and_each_process_wrote_once_at_most() {
    let redemptions = setting("SECUREAPP_REDEMPTIONS", 60);
    let kills = setting("SECUREAPP_KILLS", 3);
    let world = World::start().await;
    world.save(false).await;
    for round in 0..kills {
        let (seen, written) = (world.redemptions(), world.writes());
        let mut children = [
            start(&world, false, redemptions / 2),
            start(&world, false, redemptions / 2),
        ];
        kill_after(&world, &mut children, seen + 1 + round * redemptions / kills).await;
        assert!(
            world.writes() - written <= 2,
            "round {round}: {} writes",
            world.writes() - written
        );
        let next = Process::start(&world.sandbox, false).await.unwrap();
        assert!(
            next.redeem().await.end.is_ok(),
            "round {round}: the stored token is dead"
        );
    }
    // And without a kill: both end well. Whoever ends last has not always the newer token.
    let written = world.writes();
    let mut children = [
        start(&world, false, redemptions / 2),
        start(&world, false, redemptions / 2),
    ];
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let written = world.writes() - written;
    assert!((1..=2).contains(&written), "{written} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_kill_a_single_use_token_redeems_or_is_found_spent() {
    let kills = setting("SECUREAPP_KILLS", 3);
    for round in 0..kills {
        let world = World::start().await;
        add_environment_single_use(&world);
        world.save(true).await;
        let mut children = [start(&world, true, 20), start(&world, true, 20)];
        kill_after(&world, &mut children, 2 + 5 * round).await;
        let next = Process::start(&world.sandbox, true).await.unwrap();
        let before = world.redemptions();
        let first = next.redeem().await;
        let second = next.redeem().await;
        match first.end {
            Ok(()) => assert!(second.end.is_ok(), "round {round}: {:?}", second.end),
            Err(_) => {
                for outcome in [first, second] {
                    let advice = outcome.error().advice().to_owned();
                    assert!(
                        advice.contains("Consent again"),
                        "round {round}: {:?} {advice}",
                        outcome.end
                    );
                }
                assert!(
                    world.redemptions() - before <= 1,
                    "round {round}: asked again for a spent token"
                );
            }
        }
    }
}

/// The world's own engine is not used for tokens here; what matters is that the sandbox withdraws used tokens.
fn add_environment_single_use(world: &World) {
    add_environment(&world.sandbox, &engine(), true);
}
