//! Whether the service accepts the application and what proves it. Microsoft's token endpoint looks at the client before it
//! looks at the grant, so a refusal of anything later says that the client was accepted.

use super::{aadsts, Row};
use crate::credential::NO_PROOF;
use crate::error::{Error, Kind};

pub(crate) const CHECK: &str = "Credential";

/// Judges the answer to one token request; `proof` is what the application proved itself with.
pub(crate) fn judge(application: &str, proof: Option<&str>, answer: Result<(), &Error>) -> Row {
    let Err(error) = answer else {
        return Row::pass(CHECK, application, accepted(proof));
    };
    if error.id() == NO_PROOF && !error.is_retryable() {
        return Row::fail(CHECK, application, error.message()).because(error);
    }
    if error.is_retryable() || matches!(error.kind(), Kind::Protocol | Kind::Internal | Kind::Storage) {
        return Row::warn(CHECK, application, format!("could not be checked: {}", error.message())).because(error);
    }
    if refuses_client(error) {
        return Row::fail(CHECK, application, error.message()).because(error);
    }
    Row::pass(
        CHECK,
        application,
        format!("{}; it refused something else, see the next rows", accepted(proof)),
    )
}

/// The row where the application was tried in another tenant than its own, which does not know it: the tenant's own rows say
/// what is missing there.
pub(crate) fn not_known_there(application: &str, answer: Result<(), &Error>) -> Row {
    let row = Row::not_checked(
        CHECK,
        application,
        "the tenant that was tried does not know the application, and its own is not known here",
    )
    .remedy("Name the application's own tenant in the credential (New-SecureAppCredential -TenantId).");
    match answer {
        Ok(()) => row,
        Err(error) => row.because(error),
    }
}

fn accepted(proof: Option<&str>) -> String {
    match proof {
        Some(proof) => format!("the service accepts the application and its {proof}"),
        None => "the service accepts the application (it has no secret and no certificate)".to_owned(),
    }
}

fn refuses_client(error: &Error) -> bool {
    let by_name = error.service().is_some_and(|service| {
        matches!(
            service.error.as_str(),
            "invalid_client" | "unauthorized_client" | "invalid_tenant"
        )
    });
    // 700016, 700011, 7000229: no such application there; 70001, 7000112, 1000031: it is switched off; 90002, 900023: no
    // such tenant. Which `error` goes with them differs between the service's versions.
    by_name
        || matches!(
            aadsts(error),
            700016 | 700011 | 7000229 | 70001 | 7000112 | 1000031 | 90002 | 900023
        )
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::ServiceError;

    fn refused(error: &str, code: &str) -> Error {
        Error::new(Kind::NotSignedIn, "refused")
            .advise("do this")
            .with_service(ServiceError {
                http_status: 400,
                error: error.to_owned(),
                code: code.to_owned(),
                ..ServiceError::default()
            })
    }

    #[test]
    fn a_refusal_of_the_client_fails_and_of_anything_later_passes() {
        for (error, code, verdict) in [
            ("invalid_client", "AADSTS7000215", Verdict::Fail),
            ("invalid_client", "AADSTS7000222", Verdict::Fail),
            ("invalid_client", "AADSTS7000218", Verdict::Fail),
            ("unauthorized_client", "AADSTS700016", Verdict::Fail),
            ("invalid_request", "AADSTS700016", Verdict::Fail),
            ("invalid_client", "", Verdict::Fail),
            ("invalid_grant", "AADSTS700082", Verdict::Pass),
            ("invalid_grant", "AADSTS65001", Verdict::Pass),
            ("interaction_required", "AADSTS50076", Verdict::Pass),
            ("invalid_resource", "AADSTS500011", Verdict::Pass),
        ] {
            let row = judge("app", Some("secret"), Err(&refused(error, code)));
            assert_eq!(row.verdict, verdict, "{error} {code}");
            if verdict == Verdict::Fail {
                assert_eq!(row.remedy, "do this");
            }
        }
    }

    #[test]
    fn no_answer_is_neither() {
        for kind in [
            Kind::Network,
            Kind::Timeout,
            Kind::Throttled,
            Kind::Server,
            Kind::Protocol,
        ] {
            let row = judge("app", Some("secret"), Err(&Error::new(kind, "gone")));
            assert_eq!(row.verdict, Verdict::Warn, "{kind:?}");
        }
    }
}
