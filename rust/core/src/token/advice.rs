//! What an AADSTS code means and what an administrator does about it.
//!
//! Source of the meanings: Microsoft's "Microsoft Entra authentication and authorization error codes"; the words are ours.

use crate::error::Kind;

/// What kind of trouble a code tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Request,
    Config,
    Credential,
    Consent,
    SignIn,
    Access,
    Tenant,
    Resource,
    Throttle,
    Transient,
}

pub(super) struct Row {
    pub(super) code: u32,
    pub(super) category: Category,
    /// Completes "no token for X in Y: ..".
    pub(super) meaning: &'static str,
    /// `{application}`, `{tenant}`, `{target}`, `{environment}` and `{consent}` stand for what was asked.
    pub(super) advice: &'static str,
}

/// The row of a code written as `AADSTS<digits>`.
pub(super) fn find(code: &str) -> Option<&'static Row> {
    let number: u32 = code.strip_prefix("AADSTS")?.parse().ok()?;
    super::advice_table::ROWS
        .binary_search_by_key(&number, |row| row.code)
        .ok()
        .map(|at| &super::advice_table::ROWS[at])
}

/// What to do where the code is unknown.
pub(super) fn by_error(kind: Kind, error: &str, suberror: &str) -> &'static str {
    match (kind, suberror, error) {
        (Kind::Throttled, _, _) => "Wait, or lower -ThrottleLimit: the service asks for less traffic.",
        (Kind::Server, _, _) => "Try again later; if it stays so, look at the service health page of Microsoft Entra.",
        (_, "consent_required", _) | (_, _, "consent_required") => "An administrator of {tenant} consents to the application at {consent}.",
        (_, "basic_action" | "additional_action", _) | (_, _, "interaction_required") => "Sign in interactively once, with multifactor authentication, and store the new refresh token.",
        (_, "user_password_expired", _) => "Reset the user's password, sign in interactively, and store the new refresh token.",
        (_, "bad_token" | "token_expired", _) => "The refresh token is no longer good: sign in interactively and store the new one.",
        (_, "client_mismatch", _) => "The refresh token belongs to another application: use the application id that it was obtained with.",
        (_, "protection_policy_required", _) => "A Conditional Access policy asks for a protected app: exclude this user or application from it.",
        (_, "message_only", _) => "A policy of {tenant} refuses this sign-in: look at the sign-in log there for its name.",
        (_, _, "invalid_client" | "unauthorized_client") => "Check the application id and its secret, and that the application exists in {tenant}.",
        (_, _, "invalid_grant") => "Sign in interactively and store the new refresh token; if it stays so, look at the sign-in log of {tenant}.",
        (_, _, "invalid_scope" | "invalid_resource") => "Check the spelling of {target}.",
        (_, _, "invalid_tenant") => "Check the tenant's name, and that it belongs to the environment {environment}.",
        _ => "Look the code up at https://login.microsoftonline.com/error, or in the sign-in log of {tenant}.",
    }
}
