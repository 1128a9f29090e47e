//! Mailboxes: messages that are sent at once, and drafts that get attachments first.
//!
//! Sources: Microsoft Graph reference, "user: sendMail", "Create message", "message: send", "Add attachment", "attachment:
//! createUploadSession"; "Attach large files to Outlook messages or events"; and what its users report of the limits (files of 3 MB
//! and more have to be uploaded, requests of more than 4 MB are refused, ErrorMessageSizeExceeded above the mailbox's limit).

mod message;
pub(crate) mod upload;

use std::sync::{Mutex, RwLock};

use http::Method;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::access::Access;
use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::users;
use crate::world::{lock, read, write, World};

use super::page::odata;
use super::{error, holds, GraphError};
use message::{Attachment, Draft, Drafts};

/// `POST /sandbox/mail`; what is absent goes back to its default.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct MailSettings {
    /// Bytes that a message may have, encoded; the service's default.
    largest_message: usize,
    /// A message that is too large is refused when it is sent, not when its files are attached.
    size_checked_when_sent: bool,
    /// Users without a mailbox, by their names.
    without_mailbox: Vec<String>,
    /// How many of the next messages are sent although the answer says that a gateway gave up.
    lost_answers: u32,
    /// Where large files are uploaded to, instead of Exchange's own host.
    upload_host: Option<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        MailSettings {
            largest_message: 35 << 20,
            size_checked_when_sent: false,
            without_mailbox: Vec::new(),
            lost_answers: 0,
            upload_host: None,
        }
    }
}

/// All mailboxes.
#[derive(Default)]
pub(crate) struct Mail {
    settings: RwLock<MailSettings>,
    drafts: Mutex<Drafts>,
    sent: Mutex<Vec<Value>>,
    uploads: Mutex<upload::Uploads>,
}

impl Mail {
    pub(crate) fn set(&self, settings: MailSettings) {
        *write(&self.settings) = settings;
    }

    fn settings(&self) -> MailSettings {
        read(&self.settings).clone()
    }

    /// Keeps a message that has gone, and answers.
    fn sent(&self, report: Value) -> Result<Reply, GraphError> {
        lock(&self.sent).push(report);
        let mut settings = write(&self.settings);
        if settings.lost_answers > 0 {
            settings.lost_answers -= 1;
            return Err(error(
                504,
                "UnknownError",
                "The gateway did not receive a response in time.",
            ));
        }
        Ok(reply::reply(202, "text/plain", ""))
    }

    /// `GET /sandbox/mail`.
    pub(crate) fn report(&self) -> Value {
        json!({
            "sent": *lock(&self.sent),
            "drafts": lock(&self.drafts).unsent(),
            "uploads": lock(&self.uploads).len(),
        })
    }
}

/// Graph takes requests of 4 MB.
const LARGEST_REQUEST: usize = 4_194_304;
/// From here on a file is too large to be attached in one request.
const LARGEST_AT_ONCE: usize = 3_145_611;

/// Answers requests below `me` and `users/{user}`.
pub(super) fn serve(world: &World, call: &Call, access: &Access, path: &str) -> Result<Reply, GraphError> {
    let parts: Vec<&str> = path.split('/').collect();
    let (mailbox, rest) = match parts.as_slice() {
        [me, rest @ ..] if me.eq_ignore_ascii_case("me") => {
            let user = access.user.as_ref().ok_or_else(|| {
                error(
                    400,
                    "BadRequest",
                    "/me request is only valid with delegated authentication flow.",
                )
            })?;
            (user.name.clone(), rest)
        }
        [_, user, rest @ ..] => (find(world, access, user)?, rest),
        _ => return Err(error(404, "ResourceNotFound", "Resource not found for the segment.")),
    };
    if world.graph.mail.settings().without_mailbox.contains(&mailbox) {
        let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
        return Err(error(404, "MailboxNotEnabledForRESTAPI", text));
    }
    let lower: Vec<String> = rest.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (&call.method, lower.as_slice()) {
        (&Method::POST, ["sendmail"]) => send_mail(world, call, access, &mailbox),
        (&Method::POST, ["messages"]) => {
            require(access, "Mail.ReadWrite")?;
            let draft = Draft::new(&mailbox, body(call)?)?;
            let mut drafts = lock(&world.graph.mail.drafts);
            let id = drafts.add(&mut world.random(), is_immutable(call), draft);
            drafts.get(&id).map(|draft| odata(201, &draft.json(&id)))
        }
        (&Method::GET, ["messages", _]) => {
            require(access, "Mail.ReadWrite")?;
            lock(&world.graph.mail.drafts)
                .get(rest[1])
                .map(|draft| odata(200, &draft.json(rest[1])))
        }
        (&Method::DELETE, ["messages", _]) => {
            require(access, "Mail.ReadWrite")?;
            lock(&world.graph.mail.drafts).remove(rest[1])?;
            Ok(reply::reply(204, "application/json", ""))
        }
        (&Method::GET, ["messages", _, "attachments"]) => {
            require(access, "Mail.ReadWrite")?;
            lock(&world.graph.mail.drafts).get(rest[1]).map(|draft| {
                odata(
                    200,
                    &json!({"value": draft.attachments.iter().map(Attachment::json).collect::<Vec<_>>()}),
                )
            })
        }
        (&Method::POST, ["messages", _, "attachments"]) => {
            require(access, "Mail.ReadWrite")?;
            let attachment = Attachment::read(&body(call)?)?;
            if attachment.size > LARGEST_AT_ONCE {
                return Err(error(
                    413,
                    "ErrorRequestEntityTooLarge",
                    "The size of the file is too large for one request.",
                ));
            }
            attach(world, rest[1], attachment.clone())?;
            Ok(odata(201, &attachment.json()))
        }
        (&Method::POST, ["messages", _, "attachments", "createuploadsession"]) => {
            require(access, "Mail.ReadWrite")?;
            upload::create(world, rest[1], &body(call)?)
        }
        (&Method::POST, ["messages", _, "send"]) => {
            require(access, "Mail.Send")?;
            let mut drafts = lock(&world.graph.mail.drafts);
            let draft = drafts.get(rest[1])?;
            if draft.is_sent {
                return Err(error(
                    404,
                    "ErrorItemNotFound",
                    "The specified object was not found in the store.",
                ));
            }
            draft.needs_recipients()?;
            may_send_as(access, &mailbox, &draft.message)?;
            check_size(world, draft.size())?;
            let report = draft.report("send");
            drafts.send(rest[1]);
            world.graph.mail.sent(report)
        }
        _ => Err(error(404, "ResourceNotFound", "Resource not found for the segment.")),
    }
}

