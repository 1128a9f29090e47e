//! One mailbox: messages sent at once, or drafts that get their files first.
//!
//! What is certain about a message after an answer was lost decides everything here. One that is sent in a single request leaves no
//! trace that its permission could read, so such a request is repeated only where it cannot have been taken up: nothing reached
//! the service, or it said 429 or 503. A draft has an id that stays the same when it is sent, so whether it is still a draft can be
//! asked, and a draft can be sent again without becoming two messages.

use super::message::{attachment, Message};
use super::File;
use crate::error::{Error, Kind, Result};
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::operation::log;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{json, Value as Json};
use url::Url;
use zeroize::Zeroizing;

const SEND: &str = "Mail.Send";
const WRITE: &str = "Mail.ReadWrite";
/// How often it is asked whether a message has gone, and how often one that has not is sent.
const LOOKS: u32 = 4;
const SENDINGS: u32 = 3;

pub(crate) struct Mailbox {
    pub(super) api: GraphApi,
    /// `v1.0/me` or `v1.0/users/sam@contoso.com`.
    home: String,
}

/// A message in the mailbox that is not sent yet. Its id is the same ever after.
#[derive(Clone, Debug)]
pub(crate) struct Draft(String);

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    #[serde(default)]
    is_draft: Option<bool>,
}

#[derive(Deserialize)]
struct Attachments {
    value: Vec<Attached>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default)]
    name: Option<String>,
}

impl Mailbox {
    /// `user` is an address; the signed-in user's own mailbox where there is none.
    pub(crate) fn new(api: GraphApi, user: Option<&str>) -> Self {
        let home = match user {
            Some(user) => {
                let user: String = url::form_urlencoded::byte_serialize(user.as_bytes()).collect();
                format!("v1.0/users/{}", user.replace("%40", "@"))
            }
            None => "v1.0/me".to_owned(),
        };
        Mailbox { api, home }
    }

    /// Sends a message with small files.
    pub(crate) async fn send_at_once(&self, message: &Message, files: &[File]) -> Result<()> {
        let mut body = message.json();
        let mut attachments = Vec::with_capacity(files.len());
        for file in files {
            attachments.push(attachment(file).await?);
        }
        body["attachments"] = attachments.into();
        let body = json!({"message": body, "saveToSentItems": true});
        let spec = RequestSpec::post(self.address("sendMail")?.as_str())?.json(bytes(&body));
        let failure = match self.api.send(spec).await {
            Ok(reply) if reply.is_success() => return Ok(()),
            Ok(reply) => self.refused(&reply, "send the message", SEND),
            Err(error) => error,
        };
        Err(match is_certain(&failure) {
            true => failure,
            false => uncertain(&failure),
        })
    }

    /// Puts a message into the mailbox without sending it.
    pub(crate) async fn draft(&self, message: &Message) -> Result<Draft> {
        // A draft that was made twice is one too many in a folder, and no message.
        let spec = RequestSpec::post(self.address("messages")?.as_str())?
            .json(bytes(&message.json()))
            .repeatable(true);
        let reply = self.api.send(unchanging(spec)?).await?;
        if !reply.is_success() {
            return Err(self.refused(&reply, "make a draft", WRITE));
        }
        reply.json().map(|created: Created| Draft(created.id))
    }

    /// Attaches a small file.
    pub(super) async fn attach(&self, draft: &Draft, file: &File) -> Result<()> {
        let body = attachment(file).await?;
        let spec = RequestSpec::post(self.of(draft, "/attachments")?.as_str())?.json(bytes(&body));
        let reply = match self.api.send(unchanging(spec)?).await {
            Ok(reply) => reply,
            // Attached although the answer was lost: not a second time.
            Err(error) if !is_certain(&error) && self.has(draft, file).await? => return Ok(()),
            Err(error) => return Err(error),
        };
        match reply.is_success() {
            true => Ok(()),
            false => Err(self.refused(&reply, "attach a file", WRITE)),
        }
    }

    /// Asks for the address to which a large file is sent in pieces.
    pub(super) async fn upload_session(&self, draft: &Draft, file: &File) -> Result<Reply> {
        let item = json!({"AttachmentItem": {
            "attachmentType": "file",
            "name": file.name,
            "contentType": file.content_type(),
            "size": file.size,
        }});
        // A session that nobody uses ends by itself.
        let spec = RequestSpec::post(self.of(draft, "/attachments/createUploadSession")?.as_str())?
            .json(bytes(&item))
            .repeatable(true);
        let reply = self.api.send(unchanging(spec)?).await?;
        match reply.is_success() {
            true => Ok(reply),
            false => Err(self.refused(&reply, "take a large attachment", WRITE)),
        }
    }

    /// Whether the draft has a file of this name.
    pub(super) async fn has(&self, draft: &Draft, file: &File) -> Result<bool> {
        let mut url = self.of(draft, "/attachments")?;
        url.query_pairs_mut()
            .append_pair("$select", "name,size")
            .append_pair("$top", "999");
        let reply = self.api.send(unchanging(RequestSpec::get(url.as_str())?)?).await?;
        if !reply.is_success() {
            return Err(self.refused(&reply, "list attachments", WRITE));
        }
        let listed: Attachments = reply.json()?;
        Ok(listed
            .value
            .iter()
            .any(|attached| attached.name.as_deref() == Some(&file.name)))
    }

