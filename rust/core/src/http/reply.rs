//! An answer: its status, its headers, and its body, whole or chunk by chunk.

use super::incoming::Incoming;
use super::limits::Permit;
use super::spec::RequestSpec;
use super::{problem, retry};
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
use reqwest::header::{HeaderMap, CONTENT_TYPE};
use serde::Deserialize;
use std::fmt;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// What came back for one request.
pub(crate) struct Reply {
    status: u16,
    headers: HeaderMap,
    authority: String,
    body: Body,
}

enum Body {
    Whole(Bytes),
    Open(Box<Incoming>),
    Ended,
}

/// Without headers and body: both may hold tokens.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} from {})", self.status, self.authority)
    }
}

impl Reply {
    /// Reads the body to its end, unless it is to be streamed and the status is a success.
    pub(super) async fn read(mut response: reqwest::Response, spec: &RequestSpec, permit: Permit) -> Result<Self> {
        let headers = std::mem::take(response.headers_mut());
        let mut reply = Reply {
            status: response.status().as_u16(),
            authority: spec.authority().to_owned(),
            body: Body::Open(Box::new(Incoming::new(response, &headers, spec.turn.clone(), permit))),
            headers,
        };
        if !spec.streamed || !reply.is_success() {
            let whole = match reply.read_whole(spec.limit).await {
                // A refusal stands whatever its body is worth: some claim to be gzip and are not.
                Err(error) if !reply.is_success() && error.kind() == Kind::Protocol => Bytes::new(),
                whole => whole?,
            };
            reply.body = Body::Whole(whole);
        }
        Ok(reply)
    }

    async fn read_whole(&mut self, limit: usize) -> Result<Bytes> {
        let announced = match &self.body {
            Body::Open(body) => body.length(),
            Body::Whole(_) | Body::Ended => None,
        };
        let first = self.chunk().await?.unwrap_or_default();
        self.within(first.len(), limit)?;
        // Most answers come in one piece, which needs no copy.
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        // The service's word is no reason to reserve much memory.
        let expected = usize::try_from(announced.unwrap_or(0))
            .unwrap_or(0)
            .min(limit)
            .min(64 << 10);
        // An answer may hold a token.
        let mut whole = Zeroizing::new(Vec::with_capacity(expected.max(first.len() + second.len())));
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            self.within(whole.len() + chunk.len(), limit)?;
            whole.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(Bytes::from_owner(whole))
    }

    fn within(&self, length: usize, limit: usize) -> Result<()> {
        if length <= limit {
            return Ok(());
        }
        let message = format!(
            "{} sent more than the {limit} bytes that this answer may have",
            self.authority
        );
        Err(Error::new(Kind::Protocol, message)
            .advise("Report this with the name of the command: an answer of this size was not expected."))
    }

    /// The next part of a streamed body; `None` at its end. An error says that the rest is missing.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.body {
            Body::Whole(bytes) => {
                let all = std::mem::take(bytes);
                self.body = Body::Ended;
                Ok((!all.is_empty()).then_some(all))
            }
            Body::Open(body) => {
                let chunk = body.chunk(&self.authority).await;
                if !matches!(chunk, Ok(Some(_))) {
                    self.body = Body::Ended;
                }
                chunk
            }
            Body::Ended => Ok(None),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's text; `None` where it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The wait that the service asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry::retry_after(&self.headers)
    }

    /// The service's clock.
    pub(crate) fn server_time(&self) -> Option<SystemTime> {
        retry::server_time(&self.headers)
    }

    /// `host[:port]` that answered.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The whole body; empty for a streamed one.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Whole(bytes) => bytes,
            _ => &[],
        }
    }

    /// The whole body as JSON of the expected shape; what else it may be is named.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(self.bytes()).map_err(|cause| self.not_json(&cause))
    }

    /// The failure that a status other than success stands for, from the error object of Graph, Partner Center or the
    /// activity feed where there is one. `action` reads like "list the customers".
    pub(crate) fn error(&self, action: &str) -> Error {
        problem::from_reply(self, action)
    }

    /// The error for a body that is not the JSON it should be.
    #[cold]
    pub(crate) fn not_json(&self, cause: &serde_json::Error) -> Error {
        let authority = &self.authority;
        let start = self.bytes().trim_ascii_start();
        if start.first() == Some(&b'<') {
            return Error::new(Kind::Protocol, format!("{authority} answered with a web page instead of JSON (HTTP {})", self.status))
                .advise("A proxy, a captive portal or a wrong host answers in the service's place; open the address in a browser on this machine to see what it says.");
        }
        if start.is_empty() {
            return Error::new(
                Kind::Protocol,
                format!("{authority} answered with an empty body (HTTP {})", self.status),
            )
            .advise("Try again; if it stays so, check the host with Get-SecureAppEnvironment.");
        }
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or("no content type");
        let error = Error::new(
            Kind::Protocol,
            format!(
                "{authority} answered with something that is not the expected JSON ({kind}): {}",
                shape(cause)
            ),
        )
        .advise("Try again; if it stays so, check the host with Get-SecureAppEnvironment and any proxy in between.");
        // Cut short where nothing below noticed: it may come whole next time.
        if cause.is_eof() {
            error.transient()
        } else {
            error
        }
    }
}

/// What serde found, without the value it found: that could be a secret.
fn shape(cause: &serde_json::Error) -> String {
    let what = match cause.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a field is missing or has another type",
        serde_json::error::Category::Eof => "it ends too early",
    };
    format!("{what} at line {} column {}", cause.line(), cause.column())
}
