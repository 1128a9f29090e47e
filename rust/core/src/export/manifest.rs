//! `manifest.json`: what a tenant's folder holds and how far it can be trusted, for people and for whoever reads the parts.

use super::folder::{self, Folder};
use super::time;
use crate::error::{Error, Result};
use serde::Serialize;

/// Something that was asked for and is not in the output, with its time range where it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    pub content_type: String,
    /// RFC 3339, UTC.
    pub start: String,
    pub end: String,
    /// What is missing and why, for a person.
    pub reason: String,
}

/// What an export was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    pub tenant_id: String,
    pub display_name: String,
    /// Where the records come from.
    pub source: String,
    /// Which time of a record `startTime` and `endTime` select: `contentCreated` (arrival in the feed) or `creationTime`.
    pub selected_by: String,
    pub content_types: Vec<String>,
    /// RFC 3339, UTC; included.
    pub start_time: String,
    /// RFC 3339, UTC; not included.
    pub end_time: String,
    pub settle_seconds: u64,
}

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Records that this run added.
    pub records: u64,
    /// Records that came once more than needed.
    pub duplicates: u64,
    /// Records whose `Id` was there with other bytes; the first one stayed.
    pub conflicts: u64,
    /// Records that are no valid JSON text and lie in `rejects`.
    pub rejects: u64,
    /// Parts of the source that were read.
    pub blobs: u64,
    /// Bytes in the parts that this run added.
    pub bytes: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Why the output does not hold all that was asked for; `None` where it does.
    pub incomplete: Option<String>,
    pub gaps: Vec<Gap>,
    /// Until when the output is final, in milliseconds since 1970-01-01 UTC.
    pub final_until: Option<i64>,
    pub blobs: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest<'a> {
    pub(crate) version: u32,
    #[serde(flatten)]
    pub(crate) asked: &'a Asked,
    pub(crate) format: &'a str,
    /// False until the run that began last has ended well.
    pub(crate) complete: bool,
    pub(crate) reason: Option<&'a str>,
    pub(crate) final_until: Option<String>,
    pub(crate) updated: String,
    /// Of all parts below.
    pub(crate) records: u64,
    pub(crate) rejects: u64,
    pub(crate) bytes: u64,
    pub(crate) first_creation_time: Option<String>,
    pub(crate) last_creation_time: Option<String>,
    /// Of the run that began last.
    pub(crate) run: &'a Counts,
    pub(crate) gaps: &'a [Gap],
    pub(crate) parts: &'a [PartLine],
}

/// A part as the manifest lists it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartLine {
    pub(crate) path: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Manifest<'_> {
    pub(crate) fn write(&self, folder: &Folder) -> Result<()> {
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|cause| Error::internal(format!("the manifest: {cause}")))?;
        text.push(b'\n');
        folder.write_atomically(folder::MANIFEST, &text)
    }
}

pub(crate) fn second(seconds: Option<i64>) -> Option<String> {
    seconds.map(|seconds| time::iso(seconds * 1000))
}
