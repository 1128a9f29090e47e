//! `audit_verify`: whether the folders that exports have written hold what they say.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::export::check::{self, Check, Meter, Problem, Report};
use crate::export::folder::{JOURNAL, MANIFEST};
use crate::export::split::Fields;
use crate::export::{Gap, Limits};
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::value::Value;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PROGRESS: Duration = Duration::from_millis(500);
/// Folders at a time, at most: each keeps a processor busy, and a disk gains little from more.
const MOST_AT_A_TIME: usize = 4;
/// Records of one folder that are remembered in memory; the others go to a temporary file.
const KNOWN_RECORDS: usize = 200_000;
/// What the journal calls the records of the feed and of Exchange's search; those of Graph have other fields.
const AUDIT_LOG: &str = "audit log records";

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[])?;
    Ok(Operation::spawn(session, run))
}

async fn run(mut context: Context) -> Result<()> {
    let cancel = context.cancel.clone();
    let at_a_time = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_AT_A_TIME);
    let mut board = Board::default();
    let mut seen = HashSet::new();
    let mut waiting: VecDeque<(Item, PathBuf)> = VecDeque::new();
    let mut open = true;
    let mut under_way = FuturesUnordered::new();
    let mut tick = tokio::time::interval(PROGRESS);
    while open || !waiting.is_empty() || !under_way.is_empty() {
        if under_way.len() < at_a_time {
            if let Some((item, root)) = waiting.pop_front() {
                let (id, meter) = board.begin(&root);
                let cancel = cancel.clone();
                under_way.push(async move { (id, item, verify(root, meter, cancel).await) });
                continue;
            }
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some((id, item, checked)) = under_way.next() => {
                let item: Item = item;
                match checked {
                    Ok(record) => context.sink.record(record).await?,
                    Err(error) => context.sink.failed(item.target(), error).await?,
                }
                board.end(&context, id);
            }
            next = context.input.next(), if open && waiting.is_empty() => match next {
                None => open = false,
                Some(request) => {
                    let item = Item::read(&request);
                    match item.folders().await {
                        // A folder that two items lead to is checked once.
                        Ok(roots) => waiting.extend(roots.into_iter().filter(|root| seen.insert(root.clone())).map(|root| (item.clone(), root))),
                        Err(error) => context.sink.failed(item.target(), error).await?,
                    }
                    board.found += waiting.len() as i64;
                }
            },
            _ = tick.tick() => board.show(&context, open),
        }
    }
    board.finish(&context);
    Ok(())
}

/// A path that was given.
#[derive(Clone)]
struct Item {
    path: String,
}

impl Item {
    fn read(request: &Request) -> Self {
        let path = request.opt_text("path").ok().flatten().unwrap_or_default();
        Item { path: path.to_owned() }
    }

    fn target(&self) -> Value {
        Value::map().with("path", self.path.as_str())
    }

    /// The tenants' folders that it names: itself, or those in it.
    async fn folders(&self) -> Result<Vec<PathBuf>> {
        let path = PathBuf::from(&self.path);
        blocking(move || folders(&path)).await
    }
}

fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_absolute() {
        return Err(Error::invalid(format!("'{}' is not an absolute path", path.display()))
            .advise("Give the folder with its full path."));
    }
    let is_tenant = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("tenant="))
    };
    let has = |name: &str| {
        let file = path.join(name);
        let is_there = file.try_exists();
        is_there.map_err(|cause| check::unreadable("look at", &file, &cause))
    };
    if is_tenant(path) || has(JOURNAL)? || has(MANIFEST)? {
        return Ok(vec![path.to_owned()]);
    }
    let fail = |cause: std::io::Error| check::unreadable("read the folder", path, &cause);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?.path();
        if is_tenant(&entry) {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Err(check::nothing_in(path));
    }
    found.sort_unstable();
    Ok(found)
}

