//! The managed identity endpoints of Azure's platforms: headers, identities, shapes of replies and refusals.

mod common;

use base64::Engine as _;
use common::{answer, start, Answer, Cloud, GRAPH};
use reqwest::Method;
use secureapp_sandbox::Options;
use serde_json::{json, Value};

const GRAPH_ESCAPED: &str = "https%3A%2F%2Fgraph.microsoft.com";

async fn small() -> Cloud {
    start(Options {
        tenants: 1,
        records: 0,
        ..Options::default()
    })
    .await
}

fn variable(cloud: &Cloud, platform: &str, name: &str) -> String {
    cloud.sandbox.facts().managed_identity.variables[platform][name].clone()
}

async fn get(cloud: &Cloud, url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(cloud.http.get(url), |request, (name, value)| {
        request.header(*name, *value)
    });
    answer(request.send().await.unwrap()).await
}

fn claims(reply: &Answer) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let payload = token.split('.').nth(1).unwrap().to_owned();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_virtual_machine_names_its_identities_three_ways_and_quotes_everything() {
    let cloud = small().await;
    let facts = &cloud.sandbox.facts().managed_identity;
    let base = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={GRAPH_ESCAPED}",
        variable(&cloud, "imds", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
    );
    let metadata = [("Metadata", "true")];
    let own = get(&cloud, &base, &metadata).await;
    assert_eq!(claims(&own)["appid"], *facts.system_assigned.client_id);
    assert_eq!(claims(&own)["tid"], *cloud.sandbox.facts().partner_tenant_id);
    let body = own.json();
    assert!(body.as_object().unwrap().values().all(Value::is_string), "{body}");
    assert_eq!(body["resource"], GRAPH);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        get(&cloud, &base, &metadata).await.json()["access_token"],
        token,
        "the platform keeps it"
    );

    let user = &facts.user_assigned;
    for (name, id) in [
        ("client_id", &user.client_id),
        ("object_id", &user.object_id),
        ("msi_res_id", &user.resource_id),
    ] {
        let reply = get(&cloud, &format!("{base}&{name}={id}"), &metadata).await;
        assert_eq!(claims(&reply)["oid"], *user.object_id, "{name}");
    }
    for (extra, headers, error) in [
        ("", &[][..], "bad_request_102"),
        (
            "",
            &[("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")],
            "bad_request",
        ),
        (
            &format!("&client_id={}", facts.unassigned.client_id),
            &metadata,
            "invalid_request",
        ),
        (
            &format!("&client_id={0}&object_id={0}", user.client_id),
            &metadata,
            "bad_request",
        ),
    ] {
        let reply = get(&cloud, &format!("{base}{extra}"), headers).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!(error)), "{extra}");
    }
    let elsewhere = base.replace(GRAPH_ESCAPED, "https%3A%2F%2Fnowhere.example");
    let reply = get(&cloud, &elsewhere, &metadata).await;
    assert_eq!(reply.json()["error"], "invalid_resource");
    assert!(reply.text.contains("AADSTS50001"));

    let control = cloud.sandbox.control();
    for (form, mark) in [("iso", "T"), ("date", "M +00:00")] {
        control.set_managed_identity(json!({"expiresOn": form})).unwrap();
        let reply = get(&cloud, &base, &metadata).await.json();
        assert!(reply["expires_on"].as_str().unwrap().contains(mark), "{reply}");
    }
    control.set_managed_identity(json!({"systemAssigned": false})).unwrap();
    assert_eq!(
        get(&cloud, &base, &metadata).await.json()["error_description"],
        "Identity not found"
    );
}

#[tokio::test]
async fn app_service_has_two_versions_and_one_secret() {
    let cloud = small().await;
    let facts = &cloud.sandbox.facts().managed_identity;
    let endpoint = variable(&cloud, "appService", "IDENTITY_ENDPOINT");
    let header = variable(&cloud, "appService", "IDENTITY_HEADER");
    let user = &facts.user_assigned;
    let new = format!("{endpoint}?resource={GRAPH_ESCAPED}&api-version=2019-08-01");
    for (name, id) in [
        ("client_id", &user.client_id),
        ("principal_id", &user.object_id),
        ("object_id", &user.object_id),
        ("mi_res_id", &user.resource_id),
    ] {
        let reply = get(&cloud, &format!("{new}&{name}={id}"), &[("X-IDENTITY-HEADER", &header)]).await;
        assert_eq!(claims(&reply)["oid"], *user.object_id, "{name}");
        assert!(reply.json()["expires_in"].is_null());
    }
    let wrong = get(&cloud, &new, &[("X-IDENTITY-HEADER", "wrong")]).await;
    assert_eq!((wrong.status, &wrong.json()["statusCode"]), (401, &json!(401)));
    let absent = format!("{new}&client_id={}", facts.unassigned.client_id);
    let absent = get(&cloud, &absent, &[("X-IDENTITY-HEADER", &header)]).await;
    assert!(absent.status == 400 && absent.json()["message"].as_str().unwrap().contains("Managed Identity"));

    for platform in ["appService2017", "machineLearning"] {
        let endpoint = variable(&cloud, platform, "MSI_ENDPOINT");
        let old = format!(
            "{endpoint}?resource={GRAPH_ESCAPED}&api-version=2017-09-01&clientid={}",
            user.client_id
        );
        let reply = get(&cloud, &old, &[("secret", &variable(&cloud, platform, "MSI_SECRET"))]).await;
        assert_eq!(claims(&reply)["appid"], *user.client_id, "{platform}");
        assert_eq!(get(&cloud, &old, &[]).await.status, 401, "{platform}");
    }
}

