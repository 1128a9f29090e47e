//! The token cache of an engine.
//!
//! Invariants: a token is found again only by the same environment instance, tenant, application, proof, user, grant,
//! target and claims. No lock is held while anything is awaited.

pub(super) mod held;

use super::flights::{Flights, Found, Launch};
use super::lineage::{Lineage, Lineages};
use super::request::{Grant, TokenRequest};
use super::{exchange, identity, resolve, Token};
use crate::credential::Mark;
use crate::engine::Clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::Budget;
use crate::managed_identity::Platform;
use crate::operation::log;
use crate::store::Stores;
use crate::tenant::TenantId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::runtime::Handle;

/// After a refresh that failed without a `Retry-After`, the token that is still valid serves this long unasked.
const REFRESH_PAUSE: Duration = Duration::from_secs(10);
/// Entries beyond which those that are over are looked for.
const SWEEP_FROM: usize = 1024;

/// Tokens by what they were asked with. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

pub(super) struct Inner {
    runtime: Handle,
    pub(super) clock: Arc<Clock>,
    /// Where managed identities are asked for.
    pub(super) platform: Platform,
    /// Orders calls and flights.
    sequence: AtomicU64,
    slots: RwLock<Slots>,
    domains: RwLock<HashMap<u64, HashMap<String, TenantId>>>,
    pub(super) lineages: Lineages,
    pub(super) stores: Arc<Stores>,
    flights: Arc<Flights<Key, Arc<Token>>>,
    resolving: Arc<Flights<(u64, String), TenantId>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    environment: u64,
    tenant: TenantKey,
    grant: Grant,
    /// The application and its secret.
    proof: Mark,
    /// The user; 0 for none.
    lineage: u64,
    /// The token of the user that the application acts for.
    assertion: Option<Mark>,
    target: Arc<str>,
    claims: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum TenantKey {
    Guid(u128),
    /// `common` and its like: their token is the home tenant's, but that is not known before it came.
    Shared(String),
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<Key, Slot>,
    sweep_at: usize,
}

#[derive(Default)]
struct Slot {
    token: Option<Arc<Token>>,
    /// When the flight that brought the token began.
    begun: u64,
    pause: Option<Pause>,
}

/// Not to be asked again before `until` (milliseconds since 1970).
struct Pause {
    until: i64,
    error: Error,
    /// The service asked for it; otherwise it only spares a service in trouble while a token is still valid.
    asked: bool,
}

/// How fresh the answer must be.
enum Freshness<'a> {
    Cached,
    /// From a flight that began after this call.
    After(u64),
    /// Another one than this, which the resource refused.
    InsteadOf(&'a Arc<Token>),
}

impl Tokens {
    pub(crate) fn new(runtime: Handle, clock: Arc<Clock>, platform: Platform, stores: Arc<Stores>) -> Self {
        Tokens(Arc::new(Inner {
            runtime,
            clock,
            platform,
            sequence: AtomicU64::new(1),
            slots: RwLock::default(),
            domains: RwLock::default(),
            lineages: Lineages::new(),
            stores,
            flights: Flights::new(),
            resolving: Flights::new(),
        }))
    }

    /// The cache that a flight belongs to.
    pub(super) fn of(inner: &Arc<Inner>) -> Self {
        Tokens(Arc::clone(inner))
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// The time by which tokens end.
    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.0.clock
    }

    /// The token that `request` asks for: from the cache while it is good, otherwise from the service, which is asked once
    /// however many callers wait. Dropping the future detaches this caller only.
    pub async fn acquire(&self, request: &TokenRequest) -> Result<Arc<Token>> {
        let call = self.0.sequence.fetch_add(1, Ordering::Relaxed);
        let freshness = if request.is_forced() {
            Freshness::After(call)
        } else {
            Freshness::Cached
        };
        self.0.acquire(request, freshness).await
    }

    /// The token that [`Tokens::acquire`] would give without waiting; `None` says only that it has to be asked.
    pub(crate) fn cached(&self, request: &TokenRequest) -> Option<Arc<Token>> {
        self.0.cached(request)
    }

    /// The same, where a resource has refused `refused`: whatever replaced it in the meantime, or a new one.
    pub async fn acquire_instead_of(&self, request: &TokenRequest, refused: &Arc<Token>) -> Result<Arc<Token>> {
        self.0.acquire(request, Freshness::InsteadOf(refused)).await
    }

    /// The GUID of a tenant named by a domain; asked of the sign-in endpoint once. Other names come back as they are.
    pub async fn resolve(&self, environment: &Arc<Environment>, tenant: &TenantId) -> Result<TenantId> {
        self.0.resolve(environment, tenant).await
    }
}

impl Inner {
    async fn acquire(self: &Arc<Self>, request: &TokenRequest, freshness: Freshness<'_>) -> Result<Arc<Token>> {
        let grant = request.grant()?;
        if grant == Grant::ManagedIdentity {
            let token = self.obtain(request, grant, identity::anywhere()?, freshness).await?;
            return identity::of_its_tenant(self, request, token).await;
        }
        let resolved = self.resolve(request.environment(), request.tenant()).await;
        let tenant = resolved.map_err(|error| request.name(error))?;
        self.obtain(request, grant, tenant, freshness).await
    }

