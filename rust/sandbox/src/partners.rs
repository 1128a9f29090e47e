//! Which partner administers whom: the one partner as a rule, or two, as a control panel vendor has them, whose application works
//! for each.

use crate::estate::{Estate, Tenant};

impl Estate {
    /// Whether it is the tenant of the partner that there always is.
    pub(crate) fn is_partner(&self, tenant: &Tenant) -> bool {
        tenant.id == self.partner.id
    }

    /// Whether the tenant of that id is a partner's own.
    pub(crate) fn is_partners_own(&self, tenant_id: &str) -> bool {
        self.partner.id == tenant_id || self.is_second(tenant_id)
    }

    /// Whether the users of the partner whose tenant has the id `home` administer `tenant`.
    pub(crate) fn administers(&self, home: &str, tenant: &Tenant) -> bool {
        (home == self.partner.id && tenant.of_partner) || (self.is_second(home) && tenant.of_second_partner)
    }

    /// The customers of the partner whose tenant has the id `home`; no other tenant has any.
    pub(crate) fn customers_of<'a>(&'a self, home: &'a str) -> impl Iterator<Item = &'a Tenant> {
        self.customers
            .iter()
            .filter(move |tenant| self.administers(home, tenant))
    }

    /// The tenant that a user's account is in: the one of the name's domain, and the partner's for every other name.
    pub(crate) fn home(&self, user_principal_name: &str) -> &Tenant {
        let domain = user_principal_name.rsplit_once('@').map(|(_, domain)| domain);
        domain.and_then(|domain| self.find(domain)).unwrap_or(&self.partner)
    }

    fn is_second(&self, tenant_id: &str) -> bool {
        self.second_partner
            .as_ref()
            .is_some_and(|partner| partner.id == tenant_id)
    }
}
