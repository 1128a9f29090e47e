//! What an `audit_export` request says.

use crate::audit::{exchange, feed, Window};
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
/// Unfinished records of all tenants together; each gets its share.
const PENDING_RECORDS: usize = 131_072;
/// As long as the feed keeps anything.
const LONGEST_SETTLE_SECONDS: i64 = 7 * 86_400;

/// Which service the records are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Feed,
    Exchange,
}

impl From {
    fn read(request: &Request) -> Result<Self> {
        match request
            .opt_text("source")?
            .unwrap_or("feed")
            .to_ascii_lowercase()
            .as_str()
        {
            "feed" => Ok(From::Feed),
            "exchange" => Ok(From::Exchange),
            other => Err(Error::invalid(format!("there is no source '{other}'")).advise("Use Feed or Exchange.")),
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            From::Feed => Service::Manage,
            From::Exchange => Service::Outlook,
        }
    }

    /// How long something may still come, in seconds: a blob of the feed grows for minutes as far as is known, and an event
    /// takes hours, rarely a day, until a search finds it.
    fn settle_seconds(self) -> i64 {
        match self {
            From::Feed => 600,
            From::Exchange => 86_400,
        }
    }
}

pub(super) struct Settings {
    pub(super) from: From,
    pub(super) filter: exchange::Filter,
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
            filter: filter(request, from)?,
            window: window(request, from, engine.clock().now_ms())?,
            content_types: match from {
                From::Feed => feed::content_types(request.texts("contentTypes")?)?,
                From::Exchange => exchange::record_types(request.texts("contentTypes")?)?,
            },
            path,
            format: format(request)?,
            throttle,
            force: request.flag("force")?,
            app_only: request.flag("appOnly")?,
            settle_seconds,
            limits: Limits {
                pending_records: (PENDING_RECORDS / throttle).max(4096),
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
        From::Exchange => exchange::check_window(start, end, now),
    }
}

/// What a search is narrowed by, in the service's own names.
fn filter(request: &Request, from: From) -> Result<exchange::Filter> {
    let mut filter = exchange::Filter::default();
    for (field, name) in [
        ("operations", "Operations"),
        ("userIds", "UserIds"),
        ("ipAddresses", "IPAddresses"),
        ("objectIds", "ObjectIds"),
    ] {
        let values = request.texts(field)?;
        if !values.is_empty() {
            filter.set(name, values.into());
        }
    }
    if let Some(text) = request.opt_text("freeText")? {
        filter.set("FreeText", text.into());
    }
    if from == From::Feed && !filter.is_empty() {
        return Err(
            Error::invalid("the activity feed cannot be narrowed by anything but its content types")
                .advise("Leave the filters out, or take the records from Exchange or Graph, which search."),
        );
    }
    Ok(filter)
}

fn format(request: &Request) -> Result<Format> {
    let name = request.opt_text("format")?.unwrap_or("ndjson");
    let byte_order_mark = request.flag("bom")?;
    match name.to_ascii_lowercase().as_str() {
        "ndjson" => Ok(Format::Ndjson),
        "csv" => Ok(Format::Csv { byte_order_mark }),
        _ => Err(Error::invalid(format!("there is no format '{name}'")).advise("Use Ndjson or Csv.")),
    }
}
