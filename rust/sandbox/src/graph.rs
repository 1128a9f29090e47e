//! Microsoft Graph: the two lists of a partner's customers.
//!
//! Sources: Microsoft Graph reference ("List contracts", "List delegatedAdminCustomers", "Microsoft Graph error responses
//! and resource types", "Paging Microsoft Graph data in your app").

use http::{HeaderName, Method};
use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::random::{is_guid, Random};
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::World;

const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

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
    let of_partner = |tenant: &&Tenant| access.tenant_id == world.estate.partner.id && !tenant.id.is_empty();
    let path = call.path[version.len()..].trim_end_matches('/');
    match (&call.method, path.to_ascii_lowercase().as_str()) {
        (&Method::GET, "contracts") => {
            require(
                &access,
                "Directory.Read.All",
                "Insufficient privileges to complete the operation.",
            )?;
            let all: Vec<&Tenant> = world
                .estate
                .customers
                .iter()
                .filter(|t| t.reseller)
                .filter(of_partner)
                .collect();
            page(world, call, version, "contracts", &all, |tenant| {
                json!({
                    "id": Random::at(world.options.seed, &tenant.id, 3).guid(),
                    "deletedDateTime": null,
                    "contractType": "ResellerPartnerContract",
                    "customerId": tenant.id,
                    "defaultDomainName": tenant.default_domain,
                    "displayName": tenant.display_name,
                })
            })
        }
        (&Method::GET, "tenantrelationships/delegatedadmincustomers") => {
            let needed =
                "The caller lacks DelegatedAdminRelationship.Read.All or DelegatedAdminRelationship.ReadWrite.All.";
            require(&access, "DelegatedAdminRelationship.Read.All", needed)?;
            let all: Vec<&Tenant> = world
                .estate
                .customers
                .iter()
                .filter(|tenant| tenant.granular && tenant.health().delegated_access)
                .filter(of_partner)
                .collect();
            page(
                world,
                call,
                version,
                "tenantRelationships/delegatedAdminCustomers",
                &all,
                |tenant| {
                    json!({
                        "@odata.etag": format!("W/\"{}\"", Random::at(world.options.seed, &tenant.id, 4).text(16)),
                        "id": tenant.id,
                        "tenantId": tenant.id,
                        "displayName": tenant.display_name,
                    })
                },
            )
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
            Ok(odata(&json!({"@odata.context": context, "value": value})))
        }
        _ => Err(error(
            404,
            "ResourceNotFound",
            format!("Resource not found for the segment '{path}'."),
        )),
    }
}

fn require(access: &Access, permission: &str, message: &str) -> Result<(), GraphError> {
    let write = permission.replace(".Read.", ".ReadWrite.");
    let granted = if access.user.is_some() {
        access.has_scope(permission) || access.has_scope(&write)
    } else {
        access.has_role(permission) || access.has_role(&write)
    };
    if granted {
        return Ok(());
    }
    Err(error(403, "Authorization_RequestDenied", message))
}

fn page(
    world: &World,
    call: &Call,
    version: &str,
    path: &str,
    all: &[&Tenant],
    item: impl Fn(&Tenant) -> Value,
) -> Result<Reply, GraphError> {
    let bad = |text: String| error(400, "Request_BadRequest", text);
    let size = match call.parameter("$top") {
        None => USUAL_PAGE,
        Some(text) => match text.parse() {
            Ok(size @ 1..=LARGEST_PAGE) => size,
            _ => {
                return Err(bad(format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive."
                )))
            }
        },
    };
    let size = world.options.list_page_size.map_or(size, |most| size.min(most.max(1)));
    let from = match call.parameter("$skiptoken") {
        None => 0,
        Some(text) => text
            .strip_prefix("RFNwdAIAAQ")
            .and_then(|digits| digits.parse::<usize>().ok())
            .filter(|from| *from < all.len())
            .ok_or_else(|| bad("The specified page token value is invalid or has expired.".to_owned()))?,
    };
    let until = all.len().min(from + size);
    let value: Vec<Value> = all[from..until].iter().map(|tenant| item(tenant)).collect();
    let mut body = json!({
        "@odata.context": format!("{}{version}$metadata#{path}", world.endpoints.graph),
        "value": value,
    });
    if until < all.len() {
        let top = call
            .parameter("$top")
            .map(|top| format!("$top={top}&"))
            .unwrap_or_default();
        body["@odata.nextLink"] = format!(
            "{}{version}{path}?{top}$skiptoken=RFNwdAIAAQ{until:08}",
            world.endpoints.graph
        )
        .into();
    }
    Ok(odata(&body))
}

fn odata(body: &Value) -> Reply {
    let mut reply = reply::json(200, body);
    reply::set(
        &mut reply,
        http::header::CONTENT_TYPE,
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    );
    reply::set(&mut reply, HeaderName::from_static("odata-version"), "4.0");
    reply
}
