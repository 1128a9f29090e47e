//! Checks that do not depend on the grant: the application, its credential, consent and the customer's policies.

use crate::estate::Tenant;
use crate::keys::SecretHealth;
use crate::reply::Call;
use crate::world::World;

use super::assertion;
use super::error::Refusal;
use super::federated;
use super::grant::{Client, Form};
use super::party::Party;

/// The refusal of an endpoint for personal accounts.
pub(super) fn consumers() -> Refusal {
    Refusal::new(
        9001023,
        "invalid_request",
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or \
         tenant-specific endpoint.",
    )
}

/// The application is registered, and has a service principal in the tenant.
pub(super) fn known_client(world: &World, tenant: &Tenant, client: &Client, app_only: bool) -> Result<(), Refusal> {
    let unknown = || {
        Refusal::new(
            700016,
            "unauthorized_client",
            format!(
                "Application with identifier '{}' was not found in the directory '{}'. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in \
                 the tenant. You may have sent your authentication request to the wrong tenant.",
                client.id, tenant.display_name
            ),
        )
    };
    // Microsoft's own clients have users, and do nothing by themselves.
    let party = Party::find(world, &client.id).filter(|party| !matches!(party, Party::Microsofts(_)));
    let party = party.ok_or_else(unknown)?;
    if party.is_in(world, tenant) {
        return Ok(());
    }
    if app_only {
        return Err(Refusal::new(
            7000229,
            "unauthorized_client",
            format!(
                "The client application {} is missing service principal in the tenant {}. See instructions here: \
                 https://go.microsoft.com/fwlink/?linkid=2225119",
                client.id, tenant.id
            ),
        ));
    }
    Err(unknown())
}

/// How a client has proved itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProvedBy {
    /// Nothing: it counts as a public client.
    Nothing,
    Secret,
    Assertion,
}

/// The client's secret is right and in force, or its assertion is.
pub(super) fn authenticate(world: &World, call: &Call, form: &Form, client: &Client) -> Result<ProvedBy, Refusal> {
    let party = Party::find(world, &client.id);
    if let Some(text) = &client.assertion {
        match federated::foreign(text, &client.id) {
            // Only the partner's application trusts another issuer.
            Some(claims) if matches!(party, Some(Party::Partners(_))) => federated::check(world, text, &claims)?,
            _ => assertion::check(world, call, form, client)?,
        }
        return Ok(ProvedBy::Assertion);
    }
    let Some(secret) = &client.secret else {
        return Err(Refusal::new(
            7000218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    let keys = party.as_ref().and_then(Party::keys);
    match keys.map_or(SecretHealth::Wrong, |keys| keys.secret(secret, world.clock.now())) {
        SecretHealth::Good => Ok(ProvedBy::Secret),
        SecretHealth::Wrong => Err(Refusal::new(
            7000215,
            "invalid_client",
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{}'.",
                client.id
            ),
        )),
        SecretHealth::Expired => Err(Refusal::new(
            7000222,
            "invalid_client",
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys \
                 for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added \
                 security: https://aka.ms/certCreds.",
                client.id
            ),
        )),
    }
}

/// The refusal for want of consent.
pub(super) fn consent(world: &World, client_id: &str) -> Refusal {
    let name = Party::find(world, client_id)
        .map(|party| party.name())
        .unwrap_or_default();
    Refusal::new(
        65001,
        "invalid_grant",
        format!(
            "The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. Send an \
             interactive authorization request for this user and resource."
        ),
    )
    .suberror("consent_required")
}
