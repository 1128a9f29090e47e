//! Consent that is there and not enough.

use super::bed::{bed, error_of, texts, Bed, GRAPH, MANAGE, OUTLOOK};
use crate::support::text;
use secureapp_core::{Event, Field, Kind, Next, Operation, Value};
use serde_json::json;
use std::time::Duration;

const VAULT: &str = "https://vault.azure.net";
/// The Skype and Teams Tenant Admin API, which nothing here knows by name.
const TEAMS: &str = "48ac35b8-9aa8-4d74-927d-1f4a14a0b239";

/// One permission more than the customers have consented to.
fn more() -> [(&'static str, Field); 2] {
    [
        ("resources", texts(&[GRAPH])),
        ("scopes", texts(&["Application.Read.All"])),
    ]
}

/// The permissions that the command in a warning grants.
fn commanded(warning: &str) -> Vec<&str> {
    let (_, scopes) = warning.split_once(" -Scope ").expect("a command");
    scopes.lines().next().unwrap_or_default().split(", ").collect()
}

/// Reads an operation until something that `is_it`, and no further.
async fn read_until(operation: &Operation, is_it: impl Fn(&Event) -> bool) -> Event {
    loop {
        match operation.next().await.expect("it goes on") {
            Next::Event(event) if is_it(&event) => return event,
            Next::Event(_) => {}
            Next::Done => panic!("it has ended"),
        }
    }
}

/// Reads an operation to its end, which is a stop.
async fn stopped(operation: &Operation) {
    let error = loop {
        match operation.next().await {
            Ok(Next::Event(_)) => {}
            Ok(Next::Done) => panic!("it was cancelled"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Cancelled);
}

/// Has the first grant after a removal wait for the test.
fn hold_grant(bed: &Bed) {
    bed.world.fault(json!({
        "id": "held",
        "match": {"service": "partnerCenter", "method": "POST"},
        "times": 1,
        "action": {"kind": "hold", "stage": "before-headers"},
    }));
}

/// Stops an operation while that grant waits, and then lets it go.
async fn stop_while_held(bed: &Bed, operation: &Operation) {
    let control = bed.world.sandbox.control();
    let cancelled = async {
        let held = control.wait_hold("held", "held", 1, Duration::from_secs(30)).await;
        operation.cancel();
        held.expect("a grant was sent");
    };
    tokio::join!(cancelled, stopped(operation));
    control.release("held");
    bed.idle().await;
}

fn refuse_grants(bed: &Bed) {
    bed.world.fault(json!({
        "match": {"service": "partnerCenter", "method": "POST"},
        "times": -1,
        "action": {"kind": "status", "status": 400, "body": "{\"code\":\"2000\",\"description\":\"Not now.\"}"},
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_enough_is_replaced_and_the_rest_stays() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;
    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Replaced")]);
    assert_eq!(seen.only().get("verified").and_then(Value::as_i64), Some(1));
    let after = bed.held(tenant, GRAPH).await;
    assert!(before.iter().all(|scope| after.contains(scope)), "{after:?}");
    assert!(after.iter().any(|scope| scope == "Application.Read.All"));
    assert_eq!(bed.held(tenant, MANAGE).await, ["ActivityFeed.Read"]);
    assert_eq!(bed.held(tenant, OUTLOOK).await, ["Exchange.Manage"]);
    assert_eq!(bed.held(tenant, VAULT).await, ["user_impersonation"]);
    assert_eq!(
        bed.held_of(tenant, TEAMS, "user_impersonation").await,
        ["user_impersonation"],
        "the directory shows it"
    );
    assert_eq!(bed.changes().1, 1);
    let [warning] = seen.warnings.as_slice() else {
        panic!("one warning: {seen:?}")
    };
    assert!(!warning.contains("FURTHER"), "{warning}");

    bed.reset();
    let again = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert_eq!(again.outcomes(), [(GRAPH, "AlreadyGranted")]);
    assert_eq!(bed.world.requests("customers"), 0);
    assert!(again.warnings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_lost_says_so_and_how_to_mend_it() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    refuse_grants(&bed);
    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;
    assert!(seen.records.len() > 3, "each API that was lost: {:?}", seen.outcomes());
    for record in &seen.records {
        assert_eq!(
            (text(record, "outcome"), error_of(record, "id")),
            ("Failed", "ConsentLost")
        );
        assert!(error_of(record, "message").contains("WAS REMOVED"));
        assert_eq!(error_of(record, "code"), "2000");
        let advice = error_of(record, "advice");
        assert!(
            advice.contains("Run this now: Grant-SecureAppConsent -TenantId")
                && advice.contains("/adminconsent?client_id=")
        );
        assert!(advice.contains(text(record, "resource")), "{advice}");
    }

    bed.world.sandbox.control().clear_faults();
    for record in &seen.records {
        let (api, scopes) = (text(record, "resource"), error_of(record, "advice"));
        let scopes = scopes.split_once("-Scope ").unwrap().1.split_once(". Or").unwrap().0;
        let mended = bed.grant_scope(tenant, api, scopes).await;
        assert_eq!(text(mended.only(), "outcome"), "Granted", "{mended:?}");
    }
    assert_eq!(bed.held(tenant, OUTLOOK).await, ["Exchange.Manage"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_permission_costs_nothing_that_was_there() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;

    let seen = bed.grant_scope(tenant, GRAPH, "Directory.Raed.All").await;

    assert_eq!(
        (text(seen.only(), "outcome"), error_of(seen.only(), "id")),
        ("Failed", "ConsentNotAdded")
    );
    assert!(error_of(seen.only(), "message").contains("granted again"));
    assert_eq!(bed.held(tenant, GRAPH).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_come_between_removal_and_grant() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    hold_grant(&bed);
    let operation = bed.begin(bed.request("grant", &more()), &[tenant]);

    stop_while_held(&bed, &operation).await;

    assert!(bed
        .held(tenant, GRAPH)
        .await
        .iter()
        .any(|scope| scope == "Application.Read.All"));
    let seen = bed.ask("show", tenant, &[("resources", texts(&[MANAGE]))]).await;
    assert_eq!(seen.outcomes(), [(MANAGE, "Granted")]);
    assert!(seen.warnings.is_empty(), "nothing was lost: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_that_restores_everything_is_read_before_anything_is_removed() {
    let bed = bed(2).await;
    let (tenant, other) = (bed.tenants[0].as_str(), bed.tenants[1].as_str());
    let operation = bed.begin(bed.request("grant", &more()), &[tenant]);
    let Event::Warning(warning) = read_until(&operation, |event| matches!(event, Event::Warning(_))).await else {
        unreachable!()
    };
    // Its reader has not come back for more: whatever happens meanwhile, nothing is removed.
    for api in [GRAPH, MANAGE, OUTLOOK, VAULT] {
        bed.held(other, api).await;
    }
    assert_eq!(bed.changes(), (0, 0));
    operation.cancel();
    bed.idle().await;
    assert_eq!(bed.changes(), (0, 0));

    assert!(
        warning.contains(&format!("Grant-SecureAppConsent -TenantId {tenant} -Scope ")),
        "{warning}"
    );
    assert_eq!(bed.ask("revoke", tenant, &[]).await.outcomes(), [("", "Revoked")]);
    let restored = bed
        .ask("grant", tenant, &[("scopes", texts(&commanded(&warning)))])
        .await;
    assert!(
        restored.outcomes().iter().all(|(_, outcome)| *outcome == "Granted"),
        "{restored:?}"
    );
    for scope in ["Application.Read.All", "Mail.Send", "AuditLog.Read.All"] {
        assert!(bed.held(tenant, GRAPH).await.iter().any(|own| own == scope), "{scope}");
    }
    assert_eq!(bed.held(tenant, MANAGE).await, ["ActivityFeed.Read"]);
    assert_eq!(bed.held(tenant, VAULT).await, ["user_impersonation"]);
    assert_eq!(
        bed.held_of(tenant, TEAMS, "user_impersonation").await,
        ["user_impersonation"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_after_a_stop_is_told_by_the_next_operation() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    hold_grant(&bed);
    refuse_grants(&bed);
    let operation = bed.begin(bed.request("grant", &more()), &[tenant]);

    stop_while_held(&bed, &operation).await;

    let next = bed.ask("show", tenant, &[]).await;
    let of = |api: &str| {
        next.warnings
            .iter()
            .find(|text| text.contains(&format!("THE CONSENT for {api} ")))
    };
    assert!(of(GRAPH).is_none(), "that was granted: {next:?}");
    for api in [MANAGE, OUTLOOK, VAULT, TEAMS] {
        let text = of(api).unwrap_or_else(|| panic!("no word of {api}: {next:?}"));
        let command = format!("Run this now: Grant-SecureAppConsent -TenantId {tenant} -Resource {api} -Scope ");
        assert!(text.contains("WAS REMOVED") && text.contains(&command), "{text}");
    }
    assert!(
        bed.ask("show", tenant, &[]).await.warnings.is_empty(),
        "it is told once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_was_told_to_nobody_is_told_by_the_next_operation() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    refuse_grants(&bed);
    let operation = bed.begin(bed.request("grant", &more()), &[tenant]);
    // The others lie there, and their reader stops.
    read_until(&operation, |event| matches!(event, Event::Record(_))).await;
    operation.cancel();
    stopped(&operation).await;
    bed.idle().await;

    let next = bed.ask("show", tenant, &[]).await;
    for api in [GRAPH, MANAGE, OUTLOOK, VAULT, TEAMS] {
        let told = format!("THE CONSENT for {api} in {tenant} WAS REMOVED");
        assert!(next.warnings.iter().any(|text| text.contains(&told)), "{api}: {next:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_directory_cannot_be_read_the_loss_is_said_before() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    // Nothing of Microsoft Graph, so the directory is closed.
    bed.change(tenant, json!({"consent": "missing"}));
    for (api, scope) in [(MANAGE, "ActivityFeed.Read"), (TEAMS, "user_impersonation")] {
        assert_eq!(bed.grant_scope(tenant, api, scope).await.outcomes(), [(api, "Granted")]);
    }

    let seen = bed.grant_scope(tenant, MANAGE, "ServiceHealth.Read").await;

    assert_eq!(seen.outcomes(), [(MANAGE, "Replaced")]);
    let [warning] = seen.warnings.as_slice() else {
        panic!("one warning: {seen:?}")
    };
    assert!(
        warning.contains("CONSENT TO FURTHER APIS, if there is any, IS LOST"),
        "{warning}"
    );
    assert_eq!(
        commanded(warning),
        [
            format!("{MANAGE}/ServiceHealth.Read"),
            format!("{MANAGE}/ActivityFeed.Read")
        ]
    );
    assert!(bed.held_of(tenant, TEAMS, "user_impersonation").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_answer_now_leaves_the_consent_as_it_is() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;
    bed.world.fault(json!({
        "match": {"service": "graph", "pathContains": "oauth2PermissionGrants"},
        "times": -1,
        "action": {"kind": "status", "status": 503},
    }));

    let seen = bed.grant_scope(tenant, GRAPH, "Application.Read.All").await;

    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert_eq!(error_of(seen.only(), "id"), "ConsentHidden");
    assert!(error_of(seen.only(), "message").contains("what it holds of further APIs"));
    assert!(seen.warnings.is_empty(), "{seen:?}");
    assert_eq!(bed.changes().1, 0);
    assert_eq!(bed.held(tenant, GRAPH).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_cannot_be_seen_is_not_removed() {
    let bed = bed(2).await;
    let (all, one) = (bed.tenants[0].as_str(), bed.tenants[1].as_str());
    bed.change(all, json!({"conditionalAccess": true}));
    let seen = bed.grant_scope(all, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert_eq!(
        (error_of(seen.only(), "id"), error_of(seen.only(), "code")),
        ("ConsentHidden", "AADSTS53003")
    );

    bed.change(
        one,
        json!({"conditionalAccess": true, "conditionalAccessResources": [MANAGE]}),
    );
    let seen = bed.grant_scope(one, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Failed")]);
    assert!(error_of(seen.only(), "message").contains(MANAGE));
    assert!(error_of(seen.only(), "message").contains("left as it is"));
    assert_eq!(bed.changes().1, 0);

    // Nothing of an API that the tenant does not have can be lost.
    bed.change(one, json!({"conditionalAccess": false, "missingResources": [MANAGE]}));
    let seen = bed.grant_scope(one, GRAPH, "Application.Read.All").await;
    assert_eq!(seen.outcomes(), [(GRAPH, "Replaced")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_one_api_removes_nothing_for_another() {
    let bed = bed(1).await;
    let tenant = bed.tenants[0].as_str();
    let before = bed.held(tenant, GRAPH).await;
    bed.change(
        tenant,
        json!({"conditionalAccess": true, "conditionalAccessResources": [MANAGE]}),
    );
    let fields = [(
        "scopes",
        texts(&[
            &format!("{GRAPH}/Application.Read.All"),
            &format!("{MANAGE}/No.Such.Scope"),
        ]),
    )];

    let seen = bed.ask("grant", tenant, &fields).await;

    let mut outcomes = seen.outcomes();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [(GRAPH, "Failed"), (MANAGE, "Failed")]);
    let graph = seen.records.iter().find(|record| text(record, "resource") == GRAPH);
    assert_eq!(graph.map(|record| error_of(record, "id")), Some("ConsentHidden"));
    assert_eq!(bed.changes().1, 0);
    assert_eq!(bed.held(tenant, GRAPH).await, before);
}
