//! `tokens`: a token for each item, many at a time, each as soon as it is there.

use crate::delegated::initial_domain::initial_domain;
use crate::engine::Session;
use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::event::{Event, Progress};
use crate::http::{Raised, MOST_PER_HOST};
use crate::operation::{log, Context, Operation};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Refusals, Target, Token, TokenRequest, Tokens, UserAssertion};
use crate::value::Value;
use crate::Credential;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Items at a time where nothing else is said.
const THROTTLE: usize = 64;
/// Time between two lines of progress: nobody reads faster, and tokens from the cache come by the thousand.
const PROGRESS_STEP: Duration = Duration::from_millis(100);

struct Settings {
    environment: Arc<Environment>,
    credential: Arc<Credential>,
    throttle: usize,
    /// Whoever names a number gets it from the host as well.
    _raised: Option<Raised>,
    app_only: bool,
    force_refresh: bool,
    include_refresh_token: bool,
    user_assertion: Option<UserAssertion>,
}

/// One item, read as far as it could be.
struct Item {
    number: i64,
    tenant: String,
    resource: Option<String>,
    scopes: Vec<String>,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[
        "credential",
        "environment",
        "throttle",
        "appOnly",
        "forceRefresh",
        "includeRefreshToken",
        "userAssertion",
    ])?;
    let asked = request.opt_int("throttle")?.filter(|throttle| *throttle != 0);
    if asked.is_some_and(i64::is_negative) {
        return Err(Error::invalid("the throttle limit is negative")
            .advise(format!("Give a number from 1 to {MOST_PER_HOST}.")));
    }
    let asked = asked.map(|asked| usize::try_from(asked).unwrap_or(MOST_PER_HOST).min(MOST_PER_HOST));
    let environments = session.engine().environments();
    let settings = Settings {
        environment: environments.find(request.opt_text("environment")?.unwrap_or_default())?,
        credential: Arc::clone(request.credential("credential")?),
        throttle: asked.unwrap_or(THROTTLE),
        _raised: asked.map(|asked| environments.limits().raise(asked)),
        app_only: request.flag("appOnly")?,
        force_refresh: request.flag("forceRefresh")?,
        include_refresh_token: request.flag("includeRefreshToken")?,
        user_assertion: request
            .opt_secret("userAssertion")?
            .map(UserAssertion::new)
            .transpose()?,
    };
    let settings = Arc::new(settings);
    let count = Arc::new(Count::default());
    let tokens = session.engine().tokens().clone();
    let (own_settings, own_count) = (Arc::clone(&settings), Arc::clone(&count));
    let operation = Operation::spawn(session, |context| run(context, own_settings, own_count));
    if log::current().is_some() {
        // The work answers, and tells from where.
        return Ok(operation);
    }
    Ok(operation.answering(move |item| {
        if wants_domain(item) {
            return None;
        }
        let token = tokens.cached(&question(item, &settings).ok()?)?;
        count.taken.fetch_add(1, Relaxed);
        count.done.fetch_add(1, Relaxed);
        Some(Event::Record(record(number(item), &token, &settings, None)))
    }))
}

async fn run(mut context: Context, settings: Arc<Settings>, count: Arc<Count>) -> Result<()> {
    let settings = &*settings;
    let engine = Arc::clone(&context.engine);
    let cancel = context.cancel.clone();
    let mut shown = None;
    let mut open = true;
    let mut refusals = Refusals::default();
    let mut under_way = FuturesUnordered::new();
    while open || !under_way.is_empty() {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some((item, result, domain)) = under_way.next() => {
                let item: Item = item;
                let result: Result<Arc<Token>> = result;
                count.done.fetch_add(1, Relaxed);
                refusals.note(&result);
                match result {
                    Ok(token) => context.sink.record(record(item.number, &token, settings, domain)).await?,
                    Err(error) => context.sink.failed(item.target(), error).await?,
                }
                count.show(&context, open, &mut shown);
            }
            next = context.input.next(), if open && under_way.len() < settings.throttle => match next {
                None => open = false,
                Some(request) => {
                    count.taken.fetch_add(1, Relaxed);
                    let tokens = engine.tokens().clone();
                    let question = question(&request, settings).and_then(|question| match refusals.answer(&question) {
                        Some(error) if tokens.cached(&question).is_none() => Err(error),
                        _ => Ok(question),
                    });
                    under_way.push(async move {
                        let (result, domain) = match question {
                            Ok(question) => answer(&tokens, &question, wants_domain(&request)).await,
                            Err(error) => (Err(error), None),
                        };
                        (Item::read(&request), result, domain)
                    });
                }
            },
        }
    }
    if shown.is_some() {
        context.sink.progress(count.line(Some(100), true));
    }
    Ok(())
}

