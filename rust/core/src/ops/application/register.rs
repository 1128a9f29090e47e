//! `application_register`: an application that is there as it is wanted, made or changed. With `mustExist` none is made, and what is
//! not spoken of stays as it is.

use super::{approved, change, fail};
use crate::application::{self, Applied, Caller, Change, NewSecret, Plan, Proof, Registrar, State, Wanted};
use crate::credential::Credential;
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::operation::{or_cancelled, Context, Operation, Unread};
use crate::request::{Field, Request};
use crate::value::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const ACTIVITY: &str = "Registering the application";

/// What could not be done, and what was not to be done.
#[derive(Default)]
struct Left {
    failed: Vec<String>,
    declined: Vec<String>,
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[&application::CALLER_FIELDS[..], &application::WANTED_FIELDS].concat())?;
    let caller = Caller::read(session.engine(), request)?;
    let wanted = Wanted::read(request)?;
    Ok(Operation::spawn(session, |context| run(context, caller, wanted)))
}

async fn run(mut context: Context, caller: Caller, wanted: Wanted) -> Result<()> {
    let cancel = context.cancel.clone();
    let sink = context.sink.clone();
    let engine = Arc::clone(&context.engine);
    for warning in &wanted.warnings {
        sink.warning(warning.as_str()).await?;
    }
    let read = async {
        let registrar = caller.sign_in(&engine, &sink, ACTIVITY).await?;
        let state = State::read(&registrar, &wanted).await?;
        Ok((registrar, state))
    };
    let (registrar, state) = or_cancelled(&cancel, read).await?;
    let plan = Plan::make(&wanted, &state, engine.clock().now_ms());
    let name = state.title(&wanted);
    registrar.finished();
    sink.record(told(&registrar, name, &state, &plan)).await?;
    let approved = approved(&mut context.input, &cancel).await?;
    if approved.is_empty() && !plan.changes.is_empty() {
        return Ok(());
    }
    let mut work = Work {
        applied: Applied::new(&state, engine.clock().now_ms()),
        left: Left::default(),
        csv: None,
        registrar,
        wanted,
        state,
    };
    match work.run(&context, plan, &approved).await {
        Ok(()) => Ok(()),
        Err(error) => {
            work.undo(&context.unread).await;
            Err(error)
        }
    }
}

/// What was agreed to, while it is done.
struct Work {
    registrar: Registrar,
    wanted: Wanted,
    state: State,
    applied: Applied,
    left: Left,
    /// The file that was written.
    csv: Option<PathBuf>,
}

