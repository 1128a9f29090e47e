//! Progress: a line for the whole, and one for each tenant under way.

use crate::audit::meter::Meter;
use crate::event::Progress;
use crate::operation::Sink;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct Board {
    /// What is done: "Exporting audit logs".
    activity: &'static str,
    last_id: i64,
    done: i64,
    records: u64,
    tenants: BTreeMap<i64, Line>,
}

struct Line {
    name: String,
    meter: Arc<Meter>,
}

impl Board {
    pub(super) fn new(activity: &'static str) -> Self {
        Board {
            activity,
            last_id: 0,
            done: 0,
            records: 0,
            tenants: BTreeMap::new(),
        }
    }

    pub(super) fn begin(&mut self, title: &str, meter: &Arc<Meter>) -> i64 {
        self.last_id += 1;
        let line = Line {
            name: title.to_owned(),
            meter: Arc::clone(meter),
        };
        self.tenants.insert(self.last_id, line);
        self.last_id
    }

    pub(super) fn end(&mut self, sink: &Sink, id: i64, records: u64) {
        self.done += 1;
        self.records += records;
        if let Some(line) = self.tenants.remove(&id) {
            sink.progress(line.progress(id, true));
        }
    }

    /// `open` says that more tenants may come.
    pub(super) fn show(&self, sink: &Sink, open: bool) {
        let records = self.records + self.tenants.values().map(|line| line.meter.records()).sum::<u64>();
        let of = if open { " so far" } else { "" };
        sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: self.activity.to_owned(),
            status: format!("{} of {} tenants{of}, {records} records", self.done, self.last_id),
            percent: (!open && self.last_id > 0).then(|| 100 * self.done / self.last_id),
            completed: false,
        });
        for (id, line) in &self.tenants {
            sink.progress(line.progress(*id, false));
        }
    }

    pub(super) fn finish(&self, sink: &Sink) {
        sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: self.activity.to_owned(),
            status: format!("{} tenants, {} records", self.done, self.records),
            percent: Some(100),
            completed: true,
        });
    }
}

impl Line {
    fn progress(&self, id: i64, completed: bool) -> Progress {
        Progress {
            id,
            parent: 0,
            activity: self.name.clone(),
            status: self.meter.status(),
            percent: self.meter.percent(),
            completed,
        }
    }
}
