//! One HTTP client per environment instance: limits, retries, bodies with a limit, and errors that name their cause.
//!
//! Dropping a future of this module ends its request: an HTTP/1.1 connection is closed, an HTTP/2 stream is reset.

mod authorized;
mod client;
mod limits;
mod problem;
mod reply;
mod retry;
mod spec;
mod transport;

pub(crate) use authorized::authorized;
pub(crate) use client::{Client, Trust};
pub(crate) use limits::Limits;
pub(crate) use problem::{first_line, kept_body};
pub(crate) use reply::Reply;
pub use retry::Options;
pub(crate) use retry::{Budget, Retry};
pub(crate) use spec::RequestSpec;

/// True where the host of this base URL is this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
