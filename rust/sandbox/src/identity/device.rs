//! Device codes: a user signs in on another machine with a short code (RFC 8628; Microsoft Entra documentation, "OAuth 2.0
//! device authorization grant flow").

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::Mutex;

use http::Method;
use serde_json::json;

use crate::estate::Tenant;
use crate::reply::{self, Call, Reply};
use crate::resource::GRAPH;
use crate::world::{lock, World};

use super::ask::wanted;
use super::authorize::consent;
use super::checks::known_client;
use super::code::Grounds;
use super::error::{self, Ids, Refusal};
use super::grant::{Client, Form, OPENID_SCOPES};
use super::page::{self, SignInForm};
use super::party::Party;
use super::sign_in::{sign_in, Action, Attempt, SignedIn};
use super::{authority, Authority, Version};

/// The codes that were started, by device code.
#[derive(Default)]
pub(crate) struct Devices(Mutex<HashMap<String, Device>>);

struct Device {
    user_code: String,
    client_id: String,
    tenant_id: String,
    resource: String,
    openid: Vec<&'static str>,
    ends: i64,
    decision: Decision,
}

enum Decision {
    Pending,
    Approved(SignedIn),
    Declined,
    Redeemed,
}

/// `POST /{tenant}/oauth2[/v2.0]/devicecode`.
pub(super) fn start(world: &World, call: &Call, tenant: &str, version: Version) -> Reply {
    match begin(world, call, tenant, version) {
        Ok(mut reply) => {
            error::finish(&mut reply, call, &Ids::of(world, call));
            reply
        }
        Err(refusal) => {
            let settings = &world.application.state.device;
            let quiet = settings.errors_with_status_200.load(Ordering::Relaxed);
            let refusal = if quiet { refusal.status(200) } else { refusal };
            refusal.reply(world, call)
        }
    }
}

fn begin(world: &World, call: &Call, name: &str, version: Version) -> Result<Reply, Refusal> {
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
    let tenant = match authority(world, name)? {
        Authority::Tenant(tenant) => tenant,
        Authority::AnyOrganization => &world.estate.partner,
        Authority::Consumers => return Err(super::checks::consumers()),
    };
    let form = Form::read(call);
    let client = Client::read(call, &form, name)?;
    if Party::find(world, &client.id).is_none() {
        known_client(world, tenant, &client, false)?;
    }
    let (resource, _) = wanted(world, tenant, version, &form)?;
    let settings = &world.application.state.device;
    let life = i64::from(settings.life_seconds.load(Ordering::Relaxed));
    let interval = settings.interval_seconds.load(Ordering::Relaxed);
    let mut random = world.random();
    let user_code = random.user_code();
    let device_code = random.secret(140);
    let scope = form.get("scope").unwrap_or_default();
    let device = Device {
        user_code: user_code.clone(),
        client_id: client.id,
        tenant_id: tenant.id.clone(),
        resource: resource.unwrap_or_else(|| GRAPH.to_owned()),
        openid: OPENID_SCOPES
            .into_iter()
            .filter(|known| scope.split_ascii_whitespace().any(|item| item == *known))
            .collect(),
        ends: world.clock.now() + life,
        decision: Decision::Pending,
    };
    lock(&world.devices.0).insert(device_code.clone(), device);
    let address = format!("{}/common/oauth2/deviceauth", world.endpoints.login);
    let message = format!(
        "To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."
    );
    Ok(reply::json(
        200,
        &match version {
            Version::V1 => json!({
                "user_code": user_code, "device_code": device_code, "verification_url": address,
                "expires_in": life.to_string(), "interval": interval.to_string(), "message": message,
            }),
            Version::V2 => json!({
                "user_code": user_code, "device_code": device_code, "verification_uri": address,
                "expires_in": life, "interval": interval, "message": message,
            }),
        },
    ))
}

/// The page to enter the code at.
pub(super) fn page(world: &World, call: &Call) -> Reply {
    let form = match call.method {
        Method::GET => Form::of_query(call),
        _ => Form::read(call),
    };
    let Some(attempt) = Attempt::read(&form) else {
        return show(&form, None);
    };
    match decide(world, form.get("user_code").unwrap_or_default(), &attempt) {
        Ok(true) => page::message(
            "You have signed in",
            "Close this window and go on with the application on your device.",
        ),
        Ok(false) => page::message("You have declined", "The application on your device gets nothing."),
        Err(refusal) => show(&form, Some((&attempt, refusal.text()))),
    }
}

