//! Failures below HTTP, told apart: the name, the connection, the certificate, the proxy, time, a body cut short.

use crate::error::{Error, Kind};
use std::error::Error as StdError;
use std::io;

/// How far an exchange got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing reached the service.
    Connect,
    /// The request, or part of it, went out.
    Sent,
    /// The answer's head came, its body did not come whole.
    Body,
}

const BROKEN_ADVICE: &str =
    "Try again; if it happens often, check the proxy or firewall between this machine and the service.";

/// What OpenSSL, Schannel and Security.framework say about a certificate that they do not accept.
const CERTIFICATE_WORDS: [&str; 8] = [
    "certificate verify failed",
    "self-signed certificate",
    "self signed certificate",
    "unable to get local issuer certificate",
    "not trusted",
    "certificate chain",
    "certificate was not trusted",
    "unknown ca",
];

pub(super) fn classify(cause: reqwest::Error, authority: &str) -> (Stage, Error) {
    let text = chain(&cause);
    let lower = text.to_ascii_lowercase();
    let proxy = proxy_in_effect(authority);
    if cause.is_connect() || lower.contains("dns error") || lower.contains("tunnel") {
        return (
            Stage::Connect,
            connect_error(&cause, &lower, authority, proxy.as_deref()),
        );
    }
    if cause.is_timeout() {
        let error = Error::new(Kind::Timeout, format!("{authority} did not answer in time"))
            .advise("Try again later; if only this machine is affected, check its proxy and firewall.");
        return (Stage::Sent, error);
    }
    if cause.is_builder() {
        return (
            Stage::Connect,
            Error::internal(format!("the request could not be made: {}", root_cause(&cause))),
        );
    }
    let error = Error::new(
        Kind::Network,
        format!(
            "the connection to {authority} broke before it answered: {}",
            root_cause(&cause)
        ),
    )
    .advise(BROKEN_ADVICE);
    (Stage::Sent, error)
}

fn connect_error(cause: &reqwest::Error, lower: &str, authority: &str, proxy: Option<&str>) -> Error {
    let io_kind = io_error(cause).map(io::Error::kind);
    if let Some(words) = CERTIFICATE_WORDS.iter().find(|words| lower.contains(**words)) {
        let detail = if *words == "certificate verify failed" {
            verify_detail(lower)
        } else {
            words
        };
        return Error::new(Kind::Network, format!("the certificate of {authority} is not trusted: {detail}")).advise(
            "If this host is certified by a private authority, add its CA with Add-SecureAppEnvironment -CertificatePath; if not, \
             something between this machine and the service (such as an inspecting proxy) presents its own certificate.",
        ).permanent();
    }
    if lower.contains("hostname mismatch")
        || lower.contains("ip address mismatch")
        || lower.contains("name does not match")
    {
        return Error::new(
            Kind::Network,
            format!("the certificate of {authority} is for another name"),
        )
        .advise("Check the host name in the environment (Get-SecureAppEnvironment).")
        .permanent();
    }
    if lower.contains("certificate has expired") {
        return Error::new(Kind::Network, format!("the certificate of {authority} has expired"))
            .advise("Check this machine's clock; if it is right, the host's owner must renew the certificate.")
            .permanent();
    }
    if let Some(proxy) = proxy {
        let why = if lower.contains("407") || lower.contains("authentication required") {
            "it asks for a user name and password".to_owned()
        } else {
            root_cause(cause)
        };
        return Error::new(
            Kind::Network,
            format!("the proxy {proxy} gave no connection to {authority}: {why}"),
        )
        .advise("Check the proxy and the HTTPS_PROXY, ALL_PROXY and NO_PROXY variables of this process.");
    }
    if cause.is_timeout() || io_kind == Some(io::ErrorKind::TimedOut) {
        return Error::new(Kind::Timeout, format!("{authority} could not be reached in time")).advise(
            "Check the host name, the network and the firewall; set HTTPS_PROXY where the way out is a proxy.",
        );
    }
    if lower.contains("dns error") || lower.contains("failed to lookup") {
        return Error::new(Kind::Network, format!("the name of {authority} could not be found"))
            .advise("Check the host name in the environment (Get-SecureAppEnvironment) and this machine's DNS.");
    }
    if io_kind == Some(io::ErrorKind::ConnectionRefused) {
        return Error::new(Kind::Network, format!("{authority} refused the connection"))
            .advise("Nothing listens there: check the host and port, and the firewall.");
    }
    let detail = root_cause(cause);
    if lower.contains("ssl") || lower.contains("tls") || lower.contains("handshake") {
        return Error::new(Kind::Network, format!("no TLS connection to {authority}: {detail}"))
            .advise("Check that the host speaks TLS 1.2 or later on this port and that no proxy is in between.");
    }
    Error::new(Kind::Network, format!("no connection to {authority}: {detail}"))
        .advise("Check the network, the proxy and the firewall between this machine and the service.")
}

