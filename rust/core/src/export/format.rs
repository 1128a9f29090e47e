//! What parts look like, inside and out.

use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::Path;

/// How the records of a part are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One record a line, its bytes as the service sent them but for line breaks between tokens.
    Ndjson,
    /// A row for each record: the columns of `Search-UnifiedAuditLog`, or with `flatten` one for each field of the records.
    Csv { byte_order_mark: bool, flatten: bool },
}

impl Format {
    /// The name that a user gives it, and that files end with.
    pub fn name(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Csv { .. } => "csv",
        }
    }

    pub fn is_flat(self) -> bool {
        matches!(self, Format::Csv { flatten: true, .. })
    }
}

/// How the text of a part is packed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    None,
    /// One gzip member (RFC 1952).
    Gzip,
    /// One Zstandard frame (RFC 8878).
    Zstd,
}

impl Compression {
    const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

    fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Compression::None
    }

    /// The one that a user calls so, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The one of a file of this name.
    pub fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let is_of = |one: &Compression| one.suffix().trim_start_matches('.') == extension;
        Self::ALL.into_iter().find(is_of).unwrap_or_default()
    }

    /// What files end with behind their format.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }
}
