//! Consent that is there and not enough: there is no way to add to it, so all of it is removed and granted again.
//!
//! Between the two the application can do nothing in the tenant. So what it may do there with other APIs is read before, a stop
//! does not come between, and what cannot be granted again is said as loudly as can be.

use super::row::{Outcome, Row};
use super::{Asking, Customer};
use crate::consent::{Api, Granted, Seen, Wanted};
use crate::error::{Error, Kind, Result};
use crate::operation::log;
use crate::token::lacks_resource;

/// There is a consent, and what it holds cannot be seen: it would not be whole afterwards.
pub(super) const HIDDEN: &str = "ConsentHidden";
/// What was removed could not be granted again.
const LOST: &str = "ConsentLost";
/// How often a grant is sent after a removal that the service has not noticed everywhere yet.
const GRANTS: u32 = 5;

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
    log::verbose(|| {
        format!(
            "Removing the consent of {}, to grant it again with more permissions",
            customer.id
        )
    });
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
    for wanted in kept {
        let mut row = Row::of(&wanted, Outcome::AlreadyGranted).seen(wanted.scopes.clone());
        restore(asking, customer, &mut row, &removed).await;
        if row.outcome == Outcome::Failed {
            rows.push(row);
        }
    }
    Ok(())
}

/// What goes with the rest and has no row, or why it cannot be told.
async fn others(asking: &Asking, customer: &Customer, rows: &[Row]) -> Result<Result<Vec<Wanted>>> {
    // What could not be asked for or granted may be there all the same, and would go with the rest.
    let unseen = rows.iter().find(|row| row.outcome == Outcome::Failed);
    if let Some((row, error)) = unseen.and_then(|row| Some((row, row.error.as_ref()?))) {
        if error.id() == HIDDEN {
            return Ok(Err(error.clone()));
        }
        if let Some(wanted) = &row.wanted {
            return Ok(Err(untouched(customer, &wanted.api, error)));
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
            Seen::Hidden(error) => return Ok(Err(untouched(customer, &api, &error))),
        }
    }
    Ok(Ok(kept))
}

#[cold]
fn untouched(customer: &Customer, api: &Api, cause: &Error) -> Error {
    let message = format!(
        "the consent of {} was left as it is: it would have to be replaced, and what it holds of {} cannot be seen: {cause}",
        customer.id, api.name
    );
    let advice = format!(
        "{} Or, if nothing of {} is needed there, run Revoke-SecureAppConsent -TenantId {tenant} and then Grant-SecureAppConsent \
         -TenantId {tenant} with everything that is.",
        cause.advice(),
        api.name,
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
    let Some(wanted) = row.wanted.as_ref().filter(|_| row.outcome != Outcome::Failed) else {
        return;
    };
    let whole = wanted.and(row.held.as_deref().unwrap_or_default());
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
            row.fail(lost(asking, customer, &whole, &error));
            row.held = None;
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
            whole.scopes.join(", "),
            asking.partner_center.page(tenant)
        ))
        .for_tenant(tenant.as_str())
        .for_resource(api);
    match cause.service() {
        Some(service) => error.with_service(service.clone()),
        None => error,
    }
}
