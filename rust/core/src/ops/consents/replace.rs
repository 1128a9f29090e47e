//! Consent that is there and not enough: there is no way to add to it, so all of it is removed and granted again.
//!
//! Between the two the application can do nothing in the tenant. So what it may do there with other APIs is read before, a stop
//! does not come between, and what cannot be granted again is said as loudly as can be. A process that is killed says nothing: so
//! the command that restores everything has been read before anything is removed.

use super::row::{Outcome, Row};
use super::{Asking, Customer};
use crate::consent::listed::listed;
use crate::consent::{Api, Granted, Seen, Wanted};
use crate::error::{Error, Kind, Result};
use crate::operation::or_cancelled;
use crate::token::{asks_for_consent, lacks_resource};

/// There is a consent, and what it holds cannot be seen: it would not be whole afterwards.
pub(super) const HIDDEN: &str = "ConsentHidden";
/// What was removed could not be granted again.
pub(super) const LOST: &str = "ConsentLost";
/// What was wanted besides was refused, and the rest is as it was.
const NOT_ADDED: &str = "ConsentNotAdded";
/// How often a grant is sent after a removal that the service has not noticed everywhere yet.
const GRANTS: u32 = 5;

/// What goes with the rest and has no row.
struct Kept {
    all: Vec<Wanted>,
    /// Why there may be more.
    unlisted: Option<Error>,
}

/// Replaces the consent of a tenant so that the incomplete rows become whole. The other rows keep what they have, and so do APIs
/// that have no row.
pub(super) async fn replace(asking: &Asking, customer: &Customer, rows: &mut Vec<Row>) -> Result<()> {
    let kept = match others(asking, customer, rows).await? {
        Ok(kept) => kept,
        Err(error) => {
            fail_incomplete(rows, &error);
            return Ok(());
        }
    };
    asking.sink.warning(warning(customer, rows, &kept)).await?;
    asking.sink.until_read().await?;
    // From here on nothing is broken off.
    let removed = asking.partner_center.revoke(&customer.id).await;
    match &removed {
        Err(error) if !error.is_retryable() => {
            fail_incomplete(rows, error);
            return Ok(());
        }
        // It may have been removed although nobody said so: granting it again mends that, or finds it there.
        _ => {}
    }
    for row in rows.iter_mut() {
        restore(asking, customer, row, &removed).await;
    }
    for wanted in kept.all {
        let mut row = Row::of(&wanted, Outcome::AlreadyGranted).seen(wanted.scopes.clone());
        restore(asking, customer, &mut row, &removed).await;
        if row.outcome == Outcome::Failed {
            rows.push(row);
        }
    }
    Ok(())
}

/// What goes with the rest and has no row, or why it cannot be told.
async fn others(asking: &Asking, customer: &Customer, rows: &[Row]) -> Result<Result<Kept>> {
    // What could not be asked for or granted may be there all the same, and would go with the rest.
    let unseen = rows.iter().find(|row| row.outcome == Outcome::Failed);
    if let Some((row, error)) = unseen.and_then(|row| Some((row, row.error.as_ref()?))) {
        if error.id() == HIDDEN {
            return Ok(Err(error.clone()));
        }
        if let Some(wanted) = &row.wanted {
            return Ok(Err(untouched(customer, &wanted.api.name, error)));
        }
    }
    let has_row = |api: &Api| {
        rows.iter()
            .any(|row| row.wanted.as_ref().is_some_and(|wanted| wanted.api == *api))
    };
    let mut apis = Api::all(asking.question.environment());
    apis.retain(|api| !has_row(api));
    let seen = asking.look(customer, &apis).await?;
    let mut kept = Vec::new();
    for (api, seen) in apis.into_iter().zip(seen) {
        match seen {
            Seen::Scopes(scopes) if !scopes.is_empty() => kept.push(Wanted { api, scopes }),
            Seen::Scopes(_) | Seen::Nothing => {}
            Seen::Hidden(error) if lacks_resource(&error) => {}
            Seen::Hidden(error) => return Ok(Err(untouched(customer, &api.name, &error))),
        }
    }
    let unlisted = match or_cancelled(&asking.cancel, listed(&asking.engine, &customer.question)).await {
        Ok(all) => {
            for wanted in all {
                if !has_row(&wanted.api) && !kept.iter().any(|own| own.api == wanted.api) {
                    kept.push(wanted);
                }
            }
            None
        }
        Err(error) if error.is_cancelled() => return Err(error),
        // Where the application may not read the directory that stays so; everything else may be different next time.
        Err(error) if error.kind() == Kind::Denied || asks_for_consent(&error) => Some(error),
        Err(error) => return Ok(Err(untouched(customer, "further APIs", &error))),
    };
    Ok(Ok(Kept { all: kept, unlisted }))
}

