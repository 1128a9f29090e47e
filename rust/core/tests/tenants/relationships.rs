use crate::delegated_tenants::{small, CUSTOMERS};
use crate::support::{text, Outcome};
use secureapp_core::{Field, Kind, Operation, Value};
use serde_json::json;
use std::collections::BTreeSet;

fn maps<'a>(record: &'a Value, key: &str) -> &'a [Value] {
    match record.get(key) {
        Some(Value::List(values)) => values,
        other => panic!("'{key}' is no list: {other:?}"),
    }
}

fn ids(outcome: &Outcome) -> BTreeSet<&str> {
    outcome.records.iter().map(|record| text(record, "tenantId")).collect()
}

fn time(value: &Value, key: &str) -> Option<i64> {
    match value.get(key) {
        Some(Value::Time(time)) => Some(*time),
        _ => None,
    }
}

/// For comparing.
fn same(values: &[Value]) -> String {
    format!("{values:?}")
}

fn is_in_force(relationship: &&Value) -> bool {
    ["active", "expiring"].contains(&text(relationship, "status"))
}

#[tokio::test(flavor = "multi_thread")]
async fn relationships_come_with_their_roles_and_ends_over_all_pages() {
    let world = small().await;
    let outcome = world.with_relationships(&[("assignments", Field::Int(1))]).await;
    assert_eq!(outcome.records.len(), CUSTOMERS);
    let mut statuses = BTreeSet::new();
    for record in &outcome.records {
        let own = maps(record, "relationships");
        let is_granular = maps(record, "sources")
            .iter()
            .any(|source| source.as_text() == Some("DelegatedAdminCustomers"));
        assert_eq!(own.is_empty(), !is_granular);
        for (at, relationship) in own.iter().enumerate() {
            let status = text(relationship, "status");
            statuses.insert(status.to_owned());
            assert_eq!(at == 0, status == "active", "those in force come first: {own:?}");
            assert!(time(relationship, "ends").is_some());
            assert_eq!(text(relationship, "duration"), "P730D");
            if status == "active" {
                let held = maps(&maps(relationship, "assignments")[0], "roles");
                assert_eq!(held.len() + 1, maps(relationship, "roles").len());
                assert_eq!(text(&held[0], "name"), "Exchange Administrator");
                assert_eq!(same(maps(record, "roles")), same(maps(relationship, "roles")));
                assert_eq!(time(record, "ends"), time(relationship, "ends"));
            }
        }
    }
    assert_eq!(
        statuses.into_iter().collect::<Vec<_>>(),
        ["active", "expired", "terminated"]
    );
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    let plain = world
        .run(world.request("delegated_tenants", &world.credential_request()))
        .await;
    assert!(plain.records.iter().all(|record| record.get("relationships").is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_understood_is_counted_and_invitations_are_not() {
    let world = small().await;
    let body = json!({"value": [
        {"id": "a-b", "customer": null},
        {"id": "c-d", "customer": {"tenantId": "no tenant"}, "status": "active"},
    ]});
    world.fault(
        json!({"times": 1, "match": {"pathContains": "delegatedAdminRelationships"},
        "action": {"kind": "status", "status": 200, "contentType": "application/json", "body": body.to_string()}}),
    );
    let outcome = world.with_relationships(&[]).await;
    let [warning] = &outcome.warnings[..] else {
        panic!("{:?}", outcome.warnings)
    };
    assert!(
        warning.starts_with("1 delegated admin relationships could not be understood"),
        "{warning}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_chosen_by_role_and_by_end_and_an_end_is_warned_of() {
    let world = small().await;
    let tenants = &world.sandbox.facts().tenants;
    let control = world.sandbox.control();
    // The first extends nothing, the third goes on by itself, the fourth has ended.
    for (at, days) in [(0, 9), (2, 9), (3, -2)] {
        control
            .set_tenant(&tenants[at].tenant_id, json!({ "gdapDays": days }))
            .unwrap();
    }
    let soon = world.with_relationships(&[("expiringDays", Field::Int(20))]).await;
    let expected = BTreeSet::from([tenants[0].tenant_id.as_str(), tenants[2].tenant_id.as_str()]);
    assert_eq!(ids(&soon), expected);
    let [warning] = soon.warnings.as_slice() else {
        panic!("one warning: {:?}", soon.warnings)
    };
    assert!(
        warning.contains(&tenants[0].display_name) && !warning.contains(&tenants[2].display_name),
        "{warning}"
    );
    assert!(warning.contains("within 20 days"), "{warning}");

    let all = world.with_relationships(&[]).await;
    let has = |record: &&Value, id: &str| {
        let in_force = maps(record, "relationships").iter().filter(is_in_force);
        in_force
            .flat_map(|one| maps(one, "roles"))
            .any(|role| text(role, "id") == id)
    };
    for (role, id) in [
        ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
        (
            "62E90394-69F5-4237-9190-012177145E10",
            "62e90394-69f5-4237-9190-012177145e10",
        ),
    ] {
        let chosen = world
            .with_relationships(&[("roles", Field::Texts(vec![role.to_owned()]))])
            .await;
        let expected: BTreeSet<&str> = all
            .records
            .iter()
            .filter(|record| has(record, id))
            .map(|record| text(record, "tenantId"))
            .collect();
        assert_eq!(ids(&chosen), expected, "{role}");
    }
    for (key, field) in [
        ("roles", Field::Texts(vec!["Boss".to_owned()])),
        ("expiringDays", Field::Int(0)),
    ] {
        let request = world.request("delegated_tenants", &world.credential_request());
        let error = Operation::start(&world.session, request.with(key, field));
        assert_eq!(error.err().expect("it is refused").kind(), Kind::InvalidInput);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relationships_that_cannot_be_read_are_a_warning_unless_customers_are_chosen_by_them() {
    let world = small().await;
    let withheld = json!({"withheldPermissions": ["DelegatedAdminRelationship.Read.All"]});
    world.sandbox.control().set_application(withheld).unwrap();
    let outcome = world.with_relationships(&[]).await;
    assert!(outcome.end.is_ok() && !outcome.records.is_empty());
    assert!(outcome.warnings.iter().any(|warning| {
        warning.starts_with("Delegated admin relationships could not be read")
            && warning.contains("DelegatedAdminRelationship.Read.All")
            && warning.contains("2832473f-ec63-45fb-976f-5d45a7d4bb91")
    }));
    let outcome = world.with_relationships(&[("expiringDays", Field::Int(20))]).await;
    assert_eq!(outcome.error().kind(), Kind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_page_elsewhere_gets_no_token_and_loses_no_customer() {
    let world = small().await;
    let elsewhere = format!("{}/stolen", world.sandbox.facts().endpoints.manage);
    let body = json!({"value": [], "@odata.nextLink": elsewhere}).to_string();
    world.fault(json!({"times": -1, "match": {"pathContains": "delegatedAdminRelationships"}, "action": {"kind": "status", "status": 200, "body": body}}));
    let outcome = world.with_relationships(&[]).await;
    assert!(outcome.end.is_ok(), "{outcome:?}");
    assert_eq!(outcome.records.len(), CUSTOMERS);
    let [warning] = outcome.warnings.as_slice() else {
        panic!("one warning: {:?}", outcome.warnings)
    };
    assert!(warning.contains("another host"), "{warning}");
    assert_eq!(world.requests("stolen"), 0, "a token went to another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_cannot_be_read_are_one_warning_and_the_rest_is_there() {
    let world = small().await;
    world.fault(json!({"times": 2, "match": {"pathContains": "accessAssignments"}, "action": {"kind": "status", "status": 404}}));
    let outcome = world.with_relationships(&[("assignments", Field::Int(1))]).await;
    assert_eq!(outcome.records.len(), CUSTOMERS);
    let [warning] = outcome.warnings.as_slice() else {
        panic!("one warning: {:?}", outcome.warnings)
    };
    assert!(warning.contains("of 2 delegated admin relationships"), "{warning}");
    let in_force = outcome
        .records
        .iter()
        .flat_map(|record| maps(record, "relationships"))
        .filter(is_in_force);
    let unread = in_force.filter(|one| matches!(one.get("assignments"), Some(Value::Null)));
    assert_eq!(unread.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_are_named_come_also_where_no_list_has_them() {
    let world = small().await;
    let facts = world.sandbox.facts();
    let (listed, partner) = (&facts.tenants[1], facts.partner_tenant_id.as_str());
    let named = vec![
        listed.default_domain_name.clone(),
        partner.to_owned(),
        listed.tenant_id.clone(),
    ];
    let request = world
        .request("delegated_tenants", &world.credential_request())
        .with("tenants", Field::Texts(named));
    let outcome = world.run(request).await;
    let [known, unknown] = outcome.records.as_slice() else {
        panic!("two customers: {outcome:?}")
    };
    assert_eq!(
        (text(known, "tenantId"), text(known, "displayName")),
        (listed.tenant_id.as_str(), listed.display_name.as_str())
    );
    assert_eq!(text(unknown, "tenantId"), partner);
    assert!(maps(unknown, "sources").is_empty() && !maps(known, "sources").is_empty());
    // The credential does not say which tenant is its own; the token does.
    for record in &outcome.records {
        assert_eq!(text(record, "partnerTenantId"), partner);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_list_is_the_same_askers_whole_and_young_enough() {
    let world = small().await;
    let ask = |credential: secureapp_core::Request, age: i64| {
        let request = world.request("delegated_tenants", &credential);
        world.run(request.with("maximumAgeSeconds", Field::Int(age)))
    };
    let contracts = || world.requests("GET /v1.0/contracts");
    // What is not whole is not kept.
    world.fault(
        json!({"times": 1, "match": {"pathContains": "/contracts"}, "action": {"kind": "status", "status": 404}}),
    );
    let partial = ask(world.credential_request(), 600).await;
    assert_eq!((partial.warnings.len(), partial.records.len()), (1, CUSTOMERS));
    let first = ask(world.credential_request(), 600).await;
    assert!(first.warnings.is_empty());
    let read = contracts();
    let kept = ask(world.credential_request(), 600).await;
    assert_eq!(same(&kept.records), same(&first.records));
    assert_eq!(contracts(), read, "a kept list is not read again");

    let other = world.sandbox.control().add_user("other@partner.example", true);
    let mut credential = world.credential_request();
    credential.set("refreshToken", Field::Secret(other.as_str().into()));
    assert_eq!(ask(credential, 600).await.records.len(), CUSTOMERS);
    assert!(contracts() > read, "another user's list is another");
    let read = contracts();
    world.session.engine().clock().advance_ms(601_000);
    ask(world.credential_request(), 600).await;
    assert!(contracts() > read, "an old list is read again");
}
