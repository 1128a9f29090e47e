//! When a refused client assertion is worth another one.
//!
//! A certificate that was uploaded a moment ago is not known to all of the service's nodes for about half a minute
//! (AADSTS700027), and a machine whose clock is wrong makes assertions that are not valid yet or any more (AADSTS700024);
//! the service's own time stands in its replies.

use crate::certificate::Certificate;
use crate::credential::Credential;
use crate::error::Error;
use crate::http::Reply;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

const NOT_REGISTERED: &str = "AADSTS700027";
const OUTSIDE_ITS_LIFE: &str = "AADSTS700024";

/// Waits for a certificate to become known, in units of the client's first backoff (half a second): half a minute in all.
const NEW_WAITS: [u32; 3] = [10, 20, 30];
/// For one that has been valid for longer, and was more likely forgotten than uploaded just now: two seconds.
const OLD_WAITS: [u32; 1] = [4];
/// A certificate is new for this long after its validity began.
const NEW_FOR_MS: i64 = 24 * 60 * 60 * 1000;
/// Once it was waited for in vain, it is not waited for again for this long: a thousand tenants would each wait anew.
const UNKNOWN_FOR_MS: i64 = 60 * 1000;
/// Clocks that differ by less are not the reason; the service tolerates five minutes.
const SKEW_MS: i64 = 60 * 1000;

/// One question's account of its repeats.
pub(super) struct Patience<'a> {
    certificate: Option<&'a Certificate>,
    unit: Duration,
    waited: usize,
    clock_corrected: bool,
}

impl<'a> Patience<'a> {
    pub(super) fn new(credential: &'a Credential, unit: Duration) -> Self {
        Patience {
            certificate: credential.certificate(),
            unit,
            waited: 0,
            clock_corrected: false,
        }
    }

    /// How far the service's clock is ahead of this machine's, in milliseconds, as far as its refusals have told.
    pub(super) fn ahead_ms(&self) -> i64 {
        self.certificate
            .map_or(0, |certificate| certificate.standing.ahead_ms.load(Ordering::Relaxed))
    }

    /// How long to wait before the question is asked again with a new assertion; `None` where that would change nothing.
    pub(super) fn again(&mut self, refusal: &Error, reply: &Reply, now_ms: i64) -> Option<Duration> {
        let certificate = self.certificate?;
        match refusal.service()?.code.as_str() {
            OUTSIDE_ITS_LIFE if !self.clock_corrected => {
                let theirs = reply.server_time()?.duration_since(UNIX_EPOCH).ok()?.as_millis();
                let ahead = i64::try_from(theirs).ok()?.saturating_sub(now_ms);
                if ahead.abs_diff(self.ahead_ms()) < SKEW_MS.unsigned_abs() {
                    return None;
                }
                certificate.standing.ahead_ms.store(ahead, Ordering::Relaxed);
                self.clock_corrected = true;
                Some(Duration::ZERO)
            }
            NOT_REGISTERED => {
                let unknown = &certificate.standing.unknown_until;
                if now_ms < unknown.load(Ordering::Relaxed) {
                    return None;
                }
                let waits: &[u32] = match now_ms.saturating_sub(certificate.not_before()) {
                    ..=NEW_FOR_MS => &NEW_WAITS,
                    _ => &OLD_WAITS,
                };
                let Some(wait) = waits.get(self.waited) else {
                    unknown.store(now_ms.saturating_add(UNKNOWN_FOR_MS), Ordering::Relaxed);
                    return None;
                };
                self.waited += 1;
                Some(self.unit * *wait)
            }
            _ => None,
        }
    }
}
