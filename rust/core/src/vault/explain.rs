//! What a vault's refusal means, and what to do about it.
//!
//! Error codes: Azure Key Vault documentation, "REST API error codes" and "Troubleshooting Azure Key Vault access policy
//! issues". The inner code tells a missing role from a missing access policy and both from the firewall.

use super::address::Address;
use crate::error::{Error, Kind};
use crate::http::Reply;
use serde_json::Value as Json;

/// What a request takes: a role of Azure RBAC that has it, and its name in access policies.
pub(super) struct Right {
    role: &'static str,
    permission: &'static str,
}

impl Right {
    pub(super) const GET_SECRET: Right = Right::new("Key Vault Secrets User", "secrets/get");
    pub(super) const LIST_SECRETS: Right = Right::new("Key Vault Secrets User", "secrets/list");
    pub(super) const SET_SECRET: Right = Right::new("Key Vault Secrets Officer", "secrets/set");
    pub(super) const DELETE_SECRET: Right = Right::new("Key Vault Secrets Officer", "secrets/delete");
    pub(super) const RECOVER_SECRET: Right = Right::new("Key Vault Secrets Officer", "secrets/recover");
    pub(super) const GET_CERTIFICATE: Right = Right::new("Key Vault Certificate User", "certificates/get");
    pub(super) const SIGN: Right = Right::new("Key Vault Crypto User", "keys/sign");

    const fn new(role: &'static str, permission: &'static str) -> Right {
        Right { role, permission }
    }
}

/// The error of a failed reply; `action` reads like "give the secret 'a'", and `right` is what that takes.
#[cold]
pub(super) fn refusal(reply: &Reply, action: &str, right: Option<&Right>, address: &Address) -> Error {
    let error = reply.error(action).for_resource(address.base());
    let inner = inner_code(reply.bytes()).unwrap_or_default();
    let outer = error.service().map_or("", |service| service.code.as_str());
    let forbidden = right
        .filter(|_| reply.status() == 403)
        .and_then(|right| missing(&inner, right));
    let advice = forbidden.or_else(|| advice(reply.status(), &inner, outer, error.kind()).map(str::to_owned));
    let mut service = error.service().cloned().unwrap_or_default();
    service.suberror.clone_from(&inner);
    if !inner.is_empty() {
        service.code = inner;
    }
    let error = error.with_service(service);
    match advice {
        Some(advice) => error.advise(advice),
        None => error,
    }
}

/// What to do where a right is missing; `None` where the refusal has another reason.
fn missing(inner: &str, Right { role, permission }: &Right) -> Option<String> {
    Some(match inner {
        "ForbiddenByRbac" => format!("Assign the role '{role}' ({permission}) on the vault to whom the credential acts for. A new assignment takes some minutes to work."),
        "AccessDenied" => format!("The vault uses access policies: add one for whom the credential acts for, with the permission {permission}."),
        _ => return None,
    })
}

/// The code of a reply: the inner one, which is the more exact, or the outer one.
pub(super) fn inner_code(body: &[u8]) -> Option<String> {
    let json: Json = serde_json::from_slice(body).ok()?;
    let inner = json.get("error")?.get("innererror")?;
    inner.get("code")?.as_str().map(str::to_owned)
}

fn advice(status: u16, inner: &str, outer: &str, kind: Kind) -> Option<&'static str> {
    Some(match (status, inner, outer) {
        (403, "ForbiddenByFirewall", _) => "The vault's firewall keeps this machine out: add its address to the vault's network settings, or run this where the vault's private endpoint can be reached.",
        (403, "SecretDisabled" | "KeyDisabled", _) => "Enable it, or name another version.",
        (403, "SecretNotYetValid" | "SecretExpired" | "KeyExpired", _) => "Its own dates keep it from being used now: renew it, or name another version.",
        (403, "SecretManaged", _) => "A certificate of that name owns the secret: choose another name.",
        (403, _, _) => "Give whom the credential acts for a role or an access policy on the vault, and check the vault's network settings.",
        (404, _, "SecretNotFound" | "CertificateNotFound" | "KeyNotFound") => "Check the name and the version; a deleted one has to be recovered first.",
        (404, _, _) => "Check the vault's name and the object's name.",
        (401, _, _) => "The vault did not accept the token although it was asked for as the vault wishes: check that the vault's tenant is the one the credential has access to.",
        (409, "ObjectIsDeletedButRecoverable" | "ObjectIsBeingDeleted" | "ObjectIsBeingRecovered", _) => "Something of that name was deleted and can still be recovered: recover or purge it, wait a minute, and try again.",
        (429, _, _) => "The vault serves a limited number of requests every ten seconds: wait, and read a secret once instead of for each tenant.",
        _ if kind == Kind::InvalidInput => "Check the names and values that were given against the service's own words.",
        _ => return None,
    })
}
