//! Alerts (`alerts_v2`), the newest first.

use super::list::{self, List};
use crate::error::{Error, Result};
use crate::export::time;
use crate::graph::GraphApi;
use crate::json;
use crate::odata::Pages;
use crate::request::Request;
use crate::value::Value;

const PERMISSION: &str = "SecurityAlert.Read.All";
/// Alerts in a page. The most that the service gives is not documented; its own example has this.
const PAGE: &str = "100";

/// Members of the enumerations, as a filter has to write them ("alertSeverity values", "alertStatus values", "serviceSource
/// values").
const SEVERITIES: [&str; 5] = ["unknown", "informational", "low", "medium", "high"];
const STATUSES: [&str; 4] = ["unknown", "new", "inProgress", "resolved"];
const SOURCES: [&str; 13] = [
    "azureAdIdentityProtection",
    "dataLossPrevention",
    "microsoft365Defender",
    "microsoftAppGovernance",
    "microsoftDefenderForCloud",
    "microsoftDefenderForCloudApps",
    "microsoftDefenderForEndpoint",
    "microsoftDefenderForIdentity",
    "microsoftDefenderForOffice365",
    "microsoftInsiderRiskManagement",
    "microsoftSecurityForAI",
    "microsoftSentinel",
    "microsoftThreatIntelligence",
];

/// Which alerts. The service is asked for these, and what it gives beyond that is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AlertFilter {
    severities: Vec<String>,
    statuses: Vec<String>,
    service_sources: Vec<String>,
    /// Milliseconds since 1970-01-01 UTC.
    since: Option<i64>,
}

impl AlertFilter {
    pub(crate) const FIELDS: [&'static str; 4] = ["severities", "statuses", "serviceSources", "since"];

    /// Reads `severities`, `statuses` and `serviceSources` (lists, in any case) and `since` (milliseconds since 1970).
    pub(crate) fn read(request: &Request) -> Result<Self> {
        let members = |key: &str, known: &[&str], what: &str| -> Result<Vec<String>> {
            request
                .texts(key)?
                .iter()
                .map(|name| member(name, known, what))
                .collect()
        };
        Ok(AlertFilter {
            severities: members("severities", &SEVERITIES, "severity")?,
            statuses: members("statuses", &STATUSES, "status")?,
            service_sources: members("serviceSources", &SOURCES, "service source")?,
            since: request.opt_int("since")?,
        })
    }

    /// Alerts that nobody has done with.
    pub(crate) fn open() -> Self {
        AlertFilter {
            statuses: vec!["new".to_owned(), "inProgress".to_owned()],
            ..AlertFilter::default()
        }
    }

    /// As OData's `$filter` has it; `None` for all alerts.
    fn text(&self) -> Option<String> {
        let any = |field: &str, members: &[String]| {
            let each: Vec<String> = members.iter().map(|member| format!("{field} eq '{member}'")).collect();
            match each.len() {
                0 => None,
                1 => each.into_iter().next(),
                _ => Some(format!("({})", each.join(" or "))),
            }
        };
        let clauses: Vec<String> = [
            any("severity", &self.severities),
            any("status", &self.statuses),
            any("serviceSource", &self.service_sources),
            self.since
                .map(|since| format!("createdDateTime ge {}", time::iso(since))),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!clauses.is_empty()).then(|| clauses.join(" and "))
    }

    fn takes(&self, alert: &Value) -> bool {
        let fits = |field: &str, members: &[String]| {
            let member = alert.get(field).and_then(Value::as_text);
            members.is_empty()
                || member.is_none_or(|member| members.iter().any(|wanted| wanted.eq_ignore_ascii_case(member)))
        };
        let created = alert.get("createdDateTime").and_then(Value::as_i64);
        fits("severity", &self.severities)
            && fits("status", &self.statuses)
            && fits("serviceSource", &self.service_sources)
            && self
                .since
                .is_none_or(|since| created.is_none_or(|created| created >= since))
    }
}

/// The service's own spelling of a member. One that is not known here may be a new one, if it could be one at all.
fn member(name: &str, known: &[&str], what: &str) -> Result<String> {
    let name = name.trim();
    if let Some(found) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok((*found).to_owned());
    }
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(name.to_owned());
    }
    Err(Error::invalid(format!("what is given as a {what} is no name of one"))
        .advise(format!("Use one of {}.", known.join(", "))))
}

