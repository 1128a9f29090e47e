//! What is in a token (Microsoft Entra documentation, "Access token claims reference", "ID token claims reference").

use std::sync::atomic::Ordering;

use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::identity::ProvedBy;
use crate::registry::principal_id;
use crate::resource::Resource;
use crate::world::World;

use super::code::Grounds;
use super::party::Party;

/// Moments of a token's life, seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    /// Five minutes before the issue: an allowance for clocks that are behind.
    pub(super) not_before: i64,
    pub(super) expires_on: i64,
}

/// The claims of an access token as JSON text.
pub(super) fn access_token(
    world: &World,
    access: &Access,
    audience: &str,
    life: Lifetime,
    proved_by: ProvedBy,
) -> String {
    let version_2 = access.resource.has_version_2_tokens();
    let audience = if version_2 { &access.application_id } else { audience };
    let mut claims = common(world, &access.tenant_id, audience, life, version_2);
    let mut random = world.random();
    claims.insert("uti".into(), random.text(22).into());
    claims.insert("rh".into(), format!("1.{}.", random.text(22)).into());
    claims.insert("aio".into(), random.text(48).into());
    // 0: a public client, 1: a secret, 2: a certificate.
    let method = match proved_by {
        ProvedBy::Nothing => "0",
        ProvedBy::Secret => "1",
        ProvedBy::Assertion => "2",
    };
    if version_2 {
        claims.insert("azp".into(), access.application_id.as_str().into());
        claims.insert("azpacr".into(), method.into());
    } else {
        claims.insert("appid".into(), access.application_id.as_str().into());
        claims.insert("appidacr".into(), method.into());
        let party = Party::find(world, &access.application_id);
        let name = party.map_or_else(|| world.application.display_name.to_owned(), |party| party.name());
        claims.insert("app_displayname".into(), name.into());
    }
    match &access.user {
        Some(user) => {
            let amr: &[&str] = if user.mfa { &["pwd", "mfa"] } else { &["pwd"] };
            claims.insert("idtyp".into(), "user".into());
            let home = &world.estate.home(&user.name).id;
            if access.tenant_id != *home {
                // Only for a user whose account is in another tenant than the token's issuer.
                claims.insert("idp".into(), format!("https://sts.windows.net/{home}/").into());
            }
            claims.insert("oid".into(), user.object_id.as_str().into());
            claims.insert(
                "sub".into(),
                pairwise(&[&user.object_id, &access.tenant_id, audience]).into(),
            );
            claims.insert("sid".into(), world.user.object_id.as_str().into());
            claims.insert("amr".into(), json!(amr));
            claims.insert("acr".into(), "1".into());
            claims.insert("puid".into(), user.puid.as_str().into());
            claims.insert("name".into(), "Secure Application Model".into());
            claims.insert("ipaddr".into(), "203.0.113.10".into());
            claims.insert("scp".into(), access.scopes.join(" ").into());
            if version_2 {
                claims.insert("preferred_username".into(), user.name.as_str().into());
            } else {
                claims.insert("upn".into(), user.name.as_str().into());
                claims.insert("unique_name".into(), user.name.as_str().into());
            }
        }
        None => {
            let principal = match world.registry.application(&access.application_id) {
                Some(registered) => principal_id(world, &access.tenant_id, &registered.id),
                None => service_principal(world, &access.tenant_id),
            };
            claims.insert("idtyp".into(), "app".into());
            claims.insert("oid".into(), principal.as_str().into());
            claims.insert("sub".into(), principal.into());
            if !access.roles.is_empty() {
                claims.insert("roles".into(), json!(access.roles));
            }
        }
    }
    Value::Object(claims).to_string()
}

/// The claims of an id token as JSON text.
pub(super) fn id_token(world: &World, access: &Access, life: Lifetime, version_2: bool) -> String {
    Value::Object(id_token_claims(world, access, life, version_2)).to_string()
}

fn id_token_claims(world: &World, access: &Access, life: Lifetime, version_2: bool) -> Map<String, Value> {
    let mut claims = common(world, &access.tenant_id, &access.application_id, life, version_2);
    if let Some(user) = &access.user {
        claims.insert("oid".into(), user.object_id.as_str().into());
        claims.insert(
            "sub".into(),
            pairwise(&[&user.object_id, &access.application_id]).into(),
        );
        claims.insert("name".into(), "Secure Application Model".into());
        if version_2 {
            claims.insert("preferred_username".into(), user.name.as_str().into());
        } else {
            let amr: &[&str] = if user.mfa { &["pwd", "mfa"] } else { &["pwd"] };
            claims.insert("amr".into(), json!(amr));
            claims.insert("upn".into(), user.name.as_str().into());
            claims.insert("unique_name".into(), user.name.as_str().into());
        }
    }
    claims
}

/// The claims of the id token of a sign-in as JSON text. `amr` is not among those that version 2 always sends, so the
/// sandbox can leave it out.
pub(super) fn sign_in(world: &World, tenant: &Tenant, grounds: &Grounds, version_2: bool) -> String {
    let now = world.clock.now();
    let access = Access {
        resource: Resource::Own,
        tenant_id: tenant.id.clone(),
        application_id: grounds.application_id.clone(),
        user: Some(grounds.user.clone()),
        scopes: Vec::new(),
        roles: Vec::new(),
        expires_on: 0,
    };
    let life = Lifetime {
        not_before: now - 300,
        expires_on: now + 3600,
    };
    let mut claims = id_token_claims(world, &access, life, version_2);
    if let Some(nonce) = &grounds.nonce {
        claims.insert("nonce".into(), nonce.as_str().into());
    }
    if world.application.state.id_token_amr.load(Ordering::Relaxed) {
        let amr: &[&str] = if grounds.user.mfa { &["pwd", "mfa"] } else { &["pwd"] };
        claims.insert("amr".into(), json!(amr));
    } else {
        claims.remove("amr");
    }
    Value::Object(claims).to_string()
}

fn common(world: &World, tenant_id: &str, audience: &str, life: Lifetime, version_2: bool) -> Map<String, Value> {
    let issuer = if version_2 {
        format!("{}/{tenant_id}/v2.0", world.endpoints.login)
    } else {
        format!("https://sts.windows.net/{tenant_id}/")
    };
    let mut claims = Map::new();
    claims.insert("aud".into(), audience.into());
    claims.insert("iss".into(), issuer.into());
    claims.insert("iat".into(), life.not_before.into());
    claims.insert("nbf".into(), life.not_before.into());
    claims.insert("exp".into(), life.expires_on.into());
    claims.insert("tid".into(), tenant_id.into());
    claims.insert("ver".into(), if version_2 { "2.0" } else { "1.0" }.into());
    claims
}

/// The object id of the application's service principal in a tenant.
fn service_principal(world: &World, tenant_id: &str) -> String {
    crate::random::Random::at(world.options.seed, tenant_id, 1).guid()
}

/// A subject that differs per audience, as the platform's `sub` does.
fn pairwise(parts: &[&str]) -> String {
    use base64::Engine;
    let digest = openssl::sha::sha256(parts.join("|").as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}