#[tokio::test]
async fn azure_arc_wants_what_is_in_its_key_file_once() {
    let cloud = small().await;
    let facts = &cloud.sandbox.facts().managed_identity;
    let endpoint = variable(&cloud, "azureArc", "IDENTITY_ENDPOINT");
    let url = format!("{endpoint}?api-version=2020-06-01&resource={GRAPH_ESCAPED}");
    let first = get(&cloud, &url, &[("Metadata", "true")]).await;
    assert_eq!(first.status, 401);
    let realm = first.headers["www-authenticate"].to_str().unwrap();
    let path = realm.strip_prefix("Basic realm=").unwrap();
    assert!(
        path.starts_with(&facts.arc_key_folder) && path.ends_with(".key"),
        "{path}"
    );
    let key = std::fs::read_to_string(path).unwrap();
    assert!(key.len() <= 4096);
    let basic = format!("Basic {key}");
    let headers = [("Metadata", "true"), ("Authorization", basic.as_str())];
    let reply = get(&cloud, &url, &headers).await;
    assert_eq!(claims(&reply)["appid"], *facts.system_assigned.client_id);
    assert_eq!(
        get(&cloud, &url, &headers).await.status,
        401,
        "a key is good for one request"
    );
    let chosen = format!("{url}&client_id={}", facts.user_assigned.client_id);
    assert_eq!(get(&cloud, &chosen, &headers).await.status, 400);
}

#[tokio::test]
async fn cloud_shell_takes_a_form_and_service_fabric_a_header_over_tls() {
    let cloud = small().await;
    let endpoint = variable(&cloud, "cloudShell", "MSI_ENDPOINT");
    let post = |headers: bool| {
        let mut request = cloud
            .http
            .post(&endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("resource={GRAPH_ESCAPED}"));
        if headers {
            request = request.header("Metadata", "true");
        }
        request.send()
    };
    assert_eq!(claims(&answer(post(true).await.unwrap()).await)["aud"], GRAPH);
    assert_eq!(answer(post(false).await.unwrap()).await.status, 400);
    assert_eq!(cloud.call(Method::GET, &endpoint, "x").await.status, 404);

    let endpoint = variable(&cloud, "serviceFabric", "IDENTITY_ENDPOINT");
    assert!(endpoint.starts_with("https://"));
    assert_eq!(
        variable(&cloud, "serviceFabric", "IDENTITY_SERVER_THUMBPRINT").len(),
        40
    );
    let url = format!("{endpoint}?api-version=2020-05-01&resource={GRAPH_ESCAPED}");
    let header = variable(&cloud, "serviceFabric", "IDENTITY_HEADER");
    assert_eq!(claims(&get(&cloud, &url, &[("secret", &header)]).await)["aud"], GRAPH);
    let wrong = get(&cloud, &url, &[("secret", "x")]).await;
    assert_eq!(wrong.json()["error"]["code"], "SecretHeaderNotFound");
}

#[tokio::test]
async fn platforms_go_wrong_on_demand_and_are_counted() {
    let cloud = small().await;
    let url = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={GRAPH_ESCAPED}",
        variable(&cloud, "imds", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
    );
    let control = cloud.sandbox.control();
    control
        .add_faults(json!({"match": {"service": "imds"}, "action": {"kind": "status", "status": 410}}))
        .unwrap();
    assert_eq!(get(&cloud, &url, &[("Metadata", "true")]).await.status, 410);
    assert_eq!(get(&cloud, &url, &[("Metadata", "true")]).await.status, 200);
    assert_eq!(control.stats()["byPath"]["GET /metadata/identity/oauth2/token"], 2);
}

#[tokio::test]
async fn what_the_machine_has_on_its_disk_goes_with_the_sandbox() {
    let cloud = small().await;
    let facts = cloud.sandbox.facts();
    let keys = facts.managed_identity.arc_key_folder.clone();
    let token = facts.workload_identity.variables["AZURE_FEDERATED_TOKEN_FILE"].clone();
    assert!(std::path::Path::new(&token).exists() && std::path::Path::new(&keys).exists());
    drop(cloud);
    assert!(!std::path::Path::new(&token).exists() && !std::path::Path::new(&keys).exists());
}
