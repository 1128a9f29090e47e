//! How Exchange Online behaves here: `POST /sandbox/exchange`. What goes wrong is what users of its search have reported.

use serde::Deserialize;

/// What a search's `ResultCount` says.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ResultCount {
    /// All rows of the search, as it was until April 2026.
    Total,
    /// The `ResultSize` that was asked for, with `moreRecordsAvailable` beside it, as since then.
    #[default]
    ResultSize,
    /// The same in the weeks before `moreRecordsAvailable` came.
    ResultSizeAlone,
    /// 0, whatever is found.
    Zero,
    /// A number with a fraction that has nothing to do with what is found.
    Fraction,
}

/// Of what `moreRecordsAvailable` speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MoreOf {
    /// Of the search: there is more, whether the session gives it or not.
    #[default]
    Search,
    /// Of the session: at its limit there is no more.
    Session,
}

/// How a row has its `AuditSearchRequestMetadata`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Metadata {
    /// `{"moreRecordsAvailable": true}`.
    #[default]
    Object,
    /// The same as JSON text.
    Text,
    /// `{"MoreRecordsAvailable": true}`.
    Pascal,
}

/// How often a record that comes cut short does so.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CutFor {
    /// The first time that it is given.
    #[default]
    Once,
    Always,
}

#[derive(Clone, Debug)]
pub(crate) struct ExchangeSettings {
    pub(crate) result_count: ResultCount,
    /// Rows in one reply, whatever the client prefers.
    pub(crate) page_size: usize,
    /// The most rows that a session gives.
    pub(crate) session_limit: usize,
    /// The most rows that `ReturnNextPreviewPage` gives; fewer than the 5,000 of always in a month of 2023.
    pub(crate) preview_limit: usize,
    /// Share of the calls that give no rows although there are some (0 to 1); the next call goes on.
    pub(crate) empty_pages: f64,
    /// The most such calls in a row.
    pub(crate) longest_pause: u32,
    /// Share of the calls that give fewer rows than asked for although there are more (0 to 1); the next call goes on.
    pub(crate) short_pages: f64,
    /// Of what `moreRecordsAvailable` speaks, and in which form.
    pub(crate) more_of: MoreOf,
    pub(crate) metadata: Metadata,
    /// Share of the records whose `AuditData` comes cut short (0 to 1), and how often.
    pub(crate) cut: f64,
    pub(crate) cut_for: CutFor,
    /// Share of the records that a search gives more than once (0 to 1).
    pub(crate) repeats: f64,
    /// Share of the calls that give a warning and no rows (0 to 1).
    pub(crate) cancelled: f64,
    /// A session that is at its end begins again instead of giving nothing.
    pub(crate) restarts: bool,
    /// Searches that touch this time, in seconds since 1970, give a warning and no rows.
    pub(crate) failing: Option<(i64, i64)>,
    /// Sorted pages are in no order.
    pub(crate) unsorted: bool,
}

impl Default for ExchangeSettings {
    fn default() -> Self {
        ExchangeSettings {
            result_count: ResultCount::default(),
            page_size: 1000,
            session_limit: 50_000,
            preview_limit: 5_000,
            empty_pages: 0.0,
            longest_pause: 3,
            short_pages: 0.0,
            more_of: MoreOf::default(),
            metadata: Metadata::default(),
            cut: 0.0,
            cut_for: CutFor::default(),
            repeats: 0.0,
            cancelled: 0.0,
            restarts: false,
            failing: None,
            unsorted: false,
        }
    }
}

/// `POST /sandbox/exchange`; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExchangeChange {
    result_count: Option<ResultCount>,
    page_size: Option<usize>,
    session_limit: Option<usize>,
    preview_limit: Option<usize>,
    empty_pages: Option<f64>,
    longest_pause: Option<u32>,
    short_pages: Option<f64>,
    more_of: Option<MoreOf>,
    metadata: Option<Metadata>,
    cut: Option<f64>,
    cut_for: Option<CutFor>,
    repeats: Option<f64>,
    cancelled: Option<f64>,
    restarts: Option<bool>,
    /// Two UTC times.
    failing: Option<(String, String)>,
    unsorted: Option<bool>,
}

impl ExchangeSettings {
    pub(super) fn change(&mut self, change: ExchangeChange) -> Result<(), String> {
        for (target, value) in [
            (&mut self.empty_pages, change.empty_pages),
            (&mut self.short_pages, change.short_pages),
            (&mut self.cut, change.cut),
            (&mut self.repeats, change.repeats),
            (&mut self.cancelled, change.cancelled),
        ] {
            match value {
                None => {}
                Some(share) if (0.0..=1.0).contains(&share) => *target = share,
                Some(other) => return Err(format!("a share is a number from 0 to 1, not {other}")),
            }
        }
        if let Some((start, end)) = change.failing {
            let moment = |text: &str| {
                crate::clock::parse_utc_ms(text)
                    .map(|ms| ms.div_euclid(1000))
                    .ok_or_else(|| format!("failing needs two UTC times such as 2026-01-31T10:00:00, not '{text}'"))
            };
            self.failing = Some((moment(&start)?, moment(&end)?));
        }
        for (target, value) in [
            (&mut self.page_size, change.page_size),
            (&mut self.session_limit, change.session_limit),
        ] {
            match value {
                None => {}
                Some(0) => return Err("a page and a session have at least one row".to_owned()),
                Some(number) => *target = number,
            }
        }
        self.result_count = change.result_count.unwrap_or(self.result_count);
        self.preview_limit = change.preview_limit.unwrap_or(self.preview_limit);
        self.longest_pause = change.longest_pause.unwrap_or(self.longest_pause);
        self.more_of = change.more_of.unwrap_or(self.more_of);
        self.metadata = change.metadata.unwrap_or(self.metadata);
        self.cut_for = change.cut_for.unwrap_or(self.cut_for);
        self.restarts = change.restarts.unwrap_or(self.restarts);
        self.unsorted = change.unsorted.unwrap_or(self.unsorted);
        Ok(())
    }
}
