//! The `tokens` operation against the sandbox.

mod certificate_create;
mod certificate_files;
mod certificates;
mod faults;
mod federated;
mod held;
mod identity;
mod limits;
mod managed;
mod refusals;
mod sharing;
mod stopping;
mod support;
mod trust;
mod verbose;
