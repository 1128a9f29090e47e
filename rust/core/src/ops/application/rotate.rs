//! `credential_rotate`: a new secret or certificate in place of the one that a credential has.
//!
//! `credential` or `accessToken` is the administrator; without either the application changes itself, and where it may not, the error's
//! id is `NeedsAdministrator`. `vaultCredential` and `defaultCredential` are at hand too: a key that one of them proves itself with
//! stays, unless `force` is set. What was added is proved, stored and named to the end even where the operation is stopped meanwhile, or
//! taken away again. For a store of the host a record holds what the host has to write, and `id`, by which it tells how that went.

use super::{approved, change, fail};
use crate::application::{self, Caller, Kept, Registrar, Rotation, RotationPlan, RotationWanted, Step};
use crate::credential::Credential;
use crate::engine::Session;
use crate::error::{Error, Kind, Result};
use crate::export::time::iso;
use crate::operation::{or_cancelled, Context, Operation};
use crate::request::{Field, Request};
use crate::store::{Document, Place, Save};
use crate::value::Value;
use std::sync::Arc;

const ACTIVITY: &str = "Updating the credential";
const NEEDS_ADMINISTRATOR: &str = "NeedsAdministrator";
const OWN_PERMISSIONS: [&str; 2] = ["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
const UNSTORED: &str = "The new credential is not in the store: save it there, and the next update removes this key.";
const DECLINED: &str = "Its removal was declined.";
const VAULT_USER: &str =
    "The credential that opens the key vault proves itself with it: give that a key of its own first.";
/// The fields with other credentials at hand, and why a key stays that one of them proves itself with.
const USERS: [(&str, &str); 3] = [
    (
        "credential",
        "-AdministratorCredential proves itself with it: give that a key of its own first.",
    ),
    (
        "defaultCredential",
        "The session's default credential proves itself with it: set another one with Set-SecureAppDefault first.",
    ),
    ("vaultCredential", VAULT_USER),
];

/// Who changes the application.
struct Who {
    caller: Caller,
    is_itself: bool,
    /// Other credentials at hand, and why a key stays that they prove themselves with.
    users: Vec<(&'static str, Arc<Credential>)>,
}

pub(in crate::ops) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[&application::CALLER_FIELDS[..], &application::ROTATION_FIELDS].concat())?;
    // What is wrong with one of many credentials is that one's failure, so it comes out of the operation.
    let read = RotationWanted::read(request).and_then(|wanted| Ok((who(session, request, &wanted)?, wanted)));
    Ok(Operation::spawn(session, |context| async move {
        let (who, wanted) = read?;
        run(context, who, wanted).await
    }))
}

fn who(session: &Session, request: &Request, wanted: &RotationWanted) -> Result<Who> {
    let is_itself = request.opt_credential("credential")?.is_none() && request.opt_secret("accessToken")?.is_none();
    let mut users = Vec::new();
    for (field, why) in USERS {
        users.extend(request.opt_credential(field)?.map(|one| (why, Arc::clone(one))));
    }
    if let Some(Place::Vault(place)) = wanted.place().as_deref() {
        users.extend(place.access.as_ref().map(|one| (VAULT_USER, Arc::clone(one))));
    }
    let mut asked = request.clone();
    if is_itself {
        asked.set("credential", Field::Credential(Arc::clone(&wanted.subject)));
        asked.set("appOnly", Field::Int(1));
    }
    Ok(Who {
        caller: Caller::read(session.engine(), &asked)?,
        is_itself,
        users,
    })
}

