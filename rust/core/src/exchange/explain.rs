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
    if let Some(said) = detail(reply.bytes()) {
        service.description = said;
    }
    let said = &service.description;
    let no_body = reply.bytes().iter().all(|byte| *byte == 0);
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
                "Assign it an Exchange role that has this cmdlet, then wait up to an hour."
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
            "Check the tenant: one without Exchange Online licences has no audit search.",
        ),
        405 => (
            Kind::Protocol,
            "this host does not run cmdlets".to_owned(),
            "Check the environment's Exchange host with Get-SecureAppEnvironment: the interface is private, and the service may have \
             moved it. The activity feed and Microsoft Graph have the same records.",
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
pub(super) fn unreadable(cmdlet: &str, tenant: &TenantId) -> Error {
    Error::new(
        Kind::Protocol,
        format!("{cmdlet} gave a row that is not what it should be"),
    )
    .advise("Report this with the name of the command: the service has changed its format.")
    .for_tenant(tenant.as_str())
}

/// The useful text of an error: the third part of `Ex6F9304|Microsoft.Exchange.Some.Exception|text`.
fn detail(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let details = json["error"]["details"].as_array()?;
    let text = details.iter().find_map(|detail| detail["message"].as_str())?;
    let said = text.splitn(3, '|').nth(2).unwrap_or(text);
    Some(said.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_useful_text_is_found() {
        let body = br#"{"error":{"code":"NotFound","message":"Error executing cmdlet","details":[{"code":"Client",
            "message":"Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The object|x couldn't be found.\r\nmore"}]}}"#;
        assert_eq!(detail(body).as_deref(), Some("The object|x couldn't be found."));
        assert_eq!(
            detail(br#"{"error":{"details":[{"message":"plain"}]}}"#).as_deref(),
            Some("plain")
        );
        for nothing in [&b"{}"[..], b"", b"\0\0", br#"{"error":{"details":[]}}"#] {
            assert_eq!(detail(nothing), None);
        }
    }
}