async fn verify(root: PathBuf, meter: Arc<Meter>, cancel: CancellationToken) -> Result<Value> {
    let begun = Instant::now();
    let path = root.clone();
    let work = move || {
        check::folder(&Check {
            root: &root,
            fields: &fields,
            limits: Limits {
                known_records: KNOWN_RECORDS,
                ..Limits::default()
            },
            scratch: std::env::temp_dir(),
            meter: &meter,
            cancel: &cancel,
        })
    };
    let report = blocking(work).await?;
    Ok(record(report, &path, begun.elapsed()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::internal("the check of an export ended early"))?
}

/// By what the journal says the records are.
fn fields(records: &str) -> Fields {
    match records {
        AUDIT_LOG => Fields::AUDIT_LOG,
        _ => Fields {
            id: "id",
            created: "createdDateTime",
        },
    }
}

fn record(report: Report, root: &Path, elapsed: Duration) -> Value {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let time = |time: Option<i64>| time.map_or(Value::Null, Value::Time);
    Value::map()
        .with("path", root.to_string_lossy().into_owned())
        .with("tenantId", report.tenant.as_str())
        .with("format", report.format.as_str())
        .with("valid", report.problems.is_empty())
        .with("intact", report.is_intact())
        .with("complete", report.is_complete())
        .with("inUse", report.in_use)
        .with("startTime", time(report.asked.map(|asked| asked.start)))
        .with("endTime", time(report.asked.map(|asked| asked.end)))
        .with("records", number(report.records))
        .with("rejects", number(report.rejects))
        .with("parts", number(report.parts))
        .with("bytes", number(report.bytes))
        .with("gaps", Value::List(report.gaps.iter().map(gap).collect()))
        .with("problems", Value::List(report.problems.iter().map(problem).collect()))
        .with("moreProblems", number(report.more_problems))
        .with("elapsedMs", number(elapsed.as_millis().try_into().unwrap_or(u64::MAX)))
}

fn gap(gap: &Gap) -> Value {
    Value::map()
        .with("contentType", gap.content_type.as_str())
        .with("start", Value::Time(gap.window.start))
        .with("end", Value::Time(gap.window.end))
        .with("reason", gap.reason.as_str())
}

fn problem(problem: &Problem) -> Value {
    Value::map()
        .with("subject", problem.subject.name())
        .with("file", problem.file.as_str())
        .with("detail", problem.text.as_str())
        .with("remedy", problem.remedy.as_str())
}

/// Progress: a line for the whole, and one for each folder under way.
#[derive(Default)]
struct Board {
    found: i64,
    begun: i64,
    done: i64,
    folders: BTreeMap<i64, (String, Arc<Meter>)>,
}

impl Board {
    fn begin(&mut self, root: &Path) -> (i64, Arc<Meter>) {
        self.begun += 1;
        let name = root
            .file_name()
            .unwrap_or(root.as_os_str())
            .to_string_lossy()
            .into_owned();
        let meter = Arc::<Meter>::default();
        self.folders.insert(self.begun, (name, Arc::clone(&meter)));
        (self.begun, meter)
    }

    fn end(&mut self, context: &Context, id: i64) {
        self.done += 1;
        if let Some((name, meter)) = self.folders.remove(&id) {
            context.sink.progress(line(id, name, &meter, true));
        }
    }

    fn show(&self, context: &Context, open: bool) {
        let so_far = if open { " so far" } else { "" };
        let under_way: f64 = self.folders.values().map(|(_, meter)| meter.share()).sum();
        context.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: "Checking exports".to_owned(),
            status: format!("{} of {} folders{so_far}", self.done, self.found),
            percent: (!open && self.found > 0)
                .then(|| ((self.done as f64 + under_way) * 100.0 / self.found as f64) as i64),
            completed: false,
        });
        for (id, (name, meter)) in &self.folders {
            context.sink.progress(line(*id, name.clone(), meter, false));
        }
    }

    fn finish(&self, context: &Context) {
        context.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: "Checking exports".to_owned(),
            status: format!("{} folders", self.done),
            percent: Some(100),
            completed: true,
        });
    }
}

fn line(id: i64, name: String, meter: &Meter, completed: bool) -> Progress {
    Progress {
        id,
        parent: 0,
        activity: name,
        status: format!("{} MB read", meter.bytes() / 1_000_000),
        percent: Some((meter.share() * 100.0) as i64),
        completed,
    }
}
