//! Secure scores: one a day for ninety days, the newest first, made of controls that tenants have in place at some times and not
//! at others.

use serde_json::{json, Value};

use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::random::Random;

use super::DAY;

const DAYS: i64 = 90;
/// After so many days a control's state comes again; absolute, so that another day of the same sandbox has another score.
const CYCLE: u64 = 240;

/// A control: its name, category, service, most points, tier, and title.
type Control = (
    &'static str,
    &'static str,
    &'static str,
    f64,
    &'static str,
    &'static str,
);

const CONTROLS: [Control; 14] = [
    (
        "AdminMFAV2",
        "Identity",
        "AzureAD",
        10.0,
        "Core",
        "Ensure multifactor authentication is enabled for all users in administrative roles",
    ),
    (
        "MFARegistrationV2",
        "Identity",
        "AzureAD",
        9.0,
        "Core",
        "Ensure multifactor authentication is enabled for all users",
    ),
    (
        "BlockLegacyAuthentication",
        "Identity",
        "AzureAD",
        8.0,
        "Core",
        "Enable policies to block legacy authentication",
    ),
    (
        "SigninRiskPolicy",
        "Identity",
        "AzureAD",
        7.0,
        "Core",
        "Enable Microsoft Entra ID Identity Protection sign-in risk policies",
    ),
    (
        "UserRiskPolicy",
        "Identity",
        "AzureAD",
        7.0,
        "Core",
        "Enable Microsoft Entra ID Identity Protection user risk policies",
    ),
    (
        "OneAdmin",
        "Identity",
        "AzureAD",
        1.0,
        "Core",
        "Designate more than one global admin",
    ),
    (
        "IntegratedApps",
        "Identity",
        "AzureAD",
        4.0,
        "Core",
        "Do not allow users to grant consent to unreliable applications",
    ),
    (
        "SelfServicePasswordReset",
        "Identity",
        "AzureAD",
        1.0,
        "Core",
        "Enable self-service password reset",
    ),
    (
        "DLPEnabled",
        "Data",
        "MIP",
        9.0,
        "Advanced",
        "Data loss prevention policies are enabled",
    ),
    (
        "mdo_safelinksforemail",
        "Apps",
        "MDO",
        9.0,
        "Advanced",
        "Create Safe Links policies for email messages",
    ),
    (
        "mdo_safeattachments",
        "Apps",
        "MDO",
        8.0,
        "Advanced",
        "Turn on Safe Attachments in block mode",
    ),
    (
        "mdo_antiphishingpolicies",
        "Apps",
        "MDO",
        8.0,
        "Advanced",
        "Set the phishing email level threshold at 2 or higher",
    ),
    (
        "exo_mailboxaudit",
        "Apps",
        "EXO",
        5.0,
        "Core",
        "Ensure mailbox auditing for all users is enabled",
    ),
    (
        "scid_2010",
        "Device",
        "MDATP",
        9.0,
        "Defense in Depth",
        "Turn on Microsoft Defender Antivirus",
    ),
];

/// A tenant's scores, one a day.
pub(super) fn days(seed: u64, tenant: &Tenant, now: i64) -> Vec<Value> {
    let today = now.div_euclid(DAY);
    (0..DAYS).map(|back| of_day(seed, tenant, today - back)).collect()
}

fn of_day(seed: u64, tenant: &Tenant, day: i64) -> Value {
    let mut random = Random::at(seed, &tenant.id, 10);
    let users = 5 + random.below(60) * random.below(12);
    let seats = 30.0 + random.below(2500) as f64 / 100.0;
    let industry = 30.0 + random.below(2500) as f64 / 100.0;
    let average = |basis: &str, score: f64| json!({"basis": basis, "averageScore": score});
    let controls: Vec<Value> = CONTROLS
        .iter()
        .enumerate()
        .map(|(at, control)| control_score(seed, tenant, day, at, control))
        .collect();
    let current: f64 = controls.iter().filter_map(|control| control["score"].as_f64()).sum();
    let most: f64 = CONTROLS.iter().map(|(.., most, _, _)| most).sum();
    let date = date(day);
    json!({
        "id": format!("{}_{date}", tenant.id),
        "azureTenantId": tenant.id,
        "activeUserCount": users * 4 / 5,
        "createdDateTime": format!("{date}T00:00:00Z"),
        "currentScore": (current * 100.0).round() / 100.0,
        "enabledServices": ["HasExchange", "HasSharePoint", "HasAADP1"],
        "licensedUserCount": users,
        "maxScore": most,
        "vendorInformation": {"provider": "SecureScore", "providerVersion": null, "subProvider": null, "vendor": "Microsoft"},
        "averageComparativeScores": [
            average("AllTenants", 45.31),
            average("TotalSeats", seats),
            average("IndustryTypes", industry),
        ],
        "controlScores": controls,
    })
}

/// What a control brings on a day: nothing, or a share of its points that goes with the users or devices that it covers.
fn control_score(seed: u64, tenant: &Tenant, day: i64, at: usize, control: &Control) -> Value {
    let (name, category, _, most, _, title) = control;
    let mut random = Random::at(seed, &tenant.id, 100 + at as u64);
    let begins = random.below(CYCLE);
    let lasts = random.below(CYCLE);
    let place = (day.unsigned_abs() + begins) % CYCLE;
    let share = match place < lasts {
        true => (50 + random.below(51)) as f64 / 100.0,
        false => 0.0,
    };
    json!({
        "controlCategory": category,
        "controlName": name,
        "description": title,
        "score": (most * share * 100.0).round() / 100.0,
        "implementationStatus": format!("{:.0}% of what this control covers", share * 100.0),
        "scoreInPercentage": share * 100.0,
        "lastSynced": format!("{}T00:00:00Z", date(day)),
    })
}

fn date(day: i64) -> String {
    iso_seconds(day * DAY).chars().take(10).collect()
}

/// What the controls are, for a tenant.
pub(super) fn profiles(tenant: &Tenant, now: i64) -> Vec<Value> {
    let profile = |(rank, (name, category, service, most, tier, title)): (usize, &Control)| {
        json!({
            "id": name,
            "azureTenantId": tenant.id,
            "actionType": "Config",
            "actionUrl": format!("https://security.microsoft.com/securescore?controlId={name}"),
            "controlCategory": category,
            "title": title,
            "deprecated": false,
            "implementationCost": "Low",
            "lastModifiedDateTime": format!("{}T00:00:00Z", date(now.div_euclid(DAY))),
            "maxScore": most,
            "rank": rank + 1,
            "remediation": format!("<ol><li>Open the control {name} in Microsoft Defender.</li></ol>"),
            "remediationImpact": "",
            "service": service,
            "threats": ["Account breach"],
            "tier": tier,
            "userImpact": "Low",
            "complianceInformation": [],
            "controlStateUpdates": [],
            "vendorInformation": {"provider": "SecureScore", "providerVersion": null, "subProvider": null, "vendor": "Microsoft"},
        })
    };
    CONTROLS.iter().enumerate().map(profile).collect()
}
