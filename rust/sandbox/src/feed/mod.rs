//! The Office 365 Management Activity API.
//!
//! Sources: "Office 365 Management Activity API reference", its schema page and its troubleshooting page. Beyond them, as
//! its users have reported: AF20024 for a second start, the single quotes of AF429, the path of `NextPageUri`.

mod blob;
mod error;
mod listing;
mod plan;
mod record;
mod sample;
mod templates;
pub(crate) mod truth;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, RwLock};

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

/// The feed of all tenants.
pub(crate) struct Feed {
    options: RwLock<AuditOptions>,
    started_ms: i64,
    /// What the feed settled on when it was first asked for.
    settled: OnceLock<(AuditOptions, Span)>,
    subscriptions: Mutex<HashMap<(String, ContentType), bool>>,
    /// How often each growing blob was fetched.
    fetches: Mutex<HashMap<(String, String), u32>>,
}

impl Feed {
    pub(crate) fn new(options: AuditOptions) -> Self {
        Feed {
            options: RwLock::new(options),
            started_ms: machine_ms(),
            settled: OnceLock::new(),
            subscriptions: Mutex::default(),
            fetches: Mutex::default(),
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
            without_id: options.without_id,
            conflicts: options.conflicts,
        }
    }

    fn is_subscribed(&self, tenant: &Tenant, content: ContentType) -> bool {
        let usual = self.options().subscribed;
        lock(&self.subscriptions)
            .get(&(tenant.id.clone(), content))
            .copied()
            .unwrap_or(usual)
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
    match (&call.method, rest) {
        (&Method::POST, ["subscriptions", "start"]) => start(world, call, tenant),
        (&Method::POST, ["subscriptions", "stop"]) => {
            let content = content_type(call)?;
            if !world.feed.is_subscribed(tenant, content) {
                return Err(no_subscription());
            }
            lock(&world.feed.subscriptions).insert((tenant.id.clone(), content), false);
            Ok(reply::reply(200, "application/json; charset=utf-8", ""))
        }
        (&Method::GET, ["subscriptions", "list"]) => {
            let known: Vec<Value> = {
                let subscriptions = lock(&world.feed.subscriptions);
                let usual = world.feed.options().subscribed;
                ContentType::ALL
                    .into_iter()
                    .filter_map(|content| {
                        let own = subscriptions.get(&(tenant.id.clone(), content)).copied();
                        own.or(usual.then_some(true))
                            .map(|enabled| subscription(content, enabled))
                    })
                    .collect()
            };
            Ok(reply::json(200, &known))
        }
        (&Method::GET, ["subscriptions", "content"]) => {
            let content = content_type(call)?;
            if !world.feed.is_subscribed(tenant, content) {
                return Err(no_subscription());
            }
            listing::serve(world, call, tenant, content)
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
    if world.feed.is_subscribed(tenant, content) {
        return Err(FeedError::new(
            "AF20024",
            "The subscription is already enabled. No property change.",
        ));
    }
    lock(&world.feed.subscriptions).insert((tenant.id.clone(), content), true);
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

fn no_subscription() -> FeedError {
    FeedError::new("AF20022", "No subscription found for the specified content type.")
}
