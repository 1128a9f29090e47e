//! The page: one file that loads nothing, a row for each customer. Its looks and its behaviour are in the files beside this one;
//! without its script it is still a table.
//!
//! The page's own policy names the digests of its style and its script, so nothing else of that kind runs in it, whatever a
//! customer is called.

mod chart;

use super::summary::{OpenAlerts, Row};
use super::SecureScore;
use crate::error::Result;
use crate::export::time;
use crate::html::{fill, Part};
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ROW: &str = include_str!("row.html");
const PROBLEM: &str = include_str!("problem.html");
const METER: &str = include_str!("meter.svg");
const LINE: &str = include_str!("line.svg");

/// What stands where nothing is known.
const NOTHING: &str = "\u{2013}";

/// The whole page, with the customers in their order, which is that of their names. `now` is in milliseconds since 1970.
pub(super) fn render(rows: &[Row], now: i64) -> Result<String> {
    let body: String = rows.iter().map(customer).collect();
    let moment = time::iso(now);
    let shown = format!("{} UTC", moment.get(..16).unwrap_or_default().replace('T', " "));
    let percents: Vec<f64> = rows.iter().filter_map(Row::percent).collect();
    let average = percents.iter().sum::<f64>() / percents.len().max(1) as f64;
    let average = if percents.is_empty() {
        NOTHING.to_owned()
    } else {
        format!("{average:.1} %")
    };
    let open: Vec<OpenAlerts> = rows.iter().filter_map(|row| row.open).collect();
    let high: i64 = open.iter().map(|open| open.high).sum();
    let unread = rows.iter().filter(|row| !row.reason.is_empty()).count();
    Ok(fill(
        PAGE,
        &[
            ("style-digest", Part::Text(&digest(STYLE))),
            ("script-digest", Part::Text(&digest(SCRIPT))),
            ("style", Part::Markup(STYLE)),
            ("script", Part::Markup(SCRIPT)),
            ("moment", Part::Text(&moment)),
            ("shown", Part::Text(&shown)),
            ("customers", Part::Text(&grouped(rows.len()))),
            ("average", Part::Text(&average)),
            ("high", Part::Text(&grouped(usize::try_from(high).unwrap_or_default()))),
            ("unread", Part::Text(&grouped(unread))),
            ("scores", Part::Markup(&chart::scores(&percents))),
            ("alerts", Part::Markup(&chart::alerts(&open))),
            ("rows", Part::Markup(&body)),
        ],
    ))
}

/// As a policy names what stands between two tags.
fn digest(text: &str) -> String {
    STANDARD.encode(openssl::sha::sha256(text.as_bytes()))
}

fn customer(row: &Row) -> String {
    let percent = row.percent();
    let score = row.score.as_ref();
    let points = match (score.and_then(SecureScore::current), score.and_then(SecureScore::most)) {
        (Some(current), Some(most)) => format!("{} of {}", plain(current), plain(most)),
        _ => String::new(),
    };
    let meter = percent.map(|percent| {
        let level = match percent {
            percent if percent < 40.0 => "weak",
            percent if percent < 70.0 => "fair",
            _ => "good",
        };
        let width = format!("{:.1}", percent.clamp(0.0, 100.0));
        fill(METER, &[("level", Part::Text(level)), ("width", Part::Text(&width))])
    });
    let problem = match row.reason.as_str() {
        "" => String::new(),
        reason => fill(PROBLEM, &[("reason", Part::Text(reason))]),
    };
    let [all, seats, industry] = row.averages().map(Cell::number);
    let count = |of: fn(OpenAlerts) -> i64| Cell::count(row.open.map(of));
    let (high, medium, low) = (
        count(|open| open.high),
        count(|open| open.medium),
        count(|open| open.low),
    );
    let informational = count(|open| open.informational + open.other);
    let (week, month) = (Cell::change(row.trend.week), Cell::change(row.trend.month));
    let (score, line) = (Cell::percent(percent), line(&row.trend.line));
    let mut parts = vec![
        ("name", Part::Text(row.title())),
        ("tenant", Part::Text(&row.tenant_id)),
        ("problem", Part::Markup(&problem)),
        ("meter", Part::Markup(meter.as_deref().unwrap_or_default())),
        ("points", Part::Text(&points)),
        ("line", Part::Markup(&line)),
    ];
    for (name, value, cell) in [
        ("score", "score-value", &score),
        ("all", "all-value", &all),
        ("seats", "seats-value", &seats),
        ("industry", "industry-value", &industry),
        ("high", "high-value", &high),
        ("medium", "medium-value", &medium),
        ("low", "low-value", &low),
        ("informational", "informational-value", &informational),
        ("week", "week-value", &week),
        ("month", "month-value", &month),
    ] {
        parts.push((name, Part::Text(&cell.shown)));
        parts.push((value, Part::Text(&cell.value)));
    }
    fill(ROW, &parts)
}

/// A number as it is shown, and as it is sorted by; empty where nothing is known.
struct Cell {
    shown: String,
    value: String,
}

impl Cell {
    fn of(value: Option<f64>, shown: impl Fn(f64) -> String) -> Self {
        Cell {
            shown: value.map_or_else(|| NOTHING.to_owned(), shown),
            value: value.map(|value| value.to_string()).unwrap_or_default(),
        }
    }

    fn number(value: Option<f64>) -> Self {
        Cell::of(value, |value| format!("{value:.1}"))
    }

    fn percent(value: Option<f64>) -> Self {
        Cell::of(value, |value| format!("{value:.1} %"))
    }

    fn count(value: Option<i64>) -> Self {
        Cell::of(value.map(|value| value as f64), plain)
    }

    fn change(value: Option<f64>) -> Self {
        Cell::of(value, |value| match value {
            value if value > 0.0 => format!("+{value:.1}"),
            value if value < 0.0 => format!("\u{2212}{:.1}", -value),
            _ => "0".to_owned(),
        })
    }
}

/// The line of a customer's percentages; nothing for fewer than two.
fn line(percents: &[f64]) -> String {
    let Some(last) = percents.len().checked_sub(1).filter(|last| *last > 0) else {
        return String::new();
    };
    let least = percents.iter().copied().fold(f64::MAX, f64::min);
    let span = (percents.iter().copied().fold(f64::MIN, f64::max) - least).max(1.0);
    let points: Vec<String> = percents
        .iter()
        .enumerate()
        .map(|(at, percent)| {
            let x = 98.0 * at as f64 / last as f64 + 1.0;
            let y = 22.0 - 20.0 * (percent - least) / span;
            format!("{x:.1},{y:.1}")
        })
        .collect();
    fill(LINE, &[("points", Part::Text(&points.join(" ")))])
}

fn plain(number: f64) -> String {
    ((number * 100.0).round() / 100.0).to_string()
}

/// With commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
