//! An export of a whole estate against the sandbox's executable: time, processor time per record, and peak memory.
//!
//! `cargo build --release -p secureapp-sandbox && cargo run --release -p secureapp-core --example export_bench [records ..]
//! [-- sandbox arguments ..]`, for example `-- --audit recordsPerBlob=1000`.
//!
//! Each size runs in a process of its own, so that its peak memory is its own; the sandbox is another process, and its work
//! does not count. Processor time and memory are the kernel's own figures for the process (Linux only).

use secureapp_core::{immediate, Credential, Engine, Field, Next, Operation, Request, Value};
use serde_json::Value as Json;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TENANTS: &str = "25";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, records, format, extra @ ..] = arguments.as_slice() {
        if flag == "--child" {
            return child(records, format, extra);
        }
    }
    let mut parts = arguments.split(|argument| argument == "--");
    let sizes = parts.next().filter(|sizes| !sizes.is_empty());
    let sizes = sizes.map_or_else(|| vec!["100000".to_owned(), "1000000".to_owned()], <[String]>::to_vec);
    let extra = parts.next().unwrap_or_default();
    println!("{TENANTS} tenants of uneven size, 5 % repeats; each line is a process of its own\n");
    println!("| format | records | bytes | seconds | records/s | CPU us/record | peak MiB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for format in ["ndjson", "csv"] {
        for records in &sizes {
            let output = Command::new(std::env::current_exe()?)
                .args(["--child", records, format])
                .args(extra)
                .stderr(Stdio::inherit())
                .output()?;
            if !output.status.success() {
                return Err(format!("the export of {records} records failed").into());
            }
            print!("{}", String::from_utf8(output.stdout)?);
        }
    }
    Ok(())
}

/// One export; prints its row.
fn child(records: &str, format: &str, extra: &[String]) -> Outcome<()> {
    let sandbox = Sandbox::start(records, extra)?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let engine = Engine::new(runtime.handle().clone());
    let now = engine.clock().now_ms();
    let facts = &sandbox.facts;
    let mut environment = Request::new("environment.add")
        .with("name", Field::Text("Bench".to_owned()))
        .with(
            "caPem",
            Field::Text(std::fs::read_to_string(text(facts, "certificatePath"))?),
        );
    for service in ["login", "graph", "partnerCenter", "manage", "outlook", "aadGraph"] {
        let url = text(&facts["endpoints"], service).to_owned();
        environment.set(format!("{service}Host"), Field::Text(url));
    }
    immediate(&engine, &environment)?;
    let credential = Request::new("credential")
        .with("applicationId", Field::Text(text(facts, "applicationId").to_owned()))
        .with("tenant", Field::Text(text(facts, "partnerTenantId").to_owned()))
        .with("secret", Field::Secret(text(facts, "secret").into()))
        .with("refreshToken", Field::Secret(text(facts, "refreshToken").into()));
    let request = Request::new("audit_export")
        .with(
            "credential",
            Field::Credential(Arc::new(Credential::open(&credential)?)),
        )
        .with("environment", Field::Text("Bench".to_owned()))
        .with("startTime", Field::Int(now - 7 * 86_400_000))
        .with("endTime", Field::Int(now - 600_000))
        .with("path", Field::Text(folder.path().to_string_lossy().into_owned()))
        .with("format", Field::Text(format.to_owned()));
    let tenants = facts["tenants"].as_array().ok_or("no tenants")?.clone();

    let (cpu, started) = (cpu_time()?, Instant::now());
    let operation = Operation::start(&engine.session(), request)?;
    for (number, tenant) in (0i64..).zip(&tenants) {
        let item = Request::new("tenant")
            .with("item", Field::Int(number))
            .with("tenant", Field::Text(text(tenant, "tenantId").to_owned()));
        operation.submit(item)?;
    }
    operation.finish_input();
    let mut total = (0i64, 0i64);
    runtime.block_on(async {
        loop {
            match operation.next().await? {
                Next::Event(secureapp_core::Event::Record(record)) => {
                    if record.get("complete").and_then(Value::as_i64) != Some(1) {
                        return Err(format!("not complete: {record:?}").into());
                    }
                    let number = |key| record.get(key).and_then(Value::as_i64).unwrap_or_default();
                    total.0 += number("records");
                    total.1 += number("bytes");
                }
                Next::Event(_) => {}
                Next::Done => return Outcome::Ok(()),
            }
        }
    })?;
    let (wall, cpu) = (started.elapsed(), cpu_time()? - cpu);
    if total.0 != records.parse::<i64>()? {
        return Err(format!("{} records instead of {records}", total.0).into());
    }
    println!(
        "| {format} | {} | {:.0} MB | {:.1} | {:.0} | {:.1} | {:.1} |",
        total.0,
        total.1 as f64 / 1e6,
        wall.as_secs_f64(),
        total.0 as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / total.0 as f64,
        peak_bytes()? as f64 / f64::from(1 << 20)
    );
    Ok(())
}

struct Sandbox {
    process: Child,
    facts: Json,
}

impl Sandbox {
    fn start(records: &str, extra: &[String]) -> Outcome<Self> {
        let mut process = Command::new(executable()?)
            .args(["--tenants", TENANTS, "--records", records, "--exit-with-stdin"])
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(Sandbox {
            process,
            facts: serde_json::from_str(&line)?,
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The bench is over; a sandbox that is gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Beside the folder of the examples.
fn executable() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join("secureapp-sandbox"));
    path.filter(|path| path.exists())
        .ok_or_else(|| "build the sandbox first: cargo build --release -p secureapp-sandbox".into())
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

/// User and system time of this process, from `/proc/self/stat` in ticks of 10 ms.
fn cpu_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields
        .iter()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn peak_bytes() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
}
