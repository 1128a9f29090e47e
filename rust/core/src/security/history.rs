//! What earlier runs saw: a folder with a file for each run, `security-<UTC time>.ndjson`, a line for each customer.
//!
//! A run adds one file and touches no other; it is there as a whole or not at all. So runs do not disturb each other, whatever reads
//! NDJSON reads the folder, and old runs are forgotten by deleting their files.

use super::summary::{OpenAlerts, Row};
use crate::error::{Error, Result};
use crate::export::{folder, time};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const DAY_MS: i64 = 86_400_000;
/// Runs that are older say nothing about a month.
const OLDEST_MS: i64 = 45 * DAY_MS;
const PREFIX: &str = "security-";
const SUFFIX: &str = ".ndjson";

/// One customer in one run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Fact {
    /// When the run ended; UTC.
    time: String,
    tenant_id: String,
    display_name: String,
    current_score: Option<f64>,
    max_score: Option<f64>,
    percentage: Option<f64>,
    average_all_tenants: Option<f64>,
    average_total_seats: Option<f64>,
    average_industry: Option<f64>,
    open_alerts: Option<OpenAlerts>,
}

/// A customer's percentages in earlier runs: when, in milliseconds since 1970, and how much.
type Points = Vec<(i64, f64)>;

/// How a customer's score has moved.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trend {
    /// Against about seven days ago, in points of percent.
    pub(crate) week: Option<f64>,
    /// Against about thirty days ago.
    pub(crate) month: Option<f64>,
    /// One percentage a day, the oldest first, today's last: what a line is drawn of.
    pub(crate) line: Vec<f64>,
}

/// The folder, as it was when the run began.
pub(crate) struct History {
    folder: PathBuf,
    points: HashMap<String, Points>,
    /// Files with lines that are not what they should be.
    pub(crate) damaged: Vec<String>,
}

impl History {
    /// Reads what the runs of the last weeks saw; makes the folder where it is missing. `now` is in milliseconds since 1970.
    pub(crate) fn open(path: &Path, now: i64) -> Result<Self> {
        fs::create_dir_all(path).map_err(|cause| failed("make the folder", path, &cause))?;
        let mut history = History {
            folder: path.to_owned(),
            points: HashMap::new(),
            damaged: Vec::new(),
        };
        let entries = fs::read_dir(path).map_err(|cause| failed("list", path, &cause))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|cause| failed("list", path, &cause))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if time_of(&name).is_some_and(|time| (now - OLDEST_MS..=now).contains(&time)) {
                names.push(name);
            }
        }
        names.sort_unstable();
        for name in names {
            history.read(&name)?;
        }
        for points in history.points.values_mut() {
            points.sort_by_key(|(time, _)| *time);
        }
        Ok(history)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn read(&mut self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        let bytes = fs::read(&path).map_err(|cause| failed("read", &path, &cause))?;
        let mut is_damaged = false;
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let fact = serde_json::from_slice::<Fact>(line).ok();
            let known = fact.and_then(|fact| Some((time::millis(&fact.time)?, fact)));
            match known {
                Some((time, fact)) if !fact.tenant_id.is_empty() => {
                    if let Some(percentage) = fact.percentage {
                        let tenant = fact.tenant_id.to_ascii_lowercase();
                        self.points.entry(tenant).or_default().push((time, percentage));
                    }
                }
                _ => is_damaged = true,
            }
        }
        if is_damaged {
            self.damaged.push(name.to_owned());
        }
        Ok(())
    }

    /// How a customer's score has moved to `percentage`.
    pub(crate) fn trend(&self, tenant_id: &str, percentage: f64, now: i64) -> Trend {
        let none = Points::new();
        let points = self.points.get(tenant_id).unwrap_or(&none);
        let since = |days: i64, most: i64| {
            let distance = |time: i64| ((now - time) - days * DAY_MS).abs();
            let near = points.iter().filter(|(time, _)| distance(*time) <= most * DAY_MS);
            let (_, then) = near.min_by_key(|(time, _)| distance(*time))?;
            Some(((percentage - then) * 100.0).round() / 100.0)
        };
        let mut line: Vec<f64> = Vec::new();
        let mut last_day = None;
        for (time, percentage) in points {
            let day = time.div_euclid(DAY_MS);
            if last_day == Some(day) {
                line.pop();
            }
            last_day = Some(day);
            line.push(*percentage);
        }
        if last_day == Some(now.div_euclid(DAY_MS)) {
            line.pop();
        }
        line.push(percentage);
        Trend {
            week: since(7, 3),
            month: since(30, 7),
            line,
        }
    }

    /// Adds this run; nothing where nothing was seen.
    pub(crate) fn add(&self, rows: &[Row], now: i64) -> Result<Option<PathBuf>> {
        let mut text = Vec::new();
        for row in rows.iter().filter(|row| row.score.is_some() || row.open.is_some()) {
            let fact = Fact::of(row, now);
            serde_json::to_writer(&mut text, &fact)
                .map_err(|cause| Error::internal(format!("a line of the history: {cause}")))?;
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(None);
        }
        let stamp: String = time::iso(now).chars().filter(|c| !":.-".contains(*c)).collect();
        let mut names = (1..).map(|number| match number {
            1 => format!("{PREFIX}{stamp}{SUFFIX}"),
            _ => format!("{PREFIX}{stamp}-{number}{SUFFIX}"),
        });
        let name = names.find(|name| !self.folder.join(name).exists());
        let name = name.unwrap_or_default();
        folder::write_atomically(&self.folder, &name, &text).map_err(|error| error.advise(ADVICE))?;
        Ok(Some(self.folder.join(name)))
    }
}

