//! `application_list`: applications that are registered in a tenant, with what they prove themselves with and until when.

use crate::application::{self, Caller};
use crate::engine::Session;
use crate::error::Result;
use crate::operation::Operation;
use crate::request::Request;
use std::sync::Arc;

const ACTIVITY: &str = "Reading the applications";

/// Which ones.
enum Which {
    /// Those that were registered here.
    Tagged,
    All,
    Named(String),
    Id(String),
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(
        &[
            &application::CALLER_FIELDS[..],
            &["displayName", "applicationId", "all"],
        ]
        .concat(),
    )?;
    let caller = Caller::read(session.engine(), request)?;
    let which = match (request.opt_text("applicationId")?, request.opt_text("displayName")?) {
        (Some(id), _) => Which::Id(application::client_id(id)?),
        (None, Some(name)) => Which::Named(name.trim().to_owned()),
        (None, None) if request.flag("all")? => Which::All,
        (None, None) => Which::Tagged,
    };
    Ok(Operation::spawn(session, |context| async move {
        let engine = Arc::clone(&context.engine);
        let read = async {
            let registrar = caller.sign_in(&engine, &context.sink, ACTIVITY).await?;
            let found = match &which {
                Which::Id(id) => vec![application::by_id(&registrar, id).await?],
                Which::Named(name) => {
                    application::find(
                        &registrar,
                        Some(&format!("displayName eq {}", application::quoted(name))),
                    )
                    .await?
                }
                Which::Tagged => {
                    let filter = format!("tags/any(t:t eq {})", application::quoted(application::TAG));
                    application::find(&registrar, Some(&filter)).await?
                }
                Which::All => application::find(&registrar, None).await?,
            };
            let ids: Vec<&str> = found.iter().map(|one| one.app_id.as_str()).collect();
            let principals = application::principals(&registrar, &ids, "id,appId").await?;
            Ok((registrar, found, principals))
        };
        let (registrar, found, principals) = context.or_cancelled(read).await?;
        for one in &found {
            let principal = principals.iter().find(|principal| principal.app_id == one.app_id);
            let row = one.row(
                registrar.tenant().as_str(),
                principal.map(|principal| principal.id.as_str()),
            );
            context.sink.record(row).await?;
        }
        Ok(())
    }))
}
