//! Exports that go on with what the folders of earlier ones lack: the same source, format, content types and filter, over the
//! time from the first moment that is missing to the last.

use super::report::Report;
use super::settings::{folder, Output, Settings};
use super::tenant::{Job, Shared};
use super::ACTIVITY;
use crate::engine::Session;
use crate::error::{Error, Kind, Result};
use crate::export::coverage::Missing;
use crate::export::folder::is_directory;
use crate::export::unfinished::{self, Unfinished};
use crate::export::Format;
use crate::operation::{Context, Operation, Sink};
use crate::ops::audit::disk;
use crate::ops::audit::each::{each, Ended, Task};
use crate::ops::audit::filter::Filter;
use crate::ops::audit::item::Item;
use crate::ops::audit::wanted::{settle_seconds, Caller, Wanted};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::value::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// `audit_resumable`: what there is to go on with below a folder, of all tenants there or of those named, each as a record.
pub(in crate::ops) fn list(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&["path", "environment", "tenants"])?;
    let base = folder(request)?;
    let environments = session.engine().environments();
    let environment = environments.find(request.opt_text("environment")?.unwrap_or_default())?;
    let named = request.texts("tenants")?.iter().map(|name| TenantId::parse(name));
    let named: Vec<TenantId> = named.collect::<Result<_>>()?;
    Ok(Operation::spawn(session, move |context| async move {
        let mut tenants = Vec::new();
        for tenant in &named {
            let guid = context.or_cancelled(context.engine.tokens().resolve(&environment, tenant));
            tenants.push(guid.await?.to_string());
        }
        if named.is_empty() {
            let place = base.clone();
            tenants = disk::job(move || unfinished::tenants(&place)).await??;
        }
        if tenants.is_empty() {
            return Err(
                Error::new(Kind::NotFound, format!("no export has written to {}", base.display()))
                    .advise("Give the folder that holds the tenants' folders, or export into it first."),
            );
        }
        for tenant in tenants {
            let target = Value::map().with("tenant", tenant.as_str());
            if let Err(error) = tell(&context, base.clone(), &tenant).await {
                if error.is_cancelled() {
                    return Err(error);
                }
                context.sink.failed(target, error.for_tenant(tenant)).await?;
            }
        }
        Ok(())
    }))
}

async fn tell(context: &Context, base: PathBuf, tenant: &str) -> Result<()> {
    let root = unfinished::root(&base, tenant);
    let place = root.clone();
    if !disk::job(move || is_directory(&place)).await?? {
        // A customer that came since is no reason to stop a job over all.
        let text = format!(
            "No export of {tenant} has written to {}: there is nothing to go on with",
            base.display()
        );
        return context.sink.warning(text).await;
    }
    let Some(found) = context
        .or_cancelled(disk::job(move || unfinished::look(&root)))
        .await??
    else {
        return Ok(());
    };
    if found.missing.is_empty() {
        let text = match (found.harm, found.left.reason) {
            (Some(harm), _) => harm,
            (None, Some(reason)) => {
                format!("The folder of {tenant} is not complete, and exporting again does not help: {reason}")
            }
            // Without its manifest nobody knows here what was asked for; the journal still knows what was written.
            (None, None) => format!(
                "The folder of {tenant} has no manifest that can be read: run the export again as it was, without -Resume; it writes the manifest \
                 anew from the journal"
            ),
        };
        return context.sink.warning(text).await;
    }
    for missing in found.missing {
        let record = Value::map()
            .with("tenantId", tenant)
            .with("displayName", found.left.display_name.as_str())
            .with("source", missing.source)
            .with("contentTypes", missing.content_types)
            .with("startTime", Value::Time(missing.window.start))
            .with("endTime", Value::Time(missing.window.end));
        context.sink.record(record).await?;
    }
    Ok(())
}

/// What a resuming export is told; the rest is in the folders.
struct Resume {
    caller: Caller,
    output: Output,
    settle_seconds: Option<u64>,
}

