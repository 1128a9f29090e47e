//! Microsoft Secure Score: one a day, kept for 90 days, the newest first.

use super::list;
use crate::error::{Error, Kind, Result};
use crate::export::time;
use crate::graph::GraphApi;
use crate::value::Value;
use serde::Deserialize;

pub(super) const PERMISSION: &str = "SecurityEvents.Read.All";

/// What the score was on one day. All that the service leaves out is absent here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecureScore {
    created_date_time: Option<String>,
    current_score: Option<f64>,
    max_score: Option<f64>,
    active_user_count: Option<i64>,
    licensed_user_count: Option<i64>,
    enabled_services: Option<Vec<String>>,
    average_comparative_scores: Option<Vec<Average>>,
    control_scores: Option<Vec<ControlScore>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Average {
    basis: Option<String>,
    average_score: Option<f64>,
}

/// What one control brought.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ControlScore {
    pub(super) control_name: Option<String>,
    pub(super) control_category: Option<String>,
    pub(super) description: Option<String>,
    pub(super) implementation_status: Option<String>,
    pub(super) score: Option<f64>,
}

/// Where the service compares a tenant with others: its word for whom, and the key of a record.
const COMPARED: [(&str, &str); 3] = [
    ("AllTenants", "averageAllTenants"),
    ("TotalSeats", "averageTotalSeats"),
    ("IndustryTypes", "averageIndustry"),
];

impl SecureScore {
    /// The scores of the last `days` for which there is one, the newest first. An error where there is none at all.
    pub(crate) async fn read(api: &GraphApi, days: usize) -> Result<Vec<SecureScore>> {
        let top = days.to_string();
        let mut pages = list::pages(api, "secure scores", PERMISSION, "secureScores", &[("$top", &top)])?;
        let mut scores = Vec::new();
        // The service has a next link wherever there are older scores.
        while scores.len() < days {
            let Some(page) = pages.next().await? else { break };
            for item in &page.items {
                scores.push(SecureScore::parse(item)?);
            }
        }
        scores.sort_by_key(|score| std::cmp::Reverse(score.created()));
        scores.truncate(days);
        if scores.is_empty() {
            return Err(Error::new(Kind::NotFound, "this tenant has no secure score")
                .with_id("NoSecureScore")
                .advise("A tenant gets its first score a day or two after it has its first licence; ask again then."));
        }
        Ok(scores)
    }

    fn parse(item: &[u8]) -> Result<SecureScore> {
        serde_json::from_slice(item).map_err(|cause| {
            Error::new(
                Kind::Protocol,
                format!("a secure score is not what it should be: {cause}"),
            )
            .advise("Try again; if it stays so, report it with the name of the command.")
        })
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) fn created(&self) -> Option<i64> {
        time::millis(self.created_date_time.as_deref()?)
    }

    pub(crate) fn current(&self) -> Option<f64> {
        self.current_score
    }

    pub(crate) fn most(&self) -> Option<f64> {
        self.max_score
    }

    /// What it is of what it could be, 0 to 100, to a hundredth.
    pub(crate) fn percent(&self) -> Option<f64> {
        let most = self.max_score.filter(|most| *most > 0.0)?;
        Some((self.current_score? / most * 10_000.0).round() / 100.0)
    }

    /// The averages of others, in the order of all tenants, tenants with as many seats, the same industry. The service does not say
    /// whether they are percent or points: today's are percent.
    pub(crate) fn averages(&self) -> [(&'static str, Option<f64>); 3] {
        COMPARED.map(|(basis, key)| {
            let all = self.average_comparative_scores.as_deref().unwrap_or_default();
            let found = all.iter().find(|average| {
                average
                    .basis
                    .as_deref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(basis))
            });
            (key, found.and_then(|average| average.average_score))
        })
    }

    /// Most of it in bytes.
    pub(crate) fn without_controls(mut self) -> Self {
        self.control_scores = None;
        self
    }

    pub(crate) fn controls(&self) -> &[ControlScore] {
        self.control_scores.as_deref().unwrap_or_default()
    }

    /// What it says of its day.
    pub(crate) fn day(&self) -> Value {
        Value::map()
            .with("createdDateTime", self.created().map(Value::Time))
            .with("currentScore", self.current_score.map(Value::F64))
            .with("maxScore", self.max_score.map(Value::F64))
            .with("percentage", self.percent().map(Value::F64))
    }

    /// All of it but the controls.
    pub(crate) fn to_value(&self) -> Value {
        let value = self
            .day()
            .with("activeUserCount", self.active_user_count)
            .with("licensedUserCount", self.licensed_user_count)
            .with("enabledServices", self.enabled_services.clone().unwrap_or_default());
        self.averages()
            .into_iter()
            .fold(value, |value, (key, average)| value.with(key, average.map(Value::F64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_read_with_all_that_may_be_missing() {
        let text = br#"{"id":"t_2026-01-15","createdDateTime":"2026-01-15T00:00:00Z","currentScore":387.0,"maxScore":697,
            "activeUserCount":null,"averageComparativeScores":[{"basis":"IndustryTypes","averageScore":109.0,"appsScore":3},
            {"basis":"allTenants","averageScore":37}],"controlScores":null,"somethingNew":{}}"#;
        let score = SecureScore::parse(text).unwrap();
        assert_eq!(score.percent(), Some(55.52));
        assert_eq!(
            score.averages().map(|(_, average)| average),
            [Some(37.0), None, Some(109.0)]
        );
        assert!(score.controls().is_empty());
        assert_eq!(score.created(), Some(1_768_435_200_000));
        assert_eq!(SecureScore::parse(b"{}").unwrap().percent(), None);
        let nothing = SecureScore::parse(br#"{"currentScore":0,"maxScore":0}"#).unwrap();
        assert_eq!(nothing.percent(), None);
        assert!(SecureScore::parse(b"7").is_err());
    }
}
