//! Which records a search is after.

use serde_json::Value;

use crate::estate::Tenant;
use crate::feed::events::{Event, Texts};
use crate::record_types;
use crate::world::World;

use super::super::parameters::Parameters;

#[derive(Default)]
pub(super) struct Filter {
    record_type: Option<String>,
    /// There is a record type of just that name.
    is_type: bool,
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
        let record_type = parameters
            .text("RecordType")
            .map(str::to_lowercase)
            .filter(|text| !text.is_empty());
        Filter {
            is_type: record_type.as_deref().is_some_and(record_types::is_name),
            record_type,
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
        events.retain(|event| self.takes(event.kind) && self.meets(&String::from_utf8_lossy(&texts.json(event))));
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

    /// A name that is none is taken for the beginning of one: a wrong one finds nothing and is no error.
    fn takes(&self, kind: u32) -> bool {
        self.record_type.as_deref().is_none_or(|wanted| {
            let name = record_types::name(kind.into()).to_lowercase();
            match self.is_type {
                true => name == wanted,
                false => wanted == kind.to_string() || name.starts_with(wanted),
            }
        })
    }

    fn meets(&self, text: &str) -> bool {
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
        one_of(
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
