//! Trying a credential: one check a file, each judging what was seen, and one row a check for the person who asked.
//!
//! A new check is a file here with a function from what was seen to a [`Row`], and a line in
//! `ops/credential_test` that sees it.

pub(crate) mod accepted;
pub(crate) mod activity_feed;
pub(crate) mod clock;
pub(crate) mod consent;
pub(crate) mod exchange;
pub(crate) mod expiry;
pub(crate) mod managed_identity;
pub(crate) mod mfa;
pub(crate) mod organization;
pub(crate) mod reachability;
pub(crate) mod refresh_token;
pub(crate) mod registration;
pub(crate) mod token;

use crate::error::{Error, Kind};
use crate::value::Value;

/// What a check found. Warn also stands for "was tried and could not be told".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Warn,
    Fail,
    /// It was not tried: another row says why, it does not apply, or this credential may not look.
    Skipped,
}

/// One check's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The check's name; stable, as scripts filter by it.
    pub(crate) check: &'static str,
    /// What it was tried on: a host, an application, a resource.
    pub(crate) target: String,
    pub(crate) verdict: Verdict,
    /// What was seen, one sentence.
    pub(crate) detail: String,
    /// The tenant that it was tried in, where the check is one of a tenant's own.
    pub(crate) tenant: String,
    /// The service's own code, where it gave one.
    pub(crate) code: String,
    /// What to do next; empty where there is nothing to do.
    pub(crate) remedy: String,
}

impl Row {
    pub(crate) fn pass(check: &'static str, target: &str, detail: impl Into<String>) -> Self {
        Row::new(check, target, Verdict::Pass, detail)
    }

    pub(crate) fn warn(check: &'static str, target: &str, detail: impl Into<String>) -> Self {
        Row::new(check, target, Verdict::Warn, detail)
    }

    pub(crate) fn fail(check: &'static str, target: &str, detail: impl Into<String>) -> Self {
        Row::new(check, target, Verdict::Fail, detail)
    }

    /// A check that would have told nothing, or hung, after what an earlier one found, or that may not be made.
    pub(crate) fn not_checked(check: &'static str, target: &str, reason: impl std::fmt::Display) -> Self {
        Row::new(check, target, Verdict::Skipped, format!("not checked: {reason}"))
    }

    /// A check that this kind of credential does not need.
    pub(crate) fn not_applicable(check: &'static str, target: &str, reason: impl std::fmt::Display) -> Self {
        Row::new(check, target, Verdict::Skipped, format!("does not apply: {reason}"))
    }

    /// The row of one request's answer: what it says where it went well, its error otherwise.
    pub(crate) fn of_answer(check: &'static str, target: &str, answer: Result<&str, &Error>) -> Self {
        match answer {
            Ok(detail) => Row::pass(check, target, detail),
            Err(error) if is_passing(error) => {
                Row::warn(check, target, format!("could not be checked: {}", error.message())).because(error)
            }
            Err(error) => Row::fail(check, target, error.message()).because(error),
        }
    }

    fn new(check: &'static str, target: &str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Row {
            check,
            target: target.to_owned(),
            verdict,
            detail: detail.into(),
            tenant: String::new(),
            code: String::new(),
            remedy: String::new(),
        }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    pub(crate) fn in_tenant(mut self, tenant: &str) -> Self {
        self.tenant = tenant.to_owned();
        self
    }

    /// Adds the service's code and the advice of `error`; an advice that the check gave itself stays.
    pub(crate) fn because(mut self, error: &Error) -> Self {
        self.code = code(error);
        if self.remedy.is_empty() {
            self.remedy = error.advice().to_owned();
        }
        self
    }

    pub(crate) fn into_value(self) -> Value {
        Value::map()
            .with("check", self.check)
            .with("target", self.target)
            .with(
                "result",
                match self.verdict {
                    Verdict::Pass => "Pass",
                    Verdict::Warn => "Warn",
                    Verdict::Fail => "Fail",
                    Verdict::Skipped => "Skipped",
                },
            )
            .with("tenantId", self.tenant)
            .with("detail", self.detail)
            .with("code", self.code)
            .with("remedy", self.remedy)
    }
}

/// True where another try may go better, so that nothing is known yet.
fn is_passing(error: &Error) -> bool {
    error.is_retryable()
        || matches!(
            error.kind(),
            Kind::Throttled | Kind::Timeout | Kind::Network | Kind::Server
        )
}

/// The service's code for a failure: its number, else its error name, else the HTTP status; empty where no service spoke.
fn code(error: &Error) -> String {
    match error.service() {
        Some(service) if !service.code.is_empty() => service.code.clone(),
        Some(service) if !service.error.is_empty() => service.error.clone(),
        Some(service) if service.http_status != 0 => format!("HTTP {}", service.http_status),
        _ => String::new(),
    }
}

/// The number in a code such as `AADSTS7000215`; 0 where there is none.
fn aadsts(error: &Error) -> u64 {
    let code = error.service().map_or("", |service| service.code.as_str());
    code.strip_prefix("AADSTS")
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
