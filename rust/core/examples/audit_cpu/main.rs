//! What a record of an export costs: in the core alone, without the shell that hosts it, and beside it what nobody can leave
//! out: the bare download, and each step over the same bytes.
//!
//! `cargo build --release -p secureapp-sandbox && cargo run --release -p secureapp-core --example audit_cpu [records ..]
//! [-- sandbox arguments ..]`, for example `-- --audit recordsPerBlob=1000`; `bench -- audit` runs it and keeps its rows.
//!
//! The first size is measured in every way, further ones as exports of gzip content alone, for their peak memory.
//! `--child <way> <gzip or plain> <records>` measures one way once and prints no headings; an export stays in a new folder below `TMPDIR`.
//!
//! Each row that a sandbox serves is a process of its own, so that its peak memory is its own; the sandbox is another process,
//! and its work does not count. Processor time and memory are the kernel's own figures for the process (Linux only).

mod account;
mod bare;
mod export;
mod sandbox;
mod steps;

use sandbox::Sandbox;
use std::error::Error;
use std::process::{Command, Stdio};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Usual sizes, in records.
const SIZES: [&str; 1] = ["1000000"];
const TRANSFERS: [&str; 2] = ["gzip", "plain"];
const WAYS: [&str; 3] = ["export", "download", "steps"];

/// A row. Without a peak where several share a process.
struct Row {
    what: &'static str,
    transfer: &'static str,
    records: u64,
    bytes: u64,
    cost: account::Cost,
    peak: Option<u64>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, way, transfer, records, extra @ ..] = arguments.as_slice() {
        if flag == "--child" {
            return child(way, transfer == "gzip", records, extra);
        }
    }
    let mut parts = arguments.split(|argument| argument == "--");
    let sizes = parts.next().filter(|sizes| !sizes.is_empty());
    let sizes = sizes.map_or_else(|| SIZES.map(str::to_owned).to_vec(), <[String]>::to_vec);
    let extra = parts.next().unwrap_or_default();
    println!("what\ttransfer\trecords\tbytes\tseconds\tus/record\tpeak");
    for (number, records) in sizes.iter().enumerate() {
        let (transfers, ways) = match number {
            0 => (&TRANSFERS[..], &WAYS[..]),
            _ => (&TRANSFERS[..1], &WAYS[..1]),
        };
        for transfer in transfers {
            for way in ways {
                print!("{}", measured(&["--child", way, transfer, records.as_str()], extra)?);
            }
        }
    }
    Ok(())
}

/// The rows of a process of its own.
fn measured(arguments: &[&str], extra: &[String]) -> Outcome<String> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .args(extra)
        .env("TMPDIR", folder.path())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} failed", arguments.join(" ")).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Measures one way; prints its rows.
fn child(way: &str, gzip: bool, records: &str, extra: &[String]) -> Outcome<()> {
    let sandbox = Sandbox::start(records, gzip, extra)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let transfer = if gzip { "gzip" } else { "plain" };
    let row = |what, (records, bytes, cost), peak| Row {
        what,
        transfer,
        records,
        bytes,
        cost,
        peak,
    };
    let records = records.parse()?;
    let rows = match way {
        "export" => {
            let measured = export::run(&sandbox, &runtime, records)?;
            vec![row("the export, the core alone", measured, Some(account::peak()?))]
        }
        "download" => {
            let measured = bare::download(&sandbox, &runtime, gzip, records)?;
            vec![row(
                "the bare client, what comes is dropped",
                measured,
                Some(account::peak()?),
            )]
        }
        _ => {
            let blobs = bare::sample(&sandbox, &runtime, gzip)?;
            let steps = steps::run(&blobs, gzip, records)?;
            steps
                .into_iter()
                .map(|(what, measured)| row(what, measured, None))
                .collect()
        }
    };
    for row in rows {
        let per_record = row.cost.cpu.as_secs_f64() * 1e6 / row.records as f64;
        println!(
            "{}\t{}\t{}\t{}\t{:.3}\t{per_record:.3}\t{}",
            row.what,
            row.transfer,
            row.records,
            row.bytes,
            row.cost.wall.as_secs_f64(),
            row.peak.map_or(String::new(), |peak| peak.to_string()),
        );
    }
    Ok(())
}
