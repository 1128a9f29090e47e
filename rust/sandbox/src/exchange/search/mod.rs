//! `Search-UnifiedAuditLog`.
//!
//! Sources: its reference page (5,000 rows a call, 50,000 a session, what the session commands do), and what its users have
//! found: rows in descending order of their index, rows that come again, pages that are empty or short before more comes,
//! warnings in place of rows, records that are cut short, what `ResultCount` has meant over time.

mod filter;
mod session;

pub(super) use session::Sessions;

use std::collections::HashSet;

use crate::estate::Tenant;
use crate::feed::events::{self, Event};
use crate::random::Random;
use crate::world::{lock, World};

use super::error::ExchangeError;
use super::page::{AuditRow, Row};
use super::parameters::Parameters;
use super::settings::{CutFor, ExchangeSettings, ResultCount};
use super::Output;
use filter::Filter;
use session::{Command, Found, Session};

const USUAL_SIZE: usize = 100;
const LARGEST_SIZE: usize = 5_000;

const NAMES: [&str; 18] = [
    "StartDate",
    "EndDate",
    "RecordType",
    "Operations",
    "UserIds",
    "IPAddresses",
    "ObjectIds",
    "SiteIds",
    "FreeText",
    "ResultSize",
    "SessionId",
    "SessionCommand",
    "Formatted",
    "HighCompleteness",
    "LegacyFlow",
    "LongerRetentionEnabled",
    "ParsedFreeText",
    "SearchName",
];

pub(super) fn run(world: &World, tenant: &Tenant, parameters: &Parameters) -> Result<Output, ExchangeError> {
    parameters.only(&NAMES)?;
    let (start, end) = (parameters.moment("StartDate")?, parameters.moment("EndDate")?);
    let size = parameters.number("ResultSize")?.unwrap_or(USUAL_SIZE);
    if size == 0 || size > LARGEST_SIZE {
        return Err(ExchangeError::thrown(
            "ParameterBindingValidationException",
            format!("Cannot validate argument on parameter 'ResultSize': {size} is not between 1 and {LARGEST_SIZE}."),
        ));
    }
    let command = Command::read(parameters.text("SessionCommand"))?;
    let settings = world.exchange.settings();
    if start > end {
        let text = "The start date has to be before the end date.";
        return Err(ExchangeError::thrown("ArgumentException", text));
    }
    let mut random = world.random();
    let fails = settings
        .failing
        .is_some_and(|(from, until)| start < until && from < end);
    if fails || random.chance(settings.cancelled) {
        let warning = if random.chance(0.5) {
            "A task was canceled."
        } else {
            "An error occurred while processing your request: failed to process request. Try again."
        };
        return Ok(Output {
            warnings: vec![warning.to_owned()],
            ..Output::default()
        });
    }
    let filter = Filter::read(parameters);
    // Nobody records anything where auditing is off, and the search does not say so.
    let search = || match tenant.health().auditing {
        true => found(world, tenant, &settings, &filter, (start, end), command),
        false => Found::default(),
    };
    let id = parameters.text("SessionId").filter(|id| !id.is_empty());
    let Some(id) = id else {
        let rows = Session::new(command, search()).next(size, &mut random, &settings);
        return Ok(output(world, tenant, rows, size, &settings));
    };
    let key = format!("{}/{id}", tenant.id);
    let mut sessions = lock(&world.exchange.sessions);
    let session = sessions.open(&key, command, search);
    if session.hesitates(&mut random, &settings) {
        return Ok(Output::default());
    }
    let rows = session.next(size, &mut random, &settings);
    Ok(output(world, tenant, rows, size, &settings))
}

/// What a search finds, each as often as it is given.
fn found(
    world: &World,
    tenant: &Tenant,
    settings: &ExchangeSettings,
    filter: &Filter,
    (start, end): (i64, i64),
    command: Command,
) -> Found {
    let mut events = events::between(world, tenant, start, end);
    filter.keep(world, tenant, &mut events);
    match command {
        Command::LargeSet => scatter(&mut events),
        Command::Preview if settings.unsorted => scatter(&mut events),
        // The newest first.
        Command::Preview => events.reverse(),
    }
    let most = command.limit(settings);
    let mut rows: Vec<Event> = Vec::with_capacity(events.len().min(most));
    let mut total = 0;
    for event in events {
        let times = times(settings, &event);
        total += times;
        rows.extend(std::iter::repeat_n(event, times.min(most - rows.len())));
    }
    Found { rows, total }
}

/// How often a record is given: once, a few times, or 59 times.
fn times(settings: &ExchangeSettings, event: &Event) -> usize {
    if settings.repeats == 0.0 {
        return 1;
    }
    let mut random = Random::at(event.at as u64, "repeats", event.number());
    match random.chance(settings.repeats) {
        false => 1,
        true if random.chance(0.02) => 59,
        true => 2 + random.below(5) as usize,
    }
}

/// An order that has nothing to do with time, the same each time.
fn scatter(events: &mut [Event]) {
    let mut random = Random::at(events.len() as u64, "scatter", 0);
    for at in (1..events.len()).rev() {
        events.swap(at, random.below(at as u64 + 1) as usize);
    }
}

/// Whether a record comes cut short this time.
fn is_cut(settings: &ExchangeSettings, event: &Event, before: &mut HashSet<(String, u64)>, tenant: &Tenant) -> bool {
    let is_one = settings.cut > 0.0 && Random::at(event.at as u64, "cut", event.number()).chance(settings.cut);
    is_one && (settings.cut_for == CutFor::Always || before.insert((tenant.id.clone(), event.number())))
}

fn output(world: &World, tenant: &Tenant, rows: session::Rows, size: usize, settings: &ExchangeSettings) -> Output {
    let count = match settings.result_count {
        ResultCount::Total => rows.total as f64,
        ResultCount::ResultSize | ResultCount::ResultSizeAlone => size as f64,
        ResultCount::Zero => 0.0,
        ResultCount::Fraction => 3.5,
    };
    let metadata = (settings.result_count == ResultCount::ResultSize).then_some((settings.metadata, rows.more));
    let mut cut_before = lock(&world.exchange.cut_before);
    let row = |(index, event): (usize, Event)| {
        Row::Audit(AuditRow {
            event,
            index,
            count,
            metadata,
            is_cut: is_cut(settings, &event, &mut cut_before, tenant),
        })
    };
    Output {
        // Rows come in descending order of their index.
        rows: rows.rows.into_iter().rev().map(row).collect(),
        ..Output::default()
    }
}
