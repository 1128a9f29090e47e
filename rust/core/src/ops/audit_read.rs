//! `audit_read`: each tenant's audit records as events, each once, while they come.
//!
//! Nothing is kept but what tells records apart. Who reads slowly makes the readers wait: events, batches and what is read
//! side by side are bounded. What is missing is told at the end of a tenant, in a record of its own.

use super::audit::applications;
use super::audit::each::{each, Ended, Task};
use super::audit::from::From;
use super::audit::item::Item;
use super::audit::once::Once;
use super::audit::record::Records;
use super::audit::source::{Opened, SignedIn};
use super::audit::wanted::{self, Caller, Wanted};
use super::audit::{gap, reason};
use crate::audit::collect::{collect, Collected};
use crate::audit::feed::Since;
use crate::audit::meter::Meter;
use crate::audit::{outlet, Source, Window};
use crate::directory::Names;
use crate::engine::{Engine, Session};
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::export::{Gap, Limits};
use crate::operation::{or_cancelled, Context, Operation, Sink};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const ACTIVITY: &str = "Reading audit logs";

struct Reading {
    engine: Arc<Engine>,
    sink: Sink,
    cancel: CancellationToken,
    caller: Caller,
    wanted: Wanted,
    /// Whether records get the names of the applications in them.
    named: bool,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let known: Vec<&str> = wanted::FIELDS.into_iter().chain(["resolveApplication"]).collect();
    request.only(&known)?;
    let caller = Caller::read(session, request)?;
    let wanted = Wanted::read(session, request, &caller)?;
    let named = request.flag("resolveApplication")?;
    if named && matches!(wanted.from, From::Report(_)) {
        return Err(
            Error::invalid("these records have the names of their applications already")
                .advise("Leave -ResolveApplication out with -ContentType SignIns, DirectoryAudits and Provisioning."),
        );
    }
    Ok(Operation::spawn(session, move |context| {
        run(context, caller, wanted, named)
    }))
}

async fn run(context: Context, caller: Caller, wanted: Wanted, named: bool) -> Result<()> {
    let throttle = caller.throttle;
    let reading = Arc::new(Reading {
        engine: Arc::clone(&context.engine),
        sink: context.sink.clone(),
        cancel: context.cancel.clone(),
        caller,
        wanted,
        named,
    });
    each(context, ACTIVITY, throttle, |task| {
        let reading = Arc::clone(&reading);
        async move { reading.tenant(task).await }
    })
    .await
}

impl Reading {
    async fn tenant(&self, task: Task) -> Read {
        let window = self.wanted.window_now(&self.engine);
        let mut read = Read {
            tenant: task.item.tenant.clone(),
            item: task.item,
            records: 0,
            flawed: 0,
            gaps: Vec::new(),
            incomplete: None,
            warnings: Vec::new(),
            fresh: false,
            error: None,
        };
        let work = self.read(&task.request, window, &task.meter, &mut read);
        if let Err(error) = or_cancelled(&self.cancel, work).await {
            read.incomplete = Some(reason(&error));
            read.error = Some(error.for_tenant(read.tenant.clone()));
        }
        read
    }

    async fn read(&self, request: &Request, window: Window, meter: &Arc<Meter>, read: &mut Read) -> Result<()> {
        let tenant = Item::tenant_of(request)?;
        let signing_in = SignedIn::new(&self.engine, &self.caller, self.wanted.from, tenant);
        let signed_in = meter.watch(self.engine.first_wait(), signing_in).await?;
        signed_in.tenant().as_str().clone_into(&mut read.tenant);
        match signed_in.open(&self.wanted, window, Since::unkept(), meter)? {
            Opened::Feed(source) => self.hand_on(source, window, meter, read).await,
            Opened::Search(source) => self.hand_on(source, window, meter, read).await,
            Opened::Queries(source) => self.hand_on(source, window, meter, read).await,
            Opened::Reports(source) => self.hand_on(source, window, meter, read).await,
        }
    }

