//! One tenant's folder: its lock, its names, and writes that survive a crash.
//!
//! ```text
//! tenant=<guid>/manifest.json            what is here, for people and for whoever reads the parts
//! tenant=<guid>/date=<day>/part-<n>.<ext>   the records, by the UTC day of their CreationTime; <ext> is ndjson or csv, then .gz or .zst
//! tenant=<guid>/date=unknown/part-<n>.<ext> records whose CreationTime cannot be read
//! tenant=<guid>/rejects/part-<n>.ndjson  what is no valid JSON text, in Base64 with the reason
//! tenant=<guid>/_subscriptions.json      when exports started the tenant's subscriptions; stays when all else is removed
//! tenant=<guid>/_journal, _lock, _restart, _*.tmp   ours; readers of partitioned folders skip names with `_`
//! ```

use crate::error::{Error, Kind, Result};
use fs2::FileExt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const JOURNAL: &str = "_journal";
pub(crate) const REJECTS: &str = "rejects";
/// The id of the error that says that another export writes to the folder.
pub(crate) const IN_USE: &str = "FolderInUse";
const LOCK: &str = "_lock";
pub(crate) const RESTART: &str = "_restart";

/// A tenant's folder, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing and takes its lock.
    pub(crate) fn open(base: &Path, tenant: &str) -> Result<Self> {
        let root = base.join(format!("tenant={tenant}"));
        make_directories(&root)?;
        let path = root.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|cause| failed("open the lock file", &path, &cause))?;
        match FileExt::try_lock_exclusive(&lock) {
            Ok(()) => {}
            Err(cause) if cause.kind() == fs2::lock_contended_error().kind() => {
                let text = format!("another export is writing to {}", root.display());
                return Err(Error::new(Kind::Storage, text)
                    .with_id(IN_USE)
                    .advise("Wait until it has ended, or give this export another -Path."));
            }
            Err(cause) => return Err(failed("lock", &path, &cause)),
        }
        let folder = Folder { root, _lock: lock };
        if is_there(&folder.path(RESTART))? {
            folder.clear()?;
        }
        sync_directory(base)?;
        Ok(folder)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Removes what exports have put here, and nothing else. A crash in the middle of it is made good by the next open.
    pub(crate) fn clear(&self) -> Result<()> {
        let mark = self.path(RESTART);
        File::create(&mark)
            .and_then(|file| file.sync_all())
            .map_err(|cause| failed("write", &mark, &cause))?;
        sync_directory(&self.root)?;
        for (name, path) in self.entries()? {
            let removed = if has_parts(&name) {
                fs::remove_dir_all(&path)
            } else if name == JOURNAL || name == MANIFEST || is_temporary(&name) {
                fs::remove_file(&path)
            } else {
                Ok(())
            };
            removed.map_err(|cause| failed("remove", &path, &cause))?;
        }
        sync_directory(&self.root)?;
        fs::remove_file(&mark).map_err(|cause| failed("remove", &mark, &cause))
    }

    /// True where parts lie here.
    pub(crate) fn has_parts(&self) -> Result<bool> {
        Ok(self.entries()?.iter().any(|(name, _)| has_parts(name)))
    }

    /// Removes the temporary files of a run that did not end well.
    pub(crate) fn remove_temporaries(&self) -> Result<()> {
        for (name, path) in self.entries()? {
            if is_temporary(&name) {
                fs::remove_file(&path).map_err(|cause| failed("remove", &path, &cause))?;
            }
        }
        Ok(())
    }

    /// Puts a finished temporary file in its place. The directory is not synced yet.
    pub(crate) fn place(&self, temporary: &str, part: &str) -> Result<()> {
        let from = self.path(temporary);
        let to = self.path(part);
        if let Some(directory) = to.parent() {
            if !is_there(directory)? {
                fs::create_dir_all(directory).map_err(|cause| failed("make the folder", directory, &cause))?;
                sync_directory(&self.root)?;
            }
        }
        fs::rename(&from, &to).map_err(|cause| failed("rename a finished part to", &to, &cause))
    }

    /// Makes the renames into the directory of `part` last.
    pub(crate) fn sync_directory_of(&self, part: &str) -> Result<()> {
        match self.path(part).parent() {
            Some(directory) => sync_directory(directory),
            None => Ok(()),
        }
    }

    /// Replaces a file as a whole: a reader sees the old text or the new one, also after a crash.
    pub(crate) fn write_atomically(&self, name: &str, text: &[u8]) -> Result<()> {
        write_atomically(&self.root, name, text)
    }

    fn entries(&self) -> Result<Vec<(String, PathBuf)>> {
        let read = || -> io::Result<Vec<(String, PathBuf)>> {
            fs::read_dir(&self.root)?
                .map(|entry| entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())))
                .collect()
        };
        read().map_err(|cause| failed("list", &self.root, &cause))
    }
}

