//! Alerts: made by the day, so that each stays what it is while time goes on, and is worked on meanwhile.

use serde_json::{json, Value};

use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::random::Random;

use super::DAY;

/// How long an alert is kept.
const DAYS: i64 = 30;

/// What raises an alert: serviceSource, detectionSource, product, category, title, technique.
type Kind = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const KINDS: [Kind; 8] = [
    (
        "microsoftDefenderForEndpoint",
        "antivirus",
        "Microsoft Defender for Endpoint",
        "Malware",
        "'Wacatac' malware was prevented",
        "T1204.002",
    ),
    (
        "microsoftDefenderForOffice365",
        "microsoftDefenderForOffice365",
        "Microsoft Defender for Office 365",
        "InitialAccess",
        "Email messages containing malicious URL removed after delivery",
        "T1566.002",
    ),
    (
        "azureAdIdentityProtection",
        "azureAdIdentityProtection",
        "Microsoft Entra ID Protection",
        "InitialAccess",
        "Unfamiliar sign-in properties",
        "T1078.004",
    ),
    (
        "azureAdIdentityProtection",
        "azureAdIdentityProtection",
        "Microsoft Entra ID Protection",
        "CredentialAccess",
        "Password spray",
        "T1110.003",
    ),
    (
        "microsoftDefenderForCloudApps",
        "cloudAppSecurity",
        "Microsoft Defender for Cloud Apps",
        "DefenseEvasion",
        "Suspicious inbox manipulation rule",
        "T1564.008",
    ),
    (
        "microsoftDefenderForIdentity",
        "microsoftDefenderForIdentity",
        "Microsoft Defender for Identity",
        "CredentialAccess",
        "Suspected brute-force attack (Kerberos, NTLM)",
        "T1110",
    ),
    (
        "microsoftDefenderForCloud",
        "microsoftDefenderForServers",
        "Microsoft Defender for Cloud",
        "Execution",
        "Suspicious PowerShell activity detected",
        "T1059.001",
    ),
    (
        "microsoftDefenderForCloud",
        "microsoftDefenderForStorage",
        "Microsoft Defender for Cloud",
        "Exfiltration",
        "Unusual amount of data extracted from a storage account",
        "T1530",
    ),
];

/// Members that their enumerations have got since they were published ("alert resource type").
const NEW_MEMBERS: [&str; 3] = [
    "microsoftDefenderForCloud",
    "microsoftDefenderForServers",
    "microsoftDefenderForStorage",
];

/// A tenant's alerts, the newest first.
pub(super) fn all(seed: u64, tenant: &Tenant, now: i64) -> Vec<Value> {
    let today = now.div_euclid(DAY);
    let mut alerts: Vec<(i64, Value)> = (today - DAYS + 1..=today)
        .flat_map(|day| of_day(seed, tenant, day, now))
        .collect();
    alerts.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    alerts.into_iter().map(|(_, alert)| alert).collect()
}

pub(super) fn hide_unknown_members(alert: &mut Value) {
    for field in ["serviceSource", "detectionSource"] {
        if alert[field]
            .as_str()
            .is_some_and(|member| NEW_MEMBERS.contains(&member))
        {
            alert[field] = "unknownFutureValue".into();
        }
    }
}

fn of_day(seed: u64, tenant: &Tenant, day: i64, now: i64) -> Vec<(i64, Value)> {
    let mut random = Random::at(seed, &tenant.id, 1_000_000 + day.unsigned_abs());
    let count = 1 + random.below(2) as usize;
    let made = (0..count).map(|at| {
        let created = day * DAY + random.below(DAY as u64) as i64;
        // One after the other, so that no kind is missing from a month.
        let kind = &KINDS[(day.unsigned_abs() as usize + at) % KINDS.len()];
        (created, one(kind, &mut random, tenant, created, now))
    });
    made.filter(|(created, _)| *created <= now).collect()
}

fn one(kind: &Kind, random: &mut Random, tenant: &Tenant, created: i64, now: i64) -> Value {
    let (source, detection, product, category, title, technique) = *kind;
    let severity = *random.pick(&["high", "medium", "medium", "low", "low", "informational"]);
    let number = random.below(1_000_000_000);
    let id = format!("da{:018}_-{number}", created.unsigned_abs());
    let incident = (10_000 + random.below(90_000)).to_string();
    let begun = created + 600 + random.below(2 * DAY as u64) as i64;
    let ended = begun + 600 + random.below(20 * DAY as u64) as i64;
    let status = match now {
        now if now >= ended => "resolved",
        now if now >= begun => "inProgress",
        _ => "new",
    };
    let updated = match status {
        "resolved" => ended,
        "inProgress" => begun,
        _ => created,
    };
    let time = |seconds: i64| format!("{}.{:07}Z", iso_seconds(seconds), number % 10_000_000);
    let owner = format!("admin@{}", tenant.default_domain);
    json!({
        "id": id,
        "providerAlertId": id,
        "incidentId": incident,
        "status": status,
        "severity": severity,
        "classification": if status == "resolved" { json!("truePositive") } else { Value::Null },
        "determination": if status == "resolved" { json!("other") } else { Value::Null },
        "serviceSource": source,
        "detectionSource": detection,
        "productName": product,
        "detectorId": random.guid(),
        "tenantId": tenant.id,
        "title": title,
        "description": format!("{product} saw what its detection '{title}' stands for."),
        "recommendedActions": "Review what happened, and contain what was reached.",
        "category": category,
        "assignedTo": if status == "new" { Value::Null } else { json!(owner) },
        "alertWebUrl": format!("https://security.microsoft.com/alerts/{id}?tid={}", tenant.id),
        "incidentWebUrl": format!("https://security.microsoft.com/incidents/{incident}?tid={}", tenant.id),
        "actorDisplayName": null,
        "threatDisplayName": null,
        "threatFamilyName": null,
        "mitreTechniques": [technique],
        "createdDateTime": time(created),
        "lastUpdateDateTime": time(updated),
        "resolvedDateTime": if status == "resolved" { json!(time(ended)) } else { Value::Null },
        "firstActivityDateTime": time(created - 900),
        "lastActivityDateTime": time(created - 60),
        "comments": [],
        "systemTags": [],
        "alertPolicyId": null,
        "additionalData": null,
        "evidence": [evidence(tenant, &owner, &time(created), random)],
    })
}

/// Whom it is about.
fn evidence(tenant: &Tenant, user: &str, created: &str, random: &mut Random) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.security.userEvidence",
        "createdDateTime": created,
        "verdict": "suspicious",
        "remediationStatus": "none",
        "remediationStatusDetails": null,
        "roles": ["compromised"],
        "detailedRoles": [],
        "tags": [],
        "userAccount": {
            "accountName": "admin",
            "domainName": tenant.default_domain,
            "userSid": null,
            "azureAdUserId": random.guid(),
            "userPrincipalName": user,
            "displayName": "Administrator",
        },
    })
}
