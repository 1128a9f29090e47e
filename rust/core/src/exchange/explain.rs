//! What Exchange Online's admin API means when it says no.

use crate::error::{Error, Kind, ServiceError};
use crate::http::Reply;
use crate::tenant::TenantId;
use serde_json::Value;

/// The error that a failed reply stands for.
#[cold]
pub(super) fn refusal(reply: &Reply, cmdlet: &str, tenant: &TenantId) -> Error {
    let plain = reply.error(&format!("run {cmdlet}"));
    let mut service = plain.service().cloned().unwrap_or_default();
    let mut thrown = None;
    if let Some(detail) = Detail::read(reply.bytes()) {
        service.description = detail.said;
        thrown = detail.exception;
    }
    if let Some(exception) = &thrown {
        service.code.clone_from(exception);
    }
    let said = &service.description;
    let no_body = reply.bytes().iter().all(|byte| *byte == 0);
    if let Some((kind, what, advice)) = thrown.as_deref().and_then(meaning) {
        return Error::new(kind, format!("{cmdlet} {what}"))
            .advise(advice)
            .with_service(service)
            .for_tenant(tenant.as_str());
    }
    let (kind, what, advice) = match reply.status() {
        401 => (
            Kind::NotSignedIn,
            "Exchange Online does not accept the token: it has neither the permission nor a role there".to_owned(),
            "An application needs the permission Exchange.ManageAsApp of Office 365 Exchange Online, consented to in this \
             tenant, and a role such as Exchange Administrator or Global Reader; a user needs Exchange.Manage and a role. Check that the tenant is the organization meant.",
        ),
        403 if no_body => (
            Kind::Denied,
            format!("{cmdlet} is not among the cmdlets that this account may run"),
            if cmdlet == "Search-UnifiedAuditLog" {
                "Assign it the role View-Only Audit Logs in Exchange Online (a role of Purview is not enough), for example by a \
                 role group that holds only that; then wait up to an hour."
            } else {
                "Check the spelling: a cmdlet that does not exist is refused the same way. If it is right, assign the account an \
                 Exchange role that has this cmdlet, then wait up to an hour."
            },
        ),
        403 => (
            Kind::Denied,
            format!("Exchange Online refuses this account: {said}"),
            "Two things are needed, and one is there: the permission (Exchange.ManageAsApp for an application, Exchange.Manage for a \
             user) and a role in Entra or Exchange (Exchange Administrator, Global Reader, Compliance Administrator ..). Add the other one.",
        ),
        404 => (
            Kind::NotFound,
            "Exchange Online does not know this organization".to_owned(),
            "Check the tenant: one without Exchange Online licences has neither mailboxes nor an audit search.",
        ),
        405 => (
            Kind::Protocol,
            "this host does not run cmdlets".to_owned(),
            "Check the environment's Exchange host with Get-SecureAppEnvironment: the interface is private, and the service may have \
             moved it. For audit records, the activity feed and Microsoft Graph have the same.",
        ),
        400 => (
            Kind::InvalidInput,
            format!("{cmdlet} refuses its parameters: {said}"),
            "Check the command's parameters against the service's own words.",
        ),
        _ => return plain.for_tenant(tenant.as_str()),
    };
    Error::new(kind, what)
        .advise(advice)
        .with_retry_after(reply.retry_after())
        .with_service(service)
        .for_tenant(tenant.as_str())
}

/// True for the refusal of a cmdlet that the account does not have: it was let in, so it has a role.
pub(crate) fn lacks_cmdlet(error: &Error) -> bool {
    let said = |service: &ServiceError| service.http_status == 403 && service.body.bytes().all(|byte| byte == 0);
    error.service().is_some_and(said)
}

#[cold]
pub(crate) fn unreadable(cmdlet: &str, tenant: &TenantId) -> Error {
    Error::new(
        Kind::Protocol,
        format!("{cmdlet} gave a row that is not what it should be"),
    )
    .advise("Report this with the name of the command: the service has changed its format.")
    .for_tenant(tenant.as_str())
}

