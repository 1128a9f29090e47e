//! Reads a token request: the form, the client's credential and what is asked for.

use std::collections::HashMap;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;

use crate::reply::Call;
use crate::resource::{Resource, GRAPH};
use crate::world::World;

use super::error::Refusal;
use super::Version;

/// The form of a token request.
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    /// Reads the body. A body of another content type has no parameters, which is what the service finds in it too.
    pub(super) fn read(call: &Call) -> Self {
        let is_form = call
            .header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        if !is_form {
            return Form(HashMap::new());
        }
        Form(
            url::form_urlencoded::parse(&call.body)
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        )
    }

    /// Reads the query of an address.
    pub(super) fn of_query(call: &Call) -> Self {
        Form::of_text(&call.query)
    }

    /// Reads the text of a query.
    pub(crate) fn of_text(text: &str) -> Self {
        Form(
            url::form_urlencoded::parse(text.as_bytes())
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        )
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing_parameter(name))
    }
}

/// Who asks, as the request says.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    pub(super) assertion: Option<String>,
    /// The tenant as the address names it.
    pub(super) tenant: String,
}

impl Client {
    /// The client's id and secret, from the form or from HTTP Basic authentication.
    pub(super) fn read(call: &Call, form: &Form, tenant: &str) -> Result<Self, Refusal> {
        if let Some((id, secret)) = basic(call) {
            return Ok(Client {
                id,
                secret: Some(secret),
                assertion: None,
                tenant: tenant.to_owned(),
            });
        }
        Ok(Client {
            id: form.require("client_id")?.to_owned(),
            secret: form.get("client_secret").map(str::to_owned),
            assertion: form.get("client_assertion").map(str::to_owned),
            tenant: tenant.to_owned(),
        })
    }
}

fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, value) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        let form = format!("v={text}");
        url::form_urlencoded::parse(form.as_bytes())
            .next()
            .map(|(_, v)| v.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

/// What a token is asked for.
pub(super) struct Wanted {
    /// The API's name as the request has it: the token's audience.
    pub(super) audience: String,
    /// Named permissions; None for all that are granted.
    pub(super) scopes: Option<Vec<String>>,
    /// The OpenID scopes that were asked for.
    pub(super) openid: Vec<&'static str>,
}

pub(super) const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Wanted {
    /// Version 1 asks by `resource`; version 2 by `scope`. `usual` is what a refresh token redeems for when the request
    /// names nothing; without it, something has to be named.
    pub(super) fn read(form: &Form, version: Version, usual: Option<&str>) -> Result<Self, Refusal> {
        let openid = |scope: &str| {
            OPENID_SCOPES
                .into_iter()
                .filter(|known| scope.split(' ').any(|s| s == *known))
                .collect::<Vec<_>>()
        };
        let scope = form.get("scope");
        match version {
            Version::V1 => {
                let audience = match (form.get("resource"), usual) {
                    (Some(resource), _) => resource.to_owned(),
                    (None, Some(usual)) => usual.to_owned(),
                    (None, None) => return Err(Refusal::missing_parameter("resource")),
                };
                Ok(Wanted {
                    audience,
                    scopes: None,
                    openid: openid(scope.unwrap_or_default()),
                })
            }
            Version::V2 => {
                let wanted = match (scope, usual) {
                    (Some(scope), _) => Wanted {
                        openid: openid(scope),
                        ..from_scope(scope, usual)?
                    },
                    (None, Some(usual)) => Wanted {
                        audience: usual.to_owned(),
                        scopes: None,
                        openid: Vec::new(),
                    },
                    (None, None) => return Err(Refusal::missing_parameter("scope")),
                };
                if let Some(resource) = form.get("resource") {
                    if resource.trim_end_matches('/') != wanted.audience.trim_end_matches('/') {
                        return Err(Refusal::new(
                            9010010,
                            "invalid_target",
                            format!(
                                "The resource parameter provided in the request doesn't match with the requested \
                                 scopes. Resource: '{resource}'."
                            ),
                        ));
                    }
                }
                Ok(wanted)
            }
        }
    }

    /// Whether all of the API's granted permissions are asked for.
    pub(super) fn is_default(&self) -> bool {
        self.scopes.is_none()
    }

    /// Finds the API, or says that the tenant has none of that name.
    pub(super) fn resource(&self, world: &World, tenant: &crate::estate::Tenant) -> Result<Resource, Refusal> {
        find_resource(world, tenant, &self.audience)
    }
}

/// Finds the API that a tenant knows by a name.
pub(super) fn find_resource(world: &World, tenant: &crate::estate::Tenant, name: &str) -> Result<Resource, Refusal> {
    let missing = |resource: &Resource| {
        let missing = tenant.health().missing_resources;
        missing.iter().any(|name| world.resource(name) == Some(*resource))
    };
    world
        .resource(name)
        .filter(|resource| !missing(resource))
        .ok_or_else(|| {
            Refusal::new(
                500011,
                "invalid_resource",
                format!(
                    "The resource principal named {name} was not found in the tenant named {}. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user \
                 in the tenant. You might have sent your authentication request to the wrong tenant.",
                    tenant.display_name
                ),
            )
        })
}

/// Reads a version 2 scope list: one API per request; a bare name means Microsoft Graph.
fn from_scope(scope: &str, usual: Option<&str>) -> Result<Wanted, Refusal> {
    let mut audience: Option<String> = None;
    let mut names = Vec::new();
    let mut default = false;
    for item in scope
        .split_ascii_whitespace()
        .filter(|item| !OPENID_SCOPES.contains(item))
    {
        let (resource, name) = match item.rsplit_once('/') {
            Some((resource, name)) if !resource.is_empty() && !name.is_empty() => (resource, name),
            Some(_) => return Err(invalid_scope(item)),
            None => (GRAPH, item),
        };
        match &audience {
            Some(known) if known != resource => {
                return Err(Refusal::new(
                    28000,
                    "invalid_request",
                    format!(
                        "Provided value for the input parameter scope is not valid because it contains more than one \
                         resource. Scope {scope} is not valid."
                    ),
                ))
            }
            Some(_) => {}
            None => audience = Some(resource.to_owned()),
        }
        if name == ".default" {
            default = true;
        } else {
            names.push(name.to_owned());
        }
    }
    if default && !names.is_empty() {
        return Err(invalid_scope(scope));
    }
    Ok(match audience {
        Some(audience) => Wanted {
            audience,
            scopes: (!default).then_some(names),
            openid: Vec::new(),
        },
        // OpenID scopes alone: a token for Microsoft Graph, or for what the refresh token was first asked for.
        None => Wanted {
            audience: usual.unwrap_or(GRAPH).to_owned(),
            scopes: None,
            openid: Vec::new(),
        },
    })
}

/// The refusal of a scope that is no scope, or not one for this grant.
pub(super) fn invalid_scope(scope: &str) -> Refusal {
    Refusal::new(
        70011,
        "invalid_scope",
        format!("The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."),
    )
}
