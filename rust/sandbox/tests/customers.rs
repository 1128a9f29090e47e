//! The lists of customers, and what each preset's application may read.

mod common;

use std::collections::BTreeSet;

use common::{answer, start, Cloud, GRAPH, PARTNER_CENTER};
use secureapp_sandbox::{Options, Preset};
use serde_json::{json, Value};

async fn graph_list(cloud: &Cloud, path: &str, field: &str) -> (BTreeSet<String>, usize) {
    let facts = cloud.sandbox.facts();
    let token = cloud.token(&facts.partner_tenant_id, GRAPH).await;
    let mut url = format!("{}/v1.0/{path}", facts.endpoints.graph);
    let (mut found, mut pages) = (BTreeSet::new(), 0);
    loop {
        let reply = cloud.get(&url, &token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let page = reply.json();
        pages += 1;
        for item in page["value"].as_array().unwrap() {
            assert!(found.insert(item[field].as_str().unwrap().to_owned()), "listed twice");
        }
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (found, pages),
        }
    }
}

async fn partner_center_list(cloud: &Cloud, size: usize) -> (BTreeSet<String>, usize) {
    let facts = cloud.sandbox.facts();
    let token = cloud.token(&facts.partner_tenant_id, PARTNER_CENTER).await;
    let mut uri = format!("/customers?size={size}");
    let mut continuation: Option<(String, String)> = None;
    let (mut found, mut pages) = (BTreeSet::new(), 0);
    loop {
        let mut request = cloud
            .http
            .get(format!("{}/v1{uri}", facts.endpoints.partner_center))
            .bearer_auth(&token);
        if let Some((name, value)) = &continuation {
            request = request.header(name, value);
        }
        let page = answer(request.send().await.unwrap()).await.json();
        pages += 1;
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["id"], item["companyProfile"]["tenantId"]);
            assert!(found.insert(item["id"].as_str().unwrap().to_owned()), "listed twice");
        }
        let next = &page["links"]["next"];
        if next.is_null() {
            return (found, pages);
        }
        let header = &next["headers"][0];
        uri = next["uri"].as_str().unwrap().to_owned();
        continuation = Some((
            header["key"].as_str().unwrap().to_owned(),
            header["value"].as_str().unwrap().to_owned(),
        ));
    }
}

#[tokio::test]
async fn the_three_lists_together_have_every_customer_and_none_has_all() {
    let cloud = start(Options {
        tenants: 25,
        records: 0,
        list_page_size: Some(10),
        ..Options::default()
    })
    .await;
    let (contracts, pages) = graph_list(&cloud, "contracts", "customerId").await;
    assert_eq!(pages, 3);
    let (delegated, pages) = graph_list(&cloud, "tenantRelationships/delegatedAdminCustomers?$top=7", "tenantId").await;
    assert_eq!(pages, 4);
    let (customers, pages) = partner_center_list(&cloud, 9).await;
    assert_eq!(pages, 3);
    assert_eq!(contracts, customers);
    let all: BTreeSet<String> = cloud
        .sandbox
        .facts()
        .tenants
        .iter()
        .map(|t| t.tenant_id.clone())
        .collect();
    assert_eq!(&(&contracts | &delegated), &all);
    assert!(contracts.len() < all.len() && delegated.len() < all.len());
}

#[tokio::test]
async fn a_token_serves_its_own_api_and_the_partners_tenant_only() {
    let cloud = start(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await;
    let facts = cloud.sandbox.facts();
    let customers = format!("{}/v1/customers", facts.endpoints.partner_center);
    let contracts = format!("{}/v1.0/contracts", facts.endpoints.graph);
    let graph = cloud.token(&facts.partner_tenant_id, GRAPH).await;
    let reply = cloud.get(&customers, &graph).await;
    assert_eq!(reply.status, 401);
    assert!(reply.json()["code"].is_string() && reply.json()["source"].is_string());
    let partner_center = cloud.token(&facts.partner_tenant_id, PARTNER_CENTER).await;
    let reply = cloud.get(&contracts, &partner_center).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, "InvalidAuthenticationToken")
    );
    let of_customer = cloud.token(cloud.tenant(0), PARTNER_CENTER).await;
    assert_eq!(cloud.get(&customers, &of_customer).await.status, 403);
    let of_customer = cloud.token(cloud.tenant(0), GRAPH).await;
    assert_eq!(cloud.get(&contracts, &of_customer).await.json()["value"], json!([]));
    assert_eq!(cloud.get(&contracts, "nonsense").await.status, 401);
}

