//! What a score is made of: each control's points, with what its profile says of it.

use super::list;
use super::score::{SecureScore, PERMISSION};
use crate::error::{Error, Kind, Result};
use crate::graph::GraphApi;
use crate::value::Value;
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    id: Option<String>,
    title: Option<String>,
    max_score: Option<f64>,
    service: Option<String>,
    tier: Option<String>,
    rank: Option<i64>,
    user_impact: Option<String>,
    implementation_cost: Option<String>,
    action_url: Option<String>,
}

/// The profiles of a tenant's controls, by their names.
pub(crate) struct Controls(HashMap<String, Profile>);

impl Controls {
    pub(crate) async fn read(api: &GraphApi) -> Result<Self> {
        let mut profiles = HashMap::new();
        let mut pages = list::pages(
            api,
            "secure score controls",
            PERMISSION,
            "secureScoreControlProfiles",
            &[],
        )?;
        while let Some(page) = pages.next().await? {
            for item in &page.items {
                let profile: Profile = serde_json::from_slice(item).map_err(|cause| {
                    Error::new(
                        Kind::Protocol,
                        format!("the profile of a secure score control is not what it should be: {cause}"),
                    )
                })?;
                if let Some(id) = &profile.id {
                    profiles.insert(id.to_ascii_lowercase(), profile);
                }
            }
        }
        Ok(Controls(profiles))
    }

    /// The controls of a score: what each brings, and what it could bring.
    pub(crate) fn of(&self, score: &SecureScore) -> Vec<Value> {
        let control = |control: &super::score::ControlScore| {
            let name = control.control_name.clone().unwrap_or_default();
            let profile = self.0.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default();
            Value::map()
                .with("controlName", name)
                .with("title", profile.title)
                .with("controlCategory", control.control_category.clone())
                .with("score", control.score.map(Value::F64))
                .with("maxScore", profile.max_score.map(Value::F64))
                .with("implementationStatus", control.implementation_status.clone())
                .with("description", control.description.clone())
                .with("service", profile.service)
                .with("tier", profile.tier)
                .with("rank", profile.rank)
                .with("userImpact", profile.user_impact)
                .with("implementationCost", profile.implementation_cost)
                .with("actionUrl", profile.action_url)
        };
        score.controls().iter().map(control).collect()
    }
}
