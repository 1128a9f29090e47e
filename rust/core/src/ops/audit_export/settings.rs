//! What an `audit_export` request says.

use super::filter::Filter;
use crate::audit::graph::{self, Report};
use crate::audit::{exchange, feed, search_window, Window};
use crate::engine::Session;
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::export::{Format, Limits};
use crate::request::Request;
use crate::Credential;
use std::path::PathBuf;
use std::sync::Arc;

/// Tenants at a time where nothing else is said, and at most.
const THROTTLE: i64 = 8;
const MOST_AT_A_TIME: i64 = 64;
/// Unfinished records of all tenants together, and those that are remembered in memory; each tenant gets its share.
const PENDING_RECORDS: usize = 131_072;
const KNOWN_RECORDS: usize = 1_600_000;
/// As long as the feed keeps anything.
const LONGEST_SETTLE_SECONDS: i64 = 7 * 86_400;

/// Which service the records are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Feed,
    Exchange,
    /// Graph's searches of the audit log.
    Graph,
    /// Graph's lists.
    Report(Report),
}

impl From {
    fn read(request: &Request) -> Result<Self> {
        let name = request.opt_text("source")?.unwrap_or("feed").to_ascii_lowercase();
        match name.as_str() {
            "feed" => Ok(From::Feed),
            "exchange" => Ok(From::Exchange),
            "graph" => From::graph(request.texts("contentTypes")?),
            other => {
                Err(Error::invalid(format!("there is no source '{other}'")).advise("Use Feed, Exchange or Graph."))
            }
        }
    }

    /// Each of Graph's kinds of record has fields of its own, so a folder holds one.
    fn graph(content_types: &[String]) -> Result<Self> {
        let known = |name: &str| {
            let report = Report::ALL
                .into_iter()
                .find(|report| report.name().eq_ignore_ascii_case(name));
            let query = name.eq_ignore_ascii_case(graph::AUDIT_LOG).then_some(From::Graph);
            report.map(From::Report).or(query)
        };
        match content_types {
            [] => Ok(From::Graph),
            [name] => known(name.trim()).ok_or_else(|| {
                Error::invalid(format!("Graph has no content type '{}'", name.trim()))
                    .advise("Use AuditLogQuery, SignIns, DirectoryAudits or Provisioning.")
            }),
            _ => Err(Error::invalid("an export from Graph takes one content type")
                .advise("Run one export for each, into folders of their own: their records have different fields.")),
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            From::Feed => Service::Manage,
            From::Exchange => Service::Outlook,
            From::Graph | From::Report(_) => Service::Graph,
        }
    }

    /// What its records are.
    pub(super) fn records(self) -> &'static str {
        match self {
            From::Feed | From::Exchange => "audit log records",
            From::Graph => "audit log records as Graph has them",
            From::Report(Report::SignIns) => "sign-ins",
            From::Report(Report::DirectoryAudits) => "directory audits",
            From::Report(Report::Provisioning) => "provisioning events",
        }
    }

    /// How long something may still come, in seconds: a blob of the feed grows for minutes as far as is known, and an event
    /// takes hours, rarely a day, until a search finds it.
    fn settle_seconds(self) -> i64 {
        match self {
            From::Feed => 600,
            From::Exchange | From::Graph | From::Report(_) => 86_400,
        }
    }
}

pub(super) struct Settings {
    pub(super) from: From,
    pub(super) filter: Filter,
    pub(super) environment: Arc<Environment>,
    pub(super) credential: Arc<Credential>,
    pub(super) window: Window,
    pub(super) content_types: Vec<String>,
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) throttle: usize,
    pub(super) force: bool,
    pub(super) app_only: bool,
    pub(super) settle_seconds: u64,
    pub(super) limits: Limits,
}

impl Settings {
    pub(super) fn read(session: &Session, request: &Request) -> Result<Self> {
        request.only(&[
            "credential",
            "environment",
            "source",
            "operations",
            "userIds",
            "ipAddresses",
            "objectIds",
            "freeText",
            "recordTypes",
            "startTime",
            "endTime",
            "contentTypes",
            "path",
            "format",
            "bom",
            "throttle",
            "force",
            "settleSeconds",
            "appOnly",
        ])?;
        let engine = session.engine();
        let environment = engine
            .environments()
            .find(request.opt_text("environment")?.unwrap_or_default())?;
        // Said before anything is sent: an environment without a feed (China) cannot export.
        let from = From::read(request)?;
        environment.endpoint(from.service())?;
        let throttle = request
            .opt_int("throttle")?
            .filter(|number| *number != 0)
            .unwrap_or(THROTTLE);
        if throttle < 0 {
            return Err(Error::invalid("the throttle limit is negative").advise("Give a number from 1 to 64."));
        }
        let throttle = usize::try_from(throttle.min(MOST_AT_A_TIME)).unwrap_or(1);
        let settle_seconds = request.opt_int("settleSeconds")?.unwrap_or(from.settle_seconds());
        let settle_seconds = u64::try_from(settle_seconds)
            .ok()
            .filter(|_| settle_seconds <= LONGEST_SETTLE_SECONDS)
            .ok_or_else(|| {
                Error::invalid(format!("the settle time cannot be {settle_seconds} seconds"))
                    .advise(format!("Give a number of seconds from 0 to {LONGEST_SETTLE_SECONDS}."))
            })?;
        let path = PathBuf::from(request.text("path")?);
        if !path.is_absolute() {
            return Err(Error::invalid(format!("'{}' is not an absolute path", path.display()))
                .advise("Give the folder with its full path."));
        }
        Ok(Settings {
            environment,
            credential: Arc::clone(request.credential("credential")?),
            from,
            filter: Filter::read(request, from)?,
            window: window(request, from, engine.clock().now_ms())?,
            content_types: content_types(request, from)?,
            path,
            format: format(request, from)?,
            throttle,
            force: request.flag("force")?,
            app_only: request.flag("appOnly")?,
            settle_seconds,
            limits: Limits {
                pending_records: (PENDING_RECORDS / throttle).max(4096),
                known_records: (KNOWN_RECORDS / throttle).max(20_000),
                ..Limits::default()
            },
        })
    }
}

/// The time range, clamped to now; an error where the source cannot have it.
fn window(request: &Request, from: From, now: i64) -> Result<Window> {
    let (start, end) = (request.int("startTime")?, request.int("endTime")?);
    match from {
        From::Feed => feed::check_window(start, end, now),
        _ => search_window(start, end, now),
    }
}

/// What is exported, each with a range of its own: the feed's content types, the record types of a search.
fn content_types(request: &Request, from: From) -> Result<Vec<String>> {
    match from {
        From::Feed => feed::content_types(request.texts("contentTypes")?),
        From::Exchange => exchange::record_types(request.texts("recordTypes")?),
        From::Graph => Ok(vec![graph::AUDIT_LOG.to_owned()]),
        From::Report(report) => Ok(vec![report.name().to_owned()]),
    }
}

fn format(request: &Request, from: From) -> Result<Format> {
    let name = request.opt_text("format")?.unwrap_or("ndjson");
    let byte_order_mark = request.flag("bom")?;
    match name.to_ascii_lowercase().as_str() {
        "ndjson" => Ok(Format::Ndjson),
        "csv" if matches!(from, From::Report(_)) => Err(Error::invalid(format!(
            "{} have no columns of the audit log",
            from.records()
        ))
        .advise("Use -Format Ndjson.")),
        "csv" => Ok(Format::Csv { byte_order_mark }),
        _ => Err(Error::invalid(format!("there is no format '{name}'")).advise("Use Ndjson or Csv.")),
    }
}
