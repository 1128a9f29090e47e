//! Listings and blobs.

use super::super::{Delivery, Part, Window};
use super::answer;
use super::client::Feed;
use super::{subscription, window};
use crate::error::{Error, Kind, Result};
use crate::export::split::Fields;
use crate::export::time;
use crate::http::{Reply, RequestSpec};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use url::Url;

/// How often a listing waits for a subscription that has just begun, or begins again after a bad page link.
const LIST_REPEATS: u32 = 4;
/// How often a page is asked for that does not come whole.
const PAGE_REPEATS: u32 = 3;
/// Pages of one listing; more would be a service that never ends its chain.
const MOST_PAGES: u32 = 100_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    content_id: String,
    content_uri: String,
    content_created: String,
}

/// Lists one window of at most 24 hours, in whole seconds. Gives the part of it that the feed does not keep any more.
pub(super) async fn list(
    feed: &Feed,
    content_type: &str,
    asked: Window,
    found: &mpsc::Sender<Part>,
) -> Result<Option<Window>> {
    if asked.end <= window::earliest(feed.now_ms()) {
        return Ok(Some(asked));
    }
    let mut window = asked;
    let mut wait = feed.first_wait();
    let mut restarted = false;
    let mut error = None;
    for _ in 0..=LIST_REPEATS {
        if window.start >= window.end {
            break;
        }
        match pages(feed, content_type, window, found).await? {
            Ended::Whole => {
                error = None;
                break;
            }
            Ended::TooOld(refused) => {
                // Other tenants took their time, and meanwhile the window's start has left the seven days.
                let earliest = window::earliest(feed.now_ms());
                if window.start >= earliest {
                    return Err(refused);
                }
                window.start = earliest;
                error = Some(refused);
                continue;
            }
            Ended::NotSubscribed(refused) => {
                // Once: a subscription that ends again was ended by somebody.
                let disabled = code_of(&refused) == "AF20023";
                if restarted && disabled {
                    return Err(refused);
                }
                restarted = true;
                error = Some(refused);
                subscription::restart(feed, content_type, disabled).await?;
            }
            Ended::BadLink(refused) => error = Some(refused),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    let lost = Window {
        start: asked.start,
        end: window.start.min(asked.end),
    };
    match error {
        Some(error) if window.start < window.end => Err(error),
        _ => Ok((lost.end > lost.start).then_some(lost)),
    }
}

enum Ended {
    Whole,
    NotSubscribed(Error),
    /// The window has to be listed from its start.
    BadLink(Error),
    /// The window begins before what is kept, or the two clocks differ.
    TooOld(Error),
}

async fn pages(feed: &Feed, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Ended> {
    let start = seconds(window.start.div_euclid(1000))?;
    let end = seconds(window.end.div_euclid(1000))?;
    let query = [
        ("contentType", content_type),
        ("startTime", start.as_str()),
        ("endTime", end.as_str()),
    ];
    let content_type: Arc<str> = Arc::from(content_type);
    let mut url = feed.address("subscriptions/content", &query)?;
    let mut listed = HashSet::new();
    for _ in 0..MOST_PAGES {
        let (reply, items) = page(feed, &url).await?;
        if !reply.is_success() {
            return match answer::code(reply.bytes()).as_deref() {
                Some("AF20022" | "AF20023") => Ok(Ended::NotSubscribed(feed.refused(&reply, "list the content"))),
                Some("AF20031") => Ok(Ended::BadLink(feed.refused(&reply, "list the content"))),
                Some("AF20030" | "AF20055") => Ok(Ended::TooOld(feed.refused(&reply, "list the content"))),
                _ => Err(feed.refused(&reply, "list the content")),
            };
        }
        let next = next_page(feed, &reply)?;
        drop(reply);
        for item in items {
            if found.send(part(item, &content_type)?).await.is_err() {
                return Err(Error::cancelled());
            }
        }
        match next {
            None => return Ok(Ended::Whole),
            Some(next) => {
                listed.insert(std::mem::replace(&mut url, next));
                if listed.contains(&url) {
                    break;
                }
            }
        }
    }
    Err(Error::new(Kind::Protocol, "the feed's list of content does not end")
        .advise("Run the same export again later."))
}

/// One page. One whose end is missing, which only its JSON may tell, is asked for again.
async fn page(feed: &Feed, url: &Url) -> Result<(Reply, Vec<Item>)> {
    let mut wait = feed.first_wait();
    let mut repeats = PAGE_REPEATS;
    loop {
        let reply = feed.send(RequestSpec::get(url.as_str())?).await?;
        if !reply.is_success() {
            return Ok((reply, Vec::new()));
        }
        match reply.json() {
            Err(_) if repeats > 0 => {}
            items => return items.map(|items| (reply, items)),
        }
        drop(reply);
        tokio::time::sleep(wait).await;
        wait *= 2;
        repeats -= 1;
    }
}

fn part(item: Item, asked: &Arc<str>) -> Result<Part> {
    let created = time::millis(&item.content_created).ok_or_else(|| {
        Error::new(
            Kind::Protocol,
            "the feed lists content without a readable contentCreated",
        )
        .advise("Report this with the name of the command: the service has changed its format.")
    })?;
    Ok(Part {
        id: Arc::from(item.content_id),
        content_type: Arc::clone(asked),
        address: item.content_uri,
        created,
        fields: Fields::AUDIT_LOG,
    })
}

/// The reference calls the header `NextPageUri`; names of headers have no case.
fn next_page(feed: &Feed, reply: &Reply) -> Result<Option<Url>> {
    match reply.header("NextPageUri") {
        None | Some("") => Ok(None),
        Some(text) => feed.named_address(text).map(Some),
    }
}

/// Reads one blob, as it comes.
pub(super) async fn read(feed: &Feed, part: &Part, delivery: &mut Delivery) -> Result<()> {
    let url = feed.named_address(&part.address)?;
    let mut reply = feed.send(RequestSpec::get(url.as_str())?.streamed()).await?;
    if !reply.is_success() {
        return Err(feed.refused(&reply, "give the content"));
    }
    while let Some(chunk) = reply.chunk().await? {
        delivery.bytes(&chunk).await?;
    }
    Ok(())
}

fn seconds(seconds: i64) -> Result<String> {
    time::seconds_text(seconds).ok_or_else(|| Error::invalid("the time range has no date"))
}

fn code_of(error: &Error) -> &str {
    error.service().map_or("", |service| service.code.as_str())
}
