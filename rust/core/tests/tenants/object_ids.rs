//! What ids stand for: by the table, by the directory, or not at all.

use crate::credential_test::small;
use crate::support::{text, Outcome, World};
use secureapp_core::{Field, Request, Value};
use serde_json::json;

const AAD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const NOBODY: &str = "11111111-2222-4333-8444-555555555555";

fn item(text: &str, tenant: Option<&str>) -> Request {
    let item = Request::new("id").with("text", Field::Text(text.to_owned()));
    match tenant {
        Some(tenant) => item.with("tenant", Field::Text(tenant.to_owned())),
        None => item,
    }
}

async fn ask(world: &World, items: Vec<Request>) -> Outcome {
    let request = world.request("object_ids", &world.credential_request());
    world.run_on(request, items).await
}

/// The object of a type in a tenant, as the sandbox has it.
fn object(world: &World, tenant: &str, kind: &str, name: &str) -> serde_json::Value {
    let objects = world.sandbox.control().directory(tenant).unwrap();
    let found =
        objects.as_array().unwrap().iter().find(|object| {
            object["@odata.type"] == format!("#microsoft.graph.{kind}") && object["displayName"] == name
        });
    found.unwrap_or_else(|| panic!("no {kind} {name} in {objects}")).clone()
}

fn row<'a>(outcome: &'a Outcome, id: &str) -> &'a Value {
    let mut rows = outcome.records.iter().filter(|row| text(row, "id") == id);
    let row = rows.next().unwrap_or_else(|| panic!("no row for {id} in {outcome:?}"));
    assert!(rows.next().is_none(), "two rows for {id}");
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_own_applications_are_known_without_asking_anybody() {
    let world = small().await;
    let request =
        Request::new("object_ids").with("environment", Field::Text(world.sandbox.facts().environment.clone()));
    let names = format!(
        "https://graph.windows.net;{AAD_GRAPH}/graph.microsoft.com;{}",
        AAD_GRAPH.to_uppercase()
    );

    let outcome = world
        .run_on(
            request,
            vec![
                item(&names, None),
                item(EXCHANGE, None),
                item(NOBODY, None),
                item("Unknown", None),
            ],
        )
        .await;

    assert!(outcome.end.is_ok());
    assert_eq!(
        text(row(&outcome, AAD_GRAPH), "displayName"),
        "Windows Azure Active Directory"
    );
    assert_eq!(
        text(row(&outcome, EXCHANGE), "displayName"),
        "Office 365 Exchange Online"
    );
    assert_eq!(text(row(&outcome, EXCHANGE), "source"), "BuiltIn");
    assert!(text(row(&outcome, NOBODY), "reason").contains("no tenant was named"));
    assert!(text(row(&outcome, "Unknown"), "reason").contains("no id"));
    assert_eq!(outcome.records.len(), 4);
    assert_eq!(world.requests(""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_own_ids_are_told_from_application_ids_and_from_other_tenants() {
    let world = small().await;
    let tenants = world.tenant_ids();
    let name = "Contoso Timesheets";
    let of = |at: usize| object(&world, &tenants[at], "servicePrincipal", name);
    let application = of(0)["appId"].as_str().unwrap().to_owned();
    let (own, others) = (
        of(0)["id"].as_str().unwrap().to_owned(),
        of(1)["id"].as_str().unwrap().to_owned(),
    );
    let machine = object(&world, &tenants[0], "servicePrincipal", "vm-backup");
    let user = object(&world, &tenants[0], "user", "admin");
    let user = user["id"].as_str().unwrap().to_owned();
    let tenant = Some(tenants[0].as_str());

    let outcome = ask(
        &world,
        vec![
            item(&application, tenant),
            item(&format!("ServicePrincipal_{own}"), tenant),
            item(&own, tenant),
            item(machine["id"].as_str().unwrap(), tenant),
            item(&format!("User_{user}"), tenant),
            item(&others, tenant),
            item(&tenants[0], tenant),
        ],
    )
    .await;

    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    assert_eq!(outcome.records.len(), 6);
    for id in [&application, &own] {
        let row = row(&outcome, id);
        assert_eq!(
            (text(row, "kind"), text(row, "displayName")),
            ("ServicePrincipal", name)
        );
        assert_eq!(
            (text(row, "appId"), text(row, "objectId")),
            (application.as_str(), own.as_str())
        );
        assert_eq!(
            (text(row, "tenantId"), text(row, "source")),
            (tenants[0].as_str(), "Directory")
        );
        assert!(!text(row, "ownerTenantId").is_empty());
    }
    assert_eq!(
        text(row(&outcome, machine["id"].as_str().unwrap()), "kind"),
        "ManagedIdentity"
    );
    assert_eq!(text(row(&outcome, &user), "kind"), "User");
    assert!(text(row(&outcome, &user), "description").starts_with("admin@"));
    assert_eq!(text(row(&outcome, &tenants[0]), "kind"), "Tenant");
    let unknown = row(&outcome, &others);
    assert_eq!(text(unknown, "kind"), "Unknown");
    assert!(text(unknown, "reason").contains("of this tenant"), "{unknown:?}");
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    outcome.assert_no_secret(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_ids_are_few_requests() {
    let world = small().await;
    let tenant = world.sandbox.facts().tenants[0].tenant_id.clone();
    let items: Vec<Request> = (0..200u32)
        .map(|at| item(&format!("{at:08x}-2222-4333-8444-555555555555"), Some(&tenant)))
        .collect();

    let outcome = ask(&world, items).await;

    assert_eq!(outcome.records.len(), 200);
    assert_eq!(world.requests("getByIds"), 1);
    assert_eq!(world.requests("servicePrincipals"), 200u64.div_ceil(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_in_the_rows_and_once_in_a_warning() {
    let world = small().await;
    let withheld = json!({"withheldPermissions": ["Directory.Read.All"]});
    world.sandbox.control().set_application(withheld).unwrap();
    let tenant = world.sandbox.facts().tenants[0].tenant_id.clone();

    let outcome = ask(&world, vec![item(NOBODY, Some(&tenant)), item(EXCHANGE, Some(&tenant))]).await;

    assert!(outcome.end.is_ok());
    let reason = text(row(&outcome, NOBODY), "reason");
    assert!(
        reason.contains("Application.Read.All or Directory.Read.All"),
        "{reason}"
    );
    assert_eq!(
        text(row(&outcome, EXCHANGE), "displayName"),
        "Office 365 Exchange Online"
    );
    assert_eq!(outcome.warnings.len(), 1);
    assert!(outcome.warnings[0].contains("Directory.Read.All"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_lets_nobody_in_is_the_reason_and_no_error() {
    let world = small().await;
    let tenant = world.sandbox.facts().tenants[0].tenant_id.clone();
    world
        .sandbox
        .control()
        .set_tenant(&tenant, json!({"consent": "missing"}))
        .unwrap();

    let outcome = ask(&world, vec![item(NOBODY, Some(&tenant))]).await;

    assert!(outcome.end.is_ok());
    let reason = text(row(&outcome, NOBODY), "reason");
    assert!(reason.contains("AADSTS65001"), "{reason}");
    assert_eq!(outcome.warnings.len(), 1);
    outcome.assert_no_secret(&world);
}
