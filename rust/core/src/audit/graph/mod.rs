//! Microsoft Graph's audit logs: searches of the unified audit log as jobs (`auditLogQuery`), and the lists of sign-ins,
//! directory audits and provisioning, after Microsoft's Graph reference and what users of both have reported.

mod explain;
mod job;
mod list;
mod queries;
mod reports;
mod waits;

pub(crate) use queries::{Queries, QueryFilter, AUDIT_LOG};
pub(crate) use reports::{Report, Reports};
