//! The kernel's account of this process.

use super::Outcome;
use std::fs;
use std::time::{Duration, Instant};

pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// What some work costs all threads of this process.
pub(crate) fn measure<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Cost)> {
    let (cpu, started) = (cpu()?, Instant::now());
    let done = work()?;
    let cost = Cost {
        wall: started.elapsed(),
        cpu: self::cpu()? - cpu,
    };
    Ok((done, cost))
}

/// User and system time, in ticks of 10 ms.
fn cpu() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields
        .iter()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// The most memory that the process has had, in bytes.
pub(crate) fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
}
