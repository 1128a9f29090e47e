//! Microsoft Graph's two lists of customers: `contracts` and `tenantRelationships/delegatedAdminCustomers`, as the pages
//! "contract resource type" and "delegatedAdminCustomer resource type" of Microsoft's Graph reference have them.

use super::{guid, parse_page, text, Next, Page, Row, Source};
use crate::error::Result;
use serde_json::Value;

pub(crate) const CONTRACTS: &str = "/v1.0/contracts?$top=999";
pub(crate) const DELEGATED_ADMIN_CUSTOMERS: &str = "/v1.0/tenantRelationships/delegatedAdminCustomers?$top=300";

pub(crate) fn parse_contracts(body: &[u8]) -> Result<Page> {
    parse_page(Source::Contracts, body, "value", contract, next)
}

pub(crate) fn parse_delegated_admin_customers(body: &[u8]) -> Result<Page> {
    parse_page(
        Source::DelegatedAdminCustomers,
        body,
        "value",
        delegated_admin_customer,
        next,
    )
}

/// A contract's own `id` is the directory object's; the customer's tenant is `customerId`.
fn contract(item: &Value) -> Option<Row> {
    Some(Row {
        tenant_id: guid(&text(item, "customerId")?)?,
        display_name: text(item, "displayName"),
        domain: text(item, "defaultDomainName").map(|domain| domain.to_ascii_lowercase()),
        relationship: text(item, "contractType"),
    })
}

fn delegated_admin_customer(item: &Value) -> Option<Row> {
    let tenant_id = text(item, "tenantId")
        .and_then(|id| guid(&id))
        .or_else(|| guid(&text(item, "id")?))?;
    Some(Row {
        tenant_id,
        display_name: text(item, "displayName"),
        domain: None,
        relationship: None,
    })
}

fn next(tree: &Value) -> Option<Next> {
    Some(Next {
        link: text(tree, "@odata.nextLink")?,
        continuation: None,
    })
}
