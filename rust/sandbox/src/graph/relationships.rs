//! Granular delegated admin relationships and the groups that hold their roles.
//!
//! Sources: Microsoft Graph reference, "delegatedAdminRelationship resource type", "List delegatedAdminRelationships", "List
//! accessAssignments".

use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::random::Random;
use crate::reply::{Call, Reply};
use crate::world::World;

use super::page::{odata, page, Sizes};
use super::{error, require, roles, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 300,
};
const PATH: &str = "tenantRelationships/delegatedAdminRelationships";
const DAY: i64 = 86_400;
/// A relationship that ends so soon is said to be expiring.
const EXPIRING: i64 = 30;
const LONGEST: i64 = 730;

const ROLES: [&str; 6] = [
    "Exchange Administrator",
    "Security Administrator",
    "Helpdesk Administrator",
    "Security Reader",
    "Global Reader",
    "Cloud Application Administrator",
];
const ENDED_ROLES: [&str; 1] = ["Global Administrator"];

struct Relationship<'a> {
    id: String,
    /// None until a customer has taken the invitation.
    customer: Option<&'a Tenant>,
    status: &'static str,
    /// Days until it ends.
    days_left: i64,
    auto_extend: bool,
    /// Their names.
    roles: &'static [&'static str],
}

/// Serves the collection, or what is below it (`rest`).
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    require_reading(access)?;
    let all = all(world, &access.tenant_id);
    let find = |id: &str| {
        let found = all.iter().find(|relationship| relationship.id == id);
        found.ok_or_else(|| error(404, "ResourceNotFound", "The relationship was not found."))
    };
    match rest {
        [] => {
            let wanted = match call.parameter("$filter") {
                None => None,
                Some(filter) => Some(read_filter(&filter)?),
            };
            let found: Vec<&Relationship> = all
                .iter()
                .filter(|relationship| {
                    wanted.as_ref().is_none_or(|(field, value)| match *field {
                        "status" => relationship.status == value,
                        _ => relationship
                            .customer
                            .is_some_and(|tenant| tenant.id.eq_ignore_ascii_case(value)),
                    })
                })
                .collect();
            page(
                world,
                call,
                (version, PATH, &["$filter"]),
                SIZES,
                found.len(),
                |range| {
                    found[range]
                        .iter()
                        .map(|relationship| relationship.shown(world))
                        .collect()
                },
            )
        }
        [id] => Ok(odata(200, &find(id)?.shown(world))),
        [id, below] if below.eq_ignore_ascii_case("accessAssignments") => {
            let assignments = find(id)?.assignments(world);
            let path = format!("{PATH}('{id}')/accessAssignments");
            page(world, call, (version, &path, &[]), SIZES, assignments.len(), |range| {
                assignments[range].to_vec()
            })
        }
        _ => Err(error(404, "ResourceNotFound", "There is no such segment.")),
    }
}

/// What it takes to read customers and relationships.
pub(super) fn require_reading(access: &Access) -> Result<(), GraphError> {
    let needed = "The caller lacks DelegatedAdminRelationship.Read.All or DelegatedAdminRelationship.ReadWrite.All.";
    require(access, "DelegatedAdminRelationship.Read.All", needed)
}

