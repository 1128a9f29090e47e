//! The journal's lines: how a folder is written, its parts, and what runs asked for and got.

use crate::error::{Error, Result};
use crate::export::coverage::Scope;
use crate::export::dedupe::{self, Entry};
use crate::export::{Compression, Format};
use crate::window::Window;
use base64::prelude::{Engine as _, BASE64_STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use std::path::Path;

const VERSION: u32 = 2;

/// How a folder is written; an export with other settings must not mix its parts in.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) tenant: String,
    pub(crate) format: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) flatten: bool,
    #[serde(default, skip_serializing_if = "Compression::is_none")]
    pub(crate) compression: Compression,
    /// What its records are; a reader of the folder must not meet two kinds.
    pub(crate) records: String,
}

impl Header {
    pub(crate) fn new(tenant: &str, (format, compression): (Format, Compression), records: &str) -> Self {
        Header {
            version: VERSION,
            tenant: tenant.to_owned(),
            format: format.name().to_owned(),
            flatten: format.is_flat(),
            compression,
            records: records.to_owned(),
        }
    }

    pub(super) fn check_version(&self, path: &Path) -> Result<()> {
        match self.version {
            VERSION => Ok(()),
            version => Err(other_version(path, version)),
        }
    }

    /// What its parts are, for a person: "flattened csv.gz".
    fn parts(&self) -> String {
        let flattened = if self.flatten { "flattened " } else { "" };
        format!("{flattened}{}{}", self.format, self.compression.suffix())
    }
}

/// One finished part.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartEntry {
    /// Below the tenant's folder, with `/`.
    pub(crate) part: String,
    /// The temporary file that becomes it.
    pub(crate) temporary: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// The bytes of its text, where they are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uncompressed: Option<u64>,
    pub(crate) records: u64,
    /// Seconds since 1970-01-01 UTC.
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// When it was finished, in milliseconds since 1970-01-01 UTC.
    pub(crate) written: i64,
    /// The parts of the source (blobs of the feed) that its records came from.
    pub(crate) blobs: Vec<String>,
    /// The records' dedupe entries in Base64.
    pub(crate) ids: String,
}

/// One line after the first.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Fact {
    Part(PartEntry),
    /// What a run asked for, or what it got.
    Time(Scope),
}

/// A [`Fact`] on its way into the file.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Line<'a> {
    Part(&'a PartEntry),
    Time(&'a Scope),
}

impl PartEntry {
    pub(crate) fn encode_ids(entries: &[Entry]) -> String {
        BASE64_STANDARD_NO_PAD.encode(entries.as_flattened())
    }

    pub(crate) fn decode_ids(&self) -> Option<Vec<Entry>> {
        let bytes = BASE64_STANDARD_NO_PAD.decode(&self.ids).ok()?;
        let entries = bytes.chunks_exact(size_of::<Entry>());
        if !entries.remainder().is_empty() || bytes.len() / size_of::<Entry>() != self.records as usize {
            return None;
        }
        entries.map(|entry| entry.try_into().ok()).collect()
    }

    /// True where a record of this part may be what a source that selects by the records' own time delivers for `window`.
    /// What it goes by may differ from the record's `CreationTime`, but not by a day.
    pub(crate) fn may_have(&self, window: Window) -> bool {
        const DAY_S: i64 = 86_400;
        match (self.first, self.last) {
            (Some(first), Some(last)) => (first - DAY_S) * 1000 < window.end && (last + DAY_S) * 1000 > window.start,
            _ => true,
        }
    }
}

/// A line of the file: a checksum, a blank, the JSON, a line feed.
pub(super) fn encode<T: Serialize>(fact: &T) -> Result<Vec<u8>> {
    let mut line = vec![b' '; 9];
    serde_json::to_writer(&mut line, fact).map_err(|cause| Error::internal(format!("a journal line: {cause}")))?;
    let crc = format!("{:08x}", dedupe::fingerprint(&line[9..]));
    line[..8].copy_from_slice(crc.as_bytes());
    line.push(b'\n');
    Ok(line)
}

/// The JSON of a whole and undamaged line.
pub(super) fn checked(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (crc, json) = line.split_at_checked(9)?;
    let crc = std::str::from_utf8(crc.strip_suffix(b" ")?).ok()?;
    (u32::from_str_radix(crc, 16).ok()? == dedupe::fingerprint(json)).then_some(json)
}

/// An error where the folder is written otherwise than is wanted.
pub(super) fn check(path: &Path, found: &Header, wanted: &Header) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(other_settings(path, found, wanted))
}

#[cold]
fn other_version(path: &Path, version: u32) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    let text = format!("{folder} was written by another version of this module (layout {version})");
    Error::invalid(text)
        .advise("Choose another -Path, or write the tenant's folder anew with Export-SecureAppAuditLog -Force.")
}

#[cold]
fn other_settings(path: &Path, found: &Header, wanted: &Header) -> Error {
    let folder = path.parent().unwrap_or(path).display();
    if found.version != wanted.version {
        return other_version(path, found.version);
    }
    let text = if found.tenant != wanted.tenant {
        format!("{folder} holds the records of another tenant, {}", found.tenant)
    } else if found.parts() != wanted.parts() {
        format!(
            "{folder} holds {} parts, and this export would add {} parts",
            found.parts(),
            wanted.parts()
        )
    } else {
        format!(
            "{folder} holds {}, and this export would add {}",
            found.records, wanted.records
        )
    };
    Error::invalid(text).advise(
        "Choose another -Path, ask for the same kind, format and compression, or write the tenant's folder anew with \
         Export-SecureAppAuditLog -Force.",
    )
}
