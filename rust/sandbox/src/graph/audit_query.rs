//! `security/auditLog/queries`: searches of the audit log as jobs.
//!
//! Sources: "auditLogQuery resource type", "Create auditLogQuery", "List records" and the throttling page of Microsoft's Graph
//! reference; what its users report of it (404 in v1.0, pages that differ from reading to reading, queries that never end).

use std::collections::HashMap;
use std::sync::Mutex;

use http::Method;
use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::{iso_seconds, parse_utc_ms};
use crate::estate::Tenant;
use crate::feed::events::{self, Event, Texts};
use crate::random::Random;
use crate::record_types;
use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

use super::page::{odata, page, Sizes};
use super::settings::GraphSettings;
use super::{error, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 150,
    largest: 999,
};
/// Any of these permissions lets a caller in; those for one service are enough for its records and are not told apart here.
const PERMISSIONS: [&str; 7] = [
    "AuditLogsQuery.Read.All",
    "AuditLogsQuery-Entra.Read.All",
    "AuditLogsQuery-Exchange.Read.All",
    "AuditLogsQuery-SharePoint.Read.All",
    "AuditLogsQuery-OneDrive.Read.All",
    "AuditLogsQuery-CRM.Read.All",
    "AuditLogsQuery-Endpoint.Read.All",
];

struct Query {
    tenant_id: String,
    asked: Value,
    found: Vec<Event>,
    exceeded: bool,
    /// How often it was looked at.
    polls: u32,
    fails: bool,
    stuck: bool,
    /// How often its records were read from their beginning.
    readings: u32,
}

/// The queries of all tenants, by id.
#[derive(Default)]
pub(crate) struct Queries {
    known: Mutex<HashMap<String, Query>>,
}

/// Answers requests below `security/auditLog/queries`.
pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    require_any(access, &PERMISSIONS)?;
    let tenant = world
        .estate
        .find(&access.tenant_id)
        .ok_or_else(|| error(404, "ResourceNotFound", "There is no such tenant."))?;
    if !tenant.health().auditing {
        return Err(error(403, "UnknownError", "{\"Status\":\"AuditingDisabledTenant\"}"));
    }
    let settings = world.graph.settings();
    let queries = &world.graph.queries;
    match (&call.method, rest) {
        (&Method::POST, []) => create(world, call, tenant, version, &settings),
        (&Method::GET, []) => {
            let known = lock(&queries.known);
            let mut own: Vec<(&String, &Query)> =
                known.iter().filter(|(_, query)| query.tenant_id == tenant.id).collect();
            own.sort_by_key(|(id, _)| *id);
            let value: Vec<Value> = own.iter().map(|(id, query)| query.json(id, &settings)).collect();
            Ok(odata(200, &json!({"value": value})))
        }
        (&Method::GET, [id]) => {
            let mut known = lock(&queries.known);
            let query = known
                .get_mut(*id)
                .filter(|query| query.tenant_id == tenant.id)
                .ok_or_else(unknown)?;
            query.polls += 1;
            Ok(odata(200, &query.json(id, &settings)))
        }
        (&Method::DELETE, [id]) => {
            let mut known = lock(&queries.known);
            match known.remove(*id) {
                Some(_) => Ok(reply::reply(204, "application/json", "")),
                None => Err(unknown()),
            }
        }
        (&Method::GET, [id, "records"]) => {
            let found = {
                let mut known = lock(&queries.known);
                let query = known
                    .get_mut(*id)
                    .filter(|query| query.tenant_id == tenant.id)
                    .ok_or_else(unknown)?;
                if query.status(&settings) != "succeeded" {
                    return Err(error(400, "BadRequest", "The query has not succeeded."));
                }
                if call.parameter("$skiptoken").is_none() {
                    query.readings += 1;
                }
                query.reading(&settings)
            };
            let texts = Texts::new(world, tenant);
            let path = format!("security/auditLog/queries/{id}/records");
            page(
                world,
                call,
                (version, &path, &["$count"]),
                SIZES,
                found.len(),
                |range| found[range].iter().map(|event| record(&texts, event)).collect(),
            )
        }
        _ => Err(error(404, "ResourceNotFound", "Resource not found for the segment.")),
    }
}

fn unknown() -> GraphError {
    error(404, "NotFound", "The query was not found.")
}

fn create(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    version: &str,
    settings: &GraphSettings,
) -> Result<Reply, GraphError> {
    if settings.beta_only && version == "/v1.0/" {
        return Err(error(404, "UnknownError", ""));
    }
    let bad = |text: &str| error(400, "BadRequest", text);
    let asked: Value = serde_json::from_slice(&call.body).map_err(|_| bad("Invalid request data"))?;
    let moment = |name: &str| {
        let text = asked[name].as_str().unwrap_or_default();
        parse_utc_ms(text.trim_end_matches('Z')).map(|ms| ms.div_euclid(1000))
    };
    let (Some(start), Some(end)) = (moment("filterStartDateTime"), moment("filterEndDateTime")) else {
        return Err(bad("Invalid request data"));
    };
    if start >= end {
        return Err(bad("Invalid request data"));
    }
    let mut known = lock(&world.graph.queries.known);
    let busy = known
        .values()
        .filter(|query| query.tenant_id == tenant.id && matches!(query.status(settings), "notStarted" | "running"));
    if busy.count() >= settings.in_flight {
        return Err(error(429, "TooManyRequests", "Too many queries are queued or running."));
    }
    let mut found = events::between(world, tenant, start, end);
    keep(world, tenant, &asked, &mut found);
    let is_repeated = |event: &&Event| Random::at(event.number(), "repeats", 0).chance(settings.repeats);
    let repeated: Vec<Event> = found.iter().filter(is_repeated).copied().collect();
    found.extend(repeated);
    // In no order that is written anywhere.
    let mut random = Random::at(found.len() as u64, "query", 0);
    for at in (1..found.len()).rev() {
        found.swap(at, random.below(at as u64 + 1) as usize);
    }
    let exceeded = found.len() > settings.record_limit;
    found.truncate(settings.record_limit);
    let mut random = world.random();
    let id = random.guid();
    let stuck = known.values().filter(|query| query.stuck).count() < settings.stuck as usize;
    let query = Query {
        tenant_id: tenant.id.clone(),
        asked,
        found,
        exceeded,
        polls: 0,
        fails: random.chance(settings.failed),
        stuck,
        readings: 0,
    };
    let body = query.json(&id, settings);
    known.insert(id, query);
    Ok(odata(201, &body))
}

