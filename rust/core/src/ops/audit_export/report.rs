//! What is said about one tenant when its export has ended.

use super::settings::Settings;
use crate::audit::collect::Collected;
use crate::audit::Window;
use crate::error::{Error, Result};
use crate::export::{Counts, Gap, Summary};
use crate::operation::Sink;
use crate::ops::audit::each::Ended;
use crate::ops::audit::item::Item;
use crate::ops::audit::{gap, reason};
use crate::value::Value;
use std::path::PathBuf;
use std::time::Duration;

/// One tenant's result: a record in every case, and a failure where there was one.
pub(super) struct Report {
    item: Item,
    tenant: String,
    source: &'static str,
    content_types: Vec<String>,
    start: i64,
    end: i64,
    counts: Counts,
    total_records: u64,
    gaps: Vec<Gap>,
    warnings: Vec<String>,
    harm: Option<String>,
    fresh: bool,
    incomplete: Option<String>,
    folder_complete: bool,
    final_until: Option<i64>,
    elapsed: Duration,
    path: PathBuf,
    error: Option<Error>,
}

impl Report {
    pub(super) fn new(item: Item, settings: &Settings, window: Window) -> Self {
        Report {
            tenant: item.tenant.clone(),
            item,
            source: settings.wanted.from.label(),
            content_types: settings.wanted.content_types.clone(),
            start: window.start,
            end: window.end,
            counts: Counts::default(),
            total_records: 0,
            gaps: Vec::new(),
            warnings: Vec::new(),
            harm: None,
            fresh: false,
            incomplete: None,
            folder_complete: false,
            final_until: None,
            elapsed: Duration::ZERO,
            path: settings.output.path.clone(),
            error: None,
        }
    }

    pub(super) fn item(&self) -> &Item {
        &self.item
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(super) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Says that it is not complete although this run was.
    pub(super) fn lack(&mut self, reason: String) {
        self.incomplete = Some(reason);
    }

    /// Why it is not complete.
    pub(super) fn reason(&self) -> Option<&str> {
        self.incomplete.as_deref()
    }

    pub(super) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What has become of the folder's parts, where they are not as they were written.
    pub(super) fn harm(&self) -> Option<&str> {
        self.harm.as_deref()
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The end of the time range, in milliseconds since 1970-01-01 UTC.
    pub(super) fn end_time(&self) -> i64 {
        self.end
    }

    pub(super) fn final_until(&self) -> Option<i64> {
        self.final_until
    }

    pub(super) fn set_tenant(&mut self, guid: &str) {
        guid.clone_into(&mut self.tenant);
    }

    pub(super) fn set_path(&mut self, path: PathBuf) {
        self.path = path;
    }

    pub(super) fn set_summary(&mut self, summary: Summary, collected: Result<&Collected, &Error>) {
        self.counts = summary.counts;
        self.total_records = summary.total_records;
        self.incomplete = summary.incomplete;
        self.folder_complete = summary.folder_complete;
        self.final_until = summary.final_until;
        self.path = summary.path;
        if let Ok(collected) = collected {
            self.gaps.clone_from(&collected.gaps);
            self.warnings.clone_from(&collected.warnings);
            self.fresh = !collected.fresh.is_empty();
        }
        self.warnings.extend(summary.warning.clone());
        self.harm = summary.warning;
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.incomplete = Some(reason(&error));
        self.error = Some(error);
    }

    pub(super) fn end(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    pub(super) fn into_value(self) -> Value {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let gaps: Vec<Value> = self.gaps.iter().map(gap).collect();
        Value::map()
            .with("item", self.item.number)
            .with("tenantId", self.tenant)
            .with("displayName", self.item.display_name)
            .with("source", self.source)
            .with("contentTypes", self.content_types)
            .with("startTime", Value::Time(self.start))
            .with("endTime", Value::Time(self.end))
            .with("records", number(self.counts.records))
            .with("totalRecords", number(self.total_records))
            .with("duplicates", number(self.counts.duplicates))
            .with("conflicts", number(self.counts.conflicts))
            .with("rejects", number(self.counts.rejects))
            .with("blobs", number(self.counts.blobs))
            .with("bytes", number(self.counts.bytes))
            .with("gaps", Value::List(gaps))
            .with("complete", self.incomplete.is_none())
            .with("folderComplete", self.folder_complete)
            .with("reason", self.incomplete)
            .with("finalUntil", self.final_until.map_or(Value::Null, Value::Time))
            .with(
                "elapsedMs",
                number(self.elapsed.as_millis().try_into().unwrap_or(u64::MAX)),
            )
            .with("path", self.path.to_string_lossy().into_owned())
            .with("error", self.error.map(|error| error.to_value()))
    }
}

impl Ended for Report {
    fn records(&self) -> u64 {
        self.counts.records
    }

    fn is_fresh(&self) -> bool {
        self.fresh
    }

    async fn send(self, sink: &Sink) -> Result<()> {
        for warning in &self.warnings {
            sink.warning(warning.as_str()).await?;
        }
        let target = self.item.target();
        let error = self.error.clone();
        sink.record(self.into_value()).await?;
        match error {
            Some(error) => sink.failed(target, error).await,
            None => Ok(()),
        }
    }
}
