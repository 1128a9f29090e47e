//! The client that the core uses, alone: the same TLS and HTTP/2, the token marked as sensitive, the same blobs, 16 at once, and nothing
//! done with them.

use super::account::{self, Cost};
use super::sandbox::Sandbox;
use super::Outcome;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::runtime::Runtime;

const MANAGE: &str = "https://manage.office.com";
const CONTENT_TYPES: [&str; 4] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
];
const AT_ONCE: usize = 16;
/// Bytes of blobs that the steps are measured on, as they are transferred.
const SAMPLE: usize = 8 << 20;

/// Reads every blob of every tenant and drops it as it comes; the bytes are those on the wire.
pub(crate) fn download(sandbox: &Sandbox, runtime: &Runtime, gzip: bool, records: u64) -> Outcome<(u64, u64, Cost)> {
    let feed = Feed::new(sandbox, gzip)?;
    let tenants = runtime.block_on(feed.sign_in(sandbox))?;
    let (bytes, cost) = account::measure(|| {
        runtime.block_on(async {
            let mut bytes = 0;
            for (tenant, token) in &tenants {
                let blobs = feed.blobs(tenant, token).await?;
                let reading = stream::iter(blobs).map(|blob| {
                    let request = feed.get(&blob, token);
                    // On tasks, so that all threads work.
                    async move { tokio::spawn(drop_all(request)).await? }
                });
                let mut reading = reading.buffer_unordered(AT_ONCE);
                while let Some(length) = reading.try_next().await? {
                    bytes += length;
                }
            }
            Outcome::Ok(bytes)
        })
    })?;
    Ok((records, bytes, cost))
}

async fn drop_all(request: RequestBuilder) -> Outcome<u64> {
    let mut response = sent(request).await?;
    let mut length = 0;
    while let Some(chunk) = response.chunk().await? {
        length += chunk.len() as u64;
    }
    Ok(length)
}

/// Some blobs as they are transferred.
pub(crate) fn sample(sandbox: &Sandbox, runtime: &Runtime, gzip: bool) -> Outcome<Vec<Bytes>> {
    let feed = Feed::new(sandbox, gzip)?;
    runtime.block_on(async {
        let mut sample = Vec::new();
        let mut length = 0;
        for (tenant, token) in feed.sign_in(sandbox).await? {
            for blob in feed.blobs(&tenant, &token).await? {
                if length > SAMPLE {
                    return Ok(sample);
                }
                let bytes = sent(feed.get(&blob, &token)).await?.bytes().await?;
                length += bytes.len();
                sample.push(bytes);
            }
        }
        Ok(sample)
    })
}

async fn sent(request: RequestBuilder) -> Outcome<Response> {
    Ok(request.send().await?.error_for_status()?)
}

struct Feed {
    client: Client,
    gzip: bool,
    root: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    content_uri: String,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
}

impl Feed {
    fn new(sandbox: &Sandbox, gzip: bool) -> Outcome<Self> {
        let root = reqwest::Certificate::from_pem(sandbox.authority_pem()?.as_bytes())?;
        let client = Client::builder()
            .use_native_tls()
            .no_proxy()
            .no_gzip()
            .add_root_certificate(root)
            .build()?;
        Ok(Feed {
            client,
            gzip,
            root: sandbox.endpoint("manage").to_owned(),
        })
    }

    /// Every tenant with a token for it.
    async fn sign_in(&self, sandbox: &Sandbox) -> Outcome<Vec<(String, Arc<str>)>> {
        let mut tenants = Vec::new();
        for tenant in sandbox.tenants() {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token")
                .append_pair("client_id", sandbox.text("applicationId"))
                .append_pair("client_secret", sandbox.text("secret"))
                .append_pair("refresh_token", sandbox.text("refreshToken"))
                .append_pair("resource", MANAGE);
            let request = self
                .client
                .post(format!("{}/{tenant}/oauth2/token", sandbox.endpoint("login")))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.finish());
            let body = sent(request).await?.bytes().await?;
            let answer: Answer = serde_json::from_slice(&body)?;
            tenants.push((tenant.to_owned(), Arc::from(answer.access_token)));
        }
        Ok(tenants)
    }

    fn get(&self, address: &str, token: &str) -> RequestBuilder {
        let coding = if self.gzip { "gzip" } else { "identity" };
        self.client
            .get(address)
            .bearer_auth(token)
            .header(ACCEPT_ENCODING, coding)
    }

    /// The addresses of a tenant's blobs of seven days.
    async fn blobs(&self, tenant: &str, token: &str) -> Outcome<BTreeSet<String>> {
        let mut blobs = BTreeSet::new();
        let end = OffsetDateTime::now_utc() - Duration::minutes(10);
        for content_type in CONTENT_TYPES {
            let mut start = OffsetDateTime::now_utc() - Duration::days(7) + Duration::minutes(5);
            while start < end {
                let until = end.min(start + Duration::days(1));
                let mut page = Some(format!(
                    "{}/api/v1.0/{tenant}/activity/feed/subscriptions/content?contentType={content_type}&startTime={}&endTime={}",
                    self.root,
                    seconds(start),
                    seconds(until)
                ));
                while let Some(address) = page {
                    let response = sent(self.client.get(address).bearer_auth(token)).await?;
                    let next = response.headers().get("NextPageUri");
                    page = next.map(|next| next.to_str().map(str::to_owned)).transpose()?;
                    let items: Vec<Item> = serde_json::from_slice(&response.bytes().await?)?;
                    blobs.extend(items.into_iter().map(|item| item.content_uri));
                }
                start = until;
            }
        }
        Ok(blobs)
    }
}

/// UTC without a zone.
fn seconds(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!("{date}T{:02}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second())
}
