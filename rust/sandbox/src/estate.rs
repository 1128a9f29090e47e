//! The partner, its user and its customers.

use std::collections::HashMap;
use std::sync::RwLock;

use serde::Deserialize;

use crate::consent::Grant;
use crate::identity::policy;
use crate::options::{Options, Preset};
use crate::random::Random;

/// Everybody in the sandbox's world.
pub(crate) struct Estate {
    pub(crate) partner: Tenant,
    /// Another one, for which the same application works; None where nobody asked for it.
    pub(crate) second_partner: Option<Tenant>,
    pub(crate) customers: Vec<Tenant>,
    by_name: HashMap<String, usize>,
}

/// A Microsoft Entra tenant.
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) default_domain: String,
    /// A domain of the customer's own.
    pub(crate) custom_domain: String,
    pub(crate) display_name: String,
    /// A customer of the Cloud Solution Provider programme: in Partner Center's list and in Graph's contracts.
    pub(crate) reseller: bool,
    /// A customer with a granular delegated admin relationship: in Graph's delegatedAdminCustomers.
    pub(crate) granular: bool,
    /// Whose customer it is: the partner's, the second one's, or both's.
    pub(crate) of_partner: bool,
    pub(crate) of_second_partner: bool,
    /// Distinct audit records.
    pub(crate) records: u64,
    pub(crate) health: RwLock<Health>,
}

/// What may be wrong with a tenant; changed by `POST /sandbox/tenants/{tenantId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) consent: bool,
    pub(crate) service_principal: bool,
    /// What Partner Center was told to grant; None where the consent is to all that the application asks for.
    pub(crate) grants: Option<Vec<Grant>>,
    /// Whether the application holds its application roles there.
    pub(crate) application_roles: bool,
    /// Redemptions that do not see a new consent yet, and those that will not see the next one.
    pub(crate) unseen: u32,
    pub(crate) consent_lag: u32,
    /// Whether the partner's user holds a role that may consent for the customer.
    pub(crate) consent_role: bool,
    /// Whether the partner's user has delegated access. (Reseller-only customers have it by the older delegated admin
    /// privileges, the others by a granular relationship.)
    pub(crate) delegated_access: bool,
    pub(crate) mfa_required: bool,
    /// Days until the granular relationship ends; None where it is as it comes.
    pub(crate) gdap_days: Option<i64>,
    /// The code of the outcome that Conditional Access has for every user.
    pub(crate) conditional_access: Option<u32>,
    /// The APIs that it protects, by any of their names; all where this is empty.
    pub(crate) conditional_access_resources: Vec<String>,
    pub(crate) auditing: bool,
    /// Whether the application and the partner's user hold a role that Exchange Online takes.
    pub(crate) exchange_role: bool,
    /// Whether that role has the audit log in it (View-Only Audit Logs).
    pub(crate) audit_role: bool,
    /// Whether Microsoft Defender is set up there: without it, Graph has neither alerts nor a secure score.
    pub(crate) defender: bool,
    pub(crate) deleted: bool,
    pub(crate) missing_resources: Vec<String>,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            consent: true,
            service_principal: true,
            grants: None,
            application_roles: true,
            unseen: 0,
            consent_lag: 0,
            consent_role: true,
            delegated_access: true,
            mfa_required: false,
            gdap_days: None,
            conditional_access: None,
            conditional_access_resources: Vec::new(),
            auditing: true,
            exchange_role: true,
            audit_role: true,
            defender: true,
            deleted: false,
            missing_resources: Vec::new(),
        }
    }
}

/// A change of a tenant's health; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HealthChange {
    consent: Option<Consent>,
    consent_role: Option<bool>,
    /// Redemptions that do not see what Partner Center grants from now on.
    consent_lag: Option<u32>,
    service_principal: Option<bool>,
    gdap: Option<bool>,
    gdap_days: Option<i64>,
    mfa_required: Option<bool>,
    conditional_access: Option<ConditionalAccess>,
    conditional_access_resources: Option<Vec<String>>,
    auditing: Option<bool>,
    exchange_role: Option<bool>,
    audit_role: Option<bool>,
    defender: Option<bool>,
    deleted: Option<bool>,
    missing_resources: Option<Vec<String>>,
    /// Content types whose subscriptions an administrator of the service disables now.
    #[serde(default)]
    pub(crate) disabled_subscriptions: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Consent {
    Granted,
    Missing,
}

/// `true` blocks, `false` lets everybody in, a number is the AADSTS code of another outcome.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum ConditionalAccess {
    Blocks(bool),
    Outcome(u32),
}

