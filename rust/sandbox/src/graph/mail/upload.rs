//! Large attachments, in pieces to an address of Exchange Online that lets one in by itself.

use std::collections::HashMap;

use http::header::{CONTENT_RANGE, LOCATION};
use http::Method;
use serde_json::{json, Value};

use crate::clock::iso_seconds;
use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

use super::super::page::odata;
use super::super::{error, GraphError};
use super::message::Attachment;

/// Where the addresses are, below Exchange's host.
pub(crate) const PATH: &str = "/api/gv1.0/";
/// Files below it are refused, and files above the other.
const SMALLEST: u64 = 2_097_152;
const LARGEST: u64 = 150 << 20;
const LARGEST_PIECE: usize = 4 << 20;
/// Pieces are multiples of it, but for the last.
const UNIT: usize = 320 << 10;
const LIFE_SECONDS: i64 = 3600;

/// Uploads that are under way, by what lets one in.
#[derive(Default)]
pub(crate) struct Uploads(HashMap<String, Upload>);

struct Upload {
    message: String,
    name: String,
    content_type: String,
    size: u64,
    bytes: Vec<u8>,
    ends: i64,
}

impl Uploads {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// `POST .../attachments/createUploadSession`.
pub(super) fn create(world: &World, message: &str, body: &Value) -> Result<Reply, GraphError> {
    lock(&world.graph.mail.drafts).get(message)?;
    let item = &body["AttachmentItem"];
    let (Some("file"), Some(name), Some(size)) = (
        item["attachmentType"].as_str(),
        item["name"].as_str(),
        item["size"].as_u64(),
    ) else {
        return Err(error(
            400,
            "ErrorInvalidArgument",
            "The AttachmentItem needs attachmentType, name and size.",
        ));
    };
    if size < SMALLEST {
        let text = "The attachment size should not be less than the minimum size.";
        return Err(error(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", text));
    }
    if size > LARGEST {
        return Err(error(
            400,
            "ErrorAttachmentSizeLimitExceeded",
            "The attachment size exceeds the limit.",
        ));
    }
    let mut random = world.random();
    let token = random.secret(120);
    let ends = world.clock.now() + LIFE_SECONDS;
    let upload = Upload {
        message: message.to_owned(),
        name: name.to_owned(),
        content_type: item["contentType"]
            .as_str()
            .unwrap_or("application/octet-stream")
            .to_owned(),
        size,
        bytes: Vec::new(),
        ends,
    };
    lock(&world.graph.mail.uploads).0.insert(token.clone(), upload);
    let settings = world.graph.mail.settings();
    let host = settings.upload_host.unwrap_or_else(|| world.endpoints.outlook.clone());
    let session = random.text(40);
    let url = format!(
        "{host}{PATH}users('{}')/messages('x')/AttachmentSessions('{session}')?authtoken={token}",
        random.guid()
    );
    Ok(odata(
        201,
        &json!({
            "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.uploadSession", world.endpoints.graph),
            "uploadUrl": url,
            "expirationDateTime": format!("{}Z", iso_seconds(ends)),
            "nextExpectedRanges": ["0-"],
        }),
    ))
}

/// Answers requests to an upload's address.
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    answer(world, call).unwrap_or_else(|refused| {
        reply::json(
            refused.status,
            &json!({"error": {"code": refused.code, "message": refused.message}}),
        )
    })
}

fn answer(world: &World, call: &Call) -> Result<Reply, GraphError> {
    if call.bearer().is_some() {
        // The address lets one in; a token beside it is for somebody else.
        return Err(error(401, "InvalidAudience", "The audience claim value is invalid."));
    }
    let token = call.parameter("authtoken").unwrap_or_default();
    let mut uploads = lock(&world.graph.mail.uploads);
    let known = uploads
        .0
        .get_mut(&token)
        .filter(|upload| upload.ends > world.clock.now());
    let upload = known.ok_or_else(|| error(404, "ErrorItemNotFound", "The upload session was not found."))?;
    match call.method {
        Method::GET => Ok(odata(200, &upload.progress())),
        Method::DELETE => {
            uploads.0.remove(&token);
            Ok(reply::reply(204, "text/plain", ""))
        }
        Method::PUT => {
            let (start, end, total) = range(call)?;
            let piece = call.body.len();
            if start != upload.bytes.len() as u64 {
                return Err(error(
                    416,
                    "ErrorInvalidRange",
                    "The range is not the one that is expected next.",
                ));
            }
            if total != upload.size || end < start || end - start + 1 != piece as u64 || end >= total {
                return Err(error(
                    400,
                    "ErrorInvalidRange",
                    "The Content-Range does not fit the file or the content.",
                ));
            }
            if piece > LARGEST_PIECE || (end + 1 < total && piece % UNIT != 0) {
                return Err(error(
                    400,
                    "ErrorInvalidRange",
                    "The size of a piece must be a multiple of 320 KiB, and at most 4 MB.",
                ));
            }
            upload.bytes.extend_from_slice(&call.body);
            if end + 1 < total {
                return Ok(odata(200, &upload.progress()));
            }
            let attachment = Attachment::of(&upload.name, &upload.content_type, &upload.bytes);
            let message = upload.message.clone();
            uploads.0.remove(&token);
            drop(uploads);
            super::attach(world, &message, attachment)?;
            let mut reply = reply::reply(201, "text/plain", "");
            let place = format!(
                "{}{PATH}users('x')/messages('x')/attachments('{}')",
                world.endpoints.outlook,
                world.random().text(60)
            );
            reply::set(&mut reply, LOCATION, &place);
            Ok(reply)
        }
        _ => Err(error(405, "ErrorMethodNotAllowed", "The method is not allowed.")),
    }
}

impl Upload {
    /// Exchange writes these names with a capital letter.
    fn progress(&self) -> Value {
        json!({
            "ExpirationDateTime": format!("{}Z", iso_seconds(self.ends)),
            "NextExpectedRanges": [self.bytes.len().to_string()],
        })
    }
}

/// `bytes 0-99/1000`.
fn range(call: &Call) -> Result<(u64, u64, u64), GraphError> {
    let text = call
        .header(CONTENT_RANGE.as_str())
        .and_then(|text| text.strip_prefix("bytes "));
    let read = |text: &str| {
        let (range, total) = text.split_once('/')?;
        let (start, end) = range.split_once('-')?;
        Some((
            start.trim().parse().ok()?,
            end.trim().parse().ok()?,
            total.trim().parse().ok()?,
        ))
    };
    text.and_then(read).ok_or_else(|| {
        error(
            400,
            "ErrorInvalidRange",
            "The Content-Range header is missing or wrong.",
        )
    })
}
