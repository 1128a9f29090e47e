//! One question to one tenant, or a collection read to its end.

use super::Headers;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::http::{authorized, random_id, Budget, Reply, RequestSpec, Retry};
use crate::json;
use crate::odata::{astray, follow, MOST_PAGES};
use crate::token::TokenRequest;
use crate::value::Value;
use bytes::Bytes;
use reqwest::header::{HeaderName, CONTENT_TYPE};
use reqwest::Method;
use url::Url;

/// The largest answer, in bytes after decompression: what a page of the largest collections does not come near.
const LARGEST_ANSWER: usize = 64 << 20;
const JSON: &str = "application/json";

/// What is asked, the same of each tenant.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Bytes>,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A success without a body.
    Nothing,
    /// JSON, text, or bytes where it is neither.
    Content(Value),
}

impl Ask {
    /// `uri` has been checked. A body is JSON unless its header says something else.
    pub(super) fn spec(&self, url: &Url, token: &TokenRequest) -> Result<RequestSpec> {
        let mut spec = RequestSpec::of_user(self.method.clone(), url)?
            .limit(LARGEST_ANSWER)
            .retry(Retry::PATIENT)
            .budget(token.budget().cloned().map(Budget::free_of_throttling));
        if let Some(body) = &self.body {
            spec = spec.content(body.clone());
            if !self.headers.has(CONTENT_TYPE.as_str()) {
                spec = spec.header(CONTENT_TYPE, JSON)?;
            }
        }
        let id = HeaderName::from_static("client-request-id");
        if !self.headers.has(id.as_str()) {
            spec = spec.header(id, &random_id()?)?;
        }
        self.headers.on(spec)
    }

    /// The request for a person: without the query, which may hold what is nobody's business.
    fn title(&self, url: &Url) -> String {
        format!("{} {}", self.method, url.path())
    }
}

/// A question under way.
pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) token: &'a TokenRequest,
    pub(crate) ask: &'a Ask,
}

impl Call<'_> {
    /// Asks once.
    pub(crate) async fn answer(&self, url: &Url) -> Result<Answer> {
        let reply = self.send(url).await?;
        let whole = reply.bytes();
        if whole.is_empty() {
            return Ok(Answer::Nothing);
        }
        let kind = reply
            .header(CONTENT_TYPE.as_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let text = std::str::from_utf8(whole);
        Ok(Answer::Content(match text {
            Ok(text) if kind.contains("json") => json::parse(text).map_err(|error| self.unreadable(url, &error))?,
            Ok(text) if kind.is_empty() => json::parse(text).unwrap_or_else(|_| Value::Text(text.to_owned())),
            Ok(text) if is_text(&kind) => Value::Text(text.to_owned()),
            Err(_) if kind.contains("json") => return Err(self.unreadable(url, &Error::invalid("it is not UTF-8"))),
            _ => Value::Bytes(whole.to_vec()),
        }))
    }

    /// Reads a collection page by page and gives `each` its items as they come; an answer that is no collection is one item. A
    /// next link is followed on the first page's host only.
    pub(crate) async fn all<F>(&self, first: Url, mut each: impl FnMut(Value) -> F) -> Result<()>
    where
        F: std::future::Future<Output = Result<()>>,
    {
        let (home, mut url) = (first.clone(), first);
        for _ in 0..MOST_PAGES {
            let body = match self.answer(&url).await? {
                Answer::Nothing => return Ok(()),
                Answer::Content(body) => body,
            };
            let (items, next) = page(body);
            for item in items {
                each(item).await?;
            }
            let Some(link) = next else { return Ok(()) };
            let following = follow(&home, &url, &link).map_err(|what| self.astray(&home, &what))?;
            if following == url {
                return Err(self.astray(&home, "names a page as its own next one"));
            }
            url = following;
        }
        Err(self.astray(&home, "does not end"))
    }

    async fn send(&self, url: &Url) -> Result<Reply> {
        let spec = self.ask.spec(url, self.token)?;
        let sent = authorized(self.engine, self.token, spec).await;
        let reply = sent.map_err(|error| self.doubtful(error))?;
        if reply.is_success() {
            return Ok(reply);
        }
        let action = format!("accept {}", self.ask.title(url));
        Err(self.doubtful(reply.error(&action)))
    }

    /// A change whose answer did not come, or was a failure inside the service, may have been made.
    fn doubtful(&self, error: Error) -> Error {
        let unknown = matches!(
            error.kind(),
            Kind::Network | Kind::Timeout | Kind::Server | Kind::Protocol
        );
        if self.ask.method.is_safe() || !unknown {
            return error;
        }
        let advice = format!(
            "It was not sent again, because the service may have carried it out: look before you repeat it. {}",
            error.advice()
        );
        error.advise(advice)
    }

    #[cold]
    fn unreadable(&self, url: &Url, cause: &Error) -> Error {
        let message = format!(
            "the answer to {} cannot be read: {}",
            self.ask.title(url),
            cause.message()
        );
        Error::new(Kind::Protocol, message)
            .advise("Try again; if it stays so, check the host with Get-SecureAppEnvironment and any proxy in between.")
    }

    #[cold]
    fn astray(&self, home: &Url, what: &str) -> Error {
        astray(&format!("the answer to {}", self.ask.title(home)), what, self.token)
    }
}

/// The items of a page and the link to the next one.
fn page(body: Value) -> (Vec<Value>, Option<String>) {
    let link = body.get("@odata.nextLink").and_then(Value::as_text).map(str::to_owned);
    let is_collection = matches!(body.get("value"), Some(Value::List(_)));
    let Value::Map(entries) = body else {
        // Some APIs give a bare array.
        return match body {
            Value::List(items) => (items, None),
            other => (vec![other], None),
        };
    };
    if !is_collection {
        return (vec![Value::Map(entries)], None);
    }
    let list = entries.into_iter().find_map(|(key, value)| match value {
        Value::List(items) if key == "value" => Some(items),
        _ => None,
    });
    (list.unwrap_or_default(), link)
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind.contains("xml") || kind.contains("csv") || kind.contains("javascript")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (usize, Option<String>) {
        let (items, next) = page(json::parse(text).unwrap());
        (items.len(), next)
    }

    #[test]
    fn a_page_is_its_list_and_anything_else_one_item() {
        let link = || Some("https://h/2".to_owned());
        assert_eq!(
            read(r#"{"@odata.nextLink":"https://h/2","value":[1,{"value":[2]}]}"#),
            (2, link())
        );
        assert_eq!(read(r#"{"value":[]}"#), (0, None));
        assert_eq!(read(r#"{"value":"one","@odata.nextLink":"https://h/2"}"#), (1, None));
        assert_eq!(read(r#"[1,2,3]"#), (3, None));
        assert_eq!(read("7"), (1, None));
    }
}
