//! Where a search's rows go, and what becomes of records that come cut short: they are kept aside until they were asked for
//! again. What does not come whole then either is a gap with the record's name, and its row is kept as it came.

use super::super::records::Records;
use super::super::{Delivery, Window};
use super::divide;
use super::row::Row;
use crate::error::Result;
use crate::export::time;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of rows that are kept aside at most; what is beyond them is handed on at once, and not asked for again.
const KEPT: usize = 1 << 20;
/// Gaps of a second each that are named; what is beyond them is one.
const NAMED: usize = 100;
/// Records that a gap names.
const NAMES: usize = 3;

/// Takes in the rows of all sessions over a part.
pub(super) struct Intake<'a> {
    /// None for rows that nobody wants.
    records: Option<Records<'a>>,
    is_newest: bool,
    aside: Mutex<Aside>,
}

#[derive(Default)]
struct Aside {
    cut: HashMap<u64, Cut>,
    /// The bytes of their rows.
    bytes: usize,
    /// What came cut short when there was no room for more, and where.
    beyond: Option<(Window, u64)>,
    is_again: bool,
}

struct Cut {
    id: Option<String>,
    /// The second in which it happened, or the stretch in which it was found.
    window: Window,
    /// The row.
    text: Vec<u8>,
    is_asked: bool,
}

impl<'a> Intake<'a> {
    pub(super) fn new(delivery: &'a mut Delivery) -> Self {
        Intake {
            records: Some(Records::new(delivery)),
            is_newest: false,
            aside: Mutex::default(),
        }
    }

    /// Of rows of which only the newest are wanted.
    pub(super) fn newest(delivery: &'a mut Delivery) -> Self {
        Intake {
            is_newest: true,
            ..Intake::new(delivery)
        }
    }

    /// Of rows that are only counted.
    pub(super) fn nowhere() -> Self {
        Intake {
            records: None,
            is_newest: false,
            aside: Mutex::default(),
        }
    }

    pub(super) fn is_newest(&self) -> bool {
        self.is_newest
    }

    /// True once records are asked for again.
    pub(super) fn is_again(&self) -> bool {
        self.aside().is_again
    }

    /// Takes rows that were found in `stretch`.
    pub(super) async fn add(&self, rows: Vec<Row>, stretch: Window) -> Result<()> {
        let Some(records) = &self.records else { return Ok(()) };
        let whole = self.aside().sort(rows, stretch, self.is_newest);
        records.add(&whole).await
    }

    /// A stretch cannot be had.
    pub(super) fn lack(&self, window: Window, reason: &str) {
        if let Some(records) = &self.records {
            records.lack(window, reason);
        }
    }

    /// The stretches in which records were cut short that were not asked for again yet; they are from now on. `density` is rows
    /// per millisecond, where it is known.
    pub(super) fn due(&self, density: Option<f64>) -> Vec<Window> {
        let mut aside = self.aside();
        let due = aside.cut.values_mut().filter(|cut| !cut.is_asked);
        let windows = due.map(|cut| {
            cut.is_asked = true;
            cut.window
        });
        let windows = divide::again(windows.collect(), density);
        aside.is_again |= !windows.is_empty();
        windows
    }

    /// Hands on the rows of what never came whole, names it, and ends the part.
    pub(super) async fn finish(self) -> Result<()> {
        let Some(records) = self.records else { return Ok(()) };
        let Aside { cut, beyond, .. } = self.aside.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((window, count)) = beyond {
            let reason = format!(
                "{count} rows came without a whole record, too many to be asked for again; they are kept as they came"
            );
            records.lack(window, &reason);
        }
        let mut gaps: BTreeMap<(i64, i64), Vec<String>> = BTreeMap::new();
        let mut texts = Vec::with_capacity(cut.len());
        for cut in cut.into_values() {
            let names = gaps.entry((cut.window.start, cut.window.end)).or_default();
            names.push(cut.id.unwrap_or_else(|| "without an id".to_owned()));
            texts.push(cut.text);
        }
        records.add(&texts).await?;
        let mut rest: Option<(Window, Vec<String>)> = None;
        for (number, ((start, end), names)) in gaps.into_iter().enumerate() {
            let window = Window::new(start, end);
            if number < NAMED {
                records.lack(window, &reason(window, names));
            } else if let Some((whole, all)) = &mut rest {
                *whole = whole.hull(window);
                all.extend(names);
            } else {
                rest = Some((window, names));
            }
        }
        if let Some((window, names)) = rest {
            records.lack(window, &reason(window, names));
        }
        records.finish().await
    }

    fn aside(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside {
    /// Gives what can be handed on of rows and keeps the rest.
    fn sort(&mut self, rows: Vec<Row>, stretch: Window, is_newest: bool) -> Vec<Vec<u8>> {
        let mut whole = Vec::with_capacity(rows.len());
        for row in rows {
            // The newest were counted already; what comes besides where they are asked for again is none of them.
            let only_known = is_newest && self.is_again;
            if row.is_record {
                let was_cut = !self.cut.is_empty() && self.healed(row.key);
                if was_cut || !only_known {
                    whole.push(row.record);
                }
            } else if !only_known {
                let second = row.created.map(|time| Window::new(time, time + 1000));
                let window = second.filter(|second| stretch.start < second.end && second.start < stretch.end);
                let window = window.unwrap_or(stretch);
                if self.cut.contains_key(&row.key) {
                    continue;
                }
                if self.bytes + row.record.len() > KEPT {
                    let (hull, count) = self.beyond.unwrap_or((window, 0));
                    self.beyond = Some((hull.hull(window), count + 1));
                    whole.push(row.record);
                    continue;
                }
                self.bytes += row.record.len();
                let cut = Cut {
                    id: row.id,
                    window,
                    text: row.record,
                    is_asked: false,
                };
                self.cut.insert(row.key, cut);
            }
        }
        whole
    }

    /// True where this one was cut short before.
    fn healed(&mut self, key: u64) -> bool {
        let cut = self.cut.remove(&key);
        self.bytes -= cut.as_ref().map_or(0, |cut| cut.text.len());
        cut.is_some()
    }
}

#[cold]
fn reason(window: Window, mut names: Vec<String>) -> String {
    names.sort_unstable();
    let others = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    let others = match others {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    format!(
        "records came cut short, also when they were asked for again: {}{others}, of {}; their rows are kept as they came, and the next \
         run asks again",
        names.join(", "),
        time::iso(window.start)
    )
}
