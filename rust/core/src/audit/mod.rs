//! Where audit records come from.
//!
//! A [`Source`] knows one service: it lists what there is for a tenant and a window, and reads it as bytes of JSON arrays.
//! [`collect`] does what is the same for all of them (listing and reading side by side, reading again, gaps, parts that
//! are not final yet), and [`crate::export`] writes the records.

pub(crate) mod collect;
mod delivery;
pub(crate) mod exchange;
pub(crate) mod feed;
pub(crate) mod graph;
pub(crate) mod meter;
mod outlet;
mod records;
mod stretch;
pub(crate) mod turns;

pub(crate) use crate::window::Window;
pub(crate) use delivery::Delivery;
pub(crate) use outlet::{outlet, Held, Inlet, Outlet};
pub(crate) use stretch::check as search_window;

use crate::error::{Error, Kind, Result};
use crate::export::split::Fields;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Something that a source can read at once: a blob of the feed, a page of a search.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// As the source names it; two parts with one id are one part.
    pub(crate) id: Arc<str>,
    pub(crate) content_type: Arc<str>,
    /// Where it is read.
    pub(crate) address: String,
    /// When the service made it, by the time that the window selects.
    pub(crate) created: i64,
    /// By which fields its records are known.
    pub(crate) fields: Fields,
}

/// What a source found out before anything was read, for the person who exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Something that should be known.
    Warning(String),
    /// This content type was switched on just now: what it holds is young, or not there yet.
    Fresh { content_type: String },
}

/// What a source has not delivered although nothing failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shortfall {
    /// A part of the window that it cannot have, with the reason.
    pub(crate) gap: Option<(Window, String)>,
    /// Nothing is there yet; by then something should be, in milliseconds since 1970-01-01 UTC.
    pub(crate) awaited: Option<i64>,
}

/// A service that has audit records.
pub(crate) trait Source: Send + Sync + 'static {
    /// Its name in the manifest.
    const NAME: &'static str;

    /// What it calls a part, in a gap's reason.
    const PART: &'static str;

    /// What it calls several, in progress.
    const PARTS: &'static str;

    /// Which time of a record a window selects, as the manifest's `selectedBy`.
    const SELECTED_BY: &'static str;

    /// For how many days it keeps records as a rule, where it answers for older ones too, with nothing.
    const KEPT_DAYS: Option<i64> = None;

    /// The longest window that one listing may ask for, in milliseconds.
    fn longest_window(&self) -> i64;

    /// Makes the service ready to list these content types.
    fn prepare(&self, content_types: &[String]) -> impl Future<Output = Result<Vec<Notice>>> + Send;

    /// Hands every part of a content type in `window` to `found`, in any order, some perhaps twice. Gives the part of the
    /// window that the service does not keep any more, if there is one.
    fn list(
        &self,
        content_type: &str,
        window: Window,
        found: &mpsc::Sender<Part>,
    ) -> impl Future<Output = Result<Option<Window>>> + Send;

    /// What a content type cannot have in `window`, or may not have yet, after listings that named `parts` parts of it.
    fn shortfall(&self, content_type: &str, window: Window, parts: u64) -> Shortfall;

    /// What of the window is missing where a part cannot be had.
    fn span(&self, part: &Part) -> Window {
        Window::new(part.created, part.created + 1)
    }

    /// Reads one part into `delivery`, chunk by chunk. An error says that the rest is missing; the part is then read again
    /// from its start.
    fn read(&self, part: &Part, delivery: &mut Delivery) -> impl Future<Output = Result<()>> + Send;

    /// True where one unreadable part is no reason to give up the others: it becomes a gap.
    fn is_gap(&self, error: &Error) -> bool {
        // A network that is down ends the run; one that breaks off this part every time does not.
        error.is_broken_off() || matches!(error.kind(), Kind::Protocol | Kind::Server | Kind::Timeout)
    }
}
