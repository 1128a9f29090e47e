//! Exchange Online's admin API, the private surface of the ExchangeOnlineManagement module: one address that runs a cmdlet.
//!
//! Nothing of it is documented by its owner. It is written after public clients of it (their requests and what they do with
//! the replies) and captured replies: `InvokeCommand` in `beta` only, rows with type annotations, pages that take the same
//! body again, 403 with zero bytes for a cmdlet that the caller does not have.

mod error;
mod mailboxes;
mod organization;
mod page;
mod parameters;
mod search;
mod settings;

pub(crate) use settings::{ExchangeChange, ExchangeSettings};

use std::collections::HashSet;
use std::sync::{Mutex, RwLock};

use http::{HeaderName, Method};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::estate::Tenant;
use crate::graph::mail;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::{read, write, World};

use error::ExchangeError;
use page::{Page, Pages};
use parameters::Parameters;
use search::Sessions;

/// Exchange Online of all tenants.
#[derive(Default)]
pub(crate) struct Exchange {
    settings: RwLock<ExchangeSettings>,
    sessions: Mutex<Sessions>,
    pages: Mutex<Pages>,
    /// Records that a search has given cut short, by tenant and number.
    cut_before: Mutex<HashSet<(String, u64)>>,
    switched: mailboxes::Switched,
    kept_for: mailboxes::KeptFor,
    removed: organization::Removed,
}

impl Exchange {
    pub(crate) fn settings(&self) -> ExchangeSettings {
        read(&self.settings).clone()
    }

    pub(crate) fn change(&self, change: ExchangeChange) -> Result<(), String> {
        write(&self.settings).change(change)
    }
}

/// What a cmdlet gives: its rows, what it warns of, and what it asks before it does anything.
#[derive(Default)]
struct Output {
    rows: Vec<page::Row>,
    warnings: Vec<String>,
    confirmation: Option<String>,
}

impl Output {
    fn one(row: Value) -> Self {
        Output {
            rows: vec![page::Row::Plain(row)],
            ..Output::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    cmdlet_input: CmdletInput,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CmdletInput {
    cmdlet_name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// How a request is counted: with the cmdlet that it runs, and apart where it only asks for more rows.
pub(crate) fn template(call: &Call) -> String {
    let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["adminapi", version, _, rest] => {
            let body = serde_json::from_slice::<Body>(&call.body).ok();
            let cmdlet = body.map(|body| body.cmdlet_input.cmdlet_name).unwrap_or_default();
            let more = if call.parameter("$skiptoken").is_some() {
                " (more)"
            } else {
                ""
            };
            format!("/adminapi/{version}/{{tenant}}/{rest} {cmdlet}{more}")
        }
        ["api", "gv1.0", ..] => "/api/gv1.0/AttachmentSessions".to_owned(),
        _ => call.path.clone(),
    }
}

/// Answers a request to the API's host.
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    if call.path.starts_with(mail::upload::PATH) {
        return mail::upload::serve(world, call);
    }
    let request_id = world.random().guid();
    let mut reply = answer(world, call).unwrap_or_else(|error| error.reply());
    reply::set(&mut reply, HeaderName::from_static("request-id"), &request_id);
    reply::set(&mut reply, http::header::SERVER, "Microsoft-HTTPAPI/2.0");
    reply
}

fn answer(world: &World, call: &Call) -> Result<Reply, ExchangeError> {
    let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let (version, tenant) = match parts.as_slice() {
        ["adminapi", version, tenant, "InvokeCommand"] => (*version, *tenant),
        _ => return Err(ExchangeError::not_found()),
    };
    // The module's own address answers there; the documented one does not.
    if version != "beta" || call.method != Method::POST {
        return Err(ExchangeError::method_not_allowed());
    }
    let access = call
        .bearer()
        .and_then(|token| world.tokens.access(token))
        .ok_or(ExchangeError::Unauthorized)?;
    if access.resource != Resource::Outlook || access.expires_on <= world.clock.now() {
        return Err(ExchangeError::Unauthorized);
    }
    let tenant = world.estate.find(tenant).filter(|tenant| tenant.id == access.tenant_id);
    let tenant = tenant.ok_or(ExchangeError::Unauthorized)?;
    let health = tenant.health();
    let permission = match access.user {
        Some(_) => access.has_scope("Exchange.Manage"),
        None => access.has_role("Exchange.ManageAsApp"),
    };
    // As measured by a user of it: with neither 401, with one of the two 403.
    match (permission, health.exchange_role) {
        (true, true) => {}
        (false, false) => return Err(ExchangeError::Unauthorized),
        (true, false) => return Err(ExchangeError::no_role(access.user.is_some())),
        (false, true) => return Err(ExchangeError::no_permission()),
    }
    if call.header("x-anchormailbox").is_none_or(str::is_empty) {
        return Err(ExchangeError::bad(
            "The request has no X-AnchorMailbox header, so it cannot be routed.",
        ));
    }
    if let Some(token) = call.parameter("$skiptoken") {
        let page = page::next(world, tenant, &token)?;
        return Ok(page.reply(world, tenant));
    }
    let body: Body = serde_json::from_slice(&call.body)
        .map_err(|cause| ExchangeError::bad(format!("The request body is no CmdletInput: {cause}")))?;
    let input = body.cmdlet_input;
    let parameters = Parameters::new(&input.cmdlet_name, input.parameters);
    let output = run(world, tenant, &input.cmdlet_name, &parameters)?;
    Ok(Page::first(world, tenant, output).reply(world, tenant))
}

fn run(world: &World, tenant: &Tenant, cmdlet: &str, parameters: &Parameters) -> Result<Output, ExchangeError> {
    match cmdlet.to_ascii_lowercase().as_str() {
        "search-unifiedauditlog" if tenant.health().audit_role => search::run(world, tenant, parameters),
        "get-adminauditlogconfig" => organization::audit(tenant, parameters),
        "set-adminauditlogconfig" if tenant.health().audit_role => organization::set_audit(tenant, parameters),
        "get-organizationconfig" => organization::config(tenant, parameters),
        "get-transportrule" => organization::rules(world, tenant, parameters),
        "remove-transportrule" => organization::remove_rule(world, tenant, parameters),
        "get-mailbox" => mailboxes::mailboxes(world, tenant, parameters),
        "set-mailbox" => mailboxes::keep_for(world, tenant, parameters),
        "get-casmailbox" => mailboxes::protocols(world, tenant, parameters),
        "set-casmailbox" => mailboxes::switch(world, tenant, parameters),
        // Whoever lacks a cmdlet's role does not have the cmdlet.
        _ => Err(ExchangeError::NoSuchCmdlet),
    }
}
