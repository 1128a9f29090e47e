//! When a request is sent again, and after what wait.

use super::budget::Budget;
use crate::error::Error;
use reqwest::header::HeaderMap;
use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

/// The longest `Retry-After` that is taken at its word; a service that asks for more is asked again after this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Settings of every client of an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time to reach a host: name, connection and TLS.
    pub connect_timeout: Duration,
    /// Time without a byte of the answer.
    pub read_timeout: Duration,
    /// The first wait where the service names none; each further one doubles, up to 32 times this.
    pub first_backoff: Duration,
    /// How long requests to a host wait at most for the first one's answer, so that they can share its connection.
    pub introduction: Duration,
    /// Requests to one tenant's activity feed within a minute. `None`: 1,500, and any number where the feed is on this machine.
    pub requests_per_minute: Option<NonZeroU32>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(100),
            first_backoff: Duration::from_millis(500),
            introduction: Duration::from_secs(1),
            requests_per_minute: None,
        }
    }
}

/// What one request may spend on being sent again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    /// How often it is sent again at most.
    pub(crate) repeats: u32,
    /// How long its waits may take together. A `Retry-After` that does not fit ends the request at once.
    pub(crate) waits: Duration,
    /// What the whole operation may spend.
    pub(crate) budget: Option<Budget>,
}

impl Retry {
    /// For services that throttle as a matter of course: public clients ask up to ten times when they are told to wait.
    pub(crate) const PATIENT: Retry = Retry {
        repeats: 10,
        waits: Duration::from_secs(600),
        budget: None,
    };
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            repeats: 4,
            waits: Duration::from_secs(120),
            budget: None,
        }
    }
}

/// True for statuses that may change when nothing in the request does.
pub(super) fn status_may_change(status: u16, repeatable: bool) -> bool {
    match status {
        // Refused before it was looked at: safe to send again, whatever it asks for.
        429 | 503 => true,
        408 | 500 | 502 | 504 => repeatable,
        _ => false,
    }
}

/// The wait that a service asks for, in seconds or as a date (RFC 9110, section 10.2.3). A date is read against the
/// service's own clock where it sent one.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    let now = server_time(headers).unwrap_or_else(SystemTime::now);
    parse_retry_after(text, now)
}

/// The service's clock, from the `Date` header.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(reqwest::header::DATE)?.to_str().ok()?).ok()
}

/// The same from its text; a date is read against `now`.
pub(crate) fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else if let Ok(seconds) = text.parse::<f64>() {
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// Keeps account of one request's repeats.
pub(super) struct Account<'a> {
    retry: &'a Retry,
    first_backoff: Duration,
    repeats: u32,
    waited: Duration,
}

impl<'a> Account<'a> {
    pub(super) fn new(retry: &'a Retry, first_backoff: Duration) -> Self {
        Account {
            retry,
            first_backoff,
            repeats: 0,
            waited: Duration::ZERO,
        }
    }

    /// How often it was sent again.
    pub(super) fn repeats(&self) -> u32 {
        self.repeats
    }

    /// How long to wait before the next repeat; `None` where there will be none.
    pub(super) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.wait(asked, Budget::take)
    }

    /// The same after an answer with this status.
    pub(super) fn next_wait_of(&mut self, status: u16, asked: Option<Duration>) -> Option<Duration> {
        self.wait(asked, |budget| budget.take_after(status))
    }

    fn wait(&mut self, asked: Option<Duration>, take: impl Fn(&Budget) -> bool) -> Option<Duration> {
        if self.repeats >= self.retry.repeats {
            return None;
        }
        let wait = match asked {
            // A little more than asked for, so that many who wait do not come back in the same instant.
            Some(asked) => asked + self.first_backoff.mul_f64(0.5 * random_unit()),
            None => (self.first_backoff * 2u32.pow(self.repeats.min(5))).mul_f64(0.5 + 0.5 * random_unit()),
        };
        if self.waited + wait > self.retry.waits || !self.retry.budget.as_ref().is_none_or(take) {
            return None;
        }
        self.repeats += 1;
        self.waited += wait;
        Some(wait)
    }

    /// What happens after `wait`, which was given last.
    pub(super) fn words(&self, wait: Duration) -> String {
        format!(
            "Asking again in {:.1} s ({} of {})",
            wait.as_secs_f64(),
            self.repeats,
            self.retry.repeats
        )
    }

    /// A transport failure's chance: a host that cannot be reached is tried twice more, other failures as often as any.
    pub(super) fn next_wait_after(&mut self, error: &Error, connected: bool) -> Option<Duration> {
        if !error.is_retryable() || (!connected && self.repeats >= 2) {
            return None;
        }
        self.next_wait(None)
    }
}

/// A number in 0..1, good enough to spread waits. Each `RandomState` has its own random keys.
fn random_unit() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn reads_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |text| parse_retry_after(text, now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO),
            "a date that has passed"
        );
        assert_eq!(read("99999999999999999999999"), Some(LONGEST_RETRY_AFTER));
        assert_eq!(read("-1"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_wait_that_does_not_fit_ends_the_request() {
        let retry = Retry {
            waits: Duration::from_secs(10),
            ..Retry::default()
        };
        let mut account = Account::new(&retry, Duration::from_millis(1));
        assert_eq!(account.next_wait(Some(Duration::from_secs(11))), None);
        assert!(account.next_wait(Some(Duration::from_secs(9))).is_some());
        assert_eq!(account.next_wait(Some(Duration::from_secs(9))), None);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in ".{0,40}", now in 0u64..4_000_000_000) {
            if let Some(wait) = parse_retry_after(&text, at(now)) {
                prop_assert!(wait <= LONGEST_RETRY_AFTER);
            }
        }

        #[test]
        fn waits_without_advice_grow_within_bounds(repeats in 0u32..8) {
            let retry = Retry { repeats: 8, ..Retry::default() };
            let mut account = Account::new(&retry, Duration::from_millis(100));
            account.repeats = repeats;
            if let Some(wait) = account.next_wait(None) {
                let top = Duration::from_millis(100) * 2u32.pow(repeats.min(5));
                prop_assert!(wait <= top && wait >= top / 2);
            }
        }
    }
}
