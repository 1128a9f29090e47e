//! The unified audit log through Graph's queries, one query for a stretch of time.

use super::super::records::Records;
use super::super::{stretch, Delivery, Notice, Part, Shortfall, Source, Window};
use super::job::{Came, Jobs, Version};
use super::waits::Waits;
use crate::error::Result;
use crate::export::split::Fields;
use crate::export::time;
use crate::graph::GraphApi;
use serde_json::{json, Map, Value};
use std::sync::Arc;
use tokio::sync::{mpsc, Semaphore};

/// The name of its one content type.
pub(crate) const AUDIT_LOG: &str = "AuditLogQuery";
pub(super) const PERMISSIONS: &str =
    "AuditLogsQuery.Read.All (or AuditLogsQuery-Exchange.Read.All and its like, for one service's records)";
const FIELDS: Fields = Fields {
    id: "id",
    created: "createdDateTime",
};
const DAY_MS: i64 = 86_400_000;
/// Queries of one export; the service lets a tenant have about 200 a day.
const MOST_QUERIES: i64 = 60;
/// Queries that run at a time; the service lets a tenant have 50.
const AT_ONCE: usize = 12;
/// Requests of one tenant in flight at most.
const REQUESTS: usize = 8;

/// What queries are narrowed by, as the service names it: `operationFilters`, `keywordFilter` ..
pub(crate) type QueryFilter = Map<String, Value>;

pub(crate) struct Queries {
    api: GraphApi,
    filter: QueryFilter,
    version: Version,
    turns: Semaphore,
    waits: Arc<Waits>,
    /// Days in a part.
    days: i64,
}

impl Queries {
    /// `window` is the whole range of the export. `held_up` is told when the tenant can only wait, and when it goes on.
    pub(crate) fn new(
        api: GraphApi,
        filter: QueryFilter,
        window: Window,
        held_up: impl Fn(bool) + Send + Sync + 'static,
    ) -> Self {
        let days = (window.end - window.start).div_euclid(DAY_MS) + 1;
        let waits = Waits::new(held_up);
        let told = Arc::clone(&waits);
        Queries {
            api: api.paced(REQUESTS, move |wait| told.set_requests_wait(wait)),
            filter,
            version: Version::default(),
            turns: Semaphore::new(AT_ONCE),
            waits,
            days: days.div_euclid(MOST_QUERIES) + 1,
        }
    }

    fn body(&self, window: Window) -> Value {
        let mut body = self.filter.clone();
        let moment = |ms: i64| time::seconds_text(ms.div_euclid(1000)).unwrap_or_default() + "Z";
        body.insert(
            "displayName".to_owned(),
            json!(format!("SecureAppModel export {}", moment(window.start))),
        );
        body.insert("filterStartDateTime".to_owned(), json!(moment(window.start)));
        body.insert("filterEndDateTime".to_owned(), json!(moment(window.end)));
        Value::Object(body)
    }

    /// One query, and those that it is divided into where it found more than a query gives.
    async fn search(&self, window: Window, records: &Records<'_>) -> Result<()> {
        let jobs = Jobs {
            api: &self.api,
            version: &self.version,
            waits: &self.waits,
        };
        let mut left = vec![window];
        while let Some(window) = left.pop() {
            let (done, _query) = {
                let turn = self.turns.acquire().await;
                let _turn = turn.map_err(|_| crate::error::Error::internal("the turns of queries were closed"))?;
                let query = self.waits.query();
                (jobs.run(&self.body(window)).await?, query)
            };
            let came = jobs.read(&done, records).await?;
            if done.exceeded {
                match stretch::in_two(window, 1000) {
                    Some(halves) => left.extend(halves.into_iter().rev()),
                    None => records.lack(window, "there are more records in one second than a query gives"),
                }
                continue;
            }
            match came {
                Came::All => {}
                Came::Fewer { came, counted } => {
                    let why =
                        format!("the query gave {came} records in all, and the service has counted about {counted}");
                    records.lack(window, &why);
                }
                Came::Unlike => records.lack(window, "the query gave other records each time that it was read"),
            }
        }
        Ok(())
    }
}

impl Source for Queries {
    const NAME: &'static str = "Microsoft Graph auditLogQuery";
    const PART: &'static str = "query";
    const PARTS: &'static str = "queries";
    const SELECTED_BY: &'static str = "createdDateTime";

    const KEPT_DAYS: Option<i64> = Some(180);

    fn longest_window(&self) -> i64 {
        i64::MAX / 4
    }

    async fn prepare(&self, _content_types: &[String]) -> Result<Vec<Notice>> {
        Ok(Vec::new())
    }

    async fn list(&self, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Option<Window>> {
        stretch::list(content_type, window, self.days * DAY_MS, FIELDS, found).await?;
        Ok(None)
    }

    fn span(&self, part: &Part) -> Window {
        stretch::span(part)
    }

    fn shortfall(&self, _content_type: &str, _window: Window, _parts: u64) -> Shortfall {
        Shortfall::default()
    }

    async fn read(&self, part: &Part, delivery: &mut Delivery) -> Result<()> {
        let window = stretch::of(part)?;
        let records = Records::new(delivery);
        self.search(window, &records).await?;
        records.finish().await
    }
}
