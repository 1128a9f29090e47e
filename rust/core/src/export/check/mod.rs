//! Reads a tenant's folder again and says whether it holds what its journal and its manifest say, each record once.
//!
//! Nothing in the folder is changed, and no export is kept waiting: what an export finishes meanwhile is not looked at.

mod files;
mod manifest;
mod part;
mod problem;
mod records;

pub(crate) use problem::{Problem, Subject};

use super::contents::Contents;
use super::coverage::BROKEN_OFF;
use super::folder::{self, JOURNAL};
use super::journal::{self, Fact, PartEntry};
use super::known::Known;
use super::split::Fields;
use super::{Gap, Limits};
use crate::error::{Error, Kind, Result};
use crate::window::Window;
use files::Files;
use part::Found;
use problem::Problems;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// The id of an error that ends a check.
const UNREADABLE: &str = "Unreadable";

/// How far the check of one folder is; written by it, read by who shows progress.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    total: AtomicU64,
}

impl Meter {
    /// Bytes that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// From 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let total = self.total.load(Ordering::Relaxed);
        match total {
            0 => 0.0,
            _ => self.bytes().min(total) as f64 / total as f64,
        }
    }

    fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What a check needs to know.
pub(crate) struct Check<'a> {
    /// The tenant's folder.
    pub(crate) root: &'a Path,
    /// By which fields records of this kind are known; the kind is the journal's.
    pub(crate) fields: &'a dyn Fn(&str) -> Fields,
    pub(crate) limits: Limits,
    /// Where what does not fit into memory is kept for a while; not in the folder, which may be read-only.
    pub(crate) scratch: PathBuf,
    pub(crate) meter: &'a Meter,
    pub(crate) cancel: &'a CancellationToken,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) tenant: String,
    pub(crate) format: String,
    /// From the first moment that an export asked for to the last.
    pub(crate) asked: Option<Window>,
    /// What was counted in the parts, not what the journal says.
    pub(crate) records: u64,
    pub(crate) rejects: u64,
    pub(crate) parts: u64,
    pub(crate) bytes: u64,
    pub(crate) gaps: Vec<Gap>,
    /// An export was writing here meanwhile.
    pub(crate) in_use: bool,
    pub(crate) problems: Vec<Problem>,
    /// Problems beyond those that are listed.
    pub(crate) more_problems: u64,
}

impl Report {
    /// The files are what was written, each record once.
    pub(crate) fn is_intact(&self) -> bool {
        let about_content = [Subject::Gap, Subject::Rejected, Subject::InUse];
        self.problems
            .iter()
            .all(|problem| about_content.contains(&problem.subject))
    }

    /// Nothing is missing between the first moment that was asked for and the last.
    pub(crate) fn is_complete(&self) -> bool {
        self.asked.is_some() && self.gaps.is_empty() && self.rejects == 0
    }
}

