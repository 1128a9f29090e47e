//! Whether a token for a resource can be had, and what it permits.

use super::Row;
use crate::error::Error;

pub(crate) const CHECK: &str = "Token";

/// What a token's claims say that it permits: `scp` for a user's, `roles` for an application's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions {
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
}

impl Permissions {
    pub(crate) fn read(claims: &serde_json::Map<String, serde_json::Value>) -> Self {
        let scopes = claims
            .get("scp")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let roles = claims
            .get("roles")
            .and_then(serde_json::Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        Permissions {
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            roles: roles
                .iter()
                .filter_map(|role| role.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// Whether one of them is in the token, delegated or the application's own.
    pub(crate) fn hold(&self, permissions: &[&str]) -> bool {
        let all = self.scopes.iter().chain(&self.roles);
        let mut named = all.map(|own| permissions.iter().any(|name| own.eq_ignore_ascii_case(name)));
        named.any(|is_one| is_one)
    }
}

/// Judges the answer to a request for a token for `resource`; a token that cannot be read has no permissions to show.
pub(crate) fn judge(resource: &str, answer: Result<Option<Permissions>, &Error>) -> Row {
    match answer {
        Ok(Some(permissions)) => granted(resource, &permissions),
        Ok(None) => Row::pass(
            CHECK,
            resource,
            "a token can be had; what it permits cannot be read from it",
        ),
        Err(error) => Row::of_answer(CHECK, resource, Err(error)),
    }
}

fn granted(resource: &str, permissions: &Permissions) -> Row {
    let list = |names: &[String]| names.join(", ");
    match (permissions.scopes.as_slice(), permissions.roles.as_slice()) {
        ([], []) => Row::warn(CHECK, resource, "a token can be had, but it permits nothing").remedy(
            "Add the permissions that the work needs to the app registration, and consent to them in this tenant.",
        ),
        (scopes, []) => Row::pass(
            CHECK,
            resource,
            format!("a token can be had; it permits {}", list(scopes)),
        ),
        ([], roles) => Row::pass(
            CHECK,
            resource,
            format!("a token can be had; it permits the application {}", list(roles)),
        ),
        (scopes, roles) => Row::pass(
            CHECK,
            resource,
            format!(
                "a token can be had; it permits {}, and has the roles {}",
                list(scopes),
                list(roles)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::Kind;
    use serde_json::json;

    #[test]
    fn the_claims_say_what_a_token_permits() {
        for (claims, verdict, word) in [
            (
                json!({"scp": "User.Read Directory.Read.All"}),
                Verdict::Pass,
                "User.Read, Directory.Read.All",
            ),
            (
                json!({"roles": ["ActivityFeed.Read", 7]}),
                Verdict::Pass,
                "the application ActivityFeed.Read",
            ),
            (json!({"scp": " ", "roles": []}), Verdict::Warn, "permits nothing"),
            (json!({"scp": 7, "roles": "x"}), Verdict::Warn, "permits nothing"),
            (json!({}), Verdict::Warn, "permits nothing"),
        ] {
            let permissions = claims.as_object().map(Permissions::read);
            let row = judge("https://graph.microsoft.com", Ok(permissions));
            assert_eq!(row.verdict, verdict);
            assert!(row.detail.contains(word), "{}", row.detail);
        }
    }

    #[test]
    fn a_refusal_fails_and_silence_warns() {
        let judged = |kind| judge("r", Err(&Error::new(kind, "why").advise("then"))).verdict;
        assert_eq!(judge("r", Ok(None)).verdict, Verdict::Pass, "an opaque token");
        assert_eq!(judged(Kind::NotSignedIn), Verdict::Fail);
        assert_eq!(judged(Kind::NotFound), Verdict::Fail);
        assert_eq!(judged(Kind::Timeout), Verdict::Warn);
    }
}
