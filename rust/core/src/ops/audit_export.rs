//! `audit_export`: each tenant's audit records, once, in files of its own.

mod report;
mod resume;
mod settings;
mod tenant;
mod watch;

pub(super) use watch::start as watch;

pub(super) use resume::list as resumable;

use super::audit::each::each;
use crate::engine::Session;
use crate::error::Result;
use crate::operation::{Context, Operation};
use crate::request::Request;
use settings::Settings;
use std::sync::Arc;
use tenant::{Job, Shared};

const ACTIVITY: &str = "Exporting audit logs";

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    if request.flag("resume")? {
        return resume::start(session, request);
    }
    let settings = Arc::new(Settings::read(session, request)?);
    Ok(Operation::spawn(session, |context| run(context, settings)))
}

async fn run(context: Context, settings: Arc<Settings>) -> Result<()> {
    let shared = Shared::of(&context);
    let throttle = settings.caller.throttle;
    each(context, ACTIVITY, throttle, |task| {
        let job = Job::new(&shared, Arc::clone(&settings), task.meter);
        async move { job.run(task.item, &task.request).await }
    })
    .await
}
