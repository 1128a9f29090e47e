//! Whether this machine's clock agrees with the service's. Assertions are valid for minutes, and so is a token's "not before".

use super::Row;
use std::time::{Duration, SystemTime};

pub(crate) const CHECK: &str = "Clock";
/// A difference that is harmless today and a sign that nobody keeps the clock.
const WARN: Duration = Duration::from_secs(60);
/// Microsoft's token services allow five minutes.
const FAIL: Duration = Duration::from_secs(300);

/// Judges the `Date` of a reply whose request was sent at `sent` and answered at `received`, both by this machine's clock.
pub(crate) fn judge(host: &str, date: Option<SystemTime>, sent: SystemTime, received: SystemTime) -> Row {
    let Some(date) = date else {
        return Row::warn(CHECK, host, "not checked: the reply has no readable Date header")
            .remedy("Compare this machine's clock with a time server.");
    };
    let (behind, difference) = difference(date, sent, received);
    if difference.is_zero() {
        return Row::pass(CHECK, host, "this machine's clock agrees with the service's");
    }
    let detail = format!(
        "this machine's clock is {} s {} the service's",
        difference.as_secs(),
        if behind { "behind" } else { "ahead of" }
    );
    let remedy = "Synchronise this machine's clock (w32tm /resync on Windows, chrony or systemd-timesyncd on Linux).";
    match difference {
        _ if difference > FAIL => Row::fail(CHECK, host, detail).remedy(remedy),
        _ if difference > WARN => Row::warn(CHECK, host, detail).remedy(remedy),
        _ => Row::pass(CHECK, host, detail),
    }
}

/// How far the local clock is off at least, and whether it is behind. The header has whole seconds, and the service wrote it
/// at some time between the two local readings; what fits between them is no difference.
fn difference(date: SystemTime, sent: SystemTime, received: SystemTime) -> (bool, Duration) {
    if let Ok(behind) = date.duration_since(received) {
        return (true, behind);
    }
    let ahead = sent.duration_since(date + Duration::from_secs(1)).unwrap_or_default();
    (false, ahead)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(1000.0 + seconds)
    }

    fn verdict(date: f64, sent: f64, received: f64) -> (Verdict, String) {
        let row = judge("login", Some(at(date)), at(sent), at(received));
        (row.verdict, row.detail)
    }

    #[test]
    fn a_slow_reply_and_whole_seconds_are_no_skew() {
        for (date, sent, received) in [(0.0, 0.9, 0.95), (5.0, 0.0, 30.0), (0.0, 0.0, 0.0)] {
            let (verdict, detail) = verdict(date, sent, received);
            assert_eq!(verdict, Verdict::Pass);
            assert!(detail.contains("agrees"), "{detail}");
        }
    }

    #[test]
    fn more_than_a_minute_warns_and_more_than_five_fails_in_either_direction() {
        for (off, expected) in [
            (60.0, Verdict::Pass),
            (62.0, Verdict::Warn),
            (300.0, Verdict::Warn),
            (303.0, Verdict::Fail),
        ] {
            let (behind, detail) = verdict(off, 0.0, 0.0);
            assert_eq!(behind, expected, "{detail}");
            assert!(detail.contains("behind"), "{detail}");
            let (ahead, detail) = verdict(-off - 1.0, 0.0, 0.0);
            assert_eq!(ahead, expected, "{detail}");
            assert!(detail.contains("ahead"), "{detail}");
        }
    }

    #[test]
    fn a_reply_without_a_date_says_so() {
        assert_eq!(judge("login", None, at(0.0), at(1.0)).verdict, Verdict::Warn);
    }
}
