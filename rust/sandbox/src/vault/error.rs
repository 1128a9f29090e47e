//! Refusals as Key Vault words them: `{"error":{"code","message","innererror":{"code"}}}`.
//!
//! Source: Azure Key Vault documentation, "REST API error codes" and "Authentication, requests and responses".

use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use crate::reply::{self, Reply};

/// A request that the vault does not serve.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    inner: Option<&'static str>,
    challenge: Option<String>,
    retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal {
            status,
            code,
            message: message.into(),
            inner: None,
            challenge: None,
            retry_after: None,
        }
    }

    pub(super) fn inner(mut self, code: &'static str) -> Self {
        self.inner = Some(code);
        self
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Refusal::new(400, "BadParameter", message)
    }

    pub(super) fn forbidden(message: impl Into<String>, inner: &'static str) -> Self {
        Refusal::new(403, "Forbidden", message).inner(inner)
    }

    /// A 401 with the challenge that names the vault's tenant and resource.
    pub(super) fn unauthorized(message: impl Into<String>, challenge: String) -> Self {
        let mut refusal = Refusal::new(401, "Unauthorized", message);
        refusal.challenge = Some(challenge);
        refusal
    }

    pub(super) fn throttled(retry_after: Option<u32>) -> Self {
        let mut refusal = Refusal::new(
            429,
            "Throttled",
            "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
        );
        refusal.retry_after = retry_after;
        refusal
    }

    /// `kind` is `Secret`, `Certificate` or `Key`.
    pub(super) fn not_found(kind: &str, name: &str) -> Self {
        let (code, noun) = match kind {
            "Secret" => ("SecretNotFound", "secret"),
            "Certificate" => ("CertificateNotFound", "certificate"),
            _ => ("KeyNotFound", "key"),
        };
        Refusal::new(
            404,
            code,
            format!(
                "A {noun} with (name/id) {name} was not found in this key vault. If you recently deleted this {noun} you \
                 may be able to recover it using the correct recovery command. For help resolving this issue, please see \
                 https://go.microsoft.com/fwlink/?linkid=2125182"
            ),
        )
    }

    pub(super) fn reply(self) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(inner) = self.inner {
            error["innererror"] = json!({ "code": inner });
        }
        let mut reply = reply::json(self.status, &json!({ "error": error }));
        if let Some(challenge) = self.challenge {
            reply::set(&mut reply, WWW_AUTHENTICATE, &challenge);
        }
        if let Some(seconds) = self.retry_after {
            reply::set(&mut reply, RETRY_AFTER, &seconds.to_string());
        }
        reply::set(&mut reply, HeaderName::from_static("x-ms-error-code"), self.code);
        reply
    }
}
