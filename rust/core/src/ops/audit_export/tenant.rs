//! One tenant of an export: a token, a feed, a writer, and an end that is always written down.

use super::disk;
use super::report::Report;
use super::settings::{From, Settings};
use crate::audit::collect::{collect, Ask, Collected};
use crate::audit::exchange::Search;
use crate::audit::feed::{self, Feed, Since};
use crate::audit::graph::{GraphApi, Queries, Reports};
use crate::audit::meter::Meter;
use crate::audit::{outlet, Inlet, Source, Window};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::exchange::AdminApi;
use crate::export::folder::IN_USE;
use crate::export::manifest::REJECTED;
use crate::export::writer::Summary;
use crate::export::{Asked, Outcome, Writer};
use crate::operation::or_cancelled;
use crate::request::Request;
use crate::tenant::TenantId;
use crate::token::{Target, TokenRequest};
use crate::value::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Blobs of one tenant that are read at a time.
const READERS: usize = 12;
/// How long an export waits for another one to leave the tenant's folder.
const LONGEST_WAIT_FOR_FOLDER: Duration = Duration::from_secs(2);

/// One item of the input, read as far as it could be.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) number: i64,
    pub(super) tenant: String,
    pub(super) display_name: String,
}

impl Item {
    pub(super) fn read(request: &Request) -> Self {
        let text = |key| request.opt_text(key).ok().flatten().unwrap_or_default().to_owned();
        Item {
            number: request.opt_int("item").ok().flatten().unwrap_or_default(),
            tenant: text("tenant"),
            display_name: text("displayName"),
        }
    }

    /// How a person knows the tenant.
    pub(super) fn title(&self) -> &str {
        if self.display_name.is_empty() {
            &self.tenant
        } else {
            &self.display_name
        }
    }

    /// The map that names the item in a failure.
    pub(super) fn target(&self) -> Value {
        Value::map()
            .with("item", self.number)
            .with("tenant", self.tenant.as_str())
    }
}

pub(super) struct Job {
    engine: Arc<Engine>,
    settings: Arc<Settings>,
    /// What the feed still has of the time range, now that it is this tenant's turn.
    window: Window,
    cancel: CancellationToken,
    meter: Arc<Meter>,
}

