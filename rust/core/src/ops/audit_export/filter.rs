//! What a search is narrowed by.

use super::settings::From;
use crate::audit::{exchange, graph};
use crate::error::{Error, Result};
use crate::request::Request;
use serde_json::{json, Value};

/// Field of the request, name in Exchange's search, name in Graph's queries.
const LISTS: [(&str, &str, &str); 4] = [
    ("operations", "Operations", "operationFilters"),
    ("userIds", "UserIds", "userPrincipalNameFilters"),
    ("ipAddresses", "IPAddresses", "ipAddressFilters"),
    ("objectIds", "ObjectIds", "objectIdFilters"),
];

/// A filter in the words of each service that has one.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) exchange: exchange::Filter,
    pub(super) graph: graph::QueryFilter,
}

impl Filter {
    pub(super) fn read(request: &Request, from: From) -> Result<Self> {
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
    pub(super) fn source(&self, name: &str, from: From) -> String {
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
}
