//! `security_alerts`: each tenant's alerts, while they come.

use super::{about, asking, Answer, Asking};
use crate::engine::Session;
use crate::error::Result;
use crate::operation::{or_cancelled, Context, Operation, Sink};
use crate::ops::audit::each::{each, Task};
use crate::request::Request;
use crate::security::{AlertFilter, Alerts};
use std::sync::Arc;

const ACTIVITY: &str = "Reading security alerts";

struct Reading {
    asking: Asking,
    filter: AlertFilter,
    sink: Sink,
}

pub(crate) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let asking = asking(session, request, &AlertFilter::FIELDS)?;
    let filter = AlertFilter::read(request)?;
    Ok(Operation::spawn(session, |context| run(context, asking, filter)))
}

async fn run(context: Context, asking: Asking, filter: AlertFilter) -> Result<()> {
    let cancel = context.cancel.clone();
    let reading = Arc::new(Reading {
        asking,
        filter,
        sink: context.sink.clone(),
    });
    each(context, ACTIVITY, reading.asking.caller.throttle, |task| {
        let (reading, cancel) = (Arc::clone(&reading), cancel.clone());
        async move {
            let mut given = 0;
            let result = or_cancelled(&cancel, reading.tenant(&task, &mut given)).await;
            Answer {
                item: task.item,
                count: given,
                record: None,
                // What came before stays with its reader.
                failures: result.err().into_iter().collect(),
            }
        }
    })
    .await
}

impl Reading {
    async fn tenant(&self, task: &Task, given: &mut u64) -> Result<()> {
        let api = self.asking.graph(task).await?;
        let mut alerts = Alerts::new(&api, self.filter.clone())?;
        while let Some(page) = alerts.next().await? {
            for alert in page {
                let record = about(&task.item, &api).with("fields", alert);
                self.sink.record(record).await?;
                *given += 1;
                task.meter.set_records(*given);
            }
        }
        Ok(())
    }
}
