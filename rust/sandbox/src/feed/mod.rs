//! The Office 365 Management Activity API.
//!
//! Sources: "Office 365 Management Activity API reference", its schema page and its troubleshooting page. Beyond them, as
//! its users have reported: AF20024 for a second start, the single quotes of AF429, the path of `NextPageUri`.

mod arrivals;
mod blob;
mod error;
pub(crate) mod events;
mod listing;
mod plan;
mod record;
mod sample;
mod templates;
pub(crate) mod truth;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, RwLock};
use std::time::Duration;

use http::Method;
use serde_json::{json, Value};

use crate::access::Access;
use crate::clock::machine_ms;
use crate::estate::Tenant;
use crate::options::AuditOptions;
use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::{lock, read, write, World};

pub(crate) use error::FeedError;
use plan::{ContentType, Plan, Span};
use record::Writer;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// One content type's subscription of one tenant.
#[derive(Clone, Copy)]
struct Subscription {
    state: State,
    first_start_ms: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Enabled,
    Stopped,
    /// Disabled by an administrator of the service.
    Disabled,
}

/// The feed of all tenants.
pub(crate) struct Feed {
    options: RwLock<AuditOptions>,
    started_ms: i64,
    /// What the feed settled on when it was first asked for.
    settled: OnceLock<(AuditOptions, Span)>,
    subscriptions: Mutex<HashMap<(String, ContentType), Subscription>>,
    /// The minute that a tenant's requests were last counted in, and how many there were.
    requests: Mutex<HashMap<String, (i64, u32)>>,
    arrivals: arrivals::Arrivals,
    /// How often each growing blob was fetched.
    fetches: Mutex<HashMap<(String, String), u32>>,
    events: events::Events,
}

impl Feed {
    pub(crate) fn new(options: AuditOptions) -> Self {
        Feed {
            options: RwLock::new(options),
            started_ms: machine_ms(),
            settled: OnceLock::new(),
            subscriptions: Mutex::default(),
            requests: Mutex::default(),
            arrivals: arrivals::Arrivals::default(),
            fetches: Mutex::default(),
            events: events::Events::default(),
        }
    }

    /// Changes the options, which only works before the first look at the feed.
    pub(crate) fn change(&self, changes: &[(String, String)]) -> Result<(), String> {
        if self.settled.get().is_some() {
            return Err("the feed has been read already; change it right after the sandbox's start".to_owned());
        }
        let mut options = write(&self.options);
        let mut changed = options.clone();
        for (name, value) in changes {
            changed.set(name, value).map_err(|e| e.to_string())?;
        }
        *options = changed;
        Ok(())
    }

    fn settled(&self) -> &(AuditOptions, Span) {
        self.settled.get_or_init(|| {
            let options = read(&self.options).clone();
            let end_ms = options
                .end_ms
                .unwrap_or((self.started_ms - 15 * MINUTE_MS).div_euclid(MINUTE_MS) * MINUTE_MS);
            let start_ms = options.start_ms.unwrap_or(end_ms - 13 * 12 * 60 * MINUTE_MS);
            // Growing blobs are young ones, unless the range was given.
            let edge_ms = (options.growing > 0 && options.end_ms.is_none()).then_some(self.started_ms - 20_000);
            (
                options,
                Span {
                    start_ms,
                    end_ms,
                    edge_ms,
                },
            )
        })
    }

    pub(crate) fn options(&self) -> &AuditOptions {
        &self.settled().0
    }

    /// What a tenant's feed holds.
    fn plans(&self, world: &World, tenant: &Tenant) -> [Plan; ContentType::ALL.len()] {
        let (options, span) = self.settled();
        Plan::of_tenant(world.options.seed, &tenant.id, tenant.records, options, *span)
    }

    fn plan(&self, world: &World, tenant: &Tenant, content: ContentType) -> Plan {
        let plans = self.plans(world, tenant);
        let at = ContentType::ALL
            .iter()
            .position(|known| *known == content)
            .unwrap_or_default();
        plans[at].clone()
    }

    fn writer<'a>(&self, plan: &'a Plan, tenant: &'a Tenant) -> Writer<'a> {
        let options = self.options();
        Writer {
            plan,
            tenant_id: &tenant.id,
            domain: &tenant.default_domain,
            late: options.late,
            longest_delay_ms: u64::from(options.longest_delay_minutes) * 60_000,
            without_id: options.without_id,
            conflicts: options.conflicts,
        }
    }

