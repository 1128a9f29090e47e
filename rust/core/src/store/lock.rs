//! A lock that other processes of this user see, with a few words in it for whoever takes it next.
//!
//! The file says which refresh token is being redeemed, by its digest. Where a process is killed between a redemption and
//! the store's write, the words are what tells the next one that the stored token may be spent.

use crate::error::{Error, Kind, Result};
use fs2::FileExt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks whether the lock is free.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A taken lock; dropping it, or the end of the process, gives it back.
pub(super) struct FileLock {
    file: File,
    path: PathBuf,
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// A redemption of the token with this digest was begun and its outcome is not in the store.
    pub(super) begun: Option<String>,
    /// The token with this digest is known to be spent.
    pub(super) spent: Option<String>,
}

impl FileLock {
    /// Waits until nobody else holds the lock. Dropping the future gives up.
    pub(super) async fn take(place: &str) -> Result<Self> {
        let path = folder()?.join(format!("{}.lock", digest(place)));
        let file = open(&path)?;
        loop {
            match file.try_lock_exclusive() {
                Ok(()) => return Ok(FileLock { file, path }),
                Err(cause) if cause.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(cause) => return Err(Error::storage("lock", &path, &cause)),
            }
        }
    }

    pub(super) fn read(&mut self) -> Result<Note> {
        let mut text = String::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&self.file).take(4096).read_to_string(&mut text))
            .map_err(|cause| Error::storage("read", &self.path, &cause))?;
        let word = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .map(str::to_owned)
        };
        Ok(Note {
            begun: word("begun"),
            spent: word("spent"),
        })
    }

    /// Writes, and waits until it is on the disk: it must be there before the redemption is sent.
    pub(super) fn write(&mut self, note: &Note) -> Result<()> {
        let mut text = String::new();
        for (name, word) in [("begun", &note.begun), ("spent", &note.spent)] {
            if let Some(word) = word {
                text.push_str(&format!("{name} {word}\n"));
            }
        }
        let write = || {
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(text.as_bytes())?;
            self.file.set_len(text.len() as u64)?;
            self.file.sync_all()
        };
        let mut write = write;
        write().map_err(|cause| Error::storage("write", &self.path, &cause))
    }
}

/// A digest that tells texts apart and gives none of them away: the token's own is too long and too random to be guessed.
pub(super) fn digest(text: &str) -> String {
    openssl::sha::sha256(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|cause| Error::storage("open", path, &cause))
}

/// This user's folder for what outlives a process: `%LOCALAPPDATA%`, `~/Library/Application Support`, or `$XDG_STATE_HOME`
/// with its default `~/.local/state` (XDG Base Directory Specification). Where there is no home that can be written, as in
/// some containers, the temporary folder.
fn folder() -> Result<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")))
    };
    let candidates = home.into_iter().chain([std::env::temp_dir()]);
    let mut failure = None;
    for parent in candidates {
        let folder = parent.join("secureappmodel");
        match make(&folder) {
            Ok(()) => return Ok(folder),
            Err(cause) => failure = Some(Error::storage("make the folder", &folder, &cause)),
        }
    }
    Err(failure
        .unwrap_or_else(|| Error::new(Kind::Storage, "there is no folder for locks"))
        .advise("Set HOME (on Windows LOCALAPPDATA) to a folder that this user may write to."))
}

fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}
