//! Since when a tenant's subscriptions exist, as far as the exports into its folder know.
//!
//! A subscription's content begins about a day before it was started (the reference's default listing; one live tenant gave
//! 22 hours), and what was published between a stop and the next start is lost ("Stop a subscription"). The service does
//! not say when it was started, so the export that starts one writes it down, beside the manifest.

use super::super::{Shortfall, Window};
use crate::error::{Error, Kind, Result};
use crate::export::{folder, time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// What is kept is kept under this name, also by `-Force`: it says something about the service, not about the folder.
const FILE: &str = "_subscriptions.json";
/// How far back a new subscription reaches.
const BACK_FILL_MS: i64 = 86_400_000;
/// The reference: "it can take up to 12 hours for the first content blobs to become available".
const FIRST_CONTENT_MS: i64 = 12 * 3_600_000;

/// The start of one subscription. Times as RFC 3339, UTC.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    started: String,
    /// From when on it can have everything.
    whole_from: String,
    /// True once the service has answered. An attempt that was broken off may not have reached it.
    #[serde(default)]
    confirmed: bool,
    /// What was known before an attempt that is not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<Box<Start>>,
}

type Starts = BTreeMap<String, Start>;

/// The starts that one folder knows of.
#[derive(Debug)]
pub(crate) struct Since {
    /// The folder; `None` for who keeps nothing.
    root: Option<PathBuf>,
    starts: Mutex<Starts>,
    /// Content types that were started through this object.
    fresh: Mutex<BTreeSet<String>>,
    /// Who writes the file.
    turn: Semaphore,
}

