//! Delegated admin relationships, and customers of two partners.

mod common;

use std::collections::BTreeSet;

use common::{start, Answer, Cloud, GRAPH, PARTNER_CENTER};
use secureapp_sandbox::Options;
use serde_json::{json, Value};

const EXCHANGE_ADMINISTRATOR: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";

fn options(tenants: usize) -> Options {
    Options {
        tenants,
        records: 0,
        ..Options::default()
    }
}

fn address(cloud: &Cloud, rest: &str) -> String {
    let graph = &cloud.sandbox.facts().endpoints.graph;
    format!("{graph}/v1.0/tenantRelationships/delegatedAdminRelationships{rest}")
}

/// All items, and over how many pages.
async fn all(cloud: &Cloud, token: &str, first: String) -> (Vec<Value>, usize) {
    let (mut url, mut found, mut pages) = (first, Vec::new(), 0);
    loop {
        let reply = cloud.get(&url, token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let page = reply.json();
        found.extend(page["value"].as_array().unwrap().iter().cloned());
        pages += 1;
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (found, pages),
        }
    }
}

async fn partners_token(cloud: &Cloud) -> String {
    cloud.token(&cloud.sandbox.facts().partner_tenant_id, GRAPH).await
}

#[tokio::test]
async fn relationships_come_page_by_page_and_filtered() {
    let cloud = start(options(12)).await;
    let token = partners_token(&cloud).await;
    let (every, pages) = all(&cloud, &token, address(&cloud, "?$top=4")).await;
    assert!(pages > 2);
    let ids: BTreeSet<&str> = every.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), every.len(), "listed twice");
    let statuses: BTreeSet<&str> = every.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(
        statuses,
        BTreeSet::from(["active", "approvalPending", "expired", "terminated"])
    );
    let (active, _) = all(
        &cloud,
        &token,
        address(&cloud, "?$top=2&$filter=status%20eq%20'active'"),
    )
    .await;
    let expected: Vec<&Value> = every.iter().filter(|one| one["status"] == "active").collect();
    assert_eq!(active.iter().collect::<Vec<_>>(), expected);
    for one in &active {
        assert_eq!(one["duration"], "P730D");
        assert!(["PT0S", "P180D"].contains(&one["autoExtendDuration"].as_str().unwrap()));
        let roles = one["accessDetails"]["unifiedRoles"].as_array().unwrap();
        assert_eq!(roles[0]["roleDefinitionId"], EXCHANGE_ADMINISTRATOR);
        assert!(one["customer"]["tenantId"].is_string() && one["endDateTime"].is_string());
    }
    let of_customer = format!("?$filter=customer/tenantId%20eq%20'{}'", cloud.tenant(1));
    let (own, _) = all(&cloud, &token, address(&cloud, &of_customer)).await;
    assert!(!own.is_empty() && own.iter().all(|one| one["customer"]["tenantId"] == cloud.tenant(1)));
    let reply = cloud
        .get(&address(&cloud, "?$filter=displayName%20ne%20'x'"), &token)
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn one_relationship_has_its_assignments_below_it() {
    let cloud = start(options(2)).await;
    let token = partners_token(&cloud).await;
    let (every, _) = all(&cloud, &token, address(&cloud, "")).await;
    let active = every.iter().find(|one| one["status"] == "active").unwrap();
    let id = active["id"].as_str().unwrap();
    assert_eq!(
        cloud.get(&address(&cloud, &format!("/{id}")), &token).await.json(),
        *active
    );
    let (assignments, _) = all(&cloud, &token, address(&cloud, &format!("/{id}/accessAssignments"))).await;
    assert_eq!(
        assignments[0]["accessContainer"]["accessContainerType"],
        "securityGroup"
    );
    let pending = every.iter().find(|one| one["status"] == "approvalPending").unwrap();
    assert_eq!(pending["customer"], Value::Null);
    let below = format!("/{}/accessAssignments", pending["id"].as_str().unwrap());
    assert!(all(&cloud, &token, address(&cloud, &below)).await.0.is_empty());
    let gone = cloud.get(&address(&cloud, "/0-0"), &token).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn who_lacks_the_permission_or_is_no_partner_reads_none() {
    let cloud = start(options(2)).await;
    let of_customer = cloud.token(cloud.tenant(0), GRAPH).await;
    assert_eq!(
        cloud.get(&address(&cloud, ""), &of_customer).await.json()["value"],
        json!([])
    );
    let withheld = json!({"withheldPermissions": ["DelegatedAdminRelationship.Read.All"]});
    cloud.sandbox.control().set_application(withheld).unwrap();
    let refused = cloud.get(&address(&cloud, ""), &partners_token(&cloud).await).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "Authorization_RequestDenied")
    );
}

async fn redeem(cloud: &Cloud, tenant: &str, refresh_token: &str, resource: &str) -> Answer {
    let facts = cloud.sandbox.facts();
    let fields = [
        ("client_id", facts.application_id.as_str()),
        ("client_secret", &facts.secret),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("resource", resource),
    ];
    cloud.form(&format!("{tenant}/oauth2/token"), &fields).await
}

#[tokio::test]
async fn two_partners_have_customers_of_their_own_and_in_common() {
    let cloud = start(Options {
        second_partner: true,
        ..options(12)
    })
    .await;
    let facts = cloud.sandbox.facts();
    let second = facts.second_partner.as_ref().unwrap();
    let mut of_each = Vec::new();
    for (home, refresh_token) in [
        (&facts.partner_tenant_id, &facts.refresh_token),
        (&second.tenant_id, &second.refresh_token),
    ] {
        let mut found = BTreeSet::new();
        // The shared name stands for the user's own tenant.
        for tenant in [home.as_str(), "organizations"] {
            let token = redeem(&cloud, tenant, refresh_token, PARTNER_CENTER).await.json();
            let url = format!("{}/v1/customers", facts.endpoints.partner_center);
            let page = cloud.get(&url, token["access_token"].as_str().unwrap()).await.json();
            let ids = page["items"].as_array().unwrap().iter();
            found.extend(ids.map(|one| one["id"].as_str().unwrap().to_owned()));
        }
        let token = redeem(&cloud, home, refresh_token, GRAPH).await.json();
        let (relationships, _) = all(&cloud, token["access_token"].as_str().unwrap(), address(&cloud, "")).await;
        let with = relationships
            .iter()
            .filter_map(|one| one["customer"]["tenantId"].as_str());
        found.extend(with.map(str::to_owned));
        of_each.push(found);
    }
    let everybody: BTreeSet<String> = facts.tenants.iter().map(|one| one.tenant_id.clone()).collect();
    assert_eq!(of_each[1], second.customer_ids.iter().cloned().collect());
    assert_eq!(&of_each[0] | &of_each[1], everybody);
    assert!(of_each[0].intersection(&of_each[1]).count() > 0);

    // Each user is let in by the own partner's customers, and by nobody else.
    for (of, refresh_token) in of_each.iter().zip([&facts.refresh_token, &second.refresh_token]) {
        for tenant in &everybody {
            let reply = redeem(&cloud, tenant, refresh_token, GRAPH).await;
            match of.contains(tenant) {
                true => assert_eq!(reply.status, 200, "{}", reply.text),
                false => assert_eq!(reply.code(), "50020", "{}", reply.text),
            }
        }
    }
    let elsewhere = redeem(&cloud, &facts.partner_tenant_id, &second.refresh_token, GRAPH).await;
    assert_eq!(elsewhere.code(), "50020");
}
