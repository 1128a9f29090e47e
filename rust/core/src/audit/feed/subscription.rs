//! Content comes only to who has subscribed to it.

use super::super::Notice;
use super::answer;
use super::client::Feed;
use crate::error::{Error, Result};
use crate::http::RequestSpec;
use serde::Deserialize;
use std::collections::BTreeSet;
use tokio::sync::Mutex;

/// A subscription as the service lists it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    pub(crate) content_type: String,
    /// `enabled` or `disabled`; empty where there is none.
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) webhook: Option<Webhook>,
}

/// Where the service announces new content, beside listing it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Webhook {
    #[serde(default)]
    pub(crate) address: Option<String>,
    #[serde(default)]
    pub(crate) status: Option<String>,
    /// Empty where it does not expire.
    #[serde(default)]
    pub(crate) expiration: Option<String>,
}

impl Subscription {
    pub(crate) fn is_enabled(&self) -> bool {
        self.status.eq_ignore_ascii_case("enabled")
    }
}

/// The tenant's subscriptions, those of which the service knows.
pub(crate) async fn list(feed: &Feed) -> Result<Vec<Subscription>> {
    let url = feed.address("subscriptions/list", &[])?;
    let reply = feed.send(RequestSpec::get(url.as_str())?).await?;
    if !reply.is_success() {
        return Err(feed.refused(&reply, "list the subscriptions"));
    }
    reply.json()
}

/// Starts one subscription, without a webhook, for who keeps no account of when. One that is there already is as good.
pub(crate) async fn enable(feed: &Feed, content_type: &str) -> Result<()> {
    post(feed, content_type).await?.map_or(Ok(()), Err)
}

/// Stops one subscription. One that is not there is as good.
pub(crate) async fn disable(feed: &Feed, content_type: &str) -> Result<()> {
    let url = feed.address("subscriptions/stop", &[("contentType", content_type)])?;
    let reply = feed.send(RequestSpec::post(url.as_str())?.repeatable(true)).await?;
    if reply.is_success() || matches!(answer::code(reply.bytes()).as_deref(), Some("AF20022" | "AF20023")) {
        return Ok(());
    }
    Err(feed.refused(&reply, "stop the subscription"))
}

/// Starts the subscriptions that are missing or disabled.
pub(super) async fn ensure(feed: &Feed, content_types: &[String]) -> Result<Vec<Notice>> {
    let subscriptions = list(feed).await?;
    let mut notices = Vec::new();
    for content_type in content_types {
        let known = subscriptions
            .iter()
            .find(|subscription| subscription.content_type.eq_ignore_ascii_case(content_type));
        if known.is_some_and(Subscription::is_enabled) {
            feed.since().confirm(content_type).await?;
        } else {
            start(feed, content_type, known.is_some()).await?;
            notices.push(Notice::Fresh {
                content_type: content_type.clone(),
            });
        }
    }
    Ok(notices)
}

/// Which subscriptions a run has found disabled, and started again. Several listings find it at the same time; it is one piece of news, and
/// the service wants a quarter of an hour between two starts.
/// Locked while one is started.
#[derive(Debug, Default)]
pub(super) struct Restarts(Mutex<BTreeSet<String>>);

/// Starts again what a listing was refused for. One that this run has started may need a moment to begin; any other was
/// there before, so what was published since it ended is lost.
pub(super) async fn restart(feed: &Feed, content_type: &str, disabled: bool) -> Result<()> {
    let mut restarted = feed.restarts().0.lock().await;
    let is_news = match disabled {
        true => restarted.insert(content_type.to_owned()),
        false => !feed.since().is_fresh(content_type),
    };
    match (is_news, disabled) {
        (true, _) => start(feed, content_type, true).await,
        // Another listing of it has started it.
        (false, true) => Ok(()),
        (false, false) => post(feed, content_type).await?.map_or(Ok(()), Err),
    }
}

/// Starts one subscription and writes down when. `again` says that there was one before.
async fn start(feed: &Feed, content_type: &str, again: bool) -> Result<()> {
    let before = feed.since().begin(content_type, feed.now_ms(), again).await?;
    match post(feed, content_type).await? {
        None => feed.since().confirm(content_type).await,
        Some(refused) => {
            feed.since().take_back(content_type, before).await?;
            Err(refused)
        }
    }
}

/// Gives the service's refusal, if it refuses. AF20024, which the reference does not have, says that the subscription is
/// there already; a moment before it was not, so an earlier attempt at this request was answered into the void.
async fn post(feed: &Feed, content_type: &str) -> Result<Option<Error>> {
    let url = feed.address("subscriptions/start", &[("contentType", content_type)])?;
    let reply = feed.send(RequestSpec::post(url.as_str())?.repeatable(true)).await?;
    if reply.is_success() || answer::code(reply.bytes()).as_deref() == Some("AF20024") {
        return Ok(None);
    }
    Ok(Some(feed.refused(&reply, "start the subscription")))
}
