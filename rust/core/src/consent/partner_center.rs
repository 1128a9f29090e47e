//! Partner Center's `applicationconsents`, as the page "Get customer consent as Control Panel Vendor" of Microsoft's Partner Center
//! reference has them; one API in each request, and no way to add to what is there, as the FAQ on granular delegated admin
//! privileges says. A repeated request keeps its `MS-RequestId`, by which the service knows it again.

use super::Wanted;
use crate::delegated::partner_center::{advice, identified};
use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::{self, Budget, Reply, RequestSpec, Retry};
use crate::tenant::TenantId;
use crate::token::{consent_page, Target, TokenRequest};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// "Partner Center REST error codes": the customer was not found.
const NO_CUSTOMER: &str = "600009";

/// What came of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    New,
    /// There is one for this API already; it stays as it is.
    Exists,
}

pub(crate) struct PartnerCenter {
    engine: Arc<Engine>,
    token: TokenRequest,
    correlation: String,
}

impl PartnerCenter {
    /// `partner` is a question for a user's token in the partner's own tenant, whatever its target. Its application is the one
    /// that is consented to: Partner Center takes no other.
    pub(crate) fn new(engine: Arc<Engine>, partner: &TokenRequest) -> Result<Self> {
        let environment = partner.environment();
        environment.endpoint(Service::PartnerCenter)?;
        let target = Target::resource(environment.resource(Service::PartnerCenter))?;
        Ok(PartnerCenter {
            engine,
            token: partner.clone().for_target(target),
            correlation: http::random_id()?,
        })
    }

    /// Grants permissions on one API, for all users of the customer.
    pub(crate) async fn grant(&self, customer: &TenantId, wanted: &Wanted) -> Result<Granted> {
        let body = json!({
            "applicationId": self.application_id(),
            "applicationGrants": [{
                "enterpriseApplicationId": wanted.api.application_id,
                "scope": wanted.scopes.join(","),
            }],
        });
        let spec = RequestSpec::post(&self.address(customer)?)?
            .json(Zeroizing::new(body.to_string().into_bytes()))
            .repeatable(true);
        let reply = self.send(spec).await?;
        match reply.status() {
            409 => Ok(Granted::Exists),
            _ if reply.is_success() => Ok(Granted::New),
            _ => Err(self
                .refused(&reply, customer, "take the consent")
                .for_resource(&wanted.api.name)),
        }
    }

    /// Removes all that was granted to the application in the customer's tenant; false where there was nothing.
    pub(crate) async fn revoke(&self, customer: &TenantId) -> Result<bool> {
        let address = format!("{}/{}", self.address(customer)?, self.application_id());
        let reply = self.send(RequestSpec::delete(&address)?).await?;
        if reply.is_success() {
            return Ok(true);
        }
        let error = self.refused(&reply, customer, "remove the consent");
        let is_unknown_customer = error.service().is_some_and(|service| service.code == NO_CUSTOMER);
        match reply.status() {
            404 if !is_unknown_customer => Ok(false),
            _ => Err(error),
        }
    }

    /// Where an administrator of the customer consents to all that the application asks for.
    pub(crate) fn page(&self, customer: &TenantId) -> String {
        consent_page(self.token.environment(), customer, self.application_id())
    }

    pub(crate) fn application_id(&self) -> &str {
        self.token.credential().application_id()
    }

    fn address(&self, customer: &TenantId) -> Result<String> {
        let endpoint = self.token.environment().endpoint(Service::PartnerCenter)?;
        Ok(format!("{endpoint}/v1/customers/{customer}/applicationconsents"))
    }

    /// Fifty requests in a second are let through, so being told to wait is the rule with many customers.
    async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        let spec = identified(spec, &self.correlation)?
            .retry(Retry::PATIENT)
            .budget(self.token.budget().cloned().map(Budget::free_of_throttling));
        http::authorized(&self.engine, &self.token, spec).await
    }

    #[cold]
    fn refused(&self, reply: &Reply, customer: &TenantId, action: &str) -> Error {
        let error = reply.error(action).for_tenant(customer.as_str());
        let page = self.page(customer);
        let code = error.service().map_or("", |service| service.code.as_str());
        if let Some(advice) = advice(code) {
            return error.advise(advice);
        }
        let advice = match error.kind() {
            Kind::Denied => format!(
                "The signed-in user must be in the partner's group AdminAgents, and hold Cloud Application Administrator, Application \
                 Administrator or Privileged Role Administrator in this customer, through a group of an active GDAP relationship. \
                 Or an administrator of the customer opens {page} and accepts."
            ),
            Kind::NotFound => format!(
                "Partner Center knows no such customer: see that Get-DelegatedTenant lists it, and that its relationship is active. \
                 Or an administrator of the customer opens {page} and accepts."
            ),
            Kind::InvalidInput => format!(
                "See that the scopes are delegated permissions of that API, that the customer has the API (a licence), and that the \
                 refresh token is this application's. Or an administrator of the customer opens {page} and accepts."
            ),
            _ => return error,
        };
        error.advise(advice)
    }
}
