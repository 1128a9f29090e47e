//! What a tenant's folder holds, summed over its journal.

use super::coverage::Coverage;
use super::folder::{failed, is_there, length, Folder, REJECTS};
use super::harmed::Harmed;
use super::journal::PartEntry;
use super::manifest::PartLine;
use super::part_file::hash_of;
use crate::error::{Error, Kind, Result};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The last part number of each partition.
    pub(crate) numbers: BTreeMap<String, u64>,
    /// Of the records' `CreationTime`, in seconds since 1970-01-01 UTC.
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) records: u64,
    pub(crate) rejects: u64,
    pub(crate) bytes: u64,
    pub(crate) uncompressed: u64,
    pub(crate) parts: Vec<PartLine>,
    /// Parts that are not as they were written.
    pub(crate) harmed: Harmed,
    pub(crate) coverage: Coverage,
}

impl Contents {
    pub(crate) fn add(&mut self, entry: PartEntry) {
        if let Some((partition, file)) = entry.part.split_once('/') {
            let number = file
                .trim_start_matches("part-")
                .split('.')
                .next()
                .and_then(|number| number.parse().ok());
            let highest = self.numbers.entry(partition.to_owned()).or_default();
            *highest = number.unwrap_or(0).max(*highest);
            if partition == REJECTS {
                self.rejects += entry.records;
            } else {
                self.records += entry.records;
            }
        }
        self.first = [self.first, entry.first].into_iter().flatten().min();
        self.last = self.last.max(entry.last);
        let uncompressed_bytes = entry.uncompressed.unwrap_or(entry.bytes);
        self.bytes += entry.bytes;
        self.uncompressed += uncompressed_bytes;
        self.parts.push(PartLine {
            path: entry.part,
            records: entry.records,
            bytes: entry.bytes,
            uncompressed_bytes,
            sha256: entry.sha256,
        });
    }

    /// Gives a journaled part its name, if a crash came before that. False where it is not as it was written, which is noted.
    pub(crate) fn finish(&mut self, folder: &Folder, entry: &PartEntry) -> Result<bool> {
        let temporary = folder.path(&entry.temporary);
        if let Some(bytes) = length(&folder.path(&entry.part))? {
            // Reading every part again would cost as much as the export; a size costs nothing.
            let is_whole = bytes == entry.bytes;
            if !is_whole {
                self.harmed.add_resized(&entry.part);
            }
            return Ok(is_whole);
        }
        if !is_there(&temporary)? {
            self.harmed.add_gone(&entry.part);
            return Ok(false);
        }
        let hash = hash_of(&temporary).map_err(|cause| failed("read", &temporary, &cause))?;
        if hash != entry.sha256 {
            let text = format!(
                "{} is damaged: it is not what the journal says was written",
                temporary.display()
            );
            return Err(Error::new(Kind::Storage, text).advise(
                "Check the disk, then write the tenant's folder anew with Export-SecureAppAuditLog -Force, or choose another -Path.",
            ));
        }
        folder.place(&entry.temporary, &entry.part)?;
        folder.sync_directory_of(&entry.part)?;
        Ok(true)
    }
}
