//! `audit_subscriptions`: lists, starts and stops the subscriptions of the activity feed, of many tenants at once.

use crate::audit::feed::subscription::{self, Subscription};
use crate::audit::feed::{self, Feed, Since, CONTENT_TYPES};
use crate::engine::{Engine, Session};
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use crate::Credential;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::Arc;

/// Tenants at a time where nothing else is said, and at most.
const THROTTLE: i64 = 16;
const MOST_AT_A_TIME: i64 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    List,
    Enable,
    Disable,
}

struct Settings {
    action: Action,
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    throttle: usize,
    app_only: bool,
}

/// One tenant of the input, read as far as it could be.
struct Item {
    number: i64,
    tenant: String,
    display_name: String,
}

/// What came of one tenant: a record for each content type that could be had, and why the others could not.
#[derive(Default)]
struct Outcome {
    records: Vec<Value>,
    failures: Vec<(String, Error)>,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&["action", "credential", "environment", "throttle", "appOnly"])?;
    let action = match request.text("action")? {
        "list" => Action::List,
        "enable" => Action::Enable,
        "disable" => Action::Disable,
        other => return Err(Error::invalid(format!("there is no action '{other}'"))),
    };
    let environments = session.engine().environments();
    let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
    // Said before anything is sent: an environment without a feed (China) has no subscriptions.
    environment.endpoint(Service::Manage)?;
    let throttle = request
        .opt_int("throttle")?
        .filter(|number| *number != 0)
        .unwrap_or(THROTTLE);
    if throttle < 0 {
        return Err(Error::invalid("the throttle limit is negative").advise("Give a number from 1 to 64."));
    }
    let settings = Settings {
        action,
        environment,
        credential: Arc::clone(request.credential("credential")?),
        throttle: usize::try_from(throttle.min(MOST_AT_A_TIME)).unwrap_or(1),
        app_only: request.flag("appOnly")?,
    };
    Ok(Operation::spawn(session, |context| run(context, settings)))
}

async fn run(mut context: Context, settings: Settings) -> Result<()> {
    let settings = &settings;
    let engine = Arc::clone(&context.engine);
    let cancel = context.cancel.clone();
    let (mut taken, mut done) = (0, 0);
    let mut open = true;
    let mut under_way = FuturesUnordered::new();
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some((item, outcome)) = under_way.next() => {
                let (item, outcome): (Item, Outcome) = (item, outcome);
                for record in outcome.records {
                    context.sink.record(record).await?;
                }
                for (content_type, error) in outcome.failures {
                    context.sink.failed(item.target(&content_type), error.for_tenant(&item.tenant)).await?;
                }
                done += 1;
                context.sink.progress(progress(settings.action, done, taken, open));
            }
            next = context.input.next(), if open && under_way.len() < settings.throttle => match next {
                None => open = false,
                Some(request) => {
                    taken += 1;
                    let engine = &engine;
                    under_way.push(async move {
                        let item = Item::read(&request);
                        let outcome = settings.tenant(engine, &item, &request).await;
                        (item, outcome)
                    });
                }
            },
        }
    }
    Ok(())
}

