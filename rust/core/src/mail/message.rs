//! A message before it is sent.

use super::{Address, File};
use crate::error::{Error, Result};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::{json, Value as Json};

/// Graph takes requests of 4 MB.
const LARGEST_REQUEST: u64 = 4_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The mailbox it is from; the signed-in user's where this is absent.
    pub(crate) from: Option<Address>,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) bcc: Vec<Address>,
    pub(crate) reply_to: Vec<Address>,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) is_html: bool,
    /// `low`, `normal` or `high`.
    pub(crate) importance: &'static str,
    pub(crate) delivery_receipt: bool,
}

impl Message {
    /// Graph's `message`, without attachments.
    pub(crate) fn json(&self) -> Json {
        let all = |addresses: &[Address]| -> Json { addresses.iter().map(Address::recipient).collect() };
        let mut message = json!({
            "subject": self.subject,
            "importance": self.importance,
            "body": {"contentType": if self.is_html { "HTML" } else { "Text" }, "content": self.body},
            "toRecipients": all(&self.to),
            "ccRecipients": all(&self.cc),
            "bccRecipients": all(&self.bcc),
            "replyTo": all(&self.reply_to),
            "isDeliveryReceiptRequested": self.delivery_receipt,
        });
        if let Some(from) = &self.from {
            message["from"] = from.recipient();
        }
        message
    }

    /// True where this and the files, which base64 makes a third larger, are one request.
    pub(crate) fn fits_one_request(&self, files: &[File]) -> bool {
        const AROUND_A_FILE: u64 = 400;
        // Escapes can double a text and more.
        let own = self.json().to_string().len() as u64 + 100;
        let each = |file: &File| file.size.div_ceil(3) * 4 + AROUND_A_FILE + 6 * file.name.len() as u64;
        own + files.iter().map(each).sum::<u64>() <= LARGEST_REQUEST
    }
}

/// Graph's `fileAttachment`.
pub(crate) async fn attachment(file: &File) -> Result<Json> {
    let bytes = read(file, 0, file.size).await?;
    Ok(json!({
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": file.name,
        "contentType": file.content_type(),
        "contentBytes": STANDARD.encode(&bytes),
    }))
}

/// A part of a file; one that has another length by now is refused.
pub(crate) async fn read(file: &File, from: u64, length: u64) -> Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let (path, size) = (file.path.clone(), file.size);
    let work = move || {
        let failed = |cause: &std::io::Error| Error::storage("attach", &path, cause);
        let mut open = std::fs::File::open(&path).map_err(|cause| failed(&cause))?;
        let now = open.metadata().map_err(|cause| failed(&cause))?.len();
        if now != size {
            return Err(failed(&std::io::Error::other("its length changed meanwhile"))
                .advise("Send it when nothing writes to it any more."));
        }
        open.seek(SeekFrom::Start(from)).map_err(|cause| failed(&cause))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        open.read_exact(&mut bytes).map_err(|cause| failed(&cause))?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::internal("the reading of a file was broken off"))?
}
