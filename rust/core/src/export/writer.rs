//! Writes each record once, in an order that survives a crash at any point.

mod finishing;

use super::batch::{Batch, Meta};
use super::contents::Contents;
use super::coverage::{Got, Lack, Scope};
use super::dedupe::Seen;
use super::folder::{is_directory, is_there, Folder, JOURNAL};
use super::journal::{self, Fact, Header, Journal, Line};
use super::known::Known;
use super::manifest::{Asked, Counts, Manifest, Outcome, Summary, IN_PROGRESS};
use super::part::OpenPart;
use super::partition::Partition;
use super::unnamed::Unnamed;
use super::{time, Compression, Format, Limits, Room};
use crate::error::{Error, Kind, Result};
use crate::window::Window;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The points between which a crash can fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Temporary parts have records in them, none synced.
    PartWritten,
    /// Temporary parts are whole and synced, and so are their names.
    PartSynced,
    /// The journal names them, synced.
    Journaled,
    /// They have their final names.
    Renamed,
    /// Their directories are synced.
    DirectorySynced,
}

/// Told at every [`Step`]; tests stop the writer there by an error, as a crash would.
pub trait Checkpoint: fmt::Debug + Send + Sync {
    fn reached(&self, step: Step) -> Result<()>;
}

/// What a writer needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that holds the tenants' folders.
    pub base: PathBuf,
    pub asked: Asked,
    pub format: Format,
    pub compression: Compression,
    pub limits: Limits,
    /// Removes what earlier exports wrote for this tenant, whatever their settings.
    pub force: bool,
    /// For tests; `None` in every real export.
    pub checkpoint: Option<Arc<dyn Checkpoint>>,
    /// The room for what is remembered in memory, where it is shared with other tenants' writers.
    pub room: Option<Room>,
}

/// One tenant's output. Not shared between threads: one writer per folder is enforced by a lock.
#[derive(Debug)]
pub struct Writer {
    settings: Settings,
    folder: Folder,
    journal: Journal,
    known: Known,
    /// Parts in progress, with the tick of their last record.
    open: HashMap<Partition, (OpenPart, u64)>,
    tick: u64,
    /// Records and rejects in parts in progress.
    pending: usize,
    /// What lies in this run's parts under their final names.
    counts: Counts,
    /// Records that are no valid JSON text, whether this run wrote them or an earlier one.
    flawed: u64,
    /// What lies in all parts under their final names.
    contents: Contents,
}

impl Writer {
    /// Locks the tenant's folder, finishes what a crash left, and says in the manifest that work is in progress.
    pub fn open(settings: Settings) -> Result<Self> {
        let folder = Folder::open(&settings.base, &settings.asked.tenant_id)?;
        if settings.force {
            folder.clear()?;
        }
        let path = folder.path(JOURNAL);
        if folder.has_parts()? && !journal::has_begun(&path)? {
            let text = format!(
                "{} has parts but no journal that names them, so what they hold is not known",
                folder.root().display()
            );
            return Err(Error::new(Kind::Storage, text).advise(
                "Choose another -Path, or write the tenant's folder anew with Export-SecureAppAuditLog -Force.",
            ));
        }
        let header = Header::new(
            &settings.asked.tenant_id,
            (settings.format, settings.compression),
            &settings.asked.records,
        );
        let oldest = time::now() - i64::from(settings.limits.remember_days) * 86_400_000;
        let mut known = Known::new(folder.root(), settings.limits.known_records).within(settings.room.as_ref());
        let most_lost = settings.limits.known_records / 4;
        let mut contents = Contents::default();
        let mut unnamed = Unnamed::list(folder.root())?;
        let found = Journal::read(&path, &header, &mut |fact| {
            match fact {
                Fact::Time(scope) => contents.coverage.add(scope),
                Fact::Part(entry) => {
                    unnamed.journaled(&entry.part);
                    let known = match contents.finish(&folder, &entry)? {
                        true => &mut known,
                        false => contents.harmed.records(folder.root(), most_lost),
                    };
                    if entry.written >= oldest || entry.may_have(settings.asked.window) {
                        for id in entry.decode_ids().ok_or_else(|| bad_ids(&path))? {
                            known.insert(id)?;
                        }
                    }
                    contents.add(entry);
                }
            }
            Ok(())
        })?;
        // Before anything is cut off or removed: it may be what tells what has happened here.
        unnamed.refuse(folder.root())?;
        let journal = found.repair()?;
        folder.remove_temporaries()?;
        let mut writer = Writer {
            settings,
            folder,
            journal,
            known,
            open: HashMap::new(),
            tick: 0,
            pending: 0,
            counts: Counts::default(),
            flawed: 0,
            contents,
        };
        // What is asked for is missing until it is said to be there, also after a crash.
        let asked = writer.settings.asked.window;
        writer.note_time(|scope| scope.asked.add(asked))?;
        writer.write_manifest(&Outcome {
            incomplete: Some(IN_PROGRESS.to_owned()),
            ..Outcome::default()
        })?;
        Ok(writer)
    }

