//! Whether Exchange Online takes the credential, and lets it search the audit log. Two things are needed there, a permission in
//! the token and a role in the tenant, and its answers hardly tell which is missing: the token's claims do.
//!
//! Sources: Microsoft's "App-only authentication in Exchange Online PowerShell" and "Search-UnifiedAuditLog"; that neither of the
//! two gives 401 and one of them 403 is what users have measured.

use super::token::Permissions;
use super::Row;
use crate::error::Error;
use crate::exchange::lacks_cmdlet;

pub(crate) const ROLE: &str = "ExchangeRole";
pub(crate) const AUDIT_SEARCH: &str = "AuditSearch";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Application,
    User,
}

impl Who {
    fn permission(self) -> &'static str {
        match self {
            Who::Application => "Exchange.ManageAsApp",
            Who::User => "Exchange.Manage",
        }
    }

    fn add_permission(self) -> &'static str {
        match self {
            Who::Application => {
                "Add the application permission Exchange.ManageAsApp of Office 365 Exchange Online to the app registration, and \
                 consent to it in this tenant."
            }
            Who::User => {
                "Add the delegated permission Exchange.Manage of Office 365 Exchange Online to the app registration, and consent to \
                 it in this tenant."
            }
        }
    }

    fn add_role(self) -> &'static str {
        match self {
            Who::Application => {
                "Assign the application's service principal in this tenant an Entra role that Exchange takes (Exchange \
                 Administrator, Global Reader, Compliance Administrator ..), or a role group of Exchange; then wait up to an hour."
            }
            Who::User => {
                "Assign the user an Entra role that Exchange takes (Exchange Administrator, Global Reader, Compliance Administrator \
                 ..) in this tenant, for a partner by the GDAP relationship's group; then wait up to an hour."
            }
        }
    }
}

/// Judges the answer to a search of the audit log by whoever's token permits `permissions`, where that can be read.
pub(crate) fn judge_role(tenant: &str, who: Who, permissions: Option<&Permissions>, answer: Result<(), &Error>) -> Row {
    let error = match answer {
        Err(error) if !lacks_cmdlet(error) => error,
        _ => return Row::pass(ROLE, tenant, "Exchange Online takes the permission and the role"),
    };
    let permitted = permissions.map(|permissions| permissions.hold(&[who.permission()]));
    let status = error.service().map_or(0, |service| service.http_status);
    let (detail, remedy) = match (status, permitted) {
        (401, Some(false)) => (
            format!("both are missing: the permission {} and a role", who.permission()),
            format!("{} {}", who.add_permission(), who.add_role()),
        ),
        (403, Some(false)) => (
            format!("the permission {} is missing; there is a role", who.permission()),
            who.add_permission().to_owned(),
        ),
        (403, Some(true)) => (
            format!(
                "a directory role is missing; the permission {} is there",
                who.permission()
            ),
            who.add_role().to_owned(),
        ),
        (401, Some(true)) => (
            format!(
                "Exchange Online does not accept the token, although it has {}",
                who.permission()
            ),
            "Check that the tenant has Exchange Online, and that it is the organization meant (-Organization)."
                .to_owned(),
        ),
        _ => return Row::of_answer(ROLE, tenant, Err(error)),
    };
    Row::fail(ROLE, tenant, detail).remedy(remedy).because(error)
}

/// Judges the same answer for the audit log.
pub(crate) fn judge_audit_search(tenant: &str, answer: Result<(), &Error>) -> Row {
    match answer {
        Ok(()) => Row::pass(AUDIT_SEARCH, tenant, "the audit log can be searched"),
        Err(error) if lacks_cmdlet(error) => Row::fail(AUDIT_SEARCH, tenant, error.message()).because(error),
        Err(_) => Row::not_checked(AUDIT_SEARCH, tenant, "see the row ExchangeRole"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::{Kind, ServiceError};

    fn answered(http_status: u16, body: &str) -> Error {
        Error::new(Kind::Denied, "refused").with_service(ServiceError {
            http_status,
            body: body.to_owned(),
            ..ServiceError::default()
        })
    }

    #[test]
    fn what_is_missing_is_told_by_the_answer_and_the_claims() {
        let of = |role: &str| Permissions {
            roles: vec![role.to_owned()],
            ..Permissions::default()
        };
        let (with, without) = (of("Exchange.ManageAsApp"), of("Other"));
        for (status, permissions, word) in [
            (401, Some(&without), "both are missing"),
            (403, Some(&without), "the permission Exchange.ManageAsApp is missing"),
            (403, Some(&with), "a directory role is missing"),
            (401, Some(&with), "does not accept the token"),
            (403, None, "refused"),
        ] {
            let row = judge_role("tenant", Who::Application, permissions, Err(&answered(status, "{}")));
            assert_eq!(row.verdict, Verdict::Fail);
            assert!(row.detail.contains(word), "{}", row.detail);
            assert_eq!(row.code, format!("HTTP {status}"));
        }
    }

    #[test]
    fn whoever_lacks_the_cmdlet_has_a_role() {
        let missing = answered(403, "\0\0\0");
        assert_eq!(judge_role("t", Who::User, None, Err(&missing)).verdict, Verdict::Pass);
        assert_eq!(judge_audit_search("t", Err(&missing)).verdict, Verdict::Fail);
        let other = answered(403, "{\"error\":{}}");
        assert_eq!(judge_audit_search("t", Err(&other)).verdict, Verdict::Skipped);
        assert_eq!(judge_audit_search("t", Ok(())).verdict, Verdict::Pass);
    }
}
