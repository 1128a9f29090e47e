//! The Office 365 Management Activity API, after Microsoft's "Office 365 Management Activity API reference" and
//! "Troubleshooting" pages: subscriptions, listings by the time of arrival, blobs of records.
//!
//! What those pages leave out, and live tenants show, is named where it is handled.

mod answer;
mod client;
mod content;
mod probe;
mod since;
pub(crate) mod subscription;
mod window;

pub(crate) use client::Feed;
pub(crate) use probe::probe;
pub(crate) use since::Since;
pub(crate) use window::{check as check_window, earliest, served as served_window};

use crate::error::{Error, Result};

/// Every content type that the feed has.
pub(crate) const CONTENT_TYPES: [&str; 5] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
    "DLP.All",
];

/// The spelling that the service knows, for content types in any case; the four `Audit.*` types where none is named.
pub(crate) fn content_types(names: &[String]) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok(CONTENT_TYPES[..4].iter().map(|name| (*name).to_owned()).collect());
    }
    let mut types: Vec<String> = Vec::new();
    for name in names {
        let known = CONTENT_TYPES
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name.trim()));
        let Some(known) = known else {
            return Err(Error::invalid(format!("there is no content type '{name}'"))
                .advise(format!(
                    "Use one or more of {}. SignIns, DirectoryAudits, Provisioning and AuditLogQuery are Graph's: add -Source Graph.",
                    CONTENT_TYPES.join(", ")
                )));
        };
        if !types.iter().any(|chosen| chosen == known) {
            types.push((*known).to_owned());
        }
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_known_in_any_case_and_once() {
        let names = [
            "audit.exchange".to_owned(),
            "Audit.Exchange".to_owned(),
            "dlp.all".to_owned(),
        ];
        assert_eq!(content_types(&names).unwrap(), ["Audit.Exchange", "DLP.All"]);
        assert_eq!(content_types(&[]).unwrap().len(), 4);
        let error = content_types(&["Audit.Teams".to_owned()]).unwrap_err();
        assert!(error.advice().contains("Audit.General"), "{}", error.advice());
    }
}
