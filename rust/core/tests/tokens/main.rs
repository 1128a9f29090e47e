//! The `tokens` operation against the sandbox.

mod faults;
mod identity;
mod sharing;
mod stopping;
mod support;
mod trust;
