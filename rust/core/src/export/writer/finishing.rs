//! How parts in progress become parts: the order of the writes that makes every crash recoverable.

use super::{Step, Writer};
use crate::error::Result;
use crate::export::folder::sync_directory;
use crate::export::journal::{Line, PartEntry};
use crate::export::partition::Partition;
use crate::export::time;

impl Writer {
    /// Temporary parts and their names synced, journal synced, renames, directories synced: in this order, for all of them together.
    pub(super) fn finish_parts(&mut self, partitions: Vec<Partition>) -> Result<()> {
        let mut entries = self.finish_temporaries(&partitions)?;
        if entries.is_empty() {
            return Ok(());
        }
        self.reached(Step::PartSynced)?;
        // Where this fails, the journal may name some of them all the same: the next export finds out.
        self.journal.append(entries.iter().map(Line::Part))?;
        self.reached(Step::Journaled)?;
        let (placed, result) = self.place(&entries);
        // What has its name is in the output, whatever came after it. The next export places what has not.
        entries.truncate(placed);
        self.count(entries);
        result
    }

    /// Makes the temporary files whole and lasting. Where that fails, the journal knows none of them yet, and they are removed.
    fn finish_temporaries(&mut self, partitions: &[Partition]) -> Result<Vec<PartEntry>> {
        let now = time::now();
        let mut entries: Vec<PartEntry> = Vec::with_capacity(partitions.len());
        let mut result = Ok(());
        for partition in partitions {
            let Some((part, _)) = self.open.remove(partition) else {
                continue;
            };
            self.pending -= part.records();
            let temporaries = part.temporaries();
            match part.finish(now) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    temporaries.iter().for_each(|name| self.remove_temporary(name));
                    result = Err(error);
                    break;
                }
            }
        }
        if result.is_ok() && !entries.is_empty() {
            // A synced file lasts, but not its name: of what the journal names after this, a power cut would leave nothing that the
            // next export could place, while the records in it are known for written.
            result = sync_directory(self.folder.root());
        }
        match result {
            Ok(()) => Ok(entries),
            Err(error) => {
                entries.iter().for_each(|entry| self.remove_temporary(&entry.temporary));
                Err(error)
            }
        }
    }

    /// Gives journaled parts their names, and says how many have them.
    fn place(&self, entries: &[PartEntry]) -> (usize, Result<()>) {
        for (placed, entry) in entries.iter().enumerate() {
            if let Err(error) = self.folder.place(&entry.temporary, &entry.part) {
                return (placed, Err(error));
            }
        }
        let last = self.reached(Step::Renamed).and_then(|()| {
            let mut entries = entries.iter();
            entries.try_for_each(|entry| self.folder.sync_directory_of(&entry.part))?;
            self.reached(Step::DirectorySynced)
        });
        (entries.len(), last)
    }

    fn count(&mut self, placed: Vec<PartEntry>) {
        let before = (self.contents.records, self.contents.rejects, self.contents.bytes);
        placed.into_iter().for_each(|entry| self.contents.add(entry));
        self.counts.records += self.contents.records - before.0;
        self.counts.rejects += self.contents.rejects - before.1;
        self.counts.bytes += self.contents.bytes - before.2;
    }
}
