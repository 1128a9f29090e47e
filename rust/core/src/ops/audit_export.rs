//! `audit_export`: each tenant's audit records, once, in files of its own.

mod disk;
mod filter;
mod report;
mod settings;
mod tenant;

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation};
use crate::request::Request;
use futures_util::stream::{FuturesUnordered, StreamExt};
use settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tenant::{Item, Job};

/// How often progress is looked at. A reader shows less of it if it likes.
const PROGRESS: Duration = Duration::from_millis(500);

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let settings = Arc::new(Settings::read(session, request)?);
    Ok(Operation::spawn(session, |context| run(context, settings)))
}

async fn run(mut context: Context, settings: Arc<Settings>) -> Result<()> {
    let cancel = context.cancel.clone();
    let mut board = Board::default();
    let mut fresh = 0;
    let mut open = true;
    let mut under_way = FuturesUnordered::new();
    let mut tick = tokio::time::interval(PROGRESS);
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            Some((id, report)) = under_way.next() => {
                let report: report::Report = report;
                board.end(&context, id, report.records());
                fresh += u64::from(report.is_fresh());
                // After a cancel nobody reads what is sent; the other tenants still put their files in order.
                if let Err(error) = report.send(&context.sink).await {
                    if !error.is_cancelled() {
                        return Err(error);
                    }
                }
                board.show(&context, open);
            }
            () = cancel.cancelled(), if open => open = false,
            next = context.input.next(), if open && under_way.len() < settings.throttle => match next {
                None => open = false,
                Some(request) => {
                    let job = Job::new(Arc::clone(&context.engine), Arc::clone(&settings), cancel.clone());
                    let item = Item::read(&request);
                    let id = board.begin(&item, &job);
                    under_way.push(async move { (id, job.run(item, &request).await) });
                }
            },
            _ = tick.tick() => board.show(&context, open),
        }
    }
    if cancel.is_cancelled() {
        return Err(Error::cancelled());
    }
    board.finish(&context);
    if fresh > 0 {
        // One line for all of them: the first export of an estate would say it a thousand times.
        let tenants = if fresh == 1 { "one tenant" } else { "several tenants" };
        let text = format!(
            "The subscriptions of {tenants} ({fresh}) were started by this run. The service fills a new subscription with about \
             a day of the past at most; take what is older from Search-UnifiedAuditLog or a Microsoft Graph audit log query."
        );
        context.sink.warning(text).await?;
    }
    Ok(())
}

/// Progress: a line for the whole, and one for each tenant under way.
#[derive(Default)]
struct Board {
    last_id: i64,
    done: i64,
    records: u64,
    tenants: BTreeMap<i64, Line>,
}

struct Line {
    name: String,
    meter: Arc<crate::audit::meter::Meter>,
}

impl Board {
    fn begin(&mut self, item: &Item, job: &Job) -> i64 {
        self.last_id += 1;
        let meter = Arc::clone(job.meter());
        let name = item.title().to_owned();
        self.tenants.insert(self.last_id, Line { name, meter });
        self.last_id
    }

    fn end(&mut self, context: &Context, id: i64, records: u64) {
        self.done += 1;
        self.records += records;
        if let Some(line) = self.tenants.remove(&id) {
            context.sink.progress(line.progress(id, true));
        }
    }

    fn show(&self, context: &Context, open: bool) {
        let records = self.records + self.tenants.values().map(|line| line.meter.records()).sum::<u64>();
        let of = if open { " so far" } else { "" };
        context.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: "Exporting audit logs".to_owned(),
            status: format!("{} of {} tenants{of}, {records} records", self.done, self.last_id),
            percent: (!open && self.last_id > 0).then(|| 100 * self.done / self.last_id),
            completed: false,
        });
        for (id, line) in &self.tenants {
            context.sink.progress(line.progress(*id, false));
        }
    }

    fn finish(&self, context: &Context) {
        context.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: "Exporting audit logs".to_owned(),
            status: format!("{} tenants, {} records", self.done, self.records),
            percent: Some(100),
            completed: true,
        });
    }
}

impl Line {
    fn progress(&self, id: i64, completed: bool) -> Progress {
        Progress {
            id,
            parent: 0,
            activity: self.name.clone(),
            status: self.meter.status(),
            percent: self.meter.percent(),
            completed,
        }
    }
}