/// A body that did not come whole. It may come whole next time.
#[cold]
pub(super) fn broken_body(cause: &reqwest::Error, authority: &str, received: u64) -> Error {
    let (kind, message) = if cause.is_timeout() {
        (
            Kind::Timeout,
            format!("{authority} stopped sending after {received} bytes of its answer"),
        )
    } else {
        // The client below unpacks nothing, so that whatever it calls a failure to decode is the connection's as well.
        let why = root_cause(cause);
        (
            Kind::Network,
            format!("the connection to {authority} broke after {received} bytes of the answer: {why}"),
        )
    };
    Error::new(kind, message).advise(BROKEN_ADVICE).broken_off()
}

/// A body that ended as if it were whole, but before its end.
#[cold]
pub(super) fn short_body(authority: &str, received: u64, announced: Option<u64>) -> Error {
    let whole = announced.map_or(String::new(), |announced| format!(" of {announced}"));
    Error::new(
        Kind::Network,
        format!("the connection to {authority} broke after {received}{whole} bytes of the answer"),
    )
    .advise(BROKEN_ADVICE)
    .broken_off()
}

/// A body that came whole and cannot be unpacked. The service may have had a bad moment.
#[cold]
pub(super) fn damaged_body(why: &str, authority: &str, received: u64) -> Error {
    Error::new(
        Kind::Protocol,
        format!("the answer of {authority}, {received} bytes, is damaged: {why}"),
    )
    .advise("Try again; if it stays so, check whether a proxy between this machine and the service changes what it passes on.")
    .transient()
}

/// The innermost cause, without addresses: reqwest's own text may hold a query.
pub(super) fn root_cause(cause: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = cause;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if innermost.is::<reqwest::Error>() {
        return "no more is known".to_owned();
    }
    innermost.to_string()
}

fn chain(cause: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = cause.source();
    while let Some(error) = next {
        text.push_str(&error.to_string());
        text.push_str("; ");
        next = error.source();
    }
    text
}

fn io_error(cause: &reqwest::Error) -> Option<&io::Error> {
    let mut next = cause.source();
    let mut found = None;
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = Some(io);
        }
        next = error.source();
    }
    found
}

/// OpenSSL puts the reason in brackets at the end.
fn verify_detail(lower: &str) -> &str {
    lower
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("its issuer is not known here", |(reason, _)| reason)
}

/// Host and port of the proxy that this process's variables name for `authority`, without its user and password.
fn proxy_in_effect(authority: &str) -> Option<String> {
    if super::is_loopback(&format!("https://{authority}")) {
        return None;
    }
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let any = |names: [&str; 2]| names.iter().find_map(|name| read(name));
    let proxy = any(["HTTPS_PROXY", "https_proxy"]).or_else(|| any(["ALL_PROXY", "all_proxy"]))?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let exempt = any(["NO_PROXY", "no_proxy"]).is_some_and(|list| {
        list.split(',').map(str::trim).any(|entry| {
            let suffix = entry.trim_start_matches('.');
            entry == "*" || (!suffix.is_empty() && (host == suffix || host.ends_with(&format!(".{suffix}"))))
        })
    });
    if exempt {
        return None;
    }
    let full = if proxy.contains("://") {
        proxy
    } else {
        format!("http://{proxy}")
    };
    let url = url::Url::parse(&full).ok()?;
    Some(url[url::Position::BeforeHost..url::Position::AfterPort].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_names_the_reason_in_brackets() {
        let text = "error:0a000086:ssl routines:tls_post_process_server_certificate:certificate verify failed:../ssl/x.c:1889: (self-signed certificate in certificate chain)";
        assert_eq!(verify_detail(text), "self-signed certificate in certificate chain");
        assert_eq!(
            verify_detail("certificate verify failed"),
            "its issuer is not known here"
        );
    }
}
