//! REST as a user makes it up: any method and address of a resource, one answer or a collection to its end, and Graph's batches.
//!
//! Invariant: a token goes to its own resource's host and to no other, whatever the user or a link names ([`Place`]).

pub(crate) mod batch;
mod call;
mod place;

pub(crate) use call::{Answer, Ask, Call};
pub(crate) use place::Place;

use crate::error::{Error, Result};
use crate::http::RequestSpec;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::Method;

/// Headers that are this library's: the token's, and those that say how the request itself is put together.
const OWN_HEADERS: [&str; 8] = [
    "authorization",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "proxy-authorization",
    "transfer-encoding",
];

/// The methods that can be asked for.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Reads a method's name, in any case.
pub(crate) fn method(text: &str) -> Result<Method> {
    METHODS
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| Error::invalid("that is no method").advise("Use GET, POST, PUT, PATCH or DELETE."))
}

/// Headers of a user's own, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Reads names and values by turns. A name may be in an error, a value never.
    pub(crate) fn read(texts: &[String]) -> Result<Self> {
        if texts.len() % 2 != 0 {
            return Err(Error::invalid("the last header has no value"));
        }
        let mut headers = Headers::default();
        for pair in texts.chunks_exact(2) {
            let name = HeaderName::try_from(pair[0].trim())
                .map_err(|_| Error::invalid("a header's name holds characters that no name has"))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(
                    Error::invalid(format!("the header {name} is not for the caller to set"))
                        .advise("Leave it out: the token and the form of the request are the command's own."),
                );
            }
            let value = HeaderValue::try_from(pair[1].trim())
                .map_err(|_| Error::invalid(format!("the header {name} cannot hold its value")))?;
            headers.0.push((name, value));
        }
        Ok(headers)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(own, _)| own.as_str() == name)?;
        value.to_str().ok()
    }

    /// Names and values; what is not text is left out.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    fn on(&self, spec: RequestSpec) -> Result<RequestSpec> {
        self.texts().try_fold(spec, |spec, (name, value)| {
            let name = HeaderName::try_from(name).map_err(|_| Error::internal("a header's name was changed"))?;
            spec.header(name, value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Headers> {
        Headers::read(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_caller_sets_any_header_but_those_of_the_request_itself() {
        let headers = read(&["ConsistencyLevel", " eventual ", "Prefer", "odata.maxpagesize=5"]).unwrap();
        assert_eq!(headers.get("consistencylevel"), Some("eventual"));
        assert!(headers.has("prefer") && !headers.has("accept"));
        for name in OWN_HEADERS {
            let error = read(&[&name.to_uppercase(), "hidden"]).unwrap_err();
            assert!(
                error.message().contains(name) && !error.message().contains("hidden"),
                "{error}"
            );
        }
        for bad in [&["a b", "x"][..], &["X-One", "a\r\nAuthorization: x"], &["X-One"]] {
            let error = read(bad).unwrap_err();
            assert!(!error.message().contains("Authorization"), "{error}");
        }
    }

    #[test]
    fn methods_are_read_in_any_case() {
        assert_eq!(method("patch").unwrap(), Method::PATCH);
        for bad in ["", "TRACE", "CONNECT", "GET "] {
            assert!(method(bad).is_err(), "{bad}");
        }
    }
}