    /// Sends a draft, once: a lost answer is made good by asking whether it is still a draft.
    pub(crate) async fn send(&self, draft: &Draft) -> Result<()> {
        let mut sendings = 0;
        loop {
            sendings += 1;
            let spec = RequestSpec::post(self.of(draft, "/send")?.as_str())?;
            let failure = match self.api.send(unchanging(spec)?).await {
                Ok(reply) if reply.is_success() => return Ok(()),
                Ok(reply) => self.refused(&reply, "send the message", SEND),
                Err(error) => error,
            };
            if is_certain(&failure) && !(sendings > 1 && failure.kind() == Kind::NotFound) {
                return Err(failure);
            }
            log::verbose(|| {
                "It is not known whether the message was sent: asking whether it is still a draft".to_owned()
            });
            match self.is_sent(draft).await {
                Ok(true) => return Ok(()),
                Ok(false) if sendings < SENDINGS => {}
                Ok(false) => return Err(failure),
                Err(_) => return Err(uncertain(&failure)),
            }
        }
    }

    /// A message that is no draft any more, or has left the drafts, was taken.
    async fn is_sent(&self, draft: &Draft) -> Result<bool> {
        let mut wait = self.api.engine().first_wait();
        for look in 1..=LOOKS {
            let mut url = self.of(draft, "")?;
            url.query_pairs_mut().append_pair("$select", "isDraft");
            let reply = self.api.send(unchanging(RequestSpec::get(url.as_str())?)?).await?;
            if reply.status() == 404 {
                return Ok(true);
            }
            if !reply.is_success() {
                return Err(self.refused(&reply, "look at the message", WRITE));
            }
            let state: State = reply.json()?;
            if state.is_draft == Some(false) {
                return Ok(true);
            }
            if look < LOOKS {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        Ok(false)
    }

    /// Takes a draft away that will not be sent.
    pub(crate) async fn discard(&self, draft: &Draft) -> Result<()> {
        let spec = RequestSpec::delete(self.of(draft, "")?.as_str())?;
        let reply = self.api.send(unchanging(spec)?).await?;
        match reply.is_success() || reply.status() == 404 {
            true => Ok(()),
            false => Err(self.refused(&reply, "delete a draft", WRITE)),
        }
    }

    fn address(&self, path: &str) -> Result<Url> {
        self.api.address(&format!("{}/{path}", self.home), &[])
    }

    /// Ids may hold what an address gives a meaning to.
    fn of(&self, draft: &Draft, path: &str) -> Result<Url> {
        let id: String = url::form_urlencoded::byte_serialize(draft.0.as_bytes()).collect();
        self.address(&format!("messages/{id}{path}"))
    }

    #[cold]
    pub(super) fn refused(&self, reply: &Reply, action: &str, permission: &str) -> Error {
        let error = self.api.refused(reply, action, permission);
        let code = error.service().map(|service| service.code.clone()).unwrap_or_default();
        let advice = match code.as_str() {
            "ErrorInvalidUser" | "MailboxNotEnabledForRESTAPI" | "ResourceNotFound" | "Request_ResourceNotFound" => {
                "Give -From a user of this tenant that has a mailbox in Exchange Online; -TenantId names another tenant."
            }
            "ErrorSendAsDenied" => {
                "Give the signed-in user the right to send as the mailbox of -From, or leave -From to the user's own address."
            }
            "ErrorAccessDenied" => {
                "Give the application the permission Mail.Send of Microsoft Graph (and Mail.ReadWrite for files of more than 3 MB) and consent to it; an application access policy or role of Exchange Online may also keep it out of this mailbox."
            }
            _ => return error,
        };
        error.advise(advice)
    }
}

/// True where the mailbox or the service takes no message of this size.
pub(crate) fn is_too_large(error: &Error) -> bool {
    error.service().is_some_and(|service| {
        service.http_status == 413
            || matches!(
                service.code.as_str(),
                "ErrorMessageSizeExceeded" | "ErrorAttachmentSizeLimitExceeded"
            )
    })
}

/// True where the service has not done what was asked: it said so, or nothing reached it.
fn is_certain(error: &Error) -> bool {
    match error.service() {
        Some(service) => !matches!(service.http_status, 408 | 500 | 502 | 504),
        None => error.is_unsent() || !matches!(error.kind(), Kind::Network | Kind::Timeout | Kind::Protocol),
    }
}

#[cold]
fn uncertain(cause: &Error) -> Error {
    let mut error = Error::new(cause.kind(), format!("it is not known whether the message was sent: {}", cause.message()))
        .with_id("SendUncertain")
        .for_tenant(cause.tenant())
        .advise("It was not sent again. Look into Sent Items of the mailbox first, and run the command again if it is not there.")
        .permanent();
    if let Some(service) = cause.service() {
        error = error.with_service(service.clone());
    }
    error
}

/// The id of a message stays the same when it is sent.
fn unchanging(spec: RequestSpec) -> Result<RequestSpec> {
    spec.header(HeaderName::from_static("prefer"), "IdType=\"ImmutableId\"")
}

fn bytes(body: &Json) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(body.to_string().into_bytes())
}
