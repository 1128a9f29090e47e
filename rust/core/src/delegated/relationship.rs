//! Granular delegated admin relationships: with which roles, and until when, customers let the partner in.
//!
//! Source: Microsoft Graph reference, "delegatedAdminRelationship resource type" (statuses, ISO 8601 durations, `autoExtendDuration`)
//! and "List accessAssignments" (which group holds which of the roles).

use super::{guid, roles, text};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::export::time;
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::odata::{Collection, Pages};
use crate::token::TokenRequest;
use crate::value::Value;
use serde_json::Value as Json;

const PERMISSION: &str = "DelegatedAdminRelationship.Read.All";
/// What an application by itself needs besides; a user's token does not.
const PRINCIPAL: &str =
    "For an application without a user, the service principal Partner Customer Delegated Administration \
                         (2832473f-ec63-45fb-976f-5d45a7d4bb91) must be in the partner's tenant as well.";
const PATH: &str = "v1.0/tenantRelationships/delegatedAdminRelationships";
/// Statuses in which the partner has the roles.
const IN_FORCE: [&str; 2] = ["active", "expiring"];

/// One relationship with a customer.
#[derive(Clone, Debug)]
pub(crate) struct Relationship {
    id: String,
    display_name: Option<String>,
    /// The customer's tenant; lower-case GUID with hyphens.
    pub(crate) tenant_id: String,
    status: String,
    /// Ids of role templates.
    pub(crate) roles: Vec<String>,
    duration: Option<String>,
    auto_extend: Option<String>,
    /// Milliseconds since 1970, as the others.
    activated: Option<i64>,
    pub(crate) ends: Option<i64>,
    /// Groups that hold roles of it; absent where nobody asked.
    assignments: Option<Vec<Assignment>>,
}

/// A group of the partner and the roles that it holds.
#[derive(Clone, Debug)]
struct Assignment {
    group: String,
    status: String,
    roles: Vec<String>,
}

/// All relationships with customers, whatever has become of them, and how many could not be understood. Those with nobody yet, which
/// are invitations, are left out.
pub(crate) async fn read(api: &GraphApi) -> Result<(Vec<Relationship>, usize)> {
    let (mut found, mut unclear) = (Vec::new(), 0);
    for item in all(api, api.address(PATH, &[("$top", "300")])?).await? {
        match relationship(&item) {
            Some(one) => found.push(one),
            None => unclear += usize::from(!item["customer"].is_null()),
        }
    }
    Ok((found, unclear))
}

/// The items of a collection through all of its pages.
async fn all(api: &GraphApi, first: url::Url) -> Result<Vec<Json>> {
    let mut found = Vec::new();
    let mut pages = Pages::new(List { api: api.clone() }, first);
    while let Some(page) = pages.next().await? {
        let items = page.items.iter();
        found.extend(items.filter_map(|item| serde_json::from_slice::<Json>(item).ok()));
    }
    Ok(found)
}

impl Relationship {
    /// The partner has its roles.
    pub(crate) fn is_in_force(&self) -> bool {
        IN_FORCE.iter().any(|status| self.status.eq_ignore_ascii_case(status))
    }

    /// It goes on after its end by itself.
    pub(crate) fn extends_itself(&self) -> bool {
        let duration = self.auto_extend.as_deref().unwrap_or_default();
        duration.contains(|c: char| c.is_ascii_digit() && c != '0')
    }

    /// One of its roles, by its template's id.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.eq_ignore_ascii_case(role))
    }

    /// Reads which groups hold its roles.
    pub(crate) async fn read_assignments(&mut self, api: &GraphApi) -> Result<()> {
        let first = api.address(&format!("{PATH}/{}/accessAssignments", self.id), &[])?;
        self.assignments = Some(all(api, first).await?.iter().filter_map(assignment).collect());
        Ok(())
    }

    pub(crate) fn to_value(&self) -> Value {
        let assignments = self.assignments.as_ref().map(|all| {
            let each = all.iter().map(|assignment| {
                Value::map()
                    .with("groupId", assignment.group.as_str())
                    .with("status", assignment.status.as_str())
                    .with("roles", named(&assignment.roles))
            });
            Value::List(each.collect())
        });
        Value::map()
            .with("id", self.id.as_str())
            .with("displayName", self.display_name.as_deref())
            .with("status", self.status.as_str())
            .with("roles", named(&self.roles))
            .with("duration", self.duration.as_deref())
            .with("autoExtend", self.extends_itself())
            .with("autoExtendDuration", self.auto_extend.as_deref())
            .with("activated", self.activated.map(Value::Time))
            .with("ends", self.ends.map(Value::Time))
            .with("assignments", assignments)
    }
}