/// Checks one tenant's folder; blocks. An error says that it could not be done, or that it was cancelled.
pub(crate) fn folder(check: &Check<'_>) -> Result<Report> {
    let root = check.root;
    // What lies here now was journaled before; what comes later is not missed.
    let in_use = folder::is_locked(root)?;
    let mut files = Files::list(root)?;
    check.meter.total.store(files.bytes(), Ordering::Relaxed);
    let mut report = Report::default();
    let mut problems = Problems::default();
    let mut contents = Contents::default();
    let mut unplaced = Vec::new();
    let journal = root.join(JOURNAL);
    let is_there = journal.try_exists();
    let whole = if is_there.map_err(|cause| unreadable("look at", &journal, &cause))? {
        let mut known = Known::new(&check.scratch, check.limits.known_records);
        let mut parts = ReadParts {
            check,
            known: &mut known,
            files: &mut files,
            report: &mut report,
            problems: &mut problems,
            unplaced: &mut unplaced,
        };
        let survey = journal::survey(&journal, &mut |header, fact| {
            match fact {
                Fact::Time(scope) => contents.coverage.add(scope),
                Fact::Part(entry) => {
                    parts.part(&(check.fields)(&header.records), &entry)?;
                    contents.add(entry);
                }
            }
            Ok(())
        });
        report.in_use = in_use || folder::is_locked(root)?;
        match survey {
            Ok(survey) => {
                report.in_use |= grown(&journal, survey.length)?;
                if survey.header.is_none() && files.has_parts() && !report.in_use {
                    let text = "it has no whole line, so nobody knows what the parts should hold";
                    problems.add(Subject::Journal, JOURNAL, text);
                } else if survey.torn && !report.in_use {
                    let text = "its last line is torn: the export that wrote it was broken off";
                    problems.add(Subject::Unfinished, JOURNAL, text);
                }
                let header = survey.header.unwrap_or_default();
                (report.tenant, report.format) = (header.tenant, header.format);
                true
            }
            Err(error) if error.is_cancelled() || error.id() == UNREADABLE => return Err(error),
            Err(error) => {
                problems.add_error(Subject::Journal, JOURNAL, &error);
                false
            }
        }
    } else {
        report.in_use = in_use;
        if files.has_parts() {
            let text = "there are parts but no journal, so nobody knows what they should hold";
            problems.add(Subject::Journal, JOURNAL, text);
        } else if !in_use {
            return Err(nothing_in(root));
        }
        false
    };
    if report.in_use {
        let text = "an export is writing here, and what it has not finished was left out";
        problems.add(Subject::InUse, "", text);
    } else {
        left_behind(&files, &unplaced, whole, &mut problems);
    }
    if whole {
        report.gaps = contents.coverage.gaps();
        report.asked = contents.coverage.asked();
        if report.in_use {
            let under_way = report.gaps.iter_mut().filter(|gap| gap.reason == BROKEN_OFF);
            under_way.for_each(|gap| {
                gap.reason = "an export that runs now, or one that was broken off, has asked for it".to_owned()
            });
        } else {
            manifest::compare(root, &report, &contents, &mut problems)?;
        }
    }
    report.gaps.iter().for_each(|gap| problems.add_gap(gap));
    if report.rejects > 0 {
        let text = format!("{} records are no valid JSON text", report.rejects);
        problems.add(Subject::Rejected, folder::REJECTS, &text);
    }
    (report.problems, report.more_problems) = problems.into_parts();
    Ok(report)
}

/// What no export is working on and yet is not finished.
fn left_behind(files: &Files, unplaced: &[String], whole: bool, problems: &mut Problems) {
    for part in unplaced {
        problems.add(
            Subject::Unfinished,
            part,
            "it is whole and journaled, but still has its temporary name",
        );
    }
    for temporary in files.temporaries() {
        let text = "a temporary file that an export has left when it was broken off";
        problems.add(Subject::Unfinished, temporary, text);
    }
    // By half a journal every other part would be unknown.
    for unknown in files.unknown().filter(|_| whole) {
        let text = "the journal does not name it, so no export into this folder has finished it";
        problems.add(Subject::Unknown, unknown, text);
    }
}

#[cold]
pub(crate) fn nothing_in(root: &Path) -> Error {
    Error::new(Kind::NotFound, format!("{} holds no export", root.display())).advise(
        "Give -Path the folder that was given to Export-SecureAppAuditLog, or the folder of one of the tenants in it.",
    )
}

/// Reads the parts that the journal names, one after the other.
struct ReadParts<'a, 'c> {
    check: &'a Check<'c>,
    known: &'a mut Known,
    files: &'a mut Files,
    report: &'a mut Report,
    problems: &'a mut Problems,
    /// Parts that an export has journaled and not named.
    unplaced: &'a mut Vec<String>,
}

impl ReadParts<'_, '_> {
    fn part(&mut self, fields: &Fields, entry: &PartEntry) -> Result<()> {
        let is_new = self.files.journaled(&entry.part, &entry.temporary);
        if !is_new {
            self.problems
                .add(Subject::Journal, &entry.part, "the journal names it twice");
            return Ok(());
        }
        match part::read(self.check, fields, entry, self.known, self.problems)? {
            Found::Here { bytes, records } => {
                self.report.parts += 1;
                self.report.bytes += bytes;
                if entry.part.starts_with(folder::REJECTS) {
                    self.report.rejects += records;
                } else {
                    self.report.records += records;
                }
            }
            Found::Unplaced => self.unplaced.push(entry.part.clone()),
            Found::Gone => {
                let text = format!(
                    "the journal names it, with {} records, and it is not there",
                    entry.records
                );
                self.problems.add(Subject::Missing, &entry.part, &text);
            }
        }
        Ok(())
    }
}

fn grown(journal: &Path, length: u64) -> Result<bool> {
    match journal.metadata() {
        Ok(now) => Ok(now.len() != length),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(unreadable("read", journal, &cause)),
    }
}

/// What ends a check, unlike what it finds.
#[cold]
pub(crate) fn unreadable(action: &str, path: &Path, cause: &io::Error) -> Error {
    Error::storage(action, path, cause)
        .with_id(UNREADABLE)
        .advise("Look after the disk and this account's access to the folder, then check it again.")
}
