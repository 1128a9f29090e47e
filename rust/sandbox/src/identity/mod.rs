//! The Microsoft identity platform.
//!
//! Sources: Microsoft Entra documentation ("OAuth 2.0 authorization code flow", "OAuth 2.0 client credentials flow",
//! "OAuth 2.0 device authorization grant flow", "Refresh tokens", "OpenID Connect", "Error handling and reference error codes", "Access token claims reference") and
//! the archived Azure AD v1.0 developer pages for the version 1 endpoint. The order of the checks is not documented;
//! it follows what clients see.

mod adminconsent;
mod ask;
mod assertion;
mod authorize;
mod checks;
mod claims;
mod code;
mod device;
mod error;
mod federated;
mod first_party;
mod grant;
mod metadata;
mod on_behalf_of;
mod page;
mod party;
pub(crate) mod policy;
mod redeem;
mod sign_in;
mod token;

use http::Method;

use crate::estate::Tenant;
use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::world::World;

pub(crate) use ask::Mode;
pub(crate) use authorize::{answer as sign_in_answer, Answer};
pub(crate) use checks::ProvedBy;
pub(crate) use code::Codes;
pub(crate) use device::{decide_device, Devices};
use error::Refusal;
pub(crate) use grant::Form;
pub(crate) use sign_in::{Action, Attempt};

/// Which of the two token endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// The tenant part of an identity address.
enum Authority<'a> {
    Tenant(&'a Tenant),
    /// `common` or `organizations`: the user's own tenant.
    AnyOrganization,
    /// `consumers`: personal accounts.
    Consumers,
}

pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let path = call.path.trim_matches('/');
    let (tenant, rest) = path.split_once('/').unwrap_or((path, ""));
    let get = call.method == Method::GET;
    match rest {
        "oauth2/token" => token::serve(world, call, tenant, Version::V1),
        "oauth2/v2.0/token" => token::serve(world, call, tenant, Version::V2),
        "discovery/instance" if get => metadata::instance(world, call),
        ".well-known/openid-configuration" if get => metadata::configuration(world, call, tenant, Version::V1),
        "v2.0/.well-known/openid-configuration" if get => metadata::configuration(world, call, tenant, Version::V2),
        "discovery/keys" | "discovery/v2.0/keys" if get => metadata::keys(world, call, tenant),
        "oauth2/authorize" => authorize::serve(world, call, tenant, Version::V1),
        "oauth2/v2.0/authorize" => authorize::serve(world, call, tenant, Version::V2),
        "oauth2/devicecode" => device::start(world, call, tenant, Version::V1),
        "oauth2/v2.0/devicecode" => device::start(world, call, tenant, Version::V2),
        "oauth2/deviceauth" => device::page(world, call),
        "adminconsent" => adminconsent::serve(world, call, tenant, Version::V1),
        "v2.0/adminconsent" => adminconsent::serve(world, call, tenant, Version::V2),
        _ => reply::reply(
            404,
            "text/html; charset=utf-8",
            "<html><body>Resource not found.</body></html>",
        ),
    }
}

/// Finds the tenant that an address names.
fn authority<'a>(world: &'a World, name: &str) -> Result<Authority<'a>, Refusal> {
    match name.to_ascii_lowercase().as_str() {
        "common" | "organizations" => return Ok(Authority::AnyOrganization),
        "consumers" | "9188040d-6c67-4c5b-b112-36a304b66dad" => return Ok(Authority::Consumers),
        _ => {}
    }
    if let Some(tenant) = world.estate.find(name) {
        return if tenant.health().deleted {
            Err(Refusal::tenant_not_found(name))
        } else {
            Ok(Authority::Tenant(tenant))
        };
    }
    let domain_like = name.contains('.')
        && name.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && label.len() < 64
        });
    if is_guid(name) || domain_like {
        Err(Refusal::tenant_not_found(name))
    } else {
        Err(Refusal::new(
            900023,
            "invalid_request",
            format!("Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."),
        ))
    }
}
