//! What a message says beside its sender's own words: the report on exports, and where the files are that it has not.

use super::request::Wanted;
use crate::mail::html::{appended, escaped, paragraph};
use crate::mail::report::{self, Export};
use crate::mail::Message;
use std::path::{Path, PathBuf};

/// Places that are listed.
const MOST_PLACES: usize = 50;

/// Files that are not attached, and why.
pub(super) struct Omitted {
    pub(super) files: Vec<PathBuf>,
    pub(super) reason: String,
}

/// Where files are that are not attached.
pub(super) struct Places {
    reasons: Vec<String>,
    places: Vec<String>,
}

/// The files by the folders of the exports that they belong to; the others one by one.
pub(super) fn places(omitted: &[Omitted], folders: &[&Path]) -> Option<Places> {
    if omitted.is_empty() {
        return None;
    }
    let mut places: Vec<String> = Vec::new();
    for file in omitted.iter().flat_map(|omitted| &omitted.files) {
        let place = folders
            .iter()
            .find(|folder| file.starts_with(folder))
            .copied()
            .unwrap_or(file);
        let place = place.display().to_string();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Some(Places {
        reasons: omitted.iter().map(|omitted| omitted.reason.clone()).collect(),
        places,
    })
}

/// The message with all that it says.
pub(super) fn message(wanted: &Wanted, exports: &[Export], places: &Option<Places>) -> Message {
    let mut message = wanted.message.clone();
    if !exports.is_empty() && !message.is_html {
        message.body = match message.body.trim() {
            "" => String::new(),
            _ => paragraph(&message.body),
        };
        message.is_html = true;
    }
    if !exports.is_empty() {
        message.body = appended(&message.body, &report::html(exports));
    }
    if let Some(places) = places {
        let (head, lines) = places.lines(&wanted.machine);
        message.body = if message.is_html {
            let items: Vec<String> = lines
                .iter()
                .map(|line| format!("<li>{}</li>\n", escaped(line)))
                .collect();
            appended(
                &message.body,
                &format!("{}\n<ul>\n{}</ul>\n", paragraph(&head), items.concat()),
            )
        } else {
            format!(
                "{}\r\n\r\n{head}\r\n{}\r\n",
                message.body.trim_end(),
                lines.join("\r\n")
            )
        };
    }
    message
}

impl Places {
    fn lines(&self, machine: &str) -> (String, Vec<String>) {
        let on = match machine {
            "" => String::new(),
            machine => format!(" on {machine}"),
        };
        let head = format!("Not attached ({}). The files are{on}:", self.reasons.join("; "));
        let mut lines: Vec<String> = self.places.iter().take(MOST_PLACES).cloned().collect();
        if self.places.len() > MOST_PLACES {
            lines.push(format!("and in {} more places", self.places.len() - MOST_PLACES));
        }
        (head, lines)
    }
}
