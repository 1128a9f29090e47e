//! What was asked of the sandbox: `GET /sandbox/stats`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use serde_json::{json, Value};

use crate::world::lock;

/// Counters over all services; control requests do not count.
#[derive(Default)]
pub(crate) struct Stats {
    requests: AtomicU64,
    in_flight: AtomicU64,
    peak_in_flight: AtomicU64,
    open_connections: AtomicU64,
    total_connections: AtomicU64,
    by_path: Mutex<BTreeMap<String, u64>>,
    tokens: Mutex<BTreeMap<TokenKey, u64>>,
    assertions: Mutex<Assertions>,
}

/// Client assertions as they came: how many, and which ids came before.
#[derive(Default)]
struct Assertions {
    count: u64,
    repeated: u64,
    ids: BTreeSet<String>,
    /// The latest, as they came.
    texts: VecDeque<String>,
}

/// How many assertions are kept.
const KEPT_ASSERTIONS: usize = 32;

/// What a token was asked for, in canonical form: the tenant's GUID and the API's usual name where they are known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenKey {
    pub(crate) tenant_id: String,
    pub(crate) application_id: String,
    pub(crate) grant: String,
    pub(crate) resource: String,
}

/// Counts as long as it lives.
pub(crate) struct Counted<'a>(&'a AtomicU64);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stats {
    pub(crate) fn request(&self, route: String) -> Counted<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        *lock(&self.by_path).entry(route).or_default() += 1;
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak_in_flight.fetch_max(now, Ordering::Relaxed);
        Counted(&self.in_flight)
    }

    pub(crate) fn connection(&self) -> Counted<'_> {
        self.total_connections.fetch_add(1, Ordering::Relaxed);
        self.open_connections.fetch_add(1, Ordering::Relaxed);
        Counted(&self.open_connections)
    }

    pub(crate) fn token(&self, key: TokenKey) {
        *lock(&self.tokens).entry(key).or_default() += 1;
    }

    /// Counts an assertion by its id (`jti`) and keeps it for a while.
    pub(crate) fn assertion(&self, id: &str, text: &str) {
        let assertions = &mut *lock(&self.assertions);
        assertions.count += 1;
        assertions.texts.push_back(text.to_owned());
        if assertions.texts.len() > KEPT_ASSERTIONS {
            assertions.texts.pop_front();
        }
        if !assertions.ids.insert(id.to_owned()) {
            assertions.repeated += 1;
        }
    }

    /// The latest assertions that were well-formed, oldest first.
    pub(crate) fn assertions(&self) -> Vec<String> {
        lock(&self.assertions).texts.iter().cloned().collect()
    }

    pub(crate) fn reset(&self) {
        self.requests.store(0, Ordering::Relaxed);
        self.peak_in_flight
            .store(self.in_flight.load(Ordering::Relaxed), Ordering::Relaxed);
        self.total_connections
            .store(self.open_connections.load(Ordering::Relaxed), Ordering::Relaxed);
        lock(&self.by_path).clear();
        lock(&self.tokens).clear();
        *lock(&self.assertions) = Assertions::default();
    }

    pub(crate) fn report(&self) -> Value {
        let tokens: Vec<Value> = lock(&self.tokens)
            .iter()
            .map(|(key, count)| {
                json!({
                    "tenantId": key.tenant_id, "applicationId": key.application_id, "grant": key.grant,
                    "resource": key.resource, "count": count,
                })
            })
            .collect();
        let (assertions, repeated) = {
            let assertions = lock(&self.assertions);
            (assertions.count, assertions.repeated)
        };
        json!({
            "requests": self.requests.load(Ordering::Relaxed),
            "inFlight": self.in_flight.load(Ordering::Relaxed),
            "peakInFlight": self.peak_in_flight.load(Ordering::Relaxed),
            "connections": {
                "open": self.open_connections.load(Ordering::Relaxed),
                "total": self.total_connections.load(Ordering::Relaxed),
            },
            "byPath": *lock(&self.by_path),
            "tokens": tokens,
            "assertions": assertions,
            "repeatedAssertions": repeated,
        })
    }
}