/// An `audit_export` with `resume`: its items name the tenants.
pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[
        "credential",
        "environment",
        "resume",
        "path",
        "throttle",
        "settleSeconds",
        "appOnly",
        "passThru",
        "maxMemory",
    ])?;
    let caller = Caller::read(session, request)?;
    let resume = Arc::new(Resume {
        output: Output::read(request, &caller)?,
        settle_seconds: settle_seconds(request)?,
        caller,
    });
    Ok(Operation::spawn(session, |context| run(context, resume)))
}

async fn run(context: Context, resume: Arc<Resume>) -> Result<()> {
    let shared = Shared::of(&context);
    let throttle = resume.caller.throttle;
    each(context, ACTIVITY, throttle, |task| {
        tenant(shared.clone(), Arc::clone(&resume), task)
    })
    .await
}

/// One tenant: source after source, because they share the folder.
async fn tenant(shared: Shared, resume: Arc<Resume>, task: Task) -> Told {
    let mut told = Told::default();
    match steps(&resume, &task.request).await {
        Ok(steps) => {
            for settings in steps {
                let job = Job::new(&shared, Arc::new(settings), Arc::clone(&task.meter));
                told.reports.push(job.run(task.item.clone(), &task.request).await);
            }
        }
        Err(error) => told.failed = Some((task.item.target(), error.for_tenant(task.item.tenant))),
    }
    told
}

async fn steps(resume: &Resume, request: &Request) -> Result<Vec<Settings>> {
    let tenant = Item::tenant_of(request)?;
    let root = unfinished::root(&resume.output.path, tenant.as_str());
    let Some(mut found) = disk::job(move || unfinished::look(&root)).await?? else {
        return Ok(Vec::new());
    };
    let missing = std::mem::take(&mut found.missing);
    missing
        .into_iter()
        .map(|missing| step(resume, &found, missing))
        .collect()
}

fn step(resume: &Resume, found: &Unfinished, missing: Missing) -> Result<Settings> {
    let (from, filter) = Filter::of_source(&missing.source, &missing.content_types).ok_or_else(|| {
        Error::invalid(format!(
            "its folder has records of a source that is not known: {}",
            missing.source
        ))
        .advise("Update this module, or export without -Resume.")
    })?;
    resume.caller.environment.endpoint(from.service())?;
    let settle = resume.settle_seconds.or(found.left.settle_seconds);
    Ok(Settings {
        caller: resume.caller.clone(),
        wanted: Wanted {
            from,
            filter,
            window: missing.window,
            content_types: missing.content_types,
            settle_seconds: settle.unwrap_or(from.settle_seconds().unsigned_abs()),
        },
        output: resume.output.clone(),
        format: format(found)?,
        compression: found.header.compression,
        force: false,
    })
}

/// The format of the parts that are there.
fn format(found: &Unfinished) -> Result<Format> {
    let csv = Format::Csv {
        byte_order_mark: found.left.byte_order_mark,
        flatten: found.header.flatten,
    };
    [Format::Ndjson, csv]
        .into_iter()
        .find(|format| format.name() == found.header.format)
        .ok_or_else(|| {
            let text = format!(
                "its folder is written in a format that is not known, {}",
                found.header.format
            );
            Error::invalid(text).advise("Update this module, or export without -Resume.")
        })
}

/// What is said of one tenant: a report for each source, or why there is none.
#[derive(Default)]
struct Told {
    reports: Vec<Report>,
    failed: Option<(Value, Error)>,
}

impl Ended for Told {
    fn records(&self) -> u64 {
        self.reports.iter().map(Report::records).sum()
    }

    fn is_fresh(&self) -> bool {
        self.reports.iter().any(Report::is_fresh)
    }

    async fn send(self, sink: &Sink) -> Result<()> {
        for report in self.reports {
            report.send(sink).await?;
        }
        match self.failed {
            Some((target, error)) => sink.failed(target, error).await,
            None => Ok(()),
        }
    }
}
