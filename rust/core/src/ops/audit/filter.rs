//! What a search is narrowed by.

use super::from::From;
use crate::audit::graph::Report;
use crate::audit::{exchange, graph};
use crate::error::{Error, Result};
use crate::request::Request;
use serde_json::{json, Map, Value};

/// Field of the request, name in Exchange's search, name in Graph's queries.
const LISTS: [(&str, &str, &str); 4] = [
    ("operations", "Operations", "operationFilters"),
    ("userIds", "UserIds", "userPrincipalNameFilters"),
    ("ipAddresses", "IPAddresses", "ipAddressFilters"),
    ("objectIds", "ObjectIds", "objectIdFilters"),
];

/// A filter in the words of each service that has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) exchange: exchange::Filter,
    pub(crate) graph: graph::QueryFilter,
}

impl Filter {
    pub(crate) fn read(request: &Request, from: From) -> Result<Self> {
        let mut filter = Filter::default();
        let mut any = false;
        let mut set = |exchange: &str, graph: &str, value: Value| {
            any = true;
            filter.exchange.set(exchange, value.clone());
            filter.graph.insert(graph.to_owned(), value);
        };
        for (field, exchange, graph) in LISTS {
            let values = request.texts(field)?;
            if !values.is_empty() {
                set(exchange, graph, json!(values));
            }
        }
        if let Some(text) = request.opt_text("freeText")?.filter(|text| !text.is_empty()) {
            set("FreeText", "keywordFilter", json!(text));
        }
        let types = request.texts("recordTypes")?;
        if !types.is_empty() {
            any = true;
            // Exchange's search takes one at a time: there they are what content types are elsewhere.
            filter
                .graph
                .insert("recordTypeFilters".to_owned(), json!(exchange::record_types(types)?));
        }
        match from {
            From::Exchange | From::Graph => Ok(filter),
            _ if !any => Ok(filter),
            From::Feed => Err(
                Error::invalid("the activity feed cannot be narrowed by anything but its content types")
                    .advise("Leave the filters out, or take the records from Exchange or Graph, which search."),
            ),
            From::Report(_) => Err(Error::invalid(format!("{} cannot be narrowed here", from.records()))
                .advise("Leave the filters out, or use -ContentType AuditLogQuery.")),
        }
    }

    /// The source's name with this filter: what was got with one says nothing of what others would get.
    pub(crate) fn source(&self, from: From) -> String {
        let name = from.name();
        let filter = match from {
            From::Exchange => self.exchange.to_json(),
            From::Graph => Value::Object(self.graph.clone()),
            From::Feed | From::Report(_) => Value::Null,
        };
        match filter.as_object().is_some_and(|filter| !filter.is_empty()) {
            true => format!("{name} {filter}"),
            false => name.to_owned(),
        }
    }

    /// What [`Filter::source`] has written, for the content types that were got so; `None` where it is no source of ours.
    pub(crate) fn of_source(text: &str, content_types: &[String]) -> Option<(From, Self)> {
        let report = content_types.first().and_then(|name| Report::named(name));
        let sources = [From::Feed, From::Exchange, From::Graph].into_iter();
        let mut sources = sources.chain(report.map(From::Report));
        let (from, rest) = sources.find_map(|from| {
            let rest = text.strip_prefix(from.name())?;
            (rest.is_empty() || rest.starts_with(' ')).then_some((from, rest.trim_start()))
        })?;
        let fields: Map<String, Value> = match rest {
            "" => Map::new(),
            rest => serde_json::from_str(rest).ok()?,
        };
        let mut filter = Filter::default();
        match from {
            From::Exchange => filter.exchange = exchange::Filter::from(fields),
            From::Graph => filter.graph = fields,
            From::Feed | From::Report(_) if !fields.is_empty() => return None,
            From::Feed | From::Report(_) => {}
        }
        Some((from, filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;

    #[test]
    fn a_source_is_read_back_with_its_filter() {
        let filtered = Request::new("audit_export")
            .with("userIds", Field::Texts(vec!["a@b.c".to_owned(), "{\"} x".to_owned()]))
            .with("recordTypes", Field::Texts(vec!["ExchangeAdmin".to_owned()]))
            .with("freeText", Field::Text("wire transfer".to_owned()));
        let plain = Request::new("audit_export");
        for (from, content_type, request) in [
            (From::Feed, "Audit.General", &plain),
            (From::Exchange, "ExchangeAdmin", &filtered),
            (From::Exchange, "UnifiedAuditLog", &plain),
            (From::Graph, "AuditLogQuery", &filtered),
            (From::Report(Report::SignIns), "SignIns", &plain),
            (From::Report(Report::Provisioning), "Provisioning", &plain),
        ] {
            let filter = Filter::read(request, from).unwrap();
            let text = filter.source(from);
            let (found, read) = Filter::of_source(&text, &[content_type.to_owned()]).unwrap();
            assert_eq!(found, from);
            assert_eq!(read.source(from), text);
        }
        for strange in [
            "",
            "Somebody else",
            "Search-UnifiedAuditLog {",
            "Search-UnifiedAuditLogs",
        ] {
            assert!(
                Filter::of_source(strange, &["Audit.General".to_owned()]).is_none(),
                "{strange}"
            );
        }
    }
}
