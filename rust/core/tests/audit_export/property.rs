//! Random estates, faults and kills: an export and its resumes give the sandbox's truth, each id once, or a named gap where the
//! sandbox truly withheld something.
//!
//! `SECUREAPP_CASES=200 SECUREAPP_SEED=7 cargo test --release -p secureapp-core --test audit_export property -- --nocapture` tries so
//! many cases from that seed on; a failure names its seed, and `SECUREAPP_CASES=1 SECUREAPP_SEED=<it>` repeats it.

use super::child;
use super::random::{told, Random};
use super::support::*;
use super::verify::verify;
use secureapp_core::Value;
use secureapp_sandbox::{AuditOptions, Options, Signature};
use serde_json::{json, Value as Json};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

const NAME: &str = "property::exports_give_the_truth_or_name_what_is_missing";
const CASES: u64 = 12;
/// Things that go wrong at a time.
const MOST_TROUBLE: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn exports_give_the_truth_or_name_what_is_missing() {
    if child::is_child().await {
        return;
    }
    let first = told("SECUREAPP_SEED").unwrap_or(1);
    let mut seen = Seen::default();
    for seed in first..first + told("SECUREAPP_CASES").unwrap_or(CASES) {
        let begun = Instant::now();
        match tokio::spawn(async move { Case::new(seed).await.run().await }).await {
            Ok(case) => {
                println!("seed {seed}: {:.1} s, {case:?}", begun.elapsed().as_secs_f64());
                seen.add(&case);
            }
            Err(failure) => panic!("seed {seed}: {failure}"),
        }
    }
    println!("{seen:?}");
}

/// What the cases were.
#[derive(Debug, Default)]
struct Seen {
    feed: u64,
    exchange: u64,
    graph: u64,
    kills: u64,
    runs: u64,
    records: u64,
    with_gaps: u64,
    missing: u64,
}

impl Seen {
    fn add(&mut self, one: &Seen) {
        self.feed += one.feed;
        self.exchange += one.exchange;
        self.graph += one.graph;
        self.kills += one.kills;
        self.runs += one.runs;
        self.records += one.records;
        self.with_gaps += one.with_gaps;
        self.missing += one.missing;
    }
}

struct Case {
    random: Random,
    world: World,
    ask: Ask,
    /// What the sandbox never gives, in milliseconds since 1970: by arrival for the feed, by event for a search.
    withheld: Option<(i64, i64)>,
    /// Subscriptions are new, so that the feed has a day of the past only.
    is_new: bool,
    seen: Seen,
}

