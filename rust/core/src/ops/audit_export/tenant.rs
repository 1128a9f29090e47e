//! One tenant of an export: a token, a source, a writer, and an end that is always written down.

use super::report::Report;
use super::settings::Settings;
use crate::audit::collect::{collect, Collected};
use crate::audit::feed::Since;
use crate::audit::meter::Meter;
use crate::audit::{outlet, Held, Inlet, Source, Window};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::export::folder::IN_USE;
use crate::export::manifest::REJECTED;
use crate::export::{Asked, Outcome, Summary, Writer};
use crate::operation::{or_cancelled, Context, Sink};
use crate::ops::audit::from::From;
use crate::ops::audit::item::Item;
use crate::ops::audit::record::Records;
use crate::ops::audit::source::{Opened, SignedIn};
use crate::ops::audit::{disk, reason};
use crate::request::Request;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long an export waits for another one to leave the tenant's folder.
const LONGEST_WAIT_FOR_FOLDER: Duration = Duration::from_secs(2);

pub(super) struct Job {
    engine: Arc<Engine>,
    settings: Arc<Settings>,
    /// What the service still has of the time range, now that it is this tenant's turn.
    window: Window,
    sink: Sink,
    cancel: CancellationToken,
    meter: Arc<Meter>,
}

impl Job {
    pub(super) fn new(context: &Shared, settings: Arc<Settings>, meter: Arc<Meter>) -> Self {
        Job {
            engine: Arc::clone(&context.engine),
            window: settings.wanted.window_now(&context.engine),
            settings,
            sink: context.sink.clone(),
            cancel: context.cancel.clone(),
            meter,
        }
    }

    /// Exports one tenant. Whatever happens is in the report.
    pub(super) async fn run(self, item: Item, request: &Request) -> Report {
        let started = Instant::now();
        let mut report = Report::new(item, &self.settings, self.window);
        if let Err(error) = self.export(request, &mut report).await {
            report.fail(error.for_tenant(report.tenant().to_owned()));
        }
        report.end(started.elapsed());
        report
    }

    async fn export(&self, request: &Request, report: &mut Report) -> Result<()> {
        let tenant = Item::tenant_of(request)?;
        let Settings { caller, wanted, .. } = &*self.settings;
        // A folder is named after the GUID: where that is known, every failure from here on is written into it.
        let signing_in = SignedIn::new(&self.engine, caller, wanted.from, tenant.clone());
        let signing_in = self.meter.watch(self.engine.first_wait(), signing_in);
        let signed_in = or_cancelled(&self.cancel, signing_in).await;
        let known = match &signed_in {
            Ok(signed_in) => signed_in.tenant().clone(),
            Err(_) if tenant.guid().is_some() => tenant,
            Err(_) => return signed_in.map(drop),
        };
        report.set_tenant(known.as_str());
        // What is there is not given up for an export that cannot begin.
        if let (true, Err(error)) = (self.settings.force, &signed_in) {
            return Err(error.clone());
        }
        let writer = self.open_writer(known.as_str(), report.item()).await?;
        report.set_path(writer.path());
        let opened = match signed_in {
            Ok(signed_in) => self.open_source(signed_in, writer.path()).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(Opened::Feed(source)) => self.collect_into(writer, source, report).await,
            Ok(Opened::Search(source)) => self.collect_into(writer, source, report).await,
            Ok(Opened::Queries(source)) => self.collect_into(writer, source, report).await,
            Ok(Opened::Reports(source)) => self.collect_into(writer, source, report).await,
            Err(error) => {
                let outcome = self.outcome(Err(&error));
                let (summary, _) = self.finish(writer, outcome, false).await?;
                report.set_summary(summary, Err(&error));
                Err(error)
            }
        }
    }

    /// The source, with what the tenant's folder knows of its subscriptions.
    async fn open_source(&self, signed_in: SignedIn, root: PathBuf) -> Result<Opened> {
        let wanted = &self.settings.wanted;
        let since = match wanted.from {
            From::Feed => disk::job(move || Since::open(&root)).await??,
            _ => Since::unkept(),
        };
        signed_in.open(wanted, self.window, since, &self.meter)
    }

    /// Waits for an export that was stopped a moment ago and still puts its files in order.
    async fn open_writer(&self, tenant: &str, item: &Item) -> Result<Writer> {
        let settings = &self.settings;
        let wanted = &settings.wanted;
        let asked = Asked {
            tenant_id: tenant.to_owned(),
            display_name: item.display_name.clone(),
            source: wanted.filter.source(wanted.from),
            records: wanted.from.records().to_owned(),
            selected_by: wanted.from.selected_by().to_owned(),
            content_types: wanted.content_types.clone(),
            window: self.window,
            settle_seconds: wanted.settle_seconds,
        };
        let settings = crate::export::Settings {
            base: settings.output.path.clone(),
            asked,
            format: settings.format,
            compression: settings.compression,
            limits: settings.output.limits,
            force: settings.force,
            checkpoint: None,
            room: Some(settings.output.room.clone()),
        };
        let begun = Instant::now();
        loop {
            let settings = settings.clone();
            match disk::job(move || Writer::open(settings)).await? {
                Err(error) if error.id() == IN_USE && begun.elapsed() < LONGEST_WAIT_FOR_FOLDER => {
                    or_cancelled(&self.cancel, async {
                        tokio::time::sleep(self.engine.first_wait() / 5).await;
                        Ok(())
                    })
                    .await?;
                }
                opened => return opened,
            }
        }
    }

