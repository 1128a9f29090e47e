//! `exchange_command`: one cmdlet of Exchange Online in many tenants, its rows as they come, its warnings, and its errors.

use super::asking::{Answer, Asking};
use super::audit::each::{each, Task};
use super::audit::item::Item;
use crate::engine::Session;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::exchange::{parameters, row, unreadable, AdminApi, Call, Cmdlet};
use crate::http::Retry;
use crate::odata::{Page, Pages};
use crate::operation::{or_cancelled, Context, Operation, Sink};
use crate::request::Request;
use crate::tenant::TenantId;
use crate::value::Value;
use serde_json::Map;
use std::sync::Arc;

const ACTIVITY: &str = "Running an Exchange cmdlet";
/// Tenants at a time where nothing else is said.
const THROTTLE: usize = 16;

struct Running {
    asking: Asking,
    cmdlet: Cmdlet,
    parameters: Map<String, serde_json::Value>,
    anchor: Option<String>,
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let own = ["cmdlet", "parameters", "anchorMailbox"];
    let asking = Asking::read(session, request, &own, Service::Outlook, THROTTLE)?;
    let mut parameters = parameters(request.opt_text("parameters")?.unwrap_or("{}"))?;
    settle_confirm(&mut parameters)?;
    let running = Running {
        asking,
        cmdlet: Cmdlet::parse(request.text("cmdlet")?)?,
        parameters,
        anchor: request
            .opt_text("anchorMailbox")?
            .map(|mailbox| mailbox.trim().to_owned()),
    };
    Ok(Operation::spawn(session, |context| run(context, running)))
}

/// Leaves a `Confirm` only where it says that nothing is to be asked, under that very name.
fn settle_confirm(parameters: &mut Map<String, serde_json::Value>) -> Result<()> {
    let Some(name) = parameters
        .keys()
        .find(|name| name.eq_ignore_ascii_case("Confirm"))
        .cloned()
    else {
        return Ok(());
    };
    let given = parameters.remove(&name);
    if given != Some(serde_json::Value::Bool(false)) {
        return Err(
            Error::invalid("Confirm in -Parameters has Exchange ask a question that nobody could answer")
                .advise("Use the command's own -Confirm, or Confirm = $false."),
        );
    }
    parameters.insert("Confirm".to_owned(), serde_json::Value::Bool(false));
    Ok(())
}

async fn run(context: Context, running: Running) -> Result<()> {
    let (running, cancel, sink) = (Arc::new(running), context.cancel.clone(), context.sink.clone());
    each(context, ACTIVITY, running.asking.caller.throttle, |task| {
        let (running, cancel, sink) = (Arc::clone(&running), cancel.clone(), sink.clone());
        async move {
            let mut given = 0;
            let result = or_cancelled(&cancel, running.tenant(&sink, &task, &mut given)).await;
            Answer {
                item: task.item,
                count: given,
                record: None,
                failures: result.err().map(|error| kept(error, given)).into_iter().collect(),
            }
        }
    })
    .await
}

impl Running {
    async fn tenant(&self, sink: &Sink, task: &Task, given: &mut u64) -> Result<()> {
        let meter = Arc::clone(&task.meter);
        // A tenant that is told to wait has its own pauses; a failure inside the service is soon one of the cmdlet's.
        let api = self.asking.exchange(task).await?;
        let api = api
            .with_retry(Retry::default())
            .paced(move |held_up| meter.set_held_up(held_up))
            .anchored(self.anchor.as_deref());
        let mut parameters = self.parameters.clone();
        let mut pages = api.run(&self.cmdlet, parameters.clone())?;
        let mut page = self.first(&mut pages).await?;
        if page.question.is_some() && !parameters.contains_key("Confirm") {
            // Whoever runs it has been asked already.
            parameters.insert("Confirm".to_owned(), serde_json::Value::Bool(false));
            pages = api.run(&self.cmdlet, parameters)?;
            page = self.first(&mut pages).await?;
        }
        if let Some(question) = page.question.take() {
            return Err(self.asked(&question, api.tenant()));
        }
        loop {
            self.give(sink, &task.item, &api, page, given).await?;
            task.meter.set_records(*given);
            match pages.next().await? {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    async fn first(&self, pages: &mut Pages<Call>) -> Result<Page> {
        match pages.next().await {
            Ok(page) => Ok(page.unwrap_or_default()),
            Err(error) => Err(self.doubtful(error)),
        }
    }

    async fn give(&self, sink: &Sink, item: &Item, api: &AdminApi, page: Page, given: &mut u64) -> Result<()> {
        for warning in page.warnings {
            sink.warning(format!("{}: {warning}", item.title())).await?;
        }
        for text in page.items {
            let row = row::value(&text).map_err(|_| unreadable(self.cmdlet.name(), api.tenant()))?;
            let record = Value::map()
                .with("item", item.number)
                .with("tenantId", api.tenant().as_str())
                .with("displayName", item.display_name.as_str())
                .with("body", row);
            sink.record(record).await?;
            *given += 1;
        }
        for said in page.errors {
            let error = self.reported(said, api.tenant());
            sink.failed(item.target(), error).await?;
        }
        Ok(())
    }

    /// It has done nothing, and nobody is there to answer.
    #[cold]
    fn asked(&self, question: &str, tenant: &TenantId) -> Error {
        Error::new(
            Kind::InvalidInput,
            format!("{} did nothing, because it asks: {question}", self.cmdlet.name()),
        )
        .advise("Give -Parameters what answers it, such as Force = $true where the cmdlet has that.")
        .for_tenant(tenant.as_str())
    }

    /// An error that the cmdlet has gone on after: the type's name, a code and the message.
    fn reported(&self, said: String, tenant: &TenantId) -> Error {
        let said = said.splitn(3, '|').last().unwrap_or_default().trim().to_owned();
        Error::new(
            Kind::InvalidInput,
            format!("{} reported an error: {said}", self.cmdlet.name()),
        )
        .advise("What it did besides has been given. Check -Parameters against what it says.")
        .for_tenant(tenant.as_str())
    }

    /// A change whose answer did not come, or was a failure inside the service, may have been made.
    fn doubtful(&self, error: Error) -> Error {
        let unknown = matches!(
            error.kind(),
            Kind::Network | Kind::Timeout | Kind::Server | Kind::Protocol
        );
        if !self.cmdlet.changes() || !unknown || error.is_unsent() {
            return error;
        }
        let advice = format!(
            "It was not sent again, because Exchange Online may have carried it out: look before you repeat it. {}",
            error.advice()
        );
        error.advise(advice.trim())
    }
}

/// An error that comes after rows says that they were given.
fn kept(error: Error, given: u64) -> Error {
    if given == 0 || error.is_cancelled() {
        return error;
    }
    let advice = format!("What came before, {given} rows, was given. {}", error.advice());
    error.advise(advice.trim())
}
