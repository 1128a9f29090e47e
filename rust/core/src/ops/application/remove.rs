//! `application_remove`: one application, with its service principal in its own tenant. The directory keeps it for 30 days.

use super::{approved, change};
use crate::application::{self, Ask, Caller};
use crate::engine::Session;
use crate::error::Result;
use crate::operation::{or_cancelled, Operation};
use crate::request::Request;
use crate::value::Value;
use reqwest::Method;
use std::sync::Arc;

const ACTIVITY: &str = "Removing the application";

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[&application::CALLER_FIELDS[..], &["applicationId"]].concat())?;
    let caller = Caller::read(session.engine(), request)?;
    let id = application::client_id(request.text("applicationId")?)?;
    Ok(Operation::spawn(session, |mut context| async move {
        let (cancel, sink) = (context.cancel.clone(), context.sink.clone());
        let engine = Arc::clone(&context.engine);
        let read = async {
            let registrar = caller.sign_in(&engine, &sink, ACTIVITY).await?;
            let found = application::by_id(&registrar, &id).await?;
            Ok((registrar, found))
        };
        let (registrar, found) = or_cancelled(&cancel, read).await?;
        let line = "Remove the application, its secrets and certificates, and its service principal in its own tenant";
        let plan = Value::map()
            .with("plan", true)
            .with("displayName", found.name())
            .with("applicationId", found.app_id.as_str())
            .with("tenantId", registrar.tenant().as_str())
            .with("changes", Value::List(vec![change(0, line)]));
        sink.record(plan).await?;
        if approved(&mut context.input, &cancel).await?.is_empty() {
            return Ok(());
        }
        let path = format!("applications/{}", found.id);
        let ask = Ask::application("remove the application");
        or_cancelled(&cancel, registrar.change(Method::DELETE, &path, None, ask)).await?;
        registrar.finished();
        sink.record(found.row(registrar.tenant().as_str(), None)).await
    }))
}
