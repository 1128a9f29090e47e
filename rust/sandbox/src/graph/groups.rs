//! Groups: the partner's AdminAgents, and who is in it ("List groups", "Add members").

use http::Method;
use serde_json::{Map, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::registry::Member;
use crate::reply::{Call, Reply};
use crate::world::{write, World};

use super::manage::{administers, body, filtered, no_content, not_allowed, not_found, selected, text};
use super::page::{page, Sizes};
use super::principals::known;
use super::{directory, error, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

/// `rest` is what comes after `groups`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    tenant: &Tenant,
    rest: &str,
) -> Result<Reply, GraphError> {
    let rest = rest.trim_start_matches('/');
    let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
    match (&call.method, id, action.to_ascii_lowercase().as_str()) {
        (&Method::GET, "", "") => {
            require_any(
                access,
                &[
                    "Group.Read.All",
                    "GroupMember.Read.All",
                    "GroupMember.ReadWrite.All",
                    "Directory.Read.All",
                ],
            )?;
            let mut all = groups(world, tenant);
            filtered(call, &["displayName", "id"], &[], &mut all, |one| one)?;
            let found: Vec<Value> = all.into_iter().map(|one| selected(call, one)).collect();
            page(
                world,
                call,
                (version, "groups", &["$filter", "$select"]),
                SIZES,
                found.len(),
                |range| found[range].to_vec(),
            )
        }
        (&Method::POST, id, "members/$ref") => {
            administers(world, access, &["GroupMember.ReadWrite.All", "Group.ReadWrite.All"])?;
            // A service principal's membership takes the right to change applications as well.
            administers(world, access, &["Application.ReadWrite.All"])?;
            if !groups(world, tenant).iter().any(|group| group["id"] == id) {
                return Err(not_found(id));
            }
            let given = body(call)?;
            let reference = text(&given, "@odata.id")?;
            let principal_id = reference.rsplit('/').next().unwrap_or_default().to_owned();
            known(world, tenant, &principal_id)?;
            let member = Member {
                group_id: id.to_owned(),
                principal_id,
            };
            let all = &mut *write(&world.registry.members);
            if all.contains(&member) {
                return Err(error(
                    400,
                    "Request_BadRequest",
                    "One or more added object references already exist for the following modified properties: 'members'.",
                ));
            }
            all.push(member);
            Ok(no_content())
        }
        _ => Err(not_allowed()),
    }
}

fn groups(world: &World, tenant: &Tenant) -> Vec<Map<String, Value>> {
    let of_group = |object: Value| {
        let mut group = object.as_object().cloned()?;
        (group.remove("@odata.type")? == "#microsoft.graph.group").then_some(group)
    };
    directory::objects(world, tenant)
        .into_iter()
        .filter_map(of_group)
        .collect()
}
