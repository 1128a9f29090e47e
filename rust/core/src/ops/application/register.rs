//! `application_register`: an application that is there as it is wanted, made or changed. With `mustExist` none is made, and what is
//! not spoken of stays as it is.

use super::{approved, change, fail};
use crate::application::{self, Applied, Caller, NewSecret, Plan, Proof, Registrar, State, Wanted};
use crate::credential::Credential;
use crate::engine::Session;
use crate::error::Result;
use crate::operation::{or_cancelled, Context, Operation};
use crate::request::{Field, Request};
use crate::value::Value;
use std::sync::Arc;

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
    let new_name = wanted.new_name.as_deref().unwrap_or(name);
    registrar.finished();
    sink.record(told(&registrar, name, &state, &plan)).await?;
    let approved = approved(&mut context.input, &cancel).await?;
    if approved.is_empty() && !plan.changes.is_empty() {
        return Ok(());
    }
    let mut applied = Applied::new(&state);
    let mut left = Left::default();
    let all = plan.changes.len();
    for (number, change) in plan.changes.iter().enumerate() {
        let line = change.line();
        if !approved.contains(&number) {
            left.declined.push(line);
            continue;
        }
        registrar.progress(&line, i64::try_from(100 * number / all).ok());
        let certificate = match &wanted.proof {
            Some(Proof::Certificate(credential)) => credential.certificate(),
            Some(Proof::Secret { .. }) | None => None,
        };
        let made = async { Ok(applied.apply(&registrar, change, certificate).await) };
        match or_cancelled(&cancel, made).await? {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                fail(&sink, name, &line, error).await?;
                left.failed.push(line);
            }
            None => left.failed.push(format!("{line} (what it needs is not there)")),
        }
    }
    let credential = credential(&registrar, &wanted, &applied)?;
    if let Some(credential) = &credential {
        let is_new = applied.secret.is_some() || applied.has_new_certificate;
        if is_new && applied.principal_id.is_some() {
            let proved = or_cancelled(&cancel, application::prove(&registrar, credential)).await;
            if let Err(error) = proved {
                if error.is_cancelled() {
                    return Err(error);
                }
                sink.warning(format!("The new credential could not be tried yet: {}", error.told()))
                    .await?;
            }
        }
        context.made(credential);
    }
    let written = write_csv(&registrar, &wanted, new_name, &state, &applied);
    registrar.finished();
    if let Err(error) = written {
        fail(&sink, name, "Write the CSV file", error).await?;
    }
    sink.record(result(
        &registrar,
        new_name,
        &state,
        plan,
        applied,
        left,
        credential.is_some(),
    ))
    .await
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

fn write_csv(registrar: &Registrar, wanted: &Wanted, name: &str, state: &State, applied: &Applied) -> Result<()> {
    let (Some(path), Some(secret), Some(id)) = (&wanted.csv, &applied.secret, &applied.application_id) else {
        return Ok(());
    };
    let row = application::Row {
        application: name,
        tenant_name: state.tenant_name.as_deref().unwrap_or_default(),
        tenant_id: registrar.tenant().as_str(),
        client_id: id,
        secret: &secret.value,
    };
    application::write_csv(path, &row)
}

fn result(
    registrar: &Registrar,
    name: &str,
    state: &State,
    plan: Plan,
    applied: Applied,
    left: Left,
    has_credential: bool,
) -> Value {
    let secret = applied.secret.as_ref();
    Value::map()
        .with("displayName", name)
        .with("applicationId", applied.application_id)
        .with("objectId", applied.object_id)
        .with("servicePrincipalId", applied.principal_id)
        .with("tenantId", registrar.tenant().as_str())
        .with("tenantName", state.tenant_name.clone())
        .with("created", applied.created)
        .with("changed", applied.changed)
        .with("unchanged", plan.unchanged)
        .with("failed", left.failed)
        .with("declined", left.declined)
        .with("hasCredential", has_credential)
        .with("secretId", secret.map(|secret| secret.key_id.clone()))
        .with(
            "secretExpiresOn",
            secret.map_or(Value::Null, |secret: &NewSecret| Value::Time(secret.ends)),
        )
}
