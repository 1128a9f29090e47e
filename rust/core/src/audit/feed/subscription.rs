//! Content comes only to who has subscribed to it.

use super::super::Notice;
use super::answer;
use super::client::Feed;
use crate::error::Result;
use crate::http::RequestSpec;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    content_type: String,
    #[serde(default)]
    status: String,
}

/// Starts the subscriptions that are missing or disabled.
pub(super) async fn ensure(feed: &Feed, content_types: &[String]) -> Result<Vec<Notice>> {
    let url = feed.address("subscriptions/list", &[])?;
    let reply = feed.send(RequestSpec::get(url.as_str())?).await?;
    if !reply.is_success() {
        return Err(feed.refused(&reply, "list the subscriptions"));
    }
    let subscriptions: Vec<Subscription> = reply.json()?;
    let mut notices = Vec::new();
    for content_type in content_types {
        let enabled = subscriptions.iter().any(|subscription| {
            subscription.content_type.eq_ignore_ascii_case(content_type)
                && subscription.status.eq_ignore_ascii_case("enabled")
        });
        if !enabled {
            start(feed, content_type).await?;
            notices.push(Notice::Fresh {
                content_type: content_type.clone(),
            });
        }
    }
    Ok(notices)
}

/// Starts one subscription. AF20024, which the reference does not have, says that it was there already.
pub(super) async fn start(feed: &Feed, content_type: &str) -> Result<()> {
    let url = feed.address("subscriptions/start", &[("contentType", content_type)])?;
    let reply = feed.send(RequestSpec::post(url.as_str())?.repeatable(true)).await?;
    if reply.is_success() || answer::code(reply.bytes()).as_deref() == Some("AF20024") {
        return Ok(());
    }
    Err(feed.refused(&reply, "start the subscription"))
}
