//! `security_summary`: each customer's security in a row, compared with earlier runs, and written to a table and a page.
//!
//! A row is told as soon as it is there. The files are written when all customers have answered: a stopped run leaves those of the
//! run before as they were. A file that cannot be written is a failure of its own, and takes nothing from the others.

use super::{asking, Answer, Asking};
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::graph::GraphApi;
use crate::operation::{log, or_cancelled, Context, Operation, Sink};
use crate::ops::audit::disk;
use crate::ops::audit::each::{each, Task};
use crate::ops::audit::reason;
use crate::request::Request;
use crate::security::{AlertFilter, Alerts, History, OpenAlerts, Report, Row, SecureScore};
use crate::value::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const ACTIVITY: &str = "Reading customers' security";
/// What a customer may lack without anything being wrong with the command.
const EXPECTED: [&str; 2] = ["NoDefender", "NoSecureScore"];

struct Reading {
    asking: Asking,
    history: Option<History>,
    rows: Mutex<Vec<Row>>,
}

pub(crate) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let asking = asking(session, request, &["historyPath", "csvPath", "htmlPath"])?;
    let history = request.opt_text("historyPath")?.map(PathBuf::from);
    let report = Report::new(request.opt_text("csvPath")?, request.opt_text("htmlPath")?)?;
    Ok(Operation::spawn(session, |context| {
        run(context, asking, history, report)
    }))
}

async fn run(context: Context, asking: Asking, folder: Option<PathBuf>, report: Report) -> Result<()> {
    let (sink, cancel, engine) = (
        context.sink.clone(),
        context.cancel.clone(),
        Arc::clone(&context.engine),
    );
    let now = move || engine.clock().now_ms();
    let history = match &folder {
        Some(folder) => Some(open(&sink, folder.clone(), now()).await?),
        None => None,
    };
    let throttle = asking.caller.throttle;
    let reading = Arc::new(Reading {
        asking,
        history,
        rows: Mutex::default(),
    });
    each(context, ACTIVITY, throttle, |task| {
        let (reading, cancel, now) = (Arc::clone(&reading), cancel.clone(), now());
        async move {
            let row = or_cancelled(&cancel, reading.tenant(&task, now)).await;
            reading.keep(task, row)
        }
    })
    .await?;
    let now = now();
    let (added, failures) = disk::job(move || reading.write(&report, now)).await?;
    if let Some(path) = added {
        log::verbose(|| format!("This run was added to the history as {}", path.display()));
    }
    for (path, error) in failures {
        let target = Value::map().with("path", path.to_string_lossy().into_owned());
        sink.failed(target, error).await?;
    }
    Ok(())
}

async fn open(sink: &Sink, folder: PathBuf, now: i64) -> Result<History> {
    let history = disk::job(move || History::open(&folder, now)).await??;
    if !history.damaged.is_empty() {
        let names = history.damaged.join(", ");
        let text = format!("Some lines of the history could not be read and were left out: {names}.");
        sink.warning(text).await?;
    }
    Ok(history)
}

impl Reading {
    /// A customer's row, and what of it could not be had.
    async fn tenant(&self, task: &Task, now: i64) -> Result<(Row, Vec<Error>)> {
        let api = self.asking.graph(task).await?;
        let (score, open) = tokio::join!(SecureScore::read(&api, 1), count(&api));
        let mut lacks = Vec::new();
        let mut row = Row {
            tenant_id: api.tenant().as_str().to_owned(),
            ..Row::default()
        };
        match score {
            Ok(scores) => row.score = scores.into_iter().next().map(SecureScore::without_controls),
            Err(error) => lacks.push(error),
        }
        match open {
            Ok(open) => row.open = Some(open),
            Err(error) => lacks.push(error),
        }
        if let (Some(history), Some(percent)) = (&self.history, row.percent()) {
            row.trend = history.trend(&row.tenant_id, percent, now);
        }
        Ok((row, lacks))
    }

    fn keep(&self, task: Task, read: Result<(Row, Vec<Error>)>) -> Answer {
        let item = task.item;
        let (mut row, lacks) = read.unwrap_or_else(|error| {
            let row = Row {
                tenant_id: item.tenant.clone(),
                ..Row::default()
            };
            (row, vec![error])
        });
        row.display_name.clone_from(&item.display_name);
        row.reason = lacks.iter().map(sentence).collect::<Vec<_>>().join(" ");
        let record = row.to_value(item.number);
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        Answer {
            item,
            count: 1,
            record: Some(record),
            failures: lacks
                .into_iter()
                .filter(|error| !EXPECTED.contains(&error.id()))
                .collect(),
        }
    }

    /// Writes what is wanted: the file that was added to the history, and each that could not be written, with why.
    fn write(&self, report: &Report, now: i64) -> (Option<PathBuf>, Vec<(PathBuf, Error)>) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever answered first: files of the same facts are the same.
        rows.sort_by_cached_key(|row| (row.title().to_lowercase(), row.tenant_id.clone()));
        let mut failures = report.write(&rows, now);
        let added = self.history.as_ref().and_then(|history| {
            history.add(&rows, now).unwrap_or_else(|error| {
                failures.push((history.folder().to_owned(), error));
                None
            })
        });
        (added, failures)
    }
}

/// Why something is missing, as it stands in a row.
fn sentence(error: &Error) -> String {
    let text = reason(error);
    let mut rest = text.chars();
    let first = rest
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", rest.as_str())
}

async fn count(api: &GraphApi) -> Result<OpenAlerts> {
    OpenAlerts::count(Alerts::new(api, AlertFilter::open())?).await
}
