//! From raw records to files that hold each of them once.
//!
//! A source yields the bytes of JSON arrays; here they are cut into records ([`split`]), recognised ([`dedupe`]), and
//! written into one folder per tenant, partitioned by day ([`writer`]). The order of the writes makes every crash
//! recoverable: temporary part and its name, synced; journal entry, synced; rename; directory synced. Nothing here knows where
//! the records come from.

pub mod batch;
pub(crate) mod check;
pub(crate) mod contents;
pub mod coverage;
pub mod csv;
pub mod dedupe;
pub mod envelope;
pub(crate) mod fields;
pub mod flat;
pub(crate) mod folder;
pub(crate) mod format;
pub(crate) mod harmed;
pub(crate) mod journal;
pub mod known;
pub mod manifest;
pub(crate) mod part;
pub(crate) mod part_file;
pub(crate) mod partition;
pub mod reader;
pub mod record_type;
pub mod room;
pub mod split;
pub(crate) mod spool;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod unfinished;
pub(crate) mod unnamed;
pub mod writer;

pub use coverage::{Got, Lack};
pub use format::{Compression, Format};
pub use manifest::{Asked, Counts, Gap, Outcome, Summary};
pub use reader::open_part;
pub use room::Room;
pub use writer::{Checkpoint, Settings, Step, Writer};

/// What bounds an export's memory and the size of its files.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A part is finished when it has this many bytes, before they are compressed ..
    pub part_bytes: u64,
    /// .. or this many records.
    pub part_records: usize,
    /// Days that are written to at the same time.
    pub open_parts: usize,
    /// Records in unfinished parts; above it the largest parts are finished.
    pub pending_records: usize,
    /// Records that are remembered in memory; the others are on disk.
    pub known_records: usize,
    /// The largest record that is accepted, in bytes.
    pub largest_record: usize,
    /// For how many days after it was written a record is remembered whatever is asked for: the feed may deliver one again for
    /// about 20. One that is older is remembered where the time that is asked for has it.
    pub remember_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            part_bytes: 64 << 20,
            part_records: 65_536,
            open_parts: 32,
            pending_records: 65_536,
            known_records: 200_000,
            largest_record: 16 << 20,
            remember_days: 35,
        }
    }
}
