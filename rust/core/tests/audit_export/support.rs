//! A sandbox, an engine that knows it, exports run to their end, and the files they leave.

use flate2::read::GzDecoder;
use secureapp_core::credential::Credential;
use secureapp_core::engine::Options as EngineOptions;
use secureapp_core::{
    Engine, Error, Event, Failure, Field, HttpOptions, Next, Operation, Progress, Request, Result, Session, Submitted,
    Value,
};
use secureapp_sandbox::{AuditOptions, Options, Sandbox};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const TYPES: &str = "Audit.AzureActiveDirectory,Audit.Exchange,Audit.SharePoint,Audit.General";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) session: Session,
    pub(crate) folder: TempDir,
    pub(crate) now: i64,
}

/// What an export is asked for, apart from its tenants.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) format: &'static str,
    pub(crate) compression: &'static str,
    pub(crate) flatten: bool,
    pub(crate) force: bool,
    pub(crate) settle_seconds: i64,
    pub(crate) content_types: &'static str,
    pub(crate) app_only: bool,
    /// 0: as usual.
    pub(crate) throttle: i64,
    pub(crate) source: &'static str,
    /// What a search is narrowed by: the request's fields.
    pub(crate) filter: &'static [(&'static str, &'static str)],
    pub(crate) pass_thru: bool,
}

/// Everything that an export said.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) records: Vec<Value>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) warnings: Vec<String>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) end: Option<Error>,
}

/// One tenant whose events all happened within an hour of yesterday, that share of them within a minute; and when it began.
pub(crate) async fn busy_hour(records: u64, burst: f64) -> (World, i64) {
    let now = time::OffsetDateTime::now_utc().unix_timestamp() * 1000;
    let start = (now - 31 * HOUR_MS).div_euclid(HOUR_MS) * HOUR_MS;
    let audit = AuditOptions {
        start_ms: Some(start + 300_000),
        end_ms: Some(start + HOUR_MS + 300_000),
        late: 0.0,
        longest_delay_minutes: 5,
        burst,
        ..AuditOptions::default()
    };
    (World::start(1, records, audit).await, start)
}

