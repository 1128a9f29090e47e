//! A second look at a stretch whose search was silent about its end.
//!
//! The second search uses the other of the two session commands, which gives its rows in another order and has limits of its own, and
//! stops as soon as it has shown enough: as many rows as the first, or the newest 5,000 where the first has more. A first search
//! that ended too early has left rows out all over the time, so it does not have those 5,000. Where earlier searches over longer
//! stretches gave enough rows of this one, they serve as well.

use super::super::Window;
use super::session::{Command, Keys, Session, DOUBTS, PAGE, SILENCE};
use super::TRIES;
use crate::error::Result;

/// What a second search says of the first.
pub(super) enum Look {
    /// It gave the same rows, as far as it can.
    Agrees,
    /// It gave these rows, some of which the first did not.
    Others(Keys),
    /// It did not show enough.
    Unclear,
    /// It could not be made.
    Failed,
}

/// Of how many rows one has to be known from elsewhere, so that these show as much as a second search does; and how many at least,
/// where there are so many.
const SHARE: usize = 9;
const LEAST: usize = 100;
/// The service may file a record under a time that differs by so much from the record's own.
const MARGIN_MS: i64 = 1000;

/// Compares with what is known already, and where that is too little asks by the other command until it is clear. Rows that the first
/// has not are taken in.
pub(super) async fn look(first: &Session<'_, '_>) -> Result<Look> {
    if let Some(look) = compare(&first.keys, first.over.known, first.over.window) {
        return Ok(look);
    }
    for tries in 0..TRIES {
        if let Some(look) = second(first).await? {
            return Ok(look);
        }
        first.over.wait(tries + 1).await;
    }
    Ok(Look::Failed)
}

/// One search by the other command; `None` where it failed before it said anything.
async fn second(first: &Session<'_, '_>) -> Result<Option<Look>> {
    let over = first.over;
    let command = match first.command {
        Command::LargeSet => Command::Preview(PAGE),
        Command::Preview(_) => Command::LargeSet,
    };
    let mut session = Session::new(over, command)?;
    let mut found = Keys::new();
    let mut has_others = false;
    let (mut rows, mut nothing, mut warned) = (0, 0, 0);
    loop {
        let before = found.len();
        let page = session.page(|row| {
            found.insert(row.key, row.created.unwrap_or(i64::MIN));
            let is_other = !first.keys.contains_key(&row.key);
            has_others |= is_other;
            // Where only the newest are wanted, nobody knows whether it is one of them.
            is_other && !over.intake.is_newest()
        });
        let page = match page.await {
            Ok(page) => Some(page),
            Err(error) if error.is_retryable() => None,
            Err(error) => return Err(error),
        };
        // What came before it failed disproves the first all the same.
        if has_others {
            return Ok(Some(Look::Others(found)));
        }
        let Some(page) = page else { return Ok(None) };
        if page.warning.is_some() {
            warned += 1;
            if page.rows > 0 || warned >= DOUBTS {
                return Ok(None);
            }
            over.wait(warned).await;
            continue;
        }
        (rows, warned) = (rows + page.rows, 0);
        if found.len() >= first.keys.len() {
            return Ok(Some(Look::Agrees));
        }
        if command == Command::Preview(PAGE) && rows >= PAGE {
            return Ok(Some(match are_newest(&first.keys, &found) {
                true => Look::Agrees,
                false => Look::Unclear,
            }));
        }
        // One that begins again gives nothing new either.
        nothing = if found.len() == before { nothing + 1 } else { 0 };
        if nothing >= SILENCE {
            return Ok(Some(Look::Unclear));
        }
        over.wait(nothing).await;
    }
}

/// What rows that other searches have given of `window` say of one that gave `all`; `None` where they are too few.
fn compare(all: &Keys, known: &Keys, window: Window) -> Option<Look> {
    let within = window.start + MARGIN_MS..window.end - MARGIN_MS;
    let inside = known.iter().filter(|(_, time)| within.contains(*time));
    let (had, others): (Keys, Keys) = inside.partition(|(key, _)| all.contains_key(key));
    if !others.is_empty() {
        return Some(Look::Others(others));
    }
    let is_enough = had.len() * SHARE >= all.len() && had.len() >= all.len().min(LEAST);
    (!had.is_empty() && is_enough).then_some(Look::Agrees)
}

/// True where `found`, some of `all`, are the newest of them: with all that are later than the oldest of them.
fn are_newest(all: &Keys, found: &Keys) -> bool {
    let oldest = found.values().copied().min().unwrap_or(i64::MAX);
    let later = |keys: &Keys| keys.values().filter(|time| **time > oldest).count();
    !found.is_empty() && later(all) == later(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_stretch_is_compared_with_it() {
        let window = Window::new(0, 10_000);
        let rows = |count: u64| -> Keys { (0..count).map(|row| (row, 2_000 + row as i64)).collect() };
        let known = |all: u64, known: Keys| compare(&rows(all), &known, window);
        // One of nine is enough, but of few rows all; what lies outside or at a bound says nothing.
        assert!(matches!(known(1_000, rows(112)), Some(Look::Agrees)));
        assert!(known(1_000, rows(111)).is_none());
        assert!(matches!(known(50, rows(50)), Some(Look::Agrees)));
        assert!(known(50, rows(49)).is_none() && known(0, Keys::new()).is_none());
        let beyond = Keys::from([(5_000, -5), (5_001, 500), (5_002, 9_500), (5_003, 10_000)]);
        assert!(known(50, beyond).is_none());
        let other = Keys::from([(0, 2_000), (5_000, 5_000)]);
        assert!(matches!(known(50, other), Some(Look::Others(keys)) if keys == Keys::from([(5_000, 5_000)])));
    }

    #[test]
    fn the_newest_are_all_that_are_later_than_their_oldest() {
        let all: Keys = (0..100).map(|row| (row, row as i64 / 2)).collect();
        let from = |first: u64| -> Keys { (first..100).map(|row| (row, row as i64 / 2)).collect() };
        assert!(are_newest(&all, &from(60)) && are_newest(&all, &from(61)));
        let mut some = from(60);
        some.remove(&80);
        assert!(!are_newest(&all, &some) && !are_newest(&all, &Keys::new()));
    }
}
