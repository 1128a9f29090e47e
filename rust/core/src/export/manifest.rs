//! `manifest.json`: what a tenant's folder holds and how far it can be trusted, for people and for whoever reads the parts.

use super::contents::Contents;
use super::coverage::{Got, Scope};
use super::folder::{self, Folder};
use super::{time, Compression, Format};
use crate::error::{Error, Result};
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A stretch of time that is not in the output, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub content_type: String,
    pub window: Window,
    /// What is missing and why, for a person.
    pub reason: String,
}

/// What an export was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub tenant_id: String,
    pub display_name: String,
    /// Where the records come from.
    pub source: String,
    /// What they are, for a person: "audit log records"; a folder holds one kind.
    pub records: String,
    /// Which time of a record the window selects: `contentCreated` (arrival in the feed) or `creationTime`.
    pub selected_by: String,
    pub content_types: Vec<String>,
    pub window: Window,
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
    /// Bytes of the files that this run added.
    pub bytes: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Why the output does not hold all that this run was asked for; `None` where it does.
    pub incomplete: Option<String>,
    /// What is final now, and what is missing, of each content type. Where it says nothing of one, that has all of the window
    /// or, if the run is incomplete, none of it.
    pub got: Vec<Got>,
    /// Until when the output of this run is final, in milliseconds since 1970-01-01 UTC.
    pub final_until: Option<i64>,
    /// Parts of the source that were read.
    pub blobs: u64,
}

/// What a finished run leaves.
#[derive(Clone, Debug)]
pub struct Summary {
    pub counts: Counts,
    /// Records in the folder, from this run and earlier ones.
    pub total_records: u64,
    /// Why the output does not hold all that this run was asked for.
    pub incomplete: Option<String>,
    /// True where the folder lacks nothing that this run or an earlier one was asked for.
    pub folder_complete: bool,
    /// Until when the output is final, in milliseconds since 1970-01-01 UTC.
    pub final_until: Option<i64>,
    pub path: PathBuf,
    /// What has become of the folder's parts, for a person, where they are not as they were written.
    pub warning: Option<String>,
}

/// Why the output of a run that has not ended is not complete. A crash leaves it in the manifest.
pub(crate) const IN_PROGRESS: &str = "in progress";

/// What a person is told of records in the folder `rejects`.
pub(crate) const REJECTED: &str = "records that are no valid JSON text lie in the folder rejects";

/// The file. Ranges and gaps are the folder's, from all exports into it; `run` is the one that began last.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest<'a> {
    version: u32,
    tenant_id: &'a str,
    display_name: &'a str,
    source: &'a str,
    selected_by: &'a str,
    /// The files' own facts: a reader need not guess them from their names.
    format: &'a str,
    /// CSV parts begin with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_order_mark: Option<bool>,
    flatten: bool,
    compression: Compression,
    settle_seconds: u64,
    content_types: BTreeSet<&'a str>,
    /// From the first moment that an export asked for to the last.
    start_time: String,
    end_time: String,
    /// True where nothing is missing between the two.
    complete: bool,
    reason: Option<String>,
    final_until: Option<String>,
    updated: String,
    records: u64,
    rejects: u64,
    /// In the files; uncompressed, of their text.
    bytes: u64,
    uncompressed_bytes: u64,
    first_creation_time: Option<String>,
    last_creation_time: Option<String>,
    run: Run<'a>,
    gaps: Vec<GapLine>,
    coverage: Vec<CoverageLine<'a>>,
    parts: &'a [PartLine],
}

/// What an earlier export has left in the file for the one that continues it.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Left {
    pub(crate) complete: bool,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) display_name: String,
    #[serde(default)]
    pub(crate) settle_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) byte_order_mark: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    start_time: String,
    end_time: String,
    content_types: &'a [String],
    complete: bool,
    reason: Option<&'a str>,
    #[serde(flatten)]
    counts: &'a Counts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GapLine {
    content_type: String,
    start: String,
    end: String,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CoverageLine<'a> {
    source: &'a str,
    content_type: &'a str,
    ranges: Vec<RangeLine>,
}

/// RFC 3339, UTC; the end is not included.
#[derive(Debug, Serialize)]
struct RangeLine {
    start: String,
    end: String,
}

/// A part as the manifest lists it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartLine {
    pub(crate) path: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) uncompressed_bytes: u64,
    pub(crate) sha256: String,
}