impl Settings {
    async fn tenant(&self, engine: &Arc<Engine>, item: &Item, request: &Request) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(error) = self.try_tenant(engine, item, request, &mut outcome).await {
            outcome.failures.push((String::new(), error));
        }
        outcome
    }

    async fn try_tenant(
        &self,
        engine: &Arc<Engine>,
        item: &Item,
        request: &Request,
        outcome: &mut Outcome,
    ) -> Result<()> {
        request.only(&["item", "tenant", "displayName", "contentTypes"])?;
        let tenant = TenantId::parse(request.text("tenant")?)?;
        let wanted = self.content_types(request)?;
        let (feed, tenant) = self.feed(engine, tenant).await?;
        let known = subscription::list(&feed).await?;
        let find = |name: &str| {
            known
                .iter()
                .find(|known| known.content_type.eq_ignore_ascii_case(name))
                .cloned()
        };
        for name in wanted {
            let mut found = find(&name).unwrap_or_default();
            found.content_type.clone_from(&name);
            let wrong = match self.action {
                Action::List => false,
                Action::Enable => !found.is_enabled(),
                Action::Disable => found.is_enabled(),
            };
            // A subscription that is as it should be is left alone: starting it again would take away its webhook.
            let changed = match self.action {
                Action::Enable if wrong => subscription::enable(&feed, &name).await,
                Action::Disable if wrong => subscription::disable(&feed, &name).await,
                _ => Ok(()),
            };
            if let Err(error) = changed {
                outcome.failures.push((name, error));
                continue;
            }
            if wrong {
                found = Subscription {
                    content_type: name,
                    ..state_after(self.action)
                };
            }
            outcome.records.push(item.record(tenant.as_str(), &found, wrong));
        }
        Ok(())
    }

    /// What is asked about: all there are, but that an export without `DLP.All` needs no subscription to it.
    fn content_types(&self, request: &Request) -> Result<Vec<String>> {
        let names = request.texts("contentTypes")?;
        match self.action {
            Action::List | Action::Disable if names.is_empty() => Ok(CONTENT_TYPES.map(str::to_owned).to_vec()),
            _ => feed::content_types(names),
        }
    }

    /// The feed of a tenant, and the tenant's GUID.
    async fn feed(&self, engine: &Arc<Engine>, tenant: TenantId) -> Result<(Feed, TenantId)> {
        let target = Target::resource(self.environment.resource(Service::Manage))?;
        let token = TokenRequest::new(
            Arc::clone(&self.environment),
            Arc::clone(&self.credential),
            tenant,
            target,
        );
        let token = token.app_only(self.app_only);
        let tokens = engine.tokens();
        let guid = tokens.acquire(&token).await?.tenant().clone();
        let publisher = match self.credential.home_tenant() {
            Some(home) => tokens.resolve(&self.environment, home).await?.to_string(),
            None => guid.to_string(),
        };
        let token = token.for_tenant(guid.clone());
        let feed = Feed::new(
            Arc::clone(engine),
            token,
            guid.clone(),
            publisher,
            Since::unkept(),
            |_| {},
        )?;
        Ok((feed, guid))
    }
}

fn state_after(action: Action) -> Subscription {
    Subscription {
        status: if action == Action::Enable {
            "enabled"
        } else {
            "disabled"
        }
        .to_owned(),
        ..Subscription::default()
    }
}

impl Item {
    fn read(request: &Request) -> Self {
        let text = |key| request.opt_text(key).ok().flatten().unwrap_or_default().to_owned();
        Item {
            number: request.opt_int("item").ok().flatten().unwrap_or_default(),
            tenant: text("tenant"),
            display_name: text("displayName"),
        }
    }

    fn target(&self, content_type: &str) -> Value {
        Value::map()
            .with("item", self.number)
            .with("tenant", self.tenant.as_str())
            .with("contentType", content_type)
    }

    fn record(&self, tenant: &str, subscription: &Subscription, changed: bool) -> Value {
        let webhook = subscription.webhook.clone().unwrap_or_default();
        Value::map()
            .with("item", self.number)
            .with("tenantId", tenant)
            .with("displayName", self.display_name.as_str())
            .with("contentType", subscription.content_type.as_str())
            .with("status", status(&subscription.status))
            .with("changed", changed)
            .with("webhookAddress", webhook.address)
            .with("webhookStatus", webhook.status.as_deref().map(status))
            .with("webhookExpiration", webhook.expiration)
    }
}

/// As results have it; what is not known here stays as the service says it.
fn status(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "" => "None".to_owned(),
        "enabled" => "Enabled".to_owned(),
        "disabled" => "Disabled".to_owned(),
        "expired" => "Expired".to_owned(),
        _ => text.to_owned(),
    }
}

fn progress(action: Action, done: i64, taken: i64, open: bool) -> Progress {
    let activity = match action {
        Action::List => "Listing audit subscriptions",
        Action::Enable => "Starting audit subscriptions",
        Action::Disable => "Stopping audit subscriptions",
    };
    Progress {
        id: 0,
        parent: -1,
        activity: activity.to_owned(),
        status: format!("{done} of {taken} tenants{}", if open { " so far" } else { "" }),
        percent: (!open && taken > 0).then(|| 100 * done / taken),
        completed: !open && done == taken,
    }
}
