//! `object_ids`: what ids of applications and directory objects stand for, each id of a tenant once.
//!
//! Microsoft's own applications are known without asking anybody. The other ids wait a moment for more of their tenant, so that
//! many are looked up with one request.

use crate::directory::{ids, ids_of_field, unknown, Directory, Entity};
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
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Batches of ids that are looked up at a time where nothing else is said, and at most.
const THROTTLE: i64 = 8;
const MOST_AT_A_TIME: i64 = 64;
/// Ids that are looked up together; one request takes as many.
const BATCH: usize = 1000;
/// How long an id waits for others.
const GATHERING: Duration = Duration::from_millis(100);

struct Settings {
    environment: Arc<Environment>,
    /// Without one, only the table can answer.
    credential: Option<Arc<Credential>>,
    throttle: usize,
    app_only: bool,
}

/// Ids of one tenant that are looked up together.
struct Batch {
    tenant: TenantId,
    ids: Vec<String>,
}

/// What came of a batch.
struct Answer {
    rows: Vec<Value>,
    warning: Option<String>,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&["credential", "environment", "throttle", "appOnly"])?;
    let environments = session.engine().environments();
    let throttle = request.opt_int("throttle")?.unwrap_or(THROTTLE);
    let settings = Settings {
        environment: environments.find(request.opt_text("environment")?.unwrap_or_default())?,
        credential: request.opt_credential("credential")?.cloned(),
        throttle: usize::try_from(throttle.clamp(1, MOST_AT_A_TIME)).unwrap_or(1),
        app_only: request.flag("appOnly")?,
    };
    Ok(Operation::spawn(session, |context| run(context, settings)))
}

async fn run(mut context: Context, settings: Settings) -> Result<()> {
    let settings = &settings;
    let engine = Arc::clone(&context.engine);
    let cancel = context.cancel.clone();
    let mut seen = HashSet::new();
    let mut gathered: Vec<Batch> = Vec::new();
    let mut ready: VecDeque<Batch> = VecDeque::new();
    let mut under_way = FuturesUnordered::new();
    let mut open = true;
    let mut answered = 0;
    let mut due = Instant::now();
    loop {
        while under_way.len() < settings.throttle {
            let Some(batch) = ready.pop_front() else { break };
            under_way.push(settings.look_up(&engine, batch));
        }
        if !open && gathered.is_empty() && under_way.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled()),
            Some(answer) = under_way.next() => {
                let answer: Answer = answer;
                answered += answer.rows.len();
                if let Some(warning) = answer.warning {
                    context.sink.warning(warning).await?;
                }
                for row in answer.rows {
                    context.sink.record(row).await?;
                }
                context.sink.progress(progress(answered, seen.len(), !open && ready.is_empty() && under_way.is_empty()));
            }
            next = context.input.next(), if open && ready.len() < settings.throttle => match next {
                None => {
                    open = false;
                    ready.extend(gathered.drain(..));
                }
                Some(item) => {
                    if gathered.is_empty() {
                        due = Instant::now() + GATHERING;
                    }
                    match settings.take(&item, &mut seen, &mut gathered) {
                    Ok(rows) => {
                        for row in rows {
                            context.sink.record(row).await?;
                        }
                        if let Some(full) = gathered.iter().position(|batch| batch.ids.len() >= BATCH) {
                            ready.push_back(gathered.swap_remove(full));
                        }
                    }
                        Err(error) => context.sink.failed(target(&item), error).await?,
                    }
                }
            },
            () = tokio::time::sleep_until(due), if !gathered.is_empty() => ready.extend(gathered.drain(..)),
        }
    }
    Ok(())
}

