//! The report on exports in a message's body: what was written for each tenant, and what is missing.

use super::html::escaped;
use crate::error::Result;
use crate::export::time::seconds_text;
use crate::request::Request;
use std::path::PathBuf;

/// Gaps of one tenant that are listed; the manifest has them all.
const MOST_GAPS: usize = 20;

/// What an export said of one tenant, as its results have it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Export {
    pub(crate) title: String,
    start: Option<i64>,
    end: Option<i64>,
    records: i64,
    duplicates: i64,
    conflicts: i64,
    complete: bool,
    reason: String,
    gaps: Vec<String>,
    error: String,
    pub(crate) path: Option<PathBuf>,
}

impl Export {
    pub(crate) fn read(request: &Request) -> Result<Self> {
        request.only(&[
            "item",
            "tenantId",
            "displayName",
            "startTime",
            "endTime",
            "records",
            "duplicates",
            "conflicts",
            "complete",
            "reason",
            "gaps",
            "error",
            "path",
        ])?;
        let text = |key| request.opt_text(key).map(|text| text.unwrap_or_default().to_owned());
        let number = |key| request.opt_int(key).map(Option::unwrap_or_default);
        let tenant = text("tenantId")?;
        let title = match text("displayName")?.as_str() {
            "" => tenant,
            name => format!("{name} ({tenant})"),
        };
        Ok(Export {
            title,
            start: request.opt_int("startTime")?,
            end: request.opt_int("endTime")?,
            records: number("records")?,
            duplicates: number("duplicates")?,
            conflicts: number("conflicts")?,
            complete: request.flag("complete")?,
            reason: text("reason")?,
            gaps: request.texts("gaps")?.to_vec(),
            error: text("error")?,
            path: request.opt_text("path")?.map(PathBuf::from),
        })
    }

    fn is_whole(&self) -> bool {
        self.complete && self.gaps.is_empty() && self.error.is_empty()
    }

    /// What is missing, and why.
    fn troubles(&self) -> Vec<&str> {
        let mut troubles: Vec<&str> = Vec::new();
        for text in [&self.error, &self.reason] {
            if !text.is_empty() && !troubles.contains(&text.as_str()) {
                troubles.push(text);
            }
        }
        troubles
    }
}

/// The report as a piece of HTML.
pub(crate) fn html(exports: &[Export]) -> String {
    let records: i64 = exports.iter().map(|export| export.records).sum();
    let whole = exports.iter().filter(|export| export.is_whole()).count();
    let lacking = exports.len() - whole;
    let summary = match lacking {
        0 => format!(
            "{} of {}: complete.",
            count(records, "record"),
            count(exports.len() as i64, "tenant")
        ),
        _ => format!(
            "{} of {}: {lacking} of them not complete.",
            count(records, "record"),
            count(exports.len() as i64, "tenant")
        ),
    };
    let mut html = format!(
        "<p><b>Audit log: {}</b></p>\n<table border=\"1\" cellpadding=\"4\" style=\"border-collapse:collapse\">\n\
         <tr><th>Tenant</th><th>From (UTC)</th><th>To (UTC)</th><th>Records</th><th>Delivered again</th><th>Conflicts</th><th>Gaps</th><th>Complete</th></tr>\n",
        escaped(&summary)
    );
    for export in exports {
        let cells = [
            escaped(&export.title),
            moment(export.start),
            moment(export.end),
            export.records.to_string(),
            export.duplicates.to_string(),
            export.conflicts.to_string(),
            export.gaps.len().to_string(),
            if export.is_whole() { "yes" } else { "<b>no</b>" }.to_owned(),
        ];
        html.push_str(&format!("<tr><td>{}</td></tr>\n", cells.join("</td><td>")));
    }
    html.push_str("</table>\n");
    for export in exports.iter().filter(|export| !export.is_whole()) {
        html.push_str(&format!("<p><b>Missing: {}</b></p>\n<ul>\n", escaped(&export.title)));
        for trouble in export.troubles() {
            html.push_str(&format!("<li>{}</li>\n", escaped(trouble)));
        }
        for gap in export.gaps.iter().take(MOST_GAPS) {
            html.push_str(&format!("<li>{}</li>\n", escaped(gap)));
        }
        if export.gaps.len() > MOST_GAPS {
            html.push_str(&format!(
                "<li>and {} more, which the manifest lists</li>\n",
                export.gaps.len() - MOST_GAPS
            ));
        }
        html.push_str("</ul>\n");
    }
    html
}

fn count(number: i64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn moment(millis: Option<i64>) -> String {
    let text = millis.and_then(|millis| seconds_text(millis.div_euclid(1000)));
    escaped(&text.unwrap_or_default().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;

    fn export(name: &str, complete: bool, gaps: &[&str]) -> Export {
        let text = |text: &str| Field::Text(text.to_owned());
        let request = Request::new("export")
            .with("tenantId", text("ca138858-81e9-4f00-af23-6d6417e9f1d9"))
            .with("displayName", text(name))
            .with("startTime", Field::Int(1_768_471_201_000))
            .with("records", Field::Int(12))
            .with("complete", Field::Int(i64::from(complete)))
            .with("gaps", Field::Texts(gaps.iter().map(|gap| (*gap).to_owned()).collect()));
        Export::read(&request).unwrap()
    }

    #[test]
    fn counts_and_gaps_are_told_and_nothing_in_them_is_markup() {
        let html = html(&[
            export("Fish & <b>Chips</b>", true, &[]),
            export("Other", true, &["Audit.General <1>"]),
        ]);
        assert!(
            html.contains("24 records of 2 tenants: 1 of them not complete."),
            "{html}"
        );
        assert!(html.contains("Fish &amp; &lt;b&gt;Chips&lt;/b&gt;"), "{html}");
        assert!(html.contains("2026-01-15 10:00:01"), "{html}");
        assert!(html.contains("<li>Audit.General &lt;1&gt;</li>"), "{html}");
        assert_eq!(html.matches("<b>no</b>").count(), 1);
    }

    #[test]
    fn many_gaps_are_counted() {
        let many = vec!["gap"; 30];
        let html = html(&[export("a", false, &many)]);
        assert_eq!(html.matches("<li>gap</li>").count(), MOST_GAPS);
        assert!(html.contains("and 10 more"), "{html}");
    }
}
