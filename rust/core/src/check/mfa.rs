//! Whether the sign-in behind a refresh token passed multifactor authentication: what the tokens say of it (`amr`), and what
//! Partner Center makes of it.
//!
//! Sources: Microsoft's "Access token claims reference" (`amr`); Partner Center developer documentation, "Enable the Secure
//! Application Model framework": the request header `ValidateMfa`, the response header `isMfaCompliant`, error 900421.

use super::{aadsts, Row};
use crate::error::Error;

pub(crate) const MARK: &str = "Mfa";
pub(crate) const PARTNER_CENTER: &str = "PartnerCenterMfa";

const AGAIN: &str = "Sign in again with New-SecureAppRefreshToken and pass multifactor authentication. Where nothing asks for it, a \
                     trusted IP address or a remembered device is the usual cause; another vendor's second factor does not count.";

/// Judges the claims of a token that the refresh token gave. `known` is what the credential's maker knew of the sign-in.
pub(crate) fn judge(account: &str, claims: Result<Option<Vec<String>>, &Error>, known: Option<bool>) -> Row {
    let by_claims = match claims {
        // The refusal of this tenant is told in the row RefreshToken; here it says what it says of the sign-in.
        Err(error) if matches!(aadsts(error), 50072 | 50074 | 50076 | 50078 | 50079) => {
            return Row::fail(
                MARK,
                account,
                "the tenant asks for multifactor authentication, which this sign-in has not",
            )
            .remedy(AGAIN)
            .because(error);
        }
        Err(_) => None,
        Ok(methods) => methods.map(|methods| methods.iter().any(|method| method == "mfa")),
    };
    match by_claims.or(known) {
        Some(true) => Row::pass(MARK, account, "the sign-in passed multifactor authentication"),
        Some(false) => Row::warn(
            MARK,
            account,
            "the sign-in behind the refresh token did not pass multifactor authentication (amr has no mfa)",
        )
        .remedy(AGAIN),
        None => Row::not_checked(MARK, account, "the tokens do not say how the user signed in (no amr)"),
    }
}

/// The authentication methods in a token's claims (RFC 8176); `None` where it has none.
pub(crate) fn methods(claims: &serde_json::Map<String, serde_json::Value>) -> Option<Vec<String>> {
    let methods = claims.get("amr")?.as_array()?;
    Some(
        methods
            .iter()
            .filter_map(|method| method.as_str().map(str::to_owned))
            .collect(),
    )
}

/// Judges Partner Center's answer: the value of its header, which it need not send.
pub(crate) fn judge_partner_center(host: &str, answer: Result<Option<bool>, &Error>) -> Row {
    match answer {
        Ok(Some(true)) => Row::pass(PARTNER_CENTER, host, "Partner Center takes the sign-in for multifactor"),
        Ok(Some(false)) => Row::fail(
            PARTNER_CENTER,
            host,
            "Partner Center answers, but does not take the sign-in for multifactor: it refuses such tokens with 900421",
        )
        .remedy(AGAIN),
        Ok(None) => Row::not_checked(PARTNER_CENTER, host, "Partner Center's answer has no isMfaCompliant"),
        Err(error) => Row::of_answer(PARTNER_CENTER, host, Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::{Kind, ServiceError};
    use serde_json::json;

    #[test]
    fn the_claims_come_before_what_was_known() {
        let of = |claims: serde_json::Value| methods(claims.as_object().unwrap());
        for (claims, known, verdict) in [
            (json!({"amr": ["pwd", "mfa"]}), Some(false), Verdict::Pass),
            (json!({"amr": ["pwd"]}), Some(true), Verdict::Warn),
            (json!({"amr": []}), None, Verdict::Warn),
            (json!({"amr": "mfa"}), None, Verdict::Skipped),
            (json!({}), Some(true), Verdict::Pass),
            (json!({}), Some(false), Verdict::Warn),
            (json!({}), None, Verdict::Skipped),
        ] {
            assert_eq!(
                judge("user", Ok(of(claims.clone())), known).verdict,
                verdict,
                "{claims}"
            );
        }
    }

    #[test]
    fn partner_center_says_yes_no_or_nothing() {
        let refused = Error::new(Kind::NotSignedIn, "no").with_service(ServiceError {
            code: "900421".to_owned(),
            ..ServiceError::default()
        });
        for (answer, verdict) in [
            (Ok(Some(true)), Verdict::Pass),
            (Ok(Some(false)), Verdict::Fail),
            (Ok(None), Verdict::Skipped),
            (Err(&refused), Verdict::Fail),
            (Err(&Error::new(Kind::Timeout, "gone")), Verdict::Warn),
        ] {
            assert_eq!(judge_partner_center("host", answer).verdict, verdict);
        }
        assert_eq!(judge_partner_center("host", Err(&refused)).code, "900421");
    }
}