    fn subscription(&self, tenant: &Tenant, content: ContentType) -> Option<Subscription> {
        let usual = Subscription {
            state: State::Enabled,
            first_start_ms: i64::MIN,
        };
        let known = lock(&self.subscriptions).get(&(tenant.id.clone(), content)).copied();
        known.or_else(|| self.options().subscribed.then_some(usual))
    }

    fn set_subscription(&self, tenant: &Tenant, content: ContentType, state: State, now_ms: i64) {
        let first_start_ms = self
            .subscription(tenant, content)
            .map_or(now_ms, |known| known.first_start_ms);
        lock(&self.subscriptions).insert((tenant.id.clone(), content), Subscription { state, first_start_ms });
    }

    /// Disables subscriptions as a service administrator would: they have to be started again.
    pub(crate) fn disable(&self, tenant: &Tenant, content_types: &str, now_ms: i64) -> Result<(), String> {
        for content in truth::content_types(content_types)? {
            self.set_subscription(tenant, content, State::Disabled, now_ms);
        }
        Ok(())
    }

    /// The subscription if content may be listed.
    fn active(&self, tenant: &Tenant, content: ContentType) -> Result<Subscription, FeedError> {
        match self.subscription(tenant, content) {
            Some(known) if known.state == State::Enabled => Ok(known),
            Some(known) if known.state == State::Disabled => Err(FeedError::new(
                "AF20023",
                "The subscription was disabled by a service admin.",
            )),
            _ => Err(FeedError::new(
                "AF20022",
                "No subscription found for the specified content type.",
            )),
        }
    }

    /// The most of a tenant's requests that came within any stretch of this length, of the latest 10,000.
    pub(crate) fn busiest(&self, tenant: &Tenant, stretch: Duration) -> usize {
        self.arrivals.busiest(&tenant.id, stretch)
    }

    /// Counts a request; false when the tenant has had its share of this minute.
    fn admit(&self, tenant: &Tenant, now_ms: i64) -> bool {
        self.arrivals.note(&tenant.id);
        let most = self.options().requests_per_minute;
        if most == 0 {
            return true;
        }
        let minute = now_ms.div_euclid(MINUTE_MS);
        let mut requests = lock(&self.requests);
        let counted = requests.entry(tenant.id.clone()).or_insert((minute, 0));
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        counted.1 += 1;
        counted.1 <= most
    }
}

/// Answers a request to the API's host.
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let ["api", "v1.0" | "v1", tenant, "activity", "feed", rest @ ..] = parts.as_slice() else {
        return reply::json(
            404,
            &json!({"Message": "No HTTP resource was found that matches the request URI."}),
        );
    };
    let Some(access) = call.bearer().and_then(|token| world.tokens.access(token)) else {
        return error::unauthorized();
    };
    if access.resource != Resource::Manage || access.expires_on <= world.clock.now() {
        return error::unauthorized();
    }
    match answer(world, call, &access, tenant, rest) {
        Ok(reply) => reply,
        Err(error) => error.reply(),
    }
}

