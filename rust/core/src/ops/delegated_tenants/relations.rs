//! What delegated admin relationships have to do with the list of customers: who is kept because of them, and what is said of those
//! that end soon.

use crate::delegated::merge::Customer;
use crate::delegated::relationship::{self, Relationship};
use crate::delegated::roles;
use crate::error::{Error, Result};
use crate::export::time;
use crate::graph::GraphApi;
use crate::operation::Context;
use crate::request::Request;
use crate::token::TokenRequest;
use crate::value::Value;
use futures_util::{stream, StreamExt};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
/// An end so near is warned of where nothing else is said.
const SOON: i64 = 30;
/// Customers that a warning names.
const NAMED: usize = 5;

/// Whether relationships are wanted, and of which customers.
pub(super) struct Relations {
    wanted: bool,
    assignments: bool,
    /// Ids of role templates, one of which a customer must have given.
    roles: Vec<String>,
    /// Days within which a role must end.
    expiring: Option<i64>,
}

/// Relationships by their customers' tenants.
#[derive(Default)]
pub(super) struct Known(HashMap<String, Vec<Relationship>>);

impl Relations {
    pub(super) const FIELDS: [&'static str; 4] = ["relationships", "assignments", "roles", "expiringDays"];

    pub(super) fn read(request: &Request) -> Result<Self> {
        let asked = request.texts("roles")?;
        let roles: Vec<String> = asked.iter().map(|role| roles::id(role)).collect::<Result<_>>()?;
        let expiring = request.opt_int("expiringDays")?;
        if expiring.is_some_and(|days| !(1..=730).contains(&days)) {
            return Err(Error::invalid("relationships end within no such number of days").advise("Give 1 to 730 days."));
        }
        let assignments = request.flag("assignments")?;
        Ok(Relations {
            wanted: request.flag("relationships")? || assignments || !roles.is_empty() || expiring.is_some(),
            assignments,
            roles,
            expiring,
        })
    }

    /// Reads the relationships, where they are wanted. That they cannot be read is a warning, unless customers are chosen by
    /// them.
    pub(super) async fn fetch(&self, context: &Context, partner: &TokenRequest) -> Result<Option<Known>> {
        if !self.wanted {
            return Ok(None);
        }
        let api = GraphApi::new(Arc::clone(&context.engine), partner.clone())?;
        match relationship::read(&api).await {
            Ok((found, unclear)) => {
                if unclear > 0 {
                    let text =
                        format!("{unclear} delegated admin relationships could not be understood, and are left out.");
                    context.sink.warning(text).await?;
                }
                Ok(Some(Known::of_all(found)))
            }
            Err(error) if error.is_cancelled() || self.chooses() => Err(error),
            Err(error) => {
                let text = format!("Delegated admin relationships could not be read: {}.", error.told());
                context.sink.warning(text).await?;
                Ok(None)
            }
        }
    }

    fn chooses(&self) -> bool {
        !self.roles.is_empty() || self.expiring.is_some()
    }

    pub(super) fn wants(&self, customer: &Customer, known: Option<&Known>, now: i64) -> bool {
        let own = known.map_or(&[][..], |known| known.of(&customer.tenant_id));
        let mut in_force = own.iter().filter(|one| one.is_in_force());
        let has_role = self.roles.is_empty() || in_force.any(|one| self.roles.iter().any(|role| one.has_role(role)));
        has_role
            && self
                .expiring
                .is_none_or(|days| first_loss(own, Extension::Ignored).is_some_and(|end| end <= now + days * DAY_MS))
    }

    /// Reads which groups hold the roles, of so many relationships at a time. What cannot be read is a warning.
    pub(super) async fn complete(
        &self,
        context: &Context,
        partner: &TokenRequest,
        customers: &[Customer],
        known: &mut Known,
        throttle: usize,
    ) -> Result<()> {
        if !self.assignments {
            return Ok(());
        }
        let api = &GraphApi::new(Arc::clone(&context.engine), partner.clone())?;
        let wanted: HashSet<&str> = customers.iter().map(|customer| customer.tenant_id.as_str()).collect();
        let relationships = known.0.values_mut().flatten();
        let reading: Vec<_> = relationships
            .filter(|one| one.is_in_force() && wanted.contains(one.tenant_id.as_str()))
            .map(|one| one.read_assignments(api))
            .collect();
        let mut read = stream::iter(reading).buffer_unordered(throttle);
        let mut failures = Vec::new();
        while let Some(result) = read.next().await {
            match result {
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => failures.push(error),
                Ok(()) => {}
            }
        }
        if let Some(first) = failures.first() {
            let text = format!(
                "The groups that hold the roles of {} delegated admin relationships could not be read: {}.",
                failures.len(),
                first.told()
            );
            context.sink.warning(text).await?;
        }
        Ok(())
    }

    /// The warning for roles that end soon and do not go on by themselves.
    pub(super) fn ending(&self, customers: &[Customer], known: &Known, now: i64) -> Option<String> {
        let days = self.expiring.unwrap_or(SOON);
        let mut ending: Vec<(i64, &Customer)> = customers
            .iter()
            .filter_map(|customer| {
                let end = first_loss(known.of(&customer.tenant_id), Extension::Counted)?;
                (end <= now + days * DAY_MS).then_some((end, customer))
            })
            .collect();
        ending.sort_by_key(|(end, _)| *end);
        let named = ending.iter().take(NAMED).map(|(end, customer)| {
            let day = time::day(end.div_euclid(1000)).unwrap_or_default();
            let name = customer.display_name.as_deref().unwrap_or(&customer.tenant_id);
            format!("{name} ({day})")
        });
        let mut list = named.collect::<Vec<_>>().join(", ");
        if ending.len() > NAMED {
            list.push_str(&format!(" and {} more", ending.len() - NAMED));
        }
        (!ending.is_empty()).then(|| {
            format!(
                "Delegated admin relationships end within {days} days and do not extend themselves: {list}. Roles that they give are \
                 gone then; a new relationship has to be asked for, and approved by the customer, before."
            )
        })
    }
}

impl Known {
    fn of_all(relationships: impl IntoIterator<Item = Relationship>) -> Self {
        let mut known = Known::default();
        for relationship in relationships {
            let of_tenant = known.0.entry(relationship.tenant_id.clone()).or_default();
            of_tenant.push(relationship);
        }
        for own in known.0.values_mut() {
            own.sort_by_key(|one| std::cmp::Reverse((one.is_in_force(), one.ends)));
        }
        known
    }

