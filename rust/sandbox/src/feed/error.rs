//! Error replies of the Management Activity API ("Office 365 Management Activity API reference", "Errors"), and those
//! that only its users have written about: AF20024, and single quotes around AF429 and AF50000.

use serde_json::json;

use crate::reply::{self, Reply};

/// A refusal with the API's code.
pub(crate) struct FeedError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl FeedError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let status = match code {
            "AF10001" => 401,
            // Throttling comes with 403, not with 429.
            "AF429" => 403,
            "AF50000" | "AF50005" | "AF50006" => 500,
            _ => 400,
        };
        FeedError {
            status,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        match self.code {
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
