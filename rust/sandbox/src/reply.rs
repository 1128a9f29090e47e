//! Requests as the services see them, replies as they make them, and the body that carries a reply to the wire.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::Reason;
use http::header::{HeaderName, HeaderValue, CONTENT_TYPE};
use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

use crate::fault::Close;
use crate::route::Service;

/// A request with its whole body.
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of an `Authorization: Bearer` header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// A query parameter, decoded. Names are compared without regard to case.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    }
}

/// A whole reply.
pub(crate) type Reply = Response<Bytes>;

/// A reply with a body of the given type.
pub(crate) fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut reply, CONTENT_TYPE, content_type);
    reply
}

/// A JSON reply, without white space, as the services send it.
pub(crate) fn json(status: u16, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).unwrap_or_default();
    reply(status, "application/json; charset=utf-8", body)
}

/// Sets a header; a value that no header can hold is left out.
pub(crate) fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

type Gate = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A reply's body on its way out: a first part, a gate to wait at, the rest, and a clean or a broken end.
pub(crate) struct ReplyBody {
    first: Option<Bytes>,
    gate: Option<Gate>,
    rest: Option<Bytes>,
    broken: Option<CutShort>,
    announced: Option<u64>,
}

impl ReplyBody {
    pub(crate) fn whole(body: Bytes) -> Self {
        let announced = Some(body.len() as u64);
        ReplyBody {
            first: Some(body),
            gate: None,
            rest: None,
            broken: None,
            announced,
        }
    }

    /// The first `at` bytes, then the rest once the gate opens.
    pub(crate) fn gated(mut body: Bytes, at: usize, gate: Gate) -> Self {
        let announced = Some(body.len() as u64);
        let first = body.split_to(at.min(body.len()));
        ReplyBody {
            first: Some(first),
            gate: Some(gate),
            rest: Some(body),
            broken: None,
            announced,
        }
    }

    /// The first `at` bytes only. A clean cut looks like a whole reply of that length; a broken one announces the full
    /// length and then drops the connection (HTTP/1.1) or resets the stream (HTTP/2).
    pub(crate) fn cut(mut body: Bytes, at: usize, close: Close) -> Self {
        let full = body.len() as u64;
        body.truncate(at);
        let broken = match close {
            Close::Clean => None,
            Close::Abort => Some(CutShort(Reason::INTERNAL_ERROR.into())),
            Close::Cancel => Some(CutShort(Reason::CANCEL.into())),
        };
        let announced = Some(if broken.is_none() { body.len() as u64 } else { full });
        // Without a pause hyper would fail before it has sent the first bytes.
        let pause: Gate = Box::pin(tokio::task::yield_now());
        ReplyBody {
            first: Some(body),
            gate: broken.is_some().then_some(pause),
            rest: None,
            broken,
            announced,
        }
    }
}

/// The end of a body that was cut on purpose, with what HTTP/2 says about it.
#[derive(Debug)]
pub(crate) struct CutShort(h2::Error);

impl std::fmt::Display for CutShort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the reply is cut short on purpose")
    }
}

impl std::error::Error for CutShort {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if let Some(first) = self.first.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Some(gate) = self.gate.as_mut() {
            if gate.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.gate = None;
        }
        if let Some(rest) = self.rest.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        Poll::Ready(self.broken.take().map(Err))
    }

    fn is_end_stream(&self) -> bool {
        let empty = |part: &Option<Bytes>| part.as_ref().is_none_or(Bytes::is_empty);
        empty(&self.first) && self.gate.is_none() && empty(&self.rest) && self.broken.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(length) if self.first.is_some() => SizeHint::with_exact(length),
            _ => SizeHint::default(),
        }
    }
}
