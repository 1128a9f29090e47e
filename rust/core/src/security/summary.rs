//! One customer's security in a row.

use super::history::Trend;
use super::{Alerts, SecureScore};
use crate::error::Result;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// How many alerts nobody has done with, by their severity.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub(crate) struct OpenAlerts {
    pub(crate) high: i64,
    pub(crate) medium: i64,
    pub(crate) low: i64,
    pub(crate) informational: i64,
    /// Those whose severity is not known here.
    pub(crate) other: i64,
}

impl OpenAlerts {
    /// Counts the alerts that come.
    pub(crate) async fn count(mut alerts: Alerts) -> Result<Self> {
        let mut open = OpenAlerts::default();
        while let Some(page) = alerts.next().await? {
            for alert in &page {
                let severity = alert.get("severity").and_then(Value::as_text).unwrap_or_default();
                *open.of(severity) += 1;
            }
        }
        Ok(open)
    }

    fn of(&mut self, severity: &str) -> &mut i64 {
        match severity {
            "high" => &mut self.high,
            "medium" => &mut self.medium,
            "low" => &mut self.low,
            "informational" => &mut self.informational,
            _ => &mut self.other,
        }
    }

    pub(crate) fn all(self) -> i64 {
        self.high + self.medium + self.low + self.informational + self.other
    }
}

/// A customer, with what could be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The GUID, or what the customer was named by where it could not be signed in to.
    pub(crate) tenant_id: String,
    pub(crate) display_name: String,
    pub(crate) score: Option<SecureScore>,
    pub(crate) open: Option<OpenAlerts>,
    pub(crate) trend: Trend,
    /// Why something is missing, for a person; empty where nothing is.
    pub(crate) reason: String,
}

impl Row {
    /// How a person knows the customer.
    pub(crate) fn title(&self) -> &str {
        match self.display_name.as_str() {
            "" => &self.tenant_id,
            name => name,
        }
    }

    pub(crate) fn percent(&self) -> Option<f64> {
        self.score.as_ref()?.percent()
    }

    /// The averages of others, in the order of [`SecureScore::averages`].
    pub(crate) fn averages(&self) -> [Option<f64>; 3] {
        match &self.score {
            Some(score) => score.averages().map(|(_, average)| average),
            None => [None; 3],
        }
    }

    pub(crate) fn to_value(&self, item: i64) -> Value {
        let [all, seats, industry] = self.averages();
        let score = self.score.as_ref();
        let count = |of: fn(OpenAlerts) -> i64| Value::from(self.open.map(of));
        let number = |number: Option<f64>| number.map(Value::F64);
        Value::map()
            .with("item", item)
            .with("tenantId", self.tenant_id.as_str())
            .with("displayName", self.display_name.as_str())
            .with("scoreDateTime", score.and_then(SecureScore::created).map(Value::Time))
            .with("currentScore", number(score.and_then(SecureScore::current)))
            .with("maxScore", number(score.and_then(SecureScore::most)))
            .with("percentage", number(self.percent()))
            .with("averageAllTenants", number(all))
            .with("averageTotalSeats", number(seats))
            .with("averageIndustry", number(industry))
            .with("highAlerts", count(|open| open.high))
            .with("mediumAlerts", count(|open| open.medium))
            .with("lowAlerts", count(|open| open.low))
            .with("informationalAlerts", count(|open| open.informational))
            .with("openAlerts", count(OpenAlerts::all))
            .with("change7Days", number(self.trend.week))
            .with("change30Days", number(self.trend.month))
            .with("reason", self.reason.as_str())
    }
}
