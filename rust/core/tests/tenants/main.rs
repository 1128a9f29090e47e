//! Reading a partner's customers and trying its credential, looking ids up and sending mail, against the sandbox and what goes
//! wrong there.

mod application;
mod consents;
mod credential_rows;
mod credential_test;
mod delegated_tenants;
mod mail;
mod object_ids;
mod registration;
mod relationships;
mod rest;
mod rotation;
mod rotation_bed;
mod security;
mod stale_certificates;
mod stops;
mod support;
