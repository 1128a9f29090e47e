//! Into which stretches a search is divided. Times are milliseconds since 1970-01-01 UTC; stretches begin and end on whole
//! seconds, because that is how finely the search can be asked.

use super::super::{stretch, Window};
use super::session::{LIMIT, PAGE};

/// Rows that a stretch is cut for: a little below nine whole pages, so that an estimate which is somewhat low costs no
/// further page, let alone the session's limit.
const TARGET: f64 = 44_000.0;
/// Below this a stretch is looked at with one call.
const FEW: f64 = PAGE as f64 * 0.8;
/// Above this it is divided before anything is asked.
const MANY: f64 = LIMIT as f64 * 0.94;

/// How a stretch is to be read.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// With one call that may say that there is more.
    Look,
    /// With a session.
    Read,
    Divide(Vec<Window>),
}

impl Plan {
    /// `density` is rows per millisecond, where it is known.
    pub(super) fn of(window: Window, density: Option<f64>) -> Plan {
        let Some(density) = density else {
            return Plan::Look;
        };
        let expected = density * (window.end - window.start) as f64;
        if expected <= FEW {
            return Plan::Look;
        }
        if expected <= MANY {
            return Plan::Read;
        }
        // Only the first piece is cut: what it turns out to hold decides about the rest.
        let length = ((TARGET / density) as i64).div_euclid(1000).max(1) * 1000;
        match cut(window, window.start.saturating_add(length)) {
            Some(pieces) => Plan::Divide(pieces),
            None => Plan::Read,
        }
    }
}

/// Stretches that are read side by side: as many as `most` where each is worth several sessions, otherwise one.
pub(super) fn lanes(window: Window, density: Option<f64>, most: usize) -> Vec<Window> {
    let expected = density.unwrap_or(0.0) * (window.end - window.start) as f64;
    let count = ((expected / (2.0 * TARGET)) as usize).clamp(1, most);
    let length = (window.end - window.start) / count as i64;
    let places: Vec<i64> = (1..count as i64).map(|lane| window.start + lane * length).collect();
    at(window, places)
}

/// Divides where a session met its limit, after the times of the rows that it gave: pieces that hold about as many each,
/// and together few enough. `total` is how many rows the stretch has, 0 where nobody knows. `None` where it cannot be divided.
pub(super) fn by_times(window: Window, times: &[i64], total: u64) -> Option<Vec<Window>> {
    let all = assumed(total) as f64;
    let count = (all / TARGET).ceil().max(2.0) as usize;
    let mut times: Vec<i64> = times
        .iter()
        .copied()
        .filter(|time| (window.start..window.end).contains(time))
        .collect();
    times.sort_unstable();
    let quantile = |piece: usize| times.get(piece * times.len() / count).copied();
    let pieces = at(window, (1..count).filter_map(quantile).collect());
    if pieces.len() > 1 {
        return Some(pieces);
    }
    stretch::in_two(window, 1000)
}

/// A total, or what is taken for one where nobody knows it and a session met its limit.
pub(super) fn assumed(total: u64) -> u64 {
    if total > LIMIT {
        total
    } else {
        2 * LIMIT
    }
}

/// How many rows a stretch has of which a session gave some, in no order, with these times, while `newer` in all are later than
/// `moment`; somewhat more, because it is a guess. 0 where it cannot be guessed.
pub(super) fn total(times: &[i64], moment: i64, newer: u64) -> u64 {
    let later = times.iter().filter(|time| **time > moment).count();
    let guess = newer as f64 * times.len() as f64 / later as f64;
    if later > 0 {
        (guess * 1.08) as u64
    } else {
        0
    }
}

/// Which stretches are asked for again where single seconds (or stretches, where the second is not known) came damaged: each of them, or
/// all that lies between the first and the last where that takes fewer calls. `density` is rows per millisecond, where it is known.
pub(super) fn again(mut damaged: Vec<Window>, density: Option<f64>) -> Vec<Window> {
    damaged.sort_unstable_by_key(|window| (window.start, window.end));
    damaged.dedup();
    let Some(whole) = damaged.iter().copied().reduce(Window::hull) else {
        return damaged;
    };
    let expected = density.unwrap_or(0.0) * (whole.end - whole.start) as f64;
    if damaged.len() as f64 <= 1.0 + expected / PAGE as f64 {
        damaged
    } else {
        vec![whole]
    }
}

fn cut(window: Window, place: i64) -> Option<Vec<Window>> {
    let pieces = at(window, vec![place]);
    (pieces.len() > 1).then_some(pieces)
}

