//! Checks that do not depend on the grant: the application, its credential, consent and the customer's policies.

use crate::estate::Tenant;
use crate::keys::SecretHealth;
use crate::reply::Call;
use crate::world::World;

use super::assertion;
use super::error::Refusal;
use super::federated;
use super::grant::{Client, Form};

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
    if client.id != world.application.id {
        return Err(Refusal::new(
            700016,
            "unauthorized_client",
            format!(
                "Application with identifier '{}' was not found in the directory '{}'. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in \
                 the tenant. You may have sent your authentication request to the wrong tenant.",
                client.id, tenant.display_name
            ),
        ));
    }
    if tenant.health().service_principal {
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
    Err(Refusal::new(
        700016,
        "unauthorized_client",
        format!(
            "Application with identifier '{}' was not found in the directory '{}'. This can happen if the application \
             has not been installed by the administrator of the tenant or consented to by any user in the tenant. You \
             may have sent your authentication request to the wrong tenant.",
            client.id, tenant.display_name
        ),
    ))
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
    if let Some(text) = &client.assertion {
        match federated::foreign(text, &client.id) {
            Some(claims) => federated::check(world, text, &claims)?,
            None => assertion::check(world, call, form, client)?,
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
    match world.application.keys.secret(secret, world.clock.now()) {
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
pub(super) fn consent(world: &World) -> Refusal {
    Refusal::new(
        65001,
        "invalid_grant",
        format!(
            "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an \
             interactive authorization request for this user and resource.",
            world.application.id, world.application.display_name
        ),
    )
    .suberror("consent_required")
}
