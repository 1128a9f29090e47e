//! Messages through Microsoft Graph, with files of any size that a mailbox takes.
//!
//! Sources: Microsoft Graph reference, "user: sendMail", "Create message", "message: send", "Add attachment", "attachment:
//! createUploadSession", "Attach large files to Outlook messages or events", "Obtain immutable identifiers for Outlook resources".

mod address;
pub(crate) mod files;
pub(crate) mod html;
mod mailbox;
mod message;
pub(crate) mod report;
mod upload;

pub(crate) use address::Address;
pub(crate) use files::File;
pub(crate) use mailbox::{is_too_large, Draft, Mailbox};
pub(crate) use message::Message;
