//! The token endpoints.

use std::sync::atomic::Ordering;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use http::Method;
use serde::{Serialize, Serializer};

use crate::access::Access;
use crate::estate::Tenant;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::signer;
use crate::stats::TokenKey;
use crate::world::World;

use super::authorize;
use super::checks::{authenticate, consent, consumers, known_client};
use super::claims::{self, Lifetime};
use super::code::Grounds;
use super::device;
use super::error::{self, Ids, Refusal};
use super::grant::{invalid_scope, Client, Form, Wanted};
use super::party::Party;
use super::policy;
use super::redeem::{self, Redeemable};
use super::{authority, first_party, on_behalf_of, Authority, ProvedBy, Version};

/// A number, or the same as text: version 1 replies and some version 2 intermediaries quote their numbers.
struct Number(i64, bool);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.1 {
            serializer.serialize_str(&self.0.to_string())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

#[derive(Serialize)]
struct Success {
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    expires_in: Number,
    ext_expires_in: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

/// Answers a token request.
pub(super) fn serve(world: &World, call: &Call, tenant: &str, version: Version) -> Reply {
    match answer(world, call, tenant, version) {
        Ok(success) => {
            let mut reply = reply::json(200, &success);
            error::finish(&mut reply, call, &Ids::of(world, call));
            reply
        }
        Err(refusal) => refusal.reply(world, call),
    }
}

fn answer(world: &World, call: &Call, tenant: &str, version: Version) -> Result<Success, Refusal> {
    if call.method != Method::POST {
        return Err(Refusal::new(
            900561,
            "invalid_request",
            format!(
                "The endpoint only accepts POST requests. Received a {} request.",
                call.method
            ),
        ));
    }
    let form = Form::read(call);
    count(world, tenant, &form);
    let authority = authority(world, tenant)?;
    let grant = form.require("grant_type")?;
    let client = Client::read(call, &form, tenant)?;
    match grant {
        "refresh_token" => {
            let is_shared = matches!(authority, Authority::AnyOrganization);
            let public = redeem::is_of_public_client(world, form.get("refresh_token"));
            let asked = of_user(world, authority)?;
            let proved_by = prove(world, call, asked, &form, &client, public)?;
            let redeemable = redeem::check(world, form.require("refresh_token")?, &client.id)?;
            let tenant = match is_shared {
                true => world.estate.home(&redeemable.user.name),
                false => asked,
            };
            for_user(world, tenant, &form, version, &redeemable, proved_by)
        }
        "authorization_code" => {
            let tenant = of_user(world, authority)?;
            let proved_by = prove(world, call, tenant, &form, &client, false)?;
            let grounds = world.codes.redeem(world, &form)?;
            if !grounds.application_id.eq_ignore_ascii_case(&client.id) {
                return Err(Refusal::new(
                    70000,
                    "invalid_grant",
                    "The provided authorization code was issued to another client.",
                ));
            }
            for_sign_in(world, tenant, &form, version, &grounds, proved_by)
        }
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            let tenant = of_user(world, authority)?;
            // The partner's application also counts as a public client.
            let proved_by = prove(world, call, tenant, &form, &client, true)?;
            let grounds = device::redeem(world, &form, tenant, &client)?;
            for_sign_in(world, tenant, &form, version, &grounds, proved_by)
        }
        "client_credentials" => {
            let tenant = match authority {
                Authority::Tenant(tenant) => tenant,
                Authority::AnyOrganization => {
                    return Err(Refusal::new(
                        50059,
                        "invalid_request",
                        "No tenant-identifying information found in either the request or implied by any provided \
                         credentials.",
                    ))
                }
                Authority::Consumers => return Err(consumers()),
            };
            known_client(world, tenant, &client, true)?;
            let proved_by = authenticate(world, call, &form, &client)?;
            for_application(world, tenant, &form, version, &client.id, proved_by)
        }
        on_behalf_of::GRANT => {
            let tenant = match authority {
                Authority::Tenant(tenant) => tenant,
                Authority::AnyOrganization => &world.estate.partner,
                Authority::Consumers => return Err(consumers()),
            };
            known_client(world, tenant, &client, false)?;
            let proved_by = authenticate(world, call, &form, &client)?;
            let user = on_behalf_of::check(world, tenant, &form)?;
            let mut success = for_user(world, tenant, &form, version, &user, proved_by)?;
            let offline = form.get("scope").is_some_and(|scope| scope.contains("offline_access"));
            success.refresh_token = success.refresh_token.filter(|_| version == Version::V1 || offline);
            Ok(success)
        }
        other => Err(Refusal::new(
            70003,
            "unsupported_grant_type",
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

/// How a client proves itself: one of Microsoft's own not at all, and ours as a public client only if it tries to.
fn prove(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    form: &Form,
    client: &Client,
    public: bool,
) -> Result<ProvedBy, Refusal> {
    if let Some(first_party) = first_party::find(&client.id) {
        return first_party.authenticate(client);
    }
    known_client(world, tenant, client, false)?;
    let public = public && Party::find(world, &client.id).is_some_and(|party| party.is_public());
    if public && client.secret.is_none() && client.assertion.is_none() {
        return Ok(ProvedBy::Nothing);
    }
    authenticate(world, call, form, client)
}

/// The tenant in which a user's token is asked for.
fn of_user<'a>(world: &'a World, authority: Authority<'a>) -> Result<&'a Tenant, Refusal> {
    match authority {
        Authority::Tenant(tenant) => Ok(tenant),
        Authority::AnyOrganization => Ok(&world.estate.partner),
        Authority::Consumers => Err(consumers()),
    }
}

/// What a sign-in is worth: tokens as for a refresh token, with an id token that says who signed in and how. On version 2
/// the sign-in must have asked for them.
fn for_sign_in(
    world: &World,
    tenant: &Tenant,
    form: &Form,
    version: Version,
    grounds: &Grounds,
    proved_by: ProvedBy,
) -> Result<Success, Refusal> {
    let redeemable = Redeemable::of_sign_in(world, grounds, proved_by);
    let mut success = for_user(world, tenant, form, version, &redeemable, proved_by)?;
    let asked = |scope: &str| version == Version::V1 || grounds.openid.contains(&scope);
    success.id_token = match asked("openid") {
        true => Some(authorize::id_token(world, tenant, grounds, version)?),
        false => None,
    };
    if !asked("offline_access") {
        success.refresh_token = None;
    }
    Ok(success)
}

fn count(world: &World, tenant: &str, form: &Form) {
    let asked = form.get("resource").map(str::to_owned).or_else(|| {
        let scope = form.get("scope")?;
        let item = scope.split(' ').find(|item| item.contains('/'))?;
        item.rsplit_once('/').map(|(resource, _)| resource.to_owned())
    });
    let asked = asked.unwrap_or_default();
    let resource = Resource::find(&asked, &world.application.id, &world.endpoints)
        .and_then(|resource| resource.names().first().map(|name| (*name).to_owned()))
        .unwrap_or(asked);
    world.stats.token(TokenKey {
        tenant_id: world
            .estate
            .find(tenant)
            .map_or_else(|| tenant.to_owned(), |found| found.id.clone()),
        application_id: form.get("client_id").unwrap_or_default().to_owned(),
        grant: form.get("grant_type").unwrap_or_default().to_owned(),
        resource,
    });
}

fn for_user(
    world: &World,
    tenant: &Tenant,
    form: &Form,
    version: Version,
    redeemable: &Redeemable,
    proved_by: ProvedBy,
) -> Result<Success, Refusal> {
    let health = tenant.health();
    let user = &redeemable.user;
    let party = Party::find(world, &redeemable.application_id);
    let home = &world.estate.home(&user.name).id;
    if tenant.id != *home && !(world.estate.administers(home, tenant) && health.delegated_access) {
        return Err(Refusal::new(
            50020,
            "invalid_grant",
            format!(
                "User account '{}' from identity provider 'https://sts.windows.net/{}/' does not exist in tenant '{}' \
                 and cannot access the application '{}'({}) in that tenant. The account needs to be added as an \
                 external user in the tenant first. Sign out and sign in again with a different Azure Active Directory \
                 user account.",
                user.name,
                home,
                tenant.display_name,
                redeemable.application_id,
                party.as_ref().map(Party::name).unwrap_or_default()
            ),
        ));
    }
    let wanted = Wanted::read(form, version, Some(&redeemable.resource))?;
    let resource = wanted.resource(world, tenant)?;
    let unconsented = || consent(world, &redeemable.application_id);
    let granted = party
        .as_ref()
        .and_then(|party| party.scopes(world, tenant, resource))
        .ok_or_else(unconsented)?;
    let scopes: Vec<String> = match &wanted.scopes {
        None => granted.iter().map(|scope| (*scope).to_owned()).collect(),
        Some(named) => {
            let find = |name: &String| granted.iter().find(|scope| scope.eq_ignore_ascii_case(name));
            let found: Option<Vec<String>> = named.iter().map(|n| find(n).map(|s| (*s).to_owned())).collect();
            found.ok_or_else(unconsented)?
        }
    };
    policy::redeems(world, &health, redeemable.has_second_factor(), version, resource)?;
    let Some(refresh_token) = redeemable.redeem(world) else {
        return Err(Refusal::new(
            70000,
            "invalid_grant",
            "The provided grant is invalid or malformed: the refresh token has been redeemed already.",
        )
        .suberror("bad_token"));
    };
    let scope_text = scope_text(&wanted, &scopes, version);
    let access = Access {
        resource,
        tenant_id: tenant.id.clone(),
        application_id: redeemable.application_id.clone(),
        user: Some(user.clone()),
        scopes,
        roles: Vec::new(),
        expires_on: 0,
    };
    let wants_id = wanted.openid.contains(&"openid");
    let client_info = (form.get("client_info") == Some("1")).then(|| {
        let info = format!("{{\"uid\":\"{}\",\"utid\":\"{home}\"}}", user.object_id);
        URL_SAFE_NO_PAD.encode(info)
    });
    let mut success = issue(world, access, wanted.audience, version, wants_id, proved_by)?;
    success.scope = Some(scope_text);
    success.refresh_token = Some(refresh_token);
    success.client_info = client_info;
    Ok(success)
}

fn for_application(
    world: &World,
    tenant: &Tenant,
    form: &Form,
    version: Version,
    client_id: &str,
    proved_by: ProvedBy,
) -> Result<Success, Refusal> {
    let wanted = Wanted::read(form, version, None)?;
    if !wanted.is_default() || (version == Version::V2 && !form.require("scope")?.contains("/.default")) {
        return Err(invalid_scope(form.get("scope").unwrap_or_default()));
    }
    let resource = wanted.resource(world, tenant)?;
    // A token without a single role is issued too; the API will have to refuse it.
    let party = Party::find(world, client_id);
    let roles = party
        .map(|party| party.roles(world, tenant, resource))
        .unwrap_or_default();
    let access = Access {
        resource,
        tenant_id: tenant.id.clone(),
        application_id: client_id.to_owned(),
        user: None,
        scopes: Vec::new(),
        roles,
        expires_on: 0,
    };
    issue(world, access, wanted.audience, version, false, proved_by)
}

/// The `scope` of a reply: bare names on version 1, with the API's name on version 2.
fn scope_text(wanted: &Wanted, scopes: &[String], version: Version) -> String {
    match version {
        Version::V1 => scopes.join(" "),
        Version::V2 => {
            let mut names: Vec<String> = wanted
                .openid
                .iter()
                .filter(|s| **s != "offline_access")
                .map(|s| (*s).to_owned())
                .collect();
            let bare = |scope: &String| matches!(scope.as_str(), "openid" | "profile" | "email" | "offline_access");
            names.extend(
                scopes
                    .iter()
                    .filter(|s| !bare(s))
                    .map(|s| format!("{}/{s}", wanted.audience)),
            );
            if wanted.is_default() {
                names.push(format!("{}/.default", wanted.audience));
            }
            names.join(" ")
        }
    }
}

fn issue(
    world: &World,
    mut access: Access,
    audience: String,
    version: Version,
    wants_id: bool,
    proved_by: ProvedBy,
) -> Result<Success, Refusal> {
    let now = world.clock.now();
    let seconds = i64::from(world.application.state.token_lifetime_seconds.load(Ordering::Relaxed));
    let life = Lifetime {
        not_before: now - 300,
        expires_on: now + seconds,
    };
    access.expires_on = life.expires_on;
    let broken = |_| Refusal::new(50000, "temporarily_unavailable", "There was an error issuing a token.");
    let claims = claims::access_token(world, &access, &audience, life, proved_by);
    let access_token = world
        .signer
        .sign(&claims, !access.resource.has_version_2_tokens())
        .map_err(broken)?;
    let id_token = match (wants_id, version) {
        (false, _) => None,
        (true, Version::V1) => Some(signer::unsigned(&claims::id_token(world, &access, life, false))),
        (true, Version::V2) => Some(
            world
                .signer
                .sign(&claims::id_token(world, &access, life, true), false)
                .map_err(broken)?,
        ),
    };
    world.tokens.add_access(&access_token, access, now);
    let v1 = version == Version::V1;
    let quoted = v1 || world.application.state.v2_numbers_as_strings.load(Ordering::Relaxed);
    // The service rounds down the fraction of a second that the request took.
    let expires_in = (seconds - 1).max(0);
    Ok(Success {
        token_type: "Bearer",
        scope: None,
        expires_in: Number(expires_in, quoted),
        ext_expires_in: Number(expires_in, quoted),
        expires_on: v1.then_some(Number(life.expires_on, true)),
        not_before: v1.then_some(Number(life.not_before, true)),
        resource: v1.then_some(audience),
        access_token,
        refresh_token: None,
        id_token,
        client_info: None,
    })
}
