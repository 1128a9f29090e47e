//! What the endpoints have in common at which a directory is changed.

use serde_json::{Map, Value};

use crate::access::Access;
use crate::reply::{self, Call, Reply};
use crate::users;
use crate::world::World;

use super::{error, require_any, GraphError};

/// Somebody may change what takes one of these permissions: an application that has it as a role, or an administrator for whom an
/// application acts that has it delegated. The permission of an application is no more than its user's own role.
pub(super) fn administers(world: &World, access: &Access, permissions: &[&str]) -> Result<(), GraphError> {
    require_any(access, permissions)?;
    let Some(user) = &access.user else { return Ok(()) };
    match users::find(&world.estate, world.options.seed, &user.name) {
        Some(account) if account.administrator => Ok(()),
        _ => Err(error(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )),
    }
}

/// A request's JSON object.
pub(super) fn body(call: &Call) -> Result<Map<String, Value>, GraphError> {
    serde_json::from_slice(&call.body)
        .map_err(|_| error(400, "Request_BadRequest", "Unable to read JSON request payload."))
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, GraphError> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| {
        let text = format!("A value is required for property '{name}' of the request.");
        error(400, "Request_BadRequest", text)
    })
}

pub(super) fn not_found(id: &str) -> GraphError {
    error(
        404,
        "Request_ResourceNotFound",
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
    )
}

pub(super) fn not_allowed() -> GraphError {
    error(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

pub(super) fn no_content() -> Reply {
    reply::reply(204, "text/plain", "")
}

/// Those properties of an object that `$select` names; all without it.
pub(super) fn selected(call: &Call, whole: Map<String, Value>) -> Value {
    let Some(names) = call.parameter("$select") else {
        return Value::Object(whole);
    };
    let wanted = |name: &str| names.split(',').any(|other| other.trim().eq_ignore_ascii_case(name));
    Value::Object(whole.into_iter().filter(|(name, _)| wanted(name)).collect())
}

/// Keeps what `$filter` lets through: `field eq 'x'` on one of `fields`, several joined by `and`, or `list/any(t:t eq 'x')` on one
/// of `lists`.
pub(super) fn filtered<T>(
    call: &Call,
    fields: &[&str],
    lists: &[&str],
    items: &mut Vec<T>,
    of: impl Fn(&T) -> &Map<String, Value>,
) -> Result<(), GraphError> {
    let Some(filter) = call.parameter("$filter") else {
        return Ok(());
    };
    for clause in filter.split(" and ") {
        let (name, value, in_list) = read_clause(clause.trim()).ok_or_else(unsupported)?;
        let known = if in_list { lists } else { fields };
        if !known.contains(&name) {
            return Err(unsupported());
        }
        items.retain(|item| {
            let own = of(item).get(name).unwrap_or(&Value::Null);
            match own {
                Value::Array(list) => list.iter().any(|one| one == value.as_str()),
                own => own.as_str().is_some_and(|own| own.eq_ignore_ascii_case(&value)),
            }
        });
    }
    Ok(())
}

/// The field, the value, and whether it is about a list.
fn read_clause(clause: &str) -> Option<(&str, String, bool)> {
    let quoted = |text: &str| {
        let inner = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        Some(inner.replace("''", "'"))
    };
    if let Some((name, rest)) = clause.split_once("/any(") {
        let (variable, condition) = rest.strip_suffix(')')?.split_once(':')?;
        let value = condition.trim().strip_prefix(variable)?.trim().strip_prefix("eq ")?;
        return Some((name, quoted(value)?, true));
    }
    let (name, value) = clause.split_once(" eq ")?;
    Some((name.trim(), quoted(value)?, false))
}

fn unsupported() -> GraphError {
    error(
        400,
        "Request_UnsupportedQuery",
        "Unsupported or invalid query filter clause specified.",
    )
}
