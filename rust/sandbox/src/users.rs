//! Who can sign in at the sandbox's pages. All accounts have one password, which the facts print: nothing here is secret.

use serde::Serialize;

use crate::estate::{Estate, Tenant};
use crate::random::Random;

/// Administrators of customers that the facts name; those of the others can sign in as well.
const NAMED_CUSTOMERS: usize = 3;

/// An account, as the facts print it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserFacts {
    /// The sign-in name.
    pub user_principal_name: String,
    /// The password.
    pub password: String,
    /// The tenant that the account belongs to.
    pub tenant_id: String,
    /// Whether the account has a second factor to approve with. One without signs in from a trusted place, with its
    /// password alone.
    pub mfa: bool,
    /// Whether the account may consent for its organization.
    pub administrator: bool,
}

/// The partner's administrator and its plain user.
pub(crate) fn partner_users(estate: &Estate, seed: u64) -> Vec<UserFacts> {
    let account = |name: &str, administrator: bool| UserFacts {
        user_principal_name: format!("{name}@{}", estate.partner.custom_domain),
        password: password(seed),
        tenant_id: estate.partner.id.clone(),
        mfa: administrator,
        administrator,
    };
    vec![account("sam", true), account("office", false)]
}

/// The accounts that the facts name.
pub(crate) fn named(estate: &Estate, seed: u64) -> Vec<UserFacts> {
    let customers = estate.customers.iter().take(NAMED_CUSTOMERS);
    let mut users = partner_users(estate, seed);
    users.extend(customers.map(|customer| administrator(customer, seed)));
    users
}

/// Finds an account by its sign-in name: one of the partner's, or `admin@` a domain of a customer or the second partner.
pub(crate) fn find(estate: &Estate, seed: u64, name: &str) -> Option<UserFacts> {
    if let Some(user) = partner_users(estate, seed)
        .into_iter()
        .find(|user| user.user_principal_name.eq_ignore_ascii_case(name))
    {
        return Some(user);
    }
    let (local, domain) = name.split_once('@')?;
    let tenant = estate.find(domain).filter(|tenant| !estate.is_partner(tenant))?;
    local.eq_ignore_ascii_case("admin").then(|| administrator(tenant, seed))
}

/// The administrator of any other tenant than the partner's.
pub(crate) fn administrator(customer: &Tenant, seed: u64) -> UserFacts {
    UserFacts {
        user_principal_name: format!("admin@{}", customer.default_domain),
        password: password(seed),
        tenant_id: customer.id.clone(),
        mfa: true,
        administrator: true,
    }
}

fn password(seed: u64) -> String {
    format!("Sandbox-{}", Random::at(seed, "password", 0).text(12))
}