/// The same as the page, for callers without a browser; an error is what the page says.
pub(crate) fn decide_device(world: &World, user_code: &str, attempt: &Attempt) -> Result<bool, String> {
    decide(world, user_code, attempt).map_err(|refusal| refusal.text())
}

/// What a user does about a code; true where they let the device in.
fn decide(world: &World, user_code: &str, attempt: &Attempt) -> Result<bool, Refusal> {
    let user_code = user_code.trim().to_ascii_uppercase();
    let found = {
        let devices = lock(&world.devices.0);
        let found = devices
            .iter()
            .find(|(_, device)| device.user_code == user_code && matches!(device.decision, Decision::Pending));
        found.map(|(code, device)| {
            (
                code.clone(),
                device.tenant_id.clone(),
                device.ends,
                device.client_id.clone(),
            )
        })
    };
    let Some((code, tenant_id, ends, client_id)) = found else {
        return Err(Refusal::new(
            70018,
            "bad_verification_code",
            "That code didn't work. Check the code and try again.",
        ));
    };
    if world.clock.now() > ends {
        return Err(expired());
    }
    let decision = if attempt.action == Action::Accept {
        let tenant = world.estate.find(&tenant_id).unwrap_or(&world.estate.partner);
        let who = sign_in(world, tenant, attempt)?;
        if let Some(client) = Party::find(world, &client_id) {
            let needed = !client.is_consented(world, tenant) || !client.is_in(world, tenant);
            consent(world, tenant, &client, &who, needed)?;
        }
        Decision::Approved(who)
    } else {
        Decision::Declined
    };
    let approved = matches!(decision, Decision::Approved(_));
    if let Some(device) = lock(&world.devices.0).get_mut(&code) {
        device.decision = decision;
    }
    Ok(approved)
}

/// Redeems a device code, or says why not yet.
pub(super) fn redeem(world: &World, form: &Form, tenant: &Tenant, client: &Client) -> Result<Grounds, Refusal> {
    let text = match form.get("device_code") {
        Some(text) => text,
        // The name of version 1.
        None => form
            .get("code")
            .ok_or_else(|| Refusal::missing_parameter("device_code"))?,
    };
    let mut devices = lock(&world.devices.0);
    let Some(device) = devices.get_mut(text).filter(|device| device.tenant_id == tenant.id) else {
        return Err(Refusal::new(
            70018,
            "bad_verification_code",
            "Invalid verification code due to User typing in wrong user code for device code flow.",
        ));
    };
    if device.client_id != client.id {
        return Err(Refusal::new(
            700007,
            "invalid_grant",
            format!(
                "The grant was issued to client '{}', not to '{}'.",
                device.client_id, client.id
            ),
        ));
    }
    if world.clock.now() > device.ends {
        return Err(expired());
    }
    let slow_downs = &world.application.state.device.slow_downs;
    let told = slow_downs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if told.is_ok() {
        return Err(Refusal::new(0, "slow_down", "The device polls too often."));
    }
    match std::mem::replace(&mut device.decision, Decision::Redeemed) {
        Decision::Pending => {
            device.decision = Decision::Pending;
            Err(Refusal::new(
                70016,
                "authorization_pending",
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
            ))
        }
        Decision::Declined => {
            device.decision = Decision::Declined;
            Err(Refusal::new(
                65004,
                "authorization_declined",
                "User declined to consent to access the app.",
            ))
        }
        Decision::Redeemed => Err(Refusal::new(
            54005,
            "invalid_grant",
            "The device code was already redeemed.",
        )),
        Decision::Approved(who) => Ok(Grounds {
            user: who.user,
            application_id: device.client_id.clone(),
            resource: device.resource.clone(),
            openid: device.openid.clone(),
            nonce: None,
        }),
    }
}

fn expired() -> Refusal {
    Refusal::new(
        70019,
        "expired_token",
        "Verification code expired. Have the user retry the sign-in.",
    )
}

fn show(form: &Form, failed: Option<(&Attempt, String)>) -> Reply {
    let page = SignInForm {
        title: "Enter code",
        purpose:
            "Enter the code that is shown on your device, and sign in. Go on only if you trust where it came from."
                .to_owned(),
        action: "/common/oauth2/deviceauth".to_owned(),
        hidden: Vec::new(),
        first: Some((
            "user_code",
            "Code",
            form.get("user_code").unwrap_or_default().to_owned(),
        )),
        user: failed
            .as_ref()
            .map(|(attempt, _)| attempt.name.clone())
            .unwrap_or_default(),
        permissions: Vec::new(),
        trouble: failed.map(|(_, trouble)| trouble),
    };
    page.reply(200)
}
