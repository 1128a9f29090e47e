//! Azure Key Vault: one vault with secrets, certificates and the keys behind them.
//!
//! Sources: Azure Key Vault REST reference, version 7.4 and 7.5 (secrets, certificates, keys), and Azure Key Vault
//! documentation: "Authentication, requests and responses", "About Azure Key Vault certificates", "Soft-delete overview".
//! The order of the checks follows what clients see: token, version of the API, network, permission, object.

mod certificates;
mod error;
mod keys;
mod secrets;
mod state;

use std::sync::Arc;

use http::{HeaderName, Method};

use crate::access;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::{lock, World};

use error::Refusal;
use state::{Access, Challenge};

pub(crate) use state::{Settings, Vault};

const VERSIONS: [&str; 7] = ["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6"];
/// Most entries on a page of a list.
const PAGE: usize = 25;
/// The largest value of a secret, in bytes.
const LARGEST_VALUE: usize = 25 * 1024;

pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let mut reply = answer(world, call).unwrap_or_else(Refusal::reply);
    let id = world.random().guid();
    reply::set(&mut reply, HeaderName::from_static("x-ms-request-id"), &id);
    reply::set(
        &mut reply,
        HeaderName::from_static("x-ms-keyvault-region"),
        "westeurope",
    );
    reply
}

/// A request whose sender may do what it asks.
struct Request<'a> {
    world: &'a World,
    call: &'a Call,
    now: i64,
}

fn answer(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let settings = lock(&world.vault.settings).clone();
    if let Some(seconds) = settings.throttled {
        return Err(Refusal::throttled((seconds > 0).then_some(seconds)));
    }
    let caller = caller(world, call, &settings)?;
    match call.parameter("api-version") {
        Some(version) if VERSIONS.contains(&version.as_str()) || is_dated(&version) => {}
        Some(version) => {
            return Err(Refusal::bad(format!(
            "The specified version ({version}) is not recognized. Consider using the latest supported version ({}).",
            VERSIONS[VERSIONS.len() - 1]
        )))
        }
        None => return Err(Refusal::bad("api-version must be specified")),
    }
    let path = call.path.trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    permitted(world, call, &settings, &caller, &parts)?;
    let request = Request {
        world,
        call,
        now: world.clock.now(),
    };
    match parts.split_first() {
        Some((&"secrets", rest)) => secrets::serve(&request, rest),
        Some((&"deletedsecrets", rest)) => secrets::serve_deleted(&request, rest, &settings),
        Some((&"certificates", rest)) => certificates::serve(&request, rest),
        Some((&"keys", rest)) => keys::serve(&request, rest),
        _ => Err(Refusal::new(404, "NotFound", "The requested resource was not found.")),
    }
}

/// The token's owner, or the challenge that says which token would do.
fn caller(world: &World, call: &Call, settings: &Settings) -> Result<Arc<access::Access>, Refusal> {
    let own = &world.endpoints.key_vault;
    let resource = settings.resource.as_deref().unwrap_or(own);
    let authority = format!("{}/{}", world.endpoints.login, world.estate.partner.id);
    let challenge = match settings.challenge {
        Challenge::Resource => format!("Bearer authorization=\"{authority}\", resource=\"{resource}\""),
        Challenge::Scope => format!("Bearer authorization=\"{authority}\", scope=\"{resource}/.default\""),
    };
    let Some(token) = call.bearer() else {
        return Err(Refusal::unauthorized(
            "AKV10000: Request is missing a Bearer or PoP token.",
            challenge,
        ));
    };
    let Some(access) = world.tokens.access(token) else {
        return Err(Refusal::unauthorized(
            "AKV10004: Unable to validate the token's signature.",
            challenge,
        ));
    };
    if access.resource != Resource::KeyVault {
        let found = access.resource.names().first().copied().unwrap_or_default();
        return Err(Refusal::unauthorized(
            format!("AKV10022: Invalid audience. Expected {own}, found: {found}."),
            challenge,
        ));
    }
    if access.tenant_id != world.estate.partner.id {
        return Err(Refusal::unauthorized(
            format!(
                "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{}/, found \
                 https://sts.windows.net/{}/.",
                world.estate.partner.id, access.tenant_id
            ),
            challenge,
        ));
    }
    if access.expires_on <= world.clock.now() {
        return Err(Refusal::unauthorized("AKV10001: The token has expired.", challenge));
    }
    Ok(access)
}