/// Each role with its name, where that is known.
pub(crate) fn named(ids: &[String]) -> Value {
    let each = ids
        .iter()
        .map(|id| Value::map().with("id", id.as_str()).with("name", roles::name(id)));
    Value::List(each.collect())
}

fn relationship(item: &Json) -> Option<Relationship> {
    let customer = item.get("customer")?;
    Some(Relationship {
        id: path_part(&text(item, "id")?)?,
        display_name: text(item, "displayName"),
        tenant_id: guid(&text(customer, "tenantId")?)?,
        status: text(item, "status").unwrap_or_default(),
        roles: role_ids(item),
        duration: text(item, "duration"),
        auto_extend: text(item, "autoExtendDuration"),
        activated: text(item, "activatedDateTime").and_then(|text| time::millis(&text)),
        ends: text(item, "endDateTime").and_then(|text| time::millis(&text)),
        assignments: None,
    })
}

fn assignment(item: &Json) -> Option<Assignment> {
    Some(Assignment {
        group: text(item.get("accessContainer")?, "accessContainerId")?,
        status: text(item, "status").unwrap_or_default(),
        roles: role_ids(item),
    })
}

fn role_ids(item: &Json) -> Vec<String> {
    let roles = item
        .get("accessDetails")
        .and_then(|details| details.get("unifiedRoles"));
    let each = roles.and_then(Json::as_array).into_iter().flatten();
    each.filter_map(|role| text(role, "roleDefinitionId"))
        .map(|id| id.to_ascii_lowercase())
        .collect()
}

/// An id that may stand in an address: what the service gives, and nothing that leads elsewhere.
fn path_part(id: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!id.is_empty() && id.chars().all(fits)).then(|| id.to_owned())
}

struct List {
    api: GraphApi,
}

impl Collection for List {
    fn engine(&self) -> &Engine {
        self.api.engine()
    }

    fn token(&self) -> &TokenRequest {
        self.api.token()
    }

    fn name(&self) -> String {
        "the list of delegated admin relationships".to_owned()
    }

    fn request(&self, url: &url::Url, _page: u32) -> Result<RequestSpec> {
        self.api.asked(RequestSpec::get(url.as_str())?)
    }

    fn refused(&self, reply: &Reply) -> Error {
        let error = self
            .api
            .refused(reply, "list delegated admin relationships", PERMISSION);
        if error.kind() != Kind::Denied {
            return error;
        }
        let advice = format!("{} {PRINCIPAL}", error.advice());
        error.advise(advice)
    }

    fn is_repeatable(&self, _page: u32) -> bool {
        true
    }
}

#[cfg(test)]
impl Relationship {
    /// One with a role, as the service gives it; `ends` in milliseconds since 1970.
    pub(crate) fn of(status: &str, role: &str, ends: i64, auto_extend: &str) -> Self {
        let item = serde_json::json!({
            "id": "5e5594d3-6f82-458b-b567-77db4811f0cd-00000000-0000-0000-0000-000000001234",
            "status": status,
            "autoExtendDuration": auto_extend,
            "endDateTime": time::iso(ends),
            "customer": {"tenantId": "11111111-2222-3333-4444-555555555555"},
            "accessDetails": {"unifiedRoles": [{"roleDefinitionId": role}]},
        });
        relationship(&item).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_relationship_is_in_force_or_not_and_extends_itself_or_not() {
        for (status, auto_extend, in_force, extends) in [
            ("active", "P180D", true, true),
            ("expiring", "PT0S", true, false),
            ("terminated", "P0D", false, false),
            ("somethingNew", "", false, false),
        ] {
            let relationship = Relationship::of(status, "62E90394-69F5-4237-9190-012177145E10", 0, auto_extend);
            assert_eq!(
                (relationship.is_in_force(), relationship.extends_itself()),
                (in_force, extends),
                "{status}"
            );
            assert!(relationship.has_role("62e90394-69f5-4237-9190-012177145e10"));
        }
    }

    #[test]
    fn what_is_with_nobody_or_has_an_id_that_leads_elsewhere_is_left_out() {
        assert!(relationship(&json!({"id": "a", "customer": null})).is_none());
        let customer = json!({"tenantId": "11111111-2222-3333-4444-555555555555"});
        assert!(relationship(&json!({"id": "../users", "customer": customer})).is_none());
        assert!(relationship(&json!({"id": "a-b", "customer": customer})).is_some());
    }
}
