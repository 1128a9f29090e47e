//! Stretches of time, and sets of them.

use serde::{Deserialize, Serialize};

/// A time range, half-open, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Window {
    pub start: i64,
    pub end: i64,
}

impl Window {
    pub fn new(start: i64, end: i64) -> Self {
        Window { start, end }
    }

    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// From the first moment of either to the last.
    pub fn hull(self, other: Window) -> Window {
        Window::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// What lies in both; empty where nothing does.
    pub fn intersect(self, other: Window) -> Window {
        Window::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// A set of moments: windows in order that neither overlap nor touch.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(from = "Vec<Window>")]
pub struct Windows(Vec<Window>);

impl Windows {
    pub fn iter(&self) -> impl Iterator<Item = Window> + '_ {
        self.0.iter().copied()
    }

    pub fn add(&mut self, window: Window) {
        if window.is_empty() {
            return;
        }
        let mut whole = window;
        self.0.retain(|known| {
            let apart = known.end < whole.start || whole.end < known.start;
            if !apart {
                whole = Window::new(whole.start.min(known.start), whole.end.max(known.end));
            }
            apart
        });
        let at = self.0.partition_point(|known| known.start < whole.start);
        self.0.insert(at, whole);
    }

    pub fn remove(&mut self, window: Window) {
        if window.is_empty() {
            return;
        }
        let sides = |known: Window| {
            let before = Window::new(known.start, known.end.min(window.start));
            let after = Window::new(known.start.max(window.end), known.end);
            [before, after].into_iter().filter(|side| !side.is_empty())
        };
        self.0 = std::mem::take(&mut self.0).into_iter().flat_map(sides).collect();
    }

    /// What of `window` is not in the set.
    pub fn missing(&self, window: Window) -> Windows {
        let mut missing = Windows::from(vec![window]);
        self.iter().for_each(|known| missing.remove(known));
        missing
    }

    /// From the first moment to the last.
    pub fn hull(&self) -> Option<Window> {
        Some(Window::new(self.0.first()?.start, self.0.last()?.end))
    }
}

impl From<Vec<Window>> for Windows {
    fn from(windows: Vec<Window>) -> Self {
        let mut set = Windows::default();
        windows.into_iter().for_each(|window| set.add(window));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(windows: &Windows) -> Vec<i64> {
        windows.iter().flat_map(|window| window.start..window.end).collect()
    }

    proptest! {
        #[test]
        fn it_is_the_set_of_its_moments(steps in prop::collection::vec((any::<bool>(), 0i64..30, -2i64..12), 0..30)) {
            let mut windows = Windows::default();
            let mut model = std::collections::BTreeSet::new();
            for (add, start, length) in steps {
                let window = Window::new(start, start + length);
                if add {
                    windows.add(window);
                    model.extend(window.start..window.end);
                } else {
                    windows.remove(window);
                    model.retain(|moment| !(window.start..window.end).contains(moment));
                }
                prop_assert_eq!(members(&windows), model.iter().copied().collect::<Vec<_>>());
                // No window touches the next, so equal sets are equal.
                prop_assert!(windows.0.windows(2).all(|pair| pair[0].end < pair[1].start));
                let all = Window::new(-5, 50);
                let missing = members(&windows.missing(all));
                prop_assert_eq!(missing, (all.start..all.end).filter(|moment| !model.contains(moment)).collect::<Vec<_>>());
            }
        }
    }
}
