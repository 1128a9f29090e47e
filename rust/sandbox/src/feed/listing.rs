//! `subscriptions/content`: which blobs there are in a window of arrival times.

use http::HeaderName;
use serde_json::{json, Value};

use crate::clock::{iso_millis, iso_seconds, parse_utc_ms};
use crate::estate::Tenant;
use crate::random::Random;
use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::error::FeedError;
use super::plan::{ContentType, Plan};

const DAY_MS: i64 = 86_400_000;

/// Lists what was created since `reaches_back_to`: a new subscription does not hold all that the feed has.
pub(super) fn serve(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    content: ContentType,
    reaches_back_to: i64,
) -> Result<Reply, FeedError> {
    let now_ms = world.clock.now_ms();
    let (start, end) = window(call, now_ms)?;
    let plan = world.feed.plan(world, tenant, content);
    let options = world.feed.options();
    let blobs = in_order(
        &plan,
        start.max(reaches_back_to),
        // An end in the future is accepted; what is not there yet is not listed.
        end.min(now_ms + 1),
        options.relisted,
    );
    let check = Random::at(plan.key, "page", (start ^ end.rotate_left(20)) as u64).below(1_000_000);
    let from = match call.parameter("nextPage") {
        None => 0,
        Some(text) => read_page(&text, check)
            .filter(|from| *from < blobs.len())
            .ok_or_else(|| FeedError::new("AF20031", format!("Invalid nextPage Input: {text}.")))?,
    };
    let until = blobs.len().min(from + options.page_size);
    let base = format!("{}/api/v1.0/{}/activity/feed/audit/", world.endpoints.manage, tenant.id);
    let items: Vec<Value> = blobs[from..until]
        .iter()
        .map(|&blob| {
            let id = plan.content_id(blob);
            json!({
                "contentUri": format!("{base}{id}"),
                "contentId": id,
                "contentType": content.name(),
                "contentCreated": iso_millis(plan.created(blob)),
                "contentExpiration": plan.expiration(blob, options.expiration_days).1,
            })
        })
        .collect();
    let mut reply = super::blob::compressed(world, call, reply::json(200, &items));
    if until < blobs.len() {
        // As the reference shows it: '/api/v1/' where the request had '/api/v1.0/'.
        let next = format!(
            "{}/api/v1/{}/activity/feed/subscriptions/content?contentType={}&startTime={}&endTime={}&nextPage={}",
            world.endpoints.manage,
            tenant.id,
            content.name(),
            iso_millis(start).trim_end_matches('Z').trim_end_matches(".000"),
            iso_millis(end).trim_end_matches('Z').trim_end_matches(".000"),
            write_page(start, check, until),
        );
        reply::set(&mut reply, HeaderName::from_static("nextpageuri"), &next);
    }
    Ok(reply)
}

/// The window asked for, half-open, in milliseconds since 1970. Without one: the last 24 hours.
fn window(call: &Call, now_ms: i64) -> Result<(i64, i64), FeedError> {
    let read = |name: &str| match call.parameter(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => parse_utc_ms(&text).map(Some).ok_or_else(|| {
            FeedError::new(
                "AF20002",
                format!("Invalid parameter type: {name}. Expected type: DateTime"),
            )
        }),
    };
    let rule = || {
        FeedError::new(
            "AF20030",
            "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours \
             apart, with the start time prior to end time and start time no more than 7 days in the past.",
        )
    };
    match (read("startTime")?, read("endTime")?) {
        (None, None) => Ok((now_ms - DAY_MS, now_ms)),
        (Some(start), Some(end)) if start < end && end - start <= DAY_MS && start >= now_ms - 7 * DAY_MS => {
            Ok((start, end))
        }
        _ => Err(rule()),
    }
}

/// The blobs of a window in the order they are listed: roughly by time, and a few of them twice.
fn in_order(plan: &Plan, start: i64, end: i64, relisted: f64) -> Vec<u64> {
    let mut keyed: Vec<(i64, u64, u64)> = Vec::new();
    for blob in plan.created_in(start, end) {
        let mut random = Random::at(plan.key, "listed", blob);
        let hour = plan.created(blob).div_euclid(3_600_000);
        keyed.push((hour, random.next(), blob));
        if random.chance(relisted) {
            keyed.push((hour + 1 + random.below(6) as i64, random.next(), blob));
        }
    }
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, blob)| blob).collect()
}

/// The opaque text that leads to a page: `2015101900R` and twelve digits, as the reference shows it.
fn write_page(start: i64, check: u64, from: usize) -> String {
    let hour: String = iso_seconds(start.div_euclid(1000))
        .chars()
        .filter(char::is_ascii_digit)
        .take(10)
        .collect();
    format!("{hour}R{check:06}{from:06}")
}

fn read_page(text: &str, check: u64) -> Option<usize> {
    let (hour, digits) = text.split_once('R')?;
    let (own, from) = (digits.get(..6)?, digits.get(6..)?);
    (hour.len() == 10 && own.parse() == Ok(check)).then(|| from.parse().ok())?
}
