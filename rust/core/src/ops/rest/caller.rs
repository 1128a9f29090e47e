//! Who asks, for what, and where: what requests of a user's own have in common.

use super::super::audit::item::Item;
use crate::engine::Session;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::rest::Place;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::Credential;
use std::sync::Arc;

/// What is read here of an operation's request.
pub(super) const FIELDS: [&str; 7] = [
    "credential",
    "environment",
    "throttle",
    "appOnly",
    "resource",
    "scopes",
    "uri",
];

pub(super) struct Caller {
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    app_only: bool,
    target: Target,
    pub(super) place: Place,
    pub(super) throttle: usize,
}

impl Caller {
    pub(super) fn read(session: &Session, request: &Request, throttle: i64, most: i64) -> Result<Self> {
        let environments = session.engine().environments();
        let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
        let (resource, scopes) = (request.opt_text("resource")?, request.texts("scopes")?);
        let (target, place) = Place::choose(&environment, resource, scopes, request.text("uri")?)?;
        let throttle = request
            .opt_int("throttle")?
            .filter(|number| *number != 0)
            .unwrap_or(throttle);
        if throttle < 0 {
            return Err(
                Error::invalid("the throttle limit is negative").advise(format!("Give a number from 1 to {most}."))
            );
        }
        Ok(Caller {
            credential: Arc::clone(request.credential("credential")?),
            app_only: request.flag("appOnly")?,
            throttle: usize::try_from(throttle.min(most)).unwrap_or(1),
            environment,
            target,
            place,
        })
    }

    /// The question for an item's token. An item without a tenant is for the credential's own.
    pub(super) fn question(&self, item: &Request) -> Result<TokenRequest> {
        let tenant = match item.opt_text("tenant")? {
            Some(_) => Item::tenant_of(item)?,
            None => self.own_tenant()?,
        };
        let question = TokenRequest::new(
            Arc::clone(&self.environment),
            Arc::clone(&self.credential),
            tenant,
            self.target.clone(),
        );
        Ok(question.app_only(self.app_only))
    }

    fn own_tenant(&self) -> Result<TenantId> {
        match self.credential.home_tenant() {
            Some(tenant) => Ok(tenant.clone()),
            None if self.credential.has_refresh_token() || self.credential.managed_identity().is_some() => {
                TenantId::parse("organizations")
            }
            None => Err(Error::invalid("it is not known which tenant is meant")
                .advise("Name it with -TenantId, or make the credential with -TenantId: an application without a user has to be told its tenant.")),
        }
    }
}
