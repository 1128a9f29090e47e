//! The 401 by which a vault says whose token it wants.
//!
//! `WWW-Authenticate: Bearer authorization="https://login.microsoftonline.com/<tenant>", resource="https://vault.azure.net"`,
//! on newer vaults `scope="https://vault.azure.net/.default"`. The resource must be the vault's own domain: otherwise a
//! host could have a token sent to it that is good for somebody else. The sign-in host that it names is not followed at
//! all: the environment's own is asked.

use super::address::Address;
use super::explain;
use crate::error::{Error, Kind, Result};
use crate::http::Reply;
use crate::tenant::TenantId;
use crate::token::Target;
use url::Url;

/// What a vault wants a token for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) tenant: TenantId,
    pub(super) target: Target,
}

pub(super) fn read(reply: &Reply, address: &Address) -> Result<Wanted> {
    if reply.status() != 401 {
        let error = if reply.is_success() {
            bad(address, "answered a request without a token")
        } else {
            explain::refusal(reply, "say which token it wants", None, address)
        };
        return Err(error);
    }
    match reply.header("www-authenticate") {
        Some(text) => parse(text, address),
        None => Err(bad(address, "refused a request without saying which token it wants")),
    }
}

fn parse(text: &str, address: &Address) -> Result<Wanted> {
    let Some(fields) = fields(text) else {
        return Err(bad(address, "does not ask for a bearer token"));
    };
    let field = |names: [&str; 2]| {
        let found = fields
            .iter()
            .find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    };
    let authority = field(["authorization", "authorization_uri"])
        .ok_or_else(|| bad(address, "does not say which tenant it belongs to"))?;
    let tenant = Url::parse(authority)
        .ok()
        .and_then(|url| url.path_segments()?.find(|part| !part.is_empty()).map(str::to_owned))
        .and_then(|part| TenantId::parse(&part).ok())
        .filter(|tenant| !tenant.is_shared())
        .ok_or_else(|| bad(address, "does not say which tenant it belongs to"))?;
    let own = |name: &str| match Url::parse(name) {
        Ok(url) if address.belongs_to(&url) => Ok(()),
        _ => Err(foreign(address, name)),
    };
    let target = match (field(["scope", "scopes"]), field(["resource", "resource_id"])) {
        (Some(scope), _) => {
            own(scope.strip_suffix("/.default").unwrap_or(scope))?;
            Target::scopes(&[scope], scope)?
        }
        (None, Some(resource)) => {
            own(resource)?;
            Target::resource(resource)?
        }
        (None, None) => return Err(bad(address, "does not say what the token is to be for")),
    };
    Ok(Wanted { tenant, target })
}

/// The parameters of the `Bearer` challenge, which may stand among those of other schemes.
fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
    const SCHEME: &str = "bearer ";
    let at = text.to_ascii_lowercase().find(SCHEME)?;
    let mut rest = text.get(at + SCHEME.len()..)?.trim_start();
    let mut fields = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        // A space inside a key means that another scheme begins.
        let key = key.trim().trim_start_matches(',').trim();
        if key.contains(' ') {
            break;
        }
        let (value, after) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.push((key, value.trim()));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Some(fields)
}

#[cold]
fn bad(address: &Address, what: &str) -> Error {
    Error::new(Kind::Protocol, format!("{address} {what}"))
        .advise("Check that the address is that of a key vault; no token was sent to it.")
}

#[cold]
fn foreign(address: &Address, resource: &str) -> Error {
    let shown: String = resource.chars().filter(|c| !c.is_control()).take(200).collect();
    Error::new(
        Kind::Protocol,
        format!("{address} asks for a token for '{shown}', which is not its own domain"),
    )
    .advise("No token was sent: a host that asks for somebody else's token may misuse it. Check the vault's address and the environment's Key Vault domain.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environments;
    use crate::http;
    use proptest::prelude::*;

    const TENANT: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    fn address() -> Address {
        let environments = Environments::new(http::Options::default(), http::Limits::new());
        Address::parse(&environments.find("").unwrap(), "contoso").unwrap()
    }

    fn read(text: &str) -> Result<Wanted> {
        parse(text, &address())
    }

    #[test]
    fn resource_and_scope_are_read() {
        let old = read(&format!(
            "Bearer authorization=\"https://login.windows.net/{TENANT}\", resource=\"https://vault.azure.net\""
        ))
        .unwrap();
        assert_eq!(old.tenant.as_str(), TENANT);
        assert_eq!(old.target.as_resource(), Some("https://vault.azure.net"));
        let new = read(&format!(
            "PoP nonce=\"a, b=c\", bearer scope=\"https://vault.azure.net/.default\",authorization=\"https://login.microsoftonline.com/{TENANT}/\", PoP x=1"
        ))
        .unwrap();
        assert_eq!(
            new.target.as_scopes(),
            Some(&["https://vault.azure.net/.default".to_owned()][..])
        );
    }

    #[test]
    fn a_challenge_for_another_domain_or_without_a_tenant_is_refused() {
        for text in [
            format!("Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\", resource=\"https://management.azure.com\""),
            format!("Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\", scope=\"https://graph.microsoft.com/.default\""),
            format!("Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\""),
            "Bearer authorization=\"https://login.microsoftonline.com/common\", resource=\"https://vault.azure.net\"".to_owned(),
            "Bearer resource=\"https://vault.azure.net\"".to_owned(),
            "Basic realm=\"x\"".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&text).unwrap_err().kind(), Kind::Protocol, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "(Bearer )?\\PC{0,80}") {
            let _ = read(&text);
        }
    }
}