impl World {
    pub(crate) async fn start(tenants: usize, records: u64, audit: AuditOptions) -> World {
        World::with(Options {
            tenants,
            records,
            audit,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> World {
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let facts = serde_json::to_value(sandbox.facts()).expect("facts");
        let session = session(&facts, sandbox.ca_pem());
        World {
            now: session.engine().clock().now_ms(),
            session,
            folder: tempfile::tempdir().expect("a folder"),
            sandbox,
        }
    }

    /// The same world with a new engine, which has other settings of its HTTP clients.
    pub(crate) fn with_http(self, set: impl FnOnce(&mut HttpOptions)) -> World {
        let facts = serde_json::to_value(self.sandbox.facts()).expect("facts");
        World {
            session: session_with(&facts, self.sandbox.ca_pem(), set),
            ..self
        }
    }

    pub(crate) fn ask(&self) -> Ask {
        Ask {
            start: self.now - 7 * DAY_MS,
            // As the cmdlet has it: what is younger may still grow.
            end: self.now - 600_000,
            format: "ndjson",
            compression: "none",
            flatten: false,
            force: false,
            settle_seconds: 600,
            content_types: TYPES,
            app_only: false,
            throttle: 0,
            source: "feed",
            filter: &[],
            pass_thru: false,
        }
    }

    pub(crate) fn tenants(&self) -> Vec<String> {
        self.sandbox
            .facts()
            .tenants
            .iter()
            .map(|tenant| tenant.tenant_id.clone())
            .collect()
    }

    pub(crate) fn request(&self, ask: &Ask) -> Request {
        let facts = serde_json::to_value(self.sandbox.facts()).expect("facts");
        request(&facts, self.folder.path(), ask)
    }

    pub(crate) fn begin(&self, ask: &Ask, tenants: &[String]) -> Result<Operation> {
        begin(&self.session, self.request(ask), tenants)
    }

    /// Begins an export of more tenants than wait in an operation's queue.
    pub(crate) fn begin_all(&self, ask: &Ask, tenants: &[String]) -> Arc<Operation> {
        let operation = Arc::new(Operation::start(&self.session, self.request(ask)).expect("an export"));
        let (submitting, tenants) = (Arc::clone(&operation), tenants.to_vec());
        tokio::spawn(async move {
            for (number, tenant) in tenants.iter().enumerate() {
                while submitting.submit(item(number, tenant)).expect("an open input") == Submitted::WouldBlock {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            submitting.finish_input();
        });
        operation
    }

    /// Exports the tenants to the end.
    pub(crate) async fn export(&self, ask: &Ask, tenants: &[String]) -> Outcome {
        match self.begin(ask, tenants) {
            Ok(operation) => drain(&operation).await,
            Err(error) => Outcome {
                end: Some(error),
                ..Outcome::default()
            },
        }
    }

    /// Reads the tenants' records to the end, writing nothing.
    pub(crate) fn begin_reading(&self, ask: &Ask, tenants: &[String]) -> Result<Operation> {
        let facts = serde_json::to_value(self.sandbox.facts()).expect("facts");
        begin(&self.session, asking(&facts, "audit_read", ask), tenants)
    }

    pub(crate) async fn read(&self, ask: &Ask, tenants: &[String]) -> Outcome {
        match self.begin_reading(ask, tenants) {
            Ok(operation) => drain(&operation).await,
            Err(error) => Outcome {
                end: Some(error),
                ..Outcome::default()
            },
        }
    }

    /// Runs a request without items, as the partner or, with `appOnly`, as its application.
    pub(crate) async fn ask_for(&self, request: Request) -> Outcome {
        match begin(&self.session, request, &[]) {
            Ok(operation) => drain(&operation).await,
            Err(error) => Outcome {
                end: Some(error),
                ..Outcome::default()
            },
        }
    }

    /// A request of this kind with the partner's credential.
    pub(crate) fn as_partner(&self, kind: &str) -> Request {
        let facts = serde_json::to_value(self.sandbox.facts()).expect("facts");
        as_partner(&facts, kind)
    }

    pub(crate) fn fault(&self, fault: serde_json::Value) {
        self.sandbox.control().add_faults(fault).expect("a fault");
    }

    /// Waits until the sandbox holds a reply of this fault.
    pub(crate) async fn held(&self, fault: &str) {
        let limit = std::time::Duration::from_secs(60);
        let held = self.sandbox.control().wait_hold(fault, "held", 1, limit).await;
        assert!(held.is_ok(), "nothing was held: {held:?}");
    }

    /// How often the sandbox saw a request whose method and path hold `part`.
    pub(crate) fn requests(&self, part: &str) -> u64 {
        let stats = self.sandbox.control().stats();
        let by_path = stats["byPath"].as_object().cloned().unwrap_or_default();
        by_path
            .iter()
            .filter(|(path, _)| path.contains(part))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }

    pub(crate) fn root(&self, tenant: &str) -> PathBuf {
        self.folder.path().join(format!("tenant={tenant}"))
    }

    pub(crate) fn manifest(&self, tenant: &str) -> serde_json::Value {
        let bytes = fs::read(self.root(tenant).join("manifest.json")).expect("a manifest");
        serde_json::from_slice(&bytes).expect("a manifest of JSON")
    }

    pub(crate) fn truth(&self, tenant: &str, ask: &Ask) -> Vec<String> {
        let control = self.sandbox.control();
        control
            .truth_of(tenant, ask.content_types, Some(ask.start), Some(ask.end))
            .expect("the truth")
    }

    /// Fails unless every tenant's files hold exactly the ids that the sandbox says, each once.
    pub(crate) fn assert_truth(&self, ask: &Ask) {
        for tenant in self.tenants() {
            let found = self.ids(&tenant);
            let truth = self.truth(&tenant, ask);
            assert!(found == truth, "{tenant}: {}", difference(&found, &truth));
        }
    }

    /// The ids of the records in a tenant's NDJSON parts, sorted, with every repetition.
    pub(crate) fn ids(&self, tenant: &str) -> Vec<String> {
        let mut ids: Vec<String> = self.lines(tenant).iter().map(|(_, line)| key(line)).collect();
        ids.sort_unstable();
        ids
    }

    /// Every line of a tenant's parts with the day of its folder.
    pub(crate) fn lines(&self, tenant: &str) -> Vec<(String, String)> {
        lines(&self.root(tenant))
    }
}

/// A new engine that knows the sandbox of these facts.
pub(crate) fn session(facts: &serde_json::Value, ca_pem: &str) -> Session {
    session_with(facts, ca_pem, |_| {})
}

/// The same, with other settings of its HTTP clients.
pub(crate) fn session_with(facts: &serde_json::Value, ca_pem: &str, set: impl FnOnce(&mut HttpOptions)) -> Session {
    let mut options = EngineOptions::default();
    options.http.first_backoff = Duration::from_millis(20);
    set(&mut options.http);
    let engine = Engine::with_options(tokio::runtime::Handle::current(), options);
    let mut request = Request::new("environment.add")
        .with("name", Field::Text(fact(&facts["environment"])))
        .with("caPem", Field::Text(ca_pem.to_owned()));
    for name in ["login", "graph", "partnerCenter", "manage", "outlook", "aadGraph"] {
        request.set(format!("{name}Host"), Field::Text(fact(&facts["endpoints"][name])));
    }
    secureapp_core::immediate(&engine, &request).expect("the environment is added");
    engine.session()
}

/// A request of this kind with the credential of the sandbox of these facts.
pub(crate) fn as_partner(facts: &serde_json::Value, kind: &str) -> Request {
    let secret = |name: &str| Field::Secret(fact(&facts[name]).as_str().into());
    let credential = Request::new("credential")
        .with("applicationId", Field::Text(fact(&facts["applicationId"])))
        .with("tenant", Field::Text(fact(&facts["partnerTenantId"])))
        .with("secret", secret("secret"))
        .with("refreshToken", secret("refreshToken"));
    let credential = Credential::open(&credential).expect("a credential");
    Request::new(kind)
        .with("credential", Field::Credential(Arc::new(credential)))
        .with("environment", Field::Text(fact(&facts["environment"])))
}

/// The texts of a comma-separated list.
pub(crate) fn list(text: &str) -> Field {
    let parts = text.split(',').filter(|part| !part.is_empty());
    Field::Texts(parts.map(str::to_owned).collect())
}

/// A request of this kind for what `ask` says, whatever is done with it.
fn asking(facts: &serde_json::Value, kind: &str, ask: &Ask) -> Request {
    let mut request = as_partner(facts, kind)
        .with("startTime", Field::Int(ask.start))
        .with("endTime", Field::Int(ask.end))
        .with("source", Field::Text(ask.source.to_owned()))
        .with("contentTypes", list(ask.content_types))
        .with("appOnly", Field::Int(i64::from(ask.app_only)))
        .with("settleSeconds", Field::Int(ask.settle_seconds))
        .with("throttle", Field::Int(ask.throttle));
    for (name, value) in ask.filter {
        match *name {
            "freeText" => request.set(*name, Field::Text((*value).to_owned())),
            _ => request.set(*name, list(value)),
        };
    }
    request
}

/// An export into `folder`, with the credential of the sandbox of these facts.
pub(crate) fn request(facts: &serde_json::Value, folder: &Path, ask: &Ask) -> Request {
    asking(facts, "audit_export", ask)
        .with("path", Field::Text(folder.to_string_lossy().into_owned()))
        .with("format", Field::Text(ask.format.to_owned()))
        .with("compression", Field::Text(ask.compression.to_owned()))
        .with("flatten", Field::Int(i64::from(ask.flatten)))
        .with("force", Field::Int(i64::from(ask.force)))
        .with("passThru", Field::Int(i64::from(ask.pass_thru)))
}

fn fact(value: &serde_json::Value) -> String {
    value.as_str().expect("a fact").to_owned()
}

pub(crate) fn begin(session: &Session, request: Request, tenants: &[String]) -> Result<Operation> {
    let operation = Operation::start(session, request)?;
    for (number, tenant) in tenants.iter().enumerate() {
        operation.submit(item(number, tenant))?;
    }
    operation.finish_input();
    Ok(operation)
}

/// Every line of the parts in a tenant's folder with the day of its folder.
pub(crate) fn lines(root: &Path) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (day, part) in parts(root) {
        let text = String::from_utf8(unpacked(&part)).expect("a part of UTF-8");
        assert!(text.ends_with('\n'), "{} is cut short", part.display());
        lines.extend(text.lines().map(|line| (day.clone(), line.to_owned())));
    }
    lines
}

/// What a part holds, read as simple readers do: one gzip member, one frame of Zstandard, by a decoder that is not the
/// writer's library.
pub(crate) fn unpacked(part: &Path) -> Vec<u8> {
    let mut file = fs::File::open(part).expect("a part");
    let mut text = Vec::new();
    let read = match part.extension().and_then(OsStr::to_str) {
        Some("gz") => GzDecoder::new(file).read_to_end(&mut text),
        Some("zst") => ruzstd::StreamingDecoder::new(file)
            .expect("a frame")
            .read_to_end(&mut text),
        _ => file.read_to_end(&mut text),
    };
    read.expect("a whole part");
    text
}

impl Outcome {
    pub(crate) fn record(&self) -> &Value {
        assert_eq!(self.records.len(), 1, "{self:?}");
        &self.records[0]
    }

    pub(crate) fn assert_complete(&self, tenants: usize) {
        assert!(self.end.is_none(), "{:?}", self.end);
        assert!(self.failures.is_empty(), "{:?}", self.failures);
        assert_eq!(self.records.len(), tenants);
        for record in &self.records {
            assert!(flag(record, "complete"), "{record:?}");
        }
    }

    pub(crate) fn sum(&self, key: &str) -> i64 {
        self.records.iter().map(|record| number(record, key)).sum()
    }
}

pub(crate) fn item(number: usize, tenant: &str) -> Request {
    Request::new("tenant")
        .with("item", Field::Int(number as i64))
        .with("tenant", Field::Text(tenant.to_owned()))
        .with("displayName", Field::Text(format!("Customer {number}")))
}

pub(crate) async fn drain(operation: &Operation) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        match operation.next().await {
            Ok(Next::Event(Event::Record(record))) => outcome.records.push(record),
            Ok(Next::Event(Event::Failed(failure))) => outcome.failures.push(failure),
            Ok(Next::Event(Event::Warning(text))) => outcome.warnings.push(text),
            Ok(Next::Event(Event::Progress(progress))) => outcome.progress.push(progress),
            Ok(Next::Event(_)) => {}
            Ok(Next::Done) => return outcome,
            Err(error) => {
                outcome.end = Some(error);
                return outcome;
            }
        }
    }
}

/// What the sandbox's truth calls a record: its `Id`, or the digest of its bytes.
fn key(line: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(line).expect("a record of JSON");
    match record["Id"].as_str() {
        Some(id) => id.to_owned(),
        None => {
            let digest = openssl::sha::sha256(line.as_bytes());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256:{hex}")
        }
    }
}

/// The parts of a tenant's folder with their days.
pub(crate) fn parts(root: &Path) -> Vec<(String, PathBuf)> {
    let mut parts = Vec::new();
    let Ok(days) = fs::read_dir(root) else { return parts };
    for day in days {
        let day = day.expect("an entry");
        let name = day.file_name().into_string().expect("a name");
        let Some(date) = name.strip_prefix("date=") else {
            continue;
        };
        for part in fs::read_dir(day.path()).expect("a day") {
            parts.push((date.to_owned(), part.expect("a part").path()));
        }
    }
    parts.sort();
    parts
}

fn difference(found: &[String], truth: &[String]) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for id in found {
        *counts.entry(id).or_default() += 1;
    }
    for id in truth {
        *counts.entry(id).or_default() -= 1;
    }
    let more = counts.values().filter(|count| **count > 0).count();
    let less = counts.values().filter(|count| **count < 0).count();
    format!(
        "{} found, {} true; {more} ids too often, {less} missing",
        found.len(),
        truth.len()
    )
}

pub(crate) fn number(record: &Value, key: &str) -> i64 {
    record
        .get(key)
        .and_then(Value::as_i64)
        .unwrap_or_else(|| panic!("no number '{key}' in {record:?}"))
}

pub(crate) fn flag(record: &Value, key: &str) -> bool {
    matches!(record.get(key), Some(Value::Bool(true)))
}

pub(crate) fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record
        .get(key)
        .and_then(Value::as_text)
        .unwrap_or_else(|| panic!("no text '{key}' in {record:?}"))
}
