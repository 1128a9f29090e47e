//! The directory answers for a while as if a new certificate were not there. All certificates are written at once, so whoever writes
//! such an answer back takes the new one away.

use crate::registration::{run, wanted, Answer};
use crate::rotation_bed::{bed, ids, Bed};
use secureapp_core::credential::Credential;
use secureapp_core::{Field, Request};
use serde_json::json;
use std::sync::Arc;

async fn certificate(bed: &Bed) -> Arc<Credential> {
    let pem = bed.world.certificate(90).await;
    let request = Request::new("credential")
        .with(
            "applicationId",
            Field::Text(bed.application.application_id().to_owned()),
        )
        .with("certificateData", Field::Secret(pem.as_str().into()));
    Arc::new(Credential::open(&request).expect("a certificate"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_survives_the_removal_of_the_old_one() {
    let bed = bed().await;
    let (old, new) = (certificate(&bed).await, certificate(&bed).await);
    let fields = [
        ("displayName", Field::Text("Robot".to_owned())),
        ("singleTenant", Field::Int(1)),
        ("certificateCredential", Field::Credential(old)),
    ];
    let made = run(&bed.world, wanted(&bed.world, &fields), Answer::All).await;
    let robot = made.credential.expect("a credential");
    bed.world
        .sandbox
        .control()
        .set_graph(json!({ "replication": 2 }))
        .unwrap();
    let update = bed
        .administered(&robot)
        .with("certificateCredential", Field::Credential(new));

    let run = bed.rotate(update).await;

    run.end.as_ref().expect("it ends well");
    assert_eq!(ids(&run, "retired").len(), 1, "{:?} {:?}", run.result, run.failures);
    assert!(
        run.progress.iter().any(|line| line.contains("the new certificate")),
        "{:?}",
        run.progress
    );
    bed.redeem(&run.credential.unwrap()).await.expect("the new one works");
    let gone = bed.redeem(&robot).await.expect_err("the old one is gone");
    assert_eq!(gone.service().unwrap().code, "AADSTS700027");
}
