//! Collections that come page by page, each page a list inside an object with a link to the next.

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::export::envelope::{Around, Envelope};
use crate::http::{authorized, Reply, RequestSpec};
use crate::token::TokenRequest;
use std::time::Duration;
use url::Url;

/// Pages of one collection; more would be a service that never ends its chain.
pub(crate) const MOST_PAGES: u32 = 100_000;
/// The largest item, in bytes.
const LARGEST_ITEM: usize = 32 << 20;
/// How often a page is asked for again that did not come whole.
const REPEATS: u32 = 3;

/// What is asked, and how its refusals are explained.
pub(crate) trait Collection {
    fn engine(&self) -> &Engine;
    fn token(&self) -> &TokenRequest;
    /// For errors: "the list of sign-ins".
    fn name(&self) -> String;
    /// The request for a page, the first being 0.
    fn request(&self, url: &Url, page: u32) -> Result<RequestSpec>;
    fn refused(&self, reply: &Reply) -> Error;
    /// True where asking for this page a second time gives the same page.
    fn is_repeatable(&self, page: u32) -> bool;
    /// True where an answer without a list is one with nothing in it.
    fn may_have_no_list(&self) -> bool {
        false
    }
}

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Each item as its JSON.
    pub(crate) items: Vec<Vec<u8>>,
    pub(crate) warnings: Vec<String>,
    /// Errors that Exchange Online's cmdlets have gone on after.
    pub(crate) errors: Vec<String>,
    /// What one of its cmdlets asks, which has done nothing.
    pub(crate) question: Option<String>,
}

/// A collection that is being read. A next link is followed only to the place where the first page is: the token that goes
/// with the request is not for anybody else.
pub(crate) struct Pages<C> {
    collection: C,
    home: Url,
    /// Where it goes on, or why it cannot.
    next: Option<Result<Url>>,
    page: u32,
}

impl<C: Collection> Pages<C> {
    pub(crate) fn new(collection: C, first: Url) -> Self {
        Pages {
            collection,
            home: first.clone(),
            next: Some(Ok(first)),
            page: 0,
        }
    }

    /// The next page; `None` after the last one. After an error there is none. A page whose link leads nowhere is given, and the
    /// error comes in place of the one after it.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>> {
        let Some(url) = self.next.take().transpose()? else {
            return Ok(None);
        };
        if self.page >= MOST_PAGES {
            return Err(self.astray("does not end"));
        }
        let mut wait = self.collection.engine().first_wait();
        let mut left = if self.collection.is_repeatable(self.page) {
            REPEATS
        } else {
            0
        };
        let (items, around) = loop {
            match self.read(&url).await {
                // Nothing but the page's own JSON may tell that it was cut short.
                Err(error) if left > 0 && (error.is_retryable() || error.kind() == Kind::Protocol) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(30));
                    left -= 1;
                }
                read => break read?,
            }
        };
        self.next = around.next.as_deref().map(|link| self.follow(&url, link));
        self.page += 1;
        Ok(Some(Page {
            items,
            errors: texts(around.errors),
            question: Some(texts(around.confirmation).join(" ")).filter(|text| !text.is_empty()),
            warnings: around.warnings,
        }))
    }

    async fn read(&self, url: &Url) -> Result<(Vec<Vec<u8>>, Around)> {
        let collection = &self.collection;
        let spec = collection.request(url, self.page)?.streamed();
        let mut reply = authorized(collection.engine(), collection.token(), spec).await?;
        if !reply.is_success() {
            return Err(collection.refused(&reply));
        }
        if reply.status() == 204 {
            return Ok((Vec::new(), Around::default()));
        }
        let mut envelope = Envelope::new(LARGEST_ITEM);
        let mut items = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            envelope.push(&chunk, &mut |item| {
                items.push(item.bytes.to_vec());
                Ok(())
            })?;
        }
        let around = match collection.may_have_no_list() {
            true => envelope.finish_with_or_without(),
            false => envelope.finish(),
        };
        around.map(|around| (items, around))
    }

    fn follow(&self, current: &Url, link: &str) -> Result<Url> {
        match follow(&self.home, current, link) {
            Ok(url) if url == *current && self.collection.is_repeatable(self.page + 1) => {
                Err(self.astray("names a page as its own next one"))
            }
            followed => followed.map_err(|what| self.astray(&what)),
        }
    }

    #[cold]
    fn astray(&self, what: &str) -> Error {
        astray(&self.collection.name(), what, self.collection.token())
    }
}

/// What somebody is to read, in a text or an object, or in a list of them.
fn texts(value: serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Null => Vec::new(),
        serde_json::Value::String(text) if text.trim().is_empty() => Vec::new(),
        serde_json::Value::String(text) => vec![text],
        serde_json::Value::Array(items) => items.into_iter().flat_map(texts).collect(),
        other => match ["message", "Message"].iter().find_map(|key| other[*key].as_str()) {
            Some(text) => vec![text.to_owned()],
            None => vec![other.to_string()],
        },
    }
}

/// The address that a next link names, where that is on the host of `home`; otherwise what is wrong with it. The token that
/// goes with the request is not for anybody else.
pub(crate) fn follow(home: &Url, current: &Url, link: &str) -> Result<Url, String> {
    let url = current
        .join(link)
        .map_err(|_| "gives a link that is no address".to_owned())?;
    if url.origin() == home.origin() && url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    let host = url.host_str().unwrap_or("no host");
    Err(format!("gives a link to another host, {host}; nothing was sent there"))
}

/// The error for a chain of pages that leads nowhere; `name` is what is read.
#[cold]
pub(crate) fn astray(name: &str, what: &str, token: &TokenRequest) -> Error {
    Error::new(Kind::Protocol, format!("{name} {what}"))
        .for_tenant(token.tenant().as_str())
        .advise("Try again; if it stays so, check the environment's hosts with Get-SecureAppEnvironment, and whether a proxy changes replies.")
        .permanent()
}
