//! Rotating secrets: nothing that is stored ever stops working, whatever fails, and nothing piles up.

use crate::registration::{administrator, run, wanted, world, Answer};
use crate::rotation_bed::{bed, ids, refused, unproved};
use crate::support::text;
use secureapp_core::credential::Credential;
use secureapp_core::{Error, Field, Kind};
use secureapp_sandbox::Preset;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_secret_is_rotated_by_its_own_application_through_replication_lag() {
    let bed = bed().await;
    let first = bed.secrets().await;
    let settings = json!({ "replication": 2 });
    bed.world.sandbox.control().set_graph(settings).unwrap();
    let subject = bed.stored().await;
    let plan = run(&bed.world, bed.rotation(&subject), Answer::None).await;
    assert!(plan.result.is_none() && plan.end.is_ok());
    assert_eq!(plan.plan.len(), 3, "{:?}", plan.plan);
    assert!(plan.plan[2].contains(&first[0].0), "{:?}", plan.plan);
    assert_eq!(bed.secrets().await, first);

    let run = bed.rotate(bed.rotation(&subject)).await;

    run.end.as_ref().expect("it ends well");
    assert!(run.failures.is_empty() && run.warnings.is_empty(), "{:?}", run.warnings);
    assert!(
        run.progress.iter().any(|line| line.contains("the new credential")),
        "{:?}",
        run.progress
    );
    assert_eq!(ids(&run, "retired"), [first[0].0.clone()]);
    assert!(ids(&run, "kept").is_empty());
    let now = bed.secrets().await;
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].0, text(run.result.as_ref().unwrap(), "keyId"));
    assert!(now[0].1.ends_with(&format!("after {}", first[0].0)), "{now:?}");
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
    bed.redeem(&run.credential.unwrap()).await.expect("the new one works");
    let gone = bed.redeem(&subject).await.expect_err("the old one is gone");
    assert_eq!(gone.service().unwrap().code, "AADSTS7000215");
    let again = bed.done(wanted(&bed.world, &[("selfUpdate", Field::Int(1))])).await;
    assert!(again.plan.is_empty(), "its secret is known again: {:?}", again.plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_redeems_what_is_stored_notices_nothing() {
    let bed = bed().await;
    let settings = json!({ "replication": 3 });
    bed.world.sandbox.control().set_graph(settings).unwrap();
    let (bed, over) = (Arc::new(bed), Arc::new(AtomicBool::new(false)));
    let reader = tokio::spawn({
        let (bed, over) = (Arc::clone(&bed), Arc::clone(&over));
        async move {
            let mut after = 0;
            let mut redeemed = 0;
            while after < 3 {
                after += i32::from(over.load(Ordering::SeqCst));
                bed.redeem(&bed.stored().await).await?;
                redeemed += 1;
            }
            Ok::<_, Error>(redeemed)
        }
    });
    for _ in 0..2 {
        let subject = bed.stored().await;
        let request = bed.rotation(&subject).with("retireAfterSeconds", Field::Int(2));
        let run = bed.rotate(request).await;
        run.end.as_ref().expect("it ends well");
        assert_eq!(ids(&run, "retired").len(), 1);
    }
    over.store(true, Ordering::SeqCst);
    let redeemed = reader.await.unwrap().expect("no redemption failed");
    assert!(redeemed > 3, "{redeemed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_before_the_old_one_is_removed_leaves_it_working_and_nothing_behind() {
    for (fault, part) in [
        (refused("POST", "addPassword"), "The old credential works as before."),
        (
            unproved(),
            "The new key was taken away again. The old credential works as before.",
        ),
        (
            refused("PUT", "/secrets/sam"),
            "The new key was taken away again. The old credential works as before.",
        ),
    ] {
        let bed = bed().await;
        let first = bed.secrets().await;
        let subject = bed.stored().await;
        bed.world.fault(fault);
        let run = bed.rotate(bed.administered(&subject)).await;
        let error = run.end.as_ref().expect_err(part);
        assert!(error.advice().starts_with(part), "{error:?}: {}", error.advice());
        assert!(run.result.is_none() && run.credential.is_none());
        bed.world.sandbox.control().clear_faults();
        assert_eq!(bed.secrets().await, first, "{part}");
        bed.redeem(&bed.stored().await).await.expect("the stored one works");
        assert_eq!(subject.application_id(), bed.application.application_id());
        let again = bed.rotate(bed.administered(&subject)).await;
        assert_eq!(ids(&again, "retired"), [first[0].0.clone()], "{:?}", again.end);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_looked_for() {
    let bed = bed().await;
    let subject = bed.stored().await;
    bed.world.fault(json!({
        "match": {"method": "PUT", "pathContains": "/secrets/sam"},
        "times": -1,
        "action": {"kind": "truncate", "bytes": 10, "close": "abort"},
    }));

    let run = bed.rotate(bed.administered(&subject)).await;

    run.end.as_ref().expect("the store has it");
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
    assert_eq!(bed.secrets().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_knows_whether_it_is_stored_both_go_on_working() {
    let bed = bed().await;
    let subject = bed.stored().await;
    bed.world.fault(json!([
        {"match": {"method": "PUT", "pathContains": "/secrets/sam"}, "times": -1, "action": {"kind": "truncate", "bytes": 10, "close": "abort"}},
        // The first look is the one before the write.
        {"match": {"method": "GET", "pathContains": "/secrets/sam"}, "skip": 1, "times": -1, "action": {"kind": "status", "status": 403}},
    ]));

    let error = bed
        .rotate(bed.administered(&subject))
        .await
        .end
        .expect_err("it is not known");

    assert!(error.advice().starts_with("It is not known"), "{}", error.advice());
    bed.world.sandbox.control().clear_faults();
    assert_eq!(bed.secrets().await.len(), 2);
    bed.redeem(&subject).await.expect("the old one works");
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
    let again = bed.rotate(bed.administered(&bed.stored().await)).await;
    assert_eq!(ids(&again, "retired").len(), 2, "{:?}", again.end);
    assert_eq!(bed.secrets().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_could_not_be_removed_is_listed_and_goes_with_the_next_update() {
    let bed = bed().await;
    let first = bed.secrets().await;
    bed.world.fault(refused("POST", "removePassword"));

    let run = bed.rotate(bed.administered(&bed.stored().await)).await;

    run.end.as_ref().expect("it ends well");
    let [failure] = &run.failures[..] else {
        panic!("{:?}", run.failures)
    };
    assert!(
        failure.advice().starts_with("The new credential works."),
        "{}",
        failure.advice()
    );
    assert_eq!(ids(&run, "kept"), [first[0].0.clone()]);
    assert!(ids(&run, "retired").is_empty());
    bed.world.sandbox.control().clear_faults();
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
    let again = bed.rotate(bed.administered(&bed.stored().await)).await;
    assert_eq!(ids(&again, "retired").len(), 2);
    assert_eq!(bed.secrets().await.len(), 1);
}

/// A run that ends between two steps leaves what this leaves: a key of the place that nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_that_was_cut_off_left_goes_with_the_next_one() {
    let bed = bed().await;
    let subject = bed.stored().await;
    for _ in 0..2 {
        bed.world.fault(json!([unproved(), refused("POST", "removePassword")]));
        let error = bed.rotate(bed.administered(&subject)).await.end.expect_err("cut off");
        assert!(
            error.advice().contains("could not be taken away again"),
            "{}",
            error.advice()
        );
        bed.world.sandbox.control().clear_faults();
    }
    assert_eq!(bed.secrets().await.len(), 3);

    let run = bed.rotate(bed.rotation(&bed.stored().await)).await;

    assert_eq!(ids(&run, "retired").len(), 3, "{:?}", run.end);
    assert_eq!(bed.secrets().await.len(), 1);
    bed.redeem(&bed.stored().await).await.expect("the stored one works");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_anew_meanwhile_is_left_alone() {
    let bed = bed().await;
    let subject = bed.stored().await;
    let set = bed
        .environment("vault_secret_set")
        .with("credential", Field::Credential(Arc::clone(&bed.keeper)))
        .with("vault", Field::Text("contoso".to_owned()))
        .with("name", Field::Text("sam".to_owned()))
        .with("value", Field::Secret("something else".into()));
    bed.done(set).await;
    let first = bed.secrets().await;

    let error = bed
        .rotate(bed.administered(&subject))
        .await
        .end
        .expect_err("it is another's");

    assert!(error.message().contains("was replaced"), "{error}");
    assert!(
        error.advice().starts_with("The new key was taken away again."),
        "{}",
        error.advice()
    );
    assert_eq!(bed.secrets().await, first);
    bed.redeem(&subject).await.expect("the old one works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_stored_nowhere_leaves_the_old_one_until_the_next_update() {
    let bed = bed().await;
    let first = bed.secrets().await;

    let one = bed.rotate(bed.rotation(&bed.bare(&bed.secret))).await;

    assert_eq!(ids(&one, "kept"), [first[0].0.clone()], "{:?}", one.end);
    let kept = format!("{:?}", one.result);
    assert!(
        kept.contains("stored nowhere yet") && !kept.contains("/secrets/"),
        "{kept}"
    );
    bed.redeem(&bed.application).await.expect("the old one works");
    let two = bed.rotate(bed.rotation(one.credential.as_ref().unwrap())).await;
    assert_eq!(ids(&two, "retired"), [first[0].0.clone()]);
    assert_eq!(bed.secrets().await.len(), 2);
    let three = bed
        .rotation(two.credential.as_ref().unwrap())
        .with("force", Field::Int(1));
    let three = bed.rotate(three).await;
    assert_eq!(ids(&three, "retired").len(), 2);
    bed.redeem(three.credential.as_ref().unwrap())
        .await
        .expect("the new one works");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_on_purpose_goes_with_the_next_update_and_others_keys_never() {
    let bed = bed().await;
    let first = bed.secrets().await[0].0.clone();
    let others = bed.rotate(bed.rotation(&bed.bare(&bed.secret))).await;
    let theirs = text(others.result.as_ref().unwrap(), "keyId").to_owned();
    let keep = |subject: &Arc<Credential>| bed.rotation(subject).with("keepOld", Field::Int(1));

    let one = bed.rotate(keep(&bed.stored().await)).await;
    let two = bed.rotate(keep(&bed.stored().await)).await;

    assert_eq!(ids(&one, "kept"), [first.clone(), theirs.clone()], "{:?}", one.end);
    assert!(ids(&one, "retired").is_empty());
    let second = text(one.result.as_ref().unwrap(), "keyId").to_owned();
    assert_eq!(ids(&two, "kept"), [theirs, second]);
    assert_eq!(ids(&two, "retired"), [first]);
    bed.redeem(one.credential.as_ref().unwrap())
        .await
        .expect("the last one works");
    bed.redeem(others.credential.as_ref().unwrap())
        .await
        .expect("the others' works");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_opens_the_vault_is_not_pulled_from_under_it() {
    let bed = bed().await;
    let opener = bed.bare(&bed.secret);
    let load = bed
        .place("credential_load")
        .with("vaultCredential", Field::Credential(Arc::clone(&opener)));
    let subject = bed.done(load).await.credential.unwrap();

    let run = bed.rotate(bed.administered(&subject)).await;

    assert!(ids(&run, "retired").is_empty(), "{:?}", run.end);
    assert!(format!("{:?}", run.result).contains("The credential that opens the key vault proves itself with it"));
    bed.redeem(&opener).await.expect("it still opens the vault");
}

/// A credential that was loaded from the place itself is no way to it, and has the old key all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_somebody_at_hand_proves_itself_with_stays_unless_it_is_forced_away() {
    let bed = bed().await;
    let first = bed.stored().await;
    for (field, why) in [
        (
            "vaultCredential",
            "The credential that opens the key vault proves itself with it",
        ),
        (
            "defaultCredential",
            "The session's default credential proves itself with it",
        ),
    ] {
        let rotation = bed
            .administered(&bed.stored().await)
            .with(field, Field::Credential(Arc::clone(&first)));
        let run = bed.rotate(rotation).await;

        assert!(format!("{:?}", run.result).contains(why), "{field}: {:?}", run.end);
        bed.redeem(&first).await.expect("its key is there");
    }
    let last = bed.stored().await;
    let forced = bed
        .administered(&bed.stored().await)
        .with("defaultCredential", Field::Credential(Arc::clone(&last)))
        .with("force", Field::Int(1));
    bed.rotate(forced).await.end.expect("it ends well");
    bed.redeem(&last).await.expect_err("its key is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_may_not_change_itself_asks_for_an_administrator() {
    let bed = bed().await;
    let before = bed.world.requests("addPassword");
    let error = bed.rotate(bed.rotation(&bed.keeper)).await.end.expect_err("it may not");
    assert_eq!((error.kind(), error.id()), (Kind::Denied, "NeedsAdministrator"));
    assert!(error.advice().contains("-AllowSelfUpdate"), "{}", error.advice());
    let wrong = bed.bare("wrong");
    let error = bed
        .rotate(bed.rotation(&wrong))
        .await
        .end
        .expect_err("its secret is wrong");
    assert_eq!(error.id(), "NeedsAdministrator");
    assert!(error.message().contains("AADSTS7000215"), "{error}");
    assert_eq!(bed.world.requests("addPassword"), before);
    let by_administrator = bed.rotate(bed.administered(&wrong)).await;
    assert!(ids(&by_administrator, "retired").is_empty());
    assert!(
        by_administrator.warnings[0].contains("Nothing in the registration says"),
        "{:?}",
        by_administrator.warnings
    );
    bed.redeem(&bed.application)
        .await
        .expect("whose key it is was not known");
}

/// The application that the sandbox begins with was not made a moment ago, so what is said of it is not waited out.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_there_for_long_is_rotated_and_one_that_has_gone_is_told_at_once() {
    let world = world(Preset::Partner).await;
    let tenant = Field::Text(world.sandbox.facts().partner_tenant_id.clone());
    let subject = world.credential_request().with("tenant", tenant);
    let subject = Arc::new(Credential::open(&subject).unwrap());
    let rotation = || {
        world
            .request("credential_rotate", &administrator(&world, "sam"))
            .with("subject", Field::Credential(Arc::clone(&subject)))
            .with("force", Field::Int(1))
            .with("retireAfterSeconds", Field::Int(0))
    };
    world.fault(json!({
        "match": {"method": "POST", "pathContains": "addPassword"},
        "times": -1,
        "action": {"kind": "status", "status": 404, "contentType": "application/json",
            "body": "{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"Resource 'x' does not exist.\"}}"},
    }));
    let gone = run(&world, rotation(), Answer::All).await;
    let error = gone.end.expect_err("it has gone");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert_eq!(world.requests("addPassword"), 1);
    let said = format!("{error} {}", error.advice());
    assert!(!said.contains("olicies"), "{said}");
    assert!(
        !gone.progress.iter().any(|line| line.contains("waiting")),
        "{:?}",
        gone.progress
    );

    world.sandbox.control().clear_faults();
    let done = run(&world, rotation(), Answer::All).await;
    done.end.as_ref().expect("it ends well");
    assert_eq!(ids(&done, "retired").len(), 1, "{:?}", done.failures);
    assert!(ids(&done, "kept").is_empty() && done.warnings.is_empty());
    assert!(done.credential.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_before_anything_is_sent() {
    let bed = bed().await;
    bed.world.sandbox.control().reset_stats();
    let user = Arc::new(Credential::open(&administrator(&bed.world, "sam")).unwrap());
    for (subject, fields, part) in [
        (&user, vec![], "proves itself by nothing"),
        (&bed.application, vec![("secretDays", Field::Int(0))], "0 days"),
        (
            &bed.application,
            vec![("retireAfterSeconds", Field::Int(3601))],
            "longer than an hour",
        ),
        (
            &bed.application,
            vec![("keepOld", Field::Int(1)), ("force", Field::Int(1))],
            "to be kept and to be removed",
        ),
        (
            &bed.application,
            vec![("certificateCredential", Field::Credential(Arc::clone(&bed.keeper)))],
            "no certificate",
        ),
    ] {
        let mut request = bed.rotation(subject);
        for (key, field) in fields {
            request.set(key, field);
        }
        let error = bed.rotate(request).await.end.expect_err(part);
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(bed.world.requests(""), 0);
}
