//! The files of a summary: a table for spreadsheets, a page for people. Each is replaced as a whole.

use super::page;
use super::summary::{OpenAlerts, Row};
use super::SecureScore;
use crate::error::{Error, Kind, Result};
use crate::export::{csv, folder, time};
use std::path::{Path, PathBuf};

const ADVICE: &str = "Give the path of a file in a folder on a disk with room, in which this user may create files.";

/// Which files are to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    csv: Option<PathBuf>,
    html: Option<PathBuf>,
}

impl Report {
    /// Refuses what could not be written later.
    pub(crate) fn new(csv: Option<&str>, html: Option<&str>) -> Result<Self> {
        let report = Report {
            csv: csv.map(PathBuf::from),
            html: html.map(PathBuf::from),
        };
        if report.csv.is_some() && report.csv == report.html {
            return Err(Error::invalid("the table and the page are to be written to one file")
                .advise("Give -CsvPath and -HtmlPath a file of their own."));
        }
        for path in [&report.csv, &report.html].into_iter().flatten() {
            check(path)?;
        }
        Ok(report)
    }

    /// Writes what is wanted; each file that could not be written, with why. `now` is in milliseconds since 1970.
    pub(crate) fn write(&self, rows: &[Row], now: i64) -> Vec<(PathBuf, Error)> {
        let mut failures = Vec::new();
        let mut write = |path: &Option<PathBuf>, text: &dyn Fn() -> Result<Vec<u8>>| {
            let Some(path) = path else { return };
            if let Err(error) = text().and_then(|text| replace(path, &text)) {
                failures.push((path.clone(), error));
            }
        };
        write(&self.csv, &|| table(rows, now));
        write(&self.html, &|| page::render(rows, now).map(String::into_bytes));
        failures
    }
}

fn check(path: &Path) -> Result<()> {
    let problem = if path.is_dir() {
        format!("{} is a folder", path.display())
    } else if !path.parent().is_some_and(Path::is_dir) {
        format!("the folder of {} does not exist", path.display())
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Storage, problem).advise(ADVICE))
}

fn replace(path: &Path, text: &[u8]) -> Result<()> {
    let (Some(root), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::new(Kind::Storage, format!("{} is no path of a file", path.display())).advise(ADVICE));
    };
    folder::write_atomically(root, name, text).map_err(|error| error.advise(ADVICE))
}

const COLUMNS: [&str; 18] = [
    "TenantId",
    "DisplayName",
    "ScoreDateTime",
    "CurrentScore",
    "MaxScore",
    "Percentage",
    "AverageAllTenants",
    "AverageTotalSeats",
    "AverageIndustry",
    "HighAlerts",
    "MediumAlerts",
    "LowAlerts",
    "InformationalAlerts",
    "OpenAlerts",
    "Change7Days",
    "Change30Days",
    "Reason",
    "Written",
];

/// A CSV file with a byte order mark, without which Excel does not read UTF-8; empty cells for what is not known.
fn table(rows: &[Row], now: i64) -> Result<Vec<u8>> {
    let written = time::iso(now);
    let text = || -> std::io::Result<Vec<u8>> {
        let mut out = csv::begin(Vec::new(), true)?;
        out.write_record(COLUMNS)?;
        for row in rows {
            out.write_record(cells(row, &written))?;
        }
        csv::finish(out)
    };
    text().map_err(|cause| Error::internal(format!("the table: {cause}")))
}

fn cells(row: &Row, written: &str) -> [String; COLUMNS.len()] {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let count = |of: fn(OpenAlerts) -> i64| row.open.map(|open| of(open).to_string()).unwrap_or_default();
    // A spreadsheet would run a name that begins like a formula. Numbers are ours.
    let text = |text: &str| csv::guarded(text.into()).into_owned();
    let score = row.score.as_ref();
    let [all, seats, industry] = row.averages();
    [
        text(&row.tenant_id),
        text(&row.display_name),
        score.and_then(SecureScore::created).map(time::iso).unwrap_or_default(),
        number(score.and_then(SecureScore::current)),
        number(score.and_then(SecureScore::most)),
        number(row.percent()),
        number(all),
        number(seats),
        number(industry),
        count(|open| open.high),
        count(|open| open.medium),
        count(|open| open.low),
        count(|open| open.informational),
        count(OpenAlerts::all),
        number(row.trend.week),
        number(row.trend.month),
        text(&row.reason),
        written.to_owned(),
    ]
}
