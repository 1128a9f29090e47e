//! What can be wrong with a folder, and what to do about each.

use crate::error::Error;
use crate::export::{time, Gap};

/// The most problems that are listed; the others are counted.
const MOST: usize = 1000;

/// What a problem is about. The names are part of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A stretch of time is not in the folder.
    Gap,
    /// Records that are no valid JSON text.
    Rejected,
    /// An export is writing.
    InUse,
    /// An export was broken off; the next one makes it good.
    Unfinished,
    Missing,
    Altered,
    Duplicate,
    /// A file that no export has finished.
    Unknown,
    Journal,
    Manifest,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Gap => "Gap",
            Subject::Rejected => "Rejected",
            Subject::InUse => "InUse",
            Subject::Unfinished => "Unfinished",
            Subject::Missing => "Missing",
            Subject::Altered => "Altered",
            Subject::Duplicate => "Duplicate",
            Subject::Unknown => "Unknown",
            Subject::Journal => "Journal",
            Subject::Manifest => "Manifest",
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Subject::Gap => "Run Export-SecureAppAuditLog -Resume, or export that time again, while the source still has it; or take it from another source.",
            Subject::Rejected => {
                "Read them in the folder rejects, each with its bytes in Base64 and what is wrong with it, or take them from \
                 another source."
            }
            Subject::InUse => "Check the folder again when the export has ended.",
            Subject::Unfinished => "Run the same export again: it finishes what was broken off.",
            Subject::Missing | Subject::Altered => {
                "Put the file back from a backup. Without one, write the tenant's folder anew with Export-SecureAppAuditLog -Force, as \
                 far as the source still has the records: an export that adds to the folder does not write them again."
            }
            Subject::Duplicate => {
                "Count each Id once when the folder is read, or write the tenant's folder anew with Export-SecureAppAuditLog -Force."
            }
            Subject::Unknown => {
                "Where an older journal was put back, put the latest one back. Otherwise move the file elsewhere: who reads the \
                 folder takes it for records, and no export goes on beside a part that it does not know."
            }
            Subject::Journal => {
                "Put the journal back from a backup. Without one, write the tenant's folder anew with Export-SecureAppAuditLog \
                 -Force, or export into another folder."
            }
            Subject::Manifest => {
                "Where an older journal was put back, put the latest one back. Otherwise run the same export again: it writes the \
                 manifest anew from the journal."
            }
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) subject: Subject,
    /// Below the tenant's folder; empty where it is not about one.
    pub(crate) file: String,
    /// For a person.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

/// As many problems as a person may look at.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<Problem>,
    more: u64,
}

impl Problems {
    pub(super) fn add(&mut self, subject: Subject, file: &str, text: &str) {
        self.push(subject, file, text.to_owned(), subject.remedy());
    }

    /// With the error's own advice.
    pub(super) fn add_error(&mut self, subject: Subject, file: &str, error: &Error) {
        let remedy = match error.advice() {
            "" => subject.remedy(),
            advice => advice,
        };
        self.push(subject, file, error.message().to_owned(), remedy);
    }

    pub(super) fn add_gap(&mut self, gap: &Gap) {
        let (start, end) = (time::iso(gap.window.start), time::iso(gap.window.end));
        let text = format!("{} from {start} to {end}: {}", gap.content_type, gap.reason);
        self.push(Subject::Gap, "", text, Subject::Gap.remedy());
    }

    pub(super) fn into_parts(self) -> (Vec<Problem>, u64) {
        (self.listed, self.more)
    }

    fn push(&mut self, subject: Subject, file: &str, text: String, remedy: &str) {
        if self.listed.len() == MOST {
            self.more += 1;
            return;
        }
        self.listed.push(Problem {
            subject,
            file: file.to_owned(),
            text,
            remedy: remedy.to_owned(),
        });
    }
}
