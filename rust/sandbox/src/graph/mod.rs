//! Microsoft Graph: the two lists of a partner's customers, users, batches, the audit logs, the security of each, the
//! directory's objects and those that administrators put there, and mail.
//!
//! Sources: Microsoft Graph reference ("List contracts", "List delegatedAdminCustomers", "Microsoft Graph error responses
//! and resource types").

mod applications;
mod audit_query;
mod batch;
pub(crate) mod directory;
mod grants;
mod groups;
pub(crate) mod mail;
mod manage;
mod page;
mod principals;
mod relationships;
pub(crate) mod reports;
mod roles;
pub(crate) mod security;
mod settings;
pub(crate) mod users;

use std::sync::RwLock;

use http::{HeaderName, Method};
use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::random::{is_guid, Random};
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::{read, write, World};

use page::{odata, page, Sizes};
pub(crate) use settings::GraphSettings;

/// What Graph remembers.
#[derive(Default)]
pub(crate) struct Graph {
    settings: RwLock<GraphSettings>,
    queries: audit_query::Queries,
    admissions: reports::Admissions,
    begun: security::Begun,
    users: users::Changes,
    pub(crate) mail: mail::Mail,
}

impl Graph {
    pub(crate) fn settings(&self) -> GraphSettings {
        read(&self.settings).clone()
    }

    /// What is absent goes back to its default.
    pub(crate) fn set(&self, settings: GraphSettings) {
        *write(&self.settings) = settings;
    }
}

/// Pages of the lists of customers.
const SIZES: Sizes = Sizes {
    usual: 100,
    largest: 999,
};

struct GraphError {
    status: u16,
    code: &'static str,
    message: String,
}

fn error(status: u16, code: &'static str, message: impl Into<String>) -> GraphError {
    GraphError {
        status,
        code,
        message: message.into(),
    }
}

pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let request_id = world.random().guid();
    let client_id = call
        .header("client-request-id")
        .filter(|id| is_guid(id))
        .unwrap_or(&request_id)
        .to_owned();
    let mut reply = match answer(world, call) {
        Ok(reply) => reply,
        Err(refused) => {
            let mut reply = reply::json(
                refused.status,
                &json!({"error": {
                    "code": refused.code,
                    "message": refused.message,
                    "innerError": {
                        "date": iso_seconds(world.clock.now()),
                        "request-id": request_id,
                        "client-request-id": client_id,
                    },
                }}),
            );
            if refused.status == 401 {
                let challenge = format!(
                    "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", \
                     client_id=\"00000003-0000-0000-c000-000000000000\"",
                    world.endpoints.login
                );
                reply::set(&mut reply, http::header::WWW_AUTHENTICATE, &challenge);
            }
            reply
        }
    };
    reply::set(&mut reply, HeaderName::from_static("request-id"), &request_id);
    reply::set(&mut reply, HeaderName::from_static("client-request-id"), &client_id);
    reply
}