/// True where an export writes to the folder now. Keeps nobody out.
pub(crate) fn is_locked(root: &Path) -> Result<bool> {
    let path = root.join(LOCK);
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(failed("open the lock file", &path, &cause)),
    };
    match FileExt::try_lock_shared(&lock) {
        Ok(()) => Ok(false),
        Err(cause) if cause.kind() == fs2::lock_contended_error().kind() => Ok(true),
        Err(cause) => Err(failed("lock", &path, &cause)),
    }
}

/// As [`Folder::write_atomically`], for who has only the path of a folder that somebody else has locked.
pub(crate) fn write_atomically(root: &Path, name: &str, text: &[u8]) -> Result<()> {
    let temporary = root.join(format!("_{name}.tmp"));
    let target = root.join(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    if let Err(cause) = written {
        // A half-written temporary file would only fill a full disk further.
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", &target, &cause));
    }
    fs::rename(&temporary, &target).map_err(|cause| failed("replace", &target, &cause))?;
    sync_directory(root)
}

/// The length of a file; `None` where there is none. That it cannot be looked at does not say that it is gone.
pub(crate) fn length(path: &Path) -> Result<Option<u64>> {
    look_at(path).map(|about| about.map(|about| about.len()))
}

pub(crate) fn is_there(path: &Path) -> Result<bool> {
    look_at(path).map(|about| about.is_some())
}

pub(crate) fn is_directory(path: &Path) -> Result<bool> {
    look_at(path).map(|about| about.is_some_and(|about| about.is_dir()))
}

fn look_at(path: &Path) -> Result<Option<Metadata>> {
    match path.metadata() {
        Ok(about) => Ok(Some(about)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(failed("look at", path, &cause)),
    }
}

/// Makes a directory and those above it that are missing, and makes the names of all of them last.
fn make_directories(path: &Path) -> Result<()> {
    let mut missing = Vec::new();
    for directory in path.ancestors().take_while(|at| !at.as_os_str().is_empty()) {
        if is_there(directory)? {
            break;
        }
        missing.push(directory);
    }
    fs::create_dir_all(path).map_err(|cause| failed("make the folder", path, &cause))?;
    let mut holders = missing.iter().filter_map(|made| made.parent());
    holders.try_for_each(|holder| match holder.as_os_str().is_empty() {
        true => sync_directory(Path::new(".")),
        false => sync_directory(holder),
    })
}

/// True of the folders that parts lie in.
pub(crate) fn has_parts(name: &str) -> bool {
    name.starts_with("date=") || name == REJECTS
}

pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('_') && name.ends_with(".tmp")
}

/// A storage failure with what the administrator can do about it.
#[cold]
pub(crate) fn failed(action: &str, path: &Path, cause: &io::Error) -> Error {
    let advice = match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Give this account write access to the folder, or choose another -Path."
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Free space on that disk, then run the same export again: it goes on where it stopped."
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "Choose a -Path that is a folder.",
        _ => "Check the disk and the folder, then run the same export again: it goes on where it stopped.",
    };
    Error::storage(action, path, cause).advise(advice)
}

/// Makes names that were added to a directory last. Windows has no such call; its rename is as lasting as it gets.
pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    #[cfg(test)]
    tests::SYNCED.with_borrow_mut(|synced| synced.push(path.to_owned()));
    if cfg!(unix) {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(|cause| failed("sync", path, &cause))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        /// The directories that this thread has synced.
        pub(crate) static SYNCED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn every_folder_that_is_made_has_its_name_synced() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("audit/of/partner");
        SYNCED.take();
        drop(Folder::open(&path, "t").unwrap());
        let synced = SYNCED.take();
        for holder in ["", "audit", "audit/of", "audit/of/partner"] {
            assert!(synced.contains(&base.path().join(holder)), "{holder} {synced:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_what_is_not_found_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        assert_eq!((length(&path).unwrap(), is_there(&path).unwrap()), (None, false));
        fs::write(&path, "abc").unwrap();
        assert_eq!(length(&path).unwrap(), Some(3));
        // Below a file nothing can be, and a link to itself leads nowhere: neither says what was there.
        let around = folder.path().join("around");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        for path in [path.join("part"), around] {
            let error = length(&path).unwrap_err();
            assert!(error.message().contains(&*path.to_string_lossy()), "{error}");
        }
    }

    #[test]
    fn a_full_or_read_only_disk_says_what_to_do() {
        let path = Path::new("/data/tenant=x/_date=2026-01-02.part-1.tmp");
        for (kind, advice) in [
            (io::ErrorKind::StorageFull, "Free space on that disk"),
            (io::ErrorKind::QuotaExceeded, "Free space on that disk"),
            (io::ErrorKind::PermissionDenied, "write access"),
            (io::ErrorKind::ReadOnlyFilesystem, "write access"),
        ] {
            let error = failed("write", path, &io::Error::from(kind));
            assert_eq!(error.kind(), Kind::Storage);
            assert!(error.message().contains("/data/tenant=x"), "{error}");
            assert!(error.advice().contains(advice), "{}", error.advice());
        }
    }
}
