//! `auditLogs`: sign-ins, directory audits and provisioning, from the same events as the audit log's records.
//!
//! Sources: "List signIns", "List directoryAudits", "List provisioningObjectSummary" and "Throttling limits" of Microsoft's Graph
//! reference: pages of a thousand, newest first, five requests in ten seconds for an application and a tenant, mostly
//! without `Retry-After`.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::{iso_seconds, parse_utc_ms};
use crate::estate::Tenant;
use crate::feed::events::{self, Event, Texts};
use crate::random::Random;
use crate::reply::{Call, Reply};
use crate::world::{lock, World};

use super::page::{page, Sizes};
use super::{error, require_any, GraphError};

const SIZES: Sizes = Sizes {
    usual: 1000,
    largest: 1000,
};

/// The ten seconds that a tenant's requests were last counted in, and how many there were.
#[derive(Default)]
pub(crate) struct Admissions(Mutex<HashMap<String, (i64, u32)>>);

/// One of the lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    SignIns,
    DirectoryAudits,
    Provisioning,
}

impl Report {
    pub(crate) fn find(name: &str) -> Option<Report> {
        match name.to_ascii_lowercase().as_str() {
            "signins" => Some(Report::SignIns),
            "directoryaudits" => Some(Report::DirectoryAudits),
            "provisioning" => Some(Report::Provisioning),
            _ => None,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Report::SignIns => "auditLogs/signIns",
            Report::DirectoryAudits => "auditLogs/directoryAudits",
            Report::Provisioning => "auditLogs/provisioning",
        }
    }

    /// The field that a time range filters.
    fn time(self) -> &'static str {
        match self {
            Report::SignIns => "createdDateTime",
            Report::DirectoryAudits | Report::Provisioning => "activityDateTime",
        }
    }

    fn takes(self, event: &Event) -> bool {
        match self {
            Report::SignIns => event.kind == 15,
            Report::DirectoryAudits => event.kind == 8,
            Report::Provisioning => event.kind == 8 && event.number() % 5 == 0,
        }
    }
}

pub(super) fn serve(
    world: &World,
    call: &Call,
    access: &Access,
    version: &str,
    report: Report,
) -> Result<Reply, GraphError> {
    require_any(access, &["AuditLog.Read.All"])?;
    let settings = world.graph.settings();
    let tenant = world
        .estate
        .find(&access.tenant_id)
        .ok_or_else(|| error(404, "ResourceNotFound", "There is no such tenant."))?;
    if report == Report::SignIns && !settings.premium {
        return Err(error(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ));
    }
    admit(world, tenant, settings.reports_in_ten_seconds)?;
    let (start, end) = range(call, report)?;
    let texts = Texts::new(world, tenant);
    let mut found = events::between(world, tenant, start, end);
    found.retain(|event| report.takes(event));
    found.reverse();
    page(
        world,
        call,
        (version, report.path(), &["$filter"]),
        SIZES,
        found.len(),
        |range| found[range].iter().map(|event| item(report, &texts, event)).collect(),
    )
}

