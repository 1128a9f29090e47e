//! What an `audit_export` request says.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::export::{Compression, Format, Limits, Room};
use crate::ops::audit::from::From;
use crate::ops::audit::wanted::{self, Caller, Wanted};
use crate::request::Request;
use crate::window::Window;
use std::path::PathBuf;

/// Unfinished records of all tenants together; each gets its share.
const PENDING_RECORDS: usize = 131_072;
/// Memory for records that are remembered, of all tenants together; each gets its share.
const KNOWN_BYTES: usize = 40 << 20;
/// What one of them takes, with the room that its list keeps to grow.
const BYTES_OF_A_RECORD: usize = 24;
/// Fewer would be written to disk and read again all the time.
const FEWEST_KNOWN: usize = 20_000;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) caller: Caller,
    pub(super) wanted: Wanted,
    pub(super) output: Output,
    pub(super) format: Format,
    pub(super) compression: Compression,
    pub(super) force: bool,
}

/// Where to, whatever is exported.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) path: PathBuf,
    pub(super) limits: Limits,
    /// For what all tenants remember in memory, those included that are set aside.
    pub(super) room: Room,
    /// Each record that is written is an event too.
    pub(super) pass_thru: bool,
}

impl Settings {
    /// The same for another time range.
    pub(super) fn for_window(&self, window: Window) -> Self {
        let mut settings = self.clone();
        settings.wanted.window = window;
        settings
    }

    pub(super) fn read(session: &Session, request: &Request) -> Result<Self> {
        let own = [
            "path",
            "format",
            "bom",
            "flatten",
            "compression",
            "force",
            "passThru",
            "maxMemory",
        ];
        request.only(&[&wanted::FIELDS[..], &own].concat())?;
        let caller = Caller::read(session, request)?;
        let wanted = Wanted::read(session, request, &caller)?;
        Ok(Settings {
            output: Output::read(request, &caller)?,
            format: format(request, wanted.from)?,
            compression: compression(request)?,
            force: request.flag("force")?,
            caller,
            wanted,
        })
    }
}

impl Output {
    pub(super) fn read(request: &Request, caller: &Caller) -> Result<Self> {
        let known_bytes = known_bytes(request)?;
        Ok(Output {
            path: folder(request)?,
            room: Room::new(known_bytes / BYTES_OF_A_RECORD, FEWEST_KNOWN),
            limits: Limits {
                pending_records: (PENDING_RECORDS / caller.throttle).max(4096),
                known_records: known_records(known_bytes, caller.throttle),
                ..Limits::default()
            },
            pass_thru: request.flag("passThru")?,
        })
    }
}

/// How much memory records may be remembered in; the others are remembered on disk.
fn known_bytes(request: &Request) -> Result<usize> {
    match request.opt_int("maxMemory")? {
        None => Ok(KNOWN_BYTES),
        Some(bytes) => usize::try_from(bytes).ok().filter(|bytes| *bytes > 0).ok_or_else(|| {
            Error::invalid(format!("the memory for remembered records cannot be {bytes} bytes"))
                .advise("Give a number of bytes, for example 64MB.")
        }),
    }
}

/// How many records each of so many tenants remembers in memory.
fn known_records(bytes: usize, tenants: usize) -> usize {
    (bytes / BYTES_OF_A_RECORD / tenants).max(FEWEST_KNOWN)
}

/// The folder of the tenants' folders.
pub(super) fn folder(request: &Request) -> Result<PathBuf> {
    let path = PathBuf::from(request.text("path")?);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Error::invalid(format!("'{}' is not an absolute path", path.display()))
        .advise("Give the folder with its full path."))
}

fn format(request: &Request, from: From) -> Result<Format> {
    let name = request.opt_text("format")?.unwrap_or("ndjson");
    let byte_order_mark = request.flag("bom")?;
    let flatten = request.flag("flatten")?;
    match name.to_ascii_lowercase().as_str() {
        "ndjson" if flatten => {
            Err(Error::invalid("only CSV has columns to flatten records into").advise("Use -Format Csv."))
        }
        "ndjson" => Ok(Format::Ndjson),
        "csv" if matches!(from, From::Report(_)) => Err(Error::invalid(format!(
            "{} have no columns of the audit log",
            from.records()
        ))
        .advise("Use -Format Ndjson.")),
        "csv" => Ok(Format::Csv {
            byte_order_mark,
            flatten,
        }),
        _ => Err(Error::invalid(format!("there is no format '{name}'")).advise("Use Ndjson or Csv.")),
    }
}

fn compression(request: &Request) -> Result<Compression> {
    let name = request.opt_text("compression")?.unwrap_or("none");
    Compression::named(name)
        .ok_or_else(|| Error::invalid(format!("there is no compression '{name}'")).advise("Use None, Gzip or Zstd."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;

    #[test]
    fn memory_is_shared_by_the_tenants() {
        assert_eq!(known_records(48 << 20, 1), 2 << 20);
        assert_eq!(known_records(48 << 20, 4), 1 << 19);
        assert_eq!(known_records(1, 4), FEWEST_KNOWN);
        let bytes = |number| known_bytes(&Request::new("audit_export").with("maxMemory", Field::Int(number)));
        assert_eq!(bytes(64 << 20).unwrap(), 64 << 20);
        for nonsense in [0, -1] {
            assert!(bytes(nonsense).unwrap_err().advice().contains("64MB"));
        }
        assert_eq!(known_bytes(&Request::new("audit_export")).unwrap(), KNOWN_BYTES);
    }
}
