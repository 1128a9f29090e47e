//! Stored credentials: saved, loaded, and kept current without writing each time.

use crate::support::{Process, World, MORE_THAN_A_DAY_MS};
use secureapp_core::{Field, Kind, Request, Value};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_is_loaded_in_another_process_and_redeems() {
    let world = World::start().await;
    let saved = world.save(false).await;
    let described = saved.describe();
    assert!(described
        .get("store")
        .and_then(Value::as_text)
        .unwrap()
        .ends_with("/secrets/sam"));
    let process = Process::start(&world.sandbox, false).await.unwrap();
    assert_eq!(process.redeem().await.records.len(), 1);
    assert!(process.credential.has_proof() && process.credential.has_refresh_token());
    let shown = format!("{:?} {:?}", process.credential, process.credential.describe());
    assert!(!shown.contains(&world.sandbox.facts().secret) && !shown.contains(&world.sandbox.facts().refresh_token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_written_once_a_day_however_often_a_token_is_redeemed() {
    let world = World::start().await;
    world.save(false).await;
    let process = Process::start(&world.sandbox, false).await.unwrap();
    assert_eq!(world.writes(), 1, "the save");
    for _ in 0..5 {
        assert!(process.redeem().await.end.is_ok());
    }
    assert_eq!(world.writes(), 1, "the stored token is good");
    process.engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    for _ in 0..5 {
        assert!(process.redeem().await.warnings.is_empty());
    }
    assert_eq!(world.writes(), 2);
    // What was written redeems in another process, also after the first token has been withdrawn.
    let next = Process::start(&world.sandbox, false).await.unwrap();
    assert_eq!(next.redeem().await.records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_process_writes_what_the_store_lacks_once() {
    let world = World::start().await;
    world.save(false).await;
    let process = Process::start(&world.sandbox, false).await.unwrap();
    process.engine.flush_stores().await;
    assert_eq!(world.writes(), 1, "nothing was redeemed");
    process.redeem().await;
    process.engine.flush_stores().await;
    process.engine.flush_stores().await;
    assert_eq!(world.writes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_is_a_warning_and_the_token_works() {
    let world = World::start().await;
    world.save(false).await;
    let process = Process::start(&world.sandbox, false).await.unwrap();
    process.engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    world.vault(json!({"access": "read-only"}));
    let outcome = process.redeem().await;
    assert!(outcome.end.is_ok() && outcome.records.len() == 1);
    let [warning] = &outcome.warnings[..] else {
        panic!("one warning: {:?}", outcome.warnings)
    };
    assert!(
        warning.contains("could not be stored") && warning.contains("Key Vault Secrets Officer"),
        "{warning}"
    );
    assert!(!warning.contains(&world.sandbox.facts().refresh_token));
    assert!(
        process.redeem().await.warnings.is_empty(),
        "not said, and not tried, again at once"
    );
    world.vault(json!({}));
    process.engine.flush_stores().await;
    assert_eq!(world.writes(), 3, "the save, the refused write, the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_no_credential_says_so() {
    let world = World::start().await;
    world.set("sam", "0.AXk-only-a-refresh-token").await;
    let error = match Process::start(&world.sandbox, false).await {
        Err(error) => error,
        Ok(_) => panic!("loaded"),
    };
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.advice().contains("Get-SecureAppKeyVaultSecret"));
    assert!(!error.message().contains("0.AXk"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_writes_for_a_store_that_only_it_reaches() {
    let world = World::start().await;
    let credential = world.credential();
    let place = |kind: &str| {
        Request::new(kind)
            .with("environment", Field::Text("Cloud".to_owned()))
            .with("hostStore", Field::Text("Local".to_owned()))
            .with("name", Field::Text("sam".to_owned()))
    };
    let save = place("credential_save").with("credential", Field::Credential(credential.clone()));
    let outcome = world.run(save).await;
    let record = &outcome.records[0];
    assert!(outcome.text("document").contains(&world.sandbox.facts().refresh_token));
    let engine = world.session.engine();
    let written = |id: i64| {
        Request::new("store.written")
            .with("id", Field::Int(id))
            .with("well", Field::Int(1))
    };
    let id = record.get("id").and_then(Value::as_i64).unwrap();
    secureapp_core::immediate(engine, &written(id)).unwrap();
    let due = || match secureapp_core::immediate(engine, &Request::new("store.due")).unwrap() {
        Value::List(list) => list,
        other => panic!("{other:?}"),
    };
    let process = Process::of(&world, credential);
    process.redeem().await;
    assert!(due().is_empty(), "less than a day");
    engine.clock().advance_ms(MORE_THAN_A_DAY_MS);
    let [write] = &due()[..] else { panic!("one write") };
    assert!(due().is_empty(), "given out once");
    let id = write.get("id").and_then(Value::as_i64).unwrap();
    let stored = outcome.text("document").to_owned();
    let wanted = Request::new("store.document")
        .with("id", Field::Int(id))
        .with("stored", Field::Secret(stored.as_str().into()));
    let document = secureapp_core::immediate(engine, &wanted).unwrap();
    let document = document.as_text().unwrap();
    assert!(
        !document.contains(&world.sandbox.facts().refresh_token),
        "the newest token"
    );
    secureapp_core::immediate(engine, &written(id)).unwrap();
    assert!(due().is_empty());
    let load = place("credential_load").with("document", Field::Secret(document.into()));
    assert_eq!(world.run(load).await.text("store"), "Local/sam");
    let single = place("credential_load")
        .with("document", Field::Secret(document.into()))
        .with("singleUse", Field::Int(1));
    assert!(world.run(single).await.error().message().contains("dies with its use"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_multifactor_authentication_is_stored_too() {
    let world = World::start().await;
    let facts = world.sandbox.facts();
    for known in [Some(true), Some(false), None] {
        let mut request = Request::new("credential")
            .with("applicationId", Field::Text(facts.application_id.clone()))
            .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
            .with("secret", Field::Secret(facts.secret.as_str().into()))
            .with("refreshToken", Field::Secret(facts.refresh_token.as_str().into()));
        if let Some(known) = known {
            request.set("mfa", Field::Int(i64::from(known)));
        }
        let credential = std::sync::Arc::new(secureapp_core::Credential::open(&request).unwrap());
        world.save_this(&credential, false).await;
        let mfa = |process: &Process| match process.credential.describe().get("mfa") {
            Some(Value::Bool(mfa)) => Some(*mfa),
            _ => None,
        };
        let process = Process::start(&world.sandbox, false).await.unwrap();
        assert_eq!(mfa(&process), known);
        process.redeem().await;
        process.engine.flush_stores().await;
        let next = Process::start(&world.sandbox, false).await.unwrap();
        assert_eq!(mfa(&next), known, "also after a newer token was written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_refresh_token_that_is_kept_begins_a_new_life() {
    let world = World::start().await;
    let facts = world.sandbox.facts();
    let now = world.session.engine().clock().now_ms();
    let day = 24 * 60 * 60 * 1000;
    let request = Request::new("credential")
        .with("applicationId", Field::Text(facts.application_id.clone()))
        .with("tenant", Field::Text(facts.partner_tenant_id.clone()))
        .with("secret", Field::Secret(facts.secret.as_str().into()))
        .with("refreshToken", Field::Secret(facts.refresh_token.as_str().into()))
        .with("acquiredOn", Field::Int(now - 80 * day));
    let credential = std::sync::Arc::new(secureapp_core::Credential::open(&request).unwrap());
    let process = Process::of(&world, credential);
    let days_left = || match process.credential.describe().get("refreshTokenExpiresOn") {
        Some(Value::Time(end)) => (end - now + day / 2) / day,
        other => panic!("{other:?}"),
    };
    assert_eq!(days_left(), 10);
    assert!(process.redeem_for(&facts.tenants[0].tenant_id).await.end.is_ok());
    assert_eq!(days_left(), 10, "the token of a customer's tenant is not kept");
    assert!(process.redeem().await.end.is_ok());
    assert_eq!(days_left(), 90);
}
