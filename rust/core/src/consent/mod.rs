//! Consent to the application in customers' tenants: given and taken away through Partner Center, seen through tokens.
//!
//! Partner Center's reference ("Get customer consent as Control Panel Vendor") has a way to grant and a way to remove, and none
//! to read. So what a tenant has consented to is read from the permissions (`scp`) of a token that is redeemed to find out; on APIs
//! that are not known by name, from the tenant's directory where the application may read it.

pub(crate) mod api;
pub(crate) mod listed;
pub(crate) mod look;
pub(crate) mod partner_center;

pub(crate) use api::{Api, Wanted};
pub(crate) use look::Seen;
pub(crate) use partner_center::{Granted, PartnerCenter};