impl ConditionalAccess {
    fn code(self) -> Option<u32> {
        match self {
            ConditionalAccess::Blocks(blocks) => blocks.then_some(policy::BLOCKED),
            ConditionalAccess::Outcome(code) => Some(code),
        }
    }
}

impl HealthChange {
    /// The code of an outcome of Conditional Access that is asked for and not known.
    pub(crate) fn unknown_outcome(&self) -> Option<u32> {
        self.conditional_access?.code().filter(|code| !policy::is_known(*code))
    }
}

impl Health {
    /// An administrator's consent to all that the application asks for, or none at all.
    pub(crate) fn consent_to_all(&mut self, yes: bool) {
        (self.consent, self.application_roles) = (yes, yes);
        (self.grants, self.unseen) = (None, 0);
    }
}

impl Tenant {
    pub(crate) fn health(&self) -> Health {
        crate::world::read(&self.health).clone()
    }

    /// Switches the audit log on or off, as an administrator does.
    pub(crate) fn set_auditing(&self, on: bool) {
        crate::world::write(&self.health).auditing = on;
    }

    pub(crate) fn change(&self, change: HealthChange) {
        let health = &mut *crate::world::write(&self.health);
        if let Some(consent) = change.consent {
            health.consent_to_all(matches!(consent, Consent::Granted));
        }
        for (target, value) in [
            (&mut health.service_principal, change.service_principal),
            (&mut health.consent_role, change.consent_role),
            (&mut health.delegated_access, change.gdap),
            (&mut health.mfa_required, change.mfa_required),
            (&mut health.auditing, change.auditing),
            (&mut health.exchange_role, change.exchange_role),
            (&mut health.audit_role, change.audit_role),
            (&mut health.defender, change.defender),
            (&mut health.deleted, change.deleted),
        ] {
            if let Some(value) = value {
                *target = value;
            }
        }
        health.gdap_days = change.gdap_days.or(health.gdap_days);
        if let Some(lag) = change.consent_lag {
            health.consent_lag = lag;
        }
        if let Some(outcome) = change.conditional_access {
            health.conditional_access = outcome.code();
        }
        if let Some(resources) = change.conditional_access_resources {
            health.conditional_access_resources = resources;
        }
        if let Some(missing) = change.missing_resources {
            health.missing_resources = missing;
        }
    }
}

impl Estate {
    pub(crate) fn new(options: &Options) -> Self {
        let partner = tenant(options.seed, "partner", 0, "Contoso Partner");
        let second_partner = options
            .second_partner
            .then(|| tenant(options.seed, "partner", 1, "Fabrikam Partner"));
        let mut customers: Vec<Tenant> = (0..options.tenants as u64)
            .map(|at| tenant(options.seed, "customer", at, &name(options.seed, at)))
            .collect();
        for (at, customer) in customers.iter_mut().enumerate() {
            // One in six is known to one list only; the rest to all.
            (customer.reseller, customer.granular) = match at % 12 {
                4 => (true, false),
                9 => (false, true),
                _ => (true, true),
            };
            (customer.of_partner, customer.of_second_partner) = match at % 4 {
                1 if options.second_partner => (true, true),
                3 if options.second_partner => (false, true),
                _ => (true, false),
            };
            if options.preset == Preset::Empty {
                let health = customer
                    .health
                    .get_mut()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                health.consent_to_all(false);
                health.service_principal = false;
            }
            if options.preset == Preset::Mixed {
                let health = customer
                    .health
                    .get_mut()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                match at % 10 {
                    2 => health.consent_to_all(false),
                    3 => {
                        health.consent_to_all(false);
                        health.service_principal = false;
                    }
                    5 => health.delegated_access = false,
                    7 => health.auditing = false,
                    8 => health.deleted = at % 20 == 8,
                    _ => {}
                }
            }
        }
        share_records(options, &mut customers);
        let mut by_name = HashMap::new();
        let all = std::iter::once(&partner).chain(&customers).chain(&second_partner);
        for (at, tenant) in all.enumerate() {
            for name in [&tenant.id, &tenant.default_domain, &tenant.custom_domain] {
                by_name.insert(name.clone(), at);
            }
        }
        Estate {
            partner,
            second_partner,
            customers,
            by_name,
        }
    }

    /// Finds a tenant by GUID or domain.
    pub(crate) fn find(&self, name: &str) -> Option<&Tenant> {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => *self.by_name.get(&name.to_ascii_lowercase())?,
        };
        match at.checked_sub(1) {
            None => Some(&self.partner),
            Some(at) => self.customers.get(at).or(self.second_partner.as_ref()),
        }
    }
}