    /// Those with a customer: what is in force first, and of that what ends last.
    fn of(&self, tenant_id: &str) -> &[Relationship] {
        self.0.get(tenant_id).map_or(&[], Vec::as_slice)
    }

    /// The record of a customer with what is known of its relationships.
    pub(super) fn add_to(&self, tenant_id: &str, record: Value) -> Value {
        let own = self.of(tenant_id);
        let mut held: Vec<String> = Vec::new();
        for role in own.iter().filter(|one| one.is_in_force()).flat_map(|one| &one.roles) {
            if !held.contains(role) {
                held.push(role.clone());
            }
        }
        record
            .with(
                "relationships",
                Value::List(own.iter().map(Relationship::to_value).collect()),
            )
            .with("roles", relationship::named(&held))
            .with("ends", first_loss(own, Extension::Ignored).map(Value::Time))
    }
}

/// What a relationship that extends itself counts for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extension {
    /// It ends as if it did not.
    Ignored,
    /// It does not end.
    Counted,
}

/// When the first role ends that no other relationship in force goes on giving; milliseconds since 1970.
fn first_loss(own: &[Relationship], extension: Extension) -> Option<i64> {
    let end = |one: &Relationship| match one.ends {
        Some(end) if !(extension == Extension::Counted && one.extends_itself()) => end,
        _ => i64::MAX,
    };
    let in_force = || own.iter().filter(|one| one.is_in_force());
    let last = |role: &String| in_force().filter(|one| one.has_role(role)).map(end).max();
    let first = in_force().flat_map(|one| &one.roles).filter_map(last).min();
    first.filter(|end| *end != i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: &str, seconds: i64, auto_extend: &str) -> Relationship {
        Relationship::of("active", role, seconds * 1000, auto_extend)
    }

    #[test]
    fn a_role_ends_with_the_last_relationship_that_gives_it() {
        for (own, ignored, counted) in [
            (vec![], None, None),
            (vec![of("a", 5, "PT0S")], Some(5), Some(5)),
            (vec![of("a", 5, "PT0S"), of("a", 9, "PT0S")], Some(9), Some(9)),
            (vec![of("a", 5, "PT0S"), of("b", 9, "PT0S")], Some(5), Some(5)),
            (vec![of("a", 5, "PT0S"), of("a", 4, "P180D")], Some(5), None),
            (vec![of("a", 5, "P180D"), of("b", 9, "P0D")], Some(5), Some(9)),
            (vec![Relationship::of("expired", "a", 1000, "PT0S")], None, None),
        ] {
            let loss = |extension| first_loss(&own, extension).map(|end| end / 1000);
            assert_eq!(
                (loss(Extension::Ignored), loss(Extension::Counted)),
                (ignored, counted),
                "{own:?}"
            );
        }
    }
}
