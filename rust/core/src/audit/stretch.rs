//! Parts that are stretches of time, for sources that are searched.

use super::{Part, Window};
use crate::error::{Error, Result};
use crate::export::split::Fields;
use crate::export::time;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The time range that is asked for, clamped to now. How far back the service keeps anything is the tenant's licence: 180
/// days, a year, or ten.
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
    Ok(Window {
        start,
        end: end.min(now),
    })
}

/// Cuts `window` at multiples of `length` (milliseconds since 1970-01-01 UTC), so that the same time is the same part in
/// every run, and hands the pieces to `found`.
pub(super) async fn list(
    content_type: &str,
    window: Window,
    length: i64,
    fields: Fields,
    found: &mpsc::Sender<Part>,
) -> Result<()> {
    let name: Arc<str> = Arc::from(content_type);
    let mut start = window.start;
    while start < window.end {
        let end = window.end.min((start.div_euclid(length) + 1) * length);
        let part = Part {
            id: Arc::from(format!("{content_type} {}/{}", time::iso(start), time::iso(end))),
            content_type: Arc::clone(&name),
            address: format!("{start}/{end}"),
            // What a part is settled by: its last second.
            created: (end - 1000).max(start),
            fields,
        };
        found.send(part).await.map_err(|_| Error::cancelled())?;
        start = end;
    }
    Ok(())
}

/// The stretch that a part of [`list`] stands for.
pub(super) fn of(part: &Part) -> Result<Window> {
    let bounds = part.address.split_once('/');
    let window = bounds.and_then(|(start, end)| Some(Window::new(start.parse().ok()?, end.parse().ok()?)));
    window.ok_or_else(|| Error::internal("a part of a search has no time"))
}

/// What of the time is missing where such a part cannot be had: all of it.
pub(super) fn span(part: &Part) -> Window {
    of(part).unwrap_or(Window::new(part.created, part.created + 1))
}

/// Two halves, cut at a whole second, unless they would be shorter than `shortest`.
pub(super) fn in_two(window: Window, shortest: i64) -> Option<Vec<Window>> {
    let middle = (window.start + (window.end - window.start) / 2).div_euclid(1000) * 1000;
    let fits = window.end - window.start >= 2 * shortest && window.start < middle && middle < window.end;
    fits.then(|| vec![Window::new(window.start, middle), Window::new(middle, window.end)])
}
