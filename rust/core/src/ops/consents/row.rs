//! One line of what came of a tenant: of one API, or of all of its consent.

use super::replace::LOST;
use super::Customer;
use crate::consent::{Seen, Wanted};
use crate::error::Error;
use crate::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Granted,
    AlreadyGranted,
    /// What was there was not enough: it was removed and granted again with what was missing.
    Replaced,
    Revoked,
    NotGranted,
    /// Some of the permissions are missing.
    Incomplete,
    Unknown,
    Failed,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Granted => "Granted",
            Outcome::AlreadyGranted => "AlreadyGranted",
            Outcome::Replaced => "Replaced",
            Outcome::Revoked => "Revoked",
            Outcome::NotGranted => "NotGranted",
            Outcome::Incomplete => "Incomplete",
            Outcome::Unknown => "Unknown",
            Outcome::Failed => "Failed",
        }
    }

    /// Something was changed.
    pub(super) fn is_change(self) -> bool {
        matches!(self, Outcome::Granted | Outcome::Replaced | Outcome::Revoked)
    }
}

pub(super) struct Row {
    /// Absent where all of the tenant's consent is meant.
    pub(super) wanted: Option<Wanted>,
    pub(super) outcome: Outcome,
    /// The permissions that a token had.
    pub(super) held: Option<Vec<String>>,
    /// Whether a token showed all of it; absent where nobody looked.
    pub(super) verified: Option<bool>,
    pub(super) error: Option<Error>,
}

impl Row {
    pub(super) fn of(wanted: &Wanted, outcome: Outcome) -> Self {
        Row {
            wanted: Some(wanted.clone()),
            ..Row::of_tenant(outcome)
        }
    }

    pub(super) fn of_tenant(outcome: Outcome) -> Self {
        Row {
            wanted: None,
            outcome,
            held: None,
            verified: None,
            error: None,
        }
    }

    /// What was seen, held against what is wanted.
    pub(super) fn shown(wanted: &Wanted, seen: Seen) -> Self {
        match seen {
            Seen::Scopes(held) => {
                let is_whole = wanted.missing(&held).is_empty();
                let outcome = if is_whole {
                    Outcome::Granted
                } else {
                    Outcome::Incomplete
                };
                Row::of(wanted, outcome).seen(held)
            }
            Seen::Nothing => Row::of(wanted, Outcome::NotGranted).seen(Vec::new()),
            Seen::Hidden(error) => Row::of(wanted, Outcome::Unknown).because(error),
        }
    }

    pub(super) fn seen(mut self, held: Vec<String>) -> Self {
        self.held = Some(held);
        self
    }

    pub(super) fn because(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    /// What it had and what it wants, which is what it has once the consent was replaced; nothing where it has failed.
    pub(super) fn whole(&self) -> Option<Wanted> {
        let wanted = self.wanted.as_ref().filter(|_| self.outcome != Outcome::Failed)?;
        Some(wanted.and(self.held.as_deref().unwrap_or_default()))
    }

    /// What it had, where that is something.
    pub(super) fn before(&self) -> Option<Wanted> {
        let scopes = self.held.clone().filter(|held| !held.is_empty())?;
        let api = self.wanted.as_ref()?.api.clone();
        Some(Wanted { api, scopes })
    }

    /// There was a consent, and now there is none.
    pub(super) fn is_lost(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.id() == LOST)
    }

    /// It could not be done; what was seen stays.
    pub(super) fn fail(&mut self, error: Error) {
        self.outcome = Outcome::Failed;
        self.error = Some(error);
    }

    /// `page` is where an administrator of the customer can consent.
    pub(super) fn to_value(&self, customer: &Customer, page: &str) -> Value {
        let wanted = self.wanted.as_ref();
        let missing = wanted
            .zip(self.held.as_ref())
            .map(|(wanted, held)| wanted.missing(held));
        Value::map()
            .with("tenantId", customer.id.as_str())
            .with("resource", wanted.map(|wanted| wanted.api.name.as_str()))
            .with("resourceId", wanted.map(|wanted| wanted.api.application_id.as_str()))
            .with("scopes", wanted.map(|wanted| wanted.scopes.clone()))
            .with("granted", self.held.clone())
            .with("missing", missing)
            .with("outcome", self.outcome.name())
            .with("verified", self.verified)
            .with("remedy", self.remedy(customer))
            .with("page", page)
            .with("error", self.error.as_ref().map(Error::to_value))
    }

    fn remedy(&self, customer: &Customer) -> Option<String> {
        let tenant = &customer.id;
        match (&self.error, self.outcome) {
            (Some(error), _) => Some(error.advice().to_owned()),
            (None, Outcome::NotGranted | Outcome::Incomplete) => {
                let wanted = self.wanted.as_ref()?;
                Some(format!(
                    "Grant-SecureAppConsent -TenantId {tenant} -Resource {} -Scope {} grants it.",
                    wanted.api.name,
                    wanted.scopes.join(", ")
                ))
            }
            (None, _) if self.verified == Some(false) => Some(format!(
                "No token shows it yet, which can take some minutes: see Get-SecureAppConsent -TenantId {tenant} then."
            )),
            (None, _) => None,
        }
    }
}
