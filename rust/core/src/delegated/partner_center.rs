//! Partner Center's `GET /v1/customers`, as the page "Get a list of customers" of Microsoft's Partner Center reference has it.

use super::{guid, parse_page, text, Next, Page, Row, Source};
use crate::error::Result;
use crate::http::{self, RequestSpec};
use reqwest::header::HeaderName;
use serde_json::Value;

/// The first page. Each page holds up to 500 customers; the service may give fewer.
pub(crate) const FIRST: &str = "/v1/customers?size=500";
/// Carries the place in the list from a page to the request for the next one.
pub(crate) const CONTINUATION: &str = "MS-ContinuationToken";

/// What to do about a refusal, where the code alone says it.
pub(crate) fn advice(code: &str) -> Option<&'static str> {
    match code {
        // The refresh token's sign-in had no second factor; application tokens are not concerned.
        "900421" => Some(
            "Partner Center takes only sign-ins with multifactor authentication: sign in interactively with it, and store the \
             new refresh token.",
        ),
        _ => None,
    }
}

/// A request with the headers of the page "Partner Center REST headers" of Microsoft's reference: an id of its own, kept when it is
/// sent again, and one for all that belong together.
pub(crate) fn identified(spec: RequestSpec, correlation: &str) -> Result<RequestSpec> {
    spec.header(HeaderName::from_static("ms-requestid"), &http::random_id()?)?
        .header(HeaderName::from_static("ms-correlationid"), correlation)
}

pub(crate) fn parse(body: &[u8]) -> Result<Page> {
    parse_page(Source::PartnerCenter, body, "items", row, next)
}

fn row(item: &Value) -> Option<Row> {
    let company = item.get("companyProfile").unwrap_or(&Value::Null);
    // The customer's own id is its tenant id as a rule; the profile's is it always.
    let tenant_id = text(company, "tenantId")
        .and_then(|id| guid(&id))
        .or_else(|| guid(&text(item, "id")?))?;
    Some(Row {
        tenant_id,
        display_name: text(company, "companyName"),
        domain: text(company, "domain").map(|domain| domain.to_ascii_lowercase()),
        relationship: text(item, "relationshipToPartner"),
    })
}

fn next(tree: &Value) -> Option<Next> {
    let next = tree.get("links")?.get("next")?;
    let continuation = next.get("headers").and_then(Value::as_array).and_then(|headers| {
        headers
            .iter()
            .find(|header| text(header, "key").is_some_and(|key| key.eq_ignore_ascii_case(CONTINUATION)))
            .and_then(|header| text(header, "value"))
    });
    Some(Next {
        link: repair(&text(next, "uri")?),
        continuation,
    })
}

/// The service's links leave the version out as a rule (`/customers?..`), and some join a second parameter with a second
/// question mark; both are written here as the service takes them.
fn repair(link: &str) -> String {
    let link = match link.split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.replace('?', "&")),
        None => link.to_owned(),
    };
    let path = link.trim_start_matches('/');
    if link.contains("://") || link.starts_with("//") || path.starts_with("v1/") {
        link
    } else {
        format!("/v1/{path}")
    }
}