    async fn obtain(
        self: &Arc<Self>,
        request: &TokenRequest,
        grant: Grant,
        tenant: TenantId,
        freshness: Freshness<'_>,
    ) -> Result<Arc<Token>> {
        let lineage = match grant {
            Grant::RefreshToken => self
                .lineages
                .of(request.environment().instance(), request.credential(), || self.next()),
            Grant::ClientCredentials | Grant::ManagedIdentity | Grant::OnBehalfOf => None,
        };
        let key = Key::new(request, grant, &tenant, lineage.as_deref());
        if let Found::Answer(answer) = self.look(&key, &freshness) {
            log::verbose_once(|| match &answer {
                Ok(token) => format!(
                    "The token for {} is in the cache, good until {}",
                    request.subject(),
                    token.end()
                ),
                Err(_) => format!("The service asked not to be asked for {} yet", request.subject()),
            });
            return answer.map_err(|error| request.name(error));
        }
        let not_before = if let Freshness::After(call) = freshness {
            call
        } else {
            0
        };
        let launch = || {
            let begun = self.next();
            let (inner, key, request) = (Arc::clone(self), key.clone(), request.clone());
            let (tenant, lineage) = (tenant.clone(), lineage.clone());
            let log = log::current();
            let budget = request.budget().map_or_else(Budget::new, Budget::shared);
            Launch {
                begun,
                budget: budget.clone(),
                protected: grant == Grant::RefreshToken,
                work: move |abandoned| {
                    let work = async move {
                        let asking = exchange::ask(&inner, &request, grant, tenant, lineage, abandoned);
                        let result = exchange::told(&request, grant, asking).await;
                        inner.record(key, begun, &result);
                        result
                    };
                    log::within(log, Budget::within(Some(budget), work))
                },
            }
        };
        let look = || self.look(&key, &freshness);
        let joined = |flight: &Budget| {
            request.budget().into_iter().for_each(|budget| flight.join(budget));
            log::verbose(|| {
                format!(
                    "Waiting for the token for {}, which is being asked for",
                    request.subject()
                )
            })
        };
        let answer = self
            .flights
            .fly(&self.runtime, &key, not_before, look, launch, joined)
            .await;
        match answer {
            Err(error) if error.is_retryable() && matches!(freshness, Freshness::Cached) => {
                let kept = self.still_valid(&key);
                if let Some(token) = &kept {
                    log::verbose(|| {
                        let (subject, end) = (request.subject(), token.end());
                        format!("The token for {subject} could not be renewed ({error}); the one in the cache is good until {end}")
                    });
                }
                kept.ok_or_else(|| request.name(error))
            }
            // Flights are shared by callers who named the tenant differently: each reads its own name.
            answer => answer.map_err(|error| request.name(error)),
        }
    }

    fn cached(&self, request: &TokenRequest) -> Option<Arc<Token>> {
        if request.is_forced() {
            return None;
        }
        let grant = request.grant().ok()?;
        let (tenant, instance) = (request.tenant(), request.environment().instance());
        let found;
        let tenant = if grant == Grant::ManagedIdentity {
            found = identity::anywhere().ok()?;
            &found
        } else if tenant.guid().is_some() || tenant.is_shared() {
            tenant
        } else {
            found = self.domain(instance, tenant)?;
            &found
        };
        let lineage = match grant {
            Grant::RefreshToken => Some(self.lineages.of(instance, request.credential(), || self.next())?),
            Grant::ClientCredentials | Grant::ManagedIdentity | Grant::OnBehalfOf => None,
        };
        let key = Key::new(request, grant, tenant, lineage.as_deref());
        match self.look(&key, &Freshness::Cached) {
            // Whether an identity belongs to the tenant that was named is for `acquire` to say.
            Found::Answer(Ok(token)) if grant != Grant::ManagedIdentity => Some(token),
            Found::Answer(Ok(token)) => identity::is_of_its_tenant(request, &token).then_some(token),
            Found::Answer(Err(_)) | Found::Nothing => None,
        }
    }

    /// The GUID behind a domain, once it is known.
    fn domain(&self, instance: u64, tenant: &TenantId) -> Option<TenantId> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains.get(&instance)?.get(tenant.as_str()).cloned()
    }

