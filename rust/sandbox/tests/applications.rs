//! Applications that are registered while the sandbox runs: the checks on who registers them, and that they really work.

mod common;

use common::{answer, start, Answer, Cloud, GRAPH};
use reqwest::Method;
use secureapp_sandbox::{Options, Preset};
use serde_json::{json, Value};

/// Microsoft Graph Command Line Tools.
const TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
const DIRECTORY_READ: &str = "7ab1d382-f21e-4acd-a863-ba3e13f7da61";
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

struct Estate {
    cloud: Cloud,
    token: String,
}

impl Estate {
    async fn empty() -> Self {
        Estate::of(Preset::Empty).await
    }

    async fn of(preset: Preset) -> Self {
        let cloud = start(Options {
            tenants: 2,
            records: 0,
            preset,
            ..Options::default()
        })
        .await;
        let token = sign_in(&cloud, "sam").await;
        Estate { cloud, token }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send_as(&self.token, method, path, body).await
    }

    async fn send_as(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/v1.0/{path}", self.cloud.sandbox.facts().endpoints.graph);
        let request = self.cloud.http.request(method, url).bearer_auth(token);
        let request = match body {
            Value::Null => request,
            body => request
                .header("content-type", "application/json")
                .body(body.to_string()),
        };
        answer(request.send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let reply = self.send(Method::POST, path, body).await;
        assert!((200..300).contains(&reply.status), "{path}: {}", reply.text);
        reply.json()
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.send(Method::GET, path, Value::Null).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    /// The object id of the service principal of Microsoft Graph.
    async fn graph(&self) -> String {
        let found = self
            .get(&format!("servicePrincipals?$filter=appId eq '{GRAPH_ID}'"))
            .await;
        found["value"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn app_only(&self, tenant: &str, application: &str, secret: &str) -> Answer {
        let scope = format!("{GRAPH}/.default");
        let fields = [
            ("client_id", application),
            ("client_secret", secret),
            ("grant_type", "client_credentials"),
            ("scope", &scope),
        ];
        self.cloud.form(&format!("{tenant}/oauth2/v2.0/token"), &fields).await
    }
}

/// A token for Graph of one of the partner's users, by the public client.
async fn sign_in(cloud: &Cloud, name: &str) -> String {
    let facts = cloud.sandbox.facts();
    let user = facts
        .users
        .iter()
        .find(|user| user.user_principal_name.starts_with(name))
        .unwrap();
    let refresh = cloud
        .sandbox
        .control()
        .add_user_of(TOOLS, &user.user_principal_name, true);
    let fields = [
        ("client_id", TOOLS),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let reply = cloud
        .form(&format!("{}/oauth2/v2.0/token", facts.partner_tenant_id), &fields)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn wanted() -> Value {
    json!({
        "displayName": "Made here",
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": ["http://localhost"]},
        "requiredResourceAccess": [{"resourceAppId": GRAPH_ID, "resourceAccess": [
            {"id": DIRECTORY_READ, "type": "Role"},
            {"id": "06da0dbc-49e2-44d2-8312-53f166ab848a", "type": "Scope"},
        ]}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_gets_the_roles_that_it_was_assigned_and_works_in_customers_that_consent() {
    let estate = Estate::empty().await;
    let facts = estate.cloud.sandbox.facts().clone();
    assert_eq!(
        (
            facts.application_id.as_str(),
            facts.secret.as_str(),
            facts.refresh_token.as_str()
        ),
        ("", "", "")
    );
    let partner = facts.partner_tenant_id.clone();
    let made = estate.post("applications", wanted()).await;
    let (object, id) = (made["id"].as_str().unwrap(), made["appId"].as_str().unwrap());
    let secret = estate
        .post(
            &format!("applications/{object}/addPassword"),
            json!({"passwordCredential": {"displayName": "x"}}),
        )
        .await;
    let text = secret["secretText"].as_str().unwrap();
    assert_eq!(
        estate.app_only(&partner, id, text).await.code(),
        "7000229",
        "no service principal yet"
    );

    let principal = estate.post("servicePrincipals", json!({ "appId": id })).await;
    let none = estate.app_only(&partner, id, text).await;
    assert_eq!(none.status, 200, "{}", none.text);
    let list = "contracts";
    let refused = estate
        .send_as(
            none.json()["access_token"].as_str().unwrap(),
            Method::GET,
            list,
            Value::Null,
        )
        .await;
    assert_eq!(refused.status, 403, "a token without roles");
    let graph = estate.graph().await;
    let assignment = json!({"principalId": principal["id"], "resourceId": graph, "appRoleId": DIRECTORY_READ});
    estate
        .post(
            &format!("servicePrincipals/{graph}/appRoleAssignedTo"),
            assignment.clone(),
        )
        .await;
    let token = estate.app_only(&partner, id, text).await.json();
    let allowed = estate
        .send_as(token["access_token"].as_str().unwrap(), Method::GET, list, Value::Null)
        .await;
    assert_eq!(allowed.status, 200, "{}", allowed.text);
    let twice = estate
        .send(
            Method::POST,
            &format!("servicePrincipals/{graph}/appRoleAssignedTo"),
            assignment,
        )
        .await;
    assert_eq!(twice.status, 400);

    let customer = &facts.tenants[0].tenant_id;
    assert_eq!(estate.app_only(customer, id, text).await.code(), "7000229");
    let change = json!({"consent": "granted", "servicePrincipal": true});
    estate.cloud.sandbox.control().set_tenant(customer, change).unwrap();
    assert_eq!(estate.app_only(customer, id, text).await.status, 200);

    let gone = estate
        .send(Method::DELETE, &format!("applications/{object}"), Value::Null)
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(estate.app_only(&partner, id, text).await.code(), "700016");
    assert_eq!(
        estate
            .send(Method::GET, &format!("applications/{object}"), Value::Null)
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_its_own_tenants_and_only_an_administrator_registers_one() {
    let estate = Estate::empty().await;
    let plain = sign_in(&estate.cloud, "office").await;
    let refused = estate.send_as(&plain, Method::POST, "applications", wanted()).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "Authorization_RequestDenied")
    );
    for (body, part) in [
        (json!({}), "displayName"),
        (
            json!({"displayName": "x", "passwordCredentials": []}),
            "service actions",
        ),
        (json!({"displayName": "x", "colour": "red"}), "colour"),
        (
            json!({"displayName": "x", "signInAudience": "Everybody"}),
            "signInAudience",
        ),
        (
            json!({"displayName": "x", "web": {"redirectUris": ["nowhere"]}}),
            "redirectUris",
        ),
        (
            json!({"displayName": "x", "requiredResourceAccess": [{"resourceAppId": "x"}]}),
            "requiredResourceAccess",
        ),
    ] {
        let refused = estate.send(Method::POST, "applications", body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    let single = estate
        .post(
            "applications",
            json!({"displayName": "Own", "signInAudience": "AzureADMyOrg"}),
        )
        .await;
    let id = single["appId"].as_str().unwrap();
    let object = single["id"].as_str().unwrap();
    let secret = estate
        .post(&format!("applications/{object}/addPassword"), json!({}))
        .await;
    estate.post("servicePrincipals", json!({ "appId": id })).await;
    let customer = estate.cloud.tenant(0).to_owned();
    let change = json!({"consent": "granted", "servicePrincipal": true});
    estate.cloud.sandbox.control().set_tenant(&customer, change).unwrap();
    let elsewhere = estate
        .app_only(&customer, id, secret["secretText"].as_str().unwrap())
        .await;
    assert_eq!(elsewhere.code(), "7000229", "it is for one organization");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_is_not_known_everywhere_at_once_and_nothing_is_said_of_a_secret_again() {
    let estate = Estate::empty().await;
    estate
        .cloud
        .sandbox
        .control()
        .set_graph(json!({ "replication": 2 }))
        .unwrap();
    let made = estate.post("applications", wanted()).await;
    let object = made["id"].as_str().unwrap().to_owned();
    let path = format!("applications/{object}");
    for status in [404, 404, 200] {
        assert_eq!(estate.send(Method::GET, &path, Value::Null).await.status, status);
    }
    let secret = estate
        .post(
            &format!("{path}/addPassword"),
            json!({"passwordCredential": {"displayName": "x"}}),
        )
        .await;
    let text = secret["secretText"].as_str().unwrap().to_owned();
    let id = made["appId"].as_str().unwrap().to_owned();
    estate.post("servicePrincipals", json!({ "appId": id })).await;
    let partner = estate.cloud.sandbox.facts().partner_tenant_id.clone();
    for code in ["7000215", "7000215"] {
        assert_eq!(estate.app_only(&partner, &id, &text).await.code(), code);
    }
    assert_eq!(estate.app_only(&partner, &id, &text).await.status, 200);
    let whole = estate.get(&path).await;
    assert_eq!(whole["passwordCredentials"][0]["hint"], text[..3]);
    assert_eq!(whole["passwordCredentials"][0]["secretText"], Value::Null);
    let key = json!({ "keyId": secret["keyId"] });
    assert_eq!(
        estate
            .send(Method::POST, &format!("{path}/removePassword"), key)
            .await
            .status,
        204
    );
    assert_eq!(estate.app_only(&partner, &id, &text).await.code(), "7000215");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_application_that_is_there_first_the_keys_can_be_changed_and_nothing_else() {
    let estate = Estate::of(Preset::Partner).await;
    let facts = estate.cloud.sandbox.facts().clone();
    let (partner, id) = (facts.partner_tenant_id.as_str(), facts.application_id.as_str());
    let listed = estate.get(&format!("applications?$filter=appId eq '{id}'")).await;
    let first = listed["value"][0].clone();
    let path = format!("applications/{}", first["id"].as_str().unwrap());
    let by_client_id = format!("applications(appId='{id}')");

    let add = json!({"passwordCredential": {"displayName": "second"}});
    let secret = estate.post(&format!("{path}/addPassword"), add).await;
    let text = secret["secretText"].as_str().unwrap();
    for works in [text, facts.secret.as_str()] {
        assert_eq!(estate.app_only(partner, id, works).await.status, 200);
    }
    let old = json!({ "keyId": first["passwordCredentials"][0]["keyId"] });
    let removed = estate
        .send(Method::POST, &format!("{by_client_id}/removePassword"), old)
        .await;
    assert_eq!(removed.status, 204, "{}", removed.text);
    assert_eq!(estate.app_only(partner, id, &facts.secret).await.code(), "7000215");
    assert_eq!(estate.app_only(partner, id, text).await.status, 200);
    let whole = estate.get(&path).await;
    let secrets = whole["passwordCredentials"].as_array().unwrap();
    assert_eq!((secrets.len(), &secrets[0]["displayName"]), (1, &json!("second")));

    let none = json!({ "keyCredentials": [] });
    assert_eq!(estate.send(Method::PATCH, &path, none).await.status, 204);
    assert_eq!(estate.get(&format!("{path}/owners")).await["value"], json!([]));
    let named = json!({ "displayName": "Other", "keyCredentials": [] });
    for (method, body) in [(Method::PATCH, named), (Method::DELETE, Value::Null)] {
        let refused = estate.send(method, &path, body).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "Authorization_RequestDenied")
        );
        assert!(
            refused.text.contains("only the secrets and certificates"),
            "{}",
            refused.text
        );
    }
    assert_eq!(estate.get(&path).await["displayName"], first["displayName"]);
    let plain = sign_in(&estate.cloud, "office").await;
    let refused = estate
        .send_as(&plain, Method::POST, &format!("{path}/addPassword"), json!({}))
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_by_name_and_tag_and_anything_else_is_refused() {
    let estate = Estate::empty().await;
    for (name, tags) in [("O'Neill", json!(["A"])), ("Other", json!(["B"])), ("other", json!([]))] {
        estate
            .post("applications", json!({"displayName": name, "tags": tags}))
            .await;
    }
    let count = |found: Value| found["value"].as_array().unwrap().len();
    assert_eq!(
        count(estate.get("applications?$filter=displayName eq 'O''Neill'").await),
        1
    );
    assert_eq!(
        count(estate.get("applications?$filter=displayName eq 'OTHER'").await),
        2
    );
    assert_eq!(count(estate.get("applications?$filter=tags/any(t:t eq 'B')").await), 1);
    let refused = estate
        .send(
            Method::GET,
            "applications?$filter=startsWith(displayName,'O')",
            Value::Null,
        )
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (400, "Request_UnsupportedQuery")
    );
}