fn permitted(
    world: &World,
    call: &Call,
    settings: &Settings,
    caller: &access::Access,
    parts: &[&str],
) -> Result<(), Refusal> {
    let changes = call.method != Method::GET && parts.last() != Some(&"sign");
    let vault = "sandbox;location=westeurope";
    let who = format!(
        "appid={};iss=https://sts.windows.net/{}/",
        caller.application_id, caller.tenant_id
    );
    let kind = parts.first().copied().unwrap_or_default();
    let rbac = || {
        Refusal::forbidden(
            format!(
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
                 definitions were changed recently, please observe propagation time.\r\nCaller: {who}\r\nAction: \
                 'Microsoft.KeyVault/vaults/{kind}/{}'\r\nAssignment: (not found)\r\nDecisionReason: \
                 'DeniedWithNoValidRBAC'\r\nVault: {vault}\r\n",
                if changes { "write" } else { "read" }
            ),
            "ForbiddenByRbac",
        )
    };
    match settings.access {
        Access::Allowed => Ok(()),
        Access::ReadOnly if !changes => Ok(()),
        Access::ReadOnly | Access::Rbac => Err(rbac()),
        Access::Policy => Err(Refusal::forbidden(
            format!(
                "The user, group or application '{who}' does not have {kind} {} permission on key vault '{vault}'. For help \
                 resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
                if changes { "set" } else { "get" }
            ),
            "AccessDenied",
        )),
        Access::Firewall => Err(Refusal::forbidden(
            format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: \
                 127.0.0.1\r\nCaller: {who}\r\nVault: {vault} ({})",
                world.endpoints.key_vault
            ),
            "ForbiddenByFirewall",
        )),
    }
}

impl Request<'_> {
    fn vault(&self) -> &Vault {
        &self.world.vault
    }

    /// The address of an object of this vault.
    fn id(&self, kind: &str, name: &str, version: &str) -> String {
        let base = &self.world.endpoints.key_vault;
        if version.is_empty() {
            format!("{base}/{kind}/{name}")
        } else {
            format!("{base}/{kind}/{name}/{version}")
        }
    }

    fn body<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        let json = self.call.header("content-type").unwrap_or_default();
        if !json.to_ascii_lowercase().starts_with("application/json") {
            return Err(Refusal::new(
                415,
                "UnsupportedMediaType",
                "The content type of the request is not application/json.",
            ));
        }
        serde_json::from_slice(&self.call.body)
            .map_err(|_| Refusal::bad("Request body not specified, or it is not the expected JSON."))
    }

    /// One page of a list, with the address of the next one.
    fn page(&self, entries: Vec<serde_json::Value>) -> Result<Reply, Refusal> {
        let size = match self.call.parameter("maxresults") {
            None => PAGE,
            Some(text) => match text.parse() {
                Ok(size @ 1..=PAGE) => size,
                _ => return Err(Refusal::bad(format!("maxresults must be between 1 and {PAGE}."))),
            },
        };
        let from = match self.call.parameter("$skiptoken") {
            None => 0,
            Some(token) => token
                .strip_prefix("sandbox-")
                .and_then(|from| from.parse::<usize>().ok())
                .filter(|from| *from < entries.len())
                .ok_or_else(|| Refusal::bad("The $skiptoken is invalid."))?,
        };
        let until = entries.len().min(from + size);
        let next = (until < entries.len()).then(|| {
            format!(
                "{}{}?api-version={}&$skiptoken=sandbox-{until}&maxresults={size}",
                self.world.endpoints.key_vault,
                self.call.path,
                self.call.parameter("api-version").unwrap_or_default()
            )
        });
        let page = serde_json::json!({"value": entries.get(from..until).unwrap_or_default(), "nextLink": next});
        Ok(reply::json(200, &page))
    }
}

/// Versions after 7.6 are dates, some with `-preview`.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    date >= "2025-06-01" && crate::clock::parse_utc_ms(date).is_some() && date.len() == 10
}

/// Refuses what no object of a vault can be called.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (1..=127).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        Ok(())
    } else {
        Err(Refusal::bad(format!(
            "The request URI contains an invalid name: {name}"
        )))
    }
}

/// A path with its names and versions named: `/secrets/{name}/{version}`.
pub(crate) fn template(path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let mut named = String::new();
    for (at, part) in parts.iter().enumerate() {
        named.push('/');
        named.push_str(match (at, *part) {
            (1, _) => "{name}",
            (_, word @ ("versions" | "recover" | "import" | "sign" | "policy")) => word,
            (2, _) => "{version}",
            (_, part) => part,
        });
    }
    named
}