async fn run(mut context: Context, who: Who, wanted: RotationWanted) -> Result<()> {
    let (cancel, sink) = (context.cancel.clone(), context.sink.clone());
    let engine = Arc::clone(&context.engine);
    let read = async {
        let registrar = match who.is_itself {
            true => itself(who.caller, &context).await?,
            false => who.caller.sign_in(&engine, &sink, ACTIVITY).await?,
        };
        let found = application::by_id(&registrar, wanted.subject.application_id()).await?;
        Ok((registrar, found))
    };
    let (registrar, found) = or_cancelled(&cancel, read).await?;
    let plan = RotationPlan::make(&wanted, &found, &who.users);
    registrar.finished();
    if plan.is_unclear {
        sink.warning("Nothing in the registration says for certain which of its keys is this credential's: none is removed for it, and the result lists them.").await?;
    }
    sink.record(told(&registrar, found.name(), &plan)).await?;
    let approved = approved(&mut context.input, &cancel).await?;
    // The new key is the first step, without which there is no other.
    if !approved.contains(&0) {
        return Ok(());
    }
    let steps = plan.steps.iter().enumerate();
    let agreed: Vec<&Step> = steps
        .filter(|(number, _)| approved.contains(number))
        .map(|(_, step)| step)
        .collect();
    let has_store = wanted.place().is_some();
    let is_stored = agreed.iter().any(|step| matches!(step, Step::Store(_)));
    let rotation = Rotation {
        registrar: &registrar,
        application: &found,
        wanted: &wanted,
        plan: &plan,
    };
    let mut new = rotation.make(is_stored, &cancel).await?;
    let is_stored = match wanted.place().as_deref() {
        Some(Place::Vault(_)) if is_stored => rotation.store(&new).await.map(|()| true)?,
        Some(Place::Host { .. }) if is_stored => by_host(&context, &wanted, &new.credential).await?,
        _ => false,
    };
    rotation.name(&mut new).await;
    let removes = agreed.iter().any(|step| matches!(step, Step::Retire(_)));
    if is_stored && removes {
        or_cancelled(&cancel, grace(&registrar, &wanted)).await?;
    }
    let mut left: Vec<Value> = plan.kept.iter().map(Kept::value).collect();
    let mut retired = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let Step::Retire(entry) = step else { continue };
        let reason = match (has_store && !is_stored, approved.contains(&number)) {
            (true, _) => UNSTORED.to_owned(),
            (_, false) => DECLINED.to_owned(),
            _ => match or_cancelled(&cancel, rotation.retire(entry)).await {
                Ok(()) => {
                    retired.push(entry.value());
                    continue;
                }
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => {
                    let reason = format!("It could not be removed: {}", error.message());
                    fail(&sink, found.name(), &step.line(), error).await?;
                    reason
                }
            },
        };
        let entry = entry.clone();
        left.push(Kept { entry, reason }.value());
    }
    registrar.finished();
    context.made(&new.credential);
    let store = wanted.place().filter(|_| is_stored);
    sink.record(
        Value::map()
            .with("displayName", found.name())
            .with("applicationId", found.app_id.as_str())
            .with("objectId", found.id.as_str())
            .with("tenantId", registrar.tenant().as_str())
            .with("kind", new.kind.name())
            .with("keyId", new.key_id)
            .with("expiresOn", Value::Time(new.ends))
            .with("store", store.map_or(Value::Null, |place| place.describe()))
            .with("retired", Value::List(retired))
            .with("kept", Value::List(left)),
    )
    .await
}

/// Lets the application in by itself, where it may change itself.
async fn itself(caller: Caller, context: &Context) -> Result<Registrar> {
    let entered = async {
        let registrar = caller.sign_in(&context.engine, &context.sink, ACTIVITY).await?;
        let permissions = registrar.application_permissions().await?;
        Ok::<_, Error>((registrar, permissions))
    };
    let advice = "An administrator has to let the command in: use -AdministratorCredential, -AccessToken or -UseDeviceCode, or let the application do it: Set-SecureApp -AllowSelfUpdate -GrantAdminConsent.";
    let refuse = |message: String| {
        Error::new(Kind::Denied, message)
            .with_id(NEEDS_ADMINISTRATOR)
            .advise(advice)
    };
    match entered.await {
        Ok((registrar, permissions)) => match permissions.iter().any(|one| OWN_PERMISSIONS.contains(&one.as_str())) {
            true => Ok(registrar),
            false => Err(refuse(format!(
                "the application may not change itself: it has neither of the permissions {} of Microsoft Graph",
                OWN_PERMISSIONS.join(" and ")
            ))
            .for_tenant(registrar.tenant().as_str())),
        },
        Err(error) if error.kind() == Kind::NotSignedIn => {
            let named =
                refuse(format!("the application cannot change itself: {}", error.message())).for_tenant(error.tenant());
            Err(match error.service() {
                Some(service) => named.with_service(service.clone()),
                None => named,
            })
        }
        Err(error) => Err(error),
    }
}

/// Has the host write the new credential to its own store. False where it could not, which it says itself.
async fn by_host(context: &Context, wanted: &RotationWanted, credential: &Arc<Credential>) -> Result<bool> {
    let Some(binding) = &wanted.binding else {
        return Ok(false);
    };
    let environment = binding.environment();
    let document = Document::of(credential, environment, context.engine.clock().now_ms(), false)?;
    let text = document.write()?;
    let place = binding.place();
    let Place::Host { store, name } = &*place else {
        return Err(Error::internal("a key vault is not the host's to write"));
    };
    let (id, hears) = context.engine.stores().host_saves(Save {
        credential: Arc::clone(credential),
        place: Arc::clone(&place),
        environment,
        single_use: false,
        document,
    });
    let record = Value::map()
        .with("id", id)
        .with("hostStore", store.as_str())
        .with("name", name.as_str())
        .with("document", Value::Hidden(text));
    context.sink.record(record).await?;
    // Who goes away without a word has not written it.
    context.or_cancelled(async { Ok(hears.await.unwrap_or(false)) }).await
}

/// Leaves those time who have just read the old credential.
async fn grace(registrar: &Registrar, wanted: &RotationWanted) -> Result<()> {
    let now = registrar.engine().clock().now_ms();
    let until = now.saturating_add(i64::try_from(wanted.retire_after.as_millis()).unwrap_or(i64::MAX));
    registrar.progress(
        &format!(
            "waiting until {} before the old key is removed: others may have just read it",
            iso(until)
        ),
        None,
    );
    tokio::time::sleep(wanted.retire_after).await;
    Ok(())
}

fn told(registrar: &Registrar, name: &str, plan: &RotationPlan) -> Value {
    let steps = plan.steps.iter().enumerate();
    Value::map()
        .with("plan", true)
        .with("displayName", name)
        .with("tenantId", registrar.tenant().as_str())
        .with(
            "changes",
            Value::List(steps.map(|(number, step)| change(number, &step.line())).collect()),
        )
}