impl Case {
    async fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let source = random.pick(&["feed", "feed", "feed", "exchange", "graph"]);
        let is_feed = source == "feed";
        let is_new = is_feed && random.one_in(4);
        // A record without an id is known by its bytes, so that others are another record.
        let without_id = if is_feed { random.pick(&[0.0, 0.03]) } else { 0.0 };
        let audit = AuditOptions {
            duplicates: random.pick(&[0.0, 0.05, 0.3]),
            late: random.pick(&[0.0, 0.01, 0.2]),
            relisted: random.pick(&[0.0, 0.1]),
            without_id,
            conflicts: if without_id == 0.0 {
                random.pick(&[0.0, 0.5])
            } else {
                0.0
            },
            page_size: random.pick(&[3, 10, 100]),
            records_per_blob: random.pick(&[4, 15, 60, 300]),
            gzip: !random.one_in(4),
            subscribed: !is_new,
            ..AuditOptions::default()
        };
        let world = World::with(Options {
            tenants: 1 + random.below(3) as usize,
            records: 50 + random.below(1200),
            seed,
            signature: Signature::Filler,
            audit,
            ..Options::default()
        })
        .await;
        let mut ask = Ask {
            source,
            // The feed's oldest hours leave it meanwhile, and what was asked for of them stays missing.
            start: world.now - 7 * DAY_MS + HOUR_MS,
            throttle: random.pick(&[1, 0, 64]),
            compression: random.pick(&["none", "none", "gzip", "zstd"]),
            ..world.ask()
        };
        if !is_feed {
            ask.content_types = "";
            ask.settle_seconds = 0;
            ask.start = (world.now - 8 * DAY_MS).div_euclid(1000) * 1000;
            ask.end = (world.now - DAY_MS).div_euclid(1000) * 1000;
        }
        Case {
            random,
            world,
            ask,
            withheld: None,
            is_new,
            seen: Seen::default(),
        }
    }

    async fn run(mut self) -> Seen {
        self.withhold();
        self.behave();
        for _ in 0..self.random.below(4) {
            self.trouble();
            self.killed().await;
        }
        self.trouble();
        self.once().await;
        // What passes has passed; what is withheld stays so.
        self.calm();
        let outcome = self.once().await;
        self.judge(&outcome).await;
        *match self.ask.source {
            "feed" => &mut self.seen.feed,
            "exchange" => &mut self.seen.exchange,
            _ => &mut self.seen.graph,
        } = 1;
        self.seen
    }

    async fn once(&mut self) -> Outcome {
        self.seen.runs += 1;
        let outcome = self.world.export(&self.ask, &self.world.tenants()).await;
        assert!(outcome.end.is_none(), "{:?}", outcome.end);
        outcome
    }

    /// Now and then the sandbox keeps something for itself.
    fn withhold(&mut self) {
        if !self.random.one_in(3) || self.ask.source == "graph" {
            return;
        }
        if self.ask.source == "exchange" {
            let start = self.ask.start + self.random.below(6 * DAY_MS as u64) as i64;
            let start = start.div_euclid(1000) * 1000;
            let end = start + 1000 * (1 + self.random.below(600) as i64);
            let change = json!({"failing": [iso(start), iso(end)]});
            self.world.sandbox.control().set_exchange(change).unwrap();
            self.withheld = Some((start, end));
            return;
        }
        // Ten hours of a day, which the ids of their blobs begin with; the third ten are four.
        let day = (self.world.now - DAY_MS * (1 + self.random.below(6) as i64)).div_euclid(DAY_MS) * DAY_MS;
        let ten = self.random.below(3) as i64;
        let start = day + ten * 10 * HOUR_MS;
        let date = &iso(start)[..10].replace('-', "");
        let action = self.random.pick(&[
            json!({"kind": "feedError", "code": "AF20050"}),
            json!({"kind": "feedError", "code": "AF20051"}),
            json!({"kind": "truncate", "bytes": 40, "close": "clean"}),
        ]);
        self.world.fault(json!({"id": "withheld", "times": -1, "action": action,
            "match": {"service": "manage", "pathContains": format!("/audit/{date}{ten}")}}));
        self.withheld = Some((start, (start + 10 * HOUR_MS).min(day + DAY_MS)));
    }

    /// How the searched services are, for the whole case.
    fn behave(&mut self) {
        let random = &mut self.random;
        let control = self.world.sandbox.control();
        if self.ask.source == "exchange" {
            let change = json!({
                "resultCount": random.pick(&["total", "resultSize", "resultSizeAlone", "zero"]), "pageSize": random.pick(&[77, 1000]),
                "emptyPages": random.pick(&[0.0, 0.2]), "repeats": random.pick(&[0.0, 0.1]), "cancelled": random.pick(&[0.0, 0.2]),
                "restarts": random.one_in(3), "unsorted": random.one_in(3),
                "longestPause": random.pick(&[3, 6]), "shortPages": random.pick(&[0.0, 0.3]),
                "moreOf": random.pick(&["search", "session"]), "metadata": random.pick(&["object", "text", "pascal"]),
            });
            control.set_exchange(change).unwrap();
        }
        if self.ask.source == "graph" {
            let change = json!({
                "polls": random.pick(&[0, 1]), "betaOnly": random.one_in(2), "counted": random.one_in(2),
                "miscounted": random.pick(&[0, -30]),
                "unstable": random.pick(&[0.0, 0.1]), "failed": random.pick(&[0.0, 0.1]), "inFlight": random.pick(&[10, 50]),
                "recordLimit": random.pick(&[150, 1_000_000]),
            });
            control.set_graph(change).unwrap();
        }
    }

    fn service(&self) -> &'static str {
        match self.ask.source {
            "exchange" => "outlook",
            "graph" => "graph",
            _ => "manage",
        }
    }

    /// A few things that go wrong a few times.
    fn trouble(&mut self) {
        let service = self.service();
        let places: &[&str] = match service {
            "manage" => &["/audit/", "/audit/", "/subscriptions/content", "/subscriptions/list"],
            "outlook" => &["InvokeCommand"],
            _ => &["/records", "/queries"],
        };
        for number in 0..self.random.below(MOST_TROUBLE + 1) {
            let random = &mut self.random;
            let bytes = 20 + random.below(3_000);
            let action = random.pick(&[
                json!({"kind": "status", "status": 500, "body": "{}"}),
                json!({"kind": "status", "status": 503, "headers": {"Retry-After": "0"}, "body": ""}),
                json!({"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "body": "slow"}),
                json!({"kind": "status", "status": 401, "body": "{}"}),
                json!({"kind": "feedError", "code": if service == "manage" { "AF429" } else { "AF50000" }}),
                json!({"kind": "reset"}),
                json!({"kind": "html"}),
                json!({"kind": "garbage"}),
                json!({"kind": "truncate", "bytes": bytes, "close": "clean"}),
                json!({"kind": "truncate", "bytes": bytes, "close": "abort"}),
                json!({"kind": "truncate", "bytes": bytes, "close": "cancel"}),
            ]);
            self.world.fault(
                json!({"id": format!("trouble-{number}"), "skip": random.below(40), "times": 1 + random.below(3),
                "match": {"service": service, "pathContains": random.pick(places)}, "action": action}),
            );
        }
    }

    fn calm(&self) {
        for number in 0..MOST_TROUBLE {
            self.world
                .fault(json!({"id": format!("trouble-{number}"), "times": 0, "action": {"kind": "reset"}}));
        }
        let control = self.world.sandbox.control();
        control
            .set_exchange(json!({"cancelled": 0.0, "emptyPages": 0.0}))
            .unwrap();
        control.set_graph(json!({})).unwrap();
    }

    /// One run that ends by SIGKILL, over all of the time or a part of it.
    async fn killed(&mut self) {
        let mut ask = self.ask.clone();
        if self.random.one_in(3) {
            let length = ask.end - ask.start;
            ask.start += (self.random.below(length as u64 / 3) as i64).div_euclid(1000) * 1000;
            ask.end -= (self.random.below(length as u64 / 3) as i64).div_euclid(1000) * 1000;
        }
        let service = self.service();
        let kill = |times: i64, skip: u64, stage: &str| {
            json!({"id": "kill", "match": {"service": service}, "times": times, "skip": skip,
                "action": {"kind": "hold", "stage": stage}})
        };
        let stage = self.random.pick(&["before-headers", "after-headers", "mid-body"]);
        let skip = self.random.below(50);
        self.world.fault(kill(-1, skip, stage));
        let before = held(&self.world, Duration::ZERO, 0).await;
        let folder = self.world.folder.path();
        let mut command = child::command(&self.world, &ask, &self.world.tenants(), folder, NAME, None);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // It may be done before so much was asked.
        while child.try_wait().unwrap().is_none() {
            if held(&self.world, Duration::from_millis(20), before + 1).await > before {
                break;
            }
        }
        // What came before is being written meanwhile.
        tokio::time::sleep(Duration::from_millis(self.random.below(30))).await;
        child.kill().unwrap();
        self.seen.kills += u64::from(!child.wait().unwrap().success());
        self.seen.runs += 1;
        self.world.fault(kill(0, 0, stage));
        self.world.sandbox.control().release("kill");
    }

    async fn judge(&mut self, outcome: &Outcome) {
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(outcome.records.len(), self.world.tenants().len());
        for record in &outcome.records {
            self.judge_tenant(text(record, "tenantId"), record);
        }
        let checked = verify(&self.world, &[self.world.folder.path()]).await;
        assert_eq!(checked.records.len(), self.world.tenants().len());
        for record in &checked.records {
            assert!(flag(record, "intact"), "{record:?}");
        }
    }

    fn judge_tenant(&mut self, tenant: &str, record: &Value) {
        let found = self.ids(tenant);
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{tenant} has ids twice");
        let truth = self.truth(tenant, "", self.ask.start, self.ask.end);
        let missing: Vec<&String> = truth.iter().filter(|id| found.binary_search(id).is_err()).collect();
        assert!(
            found.iter().all(|id| truth.binary_search(id).is_ok()),
            "{tenant} has what is not there"
        );
        let is_complete = flag(record, "complete");
        let Some(Value::List(gaps)) = record.get("gaps") else {
            panic!("{record:?}")
        };
        self.seen.records += found.len() as u64;
        self.seen.missing += missing.len() as u64;
        self.seen.with_gaps += u64::from(!gaps.is_empty());
        if self.withheld.is_none() && !self.is_new {
            assert!(
                is_complete && gaps.is_empty() && missing.is_empty(),
                "{} missing, {record:?}",
                missing.len()
            );
        }
        assert!(
            !is_complete || (missing.is_empty() && gaps.is_empty()),
            "{} missing, {record:?}",
            missing.len()
        );
        let mut named = BTreeSet::new();
        for gap in gaps {
            let (start, end) = (number(gap, "start"), number(gap, "end"));
            let withheld = self.withheld.is_some_and(|(from, until)| start < until && from < end);
            // A new subscription has about a day; none of the gap may be younger.
            let is_old = self.is_new && end <= self.world.now - DAY_MS + HOUR_MS;
            assert!(
                withheld || is_old,
                "a gap where nothing was withheld: {gap:?} {:?}",
                self.withheld
            );
            let content_type = if self.ask.source == "feed" {
                text(gap, "contentType")
            } else {
                ""
            };
            named.extend(self.truth(tenant, content_type, start, end));
        }
        let unnamed: Vec<_> = missing.iter().filter(|id| !named.contains(**id)).collect();
        assert!(unnamed.is_empty(), "missing and in no gap: {unnamed:?} {record:?}");
    }

    /// The ids in a tenant's files, sorted, with every repetition.
    fn ids(&self, tenant: &str) -> Vec<String> {
        if self.ask.source != "graph" {
            return self.world.ids(tenant);
        }
        let id = |line: &String| {
            serde_json::from_str::<Json>(line).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let mut ids: Vec<String> = self.world.lines(tenant).iter().map(|(_, line)| id(line)).collect();
        ids.sort_unstable();
        ids
    }

    fn truth(&self, tenant: &str, content_type: &str, start: i64, end: i64) -> Vec<String> {
        let control = self.world.sandbox.control();
        let truth = match self.ask.source {
            "feed" => control.truth_of(tenant, content_type, Some(start), Some(end)),
            _ => control.truth_by_event(tenant, start.div_euclid(1000), end.div_euclid(1000)),
        };
        truth.unwrap()
    }
}

/// How many replies the kill holds or has held, once there are `count` or the time is over.
async fn held(world: &World, limit: Duration, count: u64) -> u64 {
    let control = world.sandbox.control();
    let (Ok(counts) | Err(counts)) = control.wait_hold("kill", "held", count, limit).await;
    counts.held
}

fn iso(ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).unwrap();
    format!(
        "{}T{:02}:{:02}:{:02}",
        time.date(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