impl Since {
    /// Reads what the folder knows; blocks. The folder must be locked by an export for as long as this is used.
    pub(crate) fn open(root: &Path) -> Result<Arc<Self>> {
        let path = root.join(FILE);
        let starts = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| damaged(&path))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Starts::new(),
            Err(cause) => return Err(folder::failed("read", &path, &cause)),
        };
        if starts.values().any(|start| times(start).is_none()) {
            return Err(damaged(&path));
        }
        Ok(Since::new(Some(root.to_owned()), starts))
    }

    /// For who writes no files: what it starts is known to it alone.
    pub(crate) fn unkept() -> Arc<Self> {
        Since::new(None, Starts::new())
    }

    fn new(root: Option<PathBuf>, starts: Starts) -> Arc<Self> {
        Arc::new(Since {
            root,
            starts: Mutex::new(starts),
            fresh: Mutex::default(),
            turn: Semaphore::new(1),
        })
    }

    /// True where this object was told that the subscription begins.
    pub(super) fn is_fresh(&self, content_type: &str) -> bool {
        lock(&self.fresh).contains(content_type)
    }

    /// Writes down that a subscription is about to be started, before it is: a crash in between then errs on the safe side.
    /// `again` says that it was there before. Gives what [`Since::take_back`] needs.
    pub(super) async fn begin(self: &Arc<Self>, content_type: &str, now: i64, again: bool) -> Result<Before> {
        let known = match lock(&self.starts).get(content_type).cloned() {
            // It is not there, so the attempt has not reached the service.
            Some(attempt) if !attempt.confirmed => attempt.earlier.map(|earlier| *earlier),
            known => known,
        };
        // A subscription that an earlier run started, and that is not there any more, was stopped in between.
        let reach = if again || known.is_some() { 0 } else { BACK_FILL_MS };
        let start = Start {
            started: time::iso(now),
            whole_from: time::iso(now - reach),
            confirmed: false,
            earlier: known.clone().map(Box::new),
        };
        self.set(content_type, Some(start)).await?;
        let fresh = lock(&self.fresh).insert(content_type.to_owned());
        Ok(Before { known, fresh })
    }

    /// The service says that the subscription is there: an attempt to start it that nobody heard the end of has succeeded.
    pub(super) async fn confirm(self: &Arc<Self>, content_type: &str) -> Result<()> {
        let attempt = lock(&self.starts)
            .get(content_type)
            .filter(|start| !start.confirmed)
            .cloned();
        match attempt {
            None => Ok(()),
            Some(attempt) => {
                let confirmed = Start {
                    confirmed: true,
                    earlier: None,
                    ..attempt
                };
                self.set(content_type, Some(confirmed)).await
            }
        }
    }

    /// The service refused the start: all is as it was.
    pub(super) async fn take_back(self: &Arc<Self>, content_type: &str, before: Before) -> Result<()> {
        if before.fresh {
            lock(&self.fresh).remove(content_type);
        }
        self.set(content_type, before.known).await
    }

    /// What of `window` the subscription cannot have, or may not have yet. `parts` are the parts that were listed.
    pub(super) fn shortfall(&self, content_type: &str, window: Window, parts: u64, now: i64) -> Shortfall {
        let Some((started, whole_from)) = lock(&self.starts).get(content_type).and_then(times) else {
            return Shortfall::default();
        };
        let at = time::iso(started);
        let what_is_there = if whole_from < started {
            "a new one holds about a day of the past at most"
        } else {
            "what was published while it was off is not in it"
        };
        let gap = (window.start < whole_from).then(|| {
            let lost = Window {
                start: window.start,
                end: whole_from.min(window.end),
            };
            let reason = format!(
                "the subscription to {content_type} was started at {at} and {what_is_there}; take older records from \
                 Search-UnifiedAuditLog or a Microsoft Graph audit log query"
            );
            (lost, reason)
        });
        let first_content = started + FIRST_CONTENT_MS;
        let awaited = (parts == 0 && now < first_content).then_some(first_content);
        Shortfall { gap, awaited }
    }

    async fn set(self: &Arc<Self>, content_type: &str, start: Option<Start>) -> Result<()> {
        let ended = || Error::internal("the list of subscriptions was not written");
        let _turn = self.turn.acquire().await.map_err(|_| ended())?;
        let mut starts = lock(&self.starts).clone();
        match start {
            Some(start) => starts.insert(content_type.to_owned(), start),
            None => starts.remove(content_type),
        };
        if let Some(root) = self.root.clone() {
            let text = serde_json::to_vec_pretty(&starts)
                .map_err(|cause| Error::internal(format!("the list of subscriptions: {cause}")))?;
            let write = tokio::task::spawn_blocking(move || folder::write_atomically(&root, FILE, &text));
            write.await.map_err(|_| ended())??;
        }
        *lock(&self.starts) = starts;
        Ok(())
    }
}

/// What was known before a start.
pub(super) struct Before {
    known: Option<Start>,
    fresh: bool,
}

