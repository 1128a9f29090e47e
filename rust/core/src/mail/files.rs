//! Files that are to be attached, and whether they fit.
//!
//! Limits: Microsoft Graph documentation, "Attach large files to Outlook messages" (150 MB for a file), and the Exchange Online
//! limits (150 MB for a message, of which encoding takes a quarter; 250 attachments). Mailboxes allow 35 MB unless an
//! administrator has changed that, which nobody can ask for here: the mailbox says so when it is too much.

use crate::error::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The largest file that can be attached, and the largest message.
const LARGEST: u64 = 150_000_000;
const MOST: usize = 250;

/// A file as it was when the message was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// How it is called in the message.
    pub(crate) name: String,
    pub(crate) size: u64,
}

impl File {
    /// Under its own name, unless it is given another.
    pub(crate) fn look_at(path: &Path, name: Option<String>) -> Result<Self> {
        let size = fs::metadata(path)
            .and_then(|found| match found.is_file() {
                true => Ok(found.len()),
                false => Err(std::io::Error::other("it is no file")),
            })
            .map_err(|cause| {
                Error::storage("attach", path, &cause).advise("Check the path; folders are not attached.")
            })?;
        let own = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(File {
            path: path.to_owned(),
            name: name.unwrap_or_else(own),
            size,
        })
    }

    /// What it is, by its name's end.
    pub(crate) fn content_type(&self) -> &'static str {
        let end = self.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match end.as_str() {
            "csv" => "text/csv",
            "gz" => "application/gzip",
            "htm" | "html" => "text/html",
            "json" => "application/json",
            "log" | "md" | "txt" => "text/plain",
            "ndjson" => "application/x-ndjson",
            "pdf" => "application/pdf",
            "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "zip" => "application/zip",
            "zst" => "application/zstd",
            _ => "application/octet-stream",
        }
    }

    /// Bytes that it takes in a message: base64 in lines of 76.
    fn encoded(&self) -> u64 {
        self.size.div_ceil(57).saturating_mul(78)
    }
}

/// What an export has written into a tenant's folder: the parts that have their final names, and the manifest.
pub(crate) fn of_export(folder: &Path) -> Result<Vec<File>> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause: std::io::Error| Error::storage("list", &path, &cause)
    };
    let tenant = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let tenant = tenant.strip_prefix("tenant=").unwrap_or(&tenant);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "manifest.json" {
            files.push(File::look_at(&entry.path(), Some(format!("{tenant}_{name}")))?);
        }
        let Some(day) = name.strip_prefix("date=") else {
            continue;
        };
        for part in fs::read_dir(entry.path()).map_err(failed(&entry.path()))? {
            let part = part.map_err(failed(&entry.path()))?;
            let name = part.file_name().to_string_lossy().into_owned();
            if name.starts_with("part-") && !name.ends_with(".tmp") {
                files.push(File::look_at(&part.path(), Some(format!("{tenant}_{day}_{name}")))?);
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Those that fit into one message, each group of files whole, and the groups that do not.
pub(crate) fn fitting(groups: Vec<Vec<File>>) -> (Vec<File>, Vec<Vec<File>>) {
    let mut fit: Vec<File> = Vec::new();
    let mut left = Vec::new();
    let mut taken = 0;
    for group in groups {
        let more: u64 = group.iter().map(File::encoded).sum();
        let is_too_large = group.iter().any(|file| file.size > LARGEST);
        if is_too_large || taken + more > LARGEST || fit.len() + group.len() > MOST {
            left.push(group);
        } else {
            taken += more;
            fit.extend(group);
        }
    }
    (fit, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: u64) -> File {
        File {
            path: PathBuf::new(),
            name: format!("{size}.CSV"),
            size,
        }
    }

    #[test]
    fn groups_are_attached_whole_or_not() {
        let (fit, left) = fitting(vec![
            vec![file(1)],
            vec![file(60_000_000), file(60_000_000)],
            vec![file(100_000_000)],
            (0..250).map(file).collect(),
            vec![file(2)],
        ]);
        assert_eq!(fit, [file(1), file(100_000_000), file(2)]);
        assert_eq!(left.len(), 2);
        assert_eq!(fit[0].content_type(), "text/csv");
    }

    #[test]
    fn an_exports_files_are_its_parts_and_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = folder.path().join("tenant=t");
        fs::create_dir_all(tenant.join("date=2026-10-01")).unwrap();
        for name in [
            "manifest.json",
            "_journal",
            "date=2026-10-01/part-1.ndjson",
            "date=2026-10-01/part-2.ndjson.tmp",
        ] {
            fs::write(tenant.join(name), "x").unwrap();
        }
        let files = of_export(&tenant).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["t_2026-10-01_part-1.ndjson", "t_manifest.json"]);
        assert!(File::look_at(&tenant, None).is_err(), "a folder is no file");
    }
}
