//! Cmdlets on the organization: its settings, its audit settings, its mail flow rules.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{json, Value};

use crate::estate::Tenant;
use crate::random::Random;
use crate::world::{lock, World};

use super::error::ExchangeError;
use super::page::Row;
use super::parameters::Parameters;
use super::Output;

const RULES: [&str; 3] = [
    "External sender warning",
    "Block executable attachments",
    "Disclaimer for legal",
];

/// Rules that were removed, by tenant and name.
#[derive(Default)]
pub(super) struct Removed(Mutex<HashSet<(String, String)>>);

pub(super) fn config(tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&[])?;
    Ok(Output::one(json!({
        "Name": tenant.default_domain,
        "Identity": tenant.default_domain,
        "DisplayName": tenant.display_name,
        "IsDehydrated": false,
        "AuditDisabled": false,
        "OAuth2ClientProfileEnabled": true,
        "SmtpClientAuthenticationDisabled": true,
        "DefaultPublicFolderAgeLimit": null,
        "WhenCreated@data.type": "System.DateTime",
        "WhenCreated": "2022-09-21T08:00:00.0000000+00:00",
    })))
}

pub(super) fn audit(tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&[])?;
    Ok(Output::one(json!({
        "AdminAuditLogEnabled": true,
        "UnifiedAuditLogIngestionEnabled": tenant.health().auditing,
        "UnifiedAuditLogFirstOptInDate@data.type": "System.DateTime",
        "UnifiedAuditLogFirstOptInDate": "2022-09-21T08:07:47.0000000+00:00",
        "Identity": "Admin Audit Log Settings",
        "IsValid": true,
    })))
}

pub(super) fn set_audit(tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["UnifiedAuditLogIngestionEnabled"])?;
    if let Some(on) = parameters.flag("UnifiedAuditLogIngestionEnabled")? {
        tenant.set_auditing(on);
    }
    Ok(Output::default())
}

pub(super) fn rules(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["Identity", "ResultSize"])?;
    let rows = match parameters.text("Identity") {
        Some(name) => vec![rule_named(world, tenant, name)?],
        None => known(world, tenant).map(|at| rule(world, tenant, at)).collect(),
    };
    Ok(Output {
        rows: rows.into_iter().map(Row::Plain).collect(),
        ..Output::default()
    })
}

/// Asks before it does it, unless it is told not to.
pub(super) fn remove_rule(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["Identity"])?;
    let rule = rule_named(world, tenant, parameters.needed("Identity")?)?;
    let name = rule["Name"].as_str().unwrap_or_default().to_owned();
    if parameters.flag("Confirm")? != Some(false) {
        return Ok(Output {
            confirmation: Some(format!("Removing mail flow rule '{name}'.")),
            ..Output::default()
        });
    }
    lock(&world.exchange.removed.0).insert((tenant.id.clone(), name));
    Ok(Output::default())
}

fn known<'a>(world: &'a World, tenant: &'a Tenant) -> impl Iterator<Item = usize> + 'a {
    (0..RULES.len()).filter(|at| {
        let key = (tenant.id.clone(), RULES[*at].to_owned());
        !lock(&world.exchange.removed.0).contains(&key)
    })
}

fn rule_named(world: &World, tenant: &Tenant, name: &str) -> Result<Value, ExchangeError> {
    known(world, tenant)
        .find(|at| RULES[*at].eq_ignore_ascii_case(name))
        .map(|at| rule(world, tenant, at))
        .ok_or_else(|| ExchangeError::no_object(name, &tenant.default_domain))
}

fn rule(world: &World, tenant: &Tenant, at: usize) -> Value {
    json!({
        "Name": RULES[at],
        "Identity": RULES[at],
        "Guid@odata.type": "#Guid",
        "Guid": Random::at(world.options.seed, &tenant.id, 3000 + at as u64).guid(),
        "State": "Enabled",
        "Mode": "Enforce",
        "Priority@data.type": "System.Int32",
        "Priority": at,
        "WhenChanged@data.type": "System.DateTime",
        "WhenChanged": "2025-03-01T12:00:00.0000000+00:00",
    })
}