impl Fact {
    fn of(row: &Row, now: i64) -> Self {
        let [all, seats, industry] = row.averages();
        let score = row.score.as_ref();
        Fact {
            time: time::iso(now),
            tenant_id: row.tenant_id.clone(),
            display_name: row.display_name.clone(),
            current_score: score.and_then(super::SecureScore::current),
            max_score: score.and_then(super::SecureScore::most),
            percentage: row.percent(),
            average_all_tenants: all,
            average_total_seats: seats,
            average_industry: industry,
            open_alerts: row.open,
        }
    }
}

const ADVICE: &str = "Give -HistoryPath a folder on a disk with room, in which this user may create files.";

#[cold]
fn failed(action: &str, path: &Path, cause: &std::io::Error) -> Error {
    Error::storage(action, path, cause).advise(ADVICE)
}

/// When the run of a file was, in milliseconds since 1970; `None` for another file.
fn time_of(name: &str) -> Option<i64> {
    let stamp = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let stamp = stamp.split('-').next()?.strip_suffix('Z')?;
    // 20260115T100000, and three digits more where there are milliseconds.
    let part = |from: usize, to: usize| stamp.get(from..to);
    let seconds = format!(
        "{}-{}-{}T{}:{}:{}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        stamp.get(8..)?.strip_prefix('T')?.get(..2)?,
        part(11, 13)?,
        part(13, 15)?
    );
    time::millis(&seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::SecureScore;

    const NOW: i64 = 1_768_471_200_123;

    fn row(tenant: &str, current: f64) -> Row {
        let score = format!(r#"{{"currentScore":{current},"maxScore":100}}"#);
        Row {
            tenant_id: tenant.to_owned(),
            score: serde_json::from_str::<SecureScore>(&score).ok(),
            ..Row::default()
        }
    }

    fn run(folder: &Path, days_ago: i64, rows: &[Row]) {
        let then = NOW - days_ago * DAY_MS;
        let added = History::open(folder, then).unwrap().add(rows, then).unwrap();
        assert!(added.unwrap().exists());
    }

    #[test]
    fn a_run_is_compared_with_the_nearest_ones() {
        let folder = tempfile::tempdir().unwrap();
        for (days_ago, score) in [
            (60, 1.0),
            (33, 20.0),
            (29, 25.0),
            (12, 99.0),
            (8, 40.0),
            (5, 50.0),
            (0, 59.0),
        ] {
            run(folder.path(), days_ago, &[row("a", score), row("b", 10.0)]);
        }
        let history = History::open(folder.path(), NOW + 1000).unwrap();
        let trend = history.trend("a", 60.5, NOW);
        assert_eq!((trend.week, trend.month), (Some(20.5), Some(35.5)));
        assert_eq!(trend.line, [20.0, 25.0, 99.0, 40.0, 50.0, 60.5]);
        assert_eq!(history.trend("b", 10.0, NOW).week, Some(0.0));
        let unknown = history.trend("c", 7.0, NOW);
        assert_eq!((unknown.week, unknown.month, unknown.line), (None, None, vec![7.0]));
        assert!(history.damaged.is_empty());
    }

    #[test]
    fn two_runs_of_one_moment_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            run(folder.path(), 7, &[row("a", 1.0)]);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        let history = History::open(folder.path(), NOW).unwrap();
        assert_eq!(history.points["a"].len(), 3);
        assert!(history.add(&[Row::default()], NOW).unwrap().is_none());
    }

    #[test]
    fn what_is_no_history_is_named_or_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 7, &[row("a", 1.0)]);
        for (name, text) in [
            (
                "security-20260114T000000Z.ndjson",
                "{\"time\":\"2026-01-14T00:00:00Z\"}\n\n<html>",
            ),
            ("security-today.ndjson", "no"),
            ("notes.txt", "no"),
            ("_security-20260114T000000Z.ndjson.tmp", "no"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let history = History::open(folder.path(), NOW).unwrap();
        assert_eq!(history.damaged, ["security-20260114T000000Z.ndjson"]);
        assert_eq!(history.trend("a", 3.0, NOW).week, Some(2.0));
        let file = folder.path().join("notes.txt");
        assert!(History::open(&file, NOW).err().unwrap().message().contains("notes.txt"));
    }
}