impl Work {
    async fn run(&mut self, context: &Context, plan: Plan, approved: &BTreeSet<usize>) -> Result<()> {
        let (cancel, sink) = (&context.cancel, &context.sink);
        let name = self.state.title(&self.wanted).to_owned();
        let all = plan.changes.len();
        for (number, change) in plan.changes.iter().enumerate() {
            let line = change.line();
            if !approved.contains(&number) {
                self.left.declined.push(line);
                continue;
            }
            self.registrar.progress(&line, i64::try_from(100 * number / all).ok());
            match self.make(change, cancel).await? {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    fail(sink, &name, &line, error).await?;
                    self.left.failed.push(line);
                }
                None => self.left.failed.push(format!("{line} (what it needs is not there)")),
            }
        }
        if let Err(error) = self.write_csv() {
            fail(sink, &name, "Write the CSV file", error).await?;
        }
        let credential = credential(&self.registrar, &self.wanted, &self.applied)?;
        if let Some(credential) = &credential {
            self.prove(context, credential).await?;
            context.made(credential);
        }
        self.registrar.finished();
        // Whoever ends the pipeline at a warning does not take the result behind it.
        sink.until_read().await?;
        sink.record(self.result(plan.unchanged, credential.is_some())).await
    }

    async fn make(&mut self, change: &Change, cancel: &CancellationToken) -> Result<Option<Result<()>>> {
        let certificate = match &self.wanted.proof {
            Some(Proof::Certificate(credential)) => credential.certificate(),
            Some(Proof::Secret { .. }) | None => None,
        };
        let made = self.applied.apply(&self.registrar, change, certificate);
        match change {
            // Half a request would leave a secret of which nobody knows even the id.
            Change::AddSecret { .. } => match cancel.is_cancelled() {
                true => Err(Error::cancelled()),
                false => Ok(made.await),
            },
            _ => or_cancelled(cancel, async { Ok(made.await) }).await,
        }
    }

    /// Sees that what is new works. Where that cannot be seen yet it is there all the same.
    async fn prove(&self, context: &Context, credential: &Arc<Credential>) -> Result<()> {
        let is_new = self.applied.secret.is_some() || self.applied.has_new_certificate;
        if !is_new || self.applied.principal_id.is_none() {
            return Ok(());
        }
        match or_cancelled(&context.cancel, application::prove(&self.registrar, credential)).await {
            Err(error) if !error.is_cancelled() => {
                let warning = format!("The new credential could not be tried yet: {}", error.told());
                context.sink.warning(warning).await
            }
            done => done,
        }
    }

    /// The new secret is in the result, which nobody takes any more. Where it is in no file either it goes again, so that the next run
    /// makes another one. Nobody is left to hear that it could not: the next operation says so.
    async fn undo(&self, unread: &Unread) {
        let (Some(secret), Some(object), None) = (&self.applied.secret, &self.applied.object_id, &self.csv) else {
            return;
        };
        if let Err(failure) = application::remove_new_secret(&self.registrar, object, &secret.key_id).await {
            unread.leave(format!(
                "Registering '{}' was stopped, and its new client secret {}, which nobody has, could not be taken away again ({}): \
                 remove it in the Entra admin center, and run the command again.",
                self.name(),
                secret.key_id,
                failure.message().trim_end_matches('.')
            ));
        }
    }

    fn write_csv(&mut self) -> Result<()> {
        let applied = &self.applied;
        let (Some(path), Some(secret), Some(id)) = (&self.wanted.csv, &applied.secret, &applied.application_id) else {
            return Ok(());
        };
        let row = application::Row {
            application: self.name(),
            tenant_name: self.state.tenant_name.as_deref().unwrap_or_default(),
            tenant_id: self.registrar.tenant().as_str(),
            client_id: id,
            secret: &secret.value,
        };
        application::write_csv(path, &row)?;
        self.csv = Some(path.clone());
        Ok(())
    }

    /// What the application is called from now on.
    fn name(&self) -> &str {
        let new = self.wanted.new_name.as_deref();
        new.unwrap_or_else(|| self.state.title(&self.wanted))
    }

    fn result(&self, unchanged: Vec<String>, has_credential: bool) -> Value {
        let (applied, left) = (&self.applied, &self.left);
        let secret = applied.secret.as_ref();
        let csv = self.csv.as_ref().map(|path| path.to_string_lossy().into_owned());
        Value::map()
            .with("displayName", self.name())
            .with("applicationId", applied.application_id.clone())
            .with("objectId", applied.object_id.clone())
            .with("servicePrincipalId", applied.principal_id.clone())
            .with("tenantId", self.registrar.tenant().as_str())
            .with("tenantName", self.state.tenant_name.clone())
            .with("created", applied.created.clone())
            .with("changed", applied.changed.clone())
            .with("unchanged", unchanged)
            .with("failed", left.failed.clone())
            .with("declined", left.declined.clone())
            .with("hasCredential", has_credential)
            .with("secretId", secret.map(|secret| secret.key_id.clone()))
            .with(
                "secretExpiresOn",
                secret.map_or(Value::Null, |secret: &NewSecret| Value::Time(secret.ends)),
            )
            .with("csvPath", csv)
    }
}

fn told(registrar: &Registrar, name: &str, state: &State, plan: &Plan) -> Value {
    let changes = plan.changes.iter().enumerate();
    Value::map()
        .with("plan", true)
        .with("displayName", name)
        .with("tenantId", registrar.tenant().as_str())
        .with("tenantName", state.tenant_name.clone())
        .with(
            "changes",
            Value::List(changes.map(|(number, one)| change(number, &one.line())).collect()),
        )
}

/// What the application proves itself with from now on. A secret that was there before can be read by nobody.
fn credential(registrar: &Registrar, wanted: &Wanted, applied: &Applied) -> Result<Option<Arc<Credential>>> {
    let Some(id) = &applied.application_id else {
        return Ok(None);
    };
    let made = match (&wanted.proof, &applied.secret) {
        (Some(Proof::Certificate(credential)), _) => credential.for_application(id, registrar.tenant())?,
        (Some(Proof::Secret { .. }), Some(secret)) => {
            let request = Request::new("credential")
                .with("applicationId", Field::Text(id.clone()))
                .with("tenant", Field::Text(registrar.tenant().as_str().to_owned()))
                .with("secret", Field::Secret(secret.value.clone()));
            Credential::open(&request)?
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(made)))
}
