//! What the operations on customers' security have in common: whose a record is.

mod alerts;
mod scores;
mod summary;

pub(super) use alerts::start as alerts;
pub(super) use scores::start as scores;
pub(super) use summary::start as summary;

use super::asking::{Answer, Asking};
use super::audit::item::Item;
use crate::engine::Session;
use crate::environment::Service;
use crate::error::Result;
use crate::graph::GraphApi;
use crate::request::Request;
use crate::value::Value;

/// Tenants at a time where nothing else is said.
const THROTTLE: usize = 32;

/// Who asks Graph. `further` are the fields that the operation reads itself.
fn asking(session: &Session, request: &Request, further: &[&str]) -> Result<Asking> {
    Asking::read(session, request, further, Service::Graph, THROTTLE)
}

/// The start of a record: whose it is. `tenant` is the GUID.
fn about(item: &Item, api: &GraphApi) -> Value {
    Value::map()
        .with("item", item.number)
        .with("tenantId", api.tenant().as_str())
        .with("displayName", item.display_name.as_str())
}