/// Spreads the records so that a few customers have most of them: no one customer is typical in a real estate either.
fn share_records(options: &Options, customers: &mut [Tenant]) {
    let eligible: Vec<usize> = (0..customers.len())
        .filter(|&at| {
            let health = customers[at].health();
            health.auditing && !health.deleted
        })
        .collect();
    if eligible.is_empty() {
        return;
    }
    let weights: Vec<f64> = eligible
        .iter()
        .map(|&at| {
            let draw = Random::at(options.seed, "records", at as u64).below(1000) as f64 / 1000.0;
            0.15 + 3.0 * draw.powi(3)
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let mut left = options.records;
    for (&at, weight) in eligible.iter().zip(&weights) {
        let share = ((options.records as f64) * weight / total).floor() as u64;
        customers[at].records = share.min(left);
        left -= customers[at].records;
    }
    let mut turn = eligible.iter().cycle();
    while left > 0 {
        if let Some(&at) = turn.next() {
            customers[at].records += 1;
        }
        left -= 1;
    }
}

fn tenant(seed: u64, purpose: &str, at: u64, display_name: &str) -> Tenant {
    let id = Random::at(seed, purpose, at).guid();
    let slug: String = display_name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    Tenant {
        id,
        default_domain: format!("{slug}.onmicrosoft.com"),
        custom_domain: format!("{slug}.example"),
        display_name: display_name.to_owned(),
        reseller: false,
        granular: false,
        of_partner: false,
        of_second_partner: false,
        records: 0,
        health: RwLock::new(Health::default()),
    }
}

fn name(seed: u64, at: u64) -> String {
    const FIRST: [&str; 40] = [
        "Adatum",
        "Alpine",
        "Bellows",
        "Blue Yonder",
        "Coho",
        "Cronus",
        "Datum",
        "Fabrikam",
        "Fourth Coffee",
        "Graphic",
        "Humongous",
        "Lamna",
        "Liberty",
        "Litware",
        "Lucerne",
        "Margie",
        "Munson",
        "Northwind",
        "Nod",
        "Olympia",
        "Parnell",
        "Proseware",
        "Relecloud",
        "Southridge",
        "Tailspin",
        "Tailwind",
        "Trey",
        "Van Arsdel",
        "Wide World",
        "Wingtip",
        "Woodgrove",
        "Zava",
        "Best For You",
        "Boulder",
        "First Up",
        "City Power",
        "Consolidated",
        "Contoso",
        "School of Fine",
        "Wonder",
    ];
    const SECOND: [&str; 25] = [
        "Logistics",
        "Bank",
        "Airlines",
        "Vineyard",
        "Toys",
        "Traders",
        "Insurance",
        "Research",
        "Publishing",
        "Pharmaceuticals",
        "Markets",
        "Institute",
        "Consulting",
        "Dairy",
        "Video",
        "Winery",
        "Media",
        "Light",
        "Health",
        "Robotics",
        "Realty",
        "Foods",
        "Travel",
        "Studios",
        "Energy",
    ];
    // A walk over all pairs that starts at a place of the seed's choosing and meets each pair once.
    let pairs = (FIRST.len() * SECOND.len()) as u64;
    let place = (Random::at(seed, "names", 0).below(pairs) + at.wrapping_mul(377)) % pairs;
    let (first, second) = (FIRST[(place % 40) as usize], SECOND[(place / 40) as usize]);
    match at / pairs {
        0 => format!("{first} {second}"),
        round => format!("{first} {second} {}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_customer_has_names_of_its_own_and_the_records_add_up() {
        let options = Options {
            tenants: 2500,
            records: 123_457,
            ..Options::default()
        };
        let estate = Estate::new(&options);
        let names: HashSet<&str> = estate.customers.iter().map(|c| c.default_domain.as_str()).collect();
        assert_eq!(names.len(), 2500);
        assert_eq!(estate.customers.iter().map(|c| c.records).sum::<u64>(), 123_457);
        let third = &estate.customers[2];
        assert_eq!(estate.find(&third.custom_domain.to_uppercase()).unwrap().id, third.id);
    }

    #[test]
    fn the_partner_may_have_no_customers() {
        let estate = Estate::new(&Options {
            tenants: 0,
            ..Options::default()
        });
        assert!(estate.customers.is_empty());
        assert!(estate.is_partner(estate.find(&estate.partner.id).unwrap()));
    }
}
