//! An authorize request, read and found right, or refused on the page or by the way back.

use crate::estate::Tenant;
use crate::resource::{Resource, GRAPH};
use crate::world::World;

use super::code::Challenge;
use super::error::Refusal;
use super::grant::{find_resource, invalid_scope, Form, OPENID_SCOPES};
use super::party::Party;
use super::{authority, Authority, Version};

/// How the answer goes back to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// An answer's way back.
#[derive(Clone, Debug)]
pub(crate) struct Return {
    pub(crate) redirect_uri: String,
    pub(crate) mode: Mode,
    state: Option<String>,
}

/// A request that was found right.
pub(super) struct Ask<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) client_id: String,
    pub(super) client: Party<'a>,
    pub(super) back: Return,
    pub(super) id_token: bool,
    pub(super) resource: Option<String>,
    pub(super) permissions: Vec<String>,
    pub(super) openid: Vec<&'static str>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) prompt: String,
}

/// Where a refusal is said.
pub(super) enum Failed {
    OnPage(Refusal),
    Back(Box<(Return, Refusal)>),
}

impl Ask<'_> {
    /// Whether the user has to consent before the application gets anything.
    pub(super) fn needs_consent(&self, world: &World) -> bool {
        !self.client.is_consented(world, self.tenant)
            || !self.client.is_in(world, self.tenant)
            || matches!(self.prompt.as_str(), "consent" | "admin_consent")
    }
}

/// Reads a request and checks it in the service's order.
pub(super) fn read<'a>(world: &'a World, tenant: &str, version: Version, form: &Form) -> Result<Ask<'a>, Failed> {
    let on_page = Failed::OnPage;
    let tenant = match authority(world, tenant).map_err(on_page)? {
        Authority::Tenant(tenant) => tenant,
        Authority::AnyOrganization => &world.estate.partner,
        Authority::Consumers => return Err(on_page(super::checks::consumers())),
    };
    let client_id = form.require("client_id").map_err(on_page)?;
    let Some(client) = Party::find(world, client_id) else {
        return Err(on_page(Refusal::new(
            700016,
            "unauthorized_client",
            format!(
                "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in the \
                 tenant. You may have sent your authentication request to the wrong tenant.",
                tenant.display_name
            ),
        )));
    };
    let redirect_uri = redirect_uri(&client, client_id, form.get("redirect_uri")).map_err(on_page)?;
    let response_type = form.require("response_type").map_err(on_page)?;
    let (code, id_token) = response_types(response_type);
    let mode = match form.get("response_mode") {
        None if id_token => Some(Mode::Fragment),
        None | Some("query") => Some(Mode::Query),
        Some("fragment") => Some(Mode::Fragment),
        Some("form_post") => Some(Mode::FormPost),
        Some(_) => None,
    };
    let back = Return {
        redirect_uri,
        mode: mode.unwrap_or(Mode::Query),
        state: form.get("state").map(str::to_owned),
    };
    let refuse = |refusal: Refusal| Failed::Back(Box::new((back.clone(), refusal)));
    if mode.is_none() || (id_token && mode == Some(Mode::Query)) {
        return Err(refuse(Refusal::new(
            70007,
            "invalid_request",
            format!(
                "'{}' is not a supported value for the input parameter 'response_mode' when requesting a token.",
                form.get("response_mode").unwrap_or_default()
            ),
        )));
    }
    if !code {
        return Err(refuse(Refusal::new(
            70005,
            "unsupported_response_type",
            format!(
                "The WS-Federation or OAuth 2.0 response type '{response_type}' is not enabled for the application."
            ),
        )));
    }
    if id_token {
        form.require("nonce").map_err(refuse)?;
    }
    let challenge = challenge(form).map_err(refuse)?;
    let prompt = form.get("prompt").unwrap_or_default();
    match (version, prompt) {
        (_, "" | "login" | "select_account" | "consent") | (Version::V1, "admin_consent") | (Version::V2, "create") => {
        }
        (_, "none") => {
            return Err(refuse(Refusal::new(
                50058,
                "login_required",
                "A silent sign-in request was sent but no user is signed in.",
            )))
        }
        (_, other) => {
            return Err(refuse(Refusal::new(
                90023,
                "invalid_request",
                format!("Unsupported 'prompt' value '{other}'."),
            )))
        }
    }
    let (resource, permissions) = wanted(world, tenant, version, form).map_err(refuse)?;
    let client_id = client_id.to_owned();
    let scope = form.get("scope").unwrap_or_default();
    Ok(Ask {
        tenant,
        client_id,
        client,
        id_token,
        resource,
        permissions,
        openid: OPENID_SCOPES
            .into_iter()
            .filter(|known| scope.split_ascii_whitespace().any(|item| item == *known))
            .collect(),
        nonce: form.get("nonce").map(str::to_owned),
        challenge,
        prompt: prompt.to_owned(),
        back,
    })
}