    async fn hand_on<S: Source>(&self, source: S, window: Window, meter: &Arc<Meter>, read: &mut Read) -> Result<()> {
        let (out, batches) = outlet();
        let collecting = async {
            let ask = self.wanted.ask(&self.engine, window, Limits::default().largest_record);
            let source = Arc::new(source);
            // `out` ends with this block, and the reading with `out`.
            let out = out;
            collect(&source, &ask, self.engine.clock(), &out, meter).await
        };
        let records = Records::new(read.item.number, &read.tenant, self.wanted.from);
        let mut names = self.names(&read.tenant)?;
        let sending = async {
            // So do the readers when this one ends early.
            let mut batches = batches;
            let mut once = Once::new();
            loop {
                let due = batches.receive().await;
                if due.is_empty() {
                    return Ok::<_, Error>(names.and_then(|mut names| names.trouble()));
                }
                let records = records.clone();
                let new;
                (once, new) = once
                    .new_of(due, move |batch, at| {
                        (batch.records[at].flaw.is_some(), records.of(batch, at))
                    })
                    .await?;
                let (flawed, mut records): (Vec<bool>, Vec<Value>) = new.into_iter().unzip();
                if let Some(names) = &mut names {
                    applications::name(&mut records, names).await;
                }
                for (is_flawed, record) in flawed.into_iter().zip(records) {
                    read.records += 1;
                    read.flawed += u64::from(is_flawed);
                    self.sink.record(record).await?;
                }
                meter.set_records(read.records);
            }
        };
        let (collected, sent) = tokio::join!(collecting, sending);
        let trouble = sent?;
        read.end(collected?);
        read.warnings.extend(trouble.map(|error| {
            let tenant = &read.tenant;
            format!(
                "Not all names of applications in {tenant} could be looked up: {}",
                reason(&error)
            )
        }));
        Ok(())
    }

    fn names(&self, tenant: &str) -> Result<Option<Names>> {
        if !self.named {
            return Ok(None);
        }
        let environment = &self.caller.environment;
        let token = TokenRequest::new(
            Arc::clone(environment),
            Arc::clone(&self.caller.credential),
            TenantId::parse(tenant)?,
            Target::resource(environment.resource(Service::Graph))?,
        );
        Ok(Some(Names::new(&self.engine, token.app_only(self.caller.app_only))))
    }
}

/// What is said of one tenant after its records.
struct Read {
    item: Item,
    tenant: String,
    records: u64,
    flawed: u64,
    gaps: Vec<Gap>,
    incomplete: Option<String>,
    warnings: Vec<String>,
    fresh: bool,
    error: Option<Error>,
}

impl Read {
    fn end(&mut self, collected: Collected) {
        self.fresh = !collected.fresh.is_empty();
        self.gaps = collected.gaps;
        self.warnings = collected.warnings;
        self.incomplete = collected.incomplete;
        if self.flawed > 0 {
            let text = format!("{} records are no valid JSON text and came as they are", self.flawed);
            self.incomplete = Some(match self.incomplete.take() {
                Some(reason) => format!("{reason}; {text}"),
                None => text,
            });
        }
    }
}

impl Ended for Read {
    fn records(&self) -> u64 {
        self.records
    }

    fn is_fresh(&self) -> bool {
        self.fresh
    }

    async fn send(self, sink: &Sink) -> Result<()> {
        for warning in &self.warnings {
            sink.warning(warning.as_str()).await?;
        }
        if let Some(error) = self.error {
            return sink.failed(self.item.target(), error).await;
        }
        let gaps: Vec<Value> = self.gaps.iter().map(gap).collect();
        let summary = Value::map()
            .with("item", self.item.number)
            .with("tenantId", self.tenant)
            .with("displayName", self.item.display_name)
            .with("count", i64::try_from(self.records).unwrap_or(i64::MAX))
            .with("complete", self.incomplete.is_none())
            .with("reason", self.incomplete)
            .with("gaps", Value::List(gaps));
        sink.record(summary).await
    }
}
