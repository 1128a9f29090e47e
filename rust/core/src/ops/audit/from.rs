//! Which service the records are taken from.

use crate::audit::exchange::Search;
use crate::audit::feed::Feed;
use crate::audit::graph::{self, Queries, Report, Reports};
use crate::audit::{exchange, feed, search_window, Source, Window};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::request::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Feed,
    Exchange,
    /// Graph's searches of the audit log.
    Graph,
    /// Graph's lists.
    Report(Report),
}

impl From {
    pub(super) fn read(request: &Request) -> Result<Self> {
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
            let query = name.eq_ignore_ascii_case(graph::AUDIT_LOG).then_some(From::Graph);
            Report::named(name).map(From::Report).or(query)
        };
        match content_types {
            [] => Ok(From::Graph),
            [name] => known(name.trim()).ok_or_else(|| {
                Error::invalid(format!("Graph has no content type '{}'", name.trim()))
                    .advise("Use AuditLogQuery, SignIns, DirectoryAudits or Provisioning.")
            }),
            _ => Err(Error::invalid("Graph gives one content type at a time")
                .advise("Run the command once for each, exports into folders of their own: their records have different fields.")),
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            From::Feed => Service::Manage,
            From::Exchange => Service::Outlook,
            From::Graph | From::Report(_) => Service::Graph,
        }
    }

    /// Its name in a request and a result.
    pub(crate) fn label(self) -> &'static str {
        match self {
            From::Feed => "Feed",
            From::Exchange => "Exchange",
            From::Graph | From::Report(_) => "Graph",
        }
    }

    /// Its name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            From::Feed => Feed::NAME,
            From::Exchange => Search::NAME,
            From::Graph => Queries::NAME,
            From::Report(_) => Reports::NAME,
        }
    }

    /// Which time of a record a window selects.
    pub(crate) fn selected_by(self) -> &'static str {
        match self {
            From::Feed => Feed::SELECTED_BY,
            From::Exchange => Search::SELECTED_BY,
            From::Graph => Queries::SELECTED_BY,
            From::Report(_) => Reports::SELECTED_BY,
        }
    }

    /// What its records are.
    pub(crate) fn records(self) -> &'static str {
        match self {
            From::Feed | From::Exchange => "audit log records",
            From::Graph => "audit log records as Graph has them",
            From::Report(Report::SignIns) => "sign-ins",
            From::Report(Report::DirectoryAudits) => "directory audits",
            From::Report(Report::Provisioning) => "provisioning events",
        }
    }

    /// What its records are, in one word.
    pub(super) fn kind(self) -> &'static str {
        match self {
            From::Feed | From::Exchange => "AuditLog",
            From::Graph => graph::AUDIT_LOG,
            From::Report(report) => report.name(),
        }
    }

    /// True where its records are those of the unified audit log, as they are written.
    pub(super) fn is_audit_log(self) -> bool {
        matches!(self, From::Feed | From::Exchange)
    }

    /// How long something may still come, in seconds: a blob of the feed grows for minutes as far as is known, and an event
    /// takes hours, rarely a day, until a search finds it.
    pub(crate) fn settle_seconds(self) -> i64 {
        match self {
            From::Feed => 600,
            From::Exchange | From::Graph | From::Report(_) => 86_400,
        }
    }

    /// The time range that a request asks for, clamped to now; an error where the source cannot have it.
    pub(super) fn window(self, request: &Request, now: i64) -> Result<Window> {
        let (start, end) = (request.int("startTime")?, request.int("endTime")?);
        match self {
            From::Feed => feed::check_window(start, end, now),
            _ => search_window(start, end, now),
        }
    }

    /// What a request asks for, each with a range of its own: the feed's content types, the record types of a search.
    pub(super) fn content_types(self, request: &Request) -> Result<Vec<String>> {
        let named = request.texts("contentTypes")?;
        match self {
            From::Feed => feed::content_types(named),
            From::Exchange if !named.is_empty() => Err(Error::invalid("Exchange's search has no content types")
                .advise("Use -RecordType to narrow it, or take content types from -Source Feed.")),
            From::Exchange => exchange::record_types(request.texts("recordTypes")?),
            From::Graph => Ok(vec![graph::AUDIT_LOG.to_owned()]),
            From::Report(report) => Ok(vec![report.name().to_owned()]),
        }
    }
}