/// What is about to happen, and how it is put right if nobody is left to do it.
fn warning(customer: &Customer, rows: &[Row], kept: &Kept) -> String {
    let whole: Vec<Wanted> = rows
        .iter()
        .filter_map(Row::whole)
        .chain(kept.all.iter().cloned())
        .collect();
    let scopes: Vec<String> = whole.iter().flat_map(Wanted::qualified).collect();
    let unspeakable = whole.iter().map(|wanted| wanted.scopes.len()).sum::<usize>() - scopes.len();
    let mut text = format!(
        "The consent of {tenant} lacks permissions and cannot be added to, so all of it is removed now and granted again. If that is \
         broken off, as by the end of this process, run this with the same credential and environment: Grant-SecureAppConsent \
         -TenantId {tenant} -Scope {}",
        scopes.join(", "),
        tenant = customer.id
    );
    if unspeakable > 0 {
        text.push_str(&format!(
            "\nThat does not bring back {unspeakable} permissions with names that -Scope does not take: an administrator of the customer \
             consents to those."
        ));
    }
    if let Some(error) = &kept.unlisted {
        text.push_str(&format!(
            "\nCONSENT TO FURTHER APIS, if there is any, IS LOST WITH IT: it cannot be seen, because the tenant's directory cannot be \
             read ({}). Grant it again with -Resource and -Scope.",
            error.message()
        ));
    }
    text
}

#[cold]
fn untouched(customer: &Customer, api: &str, cause: &Error) -> Error {
    let message = format!(
        "the consent of {} was left as it is: it would have to be replaced, and what it holds of {api} cannot be seen: {cause}",
        customer.id
    );
    let advice = format!(
        "{} Or, if nothing of {api} is needed there, run Revoke-SecureAppConsent -TenantId {tenant} and then Grant-SecureAppConsent \
         -TenantId {tenant} with everything that is.",
        cause.advice(),
        tenant = customer.id
    );
    Error::new(cause.kind(), message)
        .with_id(HIDDEN)
        .advise(advice.trim_start())
        .for_tenant(customer.id.as_str())
}

fn fail_incomplete(rows: &mut [Row], error: &Error) {
    for row in rows.iter_mut().filter(|row| row.outcome == Outcome::Incomplete) {
        row.fail(error.clone());
    }
}

/// Grants again what a row had, and what it wants.
async fn restore(asking: &Asking, customer: &Customer, row: &mut Row, removed: &Result<bool>) {
    let Some(whole) = row.whole() else { return };
    let is_incomplete = row.outcome == Outcome::Incomplete;
    match (again(asking, customer, &whole).await, removed) {
        (Ok(Granted::New), _) if is_incomplete => {
            row.outcome = Outcome::Replaced;
            row.held = None;
        }
        (Ok(Granted::New), _) => {}
        (Ok(Granted::Exists), Err(error)) if is_incomplete => row.fail(error.clone()),
        (Ok(Granted::Exists), Ok(_)) if is_incomplete => row.fail(still_there(customer, &whole)),
        (Ok(Granted::Exists), _) => {}
        (Err(error), _) => {
            // A permission that the API does not have is no reason to go without those that were there.
            let before = row
                .before()
                .filter(|_| is_incomplete && error.kind() == Kind::InvalidInput);
            match before {
                Some(before) if again(asking, customer, &before).await.is_ok() => {
                    row.fail(not_added(customer, &before, &error));
                }
                before => {
                    row.fail(lost(asking, customer, &before.unwrap_or(whole), &error));
                    row.held = None;
                }
            }
        }
    }
}

/// Grants what has just been removed, which not all of the service may know yet.
async fn again(asking: &Asking, customer: &Customer, whole: &Wanted) -> Result<Granted> {
    let mut wait = asking.engine.first_wait();
    for _ in 1..GRANTS {
        match asking.partner_center.grant(&customer.id, whole).await? {
            Granted::New => return Ok(Granted::New),
            Granted::Exists => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
    asking.partner_center.grant(&customer.id, whole).await
}

#[cold]
fn still_there(customer: &Customer, whole: &Wanted) -> Error {
    let message = format!(
        "the consent for {} in {} could not be replaced: Partner Center has removed it and says that it is still there",
        whole.api.name, customer.id
    );
    Error::new(Kind::Server, message)
        .advise(format!(
            "See with Get-SecureAppConsent -TenantId {} in some minutes what is there, and grant it again.",
            customer.id
        ))
        .for_tenant(customer.id.as_str())
        .for_resource(&whole.api.name)
}

#[cold]
fn not_added(customer: &Customer, before: &Wanted, cause: &Error) -> Error {
    let (tenant, api) = (&customer.id, &before.api.name);
    let message = format!(
        "the permissions of {api} could not be added to the consent of {tenant}, and what was there before was granted again: {cause}"
    );
    let error = Error::new(cause.kind(), message)
        .with_id(NOT_ADDED)
        .advise(cause.advice())
        .for_tenant(tenant.as_str())
        .for_resource(api);
    match cause.service() {
        Some(service) => error.with_service(service.clone()),
        None => error,
    }
}

#[cold]
fn lost(asking: &Asking, customer: &Customer, whole: &Wanted, cause: &Error) -> Error {
    let (tenant, api) = (&customer.id, &whole.api.name);
    let message = format!(
        "THE CONSENT for {api} in {tenant} WAS REMOVED to be replaced, and could not be granted again: {cause}"
    );
    let error = Error::new(cause.kind(), message)
        .with_id(LOST)
        .advise(format!(
            "Until it is back, nothing works with {api} in this tenant. Run this now: Grant-SecureAppConsent -TenantId {tenant} \
             -Resource {api} -Scope {}. Or an administrator of the customer opens {} and accepts.",
            whole.speakable().collect::<Vec<_>>().join(", "),
            asking.partner_center.page(tenant)
        ))
        .for_tenant(tenant.as_str())
        .for_resource(api);
    match cause.service() {
        Some(service) => error.with_service(service.clone()),
        None => error,
    }
}
