//! Checks on a refresh token (Microsoft Entra documentation, "Refresh tokens in the Microsoft identity platform"): good
//! for 90 days after its last use, bound to a user and an application, to no tenant and to no API. Each redemption gives
//! a new one and leaves the old one valid, unless the sandbox is told to make them single-use.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::access::{RefreshToken, User};
use crate::application::RefreshTokenHealth;
use crate::clock::iso_seconds;
use crate::world::{lock, refresh_token_text, World};

use super::checks::ProvedBy;
use super::code::Grounds;
use super::error::Refusal;

const NINETY_DAYS: i64 = 90 * 86_400;

/// A refresh token that may be redeemed.
pub(super) struct Redeemable {
    pub(super) user: Arc<User>,
    pub(super) application_id: String,
    pub(super) resource: String,
    token: Arc<std::sync::Mutex<RefreshToken>>,
}

/// Checks a refresh token that `application_id` sent.
pub(super) fn check(world: &World, text: &str, application_id: &str) -> Result<Redeemable, Refusal> {
    let Some(token) = world.tokens.refresh(text) else {
        return Err(Refusal::new(
            9002313,
            "invalid_grant",
            "Invalid request. Request is malformed or invalid.",
        ));
    };
    let now = world.clock.now();
    let held = lock(&token);
    if held.application_id != application_id {
        return Err(Refusal::new(
            700007,
            "invalid_grant",
            format!(
                "The grant was issued to client '{}', not to '{application_id}'.",
                held.application_id
            ),
        ));
    }
    let health = world.application.state.refresh_token();
    if held.revoked || health == RefreshTokenHealth::Revoked {
        return Err(Refusal::new(
            50173,
            "invalid_grant",
            format!(
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have \
                 changed or reset their password. The grant was issued on '{}.0000000Z' and the TokensValidFrom date \
                 (before which tokens are not valid) for this user is '{}.0000000Z'.",
                iso_seconds(held.last_used),
                iso_seconds(now)
            ),
        )
        .suberror("bad_token"));
    }
    if health == RefreshTokenHealth::Expired || now - held.last_used > NINETY_DAYS {
        return Err(Refusal::new(
            700082,
            "invalid_grant",
            format!(
                "The refresh token has expired due to inactivity. The token was issued on {}.0000000Z and was inactive for \
                 90.00:00:00.",
                iso_seconds(now.min(held.last_used + NINETY_DAYS) - NINETY_DAYS)
            ),
        )
        .suberror("bad_token"));
    }
    if held.redeemed
        && world
            .application
            .state
            .single_use_refresh_tokens
            .load(Ordering::Relaxed)
    {
        return Err(Refusal::new(
            70000,
            "invalid_grant",
            "The provided grant is invalid or malformed: the refresh token has been redeemed already.",
        )
        .suberror("bad_token"));
    }
    let (user, resource) = (held.user.clone(), held.resource.clone());
    drop(held);
    Ok(Redeemable {
        user,
        application_id: application_id.to_owned(),
        resource,
        token,
    })
}

/// Whether a refresh token came from a public client's sign-in.
pub(super) fn is_of_public_client(world: &World, text: Option<&str>) -> bool {
    text.and_then(|text| world.tokens.refresh(text))
        .is_some_and(|token| lock(&token).of_public_client)
}

impl Redeemable {
    /// What a sign-in is worth: a refresh token that is redeemed on the spot.
    pub(super) fn of_sign_in(world: &World, grounds: &Grounds, proved_by: ProvedBy) -> Self {
        let (application, resource) = (&grounds.application_id, &grounds.resource);
        let signed_in = Redeemable::without_token(world, &grounds.user, application, resource, grounds.user.mfa);
        lock(&signed_in.token).of_public_client = proved_by == ProvedBy::Nothing;
        signed_in
    }

    /// What a user's token is worth to the API that it was sent to. The second factor of the sign-in behind it is not the
    /// API's to show again.
    pub(super) fn of_assertion(world: &World, user: &Arc<User>) -> Self {
        Redeemable::without_token(world, user, &world.application.id, crate::resource::GRAPH, false)
    }

    fn without_token(world: &World, user: &Arc<User>, application_id: &str, resource: &str, mfa: bool) -> Self {
        let token = RefreshToken {
            user: user.clone(),
            application_id: application_id.to_owned(),
            resource: resource.to_owned(),
            last_used: world.clock.now(),
            revoked: false,
            redeemed: false,
            interactive_mfa: mfa,
            of_public_client: false,
        };
        Redeemable {
            user: user.clone(),
            application_id: application_id.to_owned(),
            resource: resource.to_owned(),
            token: Arc::new(std::sync::Mutex::new(token)),
        }
    }

    /// Whether the sign-in behind it was made with a second factor.
    pub(super) fn has_second_factor(&self) -> bool {
        lock(&self.token).interactive_mfa
    }

    /// Redeems: the token counts as used now, and a new one is issued. None when a single-use token was redeemed by
    /// somebody else since the check.
    pub(super) fn redeem(&self, world: &World) -> Option<String> {
        let now = world.clock.now();
        let mut held = lock(&self.token);
        if held.redeemed
            && world
                .application
                .state
                .single_use_refresh_tokens
                .load(Ordering::Relaxed)
        {
            return None;
        }
        held.last_used = now;
        held.redeemed = true;
        let next = refresh_token_text(&mut world.random());
        let renewed = RefreshToken {
            user: held.user.clone(),
            application_id: held.application_id.clone(),
            resource: held.resource.clone(),
            last_used: now,
            revoked: false,
            redeemed: false,
            interactive_mfa: held.interactive_mfa,
            of_public_client: held.of_public_client,
        };
        drop(held);
        world.tokens.add_refresh(&next, renewed);
        Some(next)
    }
}