impl Job {
    pub(super) fn new(engine: Arc<Engine>, settings: Arc<Settings>, cancel: CancellationToken) -> Self {
        let window = match settings.from {
            From::Feed => feed::served_window(settings.window, engine.clock().now_ms()),
            _ => settings.window,
        };
        Job {
            engine,
            settings,
            window,
            cancel,
            meter: Arc::default(),
        }
    }

    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
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
        request.only(&["item", "tenant", "displayName"])?;
        let tenant = TenantId::parse(request.text("tenant")?)?;
        let settings = &self.settings;
        let resource = settings.environment.resource(settings.from.service());
        let token = TokenRequest::new(
            Arc::clone(&settings.environment),
            Arc::clone(&settings.credential),
            tenant.clone(),
            Target::resource(resource)?,
        )
        .app_only(settings.app_only);
        // A folder is named after the GUID: where that is known, every failure from here on is written into it.
        let signed_in = or_cancelled(&self.cancel, self.sign_in(&token)).await;
        let known = match &signed_in {
            Ok((guid, _)) => guid.clone(),
            Err(_) if tenant.guid().is_some() => tenant,
            Err(_) => return signed_in.map(drop),
        };
        report.set_tenant(known.as_str());
        // What is there is not given up for an export that cannot begin.
        if let (true, Err(error)) = (settings.force, &signed_in) {
            return Err(error.clone());
        }
        let writer = self.open_writer(known.as_str(), report.item()).await?;
        report.set_path(writer.path());
        let (guid, publisher) = match signed_in {
            Ok(found) => found,
            Err(error) => {
                let outcome = self.outcome(Err(&error));
                let (summary, _) = self.finish(writer, outcome, false).await?;
                report.set_summary(summary, Err(&error));
                return Err(error);
            }
        };
        let engine = Arc::clone(&self.engine);
        let first_wait = engine.first_wait();
        let token = token.for_tenant(guid.clone());
        match settings.from {
            From::Feed => {
                let since = self.since(writer.path()).await?;
                let feed = since.and_then(|since| Feed::new(engine, token, guid, publisher, first_wait, since));
                self.collect_into(writer, feed, report).await
            }
            From::Exchange => {
                let api = AdminApi::new(engine, token, guid);
                let search = api.map(|api| Search::new(api, settings.filter.exchange.clone(), first_wait));
                self.collect_into(writer, search, report).await
            }
            From::Graph => {
                let api = GraphApi::new(engine, token);
                let queries = api.map(|api| Queries::new(api, settings.filter.graph.clone(), self.window));
                self.collect_into(writer, queries, report).await
            }
            From::Report(kind) => {
                let reports = GraphApi::new(engine, token).map(|api| Reports::new(api, kind));
                self.collect_into(writer, reports, report).await
            }
        }
    }

    /// What the tenant's folder knows of its subscriptions.
    async fn since(&self, root: PathBuf) -> Result<Result<Arc<Since>>> {
        disk::job(move || Since::open(&root)).await
    }

    /// The tenant's GUID, which the feed's addresses need, and the publisher's.
    async fn sign_in(&self, token: &TokenRequest) -> Result<(TenantId, String)> {
        let tokens = self.engine.tokens();
        let guid = tokens.acquire(token).await?.tenant().clone();
        let environment = &self.settings.environment;
        let publisher = match self.settings.credential.home_tenant() {
            Some(home) => tokens.resolve(environment, home).await?.to_string(),
            None => guid.to_string(),
        };
        Ok((guid, publisher))
    }

    /// Waits for an export that was stopped a moment ago and still puts its files in order.
    async fn open_writer(&self, tenant: &str, item: &Item) -> Result<Writer> {
        let settings = &self.settings;
        let (source, selected_by) = match settings.from {
            From::Feed => (Feed::NAME, Feed::SELECTED_BY),
            From::Exchange => (Search::NAME, Search::SELECTED_BY),
            From::Graph => (Queries::NAME, Queries::SELECTED_BY),
            From::Report(_) => (Reports::NAME, Reports::SELECTED_BY),
        };
        let asked = Asked {
            tenant_id: tenant.to_owned(),
            display_name: item.display_name.clone(),
            source: settings.filter.source(source, settings.from),
            records: settings.from.records().to_owned(),
            selected_by: selected_by.to_owned(),
            content_types: settings.content_types.clone(),
            window: self.window,
            settle_seconds: settings.settle_seconds,
        };
        let settings = crate::export::Settings {
            base: settings.path.clone(),
            asked,
            format: settings.format,
            limits: settings.limits,
            force: settings.force,
            checkpoint: None,
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
    async fn collect_into<S: Source>(&self, writer: Writer, source: Result<S>, report: &mut Report) -> Result<()> {
        let (out, batches) = outlet();
        let collecting = async {
            let ask = self.ask();
            let source = Arc::new(source?);
            // `out` ends with this block, and the writing with `out`.
            let out = out;
            let work = collect(&source, &ask, self.engine.clock(), &out, &self.meter);
            or_cancelled(&self.cancel, work).await
        };
        let (collected, writing) = tokio::join!(collecting, write(writer, batches, &self.meter));
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
            if writer.flawed() > 0 {
                outcome.incomplete = Some(match outcome.incomplete {
                    Some(reason) => format!("{reason}; {REJECTED}"),
                    None => REJECTED.to_owned(),
                });
            }
            let (summary, written) = writer.finish(&outcome);
            (summary, kept.and(written))
        })
        .await
    }

    fn ask(&self) -> Ask {
        Ask {
            content_types: self.settings.content_types.clone(),
            window: self.window,
            settle_ms: i64::try_from(self.settings.settle_seconds.saturating_mul(1000)).unwrap_or(i64::MAX / 4),
            readers: READERS,
            largest_record: self.settings.limits.largest_record,
            first_backoff: self.engine.first_wait(),
        }
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

/// Why a run that failed is not complete, for the manifest.
pub(super) fn reason(error: &Error) -> String {
    if error.is_cancelled() {
        return "stopped".to_owned();
    }
    match error.advice() {
        "" => error.message().to_owned(),
        advice => format!("{}. {advice}", error.message()),
    }
}

/// Adds what comes until there is no more. Gives the writer back, also where it failed.
async fn write(mut writer: Writer, mut batches: Inlet, meter: &Meter) -> Result<(Writer, Result<()>)> {
    loop {
        let due = batches.receive().await;
        if due.is_empty() {
            return Ok((writer, Ok(())));
        }
        let added;
        (writer, added) = disk::job(move || {
            let added = due.iter().try_for_each(|held| writer.add(&held.batch));
            (writer, added)
        })
        .await?;
        if added.is_err() {
            return Ok((writer, added));
        }
        meter.set_records(writer.progress());
    }
}