impl<'a> Manifest<'a> {
    pub(crate) fn new(
        asked: &'a Asked,
        (format, compression): (Format, Compression),
        contents: &'a Contents,
        counts: &'a Counts,
        outcome: &'a Outcome,
    ) -> Self {
        let scopes = contents.coverage.scopes();
        let whole = contents.coverage.asked().unwrap_or(asked.window);
        let gaps = contents.coverage.gaps();
        let reason = reason(asked, contents, &gaps, outcome.incomplete.as_deref());
        Manifest {
            version: 1,
            tenant_id: &asked.tenant_id,
            display_name: &asked.display_name,
            source: &asked.source,
            selected_by: &asked.selected_by,
            format: format.name(),
            byte_order_mark: match format {
                Format::Csv { byte_order_mark, .. } => Some(byte_order_mark),
                Format::Ndjson => None,
            },
            flatten: format.is_flat(),
            compression,
            settle_seconds: asked.settle_seconds,
            content_types: scopes.iter().map(|scope| scope.content_type.as_str()).collect(),
            start_time: time::iso(whole.start),
            end_time: time::iso(whole.end),
            complete: reason.is_none(),
            reason,
            final_until: outcome.final_until.map(time::iso),
            updated: time::iso(time::now()),
            records: contents.records,
            rejects: contents.rejects,
            bytes: contents.bytes,
            uncompressed_bytes: contents.uncompressed,
            first_creation_time: second(contents.first),
            last_creation_time: second(contents.last),
            run: Run {
                start_time: time::iso(asked.window.start),
                end_time: time::iso(asked.window.end),
                content_types: &asked.content_types,
                complete: outcome.incomplete.is_none(),
                reason: outcome.incomplete.as_deref(),
                counts,
            },
            gaps: gaps.into_iter().map(GapLine::from).collect(),
            coverage: scopes.iter().map(CoverageLine::from).collect(),
            parts: &contents.parts,
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn write(&self, folder: &Folder) -> Result<()> {
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|cause| Error::internal(format!("the manifest: {cause}")))?;
        text.push(b'\n');
        folder.write_atomically(folder::MANIFEST, &text)
    }
}

/// Why the folder does not hold all that exports into it were asked for: what the last run says, then what others left.
fn reason(asked: &Asked, contents: &Contents, gaps: &[Gap], run: Option<&str>) -> Option<String> {
    let mut reasons: Vec<String> = run.map(str::to_owned).into_iter().collect();
    let of_run =
        |gap: &&Gap| asked.content_types.contains(&gap.content_type) && !gap.window.intersect(asked.window).is_empty();
    let earlier: Vec<&Gap> = gaps.iter().filter(|gap| !of_run(gap)).collect();
    if let Some(first) = earlier.first() {
        reasons.push(format!(
            "{} of other exports, the first of {} from {} to {}: {}",
            if earlier.len() == 1 {
                "there is a gap".to_owned()
            } else {
                format!("there are {} gaps", earlier.len())
            },
            first.content_type,
            time::iso(first.window.start),
            time::iso(first.window.end),
            first.reason
        ));
    }
    if contents.rejects > 0 && !run.is_some_and(|said| said.contains(REJECTED)) {
        reasons.push(REJECTED.to_owned());
    }
    let harm = contents.harmed.text();
    if let Some(harm) = harm.filter(|harm| !run.is_some_and(|said| said.contains(harm.as_str()))) {
        reasons.push(format!("{harm}; what is lost is not written again"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

impl From<Gap> for GapLine {
    fn from(gap: Gap) -> Self {
        GapLine {
            content_type: gap.content_type,
            start: time::iso(gap.window.start),
            end: time::iso(gap.window.end),
            reason: gap.reason,
        }
    }
}

impl<'a> From<&'a Scope> for CoverageLine<'a> {
    fn from(scope: &'a Scope) -> Self {
        let range = |window: Window| RangeLine {
            start: time::iso(window.start),
            end: time::iso(window.end),
        };
        CoverageLine {
            source: &scope.source,
            content_type: &scope.content_type,
            ranges: scope.had.iter().map(range).collect(),
        }
    }
}

fn second(seconds: Option<i64>) -> Option<String> {
    seconds.map(|seconds| time::iso(seconds * 1000))
}
