//! A stop leaves no key that nobody has, and none that nobody knows of.

use crate::registration::{administrator, run, stop, wanted, world, Answer};
use crate::rotation_bed::{bed, refused};
use crate::support::{text, World};
use secureapp_core::{Field, Value};
use secureapp_sandbox::Preset;
use serde_json::json;
use std::future::Future;
use std::time::Duration;

/// Keeps applications from proving themselves until it is let go.
fn hold_proofs(world: &World) {
    world.fault(json!({
        "id": "proof",
        "match": {"service": "login", "grant": "client_credentials"},
        "times": -1,
        "action": {"kind": "hold"},
    }));
}

fn let_go(world: &World) {
    world.sandbox.control().release("proof");
    world.sandbox.control().clear_faults();
}

/// What comes in a moment, or never.
async fn within(work: impl Future<Output = ()>) {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.expect("it comes");
}

/// The ids of the secrets of the only application.
async fn secrets(world: &World) -> Vec<String> {
    let list = world.request("application_list", &administrator(world, "sam"));
    let listed = run(world, list, Answer::None).await.result.expect("the application");
    let Some(Value::List(keys)) = listed.get("keys") else {
        panic!("no keys")
    };
    keys.iter().map(|key| text(key, "keyId").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_updates_new_key_is_taken_away() {
    let bed = bed().await;
    let first = bed.secrets().await;
    let subject = bed.stored().await;
    hold_proofs(&bed.world);

    stop(&bed.world, bed.administered(&subject), "proving").await;

    let_go(&bed.world);
    within(async {
        while bed.secrets().await != first {
            tokio::task::yield_now().await;
        }
    })
    .await;
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrations_new_secret_is_taken_away_and_the_next_run_makes_one() {
    let world = world(Preset::Empty).await;
    hold_proofs(&world);

    stop(&world, wanted(&world, &[]), "proving").await;

    within(async {
        while !secrets(&world).await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let_go(&world);
    let again = run(&world, wanted(&world, &[]), Answer::All).await;
    assert!(
        again.credential.is_some() && again.plan.len() == 1,
        "only the secret is missing: {:?}",
        again.plan
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_taken_away_is_what_a_later_operation_says() {
    let world = world(Preset::Empty).await;
    hold_proofs(&world);
    world.fault(refused("POST", "removePassword"));

    stop(&world, wanted(&world, &[]), "proving").await;

    within(async {
        loop {
            let list = world.request("application_list", &administrator(&world, "sam"));
            let run = run(&world, list, Answer::None).await;
            if run
                .warnings
                .iter()
                .any(|text| text.contains("could not be taken away again"))
            {
                break;
            }
        }
    })
    .await;
    assert_eq!(secrets(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrations_new_secret_stays_where_it_is_in_a_file() {
    let world = world(Preset::Empty).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("application.csv");
    std::fs::write(&file, "of before").unwrap();
    let fields = [("csvPath", Field::Text(file.to_str().unwrap().to_owned()))];
    hold_proofs(&world);

    stop(&world, wanted(&world, &fields), "proving").await;

    let_go(&world);
    let again = run(&world, wanted(&world, &fields), Answer::All).await;
    assert!(again.plan.is_empty(), "{:?}", again.plan);
    assert_eq!(secrets(&world).await.len(), 1);
    assert!(std::fs::read_to_string(&file).unwrap().contains("clientSecret"));
    let names: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}
