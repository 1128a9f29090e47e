//! A folder in the machine's temporary one for what a platform leaves on its disk: key files and federated tokens.

use std::io;
use std::path::{Path, PathBuf};

/// Removed when it is dropped.
pub(crate) struct Folder {
    root: PathBuf,
    keys: PathBuf,
}

impl Folder {
    pub(crate) fn create() -> io::Result<Self> {
        let mut random = [0; 8];
        openssl::rand::rand_bytes(&mut random).map_err(io::Error::other)?;
        // With the process first: by it the next start tells what a killed one has left.
        let name = format!(
            "secureapp-sandbox-{}-{:016x}",
            std::process::id(),
            u64::from_le_bytes(random)
        );
        let root = std::env::temp_dir().join(name);
        // `create_dir`, not `create_dir_all`: a folder that is there already is somebody else's.
        std::fs::create_dir(&root)?;
        let keys = root.join("tokens");
        let folder = Folder { root, keys };
        std::fs::create_dir(&folder.keys)?;
        Ok(folder)
    }

    pub(crate) fn keys(&self) -> &Path {
        &self.keys
    }

    /// The file that a workload's federated token is in.
    pub(crate) fn federated_token(&self) -> PathBuf {
        self.root.join("azure-identity-token")
    }

    /// Removes it with everything in it.
    pub(crate) fn remove(&self) {
        // What cannot be removed opens nothing but a sandbox that has ended.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.remove();
    }
}
