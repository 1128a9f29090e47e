//! Cmdlets on mailboxes: `Get-Mailbox`, `Set-Mailbox`, `Get-CASMailbox`, `Set-CASMailbox`. A tenant's mailboxes are those of its users.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{json, Map, Value};

use crate::estate::Tenant;
use crate::graph::users;
use crate::random::Random;
use crate::world::{lock, World};

use super::error::ExchangeError;
use super::page::Row;
use super::parameters::Parameters;
use super::Output;

/// Rows where no number is asked for ("Get-Mailbox", -ResultSize).
const USUAL: usize = 1000;
/// The protocols that can be switched.
const PROTOCOLS: [&str; 5] = [
    "ActiveSyncEnabled",
    "ImapEnabled",
    "MAPIEnabled",
    "OWAEnabled",
    "PopEnabled",
];

/// What was switched, by tenant and user.
#[derive(Default)]
pub(super) struct Switched(Mutex<HashMap<(String, String), Map<String, Value>>>);

/// How long audit records are kept where that was changed, by tenant and user.
#[derive(Default)]
pub(super) struct KeptFor(Mutex<HashMap<(String, String), String>>);

pub(super) fn mailboxes(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["Identity", "ResultSize", "RecipientTypeDetails"])?;
    let shared_alone = parameters
        .text("RecipientTypeDetails")
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("UserMailbox"));
    listed(world, tenant, parameters, |at, user| {
        (!shared_alone).then(|| mailbox(world, tenant, at, user))
    })
}

/// `Set-Mailbox`, as far as `-AuditLogAgeLimit`: "dd.hh:mm:ss".
pub(super) fn keep_for(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["Identity", "AuditLogAgeLimit"])?;
    let (_, user) = found(world, tenant, parameters.needed("Identity")?)?;
    let limit = parameters.needed("AuditLogAgeLimit")?;
    let (days, time) = limit.split_once('.').unwrap_or(("0", limit));
    let parts: Vec<&str> = std::iter::once(days).chain(time.split(':')).collect();
    if parts.len() != 4 || parts.iter().any(|part| part.parse::<u32>().is_err()) {
        return Err(ExchangeError::thrown(
            "ParameterBindingException",
            format!("Cannot convert value \"{limit}\" to type \"Microsoft.Exchange.Data.EnhancedTimeSpan\"."),
        ));
    }
    let key = (tenant.id.clone(), text(&user, "userPrincipalName").to_owned());
    lock(&world.exchange.kept_for.0).insert(key, limit.to_owned());
    Ok(Output::default())
}

pub(super) fn protocols(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&["Identity", "ResultSize"])?;
    listed(world, tenant, parameters, |_, user| {
        Some(protocols_of(world, tenant, user))
    })
}

pub(super) fn switch(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&[&["Identity"][..], &PROTOCOLS].concat())?;
    let identity = parameters.needed("Identity")?;
    let (_, user) = found(world, tenant, identity)?;
    let now = protocols_of(world, tenant, &user);
    let mut changed = false;
    let name = text(&user, "userPrincipalName").to_owned();
    let mut switched = lock(&world.exchange.switched.0);
    for protocol in PROTOCOLS {
        if let Some(on) = parameters.flag(protocol)? {
            changed |= now[protocol] != on;
            let key = (tenant.id.clone(), name.clone());
            switched.entry(key).or_default().insert(protocol.to_owned(), on.into());
        }
    }
    let warnings = match changed {
        true => Vec::new(),
        false => vec![format!(
            "The command completed successfully but no settings of '{name}' have been modified."
        )],
    };
    Ok(Output {
        warnings,
        ..Output::default()
    })
}

fn listed(
    world: &World,
    tenant: &Tenant,
    parameters: &Parameters,
    row: impl Fn(usize, &Value) -> Option<Value>,
) -> Result<Output, ExchangeError> {
    let users: Vec<(usize, Value)> = match parameters.text("Identity") {
        Some(identity) => vec![found(world, tenant, identity)?],
        None => users::all(world, tenant).into_iter().enumerate().collect(),
    };
    let most = match parameters.text("ResultSize") {
        Some(size) if size.eq_ignore_ascii_case("Unlimited") => usize::MAX,
        _ => parameters.number("ResultSize")?.unwrap_or(USUAL),
    };
    let mut rows: Vec<Row> = users
        .iter()
        .filter_map(|(at, user)| row(*at, user).map(Row::Plain))
        .collect();
    let mut output = Output::default();
    if rows.len() > most {
        rows.truncate(most);
        output.warnings.push(
            "There are more results available than are currently displayed. To view them, increase the value for the \
             ResultSize parameter."
                .to_owned(),
        );
    }
    output.rows = rows;
    Ok(output)
}

fn found(world: &World, tenant: &Tenant, identity: &str) -> Result<(usize, Value), ExchangeError> {
    let is_it = |user: &Value| {
        let name = text(user, "userPrincipalName");
        let alias = name.split('@').next().unwrap_or_default();
        [text(user, "id"), name, alias, text(user, "displayName")]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(identity))
    };
    users::all(world, tenant)
        .into_iter()
        .enumerate()
        .find(|(_, user)| is_it(user))
        .ok_or_else(|| ExchangeError::no_object(identity, &tenant.default_domain))
}

fn mailbox(world: &World, tenant: &Tenant, at: usize, user: &Value) -> Value {
    let name = text(user, "userPrincipalName");
    let alias = name.split('@').next().unwrap_or_default();
    let key = (tenant.id.clone(), name.to_owned());
    let limit = lock(&world.exchange.kept_for.0).get(&key).cloned();
    json!({
        "ExternalDirectoryObjectId": user["id"],
        "Guid@odata.type": "#Guid",
        "Guid": Random::at(world.options.seed, &tenant.id, 2000 + at as u64).guid(),
        "Identity": alias,
        "Alias": alias,
        "DisplayName": user["displayName"],
        "UserPrincipalName": name,
        "PrimarySmtpAddress": name,
        "EmailAddresses@odata.type": "#Collection(String)",
        "EmailAddresses": [format!("SMTP:{name}")],
        "RecipientTypeDetails": "UserMailbox",
        "ProhibitSendQuota": "99 GB (106,300,440,576 bytes)",
        "AuditEnabled": true,
        "AuditLogAgeLimit": limit.as_deref().unwrap_or("90.00:00:00"),
        "WhenCreated@data.type": "System.DateTime",
        "WhenCreated": "2022-09-21T08:07:47.0000000+00:00",
    })
}

fn protocols_of(world: &World, tenant: &Tenant, user: &Value) -> Value {
    let name = text(user, "userPrincipalName");
    let mut row = json!({"Identity": name, "DisplayName": user["displayName"], "PrimarySmtpAddress": name});
    for protocol in PROTOCOLS {
        row[protocol] = true.into();
    }
    let key = (tenant.id.clone(), name.to_owned());
    if let (Some(switched), Value::Object(fields)) = (lock(&world.exchange.switched.0).get(&key), &mut row) {
        fields.extend(switched.clone());
    }
    row
}

fn text<'a>(user: &'a Value, field: &str) -> &'a str {
    user[field].as_str().unwrap_or_default()
}
