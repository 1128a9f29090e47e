//! The one error type. Its [`Kind`] says what the caller can do about it; the rest is for a person to read.

use crate::value::Value;
use std::fmt;
use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about a failure. Names and order are stable: the C ABI numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself is wrong; where possible that is found before anything is sent.
    InvalidInput,
    /// The service refused who is asking: wrong or expired credential, missing consent, MFA, Conditional Access.
    NotSignedIn,
    /// Signed in, but without the permission or role for this.
    Denied,
    /// The tenant, resource or object does not exist.
    NotFound,
    /// The service asked for less traffic, and the retry budget is used up.
    Throttled,
    /// The service could not be reached (name, connection, TLS, proxy).
    Network,
    /// No answer in time.
    Timeout,
    /// The service failed (5xx), and retries did not help.
    Server,
    /// The answer was not what the protocol says (not JSON, truncated, a field missing).
    Protocol,
    /// A file could not be written or read.
    Storage,
    /// The caller stopped the work.
    Cancelled,
    /// A defect here.
    Internal,
}

/// What a service said about a failure, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status of the reply.
    pub http_status: u16,
    /// `error` of an OAuth reply, `error.code` of a Graph or activity feed reply.
    pub error: String,
    /// OAuth `suberror`; empty where there is none.
    pub suberror: String,
    /// The service's own number, with its prefix: `AADSTS7000215`, `AF20022`, `900421`.
    pub code: String,
    /// The service's own text, first line, without the ids that follow it.
    pub description: String,
    /// OAuth `claims`: JSON that names what the next sign-in has to satisfy, as sent. No secret.
    pub claims: String,
    pub trace_id: String,
    pub correlation_id: String,
    /// The service's own time stamp, as sent.
    pub timestamp: String,
    /// The reply's body as received (at most 16 KiB), with the request's secrets masked.
    pub body: String,
}

/// A failure: what failed, for which tenant and resource, what the service said, and what to do next.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    id: &'static str,
    message: String,
    advice: String,
    tenant: String,
    resource: String,
    service: Option<ServiceError>,
    retry_after: Option<Duration>,
    /// Says whether trying again may help where the kind alone does not.
    retryable: Option<bool>,
    broken_off: bool,
    unsent: bool,
}

impl Error {
    /// `message` is one sentence for a person, without secrets.
    #[cold]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            id: "",
            message: message.into(),
            advice: String::new(),
            tenant: String::new(),
            resource: String::new(),
            service: None,
            retry_after: None,
            retryable: None,
            broken_off: false,
            unsent: false,
        }))
    }

    #[cold]
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(Kind::InvalidInput, message)
    }

    #[cold]
    pub fn cancelled() -> Self {
        Error::new(Kind::Cancelled, "the operation was stopped")
    }

    #[cold]
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(Kind::Internal, message)
    }

    /// A file could not be read or written; `action` reads like "write the manifest".
    #[cold]
    pub fn storage(action: &str, path: &std::path::Path, cause: &std::io::Error) -> Self {
        Error::new(Kind::Storage, format!("could not {action} {}: {cause}", path.display()))
    }

    /// What the administrator should do next, one sentence.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = advice.into();
        self
    }

    /// A name of its own, for a program that must tell this failure from others of its kind.
    pub fn with_id(mut self, id: &'static str) -> Self {
        self.0.id = id;
        self
    }

    pub fn for_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.0.tenant = tenant.into();
        self
    }

    pub fn for_resource(mut self, resource: impl Into<String>) -> Self {
        self.0.resource = resource.into();
        self
    }

    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.0.service = Some(service);
        self
    }

    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// The same request may succeed later although the kind does not say so (an answer that was cut short).
    pub(crate) fn transient(mut self) -> Self {
        self.0.retryable = Some(true);
        self
    }

    /// Trying again does not help although the kind says so (a certificate that is not trusted).
    pub(crate) fn permanent(mut self) -> Self {
        self.0.retryable = Some(false);
        self
    }

    /// The service was there and began to answer, but its answer did not come whole.
    pub(crate) fn broken_off(mut self) -> Self {
        self.0.broken_off = true;
        self
    }

    /// Nothing of the request reached the service.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.unsent = true;
        self
    }

    pub(crate) fn is_unsent(&self) -> bool {
        self.0.unsent
    }

    pub(crate) fn is_broken_off(&self) -> bool {
        self.0.broken_off
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Empty where the kind says enough.
    pub fn id(&self) -> &'static str {
        self.0.id
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn advice(&self) -> &str {
        &self.0.advice
    }

    /// The message and the advice in one text, where there is room for one.
    pub(crate) fn told(&self) -> String {
        let message = self.message().trim_end_matches('.');
        match self.advice().trim_end_matches('.') {
            "" => message.to_owned(),
            advice => format!("{message}. {advice}"),
        }
    }

    pub fn tenant(&self) -> &str {
        &self.0.tenant
    }

    pub fn resource(&self) -> &str {
        &self.0.resource
    }

    pub fn service(&self) -> Option<&ServiceError> {
        self.0.service.as_ref()
    }

    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.kind == Kind::Cancelled
    }

    /// True where the same request may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        let by_kind = matches!(
            self.0.kind,
            Kind::Throttled | Kind::Network | Kind::Timeout | Kind::Server
        );
        self.0.retryable.unwrap_or(by_kind)
    }

    /// What crosses the ABI: one map, its texts empty where unknown.
    pub fn to_value(&self) -> Value {
        let service = self.0.service.clone().unwrap_or_default();
        Value::map()
            .with("kind", format!("{:?}", self.0.kind))
            .with("id", self.0.id)
            .with("message", self.0.message.as_str())
            .with("advice", self.0.advice.as_str())
            .with("tenant", self.0.tenant.as_str())
            .with("resource", self.0.resource.as_str())
            .with("httpStatus", i64::from(service.http_status))
            .with("error", service.error)
            .with("suberror", service.suberror)
            .with("code", service.code)
            .with("description", service.description)
            .with("claims", service.claims)
            .with("traceId", service.trace_id)
            .with("correlationId", service.correlation_id)
            .with("timestamp", service.timestamp)
            .with("body", service.body)
            .with(
                "retryAfterSeconds",
                self.0
                    .retry_after
                    .map_or(Value::Null, |wait| Value::I64(wait.as_secs() as i64)),
            )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        if let Some(service) = &self.0.service {
            write!(f, " [{} {} {}]", service.http_status, service.error, service.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