/// The token, and the initial domain of its tenant where that is wanted: without it, there is no token either.
async fn answer(tokens: &Tokens, question: &TokenRequest, with_domain: bool) -> (Result<Arc<Token>>, Option<String>) {
    let result = tokens.acquire(question).await;
    if !with_domain || result.is_err() {
        return (result, None);
    }
    match initial_domain(tokens, question).await {
        Ok(domain) => (result, Some(domain)),
        Err(error) => (Err(error), None),
    }
}

fn wants_domain(item: &Request) -> bool {
    item.flag("initialDomain").unwrap_or(false)
}

fn number(item: &Request) -> i64 {
    item.opt_int("item").ok().flatten().unwrap_or_default()
}

fn question(item: &Request, settings: &Settings) -> Result<TokenRequest> {
    item.only(&["item", "tenant", "resource", "scopes", "initialDomain"])?;
    let tenant = match item.opt_text("tenant")? {
        // It has a tenant of its own.
        None if settings.credential.managed_identity().is_some() => TenantId::parse("organizations")?,
        _ => TenantId::parse(item.text("tenant")?)?,
    };
    let target = match (item.opt_text("resource")?, item.texts("scopes")?) {
        (Some(resource), []) => Target::resource(resource),
        (None, scopes) => Target::scopes(scopes, settings.environment.resource(Service::Graph)),
        (Some(_), _) => Err(Error::invalid("a token is for a resource or for scopes, not for both")
            .advise("Use -Resource (v1) or -Scope (v2).")),
    }
    .map_err(|error| error.for_tenant(tenant.as_str()))?;
    Ok(TokenRequest::new(
        Arc::clone(&settings.environment),
        Arc::clone(&settings.credential),
        tenant,
        target,
    )
    .on_behalf_of(settings.user_assertion.clone())
    .app_only(settings.app_only)
    .force_refresh(settings.force_refresh))
}

impl Item {
    fn read(request: &Request) -> Self {
        Item {
            number: number(request),
            tenant: request.opt_text("tenant").ok().flatten().unwrap_or_default().to_owned(),
            resource: request.opt_text("resource").ok().flatten().map(str::to_owned),
            scopes: request.texts("scopes").unwrap_or_default().to_vec(),
        }
    }

    /// The map that names the item in a failure.
    fn target(&self) -> Value {
        let target = Value::map()
            .with("item", self.number)
            .with("tenant", self.tenant.as_str());
        match &self.resource {
            Some(resource) => target.with("resource", resource.as_str()),
            None => target.with("scopes", self.scopes.clone()),
        }
    }
}

fn record(number: i64, token: &Token, settings: &Settings, domain: Option<String>) -> Value {
    let record = Value::map()
        .with("item", number)
        .with("accessToken", token.access_token().clone())
        .with("expiresOn", Value::Time(token.expires_on()))
        .with("tenantId", token.known_tenant().map(TenantId::as_str))
        .with("resource", token.target().as_resource())
        .with("scopes", token.target().as_scopes().map(<[String]>::to_vec))
        .with("applicationId", token.application_id())
        .with("tokenType", token.token_type())
        .with("account", token.account());
    let record = match domain {
        Some(domain) => record.with("initialDomain", domain),
        None => record,
    };
    if settings.include_refresh_token {
        return record.with("refreshToken", token.refresh_token());
    }
    record
}

/// Progress over all items; none for a single one. What is answered at once is counted, but shows no line of its own.
#[derive(Default)]
struct Count {
    taken: AtomicUsize,
    done: AtomicUsize,
}

impl Count {
    fn show(&self, context: &Context, open: bool, shown: &mut Option<Instant>) {
        let taken = self.taken.load(Relaxed);
        if taken < 2 || shown.is_some_and(|shown| shown.elapsed() < PROGRESS_STEP) {
            return;
        }
        *shown = Some(Instant::now());
        // How many will come is only known once the input is finished.
        let percent = (!open).then(|| i64::try_from(100 * self.done.load(Relaxed) / taken).unwrap_or(100));
        context.sink.progress(self.line(percent, false));
    }

    fn line(&self, percent: Option<i64>, completed: bool) -> Progress {
        Progress {
            id: 0,
            parent: -1,
            activity: "Getting tokens".to_owned(),
            status: format!("{} of {}", self.done.load(Relaxed), self.taken.load(Relaxed)),
            percent,
            completed,
        }
    }
}
