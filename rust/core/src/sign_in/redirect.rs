//! The reply URL: one that a listener of this machine can serve, or one whose answer the user pastes.

use crate::error::{Error, Result};
use url::{Host, Url};

/// A reply URL as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// An `http` address of this machine; port 0 for any free one.
    Loopback { host: String, port: u16, path: String },
    /// Nothing listens there: `urn:ietf:wg:oauth:2.0:oob`, `https://localhost`, the platform's native client page.
    Elsewhere(String),
}

impl Redirect {
    /// Without a URL the answer goes to `http://localhost`. `port` is the listener's where the URL names none.
    pub(crate) fn parse(uri: Option<&str>, port: Option<i64>) -> Result<Self> {
        let port = port.map(Redirect::read_port).transpose()?.unwrap_or(0);
        let Some(uri) = uri.map(str::trim).filter(|uri| !uri.is_empty()) else {
            return Ok(Redirect::Loopback {
                host: "localhost".to_owned(),
                port,
                path: String::new(),
            });
        };
        let refused = || {
            // What has not even the form of one may be anything, a secret too.
            Error::invalid(format!(
                "a text of {} characters is not a reply URL",
                uri.chars().count()
            ))
            .advise(
                "Give one that the app registration lists, such as http://localhost, https://localhost or \
                 urn:ietf:wg:oauth:2.0:oob.",
            )
        };
        let url = Url::parse(uri).map_err(|_| refused())?;
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(refused());
        }
        let local = match url.host() {
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "http" if local => {
                let own = match (url.port(), port) {
                    // The default port of http has to be asked for by name.
                    (None, port) => port,
                    (Some(own), 0) => own,
                    (Some(own), port) if own == port => own,
                    (Some(own), port) => {
                        return Err(
                            Error::invalid(format!("the reply URL names port {own}, -Port names {port}"))
                                .advise("Leave one of them out."),
                        )
                    }
                };
                // As it was given: a slash at the end makes a difference to the registration.
                let bare = uri.trim_end_matches('/').len();
                let path = match url.path() {
                    "/" => uri.get(bare..).unwrap_or_default(),
                    path => path,
                };
                Ok(Redirect::Loopback {
                    host: url.host_str().unwrap_or("localhost").to_owned(),
                    port: own,
                    path: path.to_owned(),
                })
            }
            "http" => Err(Error::invalid(format!(
                "a reply URL at http://{} would carry the answer over plain http to another machine",
                url.host_str().unwrap_or_default()
            ))
            .advise("Use http://localhost, or an https address.")),
            _ if port != 0 => Err(Error::invalid(
                "-Port is for a listener on this machine, and nothing listens at this reply URL",
            )
            .advise("Leave -Port out, or use -RedirectUri http://localhost.")),
            "https" | "urn" => Ok(Redirect::Elsewhere(uri.to_owned())),
            _ => Err(refused()),
        }
    }

    /// A port as a number of a request.
    pub(crate) fn read_port(number: i64) -> Result<u16> {
        u16::try_from(number)
            .map_err(|_| Error::invalid(format!("{number} is not a port")).advise("Give a port from 0 to 65535."))
    }

    /// The listener's port; 0 for any.
    pub(super) fn port(&self) -> u16 {
        match self {
            Redirect::Loopback { port, .. } => *port,
            Redirect::Elsewhere(_) => 0,
        }
    }

    /// The path at which a listener answers.
    pub(super) fn path(&self) -> &str {
        match self {
            Redirect::Loopback { path, .. } if !path.is_empty() => path,
            _ => "/",
        }
    }

    /// What is sent as `redirect_uri`, once the port is known.
    pub(super) fn uri(&self, port: u16) -> String {
        match self {
            Redirect::Loopback { host, path, .. } => format!("http://{host}:{port}{path}"),
            Redirect::Elsewhere(uri) => uri.clone(),
        }
    }
}

/// What an app registration has to list for a `redirect_uri` that was sent: the port of a loopback address does not count
/// there (Microsoft's "Redirect URI (reply URL) best practices and limitations").
pub(super) fn to_register(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.scheme() == "http" => {
            let path = match url.path() {
                "/" if !redirect_uri.ends_with('/') => "",
                path => path,
            };
            format!("http://{}{path}", url.host_str().unwrap_or("localhost"))
        }
        _ => redirect_uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_keep_their_path_and_get_a_port() {
        for (given, port, sent, registered) in [
            (None, None, "http://localhost:7", "http://localhost"),
            (Some("http://localhost"), None, "http://localhost:7", "http://localhost"),
            (
                Some("http://localhost/"),
                None,
                "http://localhost:7/",
                "http://localhost/",
            ),
            (
                Some("http://127.0.0.1:7/back"),
                None,
                "http://127.0.0.1:7/back",
                "http://127.0.0.1/back",
            ),
            (
                Some("http://localhost/a"),
                Some(7),
                "http://localhost:7/a",
                "http://localhost/a",
            ),
        ] {
            let redirect = Redirect::parse(given, port).unwrap();
            assert!(matches!(redirect, Redirect::Loopback { .. }), "{given:?}");
            assert!([0, 7].contains(&redirect.port()));
            assert_eq!(redirect.uri(7), sent);
            assert_eq!(to_register(&redirect.uri(7)), registered);
        }
    }

    #[test]
    fn other_addresses_are_pasted_or_refused() {
        for uri in [
            "urn:ietf:wg:oauth:2.0:oob",
            "https://localhost",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
        ] {
            let redirect = Redirect::parse(Some(uri), None).unwrap();
            assert_eq!(redirect, Redirect::Elsewhere(uri.to_owned()));
            assert_eq!(to_register(&redirect.uri(7)), uri);
            assert!(Redirect::parse(Some(uri), Some(8400)).is_err(), "nothing listens there");
        }
        for uri in [
            "http://example.com/reply",
            "ftp://localhost",
            "localhost",
            "http://localhost/#x",
            "http://u:p@localhost",
        ] {
            let refusal = Redirect::parse(Some(uri), None).unwrap_err();
            assert!(!refusal.message().contains(uri), "{refusal:?}");
        }
        assert!(Redirect::parse(None, Some(70_000)).is_err());
        assert!(Redirect::parse(Some("http://localhost:1"), Some(2)).is_err());
    }
}
