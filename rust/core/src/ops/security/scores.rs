//! `security_scores`: each tenant's Microsoft Secure Score, with its controls and its last days where that is wanted.

use super::{about, asking, Answer, Asking};
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::{or_cancelled, Context, Operation};
use crate::ops::audit::each::{each, Task};
use crate::request::Request;
use crate::security::{Controls, SecureScore};
use crate::value::Value;
use std::sync::Arc;

const ACTIVITY: &str = "Reading secure scores";
/// As many as the service keeps.
const MOST_DAYS: i64 = 90;

struct Reading {
    asking: Asking,
    days: usize,
    controls: bool,
}

pub(crate) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let asking = asking(session, request, &["days", "controls"])?;
    let days = request.opt_int("days")?.unwrap_or(1);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(
            Error::invalid(format!("there cannot be the scores of {days} days")).advise(format!(
                "Give a number from 1 to {MOST_DAYS}: the service keeps no more."
            )),
        );
    }
    let reading = Reading {
        asking,
        days: usize::try_from(days).unwrap_or(1),
        controls: request.flag("controls")?,
    };
    Ok(Operation::spawn(session, |context| run(context, reading)))
}

async fn run(context: Context, reading: Reading) -> Result<()> {
    let (reading, cancel) = (Arc::new(reading), context.cancel.clone());
    each(context, ACTIVITY, reading.asking.caller.throttle, |task| {
        let (reading, cancel) = (Arc::clone(&reading), cancel.clone());
        async move {
            let result = or_cancelled(&cancel, reading.tenant(&task)).await;
            Answer::of(task.item, result)
        }
    })
    .await
}

impl Reading {
    async fn tenant(&self, task: &Task) -> Result<Value> {
        let api = self.asking.graph(task).await?;
        let scores = SecureScore::read(&api, self.days).await?;
        let Some(newest) = scores.first() else {
            return Err(Error::internal("no score was read, and none was missing"));
        };
        let controls = match self.controls {
            true => Value::from(Controls::read(&api).await?.of(newest)),
            false => Value::Null,
        };
        let history = match self.days {
            1 => Value::Null,
            _ => Value::List(scores.iter().map(SecureScore::day).collect()),
        };
        Ok(about(&task.item, &api)
            .with("score", newest.to_value())
            .with("controlScores", controls)
            .with("history", history))
    }
}
