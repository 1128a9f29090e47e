//! Asking the services for their lists.

use super::paging::{self, Listing, PageRequest};
use super::{graph, partner_center, Source};
use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::http::{self, Reply, RequestSpec};
use crate::token::{Target, TokenRequest};
use bytes::Bytes;
use reqwest::header::HeaderName;
use url::Url;

/// Where a list is.
fn place(source: Source) -> (Service, &'static str) {
    match source {
        Source::PartnerCenter => (Service::PartnerCenter, partner_center::FIRST),
        Source::Contracts => (Service::Graph, graph::CONTRACTS),
        Source::DelegatedAdminCustomers => (Service::Graph, graph::DELEGATED_ADMIN_CUSTOMERS),
    }
}

/// Reads a whole list. `partner` is a question for a token in the partner's own tenant, whatever its target.
pub(crate) async fn read(engine: &Engine, source: Source, partner: &TokenRequest) -> Result<Listing> {
    let environment = partner.environment();
    let (service, path) = place(source);
    let token = &partner
        .clone()
        .for_target(Target::resource(environment.resource(service))?);
    let first = format!("{}{path}", environment.endpoint(service)?);
    let first = Url::parse(&first).map_err(|cause| Error::invalid(format!("'{first}' is not an address: {cause}")))?;
    let correlation = &http::random_id()?;
    paging::read_all(source, first, |page| async move {
        let spec = spec(source, &page, correlation)?.budget(partner.budget().cloned());
        let reply = http::authorized(engine, token, spec).await?;
        if !reply.is_success() {
            return Err(refusal(source, &reply).for_tenant(token.tenant().as_str()));
        }
        Ok(Bytes::copy_from_slice(reply.bytes()))
    })
    .await
}

#[cold]
fn refusal(source: Source, reply: &Reply) -> Error {
    let error = reply.error("give the list");
    let code = error.service().map_or("", |service| service.code.as_str());
    match partner_center::advice(code).filter(|_| source == Source::PartnerCenter) {
        Some(advice) => error.advise(advice),
        None => error,
    }
}

fn spec(source: Source, page: &PageRequest, correlation: &str) -> Result<RequestSpec> {
    let mut spec = RequestSpec::get(page.url.as_str())?;
    if source == Source::PartnerCenter {
        spec = partner_center::identified(spec, correlation)?;
        if let Some(continuation) = &page.continuation {
            spec = spec.header(HeaderName::from_static("ms-continuationtoken"), continuation)?;
        }
    }
    Ok(spec)
}
