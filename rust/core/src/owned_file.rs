//! Files that only their owner may read, and that are never half there.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A name beside the file, on the same disk.
pub(crate) fn temporary(path: &Path) -> Result<PathBuf> {
    let mut random = [0; 8];
    openssl::rand::rand_bytes(&mut random)
        .map_err(|cause| Error::internal(format!("there are no random numbers for a file's name: {cause}")))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.tmp", u64::from_le_bytes(random)));
    Ok(path.with_file_name(name))
}

/// A new file; a private one is its owner's alone from the first byte on. Windows takes the folder's permissions, and the host narrows
/// them.
pub(crate) fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

pub(crate) fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a private file in place of whatever is at `path`, which stays until the new one is whole.
pub(crate) fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = create(temporary, true)
        .and_then(|file| fill(file, bytes))
        .and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        // Half a file is of no use, and why it is half is said.
        let _ = fs::remove_file(temporary);
    }
    written
}
