//! `vault_secret_set`: writes a new version of a secret.

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::operation::{Operation, Sink};
use crate::request::Request;
use crate::vault::{Properties, Step};
use std::sync::atomic::{AtomicBool, Ordering};

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let fields = ["name", "value", "contentType", "expires", "notBefore", "tags"];
    let vault = super::vault(session, request, &fields)?;
    let name = request.text("name")?.trim().to_owned();
    let value = request
        .opt_secret("value")?
        .cloned()
        .ok_or_else(|| Error::invalid(format!("no value was given for the secret '{name}'")))?;
    let properties = Properties {
        content_type: super::said(request, "contentType")?.map(str::to_owned),
        expires: request.opt_int("expires")?,
        not_before: request.opt_int("notBefore")?,
        // Name and value in turn: a request has lists, and no maps.
        tags: request
            .texts("tags")?
            .chunks(2)
            .map(|pair| match pair {
                [key, value] => Ok((key.clone(), value.clone())),
                _ => Err(Error::invalid("the last tag has a name and no value")),
            })
            .collect::<Result<_>>()?,
    };
    Ok(Operation::spawn(session, |context| async move {
        let recovered = AtomicBool::new(false);
        let told = |step| {
            recovered.store(true, Ordering::Relaxed);
            progress(&context.sink, &name, step, false);
        };
        let result = context
            .or_cancelled(vault.set_secret(&name, &value, &properties, told))
            .await;
        if recovered.load(Ordering::Relaxed) {
            progress(&context.sink, &name, Step::Recovering, true);
        }
        if recovered.load(Ordering::Relaxed) {
            let outcome = match &result {
                Ok(_) => "its earlier versions are there again under the new one",
                Err(_) => "its earlier versions are there again, although the new one could not be written",
            };
            let text = format!("A deleted secret '{name}' was in the way. It was recovered, so that {outcome}.");
            // Where nobody reads any more, the failure below says why.
            let _ = context.sink.warning(text).await;
        }
        let mut written = result?;
        // It was given, and need not go back.
        written.value = None;
        context.sink.record(written.into_value(vault.address().base())).await
    }))
}

fn progress(sink: &Sink, name: &str, step: Step, completed: bool) {
    sink.progress(Progress {
        id: 0,
        parent: -1,
        activity: format!("Writing the secret '{name}'"),
        status: match step {
            Step::Recovering => "recovering the deleted secret of that name".to_owned(),
            Step::Waiting(tries) => format!("waiting for the recovered secret ({})", tries + 1),
        },
        percent: None,
        completed,
    });
}
