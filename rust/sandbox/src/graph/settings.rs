//! How Microsoft Graph behaves here: `POST /sandbox/graph`. What goes wrong is what its users have reported.

use serde::Deserialize;

/// `POST /sandbox/graph`; what is absent stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GraphSettings {
    /// How often a query is looked at before it begins, and again before it is done.
    pub(crate) polls: u32,
    /// Creating a query in `v1.0` answers 404, as it did in one tenant in July 2026; `beta` works.
    pub(crate) beta_only: bool,
    /// The most records that one query finds.
    pub(crate) record_limit: usize,
    /// Queries that may wait or run at a time.
    pub(crate) in_flight: usize,
    /// Share of the records that one reading of a query's pages leaves out (0 to 1); another leaves out others.
    pub(crate) unstable: f64,
    /// Share of a query's records that it gives twice (0 to 1).
    pub(crate) repeats: f64,
    /// Share of the queries that fail (0 to 1).
    pub(crate) failed: f64,
    /// Queries that never end.
    pub(crate) stuck: u32,
    /// `approximateReturnedRecordCount` says something; otherwise it is 0.
    pub(crate) counted: bool,
    /// Records that `approximateReturnedRecordCount` counts too many; too few where it is negative. 0: it is right.
    pub(crate) miscounted: i64,
    /// Requests for sign-ins and directory audits that one tenant may make in ten seconds; 0: any number.
    pub(crate) reports_in_ten_seconds: u32,
    /// Whether tenants have the licence (Microsoft Entra ID P1) that sign-ins need.
    pub(crate) premium: bool,
    /// Requests for a new object, a new secret or a new certificate that meet a node which does not know it yet, each of them.
    pub(crate) replication: u32,
}

impl Default for GraphSettings {
    fn default() -> Self {
        GraphSettings {
            polls: 1,
            beta_only: false,
            record_limit: 1_000_000,
            in_flight: 50,
            unstable: 0.0,
            repeats: 0.0,
            failed: 0.0,
            stuck: 0,
            counted: true,
            miscounted: 0,
            reports_in_ten_seconds: 0,
            premium: true,
            replication: 0,
        }
    }
}
