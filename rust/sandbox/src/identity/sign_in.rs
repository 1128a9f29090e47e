//! Signing a user in: password, second factor, the tenant's policies.

use std::sync::Arc;

use crate::access::User;
use crate::estate::Tenant;
use crate::users;
use crate::world::World;

use super::error::Refusal;
use super::grant::Form;
use super::policy;

/// What a user typed and pressed on one of the pages.
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) password: String,
    /// Whether the second factor was approved.
    pub(crate) mfa: bool,
    pub(crate) action: Action,
}

/// The button that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Signs in, and consents where that is asked for.
    Accept,
    /// Refuses consent.
    Deny,
    /// Leaves the page.
    Cancel,
}

impl Attempt {
    /// What the form of a page says; None where no button was pressed.
    pub(super) fn read(form: &Form) -> Option<Self> {
        let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
        Some(Attempt {
            action: match form.get("action")? {
                "accept" => Action::Accept,
                "deny" => Action::Deny,
                _ => Action::Cancel,
            },
            name: text("username"),
            password: form.get("password").unwrap_or_default().to_owned(),
            mfa: form.get("mfa").is_some(),
        })
    }
}

/// Somebody who has signed in.
pub(super) struct SignedIn {
    pub(super) user: Arc<User>,
    pub(super) administrator: bool,
}

/// Checks who it is, and whether `tenant` lets them in.
pub(super) fn sign_in(world: &World, tenant: &Tenant, attempt: &Attempt) -> Result<SignedIn, Refusal> {
    let refuse = |code, text: String| Refusal::new(code, "invalid_grant", text);
    let Some(account) = users::find(&world.estate, world.options.seed, &attempt.name) else {
        return Err(refuse(
            50034,
            format!(
                "The user account {} does not exist in the {} directory. To sign into this application, the account must \
                 be added to the directory.",
                attempt.name, tenant.display_name
            ),
        ));
    };
    if attempt.password != account.password {
        return Err(refuse(
            50126,
            "Error validating credentials due to invalid username or password.".to_owned(),
        ));
    }
    let health = tenant.health();
    let guest = account.tenant_id != tenant.id;
    if guest && !(world.estate.administers(&account.tenant_id, tenant) && health.delegated_access) {
        return Err(refuse(
            50020,
            format!(
                "User account '{}' from identity provider 'https://sts.windows.net/{}/' does not exist in tenant '{}' and \
                 cannot access the application '{}'({}) in that tenant.",
                account.user_principal_name,
                account.tenant_id,
                tenant.display_name,
                world.application.id,
                world.application.display_name
            ),
        ));
    }
    let mfa = attempt.mfa && account.mfa;
    policy::lets_in(&health, mfa)?;
    Ok(SignedIn {
        user: Arc::new(world.user_of(&account.user_principal_name, mfa)),
        administrator: account.administrator,
    })
}
