//! What is said about a list that could not be read.

use super::Source;
use crate::error::{Error, Kind};

/// The warning for one list while others could be read: its name, the service's code, what reading it takes, what to do.
pub(crate) fn warning(source: Source, error: &Error) -> String {
    let mut text = format!(
        "{} could not be read{}: {}.",
        source.title(),
        code(error),
        sentence(error.message())
    );
    if is_refusal(error) {
        text.push_str(&format!(" Reading them takes {}.", source.permission()));
    }
    if !error.advice().is_empty() {
        text.push(' ');
        text.push_str(error.advice());
    }
    text
}

/// The warning for rows that name no tenant.
pub(crate) fn left_out(source: Source, rows: usize) -> String {
    let what = if rows == 1 {
        "1 row without a tenant id was".to_owned()
    } else {
        format!("{rows} rows without a tenant id were")
    };
    format!("{what} left out of {}; all its other rows are here.", source.title())
}

/// The error for all lists failing: the first one's kind and service error, and each one's reason, told once where all are
/// the same.
pub(crate) fn nothing_read(failures: &[(Source, Error)]) -> Error {
    let Some((_, first)) = failures.first() else {
        return Error::internal("no list of customers was read, and none failed");
    };
    let same = failures.iter().all(|(_, error)| is_same(error, first));
    let message = if same {
        format!(
            "no list of customers could be read{}: {}",
            code(first),
            sentence(first.message())
        )
    } else {
        let each: Vec<String> = failures
            .iter()
            .map(|(source, error)| format!("{}{}: {}", source.title(), code(error), sentence(error.message())))
            .collect();
        format!("no list of customers could be read. {}", each.join(". "))
    };
    let mut advice = first.advice().to_owned();
    if !same && failures.iter().all(|(_, error)| is_refusal(error)) {
        let each: Vec<&str> = failures.iter().map(|(source, _)| source.permission()).collect();
        advice = format!("One of these is enough: {}.", each.join("; or "));
    }
    let mut error = Error::new(first.kind(), message)
        .advise(advice)
        .for_tenant(first.tenant())
        .with_retry_after(first.retry_after());
    if let Some(service) = first.service() {
        error = error.with_service(service.clone());
    }
    error
}

/// True for one cause, however many lists it kept from being read. Messages name what was asked for, codes do not.
fn is_same(one: &Error, other: &Error) -> bool {
    let number = |error: &Error| {
        error
            .service()
            .map(|service| service.code.clone())
            .filter(|code| code.starts_with("AADSTS"))
    };
    one.kind() == other.kind()
        && (one.message() == other.message() || number(one).is_some_and(|code| number(other) == Some(code)))
}

/// True where the service answered and would not: then a permission is what may be missing.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), Kind::NotSignedIn | Kind::Denied | Kind::NotFound)
}

/// The service's code in brackets, where it has one that the message does not show already.
fn code(error: &Error) -> String {
    let Some(service) = error.service() else {
        return String::new();
    };
    let code = match (service.code.as_str(), service.error.as_str()) {
        ("", "") => format!("HTTP {}", service.http_status),
        ("", error) => error.to_owned(),
        (code, _) => code.to_owned(),
    };
    if error.message().contains(&code) {
        String::new()
    } else {
        format!(" ({code})")
    }
}

/// A message without the full stop that the caller sets.
fn sentence(message: &str) -> &str {
    message.trim_end().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;

    fn refused(code: &str) -> Error {
        Error::new(Kind::Denied, "the service refused the request").with_service(ServiceError {
            http_status: 403,
            code: code.to_owned(),
            ..ServiceError::default()
        })
    }

    #[test]
    fn a_warning_names_the_list_the_code_and_the_permission() {
        for (source, permission) in [
            (Source::PartnerCenter, "user_impersonation"),
            (Source::PartnerCenter, "Admin agents"),
            (Source::Contracts, "Directory.Read.All"),
            (Source::DelegatedAdminCustomers, "DelegatedAdminRelationship.Read.All"),
        ] {
            let text = warning(source, &refused("Authorization_RequestDenied"));
            for part in [source.title(), "Authorization_RequestDenied", permission] {
                assert!(text.contains(part), "'{part}' is not in: {text}");
            }
        }
    }

    #[test]
    fn a_failure_that_is_no_refusal_blames_no_permission() {
        let text = warning(
            Source::Contracts,
            &Error::new(Kind::Network, "graph.microsoft.com could not be reached"),
        );
        assert!(!text.contains("Directory.Read.All"), "{text}");
    }

    #[test]
    fn one_reason_for_all_lists_is_told_once_and_different_ones_each() {
        let same = Source::ALL.map(|source| (source, refused("AADSTS7000215").for_resource(source.name())));
        let error = nothing_read(&same);
        assert_eq!(error.kind(), Kind::Denied);
        assert_eq!(error.message().matches("AADSTS7000215").count(), 1, "{error}");
        assert_eq!(
            error.service().map(|service| service.code.as_str()),
            Some("AADSTS7000215")
        );

        let mut each = same;
        each[1].1 = Error::new(Kind::Timeout, "no answer in time");
        let error = nothing_read(&each);
        for (source, _) in &each {
            assert!(error.message().contains(source.title()), "{error}");
        }
    }
}