#[tokio::test]
async fn partner_center_asks_for_multi_factor_authentication() {
    let cloud = start(Options {
        tenants: 1,
        records: 0,
        ..Options::default()
    })
    .await;
    let facts = cloud.sandbox.facts();
    let weak = cloud.sandbox.control().add_user("other@partner.example", false);
    let fields = [
        ("client_id", facts.application_id.as_str()),
        ("client_secret", &facts.secret),
        ("grant_type", "refresh_token"),
        ("refresh_token", &weak),
        ("resource", PARTNER_CENTER),
    ];
    let weak = cloud
        .form(&format!("{}/oauth2/token", facts.partner_tenant_id), &fields)
        .await
        .json();
    let strong = cloud.token(&facts.partner_tenant_id, PARTNER_CENTER).await;
    for (token, status, compliant) in [
        (weak["access_token"].as_str().unwrap(), 401, "false"),
        (&strong, 200, "true"),
    ] {
        let request = cloud
            .http
            .get(format!("{}/v1/customers?size=1", facts.endpoints.partner_center))
            .bearer_auth(token)
            .header("ValidateMfa", "true");
        let reply = answer(request.send().await.unwrap()).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.headers["isMfaCompliant"], compliant);
        if status == 401 {
            assert_eq!(reply.json()["code"], "900421");
        }
    }
}

#[tokio::test]
async fn the_articles_application_lists_contracts_as_itself_and_no_relationships() {
    let cloud = start(Options {
        tenants: 3,
        records: 0,
        preset: Preset::Articles,
        ..Options::default()
    })
    .await;
    let facts = cloud.sandbox.facts();
    let delegated = cloud.token(&facts.partner_tenant_id, GRAPH).await;
    let app = cloud.app_only(&facts.partner_tenant_id, GRAPH).await.json();
    let app = app["access_token"].as_str().unwrap();
    let contracts = format!("{}/v1.0/contracts", facts.endpoints.graph);
    let relationships = format!(
        "{}/v1.0/tenantRelationships/delegatedAdminCustomers",
        facts.endpoints.graph
    );
    let denied = "Authorization_RequestDenied";
    assert_eq!(cloud.get(&contracts, &delegated).await.code(), denied);
    assert_eq!(
        cloud.get(&contracts, app).await.json()["value"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(cloud.get(&relationships, &delegated).await.code(), denied);
    assert_eq!(cloud.get(&relationships, app).await.code(), denied);
    assert_eq!(partner_center_list(&cloud, 500).await.0.len(), 3);
    // What the articles do in a customer works; the activity feed was never consented to.
    for resource in [GRAPH, "https://graph.windows.net"] {
        assert_eq!(cloud.redeem(cloud.tenant(0), resource).await.status, 200);
    }
    assert_eq!(
        cloud.redeem(cloud.tenant(0), "https://manage.office.com").await.code(),
        "65001"
    );
}

#[tokio::test]
async fn the_mixed_estate_fails_in_several_ways() {
    let cloud = start(Options {
        tenants: 20,
        records: 1000,
        preset: Preset::Mixed,
        ..Options::default()
    })
    .await;
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for at in 0..20 {
        let reply = cloud.redeem(cloud.tenant(at), GRAPH).await;
        codes.insert(if reply.status == 200 {
            "200".to_owned()
        } else {
            reply.code()
        });
    }
    let expected: BTreeSet<String> = ["200", "50020", "65001", "700016", "90002"].map(str::to_owned).into();
    assert_eq!(codes, expected);
    let truth: Value = cloud.sandbox.control().truth();
    assert_eq!(truth["records"], 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_taken_in_the_form_that_graph_takes() {
    let cloud = start(Options {
        tenants: 2,
        records: 0,
        ..Options::default()
    })
    .await;
    let token = cloud.token(cloud.tenant(0), GRAPH).await;
    let url = format!("{}/v1.0/$batch", cloud.sandbox.facts().endpoints.graph);
    let send = |requests: Value| {
        let request = cloud.http.post(&url).bearer_auth(&token);
        let body = json!({ "requests": requests }).to_string();
        async {
            answer(
                request
                    .header("content-type", "application/json")
                    .body(body)
                    .send()
                    .await
                    .unwrap(),
            )
            .await
        }
    };
    let get = |id: &str, on: &[&str]| json!({"id": id, "method": "GET", "url": "/organization", "dependsOn": on});

    let many = |count: usize| Value::Array((0..count).map(|at| get(&at.to_string(), &[])).collect());
    assert_eq!(send(many(20)).await.json()["responses"].as_array().unwrap().len(), 20);
    for refused in [
        many(0),
        many(21),
        json!([get("a", &[]), get("a", &[])]),
        json!([get("a", &["b"])]),
        json!([get("a", &[]), get("b", &[]), get("c", &["a"]), get("d", &["b"])]),
        json!([get("a", &[]), get("b", &[]), get("c", &["a", "b"])]),
        json!([{"id": "a", "method": "PATCH", "url": "/users/x", "body": {}}]),
    ] {
        assert_eq!(send(refused.clone()).await.status, 400, "{refused}");
    }

    let reply =
        send(json!([{"id": "a", "method": "GET", "url": "/users/nobody"}, get("b", &["a"]), get("c", &[])])).await;
    let status = |id: &str| {
        let replies = reply.json()["responses"].clone();
        let found = replies.as_array().unwrap().iter().find(|part| part["id"] == id);
        found.map(|part| part["status"].as_u64().unwrap())
    };
    assert_eq!(
        (status("a"), status("b"), status("c")),
        (Some(404), Some(424), Some(200))
    );
    assert_eq!(cloud.call(reqwest::Method::POST, &url, "no token").await.status, 401);
}
