//! The Management Activity feed: a naive crawl finds the truth, and every rule of the API holds.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use common::{answer, start, Cloud, MANAGE};
use reqwest::Method;
use secureapp_sandbox::{AuditOptions, Options, Sandbox};
use serde_json::{json, Value};

const TYPES: [&str; 4] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
];

fn options(audit: AuditOptions) -> Options {
    Options {
        tenants: 3,
        records: 3000,
        audit: AuditOptions {
            subscribed: true,
            ..audit
        },
        ..Options::default()
    }
}

fn iso(ms: i64) -> String {
    // The sandbox's Date header is not needed here: whole seconds from the epoch, by arithmetic.
    let days = ms.div_euclid(86_400_000);
    let seconds = ms.rem_euclid(86_400_000) / 1000;
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as i64
}

struct Feed<'a> {
    cloud: &'a Cloud,
    tenant: String,
    token: String,
}

impl<'a> Feed<'a> {
    async fn of(cloud: &'a Cloud, at: usize) -> Feed<'a> {
        let tenant = cloud.tenant(at).to_owned();
        Feed {
            cloud,
            token: cloud.token(&tenant, MANAGE).await,
            tenant,
        }
    }

    fn url(&self, rest: &str) -> String {
        format!(
            "{}/api/v1.0/{}/activity/feed/{rest}",
            self.cloud.sandbox.facts().endpoints.manage,
            self.tenant
        )
    }

    async fn get(&self, rest: &str) -> common::Answer {
        self.cloud.get(&self.url(rest), &self.token).await
    }

    async fn post(&self, rest: &str) -> common::Answer {
        self.cloud.call(Method::POST, &self.url(rest), &self.token).await
    }

    /// All items of a window, with the number of pages.
    async fn list(&self, content_type: &str, start: i64, end: i64) -> (Vec<Value>, usize) {
        let mut url = self.url(&format!(
            "subscriptions/content?contentType={content_type}&startTime={}&endTime={}",
            iso(start),
            iso(end)
        ));
        let (mut items, mut pages) = (Vec::new(), 0);
        loop {
            let reply = self.cloud.get(&url, &self.token).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            pages += 1;
            items.extend(reply.json().as_array().unwrap().iter().cloned());
            match reply.headers.get("NextPageUri") {
                Some(next) => url = next.to_str().unwrap().to_owned(),
                None => return (items, pages),
            }
        }
    }

    /// Every item of the last seven days, by contentId.
    async fn all(&self) -> BTreeMap<String, Value> {
        let now = now_ms() / 1000 * 1000 + 1000;
        let mut found = BTreeMap::new();
        for content_type in TYPES {
            for day in 0..7 {
                let end = now - day * 86_400_000;
                let start = if day == 6 {
                    end - 86_400_000 + 60_000
                } else {
                    end - 86_400_000
                };
                for item in self.list(content_type, start, end).await.0 {
                    found.insert(item["contentId"].as_str().unwrap().to_owned(), item);
                }
            }
        }
        found
    }

    async fn records(&self, item: &Value) -> Vec<Value> {
        let reply = self.cloud.get(item["contentUri"].as_str().unwrap(), &self.token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json().as_array().unwrap().clone()
    }

    fn truth(&self) -> Vec<String> {
        self.cloud
            .sandbox
            .control()
            .truth_of(&self.tenant, "", None, None)
            .unwrap()
    }
}

#[tokio::test]
async fn a_naive_crawl_deduplicated_by_id_is_the_truth() {
    let audit = AuditOptions {
        page_size: 3,
        records_per_blob: 30,
        duplicates: 0.2,
        ..AuditOptions::default()
    };
    let cloud = start(options(audit)).await;
    for at in 0..3 {
        let feed = Feed::of(&cloud, at).await;
        let (mut ids, mut served) = (BTreeSet::new(), 0);
        for item in feed.all().await.values() {
            for record in feed.records(item).await {
                assert_eq!(record["OrganizationId"], *feed.tenant);
                served += 1;
                ids.insert(record["Id"].as_str().unwrap().to_owned());
            }
        }
        let truth = feed.truth();
        assert_eq!(truth.len() as u64, cloud.sandbox.facts().tenants[at].audit_record_count);
        assert!(served as f64 > truth.len() as f64 * 1.1, "{served} of {}", truth.len());
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), truth);
    }
}

