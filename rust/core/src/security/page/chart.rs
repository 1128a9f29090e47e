//! The page's two charts: columns, with the same in words for whoever does not see them.

use crate::html::{fill, Part};
use crate::security::OpenAlerts;

const CHART: &str = include_str!("chart.svg");
const COLUMN: &str = include_str!("column.svg");

const WIDTH: usize = 48;
const HEIGHT: f64 = 96.0;
/// Where the columns stand, with room for a number above the highest.
const GROUND: f64 = 116.0;

struct Column {
    label: String,
    /// For the words.
    title: String,
    level: &'static str,
    count: usize,
}

/// How many customers have which score.
pub(super) fn scores(percents: &[f64]) -> String {
    let columns = (0..10).map(|ten| {
        let (from, to) = (ten * 10, if ten == 9 { 100 } else { ten * 10 + 9 });
        let is_inside = |percent: &&f64| ((**percent / 10.0).floor().clamp(0.0, 9.0)) as usize == ten;
        Column {
            label: from.to_string(),
            title: format!("{from} to {to} %"),
            level: match ten {
                0..=3 => "weak",
                4..=6 => "fair",
                _ => "good",
            },
            count: percents.iter().filter(is_inside).count(),
        }
    });
    chart("scores", "Customers by score in percent", &columns.collect::<Vec<_>>())
}

/// How many alerts of which severity are open.
pub(super) fn alerts(open: &[OpenAlerts]) -> String {
    let column = |label: &str, level: &'static str, of: fn(&OpenAlerts) -> i64| Column {
        label: label.to_owned(),
        title: label.to_owned(),
        level,
        count: usize::try_from(open.iter().map(of).sum::<i64>()).unwrap_or_default(),
    };
    let columns = [
        column("High", "high", |open| open.high),
        column("Medium", "medium", |open| open.medium),
        column("Low", "low", |open| open.low),
        column("Info", "informational", |open| open.informational + open.other),
    ];
    chart("alerts", "Open alerts by severity", &columns)
}

fn chart(id: &str, title: &str, columns: &[Column]) -> String {
    let most = columns
        .iter()
        .map(|column| column.count)
        .max()
        .unwrap_or_default()
        .max(1);
    let words: Vec<String> = columns
        .iter()
        .map(|column| format!("{}: {}", column.title, column.count))
        .collect();
    let drawn: String = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let height = HEIGHT * column.count as f64 / most as f64;
            let (left, middle) = (at * WIDTH + 6, at * WIDTH + WIDTH / 2);
            let number = |number: f64| format!("{number:.1}");
            fill(
                COLUMN,
                &[
                    ("level", Part::Text(column.level)),
                    ("left", Part::Text(&left.to_string())),
                    ("middle", Part::Text(&middle.to_string())),
                    ("top", Part::Text(&number(GROUND - height))),
                    ("height", Part::Text(&number(height))),
                    ("above", Part::Text(&number(GROUND - height - 5.0))),
                    ("count", Part::Text(&column.count.to_string())),
                    ("label", Part::Text(&column.label)),
                ],
            )
        })
        .collect();
    fill(
        CHART,
        &[
            ("id", Part::Text(id)),
            ("title", Part::Text(title)),
            ("words", Part::Text(&words.join("; "))),
            ("width", Part::Text(&(columns.len() * WIDTH).to_string())),
            ("columns", Part::Markup(&drawn)),
        ],
    )
}