impl Query {
    fn status(&self, settings: &GraphSettings) -> &'static str {
        match self.polls {
            polls if polls < settings.polls => "notStarted",
            polls if self.stuck || polls < 2 * settings.polls => "running",
            _ if self.fails => "failed",
            _ => "succeeded",
        }
    }

    fn json(&self, id: &str, settings: &GraphSettings) -> Value {
        let mut body = self.asked.clone();
        let done = self.status(settings) == "succeeded";
        body["@odata.type"] = "#microsoft.graph.security.auditLogQuery".into();
        body["id"] = id.into();
        body["status"] = self.status(settings).into();
        body["recordCountLimit"] = settings.record_limit.into();
        body["isRecordCountLimitExceeded"] = (done && self.exceeded).into();
        body["approximateReturnedRecordCount"] = if done && settings.counted {
            (self.found.len() as u64)
                .saturating_add_signed(settings.miscounted)
                .into()
        } else {
            0.into()
        };
        body
    }

    /// What this reading of the pages has.
    fn reading(&self, settings: &GraphSettings) -> Vec<Event> {
        if settings.unstable == 0.0 {
            return self.found.clone();
        }
        let there = |event: &&Event| {
            let mut random = Random::at(event.number(), "reading", u64::from(self.readings));
            !random.chance(settings.unstable)
        };
        // Every third reading is whole.
        match self.readings % 3 {
            0 => self.found.clone(),
            _ => self.found.iter().filter(there).copied().collect(),
        }
    }
}

/// Leaves what the query's filters take.
fn keep(world: &World, tenant: &Tenant, asked: &Value, found: &mut Vec<Event>) {
    let list = |name: &str| -> Vec<String> {
        let values = asked[name].as_array().cloned().unwrap_or_default();
        values.iter().filter_map(Value::as_str).map(str::to_lowercase).collect()
    };
    let filters = [
        (list("operationFilters"), "Operation"),
        (list("userPrincipalNameFilters"), "UserId"),
        (list("ipAddressFilters"), "ClientIP"),
        (list("objectIdFilters"), "ObjectId"),
    ];
    let types = list("recordTypeFilters");
    let keyword = asked["keywordFilter"]
        .as_str()
        .map(str::to_lowercase)
        .filter(|text| !text.is_empty());
    if types.is_empty() && keyword.is_none() && filters.iter().all(|(wanted, _)| wanted.is_empty()) {
        return;
    }
    let texts = Texts::new(world, tenant);
    found.retain(|event| types.is_empty() || types.contains(&record_types::name(event.kind.into()).to_lowercase()));
    found.retain(|event| {
        let text = String::from_utf8_lossy(&texts.json(event)).into_owned();
        let record: Value = serde_json::from_str(&text).unwrap_or_default();
        let field = |name: &str| record[name].as_str().unwrap_or_default().to_lowercase();
        keyword
            .as_deref()
            .is_none_or(|wanted| text.to_lowercase().contains(wanted))
            && filters
                .iter()
                .all(|(wanted, name)| wanted.is_empty() || wanted.contains(&field(name)))
    });
}

/// A record as Graph gives it, with the audit record inside.
fn record(texts: &Texts<'_>, event: &Event) -> Value {
    let mut data: Value = serde_json::from_slice(&texts.json(event)).unwrap_or_default();
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    let mut record = json!({
        "id": text("Id"),
        "createdDateTime": format!("{}Z", iso_seconds(event.at)),
        "auditLogRecordType": record_types::name(event.kind.into()),
        "operation": text("Operation"),
        "organizationId": text("OrganizationId"),
        "userType": user_type(data["UserType"].as_u64().unwrap_or_default()),
        "userId": text("UserKey"),
        "service": text("Workload"),
        "objectId": text("ObjectId"),
        "userPrincipalName": text("UserId"),
        "clientIp": text("ClientIP"),
        "administrativeUnits": [],
    });
    data["@odata.type"] = "#microsoft.graph.security.defaultAuditData".into();
    record["auditData"] = data;
    record
}

fn user_type(number: u64) -> &'static str {
    const NAMES: [&str; 11] = [
        "Regular",
        "Reserved",
        "Admin",
        "DcAdmin",
        "System",
        "Application",
        "ServicePrincipal",
        "CustomPolicy",
        "SystemPolicy",
        "PartnerTechnician",
        "Guest",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|at| NAMES.get(at))
        .copied()
        .unwrap_or("unknownFutureValue")
}
