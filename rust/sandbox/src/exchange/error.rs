//! How the admin API says no.

use serde_json::json;

use crate::reply::{self, Reply};

pub(super) enum ExchangeError {
    /// No token that counts here: 401 without a body.
    Unauthorized,
    /// A cmdlet that does not exist, or not for this caller: 403, and a body of zero bytes that says it is gzip.
    NoSuchCmdlet,
    Told {
        status: u16,
        code: &'static str,
        /// The exception's name, where a cmdlet threw it.
        exception: Option<&'static str>,
        message: String,
    },
}

impl ExchangeError {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        ExchangeError::Told {
            status: 400,
            code: "BadRequest",
            exception: None,
            message: message.into(),
        }
    }

    /// A cmdlet refuses what it was given.
    pub(super) fn thrown(exception: &'static str, message: impl Into<String>) -> Self {
        ExchangeError::Told {
            status: 400,
            code: "BadRequest",
            exception: Some(exception),
            message: message.into(),
        }
    }

    /// A cmdlet is to work on what is not there.
    pub(super) fn no_object(identity: &str, organization: &str) -> Self {
        ExchangeError::Told {
            status: 404,
            code: "NotFound",
            exception: Some("ManagementObjectNotFoundException"),
            message: format!(
                "The operation couldn't be performed because object '{identity}' couldn't be found on '{organization}'."
            ),
        }
    }

    pub(super) fn not_found() -> Self {
        ExchangeError::Told {
            status: 404,
            code: "NotFound",
            exception: None,
            message: "The resource was not found.".to_owned(),
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        ExchangeError::Told {
            status: 405,
            code: "MethodNotAllowed",
            exception: None,
            message: "The requested resource does not support this method.".to_owned(),
        }
    }

    /// A token with the permission, for somebody without a role.
    pub(super) fn no_role(user: bool) -> Self {
        let who = if user { "user" } else { "application" };
        ExchangeError::Told {
            status: 403,
            code: "Forbidden",
            exception: None,
            message: format!("The {who} holds no role that is supported in this scenario."),
        }
    }

    /// Somebody with a role, without the permission in the token.
    pub(super) fn no_permission() -> Self {
        ExchangeError::Told {
            status: 403,
            code: "Forbidden",
            exception: None,
            message: "The token holds no permission for Exchange Online.".to_owned(),
        }
    }

    pub(super) fn reply(self) -> Reply {
        match self {
            ExchangeError::Unauthorized => {
                let mut reply = reply::reply(401, "text/plain", "");
                let challenge = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\"";
                reply::set(&mut reply, http::header::WWW_AUTHENTICATE, challenge);
                reply
            }
            ExchangeError::NoSuchCmdlet => {
                let mut reply = reply::reply(403, "application/json; charset=utf-8", vec![0; 64]);
                reply::set(&mut reply, http::header::CONTENT_ENCODING, "gzip");
                reply
            }
            ExchangeError::Told {
                status,
                code,
                exception: None,
                message,
            } => reply::json(status, &json!({"error": {"code": code, "message": message}})),
            ExchangeError::Told {
                status,
                code,
                exception: Some(exception),
                message,
            } => {
                let detail = format!("Ex6F9304|Microsoft.Exchange.Configuration.Tasks.{exception}|{message}");
                reply::json(
                    status,
                    &json!({"error": {
                        "code": code,
                        "message": "Error executing cmdlet",
                        "details": [{"code": "Client", "target": "", "message": detail}],
                        "innererror": {
                            "message": "Error executing cmdlet",
                            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                            "stacktrace": "   at Microsoft.Exchange.AdminApi.CommandInvocation",
                            "internalexception": {"message": detail, "type": exception, "stacktrace": ""},
                        },
                    }}),
                )
            }
        }
    }
}