#[tokio::test]
async fn the_same_seed_and_range_give_the_same_truth() {
    let at = |seed| {
        let mut audit = AuditOptions::default();
        audit.set("startTime", "2026-01-01T00:00:00").unwrap();
        audit.set("endTime", "2026-01-07T00:00:00").unwrap();
        async move {
            let sandbox = Sandbox::start(Options { seed, ..options(audit) }).await.unwrap();
            let tenants: Vec<String> = sandbox.facts().tenants.iter().map(|t| t.tenant_id.clone()).collect();
            let control = sandbox.control().clone();
            tenants
                .iter()
                .flat_map(|t| control.truth_of(t, "", None, None).unwrap())
                .collect::<Vec<_>>()
        }
    };
    let first = at(1).await;
    assert_eq!(first.len(), 3000);
    assert_eq!(first, at(1).await);
    assert_ne!(first, at(2).await);
}

#[tokio::test]
async fn windows_are_half_open_and_adjoining_ones_neither_overlap_nor_leave_gaps() {
    let cloud = start(options(AuditOptions {
        relisted: 0.0,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let now = now_ms() / 1000 * 1000;
    let (start, end) = (now - 3 * 86_400_000, now - 2 * 86_400_000);
    let middle = start + 40_000_000;
    let ids = |items: Vec<Value>| -> Vec<String> {
        let mut ids: Vec<String> = items
            .iter()
            .map(|i| i["contentId"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let whole = ids(feed.list(TYPES[1], start, end).await.0);
    let mut halves = feed.list(TYPES[1], start, middle).await.0;
    halves.extend(feed.list(TYPES[1], middle, end).await.0);
    assert!(!whole.is_empty());
    assert_eq!(ids(halves), whole);
    let truth = |from, until| {
        let truth = cloud.sandbox.control().truth_of(&feed.tenant, TYPES[1], from, until);
        truth.unwrap().into_iter().collect::<BTreeSet<_>>()
    };
    let joined: BTreeSet<String> = &truth(Some(start), Some(middle)) | &truth(Some(middle), Some(end));
    assert_eq!(joined, truth(Some(start), Some(end)));
}

#[tokio::test]
async fn listings_have_pages_and_refuse_what_is_no_page() {
    let cloud = start(options(AuditOptions {
        page_size: 2,
        records_per_blob: 5,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let now = now_ms();
    let (items, pages) = feed.list(TYPES[1], now - 2 * 86_400_000, now - 86_400_000).await;
    assert!(
        pages >= 3 && items.len() > 2 * (pages - 1),
        "{pages} pages of {} items",
        items.len()
    );
    let first = feed
        .get(&format!("subscriptions/content?contentType={}", TYPES[1]))
        .await;
    let next = first.headers["NextPageUri"].to_str().unwrap();
    assert!(next.contains("/api/v1/"), "{next}");
    let broken = next.replace("nextPage=", "nextPage=9");
    assert_eq!(cloud.get(&broken, &feed.token).await.code(), "AF20031");
}

#[tokio::test]
async fn every_rule_has_its_code() {
    let cloud = start(Options {
        tenants: 4,
        records: 400,
        audit: AuditOptions {
            subscribed: false,
            ..AuditOptions::default()
        },
        ..Options::default()
    })
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let content = |query: &str| format!("subscriptions/content?contentType=Audit.Exchange{query}");
    assert_eq!(feed.get(&content("")).await.code(), "AF20022");
    assert_eq!(feed.post("subscriptions/start").await.code(), "AF20001");
    assert_eq!(
        feed.post("subscriptions/start?contentType=Audit.Nothing").await.code(),
        "AF20020"
    );
    let started = feed.post("subscriptions/start?contentType=Audit.Exchange").await;
    assert_eq!(
        started.json(),
        json!({"contentType": "Audit.Exchange", "status": "enabled", "webhook": null})
    );
    assert_eq!(
        feed.post("subscriptions/start?contentType=Audit.Exchange").await.code(),
        "AF20024"
    );
    assert_eq!(feed.get("subscriptions/list").await.json().as_array().unwrap().len(), 1);

    let now = now_ms();
    let day = 86_400_000;
    let window = |start: i64, end: i64| content(&format!("&startTime={}&endTime={}", iso(start), iso(end)));
    for (query, code) in [
        (window(now - 2 * day, now - day + 5000), "AF20030"),
        (window(now - day, now - day), "AF20030"),
        (window(now - 7 * day - 1000, now - 7 * day + 1000), "AF20030"),
        (content(&format!("&startTime={}", iso(now - day))), "AF20030"),
        (
            content("&startTime=2026-01-31T10:00:00%2B00:00&endTime=2026-01-31T11:00:00%2B00:00"),
            "AF20002",
        ),
    ] {
        let reply = feed.get(&query).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{query}");
    }
    assert_eq!(
        feed.get(&window(now - 3_600_000, now + 3_600_000)).await.status,
        200,
        "an end in the future is fine"
    );

    let other = format!(
        "{}/api/v1.0/{}/activity/feed/subscriptions/list",
        cloud.sandbox.facts().endpoints.manage,
        cloud.tenant(1)
    );
    assert_eq!(cloud.get(&other, &feed.token).await.code(), "AF20010");
    let no_guid = other.replace(cloud.tenant(1), "contoso.example");
    assert_eq!(cloud.get(&no_guid, &feed.token).await.code(), "AF20013");
    let graph = cloud.token(&feed.tenant, common::GRAPH).await;
    assert_eq!(cloud.get(&feed.url("subscriptions/list"), &graph).await.status, 401);

    assert_eq!(feed.get("audit/nonsense").await.code(), "AF20052");
    let id = "20260101000000000000001$20260101000000000000001$audit_exchange$Audit_Exchange";
    assert_eq!(feed.get(&format!("audit/{id}")).await.code(), "AF20050");

    let control = cloud.sandbox.control();
    control
        .set_tenant(&feed.tenant, json!({"disabledSubscriptions": ["Audit.Exchange"]}))
        .unwrap();
    assert_eq!(feed.get(&content("")).await.code(), "AF20023");
    assert_eq!(
        feed.post("subscriptions/start?contentType=Audit.Exchange").await.status,
        200
    );
    assert_eq!(
        feed.post("subscriptions/stop?contentType=Audit.Exchange").await.text,
        ""
    );
    assert_eq!(feed.get(&content("")).await.code(), "AF20022");
    control.set_tenant(&feed.tenant, json!({"auditing": false})).unwrap();
    let off = feed.get("subscriptions/list").await;
    assert!(
        off.code() == "AF20012" && off.text.contains("DataServiceException"),
        "{}",
        off.text
    );
    control
        .set_tenant(&feed.tenant, json!({"auditing": true, "consent": "missing"}))
        .unwrap();
    let app = cloud.app_only(&feed.tenant, MANAGE).await.json();
    let reply = cloud
        .get(&feed.url("subscriptions/list"), app["access_token"].as_str().unwrap())
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "AF10001"));
}

#[tokio::test]
async fn old_content_expires_and_tokens_do_too() {
    let cloud = start(options(AuditOptions {
        expiration_days: 2,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let now = now_ms();
    let (old, _) = feed.list(TYPES[1], now - 4 * 86_400_000, now - 3 * 86_400_000).await;
    let uri = old[0]["contentUri"].as_str().unwrap();
    assert_eq!(cloud.get(uri, &feed.token).await.code(), "AF20051");
    cloud
        .sandbox
        .control()
        .set_application(json!({"clockSkewSeconds": 4000}))
        .unwrap();
    assert_eq!(cloud.get(uri, &feed.token).await.status, 401);
}

#[tokio::test]
async fn a_feed_with_an_end_in_the_future_goes_on() {
    const HOUR: i64 = 3_600_000;
    let now = now_ms();
    let audit = AuditOptions {
        start_ms: Some(now - 2 * HOUR),
        end_ms: Some(now + 2 * HOUR),
        ..AuditOptions::default()
    };
    let cloud = start(options(audit)).await;
    let window = (now - 3 * HOUR, now + 3 * HOUR);
    let ids = |items: Vec<Value>| -> BTreeSet<String> {
        let id = |item: &Value| item["contentId"].as_str().unwrap().to_owned();
        items.iter().map(id).collect()
    };
    let before = ids(Feed::of(&cloud, 0).await.list(TYPES[1], window.0, window.1).await.0);
    let skew = json!({"clockSkewSeconds": 3 * HOUR / 1000});
    cloud.sandbox.control().set_application(skew).unwrap();
    let after = ids(Feed::of(&cloud, 0).await.list(TYPES[1], window.0, window.1).await.0);
    assert!(!before.is_empty() && before.is_subset(&after) && before.len() < after.len());
}

#[tokio::test]
async fn a_growing_blob_is_whole_on_its_second_fetch() {
    let cloud = start(options(AuditOptions {
        growing: 2,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let now = now_ms();
    let (young, _) = feed.list(TYPES[1], now - 600_000, now + 1000).await;
    let ids: BTreeSet<&str> = young.iter().map(|item| item["contentId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    let first = feed.records(&young[0]).await;
    let second = feed.records(&young[0]).await;
    assert!(!second.is_empty() && first.len() < second.len());
    assert_eq!(first, second[..first.len()]);
    assert_eq!(feed.records(&young[0]).await, second);
}

#[tokio::test]
async fn records_may_lack_an_id_and_second_deliveries_may_differ() {
    let audit = AuditOptions {
        without_id: 0.1,
        duplicates: 0.3,
        conflicts: 0.5,
        records_per_blob: 20,
        ..AuditOptions::default()
    };
    let cloud = start(options(audit)).await;
    let feed = Feed::of(&cloud, 0).await;
    let (mut keys, mut nameless, mut texts) = (BTreeSet::new(), 0, BTreeMap::<String, BTreeSet<String>>::new());
    for item in feed.all().await.values() {
        let text = cloud.get(item["contentUri"].as_str().unwrap(), &feed.token).await.text;
        let records: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(&text).unwrap();
        for raw in records {
            let record: Value = serde_json::from_str(raw.get()).unwrap();
            match record["Id"].as_str() {
                Some(id) => {
                    keys.insert(id.to_owned());
                    texts.entry(id.to_owned()).or_default().insert(raw.get().to_owned());
                }
                None => {
                    nameless += 1;
                    let text = raw.get().replacen("{ ", "{", 1);
                    let digest: String = openssl::sha::sha256(text.as_bytes())
                        .iter()
                        .map(|b| format!("{b:02x}"))
                        .collect();
                    keys.insert(format!("sha256:{digest}"));
                }
            }
        }
    }
    assert!(nameless > 0);
    assert!(texts.values().any(|texts| texts.len() == 2));
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), feed.truth());
}

#[tokio::test]
async fn generated_records_look_like_real_ones() {
    let cloud = start(options(AuditOptions {
        late: 0.1,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let (mut bytes, mut count, mut late, mut escaped) = (0, 0, 0, 0);
    for item in feed.all().await.values() {
        let text = cloud.get(item["contentUri"].as_str().unwrap(), &feed.token).await.text;
        escaped += text.matches("\\/").count();
        bytes += text.len();
        let created = item["contentCreated"].as_str().unwrap();
        for record in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
            count += 1;
            let happened = record["CreationTime"].as_str().unwrap();
            assert!(happened.len() == 19 && happened < created, "{happened} {created}");
            late += usize::from(happened[..10] < created[..10] && happened[11..] < created[11..19]);
            let (id, record_type) = (record["Id"].as_str().unwrap(), record["RecordType"].as_u64().unwrap());
            if [1, 2, 3, 4, 6, 14, 36, 40, 56].contains(&record_type) {
                let ticks = u128::from_str_radix(&id[24..], 16).unwrap() << 16;
                let seconds = (ticks as i64 - 621_355_968_000_000_000) / 10_000_000;
                let apart = (iso(seconds * 1000) != happened, iso(seconds * 1000 + 1000) != happened);
                assert_ne!(apart, (true, true), "{id} {happened}");
            }
        }
    }
    let mean = bytes / count;
    assert!((1000..1900).contains(&mean), "{mean}");
    assert!(late > 0 && escaped > count, "{late} late, {escaped} escaped slashes");
}

#[tokio::test]
async fn throttling_is_403_with_text_that_is_not_json() {
    let cloud = start(options(AuditOptions {
        requests_per_minute: 2,
        ..AuditOptions::default()
    }))
    .await;
    let feed = Feed::of(&cloud, 0).await;
    let query = format!("subscriptions/list?PublisherIdentifier={}", feed.tenant);
    // Two minutes' shares are four requests, should the minute change in between.
    let mut replies = Vec::new();
    for _ in 0..6 {
        replies.push(feed.get(&query).await);
    }
    assert_eq!(replies[0].status, 200);
    let last = replies.into_iter().find(|reply| reply.status != 200).unwrap();
    assert_eq!(last.status, 403);
    assert_eq!(
        last.text,
        format!(
            "{{'error':{{'code':'AF429','message':'Too many requests. Method=ListSubscriptions, PublisherId={}'}}}}",
            feed.tenant
        )
    );
    let control = cloud.sandbox.control();
    control
        .add_faults(json!({"match": {"service": "manage"}, "action": {"kind": "feedError", "code": "AF50000"}}))
        .unwrap();
    let broken = feed.get("subscriptions/list").await;
    assert_eq!(broken.status, 500);
    assert!(broken.text.starts_with("{'error':{'code':'AF50000'"), "{}", broken.text);
}

#[tokio::test]
async fn blobs_are_compressed_for_those_who_accept_it() {
    let cloud = start(options(AuditOptions::default())).await;
    let feed = Feed::of(&cloud, 0).await;
    let (items, _) = feed
        .list(TYPES[1], now_ms() - 2 * 86_400_000, now_ms() - 86_400_000)
        .await;
    let uri = items[0]["contentUri"].as_str().unwrap();
    let plain = common::client(&cloud.sandbox).gzip(false).build().unwrap();
    let fetch = |accept: &'static str| {
        let request = plain
            .get(uri)
            .bearer_auth(&feed.token)
            .header("accept-encoding", accept);
        async move { request.send().await.unwrap() }
    };
    let packed = fetch("gzip, deflate").await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut unpacked)
        .unwrap();
    let identity = answer(fetch("identity").await).await;
    assert!(identity.headers.get("content-encoding").is_none());
    assert_eq!(identity.text, unpacked);
    // A cut that HTTP does not see: the stream ends early within gzip.
    let cut = json!({"match": {"pathContains": "/audit/"}, "action": {"kind": "truncate", "bytes": packed.len() / 2}});
    cloud.sandbox.control().add_faults(cut).unwrap();
    let short = fetch("gzip").await.bytes().await.unwrap();
    assert_eq!(short, packed[..packed.len() / 2]);
    assert!(flate2::read::GzDecoder::new(&short[..])
        .read_to_string(&mut unpacked)
        .is_err());
}

#[tokio::test]
async fn the_feed_settles_when_it_is_first_read() {
    let cloud = start(Options {
        tenants: 1,
        records: 100,
        ..Options::default()
    })
    .await;
    let control = cloud.sandbox.control();
    control.set_audit(json!({"pageSize": 1, "subscribed": true})).unwrap();
    assert!(control
        .set_audit(json!({"pageSize": 0}))
        .unwrap_err()
        .contains("above 0"));
    let feed = Feed::of(&cloud, 0).await;
    assert_eq!(feed.get("subscriptions/list").await.json().as_array().unwrap().len(), 5);
    assert!(control.set_audit(json!({"pageSize": 2})).is_err());
}