/// The ids of a tenant's items in `[start, end)`, in seconds since 1970, sorted.
pub(crate) fn truth(world: &World, tenant: &Tenant, report: Report, start: i64, end: i64) -> Vec<String> {
    let texts = Texts::new(world, tenant);
    let mut found = events::between(world, tenant, start, end);
    found.retain(|event| report.takes(event));
    let id = |event: &Event| {
        item(report, &texts, event)["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut ids: Vec<String> = found.iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn admit(world: &World, tenant: &Tenant, most: u32) -> Result<(), GraphError> {
    if most == 0 {
        return Ok(());
    }
    let window = world.clock.now_ms().div_euclid(10_000);
    let mut counted = lock(&world.graph.admissions.0);
    let entry = counted.entry(tenant.id.clone()).or_insert((window, 0));
    if entry.0 != window {
        *entry = (window, 0);
    }
    entry.1 += 1;
    if entry.1 <= most {
        return Ok(());
    }
    Err(error(429, "TooManyRequests", "Too many requests"))
}

/// The time range of `$filter=x ge 2026-01-15T00:00:00Z and x lt 2026-01-16T00:00:00Z`, in seconds; the whole past without.
fn range(call: &Call, report: Report) -> Result<(i64, i64), GraphError> {
    let (mut start, mut end) = (i64::MIN, i64::MAX);
    let Some(filter) = call.parameter("$filter") else {
        return Ok((start, end));
    };
    let bad = || error(400, "BadRequest", format!("Invalid filter clause: {filter}"));
    for clause in filter.split(" and ") {
        let words: Vec<&str> = clause.split_whitespace().collect();
        let [field, operator, value] = words.as_slice() else {
            return Err(bad());
        };
        if *field != report.time() {
            return Err(bad());
        }
        let ms = parse_utc_ms(value.trim_end_matches('Z')).ok_or_else(bad)?;
        // Events here happen on whole seconds and a fraction: the next second is the first that is not before.
        let second = ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0);
        match *operator {
            "ge" => start = start.max(second),
            "lt" => end = end.min(second),
            _ => return Err(bad()),
        }
    }
    Ok((start, end))
}

fn item(report: Report, texts: &Texts<'_>, event: &Event) -> Value {
    let record: Value = serde_json::from_slice(&texts.json(event)).unwrap_or_default();
    let mut random = Random::at(event.number(), "report", event.at as u64);
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let fraction = random.below(10_000_000);
    let time = format!("{}.{fraction:07}Z", iso_seconds(event.at));
    let user = text("UserId");
    match report {
        Report::SignIns => json!({
            "id": text("Id"),
            "createdDateTime": time,
            "userDisplayName": user.split('@').next().unwrap_or_default(),
            "userPrincipalName": user,
            "userId": text("UserKey"),
            "appId": record["ApplicationId"],
            "appDisplayName": "Office 365 Exchange Online",
            "ipAddress": text("ClientIP"),
            "clientAppUsed": "Browser",
            "correlationId": random.guid(),
            "conditionalAccessStatus": "notApplied",
            "isInteractive": true,
            "resourceId": text("ObjectId"),
            "status": {
                "errorCode": record["ErrorNumber"].as_str().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0),
                "failureReason": record["LogonError"].as_str().unwrap_or("Other."),
                "additionalDetails": null,
            },
            "location": {"city": "Reading", "state": "England", "countryOrRegion": "GB",
                "geoCoordinates": {"altitude": null, "latitude": 51.45, "longitude": -0.97}},
        }),
        Report::DirectoryAudits => json!({
            "id": format!("Directory_{}_{}", random.guid(), text("Id")),
            "category": "UserManagement",
            "correlationId": random.guid(),
            "result": "success",
            "resultReason": "",
            "activityDisplayName": text("Operation").trim_end_matches('.'),
            "activityDateTime": time,
            "loggedByService": "Core Directory",
            "operationType": "Update",
            "initiatedBy": {"app": null, "user": {"id": text("UserKey"), "userPrincipalName": user, "ipAddress": text("ClientIP")}},
            "targetResources": [{"id": random.guid(), "type": "User", "userPrincipalName": text("ObjectId"), "modifiedProperties": []}],
            "additionalDetails": [],
        }),
        Report::Provisioning => json!({
            "id": random.guid(),
            "activityDateTime": time,
            "tenantId": text("OrganizationId"),
            "jobId": format!("BoxOutDelta.{}", random.text(12)),
            "cycleId": random.guid(),
            "changeId": random.guid(),
            "provisioningAction": "update",
            "durationInMilliseconds": random.below(3000),
            "provisioningStatusInfo": {"status": "success", "errorInformation": null},
            "sourceIdentity": {"id": text("UserKey"), "displayName": user, "identityType": "User"},
        }),
    }
}
