//! The directory's objects and the mailboxes, with the checks that the service makes.

mod common;

use common::{answer, start, Answer, Cloud, GRAPH, MANAGE};
use reqwest::Method;
use secureapp_sandbox::Options;
use serde_json::{json, Value};

async fn estate() -> (Cloud, String) {
    let cloud = start(Options {
        tenants: 1,
        records: 0,
        ..Options::default()
    })
    .await;
    let partner = cloud.sandbox.facts().partner_tenant_id.clone();
    let token = cloud.token(&partner, GRAPH).await;
    (cloud, token)
}

async fn post(cloud: &Cloud, token: &str, path: &str, body: Value) -> Answer {
    let url = format!("{}/v1.0/{path}", cloud.sandbox.facts().endpoints.graph);
    let request = cloud
        .http
        .post(url)
        .bearer_auth(token)
        .header("prefer", "IdType=\"ImmutableId\"");
    answer(
        request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap(),
    )
    .await
}

async fn get(cloud: &Cloud, token: &str, path: &str) -> Answer {
    let url = format!("{}/v1.0/{path}", cloud.sandbox.facts().endpoints.graph);
    cloud.call(Method::GET, &url, token).await
}

fn message() -> Value {
    json!({"subject": "s", "body": {"contentType": "Text", "content": "b"}, "toRecipients": [{"emailAddress": {"address": "a@b.example"}}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_found_by_their_own_ids_and_unknown_ones_are_left_out() {
    let (cloud, token) = estate().await;
    let partner = cloud.sandbox.facts().partner_tenant_id.clone();
    let objects = cloud.sandbox.control().directory(&partner).unwrap();
    let group = objects
        .as_array()
        .unwrap()
        .iter()
        .find(|object| object["displayName"] == "AdminAgents")
        .unwrap();

    let ids = json!({"ids": [group["id"], "11111111-2222-4333-8444-555555555555"]});
    let found = post(&cloud, &token, "directoryObjects/getByIds", ids).await;

    assert_eq!((found.status, found.json()["value"].clone()), (200, json!([group])));
    let customers = cloud.token(cloud.tenant(0), GRAPH).await;
    let elsewhere = post(
        &cloud,
        &customers,
        "directoryObjects/getByIds",
        json!({"ids": [group["id"]]}),
    )
    .await;
    assert_eq!(
        elsewhere.json()["value"],
        json!([]),
        "an object's id is its own tenant's"
    );
    for body in [json!({"ids": []}), json!({"ids": ["x"]})] {
        assert_eq!(
            post(&cloud, &token, "directoryObjects/getByIds", body).await.status,
            400
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_principals_are_found_by_the_filters_that_the_directory_takes() {
    let (cloud, token) = estate().await;
    let ask = |filter: String| {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("servicePrincipals?$filter={filter}&$select=appId,displayName")
    };
    let two = "appId in ('00000003-0000-0000-c000-000000000000','00000002-0000-0000-c000-000000000000')";
    let found = get(&cloud, &token, &ask(two.to_owned())).await.json();
    assert_eq!(found["value"].as_array().unwrap().len(), 2, "{found}");
    assert_eq!(
        found["value"][0],
        json!({"appId": "00000003-0000-0000-c000-000000000000", "displayName": "Microsoft Graph"})
    );

    let sixteen: Vec<String> = (0..16).map(|at| format!("'{at}'")).collect();
    let refused = get(&cloud, &token, &ask(format!("appId in ({})", sixteen.join(",")))).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        get(&cloud, &token, &ask("displayName eq 'x'".to_owned())).await.status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_takes_the_right_token_the_right_permission_and_a_mailbox() {
    let (cloud, token) = estate().await;
    let partner = cloud.sandbox.facts().partner_tenant_id.clone();
    let body = || json!({"message": message()});

    let elsewhere = cloud.token(cloud.tenant(0), MANAGE).await;
    assert_eq!(post(&cloud, &elsewhere, "me/sendMail", body()).await.status, 401);
    let own = cloud.app_only(&partner, GRAPH).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(post(&cloud, &own, "me/sendMail", body()).await.status, 400);
    assert_eq!(
        post(&cloud, &own, "users/nobody@x.example/sendMail", body())
            .await
            .code(),
        "ErrorInvalidUser"
    );
    let office = cloud.sandbox.facts().users[1].user_principal_name.clone();
    let mut as_another = body();
    as_another["message"]["from"] = json!({"emailAddress": {"address": office}});
    assert_eq!(
        post(&cloud, &token, "me/sendMail", as_another).await.code(),
        "ErrorSendAsDenied"
    );
    let nobody = json!({"message": {"body": {"contentType": "Text", "content": ""}}});
    assert_eq!(
        post(&cloud, &token, "me/sendMail", nobody).await.code(),
        "ErrorInvalidRecipients"
    );
    assert_eq!(cloud.sandbox.control().mail()["sent"], json!([]));

    assert_eq!(post(&cloud, &token, "me/sendMail", body()).await.status, 202);
    assert_eq!(cloud.sandbox.control().mail()["sent"].as_array().unwrap().len(), 1);
    let withheld = json!({"withheldPermissions": ["Mail.Send"]});
    cloud.sandbox.control().set_application(withheld).unwrap();
    let token = cloud.token(&partner, GRAPH).await;
    assert_eq!(
        post(&cloud, &token, "me/sendMail", body()).await.code(),
        "ErrorAccessDenied"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_takes_pieces_in_order_and_no_token() {
    let (cloud, token) = estate().await;
    let draft = post(&cloud, &token, "me/messages", message()).await.json();
    let session = |size: u64| {
        let path = format!(
            "me/messages/{}/attachments/createUploadSession",
            draft["id"].as_str().unwrap()
        );
        let item = json!({"AttachmentItem": {"attachmentType": "file", "name": "a", "size": size}});
        let (cloud, token) = (&cloud, &token);
        async move { post(cloud, token, &path, item).await }
    };
    assert_eq!(
        session(2_000_000).await.code(),
        "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"
    );
    assert_eq!(session(200_000_000).await.code(), "ErrorAttachmentSizeLimitExceeded");
    const UNIT: usize = 320 << 10;
    let size = 10 * UNIT + 1;
    let url = session(size as u64).await.json()["uploadUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        url.starts_with(&cloud.sandbox.facts().endpoints.outlook),
        "it is Exchange's host"
    );

    let put = |from: usize, length: usize, token: Option<&str>| {
        let range = format!("bytes {from}-{}/{size}", from + length - 1);
        let mut request = cloud
            .http
            .put(&url)
            .header("content-range", range)
            .body(vec![7; length]);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        async move { answer(request.send().await.unwrap()).await }
    };
    assert_eq!(put(0, UNIT, Some(&token)).await.status, 401);
    assert_eq!(put(UNIT, UNIT, None).await.status, 416);
    assert_eq!(put(0, UNIT + 1, None).await.status, 400);
    let first = put(0, 9 * UNIT, None).await;
    assert_eq!(
        (first.status, first.json()["NextExpectedRanges"].clone()),
        (200, json!([(9 * UNIT).to_string()]))
    );
    assert_eq!(put(0, UNIT, None).await.status, 416);
    assert_eq!(put(9 * UNIT, UNIT + 1, None).await.status, 201);
    assert_eq!(put(9 * UNIT, UNIT + 1, None).await.status, 404, "it has ended");

    let id = draft["id"].as_str().unwrap();
    assert_eq!(
        post(&cloud, &token, &format!("me/messages/{id}/send"), json!({}))
            .await
            .status,
        202
    );
    assert_eq!(
        post(&cloud, &token, &format!("me/messages/{id}/send"), json!({}))
            .await
            .status,
        404
    );
    let sent = get(&cloud, &token, &format!("me/messages/{id}")).await.json();
    assert_eq!(
        (sent["isDraft"].clone(), sent["hasAttachments"].clone()),
        (json!(false), json!(true))
    );
}