    pub(super) async fn resolve(
        self: &Arc<Self>,
        environment: &Arc<Environment>,
        tenant: &TenantId,
    ) -> Result<TenantId> {
        if tenant.guid().is_some() || tenant.is_shared() {
            return Ok(tenant.clone());
        }
        let instance = environment.instance();
        let known = || self.domain(instance, tenant);
        if let Some(guid) = known() {
            return Ok(guid);
        }
        let look = || known().map_or(Found::Nothing, |guid| Found::Answer(Ok(guid)));
        let launch = || {
            let (inner, environment, domain) = (Arc::clone(self), Arc::clone(environment), tenant.clone());
            let log = log::current();
            let budget = Budget::current().map_or_else(Budget::new, |budget| budget.shared());
            Launch {
                begun: self.next(),
                budget: budget.clone(),
                protected: false,
                work: move |_| {
                    let work = async move {
                        let guid = resolve::resolve(&environment, &domain).await?;
                        let mut domains = inner.domains.write().unwrap_or_else(PoisonError::into_inner);
                        domains
                            .entry(environment.instance())
                            .or_default()
                            .insert(domain.as_str().to_owned(), guid.clone());
                        Ok(guid)
                    };
                    log::within(log, Budget::within(Some(budget), work))
                },
            }
        };
        let key = (instance, tenant.as_str().to_owned());
        let joined = |flight: &Budget| Budget::current().iter().for_each(|budget| flight.join(budget));
        let found = self.resolving.fly(&self.runtime, &key, 0, look, launch, joined).await?;
        log::verbose(|| format!("{tenant} is the tenant {found}"));
        Ok(found)
    }

    fn next(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    fn look(&self, key: &Key, freshness: &Freshness<'_>) -> Found<Arc<Token>> {
        let slots = self.read();
        let Some(slot) = slots.by_key.get(key) else {
            return Found::Nothing;
        };
        let now = self.clock.now_ms();
        if let Some(token) = &slot.token {
            let good = match freshness {
                Freshness::Cached => now < token.refresh_on,
                Freshness::After(call) => slot.begun >= *call,
                Freshness::InsteadOf(refused) => !Arc::ptr_eq(token, refused) && now < token.refresh_on,
            };
            if good {
                return Found::Answer(Ok(Arc::clone(token)));
            }
        }
        match &slot.pause {
            Some(pause) if now < pause.until => {
                if let (Freshness::Cached, Some(token)) = (freshness, &slot.token) {
                    if now < token.expires_on {
                        return Found::Answer(Ok(Arc::clone(token)));
                    }
                }
                if !pause.asked {
                    return Found::Nothing;
                }
                let left = Duration::from_millis(pause.until.abs_diff(now));
                Found::Answer(Err(pause.error.clone().with_retry_after(Some(left))))
            }
            _ => Found::Nothing,
        }
    }

    fn still_valid(&self, key: &Key) -> Option<Arc<Token>> {
        let slots = self.read();
        let token = slots.by_key.get(key)?.token.as_ref()?;
        (self.clock.now_ms() < token.expires_on).then(|| Arc::clone(token))
    }

    /// Keeps what a flight brought. A flight that began earlier does not replace what a later one brought.
    fn record(&self, key: Key, begun: u64, result: &Result<Arc<Token>>) {
        let now = self.clock.now_ms();
        let mut slots = self.write();
        slots.sweep(now);
        match result {
            Ok(token) => {
                let slot = slots.by_key.entry(key).or_default();
                if begun >= slot.begun {
                    *slot = Slot {
                        token: Some(Arc::clone(token)),
                        begun,
                        pause: None,
                    };
                }
            }
            Err(error) if error.is_retryable() => {
                let asked = error.retry_after();
                // Without a token to serve meanwhile, only the service's own wish is worth remembering.
                if asked.is_none() && slots.by_key.get(&key).is_none_or(|slot| slot.token.is_none()) {
                    return;
                }
                let wait = i64::try_from(asked.unwrap_or(REFRESH_PAUSE).as_millis()).unwrap_or(i64::MAX);
                let until = now.saturating_add(wait);
                slots.by_key.entry(key).or_default().pause = Some(Pause {
                    until,
                    error: error.clone(),
                    asked: asked.is_some(),
                });
            }
            Err(_) => {}
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Slots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(request: &TokenRequest, grant: Grant, tenant: &TenantId, lineage: Option<&Lineage>) -> Self {
        Key {
            environment: request.environment().instance(),
            tenant: match tenant.guid() {
                Some(guid) => TenantKey::Guid(guid),
                None => TenantKey::Shared(tenant.as_str().to_owned()),
            },
            grant,
            proof: *request.credential().proof_mark(),
            lineage: lineage.map_or(0, Lineage::id),
            assertion: request.user_assertion().map(|assertion| *assertion.mark()),
            target: Arc::clone(request.target().key()),
            claims: request.claims_json().cloned(),
        }
    }
}

impl Slots {
    /// Drops what is over, each time the map has doubled.
    fn sweep(&mut self, now: i64) {
        if self.by_key.len() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        self.by_key.retain(|_, slot| {
            slot.token.as_ref().is_some_and(|token| now < token.expires_on)
                || slot.pause.as_ref().is_some_and(|pause| now < pause.until)
        });
        self.sweep_at = 2 * self.by_key.len();
    }
}