fn send_mail(world: &World, call: &Call, access: &Access, mailbox: &str) -> Result<Reply, GraphError> {
    require(access, "Mail.Send")?;
    let body = body(call)?;
    let mut draft = Draft::new(mailbox, body["message"].clone())?;
    for attachment in body["message"]["attachments"].as_array().into_iter().flatten() {
        draft.attachments.push(Attachment::read(attachment)?);
    }
    draft.needs_recipients()?;
    may_send_as(access, mailbox, &draft.message)?;
    check_size(world, draft.size())?;
    world.graph.mail.sent(draft.report("sendMail"))
}

/// Attaches a file to a draft, if the mailbox takes a message of that size.
fn attach(world: &World, id: &str, attachment: Attachment) -> Result<(), GraphError> {
    let mut drafts = lock(&world.graph.mail.drafts);
    let draft = drafts.get(id)?;
    if !world.graph.mail.settings().size_checked_when_sent {
        check_size(world, draft.size() + attachment.encoded())?;
    }
    drafts.attach(id, attachment);
    Ok(())
}

fn check_size(world: &World, size: usize) -> Result<(), GraphError> {
    if size <= world.graph.mail.settings().largest_message {
        return Ok(());
    }
    Err(error(
        413,
        "ErrorMessageSizeExceeded",
        "The message exceeds the maximum supported size.",
    ))
}

fn require(access: &Access, permission: &str) -> Result<(), GraphError> {
    if holds(access, permission) {
        return Ok(());
    }
    Err(error(
        403,
        "ErrorAccessDenied",
        "Access is denied. Check credentials and try again.",
    ))
}

/// A user sends as nobody else; an application as the mailbox that it writes to.
fn may_send_as(access: &Access, mailbox: &str, message: &Value) -> Result<(), GraphError> {
    let from = message["from"]["emailAddress"]["address"].as_str().unwrap_or(mailbox);
    let own = access.user.as_ref().map_or(mailbox, |user| user.name.as_str());
    if from.eq_ignore_ascii_case(own) {
        return Ok(());
    }
    let text = "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.";
    Err(error(403, "ErrorSendAsDenied", text))
}

/// The name of a user of the token's tenant.
fn find(world: &World, access: &Access, user: &str) -> Result<String, GraphError> {
    let user = percent_decoded(user);
    let tenant = world.estate.find(&access.tenant_id);
    let names: Vec<String> = match tenant {
        Some(tenant) if world.estate.is_partner(tenant) => users::partner_users(&world.estate, world.options.seed)
            .into_iter()
            .map(|user| user.user_principal_name)
            .collect(),
        Some(tenant) => vec![format!("admin@{}", tenant.default_domain)],
        None => Vec::new(),
    };
    let is_it = |name: &&String| match is_guid(&user) {
        true => world.user_of(name, true).object_id.eq_ignore_ascii_case(&user),
        false => name.eq_ignore_ascii_case(&user),
    };
    let found = names.iter().find(is_it).cloned();
    found.ok_or_else(|| {
        error(
            404,
            "ErrorInvalidUser",
            format!("The requested user '{user}' is invalid."),
        )
    })
}

fn percent_decoded(text: &str) -> String {
    // A plus stands for itself in a path.
    let text = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn is_immutable(call: &Call) -> bool {
    call.header("prefer")
        .is_some_and(|value| value.to_ascii_lowercase().contains("immutableid"))
}

fn body(call: &Call) -> Result<Value, GraphError> {
    if call.body.len() > LARGEST_REQUEST {
        return Err(error(413, "RequestEntityTooLarge", "The request is too large."));
    }
    let is_json = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return Err(error(
            415,
            "BadRequest",
            "Write requests must contain the Content-Type header declaration.",
        ));
    }
    serde_json::from_slice(&call.body).map_err(|_| error(400, "BadRequest", "Unable to read JSON request payload."))
}
