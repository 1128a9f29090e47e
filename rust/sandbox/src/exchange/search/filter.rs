//! Which records a search is after.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::estate::Tenant;
use crate::feed::events::{Event, Texts};
use crate::world::World;

use super::super::parameters::Parameters;

/// Number and name of the record types.
const RECORD_TYPES: &str = include_str!("../../../../core/data/record-types.csv");

#[derive(Default)]
pub(super) struct Filter {
    record_type: Option<String>,
    operations: Vec<String>,
    user_ids: Vec<String>,
    addresses: Vec<String>,
    object_ids: Vec<String>,
    site_ids: Vec<String>,
    free_text: Option<String>,
}

impl Filter {
    pub(super) fn read(parameters: &Parameters) -> Self {
        let lower = |texts: Vec<String>| texts.into_iter().map(|text| text.to_lowercase()).collect();
        Filter {
            record_type: parameters
                .text("RecordType")
                .map(str::to_lowercase)
                .filter(|text| !text.is_empty()),
            operations: lower(parameters.texts("Operations")),
            user_ids: lower(parameters.texts("UserIds")),
            addresses: lower(parameters.texts("IPAddresses")),
            object_ids: lower(parameters.texts("ObjectIds")),
            site_ids: lower(parameters.texts("SiteIds")),
            free_text: parameters
                .text("FreeText")
                .map(str::to_lowercase)
                .filter(|text| !text.is_empty()),
        }
    }

    /// Leaves the events that meet it.
    pub(super) fn keep(&self, world: &World, tenant: &Tenant, events: &mut Vec<Event>) {
        if self.takes_all() {
            return;
        }
        let texts = Texts::new(world, tenant);
        events.retain(|event| self.meets(&String::from_utf8_lossy(&texts.json(event))));
    }

    fn takes_all(&self) -> bool {
        let lists = [
            &self.operations,
            &self.user_ids,
            &self.addresses,
            &self.object_ids,
            &self.site_ids,
        ];
        self.record_type.is_none() && self.free_text.is_none() && lists.iter().all(|list| list.is_empty())
    }

    pub(super) fn meets(&self, text: &str) -> bool {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let field = |name: &str| record[name].as_str().unwrap_or_default().to_lowercase();
        let one_of = |wanted: &[String], values: &[String]| {
            wanted.is_empty()
                || values
                    .iter()
                    .any(|value| wanted.iter().any(|wanted| matches(wanted, value)))
        };
        let address = [field("ClientIP"), field("ClientIPAddress"), field("ActorIpAddress")];
        let addresses: Vec<String> = address.iter().map(|address| host(address).to_owned()).collect();
        self.record_type.as_deref().is_none_or(|wanted| {
            // Names are taken by their beginning: a wrong one finds nothing and is no error.
            let kind = record["RecordType"].as_u64().unwrap_or_default();
            wanted == kind.to_string() || record_type_name(kind).to_lowercase().starts_with(wanted)
        }) && one_of(
            &self.operations,
            &[field("Operation").trim_end().to_owned(), field("Operation")],
        ) && one_of(&self.user_ids, &[field("UserId"), field("UserKey")])
            && one_of(&self.addresses, &addresses)
            && one_of(&self.object_ids, &[field("ObjectId")])
            && one_of(&self.site_ids, &[field("Site")])
            && self
                .free_text
                .as_deref()
                .is_none_or(|wanted| text.to_lowercase().contains(wanted))
    }
}

/// A value, or one that ends in `*`.
fn matches(wanted: &str, value: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => value.starts_with(beginning),
        None => wanted == value,
    }
}

/// An address without brackets and port.
fn host(address: &str) -> &str {
    if let Some(rest) = address.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match address.matches(':').count() {
        1 => address.split(':').next().unwrap_or_default(),
        _ => address,
    }
}

/// The name of a record type; its number where it has none here.
pub(crate) fn record_type_name(kind: u64) -> String {
    static NAMES: OnceLock<HashMap<u64, &'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let pair = |line: &'static str| {
            let mut columns = line.split(',');
            Some((columns.next()?.parse().ok()?, columns.next()?))
        };
        RECORD_TYPES.lines().filter_map(pair).collect()
    });
    names
        .get(&kind)
        .map_or_else(|| kind.to_string(), |name| (*name).to_owned())
}