/// What a cmdlet's exception stands for, where its name says it; what else fails goes by the status.
fn meaning(exception: &str) -> Option<(Kind, &'static str, &'static str)> {
    let has = |words: &[&str]| words.iter().any(|word| exception.contains(word));
    Some(if has(&["NotFound"]) {
        (
            Kind::NotFound,
            "did not find what its parameters name",
            "Check the name and the tenant: what the parameters name is not in this organization.",
        )
    } else if has(&["AlreadyExists", "Duplicate"]) {
        (
            Kind::InvalidInput,
            "was to make what is there already",
            "It is there already: look at it with the Get- cmdlet and change it with the Set- cmdlet, or use another name.",
        )
    } else if has(&["Unauthorized", "AccessDenied", "Authorization"]) {
        (
            Kind::Denied,
            "is not for this account with these parameters",
            "Assign the account an Exchange role that has this cmdlet with these parameters, then wait up to an hour.",
        )
    } else if has(&["Overbudget", "OverBudget", "Throttl"]) {
        (
            Kind::Throttled,
            "was not run, because too much was asked of this organization",
            "Try again later, and ask for fewer tenants at once (-ThrottleLimit).",
        )
    } else if has(&["ParameterSet", "ParameterBinding", "Parse", "Invalid", "Argument"]) {
        (
            Kind::InvalidInput,
            "refuses its parameters",
            "Check -Parameters against the cmdlet's reference: their names, their types, and which go together.",
        )
    } else {
        return None;
    })
}

/// What a failed cmdlet tells.
#[derive(Debug, PartialEq, Eq)]
struct Detail {
    /// The exception's name without its namespace.
    exception: Option<String>,
    said: String,
}

impl Detail {
    /// `Ex6F9304|Microsoft.Exchange.Some.Exception|text`, or a text alone.
    fn read(body: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let details = json["error"]["details"].as_array()?;
        let text = details.iter().find_map(|detail| detail["message"].as_str())?;
        let parts: Vec<&str> = text.splitn(3, '|').collect();
        let (exception, said) = match parts.as_slice() {
            [_, exception, said] => (exception.rsplit('.').next(), *said),
            _ => (None, text),
        };
        Some(Detail {
            exception: exception.filter(|name| !name.is_empty()).map(str::to_owned),
            said: said.lines().next().unwrap_or_default().trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_useful_text_and_the_exception_are_found() {
        let body = br#"{"error":{"code":"NotFound","message":"Error executing cmdlet","details":[{"code":"Client",
            "message":"Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The object|x couldn't be found.\r\nmore"}]}}"#;
        let detail = Detail::read(body).unwrap();
        assert_eq!(detail.said, "The object|x couldn't be found.");
        let exception = detail.exception.unwrap();
        assert_eq!(exception, "ManagementObjectNotFoundException");
        assert_eq!(meaning(&exception).unwrap().0, Kind::NotFound);
        let plain = Detail::read(br#"{"error":{"details":[{"message":"plain"}]}}"#).unwrap();
        assert_eq!((plain.exception, plain.said.as_str()), (None, "plain"));
        for nothing in [&b"{}"[..], b"", b"\0\0", br#"{"error":{"details":[]}}"#] {
            assert_eq!(Detail::read(nothing), None);
        }
    }

    #[test]
    fn an_exception_that_says_nothing_goes_by_the_status() {
        assert_eq!(meaning("AmbiguousParameterSetException").unwrap().0, Kind::InvalidInput);
        assert_eq!(meaning("ADObjectAlreadyExistsException").unwrap().0, Kind::InvalidInput);
        assert_eq!(meaning("OverBudgetException").unwrap().0, Kind::Throttled);
        assert!(meaning("DataSourceOperationException").is_none());
    }
}
