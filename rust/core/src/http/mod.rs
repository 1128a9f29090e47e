//! One HTTP client per environment instance: limits, retries, bodies with a limit, and errors that name their cause.
//!
//! Dropping a future of this module ends its request: an HTTP/1.1 connection is closed, an HTTP/2 stream is reset.

mod authorized;
mod budget;
mod client;
mod gunzip;
pub(crate) mod held_up;
mod incoming;
mod introduction;
mod limits;
mod pace;
mod problem;
mod quota;
mod reply;
mod retry;
mod spec;
mod transport;

pub(crate) use authorized::{authorized, authorized_by};
pub(crate) use budget::Budget;
pub(crate) use client::{Client, Trust};
pub(crate) use held_up::HeldUp;
pub(crate) use limits::{Limits, Raised, MOST_PER_HOST};
pub(crate) use pace::Pace;
pub(crate) use problem::{first_line, kept_body, Refusal};
pub(crate) use quota::Quotas;
pub(crate) use reply::Reply;
pub use retry::Options;
pub(crate) use retry::{parse_retry_after, retry_after, Retry};
pub(crate) use spec::RequestSpec;

use crate::error::{Error, Result};

/// A random GUID (version 4 of RFC 9562), by which the service's logs and a request can be brought together.
pub(crate) fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(|cause| Error::internal(format!("no random numbers: {cause}")))?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

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
