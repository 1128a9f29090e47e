//! The manifest against the journal, from which it is drawn.

use super::problem::{Problems, Subject};
use super::{unreadable, Report};
use crate::error::Result;
use crate::export::contents::Contents;
use crate::export::folder::MANIFEST;
use crate::export::manifest::{GapLine, IN_PROGRESS};
use serde_json::{json, Value};
use std::io;
use std::path::Path;

/// Tells where the manifest is not what the journal says.
pub(super) fn compare(root: &Path, report: &Report, contents: &Contents, problems: &mut Problems) -> Result<()> {
    let path = root.join(MANIFEST);
    let mut wrong = |text: &str| problems.add(Subject::Manifest, MANIFEST, text);
    let manifest: Value = match std::fs::read(&path).map(|text| serde_json::from_slice(&text)) {
        Ok(Ok(manifest)) => manifest,
        Ok(Err(cause)) => {
            wrong(&format!("it is not valid JSON: {cause}"));
            return Ok(());
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            wrong("it is not there");
            return Ok(());
        }
        Err(cause) => return Err(unreadable("read", &path, &cause)),
    };
    if manifest["run"]["reason"] == IN_PROGRESS {
        // Drawn when the run began, so it cannot be what the journal says now.
        problems.add(
            Subject::Unfinished,
            MANIFEST,
            "the last export was broken off before it could say how it ended",
        );
        return Ok(());
    }
    for (name, expected) in [
        ("tenantId", json!(report.tenant)),
        ("records", json!(contents.records)),
        ("rejects", json!(contents.rejects)),
        ("bytes", json!(contents.bytes)),
    ] {
        if manifest[name] != expected {
            wrong(&format!(
                "its {name} is {}, and by the journal it is {expected}",
                manifest[name]
            ));
        }
    }
    let listed = manifest["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let differs = |(number, part): &(usize, &crate::export::manifest::PartLine)| {
        let other = listed.get(*number);
        !other.is_some_and(|other| {
            other["path"] == *part.path
                && other["records"] == part.records
                && other["bytes"] == part.bytes
                && other["sha256"] == *part.sha256
        })
    };
    if let Some((_, part)) = contents.parts.iter().enumerate().find(differs) {
        wrong(&format!(
            "its list of parts is not the journal's, from {} on",
            part.path
        ));
    } else if listed.len() > contents.parts.len() {
        wrong(&format!(
            "it lists {} parts, and the journal {}",
            listed.len(),
            contents.parts.len()
        ));
    }
    let gaps: Vec<GapLine> = report.gaps.iter().cloned().map(GapLine::from).collect();
    if manifest["gaps"] != json!(gaps) {
        wrong("its gaps are not those of the journal");
    }
    if manifest["complete"] == true && !(gaps.is_empty() && contents.rejects == 0) {
        wrong("it says that the folder is complete, and by the journal something is missing");
    }
    Ok(())
}
