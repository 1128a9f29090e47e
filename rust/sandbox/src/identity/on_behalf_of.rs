//! The on-behalf-of grant: an API passes its caller's user on (Microsoft Entra documentation, "Microsoft identity platform
//! and OAuth 2.0 On-Behalf-Of flow"; for version 1 the archived developer pages).

use crate::estate::Tenant;
use crate::resource::Resource;
use crate::world::World;

use super::error::Refusal;
use super::grant::Form;
use super::redeem::Redeemable;

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The user behind the assertion, as a grant that the rest of the token endpoint can go on with.
pub(super) fn check(world: &World, tenant: &Tenant, form: &Form) -> Result<Redeemable, Refusal> {
    let assertion = form.require("assertion")?;
    if form.require("requested_token_use")? != "on_behalf_of" {
        return Err(Refusal::new(
            90023,
            "invalid_request",
            "The value of 'requested_token_use' is not supported; the only one is 'on_behalf_of'.",
        ));
    }
    let refused = |code: u32, text: &str| Err(Refusal::new(code, "invalid_grant", text));
    let Some(access) = world.tokens.access(assertion) else {
        return refused(
            50013,
            "Assertion failed signature validation. [Reason - The key was not found.]",
        );
    };
    if access.resource != Resource::Own {
        return refused(
            50013,
            "Assertion audience does not match the Client app presenting the assertion.",
        );
    }
    let now = world.clock.now();
    if now >= access.expires_on {
        let text = format!(
            "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for \
             user assertion, or request a new token. Current time: {now}, expiry time of assertion: {}.",
            access.expires_on
        );
        return refused(500133, &text);
    }
    let Some(user) = &access.user else {
        return Err(Refusal::new(
            7000114,
            "unauthorized_client",
            format!(
                "Application '{}' is not allowed to make application on-behalf-of calls.",
                access.application_id
            ),
        ));
    };
    if access.tenant_id != tenant.id {
        let text = format!(
            "Assertion was issued by the tenant '{}', and cannot be used in '{}'.",
            access.tenant_id, tenant.id
        );
        return refused(50013, &text);
    }
    Ok(Redeemable::of_assertion(world, user))
}