impl Settings {
    /// Takes an item's ids up: what is known is answered at once, the rest goes to its tenant's batch.
    fn take(
        &self,
        item: &Request,
        seen: &mut HashSet<(String, String)>,
        gathered: &mut Vec<Batch>,
    ) -> Result<Vec<Value>> {
        item.only(&["item", "text", "tenant", "field"])?;
        let text = item.text("text")?.trim();
        let tenant = match item.opt_text("tenant")? {
            Some(tenant) => Some(TenantId::parse(tenant)?),
            None => self.credential.as_ref().and_then(|credential| credential.own_tenant()),
        };
        let known_as = tenant.as_ref().map_or("", TenantId::as_str);
        // A field of a record holds many things that are no ids; whoever names a text wants to hear of it.
        let is_field = item.flag("field")?;
        let ids = if is_field { ids_of_field(text) } else { ids(text) };
        let mut rows = Vec::new();
        if ids.is_empty() && !is_field && seen.insert((String::new(), text.to_owned())) {
            rows.push(unknown(text, None, "this text holds no id, which would be a GUID"));
        }
        for id in ids {
            let first_party = Entity::first_party(&id);
            let place = if first_party.is_some() { "" } else { known_as };
            if !seen.insert((place.to_owned(), id.clone())) {
                continue;
            }
            match (first_party, &tenant) {
                (Some(entity), _) => rows.push(entity.row(&id, None)),
                (None, Some(tenant)) if self.credential.is_some() => put(gathered, tenant, id),
                (None, Some(tenant)) => rows.push(unknown(&id, Some(tenant.as_str()), NOBODY_ASKS)),
                (None, None) => rows.push(unknown(&id, None, NO_TENANT)),
            }
        }
        Ok(rows)
    }

    async fn look_up(&self, engine: &Arc<Engine>, batch: Batch) -> Answer {
        let tenant = batch.tenant.as_str();
        let directory = match self.directory(engine, &batch.tenant).await {
            Ok(directory) => directory,
            Err(error) => {
                let reason = error.told();
                return Answer {
                    rows: batch.ids.iter().map(|id| unknown(id, Some(tenant), &reason)).collect(),
                    warning: Some(format!("The directory of {tenant} could not be asked: {reason}")),
                };
            }
        };
        let found = directory.find(&batch.ids).await;
        let row = |id: &String| match found.entities.get(id) {
            Some(entity) => entity.row(id, Some(directory.tenant())),
            None => unknown(id, Some(directory.tenant()), &found.missing),
        };
        let some_are_missing = batch.ids.iter().any(|id| !found.entities.contains_key(id));
        Answer {
            rows: batch.ids.iter().map(row).collect(),
            warning: found
                .trouble
                .filter(|_| some_are_missing)
                .map(|_| format!("Not all of the directory of {tenant} could be asked: {}", found.missing)),
        }
    }

    async fn directory(&self, engine: &Arc<Engine>, tenant: &TenantId) -> Result<Directory> {
        let Some(credential) = &self.credential else {
            return Err(Error::invalid(NOBODY_ASKS));
        };
        let target = Target::resource(self.environment.resource(Service::Graph))?;
        let token = TokenRequest::new(
            Arc::clone(&self.environment),
            Arc::clone(credential),
            tenant.clone(),
            target,
        );
        Directory::open(engine, token.app_only(self.app_only)).await
    }
}

const NOBODY_ASKS: &str =
    "it is none of Microsoft's applications that are known here, and there is no credential to ask the tenant with";
const NO_TENANT: &str = "it is none of Microsoft's applications that are known here, and no tenant was named";

fn put(gathered: &mut Vec<Batch>, tenant: &TenantId, id: String) {
    match gathered.iter_mut().find(|batch| batch.tenant == *tenant) {
        Some(batch) => batch.ids.push(id),
        None => gathered.push(Batch {
            tenant: tenant.clone(),
            ids: vec![id],
        }),
    }
}

fn target(item: &Request) -> Value {
    let text = |key| item.opt_text(key).ok().flatten().unwrap_or_default().to_owned();
    Value::map()
        .with("item", item.opt_int("item").ok().flatten().unwrap_or_default())
        .with("tenant", text("tenant"))
}

fn progress(answered: usize, asked: usize, completed: bool) -> Progress {
    Progress {
        id: 0,
        parent: -1,
        activity: "Resolving ids".to_owned(),
        status: format!("{answered} of {asked} ids so far"),
        percent: None,
        completed,
    }
}
