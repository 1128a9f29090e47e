//! Exporting audit logs from the sandbox's feed: what is in the files equals what the sandbox says there is, whatever goes
//! wrong on the way. The files are read here by serde_json and csv alone, not by the code that wrote them.

mod faults;
mod lifecycle;
mod refusals;
mod subscriptions;
mod support;
mod truth;
