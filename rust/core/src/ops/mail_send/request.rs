//! What a request for a message says.

use crate::engine::Session;
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::mail::{Address, Message};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::Credential;
use std::path::PathBuf;
use std::sync::Arc;

/// Exchange Online's limit for the recipients of a message.
const MOST_RECIPIENTS: usize = 1000;

pub(super) struct Wanted {
    pub(super) message: Message,
    pub(super) attachments: Vec<PathBuf>,
    /// What the message calls the machine that the files are on.
    pub(super) machine: String,
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    tenant: TenantId,
    app_only: bool,
}

impl Wanted {
    pub(super) fn read(session: &Session, request: &Request) -> Result<Self> {
        request.only(&[
            "credential",
            "environment",
            "appOnly",
            "tenant",
            "from",
            "to",
            "cc",
            "bcc",
            "replyTo",
            "subject",
            "body",
            "html",
            "priority",
            "deliveryReceipt",
            "attachments",
            "machine",
        ])?;
        let environments = session.engine().environments();
        let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
        environment.endpoint(Service::Graph)?;
        let credential = Arc::clone(request.credential("credential")?);
        let app_only = request.flag("appOnly")?;
        let tenant = match request.opt_text("tenant")? {
            Some(text) => TenantId::parse(text)?,
            None => credential.own_tenant().ok_or_else(|| {
                Error::invalid("it is not known in which tenant the mailbox is")
                    .advise("Give -TenantId, or make the credential with the tenant that it belongs to.")
            })?,
        };
        let from = request.opt_text("from")?.filter(|text| !text.trim().is_empty());
        let from = from.map(|text| Address::parse(text, "-From")).transpose()?;
        if from.is_none() && (app_only || !credential.has_refresh_token()) {
            return Err(Error::invalid("an application has no mailbox of its own to send from")
                .advise("Give -From the address of the mailbox, or use a credential with a refresh token: then it is its user's."));
        }
        let list = |key, place| Address::parse_all(request.texts(key)?, place);
        let message = Message {
            from,
            to: list("to", "-To")?,
            cc: list("cc", "-Cc")?,
            bcc: list("bcc", "-Bcc")?,
            reply_to: list("replyTo", "-ReplyTo")?,
            subject: request.opt_text("subject")?.unwrap_or_default().to_owned(),
            body: request.opt_text("body")?.unwrap_or_default().to_owned(),
            is_html: request.flag("html")?,
            importance: importance(request.opt_text("priority")?)?,
            delivery_receipt: request.flag("deliveryReceipt")?,
        };
        match message.to.len() + message.cc.len() + message.bcc.len() {
            0 => return Err(Error::invalid("the message has no recipient").advise("Give -To, -Cc or -Bcc.")),
            many if many > MOST_RECIPIENTS => {
                return Err(Error::invalid(format!(
                    "the message has {many} recipients, and {MOST_RECIPIENTS} is the limit"
                ))
                .advise("Send it in several messages, or to a distribution group."))
            }
            _ => {}
        }
        if message.subject.contains(char::is_control) {
            return Err(
                Error::invalid("the subject has a line break or another control character")
                    .advise("Give -Subject one line of text."),
            );
        }
        Ok(Wanted {
            message,
            attachments: request.texts("attachments")?.iter().map(PathBuf::from).collect(),
            machine: request.opt_text("machine")?.unwrap_or_default().to_owned(),
            environment,
            credential,
            tenant,
            app_only,
        })
    }

    /// A question for the token of the tenant's Graph.
    pub(super) fn token(&self) -> Result<TokenRequest> {
        let target = Target::resource(self.environment.resource(Service::Graph))?;
        let token = TokenRequest::new(
            Arc::clone(&self.environment),
            Arc::clone(&self.credential),
            self.tenant.clone(),
            target,
        );
        Ok(token.app_only(self.app_only))
    }
}

/// As Graph names it.
fn importance(priority: Option<&str>) -> Result<&'static str> {
    match priority.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "normal" => Ok("normal"),
        "low" => Ok("low"),
        "high" => Ok("high"),
        _ => Err(Error::invalid("there is no such priority").advise("Use Low, Normal or High.")),
    }
}
