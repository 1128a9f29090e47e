//! Parts that lie in a tenant's folder although its journal does not name them: an older journal was put back, or somebody
//! copied files there. No crash leaves such a part, because the journal names each before it gets its name. What is in it is
//! not known, so an export would write those records again, and whoever reads the folder would count them twice.

use super::folder::{self, failed, is_directory};
use super::harmed::told;
use crate::error::{Error, Kind, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The names below the tenant's folder, with `/`.
#[derive(Debug)]
pub(crate) struct Unnamed(BTreeSet<String>);

impl Unnamed {
    /// All parts that are there; nothing where there is no folder.
    pub(crate) fn list(root: &Path) -> Result<Self> {
        let mut parts = BTreeSet::new();
        for (directory, _) in entries(root)? {
            let path = root.join(&directory);
            if !folder::has_parts(&directory) || !is_directory(&path)? {
                continue;
            }
            let files = entries(&path)?.into_iter();
            parts.extend(
                files
                    .filter(|(name, is_directory)| !is_directory && is_part(name))
                    .map(|(name, _)| format!("{directory}/{name}")),
            );
        }
        Ok(Unnamed(parts))
    }

    /// Notes that the journal names a part.
    pub(crate) fn journaled(&mut self, part: &str) {
        self.0.remove(part);
    }

    /// An error that names some of those that are left.
    pub(crate) fn refuse(self, root: &Path) -> Result<()> {
        let parts: Vec<String> = self.0.into_iter().collect();
        match told(&parts, "is not named by the journal", "are not named by the journal") {
            None => Ok(()),
            Some(told) => Err(refused(root, &told)),
        }
    }
}

#[cold]
fn refused(root: &Path, told: &str) -> Error {
    let text = format!(
        "in {}, {told}, so what is in there would be written again",
        root.display()
    );
    Error::new(Kind::Storage, text).advise(
        "Look into the folder with Test-SecureAppAuditExport. If an older journal was put back, put the latest one back. Otherwise move \
         these files elsewhere, or write the tenant's folder anew with Export-SecureAppAuditLog -Force, as far as the source still has \
         the records.",
    )
}

/// The names in a directory, and which of them are directories.
fn entries(directory: &Path) -> Result<Vec<(String, bool)>> {
    let read = || -> io::Result<Vec<(String, bool)>> {
        fs::read_dir(directory)?
            .map(|entry| {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Ok((name, entry.file_type()?.is_dir()))
            })
            .collect()
    };
    match read() {
        Ok(entries) => Ok(entries),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(failed("list", directory, &cause)),
    }
}

/// True of what readers of the folder take for records, in any format.
fn is_part(name: &str) -> bool {
    let text = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(name);
    name.starts_with("part-") && (text.ends_with(".ndjson") || text.ends_with(".csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_hold_records_counts() {
        let root = tempfile::tempdir().unwrap();
        let day = root.path().join("date=2026-01-02");
        for directory in [&day.join("part-9.csv"), &root.path().join("rejects")] {
            fs::create_dir_all(directory).unwrap();
        }
        for name in [
            "date=2026-01-02/part-1.ndjson",
            "date=2026-01-02/part-2.csv.gz",
            "date=2026-01-02/part-3 (conflicted copy).ndjson.zst",
            "date=2026-01-02/_SUCCESS",
            "date=2026-01-02/part-4.ndjson.md5",
            "date=2026-01-02/notes.csv",
            "rejects/part-1.ndjson",
            "part-1.ndjson",
            "date=2026-01-03",
            "_date=2026-01-02.part-5.tmp",
        ] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let mut unnamed = Unnamed::list(root.path()).unwrap();
        unnamed.journaled("rejects/part-1.ndjson");
        let error = unnamed.refuse(root.path()).unwrap_err();
        let told = "date=2026-01-02/part-1.ndjson, date=2026-01-02/part-2.csv.gz, date=2026-01-02/part-3 (conflicted \
                    copy).ndjson.zst are not named by the journal";
        assert!(error.message().contains(told), "{error}");
        let nowhere = Unnamed::list(&root.path().join("nowhere")).unwrap();
        nowhere.refuse(root.path()).unwrap();
    }
}
