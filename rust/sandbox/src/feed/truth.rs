//! What a perfect client finds in the feed: `/sandbox/truth`.

use serde_json::{json, Map, Value};

use crate::estate::Tenant;
use crate::world::World;

use super::events::{self, Texts};
use super::plan::ContentType;

/// Distinct records per tenant and content type.
pub(crate) fn summary(world: &World) -> Value {
    let tenants: Vec<Value> = world
        .estate
        .customers
        .iter()
        .map(|tenant| {
            let types: Map<String, Value> = world
                .feed
                .plans(world, tenant)
                .iter()
                .filter(|plan| plan.content != ContentType::Dlp)
                .map(|plan| (plan.content.name().to_owned(), plan.records.into()))
                .collect();
            json!({
                "tenantId": tenant.id, "displayName": tenant.display_name, "records": tenant.records,
                "contentTypes": types,
            })
        })
        .collect();
    let records: u64 = world.estate.customers.iter().map(|tenant| tenant.records).sum();
    json!({"tenants": tenants, "records": records})
}

/// The keys of a tenant's records, each once, sorted: those in blobs that were created in `[start, end)`.
pub(crate) fn keys(
    world: &World,
    tenant: &Tenant,
    content_types: &[ContentType],
    start_ms: Option<i64>,
    end_ms: Option<i64>,
) -> Vec<String> {
    let mut keys = Vec::new();
    for plan in world.feed.plans(world, tenant) {
        if !content_types.is_empty() && !content_types.contains(&plan.content) {
            continue;
        }
        let writer = world.feed.writer(&plan, tenant);
        let whole = start_ms.is_none() && end_ms.is_none();
        if whole {
            keys.extend((0..plan.records).map(|record| writer.key(record)));
        } else {
            for blob in plan.created_in(start_ms.unwrap_or(i64::MIN), end_ms.unwrap_or(i64::MAX)) {
                keys.extend(plan.entries(blob).into_iter().map(|entry| writer.key(entry.record)));
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The keys of a tenant's records whose events happened in `[start, end)`, in seconds since 1970, each once, sorted.
pub(crate) fn events(world: &World, tenant: &Tenant, start: i64, end: i64) -> Vec<String> {
    let texts = Texts::new(world, tenant);
    let events = events::between(world, tenant, start, end);
    let mut keys: Vec<String> = events.iter().map(|event| texts.key(event)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Reads a comma-separated list of content types.
pub(crate) fn content_types(text: &str) -> Result<Vec<ContentType>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| ContentType::find(name).ok_or_else(|| format!("there is no content type '{name}'")))
        .collect()
}
