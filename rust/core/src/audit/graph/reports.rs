//! `auditLogs`: sign-ins, directory audits and provisioning, by next links.

use super::super::records::Records;
use super::super::{stretch, Delivery, Notice, Part, Shortfall, Source, Window};
use super::list;
use crate::error::Result;
use crate::export::split::Fields;
use crate::export::time;
use crate::graph::GraphApi;
use tokio::sync::mpsc;

const DAY_MS: i64 = 86_400_000;
/// Requests of one tenant at a time: the service takes five in ten seconds.
const AT_ONCE: usize = 2;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    SignIns,
    DirectoryAudits,
    Provisioning,
}

impl Report {
    const ALL: [Report; 3] = [Report::SignIns, Report::DirectoryAudits, Report::Provisioning];

    /// The list of that name, in any case.
    pub(crate) fn named(name: &str) -> Option<Report> {
        Report::ALL
            .into_iter()
            .find(|report| report.name().eq_ignore_ascii_case(name))
    }

    /// The name of the content type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Report::SignIns => "SignIns",
            Report::DirectoryAudits => "DirectoryAudits",
            Report::Provisioning => "Provisioning",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Report::SignIns => "v1.0/auditLogs/signIns",
            Report::DirectoryAudits => "v1.0/auditLogs/directoryAudits",
            Report::Provisioning => "v1.0/auditLogs/provisioning",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Report::SignIns => "sign-ins",
            Report::DirectoryAudits => "directory audits",
            Report::Provisioning => "provisioning events",
        }
    }

    fn fields(self) -> Fields {
        let created = match self {
            Report::SignIns => "createdDateTime",
            Report::DirectoryAudits | Report::Provisioning => "activityDateTime",
        };
        Fields { id: "id", created }
    }
}

pub(crate) struct Reports {
    api: GraphApi,
    report: Report,
}

impl Reports {
    /// `held_up` is told when the tenant's requests can only wait, and when they go on.
    pub(crate) fn new(api: GraphApi, report: Report, held_up: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let api = api.paced(AT_ONCE, held_up);
        Reports { api, report }
    }
}

impl Source for Reports {
    const NAME: &'static str = "Microsoft Graph auditLogs";
    const PART: &'static str = "list";
    const PARTS: &'static str = "lists";
    const SELECTED_BY: &'static str = "createdDateTime";

    /// Seven without Entra ID P1 ("Microsoft Entra data retention").
    const KEPT_DAYS: Option<i64> = Some(30);

    fn longest_window(&self) -> i64 {
        i64::MAX / 4
    }

    async fn prepare(&self, _content_types: &[String]) -> Result<Vec<Notice>> {
        Ok(Vec::new())
    }

    async fn list(&self, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Option<Window>> {
        stretch::list(content_type, window, DAY_MS, self.report.fields(), found).await?;
        Ok(None)
    }

    fn span(&self, part: &Part) -> Window {
        stretch::span(part)
    }

    fn shortfall(&self, _content_type: &str, _window: Window, _parts: u64) -> Shortfall {
        Shortfall::default()
    }

    async fn read(&self, part: &Part, delivery: &mut Delivery) -> Result<()> {
        let window = stretch::of(part)?;
        let moment = |ms: i64| time::iso(ms);
        let field = self.report.fields().created;
        let filter = format!(
            "{field} ge {} and {field} lt {}",
            moment(window.start),
            moment(window.end)
        );
        let first = self
            .api
            .address(self.report.path(), &[("$filter", &filter), ("$top", "1000")])?;
        let mut pages = list::pages(&self.api, self.report.what(), "AuditLog.Read.All", first);
        let records = Records::new(delivery);
        while let Some(page) = pages.next().await? {
            records.add(&page.items).await?;
        }
        records.finish().await
    }
}