/// Cuts at these places, moved to whole seconds.
fn at(window: Window, mut places: Vec<i64>) -> Vec<Window> {
    places
        .iter_mut()
        .for_each(|place| *place = place.div_euclid(1000) * 1000);
    places.retain(|place| window.start < *place && *place < window.end);
    places.sort_unstable();
    places.dedup();
    let starts = std::iter::once(window.start).chain(places.iter().copied());
    let ends = places.iter().copied().chain(std::iter::once(window.end));
    starts.zip(ends).map(|(start, end)| Window { start, end }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    fn covers(window: Window, pieces: &[Window]) -> bool {
        let inside = pieces
            .windows(2)
            .all(|pair| pair[0].end == pair[1].start && pair[0].end % 1000 == 0);
        inside
            && pieces.iter().all(|piece| !piece.is_empty())
            && pieces.first().map(|piece| piece.start) == Some(window.start)
            && pieces.last().map(|piece| piece.end) == Some(window.end)
    }

    #[test]
    fn the_expected_rows_decide() {
        let hour = Window { start: 0, end: HOUR };
        let rows = |rows: f64| Some(rows / HOUR as f64);
        assert_eq!(Plan::of(hour, None), Plan::Look);
        assert_eq!(Plan::of(hour, rows(3_000.0)), Plan::Look);
        assert_eq!(Plan::of(hour, rows(30_000.0)), Plan::Read);
        let Plan::Divide(pieces) = Plan::of(hour, rows(440_000.0)) else {
            panic!()
        };
        assert_eq!((pieces.len(), pieces[0].end), (2, HOUR / 10));
        // A second cannot be divided, however much it holds.
        assert_eq!(Plan::of(Window { start: 0, end: 1000 }, Some(1e6)), Plan::Read);
        assert_eq!(lanes(hour, rows(1e6), 4).len(), 4);
        assert_eq!(lanes(hour, rows(100_000.0), 4).len(), 1);
        assert_eq!(lanes(hour, None, 4).len(), 1);
    }

    #[test]
    fn the_newest_rows_tell_how_many_there_are() {
        // Every fiftieth row of 500,000 is in the sample, and 5,000 are of the last second.
        let times: Vec<i64> = (0..10_000).map(|row| row / 100).collect();
        let guess = total(&times, 98, 5_000);
        assert!((500_000..=550_000).contains(&guess), "{guess}");
        assert_eq!(total(&times, 99, 0), 0);
        assert_eq!(total(&[], 0, 5), 0);
    }

    #[test]
    fn damaged_seconds_are_asked_for_again_one_by_one_where_much_lies_between() {
        let second = |at: i64| Window::new(at * 1000, at * 1000 + 1000);
        let damaged = vec![second(9), second(5), second(9), second(100)];
        assert_eq!(again(damaged.clone(), None), [Window::new(5_000, 101_000)]);
        assert_eq!(again(damaged, Some(1.0)), [second(5), second(9), second(100)]);
        assert_eq!(again(vec![second(3)], None), [second(3)]);
        assert_eq!(again(Vec::new(), None), []);
    }

    #[test]
    fn a_busy_minute_gets_the_smaller_pieces() {
        let hour = Window { start: 0, end: HOUR };
        let quiet = (0..1000).map(|row| row * 3_600);
        let busy = (0..9000).map(|row| HOUR / 2 + row * 6);
        let times: Vec<i64> = quiet.chain(busy).collect();
        let pieces = by_times(hour, &times, 500_000).unwrap();
        assert!(covers(hour, &pieces));
        let short = pieces.iter().filter(|piece| piece.end - piece.start < 60_000).count();
        assert!(short >= 9, "{pieces:?}");
        assert_eq!(by_times(Window { start: 0, end: 1000 }, &[5; 9], 60_000), None);
        assert_eq!(by_times(hour, &[], 0).unwrap().len(), 2);
        assert_eq!(stretch::in_two(Window { start: 0, end: 90_000 }, 60_000), None);
    }

    proptest! {
        #[test]
        fn pieces_cover_the_stretch(start in 0i64..1_000_000, length in 1i64..100_000, times in prop::collection::vec(-1000i64..2_000_000_000, 0..50), total in 0u64..10_000_000, density in 0.0f64..1000.0) {
            let window = Window { start: start * 1000, end: (start + length) * 1000 };
            if let Some(pieces) = by_times(window, &times, total) {
                prop_assert!(covers(window, &pieces) && pieces.len() > 1);
            }
            prop_assert!(covers(window, &lanes(window, Some(density), 4)));
            if let Plan::Divide(pieces) = Plan::of(window, Some(density)) {
                prop_assert!(covers(window, &pieces) && pieces.len() > 1);
            }
            if let Some(pieces) = stretch::in_two(window, 1000) {
                prop_assert!(covers(window, &pieces));
            }
        }
    }
}
