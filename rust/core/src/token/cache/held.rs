//! What the cache holds, for somebody who looks at it or empties it.
//!
//! Emptying forgets tokens only. What the service asked for (a `Retry-After`) stays, and so do the refresh tokens: of
//! single-use ones the newest is the only one that still works.

use super::{Inner, Slot, Tokens};
use crate::error::{Error, Kind, Result};
use crate::tenant::TenantId;
use crate::token::Token;
use std::sync::{Arc, PoisonError};

/// Which tokens are meant; whatever is absent does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// One token, by its number.
    pub(crate) number: Option<u64>,
    /// An environment's instance.
    pub(crate) environment: Option<u64>,
    pub(crate) application_id: Option<String>,
    /// Any of these; none for all.
    pub(crate) tenants: Vec<TenantId>,
}

/// A token in the cache and how it was obtained.
#[derive(Debug)]
pub(crate) struct Held {
    /// Different for each token that an engine ever held.
    pub(crate) number: u64,
    /// The environment's instance.
    pub(crate) environment: u64,
    /// The grant as the service calls it, `managed_identity` and `on_behalf_of` for what has a longer name or none.
    pub(crate) grant: &'static str,
    pub(crate) token: Arc<Token>,
}

impl Tokens {
    /// The tokens of `filter` that are not over, in no order.
    pub(crate) fn held(&self, filter: &Filter) -> Result<Vec<Held>> {
        let filter = self.0.with_guids(filter)?;
        let now = self.0.clock.now_ms();
        let slots = self.0.read();
        let held = slots.by_key.iter().filter_map(|(key, slot)| {
            let token = slot.token.as_ref().filter(|token| now < token.expires_on)?;
            filter.means(key.environment, slot, token).then(|| Held {
                number: slot.begun,
                environment: key.environment,
                grant: key.grant.name(),
                token: Arc::clone(token),
            })
        });
        Ok(held.collect())
    }

    /// Forgets the tokens of `filter` and says how many there were. A request that is under way still brings its token.
    pub(crate) fn forget(&self, filter: &Filter) -> Result<usize> {
        let filter = self.0.with_guids(filter)?;
        let mut forgotten = 0;
        self.0.write().by_key.retain(|key, slot| {
            let meant = |token: &Arc<Token>| filter.means(key.environment, slot, token);
            if slot.token.as_ref().is_some_and(meant) {
                slot.token = None;
                forgotten += 1;
            }
            slot.token.is_some() || slot.pause.as_ref().is_some_and(|pause| pause.asked)
        });
        Ok(forgotten)
    }

    /// What forgets an environment instance that is gone, for as long as this cache is there itself.
    pub(crate) fn forgetter(&self) -> impl Fn(u64) + Send + Sync + 'static {
        let inner = Arc::downgrade(&self.0);
        move |instance| {
            if let Some(inner) = inner.upgrade() {
                inner.forget_environment(instance);
            }
        }
    }
}

impl Inner {
    /// Forgets an instance's tokens, the wishes of its services, the tenants of its domains and its refresh tokens, less those
    /// that a credential holds itself.
    fn forget_environment(&self, instance: u64) {
        self.write().by_key.retain(|key, _| key.environment != instance);
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        domains.remove(&instance);
        self.lineages.forget(instance);
    }

    /// The same filter with every domain replaced by its tenant. Nothing is sent: a domain that no token was asked for
    /// with is an error, because nothing would be found where there may be something.
    fn with_guids(&self, filter: &Filter) -> Result<Filter> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        let mut tenants = Vec::new();
        for tenant in &filter.tenants {
            if tenant.guid().is_some() {
                tenants.push(tenant.clone());
                continue;
            }
            // One domain may be different tenants in different clouds.
            let known = domains
                .iter()
                .filter(|(instance, _)| filter.environment.is_none_or(|wanted| wanted == **instance))
                .filter_map(|(_, domains)| domains.get(tenant.as_str()));
            let before = tenants.len();
            tenants.extend(known.cloned());
            if tenants.len() == before {
                return Err(Error::new(
                    Kind::NotFound,
                    format!("no token was asked for in {tenant} by that name"),
                )
                .for_tenant(tenant.as_str())
                .advise("Give the tenant's GUID: the cache knows a domain only once a token was asked for with it."));
            }
        }
        Ok(Filter {
            tenants,
            ..filter.clone()
        })
    }
}

impl Filter {
    fn means(&self, environment: u64, slot: &Slot, token: &Token) -> bool {
        self.number.is_none_or(|number| number == slot.begun)
            && self.environment.is_none_or(|wanted| wanted == environment)
            && self
                .application_id
                .as_ref()
                .is_none_or(|id| id == token.application_id())
            && (self.tenants.is_empty() || token.known_tenant().is_some_and(|tenant| self.tenants.contains(tenant)))
    }
}