fn answer(world: &World, call: &Call) -> Result<Reply, GraphError> {
    let token = call
        .bearer()
        .ok_or_else(|| error(401, "InvalidAuthenticationToken", "Access token is empty."))?;
    let access = world.tokens.access(token).ok_or_else(|| {
        error(
            401,
            "InvalidAuthenticationToken",
            "Access token validation failure. Invalid signature.",
        )
    })?;
    if access.resource != Resource::Graph {
        return Err(error(
            401,
            "InvalidAuthenticationToken",
            "Access token validation failure. Invalid audience.",
        ));
    }
    if access.expires_on <= world.clock.now() {
        return Err(error(
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        ));
    }
    let version = ["/v1.0/", "/beta/"]
        .into_iter()
        .find(|version| call.path.starts_with(version));
    let version =
        version.ok_or_else(|| error(400, "BadRequest", "Invalid version. The version is 'v1.0' or 'beta'."))?;
    let path = call.path[version.len()..].trim_end_matches('/');
    match (&call.method, path.to_ascii_lowercase().as_str()) {
        (&Method::GET, "contracts") => {
            require(
                &access,
                "Directory.Read.All",
                "Insufficient privileges to complete the operation.",
            )?;
            let customers = world.estate.customers_of(&access.tenant_id);
            let all: Vec<&Tenant> = customers.filter(|tenant| tenant.reseller).collect();
            let contract = |tenant: &&Tenant| {
                json!({
                    "id": Random::at(world.options.seed, &tenant.id, 3).guid(),
                    "deletedDateTime": null,
                    "contractType": "ResellerPartnerContract",
                    "customerId": tenant.id,
                    "defaultDomainName": tenant.default_domain,
                    "displayName": tenant.display_name,
                })
            };
            page(world, call, (version, "contracts", &[]), SIZES, all.len(), |range| {
                all[range].iter().map(contract).collect()
            })
        }
        (&Method::GET, "tenantrelationships/delegatedadmincustomers") => {
            relationships::require_reading(&access)?;
            let customers = world.estate.customers_of(&access.tenant_id);
            let all: Vec<&Tenant> = customers
                .filter(|tenant| tenant.granular && tenant.health().delegated_access)
                .collect();
            let customer = |tenant: &&Tenant| {
                json!({
                    "@odata.etag": format!("W/\"{}\"", Random::at(world.options.seed, &tenant.id, 4).text(16)),
                    "id": tenant.id,
                    "tenantId": tenant.id,
                    "displayName": tenant.display_name,
                })
            };
            let path = "tenantRelationships/delegatedAdminCustomers";
            page(world, call, (version, path, &[]), SIZES, all.len(), |range| {
                all[range].iter().map(customer).collect()
            })
        }
        (&Method::GET, lower)
            if lower
                .strip_prefix("tenantrelationships/delegatedadminrelationships")
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) =>
        {
            let rest: Vec<&str> = path.split('/').skip(2).collect();
            relationships::serve(world, call, &access, version, &rest)
        }
        (&Method::POST, "$batch") => batch::answer(world, call, version),
        (_, "users") => users::serve(world, call, &access, version, None),
        (_, lower) if lower.starts_with("users/") && !lower[6..].contains('/') => {
            users::serve(world, call, &access, version, Some(&path[6..]))
        }
        (&Method::GET, "organization") => {
            let tenant = world.estate.find(&access.tenant_id);
            let value: Vec<Value> = tenant
                .map(|tenant| {
                    json!({
                        "id": tenant.id,
                        "displayName": tenant.display_name,
                        "verifiedDomains": [
                            {"name": tenant.default_domain, "isInitial": true, "isDefault": true, "type": "Managed"},
                            {"name": tenant.custom_domain, "isInitial": false, "isDefault": false, "type": "Managed"},
                        ],
                    })
                })
                .into_iter()
                .collect();
            let context = format!("{}{version}$metadata#organization", world.endpoints.graph);
            Ok(odata(200, &json!({"@odata.context": context, "value": value})))
        }
        (&Method::POST, "directoryobjects/getbyids") => directory::get_by_ids(world, call, &access, version),
        (_, lower) if lower == "me" || lower.starts_with("me/") || lower.starts_with("users/") => {
            mail::serve(world, call, &access, path)
        }
        (_, lower) if lower == "security/auditlog/queries" || lower.starts_with("security/auditlog/queries/") => {
            let rest: Vec<&str> = path.split('/').skip(3).collect();
            audit_query::serve(world, call, &access, version, &rest)
        }
        (&Method::GET, lower) if security::Collection::find(lower).is_some() => {
            let collection = security::Collection::find(lower)
                .ok_or_else(|| error(404, "ResourceNotFound", "There is no such collection."))?;
            security::serve(world, call, &access, version, collection)
        }
        (&Method::GET, lower)
            if lower
                .strip_prefix("auditlogs/")
                .and_then(reports::Report::find)
                .is_some() =>
        {
            let report = lower.strip_prefix("auditlogs/").and_then(reports::Report::find);
            let report = report.ok_or_else(|| error(404, "ResourceNotFound", "There is no such report."))?;
            reports::serve(world, call, &access, version, report)
        }
        _ => managed(world, call, &access, version, path).unwrap_or_else(|| {
            let text = format!("Resource not found for the segment '{path}'.");
            Err(error(404, "ResourceNotFound", text))
        }),
    }
}

/// The collections in which a directory is changed; None for any other path.
fn managed(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    path: &str,
) -> Option<Result<Reply, GraphError>> {
    let below = |name: &str| {
        let (start, rest) = path.split_at_checked(name.len())?;
        let ends = name.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '(']);
        (start.eq_ignore_ascii_case(name) && ends).then_some(rest)
    };
    let tenant = world.estate.find(&access.tenant_id)?;
    if let Some(rest) = below("applications") {
        return Some(applications::serve(world, call, access, version, rest));
    }
    if let Some(rest) = below("servicePrincipals") {
        return Some(principals::serve(world, call, access, version, tenant, rest));
    }
    if let Some(rest) = below("oauth2PermissionGrants") {
        return Some(grants::serve(world, call, access, version, tenant, rest));
    }
    if let Some(rest) = below("groups") {
        return Some(groups::serve(world, call, access, version, tenant, rest));
    }
    let rest = below("roleManagement/directory/")?;
    Some(roles::serve(world, call, access, version, tenant, rest))
}

fn require(access: &Access, permission: &str, message: &str) -> Result<(), GraphError> {
    if holds(access, permission) || holds(access, &permission.replace(".Read.", ".ReadWrite.")) {
        return Ok(());
    }
    Err(error(403, "Authorization_RequestDenied", message))
}

fn require_any(access: &Access, permissions: &[&str]) -> Result<(), GraphError> {
    if permissions.iter().any(|permission| holds(access, permission)) {
        return Ok(());
    }
    let text = format!(
        "The principal does not have required Microsoft Graph permission(s): {} to call this API.",
        permissions.join(", ")
    );
    Err(error(403, "Authorization_RequestDenied", text))
}

/// A delegated permission of a user's token, an application role of an application's.
fn holds(access: &Access, permission: &str) -> bool {
    match access.user {
        Some(_) => access.has_scope(permission),
        None => access.has_role(permission),
    }
}
