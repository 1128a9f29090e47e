//! What the sign-in page sends to the reply URL (RFC 6749, sections 4.1.2 and 4.1.2.1).

use crate::error::{Error, Result, ServiceError};
use crate::secret::Secret;
use crate::token::read_service_error;
use serde_json::{Map, Value as Json};

/// An answer, without the state that says whose it is.
#[derive(Clone)]
pub(super) enum Response {
    Code(Secret),
    Refused(Box<ServiceError>),
}

/// Reads a query or a form. `None` where it is no answer.
pub(super) fn read(text: &str) -> Option<(String, Response)> {
    let mut code = None;
    let mut state = String::new();
    let mut error = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "code" if !value.is_empty() => code = Some(Secret::new(value.into_owned())),
            "state" => state = value.into_owned(),
            "error" | "error_description" | "error_codes" | "suberror" | "error_subcode" | "claims" => {
                let name = if name == "error_subcode" {
                    "suberror".into()
                } else {
                    name
                };
                error.insert(name.into_owned(), Json::String(value.into_owned()));
            }
            _ => {}
        }
    }
    if error.contains_key("error") {
        let service = read_service_error(&Json::Object(error).to_string());
        return Some((state, Response::Refused(Box::new(service))));
    }
    Some((state, Response::Code(code?)))
}

/// Reads what a user pastes: the whole address that the browser ended at, or what comes after its `?` or `#`.
pub(super) fn pasted(text: &Secret) -> Result<(String, Response)> {
    let text = text.expose().trim().trim_matches(|c| c == '"' || c == '\'');
    let parameters = match text.split_once(['?', '#']) {
        Some((_, parameters)) => parameters,
        None => text,
    };
    let refused = |message: &str| {
        Err(Error::invalid(message).advise(
            "Paste the whole address that the browser ended at, with everything after the question mark: it holds 'code=' \
             and 'state='.",
        ))
    };
    match read(parameters) {
        Some((state, response)) if !state.is_empty() => Ok((state, response)),
        Some(_) => refused("the pasted address has no 'state', so it cannot be told whose answer it is"),
        None if text.is_empty() => refused("no response address was given"),
        None => refused("what was pasted is not the answer of a sign-in"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_however_they_are_pasted() {
        for text in [
            "https://localhost/?code=a%2Bb&state=s",
            " \"urn:ietf:wg:oauth:2.0:oob?state=s&code=a%2Bb&session_state=x\" ",
            "https://localhost/#code=a%2Bb&state=s",
            "code=a%2Bb&state=s",
        ] {
            match pasted(&Secret::from(text)).unwrap() {
                (state, Response::Code(code)) => assert_eq!((state.as_str(), code.expose()), ("s", "a+b"), "{text}"),
                (_, Response::Refused(service)) => panic!("{text}: {service:?}"),
            }
        }
        for text in ["", "https://localhost/", "hello", "https://localhost/?code=x"] {
            assert!(pasted(&Secret::from(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_services_words() {
        let text =
            "error=access_denied&error_subcode=cancel&error_description=AADSTS65004%3a+No.%0d%0aTrace+ID%3a+t&state=s";
        let Some((_, Response::Refused(service))) = read(text) else {
            panic!("a refusal")
        };
        assert_eq!(
            (service.error.as_str(), service.suberror.as_str()),
            ("access_denied", "cancel")
        );
        assert_eq!((service.code.as_str(), service.trace_id.as_str()), ("AADSTS65004", "t"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            let _ = pasted(&Secret::from(text.as_str()));
            let _ = read(&format!("error={text}&error_description={text}&code={text}"));
        }
    }
}
