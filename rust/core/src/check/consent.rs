//! Whether a tenant has consented to the application: what the answers for all resources say together.

use super::{is_passing, Row};
use crate::error::Error;
use crate::token::asks_for_consent;

pub(crate) const CHECK: &str = "Consent";

/// Judges the answers of one tenant, each with its resource.
pub(crate) fn judge(tenant: &str, answers: &[(&str, Result<(), &Error>)]) -> Row {
    let refusals = || {
        answers
            .iter()
            .filter_map(|(resource, answer)| Some((*resource, answer.err()?)))
    };
    let had = answers.len() - refusals().count();
    let wanting: Vec<_> = refusals().filter(|(_, error)| asks_for_consent(error)).collect();
    if let Some((_, error)) = wanting.first() {
        let detail = match had {
            0 => error.message().to_owned(),
            _ => {
                let named: Vec<&str> = wanting.iter().map(|(resource, _)| *resource).collect();
                format!("consent is missing for {}: {}", named.join(", "), error.message())
            }
        };
        return Row::fail(CHECK, tenant, detail).because(error);
    }
    match refusals().next() {
        None => Row::pass(CHECK, tenant, "a token can be had for every resource"),
        Some(_) if had > 0 => Row::pass(
            CHECK,
            tenant,
            format!(
                "tokens can be had for {had} of {} resources, see the rows Token",
                answers.len()
            ),
        ),
        // What cannot be told now must not hide what can.
        Some(first) => {
            let lasting = refusals().find(|(_, error)| !is_passing(error));
            Row::of_answer(CHECK, tenant, Err(lasting.unwrap_or(first).1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::{Kind, ServiceError};

    fn refused(error: &str, suberror: &str, code: &str) -> Error {
        Error::new(Kind::NotSignedIn, format!("refused {code}")).with_service(ServiceError {
            http_status: 400,
            error: error.to_owned(),
            suberror: suberror.to_owned(),
            code: code.to_owned(),
            ..ServiceError::default()
        })
    }

    #[test]
    fn missing_consent_is_told_from_everything_else() {
        let missing = refused("invalid_grant", "consent_required", "AADSTS65001");
        let absent = refused("unauthorized_client", "", "AADSTS700016");
        let nowhere = refused("invalid_resource", "", "AADSTS500011");
        let stranger = refused("invalid_grant", "", "AADSTS50020");
        let silent = Error::new(Kind::Timeout, "no answer");
        for (answers, verdict, code) in [
            (vec![Ok(()), Ok(())], Verdict::Pass, ""),
            (vec![Ok(()), Err(&missing)], Verdict::Fail, "AADSTS65001"),
            (vec![Err(&nowhere), Err(&missing)], Verdict::Fail, "AADSTS65001"),
            (vec![Err(&absent), Err(&absent)], Verdict::Fail, "AADSTS700016"),
            (vec![Ok(()), Err(&nowhere)], Verdict::Pass, ""),
            (vec![Err(&silent), Err(&stranger)], Verdict::Fail, "AADSTS50020"),
            (vec![Err(&silent), Err(&silent)], Verdict::Warn, ""),
        ] {
            let answers: Vec<_> = answers.into_iter().map(|answer| ("resource", answer)).collect();
            let row = judge("contoso.com", &answers);
            assert_eq!((row.verdict, row.code.as_str()), (verdict, code), "{answers:?}");
        }
    }
}
