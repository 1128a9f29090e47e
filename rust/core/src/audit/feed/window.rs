//! What time range the feed can be asked for.

use super::super::Window;
use crate::error::{Error, Result};
use crate::export::time;

/// How long the feed keeps content.
const KEPT_MS: i64 = 7 * 86_400_000;
/// A start this much older is taken as "seven days ago", said a moment ago: as far back as the feed goes.
const TOLERANCE_MS: i64 = 10 * 60_000;
/// Distance from the edge, so that the pages of a listing that is sent a little later are still inside.
const MARGIN_MS: i64 = 60_000;

/// The earliest start that the feed surely accepts.
pub(crate) fn earliest(now: i64) -> i64 {
    // In whole seconds, as windows are.
    (now - KEPT_MS + MARGIN_MS).div_euclid(1000) * 1000
}

/// What is left of a window when its turn comes: a start that is a little older than the feed keeps moves to the earliest
/// there is, and is told as that.
pub(crate) fn served(window: Window, now: i64) -> Window {
    let earliest = earliest(now);
    let gone = earliest - window.start;
    if (1..=TOLERANCE_MS + MARGIN_MS).contains(&gone) && earliest < window.end {
        return Window {
            start: earliest,
            end: window.end,
        };
    }
    window
}

/// The window that is asked for, clamped to now; an error where the feed cannot have it.
pub(crate) fn check(start: i64, end: i64, now: i64) -> Result<Window> {
    if start >= end {
        return Err(Error::invalid(format!(
            "the start {} is not before the end {}",
            time::iso(start),
            time::iso(end)
        ))
        .advise("Give a -StartTime before -EndTime; times without a zone are local."));
    }
    if start >= now {
        return Err(
            Error::invalid(format!("the start {} is in the future", time::iso(start)))
                .advise("Give a -StartTime in the past; times without a zone are local."),
        );
    }
    let oldest = now - KEPT_MS;
    if start < oldest - TOLERANCE_MS {
        return Err(Error::invalid(format!(
            "the activity feed keeps content for 7 days, and {} is older",
            time::iso(start)
        ))
        .advise(format!(
            "Start after {}, or take older records with Export-SecureAppAuditLog -Source Exchange (Search-UnifiedAuditLog) or -Source Graph \
             (audit log queries), which keep them for 180 days or more.",
            time::iso(oldest)
        )));
    }
    Ok(Window {
        start,
        end: end.min(now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn the_end_is_clamped_to_now() {
        let window = check(NOW - DAY, NOW + DAY, NOW).unwrap();
        assert_eq!(
            window,
            Window {
                start: NOW - DAY,
                end: NOW
            }
        );
    }

    #[test]
    fn seven_days_ago_is_not_too_old_a_moment_later() {
        let start = NOW - 7 * DAY - 5_000;
        assert_eq!(check(start, NOW, NOW).unwrap(), Window { start, end: NOW });
        assert!(check(start - TOLERANCE_MS, NOW, NOW).is_err());
    }

    #[test]
    fn a_start_on_the_edge_is_served_from_the_earliest_there_is() {
        let asked = |start| served(Window { start, end: NOW }, NOW).start;
        assert_eq!(asked(NOW - 7 * DAY - 5_000), earliest(NOW));
        assert_eq!(asked(NOW - 7 * DAY + 5_000), earliest(NOW));
        assert_eq!(asked(NOW - 6 * DAY), NOW - 6 * DAY);
        // More than that is lost, not moved: the listing finds it gone and says so.
        assert_eq!(
            asked(NOW - 7 * DAY - 2 * TOLERANCE_MS),
            NOW - 7 * DAY - 2 * TOLERANCE_MS
        );
    }

    #[test]
    fn older_starts_name_the_other_sources() {
        let error = check(NOW - 8 * DAY, NOW, NOW).unwrap_err();
        assert!(error.advice().contains("Search-UnifiedAuditLog"), "{}", error.advice());
        assert!(error.advice().contains("Graph"), "{}", error.advice());
    }

    #[test]
    fn empty_and_future_windows_are_refused() {
        assert!(check(NOW, NOW, NOW).is_err());
        assert!(check(NOW - 1, NOW - 2, NOW).is_err());
        assert!(check(NOW + 1, NOW + 2, NOW).is_err());
    }
}