/// The relationships of the partner whose tenant it is; no other tenant has any.
fn all<'a>(world: &'a World, partner: &str) -> Vec<Relationship<'a>> {
    let id = |what: &str, number: u64| {
        let mut random = Random::at(world.options.seed, &format!("{what} of {partner}"), number);
        format!("{}-{}", random.guid(), random.guid())
    };
    let mut all = Vec::new();
    if !world.estate.is_partners_own(partner) {
        return all;
    }
    for (at, customer) in (0u64..).zip(&world.estate.customers) {
        if !customer.granular || !world.estate.administers(partner, customer) {
            continue;
        }
        let health = customer.health();
        if at % 3 == 1 {
            all.push(Relationship {
                id: id("ended relationship", at),
                customer: Some(customer),
                status: if at % 2 == 0 { "expired" } else { "terminated" },
                days_left: -40,
                auto_extend: false,
                roles: &ENDED_ROLES,
            });
        }
        let days_left = health
            .gdap_days
            .unwrap_or(60 + i64::try_from(at * 53 % 600).unwrap_or(0));
        all.push(Relationship {
            id: id("relationship", at),
            customer: Some(customer),
            status: match days_left {
                _ if !health.delegated_access => "terminated",
                ..=0 => "expired",
                1..=EXPIRING => "expiring",
                _ => "active",
            },
            days_left,
            auto_extend: at % 4 == 2,
            roles: if at % 4 == 3 { &ROLES[..3] } else { &ROLES },
        });
    }
    all.push(Relationship {
        id: id("invitation", 0),
        customer: None,
        status: "approvalPending",
        days_left: LONGEST,
        auto_extend: false,
        roles: &ROLES,
    });
    all
}

impl Relationship<'_> {
    fn shown(&self, world: &World) -> Value {
        let now = world.clock.now();
        let ends = now + self.days_left * DAY;
        let begun = ends - LONGEST * DAY;
        let is_taken = self.customer.is_some();
        json!({
            "@odata.etag": format!("W/\"{}\"", Random::at(world.options.seed, &self.id, 1).text(16)),
            "id": self.id,
            "displayName": format!("Administration {}", &self.id[..8]),
            "duration": format!("P{LONGEST}D"),
            "autoExtendDuration": if self.auto_extend { "P180D" } else { "PT0S" },
            "status": self.status,
            "createdDateTime": iso_seconds(begun - DAY),
            "activatedDateTime": is_taken.then(|| iso_seconds(begun)),
            "endDateTime": is_taken.then(|| iso_seconds(ends)),
            "lastModifiedDateTime": iso_seconds(begun),
            "customer": self.customer.map(|tenant| json!({"tenantId": tenant.id, "displayName": tenant.display_name})),
            "accessDetails": unified_roles(self.roles),
        })
    }

    /// One group, which holds all of the roles but the last.
    fn assignments(&self, world: &World) -> Vec<Value> {
        if !matches!(self.status, "active" | "expiring") {
            return Vec::new();
        }
        let mut random = Random::at(world.options.seed, &self.id, 2);
        let held = &self.roles[..self.roles.len() - 1];
        vec![json!({
            "@odata.etag": format!("W/\"{}\"", random.text(16)),
            "id": random.guid(),
            "status": "active",
            "createdDateTime": iso_seconds(world.clock.now() + (self.days_left - LONGEST) * DAY),
            "lastModifiedDateTime": iso_seconds(world.clock.now() + (self.days_left - LONGEST) * DAY),
            "accessContainer": {
                "accessContainerId": Random::at(world.options.seed, "administrators of customers", 0).guid(),
                "accessContainerType": "securityGroup",
            },
            "accessDetails": unified_roles(held),
        })]
    }
}

fn unified_roles(roles: &[&str]) -> Value {
    let ids = roles.iter().filter_map(|role| roles::id(role));
    let roles: Vec<Value> = ids.map(|id| json!({ "roleDefinitionId": id })).collect();
    json!({ "unifiedRoles": roles })
}

/// `status eq 'active'` or `customer/tenantId eq 'a'`.
fn read_filter(filter: &str) -> Result<(&'static str, String), GraphError> {
    let unsupported = || {
        error(
            400,
            "BadRequest",
            "Unsupported or invalid query filter clause specified.",
        )
    };
    let (name, value) = filter.trim().split_once(" eq ").ok_or_else(unsupported)?;
    let field = ["status", "customer/tenantId"]
        .into_iter()
        .find(|known| *known == name.trim());
    let value = value
        .trim()
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    Ok((
        field.ok_or_else(unsupported)?,
        value.ok_or_else(unsupported)?.to_owned(),
    ))
}
