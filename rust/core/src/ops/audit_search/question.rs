//! What an `audit_search` request asks for.

use super::super::audit::filter::Filter;
use super::super::audit::from::From;
use super::super::audit::wanted::Caller;
use crate::audit::{exchange, Window};
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::export::time;
use crate::request::Request;
use crate::tenant::TenantId;
use serde_json::{json, Map};

pub(super) struct Question {
    pub(super) caller: Caller,
    pub(super) tenant: TenantId,
    pub(super) content_type: String,
    pub(super) filter: exchange::Filter,
    /// In whole seconds; empty where nothing can be there.
    pub(super) window: Window,
    /// The most rows that are wanted.
    pub(super) size: Option<u64>,
    /// The parameters of the caller's own session, where that has one.
    pub(super) session: Option<Map<String, serde_json::Value>>,
}

impl Question {
    pub(super) fn read(session: &Session, request: &Request) -> Result<Self> {
        request.only(&[
            "credential",
            "environment",
            "appOnly",
            "tenant",
            "startTime",
            "endTime",
            "recordTypes",
            "operations",
            "userIds",
            "ipAddresses",
            "objectIds",
            "siteIds",
            "freeText",
            "resultSize",
            "sessionId",
            "sessionCommand",
            "formatted",
            "highCompleteness",
            "longerRetentionEnabled",
        ])?;
        let caller = Caller::read(session, request)?;
        caller.environment.endpoint(From::Exchange.service())?;
        let tenant = match (request.opt_text("tenant")?, caller.credential.home_tenant()) {
            (Some(text), _) => TenantId::parse(text)?,
            (None, Some(home)) => home.clone(),
            (None, None) => {
                return Err(Error::invalid("it is not known in which tenant to search")
                    .advise("Give -TenantId, or make the credential with the tenant that it belongs to."))
            }
        };
        let mut filter = Filter::read(request, From::Exchange)?.exchange;
        let sites = request.texts("siteIds")?;
        if !sites.is_empty() {
            filter.set("SiteIds", json!(sites));
        }
        for (field, name) in [("formatted", "Formatted"), ("highCompleteness", "HighCompleteness")] {
            if request.flag(field)? {
                filter.set(name, json!(true));
            }
        }
        if let Some(text) = request.opt_text("longerRetentionEnabled")? {
            filter.set("LongerRetentionEnabled", json!(text));
        }
        let content_type = match exchange::record_types(request.texts("recordTypes")?)?.as_slice() {
            [one] => one.clone(),
            _ => {
                return Err(Error::invalid("the search takes one record type at a time")
                    .advise("Search once for each, or use Get-SecureAppAuditLog -Source Exchange with all of them."))
            }
        };
        let session = own_session(request)?;
        Ok(Question {
            size: size(request, session.is_some())?,
            window: window(request)?,
            caller,
            tenant,
            content_type,
            filter,
            session,
        })
    }

    /// The newest rows by one search, where so few are wanted.
    pub(super) fn newest(&self) -> Option<u64> {
        self.size.filter(|size| *size <= exchange::LARGEST)
    }
}

/// The caller's session.
fn own_session(request: &Request) -> Result<Option<Map<String, serde_json::Value>>> {
    const COMMANDS: [&str; 3] = ["Initialize", "ReturnLargeSet", "ReturnNextPreviewPage"];
    let text = |field| request.opt_text(field).map(|text| text.filter(|text| !text.is_empty()));
    let mut session = Map::new();
    if let Some(id) = text("sessionId")? {
        session.insert("SessionId".to_owned(), json!(id));
    }
    if let Some(name) = text("sessionCommand")? {
        let known = COMMANDS.iter().find(|known| known.eq_ignore_ascii_case(name.trim()));
        let known = known.ok_or_else(|| {
            Error::invalid(format!("there is no session command '{name}'"))
                .advise("Use ReturnLargeSet or ReturnNextPreviewPage, or leave -SessionId and -SessionCommand out: then all of it comes.")
        })?;
        session.insert("SessionCommand".to_owned(), json!(known));
    }
    Ok((!session.is_empty()).then_some(session))
}

fn size(request: &Request, in_session: bool) -> Result<Option<u64>> {
    let Some(given) = request.opt_int("resultSize")? else {
        return Ok(None);
    };
    match u64::try_from(given) {
        Ok(size) if size >= 1 && (!in_session || size <= exchange::LARGEST) => Ok(Some(size)),
        _ if in_session => Err(
            Error::invalid(format!("a call of a session cannot give {given} rows")).advise(format!(
                "Give a -ResultSize from 1 to {}, or leave -SessionId and -SessionCommand out: then all of it comes.",
                exchange::LARGEST
            )),
        ),
        _ => Err(Error::invalid(format!("the search cannot give {given} rows"))
            .advise("Give a -ResultSize of 1 or more, or leave it out: then all of it comes.")),
    }
}

/// In whole seconds, as the search can be asked: what begins or ends within one has all of it.
fn window(request: &Request) -> Result<Window> {
    let (start, end) = (request.int("startTime")?, request.int("endTime")?);
    if start > end {
        return Err(Error::invalid(format!(
            "the start {} is after the end {}",
            time::iso(start),
            time::iso(end)
        ))
        .advise("Give a -StartDate before -EndDate; times without a zone are UTC."));
    }
    let second = |ms: i64| ms.div_euclid(1000) * 1000;
    Ok(Window::new(
        second(start),
        if start == end { second(start) } else { second(end + 999) },
    ))
}