/// A tenant's alerts, page by page.
pub(crate) struct Alerts {
    pages: Pages<List>,
    filter: AlertFilter,
}

impl Alerts {
    pub(crate) fn new(api: &GraphApi, filter: AlertFilter) -> Result<Self> {
        let text = filter.text();
        let mut query = vec![("$top", PAGE)];
        query.extend(text.as_deref().map(|text| ("$filter", text)));
        let pages = list::pages(api, "security alerts", PERMISSION, "alerts_v2", &query)?;
        Ok(Alerts { pages, filter })
    }

    /// The alerts of the next page, each a map of the service's fields; `None` after the last page.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Value>>> {
        let Some(page) = self.pages.next().await? else {
            return Ok(None);
        };
        let mut alerts = Vec::with_capacity(page.items.len());
        for item in page.items {
            let mut alert = json::parse(&String::from_utf8_lossy(&item))?;
            read_times(&mut alert);
            if self.filter.takes(&alert) {
                alerts.push(alert);
            }
        }
        Ok(Some(alerts))
    }
}

/// Makes times of the alert's own fields that are.
fn read_times(alert: &mut Value) {
    let Value::Map(entries) = alert else { return };
    for (key, value) in entries {
        let moment = value
            .as_text()
            .filter(|_| key.ends_with("DateTime"))
            .and_then(time::millis);
        if let Some(moment) = moment {
            *value = Value::Time(moment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;

    fn filter(fields: &[(&str, &[&str])]) -> Result<AlertFilter> {
        let mut request = Request::new("security_alerts");
        for (key, values) in fields {
            request.set(
                *key,
                Field::Texts(values.iter().map(|value| (*value).to_owned()).collect()),
            );
        }
        AlertFilter::read(&request)
    }

    #[test]
    fn a_filter_is_written_as_the_service_spells_it() {
        assert_eq!(AlertFilter::default().text(), None);
        let mut filter = filter(&[
            ("severities", &["HIGH", "Medium"]),
            ("statuses", &["inprogress"]),
            ("serviceSources", &["MicrosoftDefenderForCloud", "somethingNew"]),
        ])
        .unwrap();
        filter.since = Some(1_768_435_200_000);
        assert_eq!(
            filter.text().unwrap(),
            "(severity eq 'high' or severity eq 'medium') and status eq 'inProgress' and (serviceSource eq \
             'microsoftDefenderForCloud' or serviceSource eq 'somethingNew') and createdDateTime ge 2026-01-15T00:00:00Z"
        );
    }

    #[test]
    fn nothing_but_a_name_becomes_part_of_a_filter() {
        for name in ["", "high' or 1 eq 1", "a b", "ü", "'"] {
            for key in ["severities", "statuses", "serviceSources"] {
                assert!(filter(&[(key, &[name])]).is_err(), "{key} {name}");
            }
        }
    }

    #[test]
    fn what_a_service_gives_beyond_the_filter_is_left_out() {
        let wanted = AlertFilter {
            severities: vec!["high".to_owned()],
            since: Some(1000),
            ..AlertFilter::open()
        };
        let alert = |severity: &str, status: &str, created: i64| {
            Value::map()
                .with("severity", severity)
                .with("status", status)
                .with("createdDateTime", Value::Time(created))
        };
        assert!(wanted.takes(&alert("high", "new", 1000)));
        assert!(wanted.takes(&Value::map().with("title", "says nothing of itself")));
        assert!(!wanted.takes(&alert("low", "new", 1000)));
        assert!(!wanted.takes(&alert("high", "resolved", 1000)));
        assert!(!wanted.takes(&alert("high", "inProgress", 999)));
    }
}