/// `started` and `whole_from` in milliseconds since 1970-01-01 UTC.
fn times(start: &Start) -> Option<(i64, i64)> {
    Some((time::millis(&start.started)?, time::millis(&start.whole_from)?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn damaged(path: &Path) -> Error {
    Error::new(Kind::Storage, format!("{} is damaged", path.display())).advise(
        "It says when the tenant's subscriptions were started. Restore it from a backup; or remove it, if they were all started \
         more than eight days ago.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "Audit.Exchange";
    const DAY: i64 = BACK_FILL_MS;
    const NOW: i64 = 1_790_000_000_000;

    fn window(start: i64, end: i64) -> Window {
        Window { start, end }
    }

    #[tokio::test]
    async fn a_start_is_known_to_the_folders_next_export() {
        let folder = tempfile::tempdir().unwrap();
        let since = Since::open(folder.path()).unwrap();
        assert_eq!(since.shortfall(TYPE, window(0, NOW), 0, NOW), Shortfall::default());
        since.begin(TYPE, NOW, false).await.unwrap();
        assert!(since.is_fresh(TYPE));

        let since = Since::open(folder.path()).unwrap();
        assert!(!since.is_fresh(TYPE));
        let week = since.shortfall(TYPE, window(NOW - 6 * DAY, NOW), 9, NOW + DAY);
        assert_eq!(week.gap.unwrap().0, window(NOW - 6 * DAY, NOW - DAY));
        assert_eq!(week.awaited, None);
        // All of a window that ended before the subscription reaches back to.
        let old = since.shortfall(TYPE, window(NOW - 3 * DAY, NOW - 2 * DAY), 0, NOW + DAY);
        assert_eq!(old.gap.unwrap().0, window(NOW - 3 * DAY, NOW - 2 * DAY));
        let young = since.shortfall(TYPE, window(NOW - DAY, NOW), 0, NOW + FIRST_CONTENT_MS - 1);
        assert_eq!(young.gap, None);
        assert_eq!(young.awaited, Some(NOW + FIRST_CONTENT_MS));
    }

    #[tokio::test]
    async fn what_was_there_before_has_nothing_from_while_it_was_off() {
        let folder = tempfile::tempdir().unwrap();
        let since = Since::open(folder.path()).unwrap();
        since.begin("Audit.General", NOW, true).await.unwrap();
        let gap = since.shortfall("Audit.General", window(NOW - DAY, NOW + DAY), 1, NOW);
        assert_eq!(gap.gap.unwrap().0, window(NOW - DAY, NOW));
        // The second start of what this folder had started.
        since.begin(TYPE, NOW - DAY, false).await.unwrap();
        since.confirm(TYPE).await.unwrap();
        let since = Since::open(folder.path()).unwrap();
        since.begin(TYPE, NOW, false).await.unwrap();
        let gap = since.shortfall(TYPE, window(NOW - DAY, NOW + DAY), 1, NOW);
        assert_eq!(gap.gap.unwrap().0, window(NOW - DAY, NOW));
    }

    #[tokio::test]
    async fn a_start_that_was_broken_off_is_none_unless_the_service_has_it() {
        let folder = tempfile::tempdir().unwrap();
        Since::open(folder.path())
            .unwrap()
            .begin(TYPE, NOW - DAY, false)
            .await
            .unwrap();
        let week = window(NOW - 6 * DAY, NOW);

        // It did not reach the service: the next start is the first.
        let since = Since::open(folder.path()).unwrap();
        since.begin(TYPE, NOW, false).await.unwrap();
        let gap = since.shortfall(TYPE, week, 1, NOW).gap.unwrap().0;
        assert_eq!(gap, window(NOW - 6 * DAY, NOW - DAY));

        // It did: what is there began then.
        let since = Since::open(folder.path()).unwrap();
        since.confirm(TYPE).await.unwrap();
        since.begin(TYPE, NOW + DAY, false).await.unwrap();
        let gap = since
            .shortfall(TYPE, window(NOW - DAY, NOW + 2 * DAY), 1, NOW)
            .gap
            .unwrap()
            .0;
        assert_eq!(
            gap,
            window(NOW - DAY, NOW + DAY),
            "the second start lost what came in between"
        );
    }

    #[tokio::test]
    async fn a_refused_start_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let since = Since::open(folder.path()).unwrap();
        let before = since.begin(TYPE, NOW, false).await.unwrap();
        since.take_back(TYPE, before).await.unwrap();
        assert!(!since.is_fresh(TYPE));
        let since = Since::open(folder.path()).unwrap();
        assert_eq!(since.shortfall(TYPE, window(0, NOW), 0, NOW), Shortfall::default());
    }

    #[test]
    fn a_damaged_list_is_not_taken_for_an_empty_one() {
        for text in [
            "",
            "{",
            r#"{"Audit.Exchange":{"started":"once","wholeFrom":"2026-01-01T00:00:00Z"}}"#,
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert_eq!(Since::open(folder.path()).unwrap_err().kind(), Kind::Storage, "{text}");
        }
    }
}
