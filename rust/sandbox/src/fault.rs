//! Faults on demand: which requests go wrong, how often and how.

use std::sync::Mutex;

use bytes::Bytes;
use serde::Deserialize;

use crate::feed::FeedError;
use crate::reply::{self, Call, Reply};
use crate::route::Label;
use crate::world::lock;

/// One fault as `POST /sandbox/faults` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(rename = "match", default)]
    matches: Match,
    /// How many requests it meets; negative: all.
    #[serde(default = "once")]
    times: i64,
    /// How many matching requests pass before it begins.
    #[serde(default)]
    skip: u64,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Match {
    service: Option<String>,
    method: Option<String>,
    path_contains: Option<String>,
    tenant_id: Option<String>,
    grant: Option<String>,
}

/// What happens instead of, or to, the real reply.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(crate) enum Action {
    /// This status, these headers, this body.
    Status {
        status: u16,
        #[serde(default)]
        headers: std::collections::BTreeMap<String, String>,
        #[serde(default)]
        body: String,
        content_type: Option<String>,
    },
    /// The real reply, later.
    Delay { ms: u64 },
    /// The real reply once it is released.
    Hold {
        #[serde(default)]
        stage: Stage,
    },
    /// The first bytes of the real reply.
    Truncate {
        bytes: usize,
        #[serde(default)]
        close: Close,
    },
    /// No reply: the connection goes away.
    Reset,
    /// A web page where JSON belongs, as proxies and outage pages do.
    Html { status: Option<u16> },
    /// An error of the Management Activity API by its code, in that API's own wording: `AF429`, `AF50000`, `AF20023` ..
    FeedError { code: String },
    /// Bytes that are no JSON, said to be JSON.
    Garbage { status: Option<u16> },
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    #[default]
    BeforeHeaders,
    AfterHeaders,
    MidBody,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Close {
    /// The reply ends as if it were whole.
    #[default]
    Clean,
    /// The announced length is never reached.
    Abort,
    /// The same, and HTTP/2 says that the stream was cancelled, which some clients take for its end.
    Cancel,
}

/// The body of `POST /sandbox/faults`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum FaultList {
    Many(Vec<Fault>),
    One(Box<Fault>),
}

fn once() -> i64 {
    1
}

/// The faults in force, oldest first.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds faults; one with the id of an earlier one replaces it. Those without an id get `f<n>`. Returns the ids.
    pub(crate) fn add(&self, list: FaultList) -> Vec<String> {
        let added = match list {
            FaultList::Many(many) => many,
            FaultList::One(one) => vec![*one],
        };
        let mut faults = lock(&self.0);
        let mut ids = Vec::with_capacity(added.len());
        for mut fault in added {
            if fault.id.is_empty() {
                let taken = |n: usize| faults.iter().any(|f: &Fault| f.id == format!("f{n}"));
                let free = (1..).find(|&n| !taken(n)).unwrap_or_default();
                fault.id = format!("f{free}");
            }
            faults.retain(|known| known.id != fault.id);
            ids.push(fault.id.clone());
            faults.push(fault);
        }
        ids
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The first fault that meets this request, counted.
    pub(crate) fn take(&self, call: &Call, label: &Label) -> Option<(String, Action)> {
        let mut faults = lock(&self.0);
        for fault in faults.iter_mut() {
            if fault.times == 0 || !fault.matches.meets(call, label) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.times > 0 {
                fault.times -= 1;
            }
            return Some((fault.id.clone(), fault.action.clone()));
        }
        None
    }
}

impl Match {
    fn meets(&self, call: &Call, label: &Label) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| match wanted.as_deref() {
            None | Some("*") => true,
            Some(wanted) => is.is_some_and(|is| is.eq_ignore_ascii_case(wanted)),
        };
        same(&self.service, Some(call.service.name()))
            && same(&self.method, Some(call.method.as_str()))
            && same(&self.tenant_id, label.tenant_id.as_deref())
            && same(&self.grant, label.grant.as_deref())
            && self
                .path_contains
                .as_deref()
                .is_none_or(|part| call.path.contains(part) || format!("{}?{}", call.path, call.query).contains(part))
    }
}

impl Action {
    /// The reply of those actions that replace the service's own.
    pub(crate) fn instead(&self, call: &Call) -> Option<Reply> {
        match self {
            Action::Status { status, headers, body, content_type } => {
                let guessed = if body.starts_with('{') || body.starts_with('[') { "application/json" } else { "text/plain" };
                let mut reply = reply::reply(*status, content_type.as_deref().unwrap_or(guessed), body.clone());
                for (name, value) in headers {
                    if let Ok(name) = http::HeaderName::from_bytes(name.as_bytes()) {
                        reply::set(&mut reply, name, value);
                    }
                }
                Some(reply)
            }
            Action::Html { status } => Some(reply::reply(
                status.unwrap_or(200),
                "text/html; charset=utf-8",
                "<!DOCTYPE html>\r\n<html><head><title>Service unavailable</title></head>\r\n<body><h1>Our services aren't \
                 available right now</h1><p>We're working to restore all services as soon as possible.</p></body></html>",
            )),
            Action::FeedError { code } => Some(FeedError::made_up(code, call).reply()),
            Action::Garbage { status } => Some(reply::reply(
                status.unwrap_or(200),
                "application/json; charset=utf-8",
                Bytes::from_static(b"{\"value\":[{\x00\xff\xfe\"id\":,,\x1b]}"),
            )),
            Action::Delay { .. } | Action::Hold { .. } | Action::Truncate { .. } | Action::Reset => None,
        }
    }
}
