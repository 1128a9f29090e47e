//! One audit log query: created, waited for, read.

use super::super::records::Records;
use super::queries::PERMISSIONS;
use super::waits::Waits;
use super::{explain, list};
use crate::error::{Error, Kind, Result};
use crate::export::dedupe::{self, Seen};
use crate::export::known::Known;
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use serde::Deserialize;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A query that has not ended by then never will; it is begun anew.
const STUCK: Duration = Duration::from_secs(4 * 3600);
/// The longest wait between two looks at a query, in first waits.
const LONGEST_WAIT: u32 = 120;
/// How often a query's records are read at most.
const READINGS: u32 = 8;
/// How often they are read where readings agree on fewer records than the service has counted.
const READINGS_OF_FEWER: u32 = 4;
/// Records of a query that are remembered in memory while it is read; the others are in a temporary file.
const KNOWN_RECORDS: usize = 50_000;

/// Which version of Graph has the queries: `v1.0` where it does, else `beta`.
#[derive(Debug, Default)]
pub(super) struct Version(AtomicBool);

impl Version {
    fn path(&self) -> &'static str {
        match self.is_beta() {
            true => "beta/security/auditLog/queries",
            false => "v1.0/security/auditLog/queries",
        }
    }

    fn is_beta(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn go_beta(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    is_record_count_limit_exceeded: Option<bool>,
    #[serde(default)]
    approximate_returned_record_count: Option<u64>,
}

/// A query that has ended well.
pub(super) struct Done {
    id: String,
    pub(super) exceeded: bool,
    /// How many records the service says that it has, about; 0 where it says nothing.
    count: u64,
}

/// What the readings of a query's records say of them.
#[derive(Debug)]
pub(super) enum Came {
    /// Readings agree, and the service has not counted more.
    All,
    /// Readings agree on fewer records than the service has counted.
    Fewer { came: u64, counted: u64 },
    /// No two readings agree.
    Unlike,
}

/// The records of one reading.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    records: u64,
    /// Those that no earlier reading had.
    new: u64,
    /// Tells it from another; a sum, which does not depend on the order.
    digest: u128,
}

impl Reading {
    /// True where no reading had it before.
    fn add(&mut self, item: &[u8], known: &mut Known) -> Result<bool> {
        let key = dedupe::key(None, item);
        self.records += 1;
        self.digest = self.digest.wrapping_add(u128::from_le_bytes(key));
        let is_new = known.insert(dedupe::entry(&key, 0))? == Seen::New;
        self.new += u64::from(is_new);
        Ok(is_new)
    }

    fn is_like(self, other: Reading) -> bool {
        (self.records, self.digest) == (other.records, other.digest)
    }
}

pub(super) struct Jobs<'a> {
    pub(super) api: &'a GraphApi,
    pub(super) version: &'a Version,
    pub(super) waits: &'a Waits,
}