    /// Reads into the writer until the source is at its end, something fails, or the work is stopped.
    async fn collect_into<S: Source>(&self, writer: Writer, source: S, report: &mut Report) -> Result<()> {
        let (out, batches) = outlet();
        let largest = self.settings.output.limits.largest_record;
        let collecting = async {
            let ask = self.settings.wanted.ask(&self.engine, self.window, largest);
            let source = Arc::new(source);
            // `out` ends with this block, and the writing with `out`.
            let out = out;
            let work = collect(&source, &ask, self.engine.clock(), &out, &self.meter);
            or_cancelled(&self.cancel, work).await
        };
        let records = Records::new(report.item().number, report.tenant(), self.settings.wanted.from);
        let reader = self.settings.output.pass_thru.then_some((records, &self.sink));
        let (collected, writing) = tokio::join!(collecting, write(writer, batches, &self.meter, reader));
        let (writer, written) = writing?;
        // The writer's own error comes first: it makes the readers stop with one that says less.
        let collected = written.and(collected);
        // What was read before a failure is kept; a stop has no time for it, and the next run reads it again.
        let keep = !collected
            .as_ref()
            .is_err_and(|error| error.is_cancelled() || error.kind() == Kind::Storage);
        let outcome = self.outcome(collected.as_ref());
        let (summary, ended) = self.finish(writer, outcome, keep).await?;
        report.set_summary(summary, collected.as_ref());
        collected.and(ended)
    }

    /// Keeps what was read, if `keep`, and writes the manifest's last word. The summary is true also where that fails.
    async fn finish(&self, mut writer: Writer, mut outcome: Outcome, keep: bool) -> Result<(Summary, Result<()>)> {
        let cancel = self.cancel.clone();
        disk::job(move || {
            let kept = if keep { writer.commit() } else { Ok(()) };
            let broken_off = match &kept {
                Err(error) => Some(reason(error)),
                // Whoever stopped it was told that it did not end well, so the manifest says so too.
                Ok(()) => cancel.is_cancelled().then(|| reason(&Error::cancelled())),
            };
            if broken_off.is_some() {
                outcome = Outcome {
                    incomplete: broken_off,
                    blobs: outcome.blobs,
                    ..Outcome::default()
                };
            }
            let rejected = (writer.flawed() > 0).then(|| REJECTED.to_owned());
            let reasons: Vec<String> = [outcome.incomplete, rejected, writer.missed()]
                .into_iter()
                .flatten()
                .collect();
            outcome.incomplete = (!reasons.is_empty()).then(|| reasons.join("; "));
            let (summary, written) = writer.finish(&outcome);
            (summary, kept.and(written))
        })
        .await
    }

    fn outcome(&self, collected: Result<&Collected, &Error>) -> Outcome {
        let blobs = self.meter.read();
        match collected {
            Ok(collected) => Outcome {
                incomplete: collected.incomplete.clone(),
                got: collected.got.clone(),
                final_until: Some(collected.final_until),
                blobs,
            },
            Err(error) => Outcome {
                incomplete: Some(reason(error)),
                blobs,
                ..Outcome::default()
            },
        }
    }
}

/// What the exports of one operation share.
#[derive(Clone)]
pub(super) struct Shared {
    engine: Arc<Engine>,
    sink: Sink,
    cancel: CancellationToken,
}

impl Shared {
    pub(super) fn of(context: &Context) -> Self {
        Shared {
            engine: Arc::clone(&context.engine),
            sink: context.sink.clone(),
            cancel: context.cancel.clone(),
        }
    }
}

/// Adds what comes until there is no more, and hands what was new to `reader`. Gives the writer back, also where it failed.
async fn write(
    mut writer: Writer,
    mut batches: Inlet,
    meter: &Meter,
    reader: Option<(Records, &Sink)>,
) -> Result<(Writer, Result<()>)> {
    loop {
        let due = batches.receive().await;
        if due.is_empty() {
            return Ok((writer, Ok(())));
        }
        let records = reader.as_ref().map(|(records, _)| records.clone());
        let (new, added);
        (writer, new, added) = disk::job(move || {
            let mut new = Vec::new();
            let added = due.iter().try_for_each(|Held { batch, .. }| match &records {
                None => writer.add(batch),
                Some(records) => writer.add_telling(batch, &mut |at| new.push(records.of(batch, at))),
            });
            (writer, new, added)
        })
        .await?;
        if added.is_err() {
            return Ok((writer, added));
        }
        meter.set_records(writer.progress());
        if let Some((_, sink)) = &reader {
            for record in new {
                // A reader who is gone has stopped the work, which then ends by itself.
                if sink.record(record).await.is_err() {
                    break;
                }
            }
        }
    }
}
