//! The `tokens` operation against the sandbox.

mod certificates;
mod faults;
mod held;
mod identity;
mod limits;
mod sharing;
mod stopping;
mod support;
mod trust;
