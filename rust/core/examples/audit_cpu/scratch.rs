//! A folder for what measurements write. What one has written is emptied after it and deleted at the end of all: some file systems
//! are slow to create files just after many were deleted, and the next measurement would pay for the one before.

use super::Outcome;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Scratch(tempfile::tempdir()?))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Gives the space back.
    pub(crate) fn empty(&self) -> Outcome<()> {
        empty(self.folder())
    }
}

fn empty(folder: &Path) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => empty(&entry.path())?,
            false => fs::OpenOptions::new().write(true).open(entry.path())?.set_len(0)?,
        }
    }
    Ok(())
}
