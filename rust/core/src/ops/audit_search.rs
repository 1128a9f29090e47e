//! `audit_search`: `Search-UnifiedAuditLog` in one tenant, its rows as the service has them.
//!
//! Without a session it gives all rows, each once, past the limits that the search has; or the newest, where a number is
//! given. With a session it is one call, as the cmdlet's own users know it: what a call gives is theirs to judge.

mod question;
mod row;

use super::audit::from::From;
use super::audit::once::Once;
use super::audit::source::SignedIn;
use crate::audit::collect::{collect, Ask, Collected};
use crate::audit::exchange::Search;
use crate::audit::meter::Meter;
use crate::audit::{outlet, Inlet, Window};
use crate::engine::Session;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::exchange::AdminApi;
use crate::export::{time, Limits};
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::value::Value;
use question::Question;
use serde_json::{json, Map};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const CMDLET: &str = "Search-UnifiedAuditLog";
/// How often progress is looked at.
const PROGRESS: Duration = Duration::from_millis(500);

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let question = Question::read(session, request)?;
    Ok(Operation::spawn(session, |context| async move {
        context.or_cancelled(run(&context, question)).await
    }))
}

async fn run(context: &Context, question: Question) -> Result<()> {
    let now = context.engine.clock().now_ms();
    // What a script asks for in a loop may lie in the future, or be no time at all.
    if question.window.is_empty() || question.window.start >= now {
        return Ok(());
    }
    let tenant = question.tenant.clone();
    let work = async {
        let signed_in = SignedIn::new(
            &context.engine,
            &question.caller,
            From::Exchange,
            question.tenant.clone(),
        )
        .await?;
        let api = signed_in.exchange()?;
        match &question.session {
            Some(session) => one_call(context, &api, &question, session).await,
            None => whole(context, api, &question, now).await,
        }
    };
    work.await.map_err(|error| match error.tenant() {
        "" => error.for_tenant(tenant.to_string()),
        _ => error,
    })
}

/// What one call of the caller's own session gives. All of it or nothing: the session does not give it again.
async fn one_call(
    context: &Context,
    api: &AdminApi,
    question: &Question,
    session: &Map<String, serde_json::Value>,
) -> Result<()> {
    let mut parameters = question.filter.parameters(&question.content_type, question.window);
    parameters.extend(session.clone());
    if let Some(size) = question.size {
        parameters.insert("ResultSize".to_owned(), json!(size));
    }
    let mut call = api.call(CMDLET, &serde_json::Value::Object(parameters))?;
    let mut rows = Vec::new();
    let mut warnings = Vec::new();
    while let Some(page) = call.next().await.map_err(gone_on)? {
        warnings.extend(page.warnings);
        for text in page.items {
            rows.push(row::value(&text)?);
        }
    }
    for warning in warnings {
        context.sink.warning(warning).await?;
    }
    for row in rows {
        context.sink.record(row).await?;
    }
    Ok(())
}

/// A call whose answer was lost may have moved its session on.
#[cold]
fn gone_on(error: Error) -> Error {
    if !(error.is_retryable() || error.kind() == Kind::Protocol) {
        return error;
    }
    let advice = format!(
        "{} The session may have gone on without these rows: begin it anew with another -SessionId, or leave -SessionId and \
         -SessionCommand out, then such a failure is made good.",
        error.advice()
    );
    error.advise(advice.trim())
}

/// All rows, or the newest.
async fn whole(context: &Context, api: AdminApi, question: &Question, now: i64) -> Result<()> {
    let first_wait = context.engine.first_wait();
    let mut search = Search::new(api.paced(|_| {}), question.filter.clone(), first_wait).rows();
    if let Some(most) = question.newest() {
        search = search.newest(most);
    }
    let search = Arc::new(search);
    let window = Window::new(question.window.start, question.window.end.min(now));
    let ask = Ask {
        content_types: vec![question.content_type.clone()],
        window,
        // Its caller asks for what is there now.
        settle_ms: 0,
        readers: 4,
        largest_record: Limits::default().largest_record,
        first_backoff: first_wait,
    };
    let meter = Arc::default();
    let (out, batches) = outlet();
    let collecting = async {
        // `out` ends with this block, and the reading with `out`.
        let out = out;
        collect(&search, &ask, context.engine.clock(), &out, &meter).await
    };
    let mut given = Given::default();
    let (collected, handed) = {
        let reading = hand_on(context, question, batches, &meter, &mut given);
        let both = async { tokio::join!(collecting, reading) };
        tokio::select! {
            both = both => both,
            never = show(context, question, &meter) => match never {},
        }
    };
    handed?;
    let cut = search.is_cut() || given.stopped;
    let result = match collected {
        Ok(collected) => judge(&search, &collected, &given, cut).await,
        // Enough has come, so nobody took the rest.
        Err(_) if given.stopped => Ok(()),
        Err(error) => Err(error),
    };
    if let (Some(size), true) = (question.size, cut) {
        let text = format!(
            "There are more than the {size} rows that -ResultSize allows, or may be. Without it all of them come."
        );
        context.sink.warning(text).await?;
    }
    match result {
        // Rows that were given stay with their reader.
        Err(error) if given.rows > 0 && !error.is_cancelled() => {
            let target = Value::map().with("tenant", question.tenant.as_str());
            context.sink.failed(target, error).await
        }
        result => result,
    }
}

#[derive(Default)]
struct Given {
    rows: u64,
    /// There were as many as were wanted.
    stopped: bool,
}

async fn hand_on(
    context: &Context,
    question: &Question,
    mut batches: Inlet,
    meter: &Meter,
    given: &mut Given,
) -> Result<()> {
    let mut once = Once::new();
    loop {
        let due = batches.receive().await;
        if due.is_empty() {
            return Ok(());
        }
        let new;
        (once, new) = once.new_of(due, |batch, at| row::value(batch.record(at))).await?;
        for row in new {
            if question.size.is_some_and(|size| given.rows >= size) {
                given.stopped = true;
                return Ok(());
            }
            given.rows += 1;
            let row = match question.newest() {
                Some(_) => row?,
                None => row::numbered(row?, given.rows),
            };
            context.sink.record(row).await?;
        }
        meter.set_records(given.rows);
    }
}

/// Says what is missing, if anything is.
async fn judge(search: &Search, collected: &Collected, given: &Given, cut: bool) -> Result<()> {
    if let Some(first) = collected.gaps.first() {
        let text = format!(
            "not all rows came: from {} to {} {}{}",
            time::iso(first.window.start),
            time::iso(first.window.end),
            first.reason,
            match collected.gaps.len() {
                1 => String::new(),
                gaps => format!(" (and {} more times)", gaps - 1),
            }
        );
        return Err(Error::new(Kind::Server, text)
            .with_id("IncompleteSearch")
            .advise("Search again for that time, later or in shorter ranges."));
    }
    if given.rows == 0 && !cut && !search.look_at_auditing().await? {
        return Err(
            Error::new(Kind::NotFound, "auditing is off in this tenant, so nothing is recorded").advise(
                "Turn it on with Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true; it takes up to an hour to act.",
            ),
        );
    }
    Ok(())
}

/// Shows how far it is, for ever.
async fn show(context: &Context, question: &Question, meter: &Meter) -> Infallible {
    let mut tick = tokio::time::interval(PROGRESS);
    loop {
        tick.tick().await;
        context.sink.progress(Progress {
            id: 0,
            parent: -1,
            activity: format!("Searching the audit log of {}", question.tenant),
            status: meter.status(),
            percent: meter.percent(),
            completed: false,
        });
    }
}
