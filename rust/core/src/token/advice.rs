//! What an AADSTS code means and what an administrator does about it; the table is `advice.tsv`.

use crate::error::Kind;
use std::sync::LazyLock;

/// What kind of trouble a code tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    /// The request is wrong in itself.
    Request,
    /// The application's registration or the environment is set up wrongly.
    Config,
    Credential,
    Consent,
    /// The user must sign in again, or be repaired first.
    SignIn,
    /// Conditional Access or another policy.
    Policy,
    /// The user has no access to the tenant.
    Access,
    Tenant,
    Resource,
    Throttle,
    Transient,
}

pub(super) struct Row {
    code: u32,
    pub(super) category: Category,
    pub(super) meaning: &'static str,
    pub(super) advice: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| include_str!("advice.tsv").lines().filter_map(read).collect());

fn read(line: &'static str) -> Option<Row> {
    let mut fields = line.split('\t');
    let code = fields.next()?.parse().ok()?;
    let category = match fields.next()? {
        "Request" => Category::Request,
        "Config" => Category::Config,
        "Credential" => Category::Credential,
        "Consent" => Category::Consent,
        "SignIn" => Category::SignIn,
        "Policy" => Category::Policy,
        "Access" => Category::Access,
        "Tenant" => Category::Tenant,
        "Resource" => Category::Resource,
        "Throttle" => Category::Throttle,
        "Transient" => Category::Transient,
        _ => return None,
    };
    Some(Row {
        code,
        category,
        meaning: fields.next()?,
        advice: fields.next()?,
    })
}

/// The row of a code written as `AADSTS<digits>`.
pub(super) fn find(code: &str) -> Option<&'static Row> {
    let number: u32 = code.strip_prefix("AADSTS")?.parse().ok()?;
    let rows = &*ROWS;
    rows.binary_search_by_key(&number, |row| row.code)
        .ok()
        .map(|at| &rows[at])
}

/// What to do where the code is unknown.
pub(super) fn by_error(kind: Kind, error: &str, suberror: &str) -> &'static str {
    match kind {
        Kind::Throttled => return "Wait, or lower -ThrottleLimit: the service asks for less traffic.",
        Kind::Server => return "Try again later; if it stays so, look at the service health page of Microsoft Entra.",
        _ => {}
    }
    match suberror {
        "consent_required" => return "An administrator of {tenant} opens {consent} and accepts.",
        "basic_action" | "additional_action" => {
            return "Sign in interactively once, with multifactor authentication, and store the new refresh token."
        }
        "user_password_expired" => {
            return "Set a new password for the user, sign in interactively, and store the new refresh token."
        }
        "bad_token" | "token_expired" => {
            return "The refresh token is no longer good: sign in interactively and store the new one."
        }
        "client_mismatch" => return "Use the application id that the refresh token was obtained with.",
        "protection_policy_required" => {
            return "Exclude this user or application from the app protection policy of {tenant}."
        }
        "message_only" => {
            return "A policy of {tenant} refuses this sign-in: look for its name in the sign-in log there."
        }
        _ => {}
    }
    match error {
        "consent_required" => "An administrator of {tenant} opens {consent} and accepts.",
        "interaction_required" | "login_required" => {
            "Sign in interactively once, with multifactor authentication, and store the new refresh token."
        }
        "invalid_client" | "unauthorized_client" => {
            "Check the application id and its secret, and that the application exists in {tenant}."
        }
        "invalid_grant" => {
            "Sign in interactively and store the new refresh token; if it stays so, look at the sign-in log of {tenant}."
        }
        "invalid_scope" | "invalid_resource" => "Check the spelling of {target}.",
        "invalid_tenant" => "Check the tenant's name, and that it belongs to the environment {environment}.",
        "invalid_instance" => "Check the environment's sign-in host with Get-SecureAppEnvironment.",
        _ => "Look at the sign-in log of {tenant}, or look the code up in Microsoft's list of Entra error codes.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_row() {
        let lines = include_str!("advice.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        assert_eq!(ROWS.len(), lines);
        assert!(
            ROWS.windows(2).all(|pair| pair[0].code < pair[1].code),
            "sorted, without repetition"
        );
    }

    #[test]
    fn texts_read_as_they_should() {
        for row in ROWS.iter() {
            assert!(!row.meaning.ends_with('.') && !row.meaning.is_empty(), "{}", row.code);
            assert!(row.advice.ends_with('.'), "{}", row.code);
            let known = [
                "application",
                "tenant",
                "target",
                "environment",
                "permission",
                "consent",
            ];
            for text in [row.meaning, row.advice] {
                for part in text.split('{').skip(1) {
                    assert!(
                        known.iter().any(|name| part.starts_with(&format!("{name}}}"))),
                        "{}: {part}",
                        row.code
                    );
                }
            }
        }
    }

    #[test]
    fn finds_by_code() {
        assert!(find("AADSTS7000215").is_some_and(|row| row.category == Category::Credential));
        assert!(find("AADSTS90072").is_some_and(|row| row.advice.contains("GDAP")));
        for unknown in ["", "7000215", "AADSTS", "AADSTS1", "AADSTS99999999999999"] {
            assert!(find(unknown).is_none(), "{unknown}");
        }
    }
}
