//! `security`: a tenant's Microsoft Secure Score day by day, what it is made of, and the alerts of Microsoft Defender and what
//! is connected to it.
//!
//! All of it is as it was when the sandbox began, so that two questions have one answer; it goes on with the service's clock where
//! that is set forward.
//!
//! Sources: "List secureScores", "List secureScoreControlProfiles", "List alerts_v2", "secureScore resource type" and "alert
//! resource type" of Microsoft's Graph reference; the words of refusals as the services' users have reported them.

mod alert;
mod filter;
mod score;

use serde_json::Value;

use crate::access::Access;
use crate::clock::machine_ms;
use crate::estate::Tenant;
use crate::reply::{Call, Reply};
use crate::world::World;

use super::page::{page, Sizes};
use super::{error, holds, GraphError};
use filter::Filter;

/// The ids of a tenant's alerts, sorted.
pub(crate) fn truth(world: &World, tenant: &Tenant) -> Vec<String> {
    let mut ids: Vec<String> = alert::all(world.options.seed, tenant, now(world))
        .iter()
        .filter_map(|alert| alert["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort_unstable();
    ids
}

const DAY: i64 = 86_400;
const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 1000,
};

/// When the sandbox began, in seconds since 1970.
pub(crate) struct Begun(i64);

impl Default for Begun {
    fn default() -> Self {
        Begun(machine_ms().div_euclid(1000))
    }
}

fn now(world: &World) -> i64 {
    world.graph.begun.0.saturating_add(world.clock.skew())
}

/// One of the collections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    SecureScores,
    ControlProfiles,
    Alerts,
}

impl Collection {
    /// `path` is in lower case, below the version.
    pub(super) fn find(path: &str) -> Option<Collection> {
        match path {
            "security/securescores" => Some(Collection::SecureScores),
            "security/securescorecontrolprofiles" => Some(Collection::ControlProfiles),
            "security/alerts_v2" => Some(Collection::Alerts),
            _ => None,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Collection::SecureScores => "security/secureScores",
            Collection::ControlProfiles => "security/secureScoreControlProfiles",
            Collection::Alerts => "security/alerts_v2",
        }
    }

    fn permissions(self) -> &'static [&'static str] {
        match self {
            Collection::SecureScores | Collection::ControlProfiles => {
                &["SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"]
            }
            Collection::Alerts => &[
                "SecurityAlert.Read.All",
                "SecurityAlert.ReadWrite.All",
                "SecurityIncident.Read.All",
                "SecurityIncident.ReadWrite.All",
            ],
        }
    }

    /// The fields that `$filter` may name.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Collection::SecureScores => &["createdDateTime", "azureTenantId", "id"],
            Collection::ControlProfiles => &["controlCategory", "service", "id", "tier", "actionType"],
            Collection::Alerts => &[
                "assignedTo",
                "classification",
                "determination",
                "createdDateTime",
                "lastUpdateDateTime",
                "severity",
                "serviceSource",
                "status",
            ],
        }
    }

    fn items(self, world: &World, tenant: &Tenant) -> Vec<Value> {
        let now = now(world);
        match self {
            Collection::SecureScores if !tenant.health().defender => Vec::new(),
            Collection::SecureScores => score::days(world.options.seed, tenant, now),
            Collection::ControlProfiles => score::profiles(tenant, now),
            Collection::Alerts => alert::all(world.options.seed, tenant, now),
        }
    }
}

pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    collection: Collection,
) -> Result<Reply, GraphError> {
    require(access, collection)?;
    let tenant = world
        .estate
        .find(&access.tenant_id)
        .ok_or_else(|| error(404, "ResourceNotFound", "There is no such tenant."))?;
    if collection == Collection::Alerts && !tenant.health().defender {
        let said = "Unauthorized request - Account is not provisioned.";
        return Err(error(403, "Forbidden", said));
    }
    let skipped = match call.parameter("$skip") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| error(400, "BadRequest", format!("Invalid value '{text}' for $skip.")))?,
    };
    let mut found = collection.items(world, tenant);
    if let Some(text) = call.parameter("$filter") {
        let filter = Filter::parse(&text, collection.fields())
            .map_err(|why| error(400, "BadRequest", format!("Invalid filter clause: {why}")))?;
        found.retain(|item| filter.takes(item));
    }
    found.drain(..found.len().min(skipped));
    if collection == Collection::Alerts && !wants_unknown_members(call) {
        found.iter_mut().for_each(alert::hide_unknown_members);
    }
    let repeated = &["$filter", "$skip", "$count"];
    page(
        world,
        call,
        (version, collection.path(), repeated),
        SIZES,
        found.len(),
        |range| found[range].to_vec(),
    )
}

/// Without the header, members that an enumeration has got since it was published are `unknownFutureValue`.
fn wants_unknown_members(call: &Call) -> bool {
    call.header("prefer").is_some_and(|preferences| {
        preferences
            .split(',')
            .any(|one| one.trim().eq_ignore_ascii_case("include-unknown-enum-members"))
    })
}

/// Each collection refuses in the words of the service behind it.
fn require(access: &Access, collection: Collection) -> Result<(), GraphError> {
    let permissions = collection.permissions();
    if permissions.iter().any(|permission| holds(access, permission)) {
        return Ok(());
    }
    if collection != Collection::Alerts {
        let said = "Auth token does not contain valid permissions or user does not have valid roles.";
        return Err(error(403, "UnknownError", said));
    }
    let (kind, has) = match access.user {
        Some(_) => ("scopes", access.scopes.join(",")),
        None => ("roles", access.roles.join(",")),
    };
    let needed = permissions.join(",");
    let said = format!("Missing application {kind}. API required {kind}: {needed}, application {kind}: {has}.");
    Err(error(403, "Forbidden", said))
}
