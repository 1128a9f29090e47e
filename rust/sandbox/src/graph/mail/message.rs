//! Messages and their attachments.

use std::collections::HashMap;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::{json, Value};

use crate::random::Random;

use super::super::{error, GraphError};

/// What a message may not have: such requests are refused as the service refuses them.
const READ_ONLY: [&str; 3] = ["isDraft", "sentDateTime", "id"];

#[derive(Clone)]
pub(super) struct Attachment {
    name: String,
    content_type: String,
    pub(super) size: usize,
    sha256: String,
}

impl Attachment {
    pub(super) fn of(name: &str, content_type: &str, bytes: &[u8]) -> Self {
        Attachment {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            size: bytes.len(),
            sha256: openssl::sha::sha256(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    }

    /// A `fileAttachment`.
    pub(super) fn read(json: &Value) -> Result<Self, GraphError> {
        let bad = |text: &str| error(400, "ErrorInvalidArgument", text);
        if json["@odata.type"] != "#microsoft.graph.fileAttachment" {
            return Err(bad("The attachment's @odata.type is missing or not supported."));
        }
        let name = json["name"].as_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| bad("The attachment has no name."))?;
        let content = json["contentBytes"]
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok());
        let content = content.ok_or_else(|| bad("The attachment's contentBytes are not in base64."))?;
        Ok(Attachment::of(
            name,
            json["contentType"].as_str().unwrap_or("application/octet-stream"),
            &content,
        ))
    }

    pub(super) fn json(&self) -> Value {
        json!({"name": self.name, "contentType": self.content_type, "size": self.size, "sha256": self.sha256})
    }

    /// Bytes in a message.
    pub(super) fn encoded(&self) -> usize {
        self.size.div_ceil(57) * 78
    }
}

/// A message in a mailbox.
pub(super) struct Draft {
    mailbox: String,
    pub(super) message: Value,
    pub(super) attachments: Vec<Attachment>,
    pub(super) is_sent: bool,
    keeps_its_id: bool,
}

impl Draft {
    pub(super) fn new(mailbox: &str, message: Value) -> Result<Self, GraphError> {
        let bad = |text: String| error(400, "ErrorInvalidRequest", text);
        let fields = message
            .as_object()
            .ok_or_else(|| bad("The message is missing.".to_owned()))?;
        if let Some(field) = READ_ONLY.iter().find(|field| fields.contains_key(**field)) {
            return Err(bad(format!("The property '{field}' is read-only and cannot be set.")));
        }
        if !matches!(
            message["body"]["contentType"].as_str(),
            Some("Text" | "HTML" | "text" | "html")
        ) {
            return Err(bad("The body's contentType must be Text or HTML.".to_owned()));
        }
        let mut message = message;
        message.as_object_mut().map(|fields| fields.remove("attachments"));
        Ok(Draft {
            mailbox: mailbox.to_owned(),
            message,
            attachments: Vec::new(),
            is_sent: false,
            keeps_its_id: false,
        })
    }

    pub(super) fn needs_recipients(&self) -> Result<(), GraphError> {
        let lists = ["toRecipients", "ccRecipients", "bccRecipients"];
        if lists
            .iter()
            .any(|list| self.message[*list].as_array().is_some_and(|list| !list.is_empty()))
        {
            return Ok(());
        }
        Err(error(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid.",
        ))
    }

    /// Bytes, as they count against a mailbox's limit.
    pub(super) fn size(&self) -> usize {
        self.message.to_string().len() + self.attachments.iter().map(Attachment::encoded).sum::<usize>()
    }

    pub(super) fn json(&self, id: &str) -> Value {
        let mut json = self.message.clone();
        json["id"] = id.into();
        json["isDraft"] = (!self.is_sent).into();
        json["hasAttachments"] = (!self.attachments.is_empty()).into();
        json
    }

    /// As tests read it.
    pub(super) fn report(&self, sent_by: &str) -> Value {
        json!({
            "mailbox": self.mailbox,
            "sentBy": sent_by,
            "message": self.message,
            "attachments": self.attachments.iter().map(Attachment::json).collect::<Vec<_>>(),
        })
    }
}

/// The messages of all mailboxes that were not sent at once, by id.
#[derive(Default)]
pub(super) struct Drafts(HashMap<String, Draft>);

impl Drafts {
    pub(super) fn add(&mut self, random: &mut Random, keeps_its_id: bool, mut draft: Draft) -> String {
        draft.keeps_its_id = keeps_its_id;
        let id = format!("AAkALgAAAAAAHYQDEapmEc2byACqAC-{}=", random.text(60));
        self.0.insert(id.clone(), draft);
        id
    }

    pub(super) fn get(&self, id: &str) -> Result<&Draft, GraphError> {
        // Addresses may have it escaped.
        self.0.get(&id.replace("%3D", "=")).ok_or_else(not_found)
    }

    pub(super) fn attach(&mut self, id: &str, attachment: Attachment) {
        if let Some(draft) = self.0.get_mut(&id.replace("%3D", "=")) {
            draft.attachments.push(attachment);
        }
    }

    /// A sent message has moved to another folder: it keeps its id only if that was asked for.
    pub(super) fn send(&mut self, id: &str) {
        let id = id.replace("%3D", "=");
        match self.0.get_mut(&id) {
            Some(draft) if draft.keeps_its_id => draft.is_sent = true,
            _ => {
                self.0.remove(&id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> Result<(), GraphError> {
        self.0.remove(&id.replace("%3D", "=")).map(drop).ok_or_else(not_found)
    }

    pub(super) fn unsent(&self) -> usize {
        self.0.values().filter(|draft| !draft.is_sent).count()
    }
}

fn not_found() -> GraphError {
    error(
        404,
        "ErrorItemNotFound",
        "The specified object was not found in the store.",
    )
}
