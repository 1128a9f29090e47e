//! Parts that somebody has taken away or changed since they were written. What was in them stays known: whoever has taken a part
//! elsewhere would get its records twice. But the folder does not hold them, and whoever exports is told.

use super::check::Subject;
use super::dedupe::{Entry, Seen};
use super::folder::{is_there, length};
use super::journal::PartEntry;
use super::known::Known;
use crate::error::Result;
use std::path::Path;

/// Parts that a text names; the others are counted.
const NAMED: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Harmed {
    gone: Vec<String>,
    resized: Vec<String>,
    /// The records that were in them.
    records: Option<Known>,
    /// One of these came again.
    is_missed: bool,
}

impl Harmed {
    pub(crate) fn add_gone(&mut self, part: &str) {
        self.gone.push(part.to_owned());
    }

    /// One that has not the size that it was written with.
    pub(crate) fn add_resized(&mut self, part: &str) {
        self.resized.push(part.to_owned());
    }

    /// Looks at a part that is only read of.
    pub(crate) fn look(&mut self, root: &Path, entry: &PartEntry) -> Result<()> {
        match length(&root.join(&entry.part))? {
            Some(bytes) if bytes != entry.bytes => self.add_resized(&entry.part),
            // Where it has its temporary name, an export that runs now gives it its own.
            None if !is_there(&root.join(&entry.temporary))? => self.add_gone(&entry.part),
            _ => {}
        }
        Ok(())
    }

    /// Where their records are remembered. `most` are in memory, the others in `folder`.
    pub(crate) fn records(&mut self, folder: &Path, most: usize) -> &mut Known {
        self.records.get_or_insert_with(|| Known::new(folder, most))
    }

    /// What is known of a record that came, if it was in one of them.
    pub(crate) fn find(&mut self, entry: &Entry) -> Result<Option<Seen>> {
        let Some(records) = &self.records else { return Ok(None) };
        let seen = records.find(entry)?;
        self.is_missed |= seen.is_some();
        Ok(seen)
    }

    /// What has become of them, for a person; `None` where every part is as it was written.
    pub(crate) fn text(&self) -> Option<String> {
        let gone = told(&self.gone, "is not there any more", "are not there any more");
        let resized = told(
            &self.resized,
            "has not the size that it was written with",
            "have not the size that they were written with",
        );
        let all: Vec<String> = gone.into_iter().chain(resized).collect();
        (!all.is_empty()).then(|| all.join(", and "))
    }

    /// The same with what to do about it.
    pub(crate) fn warning(&self, root: &Path) -> Option<String> {
        let text = self.text()?;
        let remedy = Subject::Missing.remedy();
        Some(format!("In {}, {text}. {remedy}", root.display()))
    }

    /// Why the folder lacks some of the records that came; `None` where it lacks none.
    pub(crate) fn missed(&self) -> Option<String> {
        let text = self.text().filter(|_| self.is_missed)?;
        Some(format!("some of the records that came are not in the folder: {text}"))
    }
}

/// "1, 2 and 3 more are ..": `one` is said of a single part.
pub(super) fn told(parts: &[String], one: &str, many: &str) -> Option<String> {
    let (named, others) = parts.split_at(parts.len().min(NAMED));
    match (named, others.len()) {
        ([], _) => None,
        ([part], _) => Some(format!("{part} {one}")),
        (_, 0) => Some(format!("{} {many}", named.join(", "))),
        (_, more) => Some(format!("{} and {more} more {many}", named.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_some_and_counts_the_others() {
        let mut harmed = Harmed::default();
        assert_eq!((harmed.text(), harmed.warning(Path::new("x"))), (None, None));
        harmed.add_resized("date=2026-01-01/part-1.csv");
        assert_eq!(
            harmed.text().unwrap(),
            "date=2026-01-01/part-1.csv has not the size that it was written with"
        );
        for number in 1..=7u32 {
            harmed.add_gone(&number.to_string());
        }
        let text = harmed.text().unwrap();
        assert!(
            text.starts_with("1, 2, 3, 4, 5 and 2 more are not there any more, and date="),
            "{text}"
        );
        assert!(harmed.warning(Path::new("/audit")).unwrap().contains("-Force"));
        assert_eq!(harmed.missed(), None, "no record of them has come");
    }
}
