//! Exchange Online's admin API: the address at which the ExchangeOnlineManagement module runs its cmdlets.
//!
//! It is not documented by its owner; what is here follows public clients of it and the module's own requests:
//! `InvokeCommand` in `beta` only, an anchor mailbox for the routing, replies with annotations beside each value and a link
//! that takes the same body again.

mod call;
mod cmdlet;
mod explain;
pub(crate) mod row;

pub(crate) use call::Call;
pub(crate) use cmdlet::{parameters, Cmdlet};
pub(crate) use explain::{lacks_cmdlet, unreadable};

use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::http::{Pace, Retry};
use crate::odata::Pages;
use crate::tenant::TenantId;
use crate::token::TokenRequest;
use serde::de::DeserializeOwned;
use serde_json::{json, Map, Value};
use std::borrow::Cow;
use std::sync::Arc;
use url::Url;

/// The mailbox that every organization has: requests that name it reach the organization, whoever asks.
const ANCHOR: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";

/// The mailbox that keeps the audit settings: what changes them is sent there.
const AUDIT_ANCHOR: &str = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}";

/// Requests of one tenant in flight at most, where they have a pace.
const REQUESTS: usize = 4;

/// One tenant's Exchange Online. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AdminApi {
    engine: Arc<Engine>,
    token: TokenRequest,
    tenant: TenantId,
    address: Url,
    retry: Retry,
    pace: Option<Arc<Pace>>,
    /// Where requests are routed, where that is not the organization's own mailbox.
    anchor: Option<String>,
}

impl AdminApi {
    /// `token` must be for Exchange Online in `tenant`, given as its GUID.
    pub(crate) fn new(engine: Arc<Engine>, token: TokenRequest, tenant: TenantId) -> Result<Self> {
        let endpoint = token.environment().endpoint(Service::Outlook)?;
        let text = format!(
            "{}/adminapi/beta/{tenant}/InvokeCommand",
            endpoint.trim_end_matches('/')
        );
        let address =
            Url::parse(&text).map_err(|cause| Error::invalid(format!("'{text}' is not an address: {cause}")))?;
        Ok(AdminApi {
            engine,
            token,
            tenant,
            address,
            retry: call::PATIENCE,
            pace: None,
            anchor: None,
        })
    }

    /// The same, asked as often as `retry` says and not as often as public clients do.
    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        AdminApi { retry, ..self }
    }

    /// The same, with as many requests at a time as the tenant answers well. `held_up` is told when they can only wait, and when
    /// they go on.
    pub(crate) fn paced(self, held_up: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let pace = Pace::new(
            REQUESTS,
            self.engine.first_wait(),
            |reply| reply.status() == 429,
            None,
            held_up,
        );
        AdminApi {
            pace: Some(pace),
            ..self
        }
    }

    /// Runs a cmdlet; nothing is sent before its first page is asked for. Where a cmdlet could not do its work, it may say so
    /// in a page's warnings alone.
    pub(crate) fn call(&self, cmdlet: &'static str, parameters: &Value) -> Result<Pages<Call>> {
        self.pages(Cow::Borrowed(cmdlet), parameters, (false, false))
    }

    /// The same for a cmdlet that the user names, which is sent again after a failure where that does no harm.
    pub(crate) fn run(&self, cmdlet: &Cmdlet, parameters: Map<String, Value>) -> Result<Pages<Call>> {
        let name = Cow::Owned(cmdlet.name().to_owned());
        let how = (cmdlet.is_repeatable(), cmdlet.changes());
        self.pages(name, &Value::Object(parameters), how)
    }

    /// The same, with requests routed to a mailbox: a user's name, or a whole hint such as `SMTP:adele@contoso.com`.
    pub(crate) fn anchored(self, mailbox: Option<&str>) -> Self {
        let hint = |mailbox: &str| match mailbox.contains(':') {
            true => mailbox.to_owned(),
            false => format!("UPN:{mailbox}"),
        };
        AdminApi {
            anchor: mailbox.map(hint),
            ..self
        }
    }

    fn pages(
        &self,
        cmdlet: Cow<'static, str>,
        parameters: &Value,
        (repeatable, changes): (bool, bool),
    ) -> Result<Pages<Call>> {
        let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}});
        let body =
            serde_json::to_vec(&body).map_err(|cause| Error::internal(format!("the cmdlet's input: {cause}")))?;
        let call = Call {
            api: self.clone(),
            cmdlet,
            repeatable,
            changes,
            body,
        };
        Ok(Pages::new(call, self.address.clone()))
    }

    /// All rows of a cmdlet that gives few.
    pub(crate) async fn rows<T: DeserializeOwned>(&self, cmdlet: &'static str, parameters: &Value) -> Result<Vec<T>> {
        let mut call = self.call(cmdlet, parameters)?;
        let mut rows = Vec::new();
        while let Some(page) = call.next().await? {
            for text in page.items {
                rows.push(serde_json::from_slice(&text).map_err(|_| explain::unreadable(cmdlet, &self.tenant))?);
            }
        }
        Ok(rows)
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn anchor(&self, cmdlet: &str) -> String {
        if let Some(anchor) = &self.anchor {
            return anchor.clone();
        }
        let mailbox = match cmdlet.eq_ignore_ascii_case("Set-AdminAuditLogConfig") {
            true => AUDIT_ANCHOR,
            false => ANCHOR,
        };
        format!("APP:{mailbox}@{}", self.tenant)
    }
}
