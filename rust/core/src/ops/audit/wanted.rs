//! What a request for audit records says: who asks, for which records, of which time.

use super::filter::Filter;
use super::from::From;
use crate::audit::collect::Ask;
use crate::audit::{feed, Window};
use crate::engine::{Engine, Session};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::Credential;
use std::sync::Arc;

/// Tenants at a time where nothing else is said, and at most.
const THROTTLE: i64 = 8;
const MOST_AT_A_TIME: i64 = 64;
/// As long as the feed keeps anything.
const LONGEST_SETTLE_SECONDS: i64 = 7 * 86_400;
/// Parts of one tenant that are read at a time.
const READERS: usize = 12;

/// The fields of a request that [`Caller`] and [`Wanted`] read.
pub(crate) const FIELDS: [&str; 15] = [
    "credential",
    "environment",
    "throttle",
    "appOnly",
    "source",
    "contentTypes",
    "recordTypes",
    "operations",
    "userIds",
    "ipAddresses",
    "objectIds",
    "freeText",
    "startTime",
    "endTime",
    "settleSeconds",
];

/// Who asks, and how many tenants at a time.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) environment: Arc<Environment>,
    pub(crate) credential: Arc<Credential>,
    pub(crate) throttle: usize,
    pub(crate) app_only: bool,
}

/// Which records.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) from: From,
    pub(crate) filter: Filter,
    pub(crate) window: Window,
    pub(crate) content_types: Vec<String>,
    pub(crate) settle_seconds: u64,
}

impl Caller {
    pub(crate) fn read(session: &Session, request: &Request) -> Result<Self> {
        let environments = session.engine().environments();
        let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
        let throttle = request
            .opt_int("throttle")?
            .filter(|number| *number != 0)
            .unwrap_or(THROTTLE);
        if throttle < 0 {
            return Err(Error::invalid("the throttle limit is negative").advise("Give a number from 1 to 64."));
        }
        Ok(Caller {
            environment,
            credential: Arc::clone(request.credential("credential")?),
            throttle: usize::try_from(throttle.min(MOST_AT_A_TIME)).unwrap_or(1),
            app_only: request.flag("appOnly")?,
        })
    }
}

impl Wanted {
    pub(crate) fn read(session: &Session, request: &Request, caller: &Caller) -> Result<Self> {
        // Said before anything is sent: an environment without a feed (China) has none to read.
        let from = From::read(request)?;
        caller.environment.endpoint(from.service())?;
        Ok(Wanted {
            from,
            filter: Filter::read(request, from)?,
            window: from.window(request, session.engine().clock().now_ms())?,
            content_types: from.content_types(request)?,
            settle_seconds: settle_seconds(request)?.unwrap_or(from.settle_seconds().unsigned_abs()),
        })
    }

    /// What the service still has of the time range, now that it is a tenant's turn.
    pub(crate) fn window_now(&self, engine: &Engine) -> Window {
        match self.from {
            From::Feed => feed::served_window(self.window, engine.clock().now_ms()),
            _ => self.window,
        }
    }

    /// How `window` of it is collected.
    pub(crate) fn ask(&self, engine: &Engine, window: Window, largest_record: usize) -> Ask {
        Ask {
            content_types: self.content_types.clone(),
            window,
            settle_ms: i64::try_from(self.settle_seconds.saturating_mul(1000)).unwrap_or(i64::MAX / 4),
            readers: READERS,
            largest_record,
            first_backoff: engine.first_wait(),
        }
    }
}

/// How long something may still come, where the request says it.
pub(crate) fn settle_seconds(request: &Request) -> Result<Option<u64>> {
    let Some(seconds) = request.opt_int("settleSeconds")? else {
        return Ok(None);
    };
    match u64::try_from(seconds) {
        Ok(settle) if seconds <= LONGEST_SETTLE_SECONDS => Ok(Some(settle)),
        _ => Err(Error::invalid(format!("the settle time cannot be {seconds} seconds"))
            .advise(format!("Give a number of seconds from 0 to {LONGEST_SETTLE_SECONDS}."))),
    }
}
