//! The same records by the time of their events: what searches select by, where the feed selects by arrival.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::estate::Tenant;
use crate::world::{lock, World};

use super::plan::{ContentType, Entry, Plan};

/// One record of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When it happened, in seconds since 1970.
    pub(crate) at: i64,
    /// When it was first published, in milliseconds since 1970.
    pub(crate) arrived_ms: i64,
    /// The number of its record type.
    pub(crate) kind: u32,
    content: ContentType,
    record: u64,
}

impl Event {
    /// Tells the events of one tenant apart.
    pub(crate) fn number(&self) -> u64 {
        (self.content as u64) << 56 | self.record
    }
}

/// Each tenant's events, oldest first; made when they are first asked for.
#[derive(Default)]
pub(crate) struct Events(Mutex<HashMap<String, Arc<Vec<Event>>>>);

impl Events {
    fn of(&self, world: &World, tenant: &Tenant) -> Arc<Vec<Event>> {
        if let Some(known) = lock(&self.0).get(&tenant.id) {
            return known.clone();
        }
        let mut events = Vec::new();
        for plan in world.feed.plans(world, tenant) {
            let writer = world.feed.writer(&plan, tenant);
            events.extend((0..plan.records).map(|record| {
                let (kind, event_ms, arrived_ms) = writer.outline(record);
                Event {
                    at: event_ms.div_euclid(1000),
                    arrived_ms,
                    kind,
                    content: plan.content,
                    record,
                }
            }));
        }
        events.sort_unstable_by_key(|event| (event.at, event.content, event.record));
        let events = Arc::new(events);
        lock(&self.0).insert(tenant.id.clone(), events.clone());
        events
    }
}

/// What has happened in `[start, end)`, in seconds since 1970, and has arrived.
pub(crate) fn between(world: &World, tenant: &Tenant, start: i64, end: i64) -> Vec<Event> {
    let events = world.feed.events.of(world, tenant);
    let first = events.partition_point(|event| event.at < start);
    let until = events.partition_point(|event| event.at < end);
    let now_ms = world.clock.now_ms();
    let there = |event: &&Event| event.arrived_ms <= now_ms;
    events
        .get(first..until)
        .unwrap_or_default()
        .iter()
        .filter(there)
        .copied()
        .collect()
}

/// Makes the text of one tenant's events.
pub(crate) struct Texts<'a> {
    world: &'a World,
    tenant: &'a Tenant,
    plans: [Plan; ContentType::ALL.len()],
}

impl<'a> Texts<'a> {
    pub(crate) fn new(world: &'a World, tenant: &'a Tenant) -> Self {
        Texts {
            world,
            tenant,
            plans: world.feed.plans(world, tenant),
        }
    }

    /// The record's JSON, the same bytes that the feed delivers first.
    pub(crate) fn json(&self, event: &Event) -> Vec<u8> {
        let mut text = Vec::with_capacity(1500);
        self.with(event, |writer| {
            let entry = Entry {
                record: event.record,
                again: false,
            };
            writer.write(entry, &mut text);
        });
        text
    }

    /// What a client knows the record by.
    pub(crate) fn key(&self, event: &Event) -> String {
        self.with(event, |writer| writer.key(event.record))
    }

    fn with<T>(&self, event: &Event, work: impl FnOnce(super::Writer<'_>) -> T) -> T {
        let at = ContentType::ALL.iter().position(|known| *known == event.content);
        let plan = &self.plans[at.unwrap_or_default()];
        work(self.world.feed.writer(plan, self.tenant))
    }
}