    /// Adds the records that are new.
    pub fn add(&mut self, batch: &Batch) -> Result<()> {
        self.add_telling(batch, &mut |_| {})
    }

    /// The same, and tells `new` of each of them: which of the batch it is.
    pub(crate) fn add_telling(&mut self, batch: &Batch, new: &mut dyn FnMut(usize)) -> Result<()> {
        // Records of one day that stand side by side are written together.
        let mut run = 0..0;
        let mut of = Partition::Unknown;
        for (at, meta) in batch.records.iter().enumerate() {
            let is_new = self.is_new(meta)?;
            if is_new {
                new(at);
            }
            let partition = meta
                .flaw
                .map_or_else(|| Partition::of(meta.created), |_| Partition::Rejects);
            let joins = is_new && partition == of && partition != Partition::Rejects;
            if !joins || run.is_empty() {
                self.add_run(of, batch, std::mem::replace(&mut run, at..at))?;
                of = partition;
            }
            match meta.flaw {
                Some(flaw) if is_new => self.reject(batch, at, flaw)?,
                None if is_new => run.end = at + 1,
                _ => {}
            }
        }
        self.add_run(of, batch, run)?;
        self.keep_within_limits()
    }

    fn add_run(&mut self, partition: Partition, batch: &Batch, run: Range<usize>) -> Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        self.pending += run.len();
        self.part(partition)?.add(batch, run)?;
        self.reached(Step::PartWritten)
    }

    /// Puts a record that is no valid JSON text where a person can look at it.
    fn reject(&mut self, batch: &Batch, at: usize, flaw: &str) -> Result<()> {
        let line = serde_json::json!({
            "part": &*batch.part, "reason": flaw, "base64": BASE64_STANDARD.encode(batch.record(at)),
        });
        self.pending += 1;
        let part = self.part(Partition::Rejects)?;
        part.add_line(line.to_string(), batch.records[at].entry, &batch.part)?;
        self.reached(Step::PartWritten)
    }

    fn is_new(&mut self, meta: &Meta) -> Result<bool> {
        let seen = match self.contents.harmed.find(&meta.entry)? {
            Some(seen) => seen,
            None => self.known.insert(meta.entry)?,
        };
        self.flawed += u64::from(meta.flaw.is_some() && !meta.again);
        match if cfg!(feature = "test-no-dedupe") {
            Seen::New
        } else {
            seen
        } {
            Seen::New => return Ok(true),
            Seen::Duplicate => self.counts.duplicates += u64::from(!meta.again),
            Seen::Conflict => self.counts.conflicts += u64::from(!meta.again),
        }
        Ok(false)
    }

    /// Finishes every part in progress: after it, what was added survives a crash.
    pub fn commit(&mut self) -> Result<()> {
        let all = self.open.keys().copied().collect();
        self.finish_parts(all)
    }

    /// Ends the run and says in the manifest how it went. Parts in progress are given up where the run was broken off before
    /// [`Writer::commit`]. The summary says what the files hold, also where the manifest cannot be written.
    pub fn finish(mut self, outcome: &Outcome) -> (Summary, Result<()>) {
        self.abandon();
        self.counts.blobs = outcome.blobs;
        let asked = self.settings.asked.window;
        let noted = self.note_time(|scope| got(outcome, asked, scope));
        let written = self.write_manifest(outcome);
        let summary = Summary {
            counts: self.counts.clone(),
            total_records: self.contents.records,
            incomplete: outcome.incomplete.clone(),
            folder_complete: matches!((&noted, &written), (Ok(()), Ok(true))),
            final_until: outcome.final_until,
            path: self.path(),
            warning: self.contents.harmed.warning(self.folder.root()),
        };
        (summary, noted.and(written.map(drop)))
    }

    /// How often this run was given a record that is no valid JSON text.
    pub fn flawed(&self) -> u64 {
        self.flawed
    }

    /// Why the folder lacks records that this run was given; `None` where it lacks none.
    pub(crate) fn missed(&self) -> Option<String> {
        self.contents.harmed.missed()
    }

    /// The records that this run has added, those in parts in progress included: how far it is.
    pub fn progress(&self) -> u64 {
        self.counts.records + self.counts.rejects + self.pending as u64
    }

    /// The tenant's folder.
    pub fn path(&self) -> PathBuf {
        self.folder.root().to_owned()
    }

    fn part(&mut self, partition: Partition) -> Result<&mut OpenPart> {
        self.tick += 1;
        if !self.open.contains_key(&partition) {
            if self.open.len() >= self.settings.limits.open_parts {
                let idle = self.open.iter().min_by_key(|(_, (_, tick))| *tick).map(|(of, _)| *of);
                self.finish_parts(idle.into_iter().collect())?;
            }
            let part = self.create_part(partition)?;
            self.open.insert(partition, (part, 0));
        }
        let tick = self.tick;
        match self.open.get_mut(&partition) {
            Some((part, used)) => {
                *used = tick;
                Ok(part)
            }
            None => Err(Error::internal("a part vanished while it was being written")),
        }
    }

    fn create_part(&mut self, partition: Partition) -> Result<OpenPart> {
        let (format, compression) = match partition {
            Partition::Rejects => (Format::Ndjson, Compression::None),
            _ => (self.settings.format, self.settings.compression),
        };
        let (extension, suffix) = (format.name(), compression.suffix());
        let partition = partition.name();
        let has_parts = is_directory(&self.folder.path(&partition))?;
        let number = self.contents.numbers.entry(partition.clone()).or_default();
        let name = loop {
            *number += 1;
            let name = format!("{partition}/part-{number}.{extension}{suffix}");
            // Somebody else's file of that name is left alone.
            if !has_parts || !is_there(&self.folder.path(&name))? {
                break name;
            }
        };
        // Named after its part, so that no later part's temporary file can be taken for it.
        let temporary = format!("_{partition}.part-{number}.tmp");
        OpenPart::create(&self.folder, name, temporary, format, compression)
    }

    fn keep_within_limits(&mut self) -> Result<()> {
        let limits = self.settings.limits;
        let full = |part: &OpenPart| part.bytes() >= limits.part_bytes || part.records() >= limits.part_records;
        let mut due: Vec<Partition> = self
            .open
            .iter()
            .filter(|(_, (part, _))| full(part))
            .map(|(of, _)| *of)
            .collect();
        let mut left = self.pending
            - due
                .iter()
                .filter_map(|of| self.open.get(of))
                .map(|(part, _)| part.records())
                .sum::<usize>();
        if left > limits.pending_records {
            let mut sizes: Vec<(usize, Partition)> =
                self.open.iter().map(|(of, (part, _))| (part.records(), *of)).collect();
            sizes.sort_unstable_by(|one, other| other.cmp(one));
            for (records, of) in sizes {
                // Small parts stay open, so that they do not become small files.
                if left <= limits.pending_records / 4 {
                    break;
                }
                if !due.contains(&of) {
                    due.push(of);
                    left = left.saturating_sub(records);
                }
            }
        }
        self.finish_parts(due)
    }

    /// Writes into the journal what is known of the time of each content type that was asked for.
    fn note_time(&mut self, say: impl Fn(&mut Scope)) -> Result<()> {
        let asked = &self.settings.asked;
        let scope = |content_type: &String| {
            let mut scope = Scope {
                source: asked.source.clone(),
                content_type: content_type.clone(),
                ..Scope::default()
            };
            say(&mut scope);
            scope
        };
        let scopes: Vec<Scope> = asked.content_types.iter().map(scope).collect();
        self.journal.append(scopes.iter().map(Line::Time))?;
        scopes.into_iter().for_each(|scope| self.contents.coverage.add(scope));
        Ok(())
    }

    /// Forgets parts in progress. Only their space is given back: the journal does not know them.
    fn abandon(&mut self) {
        for (_, (part, _)) in std::mem::take(&mut self.open) {
            let temporaries = part.temporaries();
            drop(part);
            temporaries.iter().for_each(|name| self.remove_temporary(name));
        }
        self.pending = 0;
    }

    /// What cannot be removed now is removed by the next export.
    fn remove_temporary(&self, temporary: &str) {
        let _ = std::fs::remove_file(self.folder.path(temporary));
    }

    fn reached(&self, step: Step) -> Result<()> {
        match &self.settings.checkpoint {
            None => Ok(()),
            Some(checkpoint) => checkpoint.reached(step),
        }
    }

    /// True where the folder is complete.
    fn write_manifest(&self, outcome: &Outcome) -> Result<bool> {
        let settings = &self.settings;
        let kind = (settings.format, settings.compression);
        let manifest = Manifest::new(&settings.asked, kind, &self.contents, &self.counts, outcome);
        manifest.write(&self.folder).map(|()| manifest.is_complete())
    }
}

/// What a run that ended so has got of one content type.
fn got(outcome: &Outcome, asked: Window, scope: &mut Scope) {
    let of_scope = |got: &&Got| got.content_type == scope.content_type;
    match (outcome.got.iter().find(of_scope), &outcome.incomplete) {
        (Some(got), _) => {
            scope.had.clone_from(&got.had);
            scope.lacks.clone_from(&got.lacks);
        }
        (None, None) => scope.had.add(asked),
        (None, Some(reason)) => scope.lacks.push(Lack::new(asked, reason)),
    }
}

#[cold]
fn bad_ids(journal: &Path) -> Error {
    let text = format!("the journal {} has a bad list of records", journal.display());
    Error::new(Kind::Storage, text).advise("Use -Force to write the tenant's folder anew, or choose another -Path.")
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
