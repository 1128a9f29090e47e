//! A tenant's security as Microsoft Graph tells it: Microsoft Secure Score, day by day, and the alerts of Microsoft Defender and
//! what is connected to it.
//!
//! Facts: "List secureScores", "List secureScoreControlProfiles", "List alerts_v2", "secureScore resource type" and "alert
//! resource type" of Microsoft's Graph reference, and what its users have reported of refusals.

mod alert;
mod control;
mod history;
mod list;
mod page;
mod report;
mod score;
mod summary;

pub(crate) use alert::{AlertFilter, Alerts};
pub(crate) use control::Controls;
pub(crate) use history::History;
pub(crate) use report::Report;
pub(crate) use score::SecureScore;
pub(crate) use summary::{OpenAlerts, Row};
