//! What lies in a tenant's folder.

use super::unreadable;
use crate::error::Result;
use crate::export::folder::{is_temporary, REJECTS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// The files that exports write, by their names below the folder, with `/`.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// In the days' folders and among the rejects, with their sizes.
    parts: BTreeMap<String, u64>,
    temporaries: BTreeSet<String>,
    journaled: BTreeSet<String>,
}

impl Files {
    pub(super) fn list(root: &Path) -> Result<Self> {
        let mut files = Files::default();
        each(root, &mut |name, path| {
            if is_temporary(name) {
                files.temporaries.insert(name.to_owned());
            } else if name.starts_with("date=") || name == REJECTS {
                each(path, &mut |file, path| {
                    let about = path.metadata().map_err(|cause| unreadable("read", path, &cause))?;
                    // As the readers of such folders do: what begins so is no data.
                    if about.is_file() && !file.starts_with(['_', '.']) {
                        files.parts.insert(format!("{name}/{file}"), about.len());
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        Ok(files)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.parts.values().sum()
    }

    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Notes that the journal names a part; false where it did before.
    pub(super) fn journaled(&mut self, part: &str, temporary: &str) -> bool {
        // Said of the part itself.
        self.temporaries.remove(temporary);
        self.journaled.insert(part.to_owned())
    }

    /// What is not named by the journal.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &str> {
        let named = |part: &&String| !self.journaled.contains(*part);
        self.parts.keys().filter(named).map(String::as_str)
    }

    /// What waits for a name that the journal does not know.
    pub(super) fn temporaries(&self) -> impl Iterator<Item = &str> {
        self.temporaries.iter().map(String::as_str)
    }
}

/// Calls `found` with the name and the path of each entry of a directory.
fn each(directory: &Path, found: &mut dyn FnMut(&str, &Path) -> Result<()>) -> Result<()> {
    let fail = |cause: &io::Error| unreadable("list", directory, cause);
    for entry in fs::read_dir(directory).map_err(|cause| fail(&cause))? {
        let entry = entry.map_err(|cause| fail(&cause))?;
        found(&entry.file_name().to_string_lossy(), &entry.path())?;
    }
    Ok(())
}
