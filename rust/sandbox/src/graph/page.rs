//! Collections page by page ("Paging Microsoft Graph data in your app").

use http::HeaderName;
use serde_json::{json, Value};

use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::{error, GraphError};

/// How many items a page has.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) usual: usize,
    pub(super) largest: usize,
}

/// A page of `count` items, of which `items` makes those in a range. `path` is the collection's, below the version;
/// `query` what its next link repeats beside the token.
pub(super) fn page(
    world: &World,
    call: &Call,
    (version, path, query): (&str, &str, &[&str]),
    sizes: Sizes,
    count: usize,
    items: impl Fn(std::ops::Range<usize>) -> Vec<Value>,
) -> Result<Reply, GraphError> {
    let bad = |text: String| error(400, "Request_BadRequest", text);
    let size = match call.parameter("$top") {
        None => sizes.usual,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=sizes.largest).contains(size))
            .ok_or_else(|| {
                bad(format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {} inclusive.",
                    sizes.largest
                ))
            })?,
    };
    let size = world.options.list_page_size.map_or(size, |most| size.min(most.max(1)));
    let from = match call.parameter("$skiptoken") {
        None => 0,
        Some(text) => text
            .strip_prefix("RFNwdAIAAQ")
            .and_then(|digits| digits.parse::<usize>().ok())
            .filter(|from| *from < count)
            .ok_or_else(|| bad("The specified page token value is invalid or has expired.".to_owned()))?,
    };
    let until = count.min(from + size);
    let mut body = json!({
        "@odata.context": format!("{}{version}$metadata#{path}", world.endpoints.graph),
        "value": items(from..until),
    });
    if call.parameter("$count").as_deref() == Some("true") {
        body["@odata.count"] = count.into();
    }
    if until < count {
        let mut repeated = String::new();
        for name in ["$top"].iter().chain(query) {
            if let Some(value) = call.parameter(name) {
                let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                repeated.push_str(&format!("{name}={value}&"));
            }
        }
        body["@odata.nextLink"] = format!(
            "{}{version}{path}?{repeated}$skiptoken=RFNwdAIAAQ{until:08}",
            world.endpoints.graph
        )
        .into();
    }
    Ok(odata(200, &body))
}

pub(super) fn odata(status: u16, body: &Value) -> Reply {
    let mut reply = reply::json(status, body);
    reply::set(
        &mut reply,
        http::header::CONTENT_TYPE,
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    );
    reply::set(&mut reply, HeaderName::from_static("odata-version"), "4.0");
    reply
}