impl Jobs<'_> {
    /// Creates a query and waits for its end, at most twice.
    pub(super) async fn run(&self, body: &Value) -> Result<Done> {
        let mut again = true;
        loop {
            let id = self.create(body).await?;
            match self.wait(&id).await? {
                Ok(done) => return Ok(done),
                Err(why) => {
                    // It would only fill the queue; whether it goes makes no difference here.
                    let _ = self.delete(&id).await;
                    if !std::mem::replace(&mut again, false) {
                        return Err(Error::new(Kind::Server, format!("the audit log query {why}"))
                            .for_tenant(self.api.tenant().as_str())
                            .advise("Run the same export again later: what it has stays. Exchange and the activity feed have the same records."));
                    }
                }
            }
        }
    }

    async fn create(&self, body: &Value) -> Result<String> {
        let text = serde_json::to_vec(body).map_err(|cause| Error::internal(format!("the query: {cause}")))?;
        loop {
            let was_beta = self.version.is_beta();
            let url = self.api.address(self.version.path(), &[])?;
            let spec = RequestSpec::post(url.as_str())?.json(Zeroizing::new(text.clone()));
            let reply = self.api.send(spec).await?;
            if reply.is_success() {
                return reply.json::<State>().map(|state| state.id);
            }
            // One tenant had 404 in v1.0 while beta worked.
            if reply.status() != 404 || was_beta {
                return Err(self.refused(&reply, "create an audit log query"));
            }
            self.version.go_beta();
        }
    }

    /// The query's end, or why it has none.
    async fn wait(&self, id: &str) -> Result<std::result::Result<Done, &'static str>> {
        let _waiting = self.waits.wait();
        let begun = Instant::now();
        let first = self.api.engine().first_wait();
        let mut wait = first;
        loop {
            let url = self.api.address(&format!("{}/{id}", self.version.path()), &[])?;
            let reply = self.api.send(RequestSpec::get(url.as_str())?).await?;
            if !reply.is_success() {
                return Err(self.refused(&reply, "look at an audit log query"));
            }
            let state: State = reply.json()?;
            match state.status.to_ascii_lowercase().as_str() {
                "succeeded" => {
                    return Ok(Ok(Done {
                        id: state.id,
                        exceeded: state.is_record_count_limit_exceeded == Some(true),
                        count: state.approximate_returned_record_count.unwrap_or_default(),
                    }))
                }
                "failed" => return Ok(Err("failed")),
                "cancelled" => return Ok(Err("was cancelled")),
                _ if begun.elapsed() >= STUCK => return Ok(Err("did not end within four hours")),
                _ => {}
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(first * LONGEST_WAIT);
        }
    }

    /// Adds all records, and removes the query. Of a query that found more than it gives, they are read once: whether that is all of
    /// what it gives makes no difference.
    pub(super) async fn read(&self, done: &Done, records: &Records<'_>) -> Result<Came> {
        let read = self.readings(done, records).await;
        let _ = self.delete(&done.id).await;
        read
    }

    /// One and the same query has been seen to give other records at each reading. So it is read until two readings are the same,
    /// or two in a row bring nothing new. The service's count is approximate: one that is larger than what came says that something
    /// may be missing, and is reason to read again; one that is not says nothing.
    async fn readings(&self, done: &Done, records: &Records<'_>) -> Result<Came> {
        let mut known = Known::new(&std::env::temp_dir(), KNOWN_RECORDS);
        let mut different = 0;
        let mut before: Option<Reading> = None;
        for number in 1..=READINGS {
            let path = format!("{}/{}/records", self.version.path(), done.id);
            let first = self.api.address(&path, &[("$top", "999")])?;
            let mut pages = list::pages(self.api, "audit log records", PERMISSIONS, first);
            let mut reading = Reading::default();
            while let Some(page) = pages.next().await? {
                let mut new = Vec::with_capacity(page.items.len());
                for item in page.items {
                    if reading.add(&item, &mut known)? {
                        new.push(item);
                    }
                }
                records.add(&new).await?;
            }
            different += reading.new;
            let agrees = before.is_some_and(|before| before.is_like(reading) || before.new + reading.new == 0);
            // The count is one of rows, and some may be there twice; or one may have come in place of another.
            let is_counted = different >= done.count || (reading.records >= done.count && number >= READINGS_OF_FEWER);
            if done.exceeded || (agrees && is_counted) {
                return Ok(Came::All);
            }
            if agrees && number >= READINGS_OF_FEWER {
                return Ok(Came::Fewer {
                    came: different.max(reading.records),
                    counted: done.count,
                });
            }
            before = Some(reading);
        }
        Ok(Came::Unlike)
    }

    async fn delete(&self, id: &str) -> Result<()> {
        let url = self.api.address(&format!("{}/{id}", self.version.path()), &[])?;
        self.api.send(RequestSpec::delete(url.as_str())?).await.map(drop)
    }

    fn refused(&self, reply: &Reply, action: &str) -> Error {
        explain::refusal(reply, action, PERMISSIONS, self.api.tenant())
    }
}
