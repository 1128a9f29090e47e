//! A body on its way in: unpacked where it is gzip, and whole or an error.
//!
//! The transport below takes an HTTP/2 stream that the other side cancelled for one that has ended, so what came is counted
//! against what was announced.

use super::gunzip::{Flaw, Gunzip};
use super::limits::Permit;
use super::pace::Turn;
use super::transport;
use crate::error::{Error, Result};
use bytes::Bytes;
use reqwest::header::{HeaderMap, CONTENT_ENCODING};
use std::sync::Arc;

pub(super) struct Incoming {
    response: reqwest::Response,
    /// Bytes that the service said would come, before they are unpacked.
    announced: Option<u64>,
    received: u64,
    gunzip: Option<Gunzip>,
    ended: bool,
    turn: Option<Arc<Turn>>,
    permit: Permit,
}

impl Incoming {
    /// `headers` are the response's, which may have been taken out of it.
    pub(super) fn new(
        response: reqwest::Response,
        headers: &HeaderMap,
        turn: Option<Arc<Turn>>,
        permit: Permit,
    ) -> Self {
        Incoming {
            announced: response.content_length(),
            response,
            received: 0,
            gunzip: is_gzip(headers).then(Gunzip::new),
            ended: false,
            turn,
            permit,
        }
    }

    /// How long the whole body will be; `None` where that is not known.
    pub(super) fn length(&self) -> Option<u64> {
        self.announced.filter(|_| self.gunzip.is_none())
    }

    /// The next part of the body; `None` at its end. An error says that the rest is missing; nothing comes after it.
    pub(super) async fn chunk(&mut self, authority: &str) -> Result<Option<Bytes>> {
        loop {
            let piece = self.unpacked(authority)?;
            if piece.is_some() || self.ended {
                return Ok(piece);
            }
            let next = match &self.turn {
                Some(turn) => turn.watch(&self.permit, std::pin::pin!(self.response.chunk())).await,
                None => self.response.chunk().await,
            };
            match next.map_err(|cause| self.broken(&cause, authority))? {
                Some(chunk) => {
                    self.received += chunk.len() as u64;
                    self.turn.iter().for_each(|turn| turn.go_on());
                    match &mut self.gunzip {
                        Some(gunzip) => gunzip.push(chunk),
                        None => return Ok(Some(chunk)),
                    }
                }
                None => {
                    if self.announced.is_some_and(|announced| self.received < announced) {
                        return Err(self.cut_short(authority));
                    }
                    self.ended = true;
                    match &mut self.gunzip {
                        Some(gunzip) if self.received > 0 => gunzip.end(),
                        // Nothing at all has no coding, whatever its head says.
                        _ => self.gunzip = None,
                    }
                }
            }
        }
    }

    fn unpacked(&mut self, authority: &str) -> Result<Option<Bytes>> {
        let Some(gunzip) = &mut self.gunzip else {
            return Ok(None);
        };
        gunzip.next().map_err(|flaw| match flaw {
            // The service sent all that it had announced, so the connection is not to blame.
            Flaw::CutShort if self.announced.is_some() => {
                transport::damaged_body("its gzip data ends too early", authority, self.received)
            }
            Flaw::CutShort => self.cut_short(authority),
            Flaw::Damaged(why) => transport::damaged_body(&why, authority, self.received),
        })
    }

    #[cold]
    fn broken(&self, cause: &reqwest::Error, authority: &str) -> Error {
        self.turn.iter().for_each(|turn| turn.broke_off());
        transport::broken_body(cause, authority, self.received)
    }

    #[cold]
    fn cut_short(&self, authority: &str) -> Error {
        self.turn.iter().for_each(|turn| turn.broke_off());
        transport::short_body(authority, self.received, self.announced)
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let coding = headers.get(CONTENT_ENCODING).map_or(&b""[..], |value| value.as_bytes());
    // `x-gzip` is the same by RFC 9110, section 8.4.1.3.
    coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
}
