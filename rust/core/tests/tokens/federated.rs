//! Proofs that others issue: a token in a file, a managed identity's token; and users' tokens as assertions.

use crate::support::*;
use secureapp_core::{Credential, Field, Kind, Request, Result, Secret};
use serde_json::json;
use std::sync::Arc;

fn variables(bed: &Bed) -> Vec<(String, String)> {
    bed.sandbox
        .facts()
        .workload_identity
        .variables
        .clone()
        .into_iter()
        .collect()
}

fn lines(variables: &[(String, String)]) -> Field {
    let lines: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Field::Secret(Secret::from(lines.join("\n").as_str()))
}

fn workload(variables: &[(String, String)]) -> Result<Arc<Credential>> {
    let request = Request::new("credential")
        .with("workloadIdentity", Field::Int(1))
        .with("variables", lines(variables));
    Credential::open(&request).map(Arc::new)
}

fn file(bed: &Bed) -> String {
    bed.sandbox.facts().workload_identity.variables["AZURE_FEDERATED_TOKEN_FILE"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_what_its_variables_say_and_its_file_is_read_each_time() {
    let bed = bed(2).await;
    let credential = workload(&variables(&bed)).unwrap();
    assert_eq!(credential.application_id(), bed.sandbox.facts().application_id);
    assert_eq!(
        credential.home_tenant().unwrap().as_str(),
        bed.sandbox.facts().partner_tenant_id
    );
    bed.ask(&credential, item(&bed.tenant(0), GRAPH)).await.record();

    // What was in it before would be refused now: only a new reading helps.
    let control = bed.sandbox.control();
    let issuer =
        json!({"issuer": "https://issuer.example", "subject": "s", "audiences": ["api://AzureADTokenExchange"]});
    control.set_federated_credentials(json!([issuer])).unwrap();
    let answers = bed.ask(&credential, item(&bed.tenant(1), GRAPH)).await;
    assert_eq!(answers.error().service().unwrap().code, "AADSTS700211");
    assert!(answers.error().advice().contains("federated credential"));
    control
        .federated_token(json!({"issuer": "https://issuer.example", "subject": "s"}))
        .unwrap();
    bed.ask(&credential, item(&bed.tenant(1), GRAPH)).await.record();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_not_sent() {
    let bed = bed(1).await;
    let path = file(&bed);
    let credential = |path: &str| {
        let request = Request::new("credential")
            .with("applicationId", Field::Text(bed.sandbox.facts().application_id.clone()))
            .with("federatedTokenFile", Field::Text(path.to_owned()));
        Arc::new(Credential::open(&request).unwrap())
    };
    bed.ask(&credential(&path), item(&bed.tenant(0), GRAPH)).await.record();
    let sent = bed.requests();
    for (content, word) in [
        ("", "holds no token"),
        ("root:x:0:0", "holds no token"),
        ("a.b.c d.e.f", "holds no token"),
    ] {
        std::fs::write(&path, content).unwrap();
        let answers = bed
            .ask_with(&credential(&path), &["forceRefresh"], item(&bed.tenant(0), GRAPH))
            .await;
        let error = answers.error();
        assert_eq!(error.kind(), Kind::NotSignedIn);
        assert!(
            error.message().contains(word) && !format!("{error:?}").contains("root:x"),
            "{error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let answers = bed
        .ask_with(&credential(&path), &["forceRefresh"], item(&bed.tenant(0), GRAPH))
        .await;
    assert_eq!(answers.error().kind(), Kind::Storage);
    assert!(answers.error().message().contains(&path));
    assert_eq!(bed.requests(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_of_another_cloud_is_refused_here() {
    let bed = bed(1).await;
    let mut elsewhere = variables(&bed);
    for (name, value) in &mut elsewhere {
        if name == "AZURE_AUTHORITY_HOST" {
            *value = "https://login.microsoftonline.us/".to_owned();
        }
    }
    let answers = bed
        .ask(&workload(&elsewhere).unwrap(), item(&bed.tenant(0), GRAPH))
        .await;
    assert!(answers.error().message().contains("login.microsoftonline.us"));
    assert!(answers.error().advice().contains("-Environment"));
    assert_eq!(bed.asked(), 0);
    elsewhere.retain(|(name, _)| name != "AZURE_FEDERATED_TOKEN_FILE");
    assert!(workload(&elsewhere)
        .unwrap_err()
        .message()
        .contains("AZURE_FEDERATED_TOKEN_FILE"));
}

fn federated(bed: &Bed, client_id: Option<&str>) -> Arc<Credential> {
    let imds: Vec<_> = bed.sandbox.facts().managed_identity.variables["imds"]
        .clone()
        .into_iter()
        .collect();
    let mut request = Request::new("credential")
        .with("applicationId", Field::Text(bed.sandbox.facts().application_id.clone()))
        .with("federatedManagedIdentity", Field::Int(1))
        .with("variables", lines(&imds));
    if let Some(id) = client_id {
        request.set("managedIdentityClientId", Field::Text(id.to_owned()));
    }
    Arc::new(Credential::open(&request).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_proves_the_application_in_every_customer() {
    let bed = bed(20).await;
    let user = bed.sandbox.facts().managed_identity.user_assigned.client_id.clone();
    let credential = federated(&bed, Some(&user));
    let items = (0..20).map(|at| item(&bed.tenant(at), GRAPH)).collect();
    let answers = finish(&bed.begin(&credential, &[], items)).await.unwrap();
    assert!(answers.failures.is_empty(), "{:?}", answers.failures);
    assert_eq!(answers.records.len(), 20);
    assert_eq!(bed.asked(), 20);
    assert_eq!(bed.requests(), 21, "the platform is asked once");

    // With a refresh token it acts for the user, still proved by the identity.
    let refused = bed.ask(&federated(&bed, None), item(&bed.tenant(0), GRAPH)).await;
    assert_eq!(refused.error().service().unwrap().code, "AADSTS700213");
    let absent = bed.sandbox.facts().managed_identity.unassigned.client_id.clone();
    let refused = bed
        .ask(&federated(&bed, Some(&absent)), item(&bed.tenant(0), GRAPH))
        .await;
    assert!(
        refused.error().message().contains("could not be proved"),
        "{:?}",
        refused.error()
    );
    assert_eq!(refused.error().id(), "NoProof");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_while_the_platform_is_asked_ends_both() {
    let bed = bed(1).await;
    bed.fault(json!({
        "id": "hold", "match": {"service": "imds"}, "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"},
    }));
    let user = bed.sandbox.facts().managed_identity.user_assigned.client_id.clone();
    let credential = federated(&bed, Some(&user));
    let operation = bed.begin(&credential, &[], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 1).await;
    operation.cancel();
    assert!(finish(&operation).await.unwrap_err().is_cancelled());
    bed.held("closed", 1).await;
    bed.ask(&credential, item(&bed.tenant(0), GRAPH)).await.record();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_is_enough() {
    let bed = bed(1).await;
    let request = Request::new("credential")
        .with("applicationId", Field::Text(bed.sandbox.facts().application_id.clone()))
        .with("secret", Field::Secret("s".into()))
        .with("federatedTokenFile", Field::Text(file(&bed)));
    assert!(Credential::open(&request)
        .unwrap_err()
        .message()
        .contains("more than one proof"));
    let request = Request::new("credential")
        .with("managedIdentity", Field::Int(1))
        .with("secret", Field::Secret("s".into()));
    assert!(Credential::open(&request).is_err());
}

/// Asks with a user's token.
async fn on_behalf(bed: &Bed, who: &Arc<Credential>, assertion: &str, ask: Request) -> Result<Answers> {
    let request = bed
        .request(who, &[])
        .with("userAssertion", Field::Secret(Secret::from(assertion)));
    let operation = secureapp_core::Operation::start(&bed.session, request)?;
    operation.submit(ask)?;
    operation.finish_input();
    finish(&operation).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_acts_for_the_users_of_its_callers() {
    let bed = bed(1).await;
    let (application, tenant) = (bed.application(), bed.tenant(0));
    let own = bed.sandbox.facts().application_id.clone();
    let caller = bed.ask(&bed.user(), item(&tenant, &own)).await.token().to_owned();
    let other = bed.sandbox.control().add_user("other@partner.example", true);
    let other = credential(&own, Some(&bed.sandbox.facts().secret), Some(&other));
    let other = bed.ask(&other, item(&tenant, &own)).await.token().to_owned();
    let before = bed.asked();
    let mut seen = Vec::new();
    for assertion in [&caller, &other, &caller] {
        for ask in [
            item(&tenant, GRAPH),
            scoped(&tenant, &["https://graph.microsoft.com/.default"]),
        ] {
            let answers = on_behalf(&bed, &application, assertion, ask).await.unwrap();
            seen.push(answers.text("account").to_owned());
        }
    }
    assert_eq!(seen[0], bed.sandbox.facts().user_principal_name);
    assert_eq!(seen[2], "other@partner.example");
    assert_eq!((&seen[0], &seen[1]), (&seen[4], &seen[5]));
    assert_eq!(bed.asked() - before, 4, "two users, two targets");

    // An application's own token, a token for somebody else, and one that is over.
    let app = bed.ask(&application, item(&tenant, &own)).await.token().to_owned();
    let graph = bed.ask(&bed.user(), item(&tenant, GRAPH)).await.token().to_owned();
    for (assertion, code) in [(&app, "AADSTS7000114"), (&graph, "AADSTS50013")] {
        let answers = on_behalf(&bed, &application, assertion, item(&tenant, GRAPH))
            .await
            .unwrap();
        let error = answers.error();
        assert_eq!(error.service().unwrap().code, code);
        assert!(!error.advice().is_empty() && !format!("{:?}", error.to_value()).contains(assertion.as_str()));
    }
    bed.sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 7200}))
        .unwrap();
    let fresh = item(&tenant, PARTNER_CENTER);
    let answers = on_behalf(&bed, &application, &caller, fresh).await.unwrap();
    assert_eq!(answers.error().service().unwrap().code, "AADSTS500133");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_that_cannot_be_one_is_refused_here() {
    let bed = bed(1).await;
    let tenant = bed.tenant(0);
    let nonsense = on_behalf(&bed, &bed.application(), "not a token", item(&tenant, GRAPH)).await;
    assert!(nonsense.unwrap_err().message().contains("not a token"));
    let facts = bed.sandbox.facts();
    let proofless = credential(&facts.application_id, None, Some(&facts.refresh_token));
    let answers = on_behalf(&bed, &proofless, "a.b.c", item(&tenant, GRAPH))
        .await
        .unwrap();
    assert!(answers.error().message().contains("proof"));
    assert_eq!(bed.asked(), 0);
}
