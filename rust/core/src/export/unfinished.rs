//! What the exports into a tenant's folder have not got, read from its manifest and journal without touching either.

use super::coverage::Missing;
use super::folder::{self, failed, is_directory, is_there, JOURNAL, MANIFEST};
use super::harmed::Harmed;
use super::journal::{self, Header};
use super::manifest::Left;
use super::unnamed::Unnamed;
use crate::error::{Error, Kind, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A tenant's folder that is not complete.
#[derive(Debug)]
pub(crate) struct Unfinished {
    /// How it is written.
    pub(crate) header: Header,
    /// What its manifest remembers; nothing where that cannot be read.
    pub(crate) left: Left,
    /// What is missing, by source; nothing where no export can bring what makes it incomplete.
    pub(crate) missing: Vec<Missing>,
    /// What has become of its parts and what to do, where they are not as they were written.
    pub(crate) harm: Option<String>,
}

/// The folder of a tenant below `base`.
pub(crate) fn root(base: &Path, tenant: &str) -> PathBuf {
    base.join(format!("tenant={tenant}"))
}

/// The tenants that have a folder below `base`; blocks.
pub(crate) fn tenants(base: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(base) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed("list", base, &cause)),
    };
    let mut tenants = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| failed("list", base, &cause))?;
        let name = entry.file_name();
        if let Some(tenant) = name.to_str().and_then(|name| name.strip_prefix("tenant=")) {
            if is_directory(&entry.path())? {
                tenants.push(tenant.to_owned());
            }
        }
    }
    tenants.sort_unstable();
    Ok(tenants)
}

/// What a tenant's folder lacks; `None` where nothing is missing. Blocks.
pub(crate) fn look(root: &Path) -> Result<Option<Unfinished>> {
    let (path, manifest) = (root.join(JOURNAL), root.join(MANIFEST));
    let mut harmed = Harmed::default();
    // Listed before the journal is read: what lies there now was journaled before.
    let mut unnamed = Unnamed::list(root)?;
    let looked = journal::look(&path, &mut |part| {
        unnamed.journaled(&part.part);
        harmed.look(root, part)
    })?;
    let Some((header, coverage)) = looked else {
        if !is_there(&manifest)? {
            // One that is to be written anew has no journal for a while.
            return match is_there(&root.join(folder::RESTART))? || folder::is_locked(root)? {
                true => Ok(None),
                false => unnamed.refuse(root).map(|()| None),
            };
        }
        let text = format!("{} has a manifest but no journal", root.display());
        return Err(Error::new(Kind::Storage, text)
            .advise("Export with -Force to write the tenant's folder anew, or choose another -Path."));
    };
    if let Err(error) = unnamed.refuse(root) {
        // One that starts the folder anew has another journal by now.
        if !folder::is_locked(root)? {
            return Err(error);
        }
    }
    let left = match fs::read(&manifest) {
        // A crash leaves the manifest of before; what cannot be read promises nothing.
        Ok(text) => serde_json::from_slice::<Left>(&text).unwrap_or_default(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Left::default(),
        Err(cause) => return Err(failed("read", &manifest, &cause)),
    };
    let harm = harmed.warning(root);
    if left.complete && harm.is_none() {
        return Ok(None);
    }
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name != format!("tenant={}", header.tenant) {
        let text = format!(
            "{} holds the records of another tenant, {}",
            root.display(),
            header.tenant
        );
        return Err(Error::new(Kind::Storage, text).advise("Give the folder its own name again."));
    }
    let missing = match left.complete {
        true => Vec::new(),
        false => coverage.missing(),
    };
    Ok(Some(Unfinished {
        header,
        left,
        missing,
        harm,
    }))
}
