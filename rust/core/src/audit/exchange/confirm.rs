//! A second look at a stretch whose search was silent about its end.
//!
//! The second search uses the other of the two session commands, which gives its rows in another order and has limits of its own, and
//! stops as soon as it has shown enough: as many rows as the first, or the newest 5,000 where the first has more. A first search
//! that ended too early has left rows out all over the time, so it does not have those 5,000. Where earlier searches over longer
//! stretches gave enough rows of this one, they serve as well.

use super::super::Window;
use super::session::{Command, Keys, Session, PAGE, SILENCE};
use crate::error::Result;
use std::collections::HashSet;

/// What a second search says of the first.
pub(super) enum Look {
    /// It gave the same rows, as far as it can.
    Agrees,
    /// It gave rows that the first did not: their keys.
    Others(HashSet<u64>),
    /// It did not show enough.
    Unclear,
}

/// Of how many rows one has to be known from elsewhere, so that these show as much as a second search does.
const SHARE: usize = 9;

/// Compares with what is known already, and where that is too little asks by the other command until it is clear. Rows that the first
/// has not are taken in.
pub(super) async fn look(first: &Session<'_, '_>) -> Result<Look> {
    if let Some(look) = compare(&first.keys, first.over.known, first.over.window) {
        return Ok(look);
    }
    let command = match first.command {
        Command::LargeSet => Command::Preview(PAGE),
        Command::Preview(_) => Command::LargeSet,
    };
    let over = first.over;
    let mut second = Session::new(over, command)?;
    let mut found = Keys::new();
    let mut others = HashSet::new();
    let (mut rows, mut nothing) = (0, 0);
    loop {
        let before = found.len();
        let page = second.page(|row| {
            found.insert(row.key, row.created.unwrap_or(i64::MIN));
            let is_other = !first.keys.contains_key(&row.key);
            if is_other {
                others.insert(row.key);
            }
            // Where only the newest are wanted, nobody knows whether it is one of them.
            is_other && !over.intake.is_newest()
        });
        match page.await {
            Ok(page) => rows += page.rows,
            Err(error) if error.is_retryable() => return Ok(Look::Unclear),
            Err(error) => return Err(error),
        }
        if !others.is_empty() {
            return Ok(Look::Others(others));
        }
        if found.len() >= first.keys.len() {
            return Ok(Look::Agrees);
        }
        if command == Command::Preview(PAGE) && rows >= PAGE {
            return Ok(match are_newest(&first.keys, &found) {
                true => Look::Agrees,
                false => Look::Unclear,
            });
        }
        // One that begins again gives nothing new either.
        nothing = if found.len() == before { nothing + 1 } else { 0 };
        if nothing >= SILENCE {
            return Ok(Look::Unclear);
        }
        over.wait(nothing).await;
    }
}

/// What rows that other searches have given of `window` say of one that gave `all`; `None` where they are too few.
fn compare(all: &Keys, known: &Keys, window: Window) -> Option<Look> {
    let inside = known
        .iter()
        .filter(|(_, time)| (window.start..window.end).contains(*time));
    let (had, others): (Vec<u64>, Vec<u64>) = inside.map(|(key, _)| *key).partition(|key| all.contains_key(key));
    if !others.is_empty() {
        return Some(Look::Others(others.into_iter().collect()));
    }
    (!had.is_empty() && had.len() * SHARE >= all.len()).then_some(Look::Agrees)
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
        let window = Window::new(100, 200);
        let all: Keys = (0..90).map(|row| (row, 100 + row as i64)).collect();
        let known = |keys: &[(u64, i64)]| compare(&all, &keys.iter().copied().collect(), window);
        // One of nine is enough; what lies outside says nothing.
        let ten: Vec<(u64, i64)> = (0..10).map(|row| (row, 100 + row as i64)).collect();
        assert!(matches!(known(&ten), Some(Look::Agrees)));
        assert!(known(&ten[..9]).is_none() && known(&[(500, 200), (501, 99)]).is_none());
        assert!(matches!(known(&[(0, 100), (500, 150)]), Some(Look::Others(keys)) if keys.contains(&500)));
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