fn answer(world: &World, call: &Call, access: &Access, tenant: &str, rest: &[&str]) -> Result<Reply, FeedError> {
    if !is_guid(tenant) {
        return Err(FeedError::new(
            "AF20013",
            format!("The tenant ID specified in the URL ({tenant}) is not a valid GUID."),
        ));
    }
    if !tenant.eq_ignore_ascii_case(&access.tenant_id) {
        return Err(FeedError::new(
            "AF20010",
            format!(
                "The tenant ID passed in the URL ({tenant}) does not match the tenant ID passed in the access token ({}).",
                access.tenant_id
            ),
        ));
    }
    if !(access.has_role("ActivityFeed.Read") || access.has_scope("ActivityFeed.Read")) {
        return Err(FeedError::new(
            "AF10001",
            format!(
                "The permission set ({}) sent in the request did not include the expected permission ActivityFeed.Read.",
                if access.user.is_some() { access.scopes.join(" ") } else { access.roles.join(" ") }
            ),
        ));
    }
    let missing = || {
        FeedError::new(
            "AF20011",
            format!("Specified tenant ID ({tenant}) does not exist in the system or has been deleted."),
        )
    };
    let tenant = world.estate.find(tenant).ok_or_else(missing)?;
    let health = tenant.health();
    if health.deleted {
        return Err(missing());
    }
    if !health.auditing {
        return Err(FeedError::new(
            "AF20012",
            format!(
                "Specified tenant ID ({0}) is incorrectly configured in the system. \
                 Microsoft.Office.Compliance.Audit.DataServiceException: Tenant {0} does not exist.",
                tenant.id
            ),
        ));
    }
    let now_ms = world.clock.now_ms();
    if !world.feed.admit(tenant, now_ms) {
        return Err(FeedError::throttled(call));
    }
    match (&call.method, rest) {
        (&Method::POST, ["subscriptions", "start"]) => start(world, call, tenant),
        (&Method::POST, ["subscriptions", "stop"]) => {
            let content = content_type(call)?;
            world.feed.active(tenant, content)?;
            world.feed.set_subscription(tenant, content, State::Stopped, now_ms);
            Ok(reply::reply(200, "application/json; charset=utf-8", ""))
        }
        (&Method::GET, ["subscriptions", "list"]) => {
            let known: Vec<Value> = ContentType::ALL
                .into_iter()
                .filter_map(|content| {
                    let own = world.feed.subscription(tenant, content)?;
                    Some(subscription(content, own.state == State::Enabled))
                })
                .collect();
            Ok(reply::json(200, &known))
        }
        (&Method::GET, ["subscriptions", "content"]) => {
            let content = content_type(call)?;
            let subscription = world.feed.active(tenant, content)?;
            let first_ms = i64::from(world.feed.options().first_content_seconds) * 1000;
            if first_ms > 0 && now_ms < subscription.first_start_ms.saturating_add(first_ms) {
                return Ok(reply::json(200, &json!([])));
            }
            let reaches_back_to = subscription.first_start_ms.saturating_sub(DAY_MS);
            listing::serve(world, call, tenant, content, reaches_back_to)
        }
        (&Method::GET, ["subscriptions", "notifications"]) => {
            content_type(call)?;
            // Nobody registered a webhook.
            Ok(reply::json(200, &json!([])))
        }
        (&Method::GET, ["audit", id]) => blob::serve(world, call, tenant, id),
        (&Method::GET, ["resources", "dlpSensitiveTypes"]) => Ok(reply::json(200, &json!([]))),
        (_, ["subscriptions", "start" | "stop" | "list" | "content" | "notifications"] | ["audit", _]) => {
            Ok(reply::json(
                405,
                &json!({"Message": format!("The requested resource does not support http method '{}'.", call.method)}),
            ))
        }
        _ => Ok(reply::json(
            404,
            &json!({"Message": "No HTTP resource was found that matches the request URI."}),
        )),
    }
}

fn start(world: &World, call: &Call, tenant: &Tenant) -> Result<Reply, FeedError> {
    let content = content_type(call)?;
    if !call.body.is_empty() {
        let body: Value = serde_json::from_slice(&call.body)
            .map_err(|_| FeedError::new("AF20002", "Invalid parameter type: body. Expected type: JSON"))?;
        if !body["webhook"].is_null() {
            return Err(FeedError::new(
                "AF20021",
                "The webhook endpoint ({0}) could not be validated. The sandbox calls nobody.",
            ));
        }
    }
    if world
        .feed
        .subscription(tenant, content)
        .is_some_and(|known| known.state == State::Enabled)
    {
        return Err(FeedError::new(
            "AF20024",
            "The subscription is already enabled. No property change.",
        ));
    }
    world
        .feed
        .set_subscription(tenant, content, State::Enabled, world.clock.now_ms());
    Ok(reply::json(200, &subscription(content, true)))
}

fn subscription(content: ContentType, enabled: bool) -> Value {
    json!({
        "contentType": content.name(),
        "status": if enabled { "enabled" } else { "disabled" },
        "webhook": null,
    })
}

fn content_type(call: &Call) -> Result<ContentType, FeedError> {
    let name = call
        .parameter("contentType")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| FeedError::new("AF20001", "Missing parameter: contentType"))?;
    ContentType::find(&name).ok_or_else(|| FeedError::new("AF20020", "The specified content type is not valid."))
}