/// The address that the answer goes to: one of the application's, exactly, save that the port of a loopback address does
/// not count. It may be left out where there is only one.
pub(super) fn redirect_uri(client: &Party<'_>, client_id: &str, asked: Option<&str>) -> Result<String, Refusal> {
    let registered = client.redirect_uris();
    match (asked, registered.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Refusal::missing_parameter("redirect_uri")),
        (Some(asked), known) if known.iter().any(|known| matches(known, asked)) => Ok(asked.to_owned()),
        (Some(asked), _) => Err(Refusal::new(
            50011,
            "invalid_request",
            format!(
                "The redirect URI '{asked}' specified in the request does not match the redirect URIs configured for the \
                 application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application \
                 in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to fix this."
            ),
        )),
    }
}

fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(registered), Ok(asked)) = (url::Url::parse(registered), url::Url::parse(asked)) else {
        return false;
    };
    let loopback = |url: &url::Url| url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    loopback(&registered)
        && loopback(&asked)
        && registered.host_str() == asked.host_str()
        && registered.path() == asked.path()
        && registered.query() == asked.query()
}

/// Whether a code and whether an id token is asked for; neither where the type is not one that is served here.
fn response_types(text: &str) -> (bool, bool) {
    match text {
        "code" => (true, false),
        "code id_token" | "id_token code" => (true, true),
        _ => (false, false),
    }
}

fn challenge(form: &Form) -> Result<Option<Challenge>, Refusal> {
    let Some(value) = form.get("code_challenge") else {
        return Ok(None);
    };
    if !(43..=128).contains(&value.len()) {
        return Err(Refusal::new(
            50147,
            "invalid_request",
            "Invalid size of Code_Challenge parameter.",
        ));
    }
    let hashed = match form.get("code_challenge_method") {
        None | Some("plain") => false,
        Some("S256") => true,
        Some(other) => {
            return Err(Refusal::new(
                501491,
                "invalid_request",
                format!("Invalid Code_Challenge_method parameter '{other}'."),
            ))
        }
    };
    Ok(Some(Challenge {
        value: value.to_owned(),
        hashed,
    }))
}

/// The API whose token is wanted first, and everything that is asked for, as the page lists it. Unlike a token request, an
/// authorize request may name several APIs.
pub(super) fn wanted(
    world: &World,
    tenant: &Tenant,
    version: Version,
    form: &Form,
) -> Result<(Option<String>, Vec<String>), Refusal> {
    let mut asked: Vec<(String, String)> = Vec::new();
    match version {
        Version::V1 => asked.extend(
            form.get("resource")
                .map(|resource| (resource.to_owned(), ".default".to_owned())),
        ),
        Version::V2 => {
            for item in form.require("scope")?.split_ascii_whitespace() {
                if OPENID_SCOPES.contains(&item) {
                    continue;
                }
                let (resource, name) = match item.rsplit_once('/') {
                    Some((resource, name)) if !resource.is_empty() && !name.is_empty() => (resource, name),
                    Some(_) => return Err(invalid_scope(item)),
                    None => (GRAPH, item),
                };
                asked.push((resource.to_owned(), name.to_owned()));
            }
        }
    }
    let client_id = form.get("client_id").unwrap_or_default();
    let client = Party::find(world, client_id);
    let client_name = client.as_ref().map(Party::name).unwrap_or_default();
    let mut permissions = Vec::new();
    for (resource, name) in &asked {
        let found = find_resource(world, tenant, resource)?;
        let Some(known) = client.as_ref().and_then(|client| client.listed(found)) else {
            return Err(Refusal::new(
                650057,
                "invalid_client",
                format!(
                    "Invalid resource. The client has requested access to a resource which is not listed in the requested \
                     permissions in the client's application registration. Client app ID: {client_id}({client_name}). Resource value \
                     from request: {resource}. Resource app ID: {}.",
                    found.application_id()
                ),
            ));
        };
        if name == ".default" {
            permissions.extend(known.iter().map(|scope| describe(found, scope)));
        } else if let Some(scope) = known.iter().find(|scope| scope.eq_ignore_ascii_case(name)) {
            permissions.push(describe(found, scope));
        } else {
            return Err(Refusal::new(
                650053,
                "invalid_client",
                format!(
                    "The application '{client_name}' asked for scope '{name}' that doesn't exist on the resource '{}'.",
                    found.application_id()
                ),
            ));
        }
    }
    Ok((asked.into_iter().next().map(|(resource, _)| resource), permissions))
}

fn describe(resource: Resource, scope: &str) -> String {
    let api = match resource {
        Resource::Own => "this application",
        other => other.title(),
    };
    format!("{scope} ({api})")
}

impl Return {
    /// The way back of an answer that goes into the query.
    pub(super) fn query(redirect_uri: String, state: Option<&str>) -> Self {
        Return {
            redirect_uri,
            mode: Mode::Query,
            state: state.map(str::to_owned),
        }
    }

    /// All parameters of an answer, the state among them.
    pub(crate) fn with_state(&self, mut parameters: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters
    }

    /// The address with the parameters on it, for the modes that put them there.
    pub(crate) fn location(&self, parameters: &[(&'static str, String)]) -> String {
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let separator = match self.mode {
            Mode::Fragment => '#',
            _ if self.redirect_uri.contains('?') => '&',
            _ => '?',
        };
        format!("{}{separator}{text}", self.redirect_uri)
    }
}
