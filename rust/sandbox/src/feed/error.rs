//! Error replies of the Management Activity API ("Office 365 Management Activity API reference", "Errors"), and those
//! that only its users have written about: AF20024, and single quotes around AF429 and AF50000.

use serde_json::json;

use crate::reply::{self, Call, Reply};

/// A refusal with the API's code.
pub(crate) struct FeedError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl FeedError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        let status = match code {
            "AF10001" => 401,
            // Throttling comes with 403, not with 429.
            "AF429" => 403,
            "AF50000" | "AF50005" | "AF50006" => 500,
            _ => 400,
        };
        FeedError {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// An error that somebody asked for, worded as the API words it.
    pub(crate) fn made_up(code: &str, call: &Call) -> Self {
        let message = match code {
            "AF429" => return FeedError::throttled(call),
            "AF50000" => "An internal error occurred. Retry the request.",
            "AF20022" => "No subscription found for the specified content type.",
            "AF20023" => "The subscription was disabled by a service admin.",
            "AF20050" => "The specified content does not exist.",
            "AF20051" => {
                "Content requested with the key has already expired. Content older than 7 days cannot be retrieved."
            }
            "AF20031" => "Invalid nextPage Input.",
            _ => "The sandbox was told to answer with this error.",
        };
        FeedError::new(code, message)
    }

    /// Too many requests.
    pub(crate) fn throttled(call: &Call) -> Self {
        let method = match call.path.rsplit('/').next() {
            Some("content") => "ListAvailableContent",
            Some("start") => "StartSubscription",
            Some("list") => "ListSubscriptions",
            _ => "GetBlob",
        };
        let publisher = call
            .parameter("PublisherIdentifier")
            .unwrap_or_else(|| "00000000-0000-0000-0000-000000000000".to_owned());
        FeedError::new(
            "AF429",
            format!("Too many requests. Method={method}, PublisherId={publisher}"),
        )
    }

    pub(crate) fn reply(&self) -> Reply {
        match self.code.as_str() {
            "AF429" | "AF50000" => reply::reply(
                self.status,
                "application/json; charset=utf-8",
                format!("{{'error':{{'code':'{}','message':'{}'}}}}", self.code, self.message),
            ),
            code => reply::json(self.status, &json!({"error": {"code": code, "message": self.message}})),
        }
    }
}

/// The reply of the API's host to a token that it does not accept at all.
pub(crate) fn unauthorized() -> Reply {
    let mut reply = reply::json(
        401,
        &json!({"Message": "Authorization has been denied for this request."}),
    );
    reply::set(&mut reply, http::header::WWW_AUTHENTICATE, "Bearer");
    reply
}
