//! What Graph means when it does not give its audit logs.

use crate::error::{Error, Kind};
use crate::http::Reply;
use crate::tenant::TenantId;

/// The error that a failed reply stands for. `permissions` are those that would do.
#[cold]
pub(super) fn refusal(reply: &Reply, action: &str, permissions: &str, tenant: &TenantId) -> Error {
    let plain = reply.error(action);
    let service = plain.service().cloned().unwrap_or_default();
    let said = String::from_utf8_lossy(reply.bytes());
    let (kind, what, advice) = if said.contains("AuditingDisabledTenant") {
        (
            Kind::NotFound,
            "auditing is off in this tenant".to_owned(),
            "Turn it on in the tenant with Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true; it takes up to an \
             hour to act, and nothing from before is kept."
                .to_owned(),
        )
    } else if said.contains("NonPremiumTenant") {
        (
            Kind::Denied,
            "this tenant has no licence for sign-ins (Microsoft Entra ID P1)".to_owned(),
            "Leave this tenant out, or take UserLoggedIn and UserLoginFailed from the audit log, which needs no such licence."
                .to_owned(),
        )
    } else if reply.status() == 403 {
        (
            Kind::Denied,
            format!("Graph refuses to {action}: {}", service.description),
            format!("Give the application the permission {permissions} of Microsoft Graph and consent to it in this tenant; a user also needs a role that reads audit logs."),
        )
    } else {
        return plain.for_tenant(tenant.as_str());
    };
    Error::new(kind, what)
        .advise(advice)
        .with_retry_after(reply.retry_after())
        .with_service(service)
        .for_tenant(tenant.as_str())
}
