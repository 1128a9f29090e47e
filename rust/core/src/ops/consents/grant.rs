//! Granting what a tenant has not consented to yet.

use super::replace::{self, HIDDEN};
use super::row::{Outcome, Row};
use super::{Asking, Customer};
use crate::consent::{Granted, Seen, Wanted};
use crate::error::{Error, Kind, Result};
use crate::operation::or_cancelled;
use futures_util::future::try_join_all;
use std::time::Duration;

/// How often a token is asked whether it shows a new consent, which takes up to a minute: at once, and after waits that double.
const LOOKS: u32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(super) async fn grant(asking: &Asking, customer: &Customer) -> Result<Vec<Row>> {
    let seen = asking
        .look(customer, asking.wanted.iter().map(|wanted| &wanted.api))
        .await?;
    let mut rows = Vec::with_capacity(seen.len());
    for (wanted, seen) in asking.wanted.iter().zip(seen) {
        rows.push(first(asking, customer, wanted, seen).await?);
    }
    if rows.iter().any(|row| row.outcome == Outcome::Incomplete) {
        replace::replace(asking, customer, &mut rows).await?;
    }
    let is_lost = rows.iter().any(Row::is_lost);
    if rows.iter().any(|row| row.outcome.is_change()) {
        asking.forget(customer)?;
    }
    if asking.verify {
        let verified = try_join_all(rows.iter_mut().map(|row| verify(asking, customer, row))).await;
        // A stop does not hide what was lost before it.
        if !is_lost {
            verified?;
        }
    }
    Ok(rows)
}

/// Grants where there is nothing. What is there and not enough comes back as incomplete.
async fn first(asking: &Asking, customer: &Customer, wanted: &Wanted, seen: Seen) -> Result<Row> {
    match &seen {
        Seen::Scopes(_) => return Ok(compared(wanted, seen)),
        // Whoever cannot be asked now is not changed either.
        Seen::Hidden(error) if error.is_retryable() => {
            return Ok(Row::of(wanted, Outcome::Failed).because(error.clone()));
        }
        _ => {}
    }
    match or_cancelled(&asking.cancel, asking.partner_center.grant(&customer.id, wanted)).await {
        Ok(Granted::New) => Ok(Row::of(wanted, Outcome::Granted)),
        Ok(Granted::Exists) => match seen {
            Seen::Hidden(error) => Ok(Row::of(wanted, Outcome::Failed).because(hidden(customer, wanted, &error))),
            // It may be too young to be seen.
            _ => Ok(match wait_for(asking, customer, wanted).await? {
                Seen::Nothing => Row::of(wanted, Outcome::Failed).because(hidden(customer, wanted, &unseen())),
                seen => compared(wanted, seen),
            }),
        },
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => Ok(Row::of(wanted, Outcome::Failed).because(error)),
    }
}

/// What is there already.
fn compared(wanted: &Wanted, seen: Seen) -> Row {
    let mut row = Row::shown(wanted, seen);
    match row.outcome {
        Outcome::Granted => (row.outcome, row.verified) = (Outcome::AlreadyGranted, Some(true)),
        Outcome::Unknown => row.outcome = Outcome::Failed,
        _ => row.outcome = Outcome::Incomplete,
    }
    row
}

/// There is a consent, and no token shows it: it may hold more than is asked for.
#[cold]
fn unseen() -> Error {
    Error::new(Kind::Protocol, "tokens do not show it yet").advise("Run the same command again in a few minutes.")
}

#[cold]
fn hidden(customer: &Customer, wanted: &Wanted, cause: &Error) -> Error {
    let message = format!(
        "{} has consented to something of {} already, and what that is cannot be seen: {cause}",
        customer.id, wanted.api.name
    );
    let error = Error::new(cause.kind(), message)
        .with_id(HIDDEN)
        .advise(cause.advice())
        .for_tenant(customer.id.as_str())
        .for_resource(&wanted.api.name);
    match cause.service() {
        Some(service) => error.with_service(service.clone()),
        None => error,
    }
}

/// Looks until a token shows all that is wanted, or until waiting does not help.
async fn wait_for(asking: &Asking, customer: &Customer, wanted: &Wanted) -> Result<Seen> {
    let mut wait = asking.engine.first_wait();
    for look in 1.. {
        let mut seen = asking.look(customer, [&wanted.api]).await?;
        let Some(seen) = seen.pop() else { break };
        let is_last = match &seen {
            Seen::Scopes(held) => wanted.missing(held).is_empty(),
            Seen::Nothing => false,
            Seen::Hidden(error) => !error.is_retryable(),
        };
        if is_last || look >= LOOKS {
            return Ok(seen);
        }
        or_cancelled(&asking.cancel, async {
            tokio::time::sleep(wait).await;
            Ok(())
        })
        .await?;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    Ok(Seen::Nothing)
}

/// Sees that what was granted is in a token.
async fn verify(asking: &Asking, customer: &Customer, row: &mut Row) -> Result<()> {
    let Some(wanted) = row.wanted.clone().filter(|_| row.outcome.is_change()) else {
        return Ok(());
    };
    match wait_for(asking, customer, &wanted).await? {
        Seen::Scopes(held) => {
            row.verified = Some(wanted.missing(&held).is_empty());
            row.held = Some(held);
        }
        Seen::Nothing => row.verified = Some(false),
        Seen::Hidden(error) => {
            row.verified = Some(false);
            row.error = Some(error);
        }
    }
    Ok(())
}
