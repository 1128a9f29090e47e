//! What a sandbox is asked to be.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The application and the health of the estate that a sandbox starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Preset {
    /// A healthy partner with the permissions that the work needs today.
    #[default]
    Partner,
    /// The application that the well-known blog articles register: Azure AD Graph `Directory.AccessAsUser.All`,
    /// `User.Read` and `Directory.Read.All`, Microsoft Graph `SecurityEvents.Read.All` and `Directory.Read.All` as
    /// application roles, Partner Center `user_impersonation`; no activity feed. Its reply URLs are
    /// `urn:ietf:wg:oauth:2.0:oob`, `https://localhost` and `http://localhost`.
    Articles,
    /// The same application with `urn:ietf:wg:oauth:2.0:oob` as its only reply URL, as two of the articles register it.
    ArticlesOob,
    /// The partner's application in an estate where some customers lack consent, a relationship or auditing, or are gone.
    Mixed,
    /// The partner has no application yet, and no customer has consented to one. Who registers the first one for several
    /// organizations makes it the partner's.
    Empty,
}

/// How access tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Signature {
    /// RS256 with the published key, as the service does. About 0.7 ms of processor time per token.
    #[default]
    Rsa,
    /// Filler of the same length that no key verifies: for measuring a client on the same machine. The sandbox's own
    /// services look tokens up and do not care.
    Filler,
}

/// The environment variable with the default of [`Options::secrets_folder`].
pub const SECRETS_VARIABLE: &str = "SECUREAPP_SANDBOX_SECRETS";

/// A sandbox's settings. [`Options::default`] is what the executable uses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of customers (0 to 20,000).
    pub tenants: usize,
    /// Distinct audit records in the whole estate, spread unevenly over the customers.
    pub records: u64,
    /// How long every service (not the control endpoints) waits before it answers.
    pub latency: Duration,
    /// The first service's port; the others follow it. 0 lets the system choose each.
    pub port: u16,
    /// What everything made up follows from.
    pub seed: u64,
    /// Which application and which health.
    pub preset: Preset,
    /// Whether there is another partner, for which the same application works: one customer in four is its own, and one both's.
    pub second_partner: bool,
    /// The application's reply URLs; empty for the preset's own.
    pub redirect_uris: Vec<String>,
    /// How access tokens are signed.
    pub signature: Signature,
    /// The most items that one page of customers has, whatever the client asks for. None: the service's own limits.
    pub list_page_size: Option<usize>,
    /// Lifetime of an access token in seconds.
    pub token_lifetime_seconds: u32,
    /// A folder where the sandbox writes down what it holds and sees of secrets, for a test that looks for leaks: a line of
    /// JSON for each, its kind and its text, in a file of its own. JSON Web Tokens are left out; their shape tells them.
    /// None: nowhere. By default what [`SECRETS_VARIABLE`] names, so that every sandbox below a test run does it.
    pub secrets_folder: Option<PathBuf>,
    /// The audit feed.
    pub audit: AuditOptions,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            tenants: 25,
            records: 10_000,
            latency: Duration::ZERO,
            port: 0,
            seed: 1,
            preset: Preset::Partner,
            second_partner: false,
            redirect_uris: Vec::new(),
            signature: Signature::Rsa,
            list_page_size: None,
            token_lifetime_seconds: 3600,
            secrets_folder: std::env::var_os(SECRETS_VARIABLE).map(PathBuf::from),
            audit: AuditOptions::default(),
        }
    }
}

/// How the audit feed behaves. Set before the first request for it: its content follows from these.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditOptions {
    /// Share of records that are delivered a second time, in another blob, half of these in another window (0 to 1).
    pub duplicates: f64,
    /// Share of records that arrive days after they happened (0 to 1).
    pub late: f64,
    /// The longest time in minutes that an event which is not late takes to arrive; the shortest is five minutes.
    pub longest_delay_minutes: u32,
    /// Share of the blobs that are created within the sixtieth of the feed's time that lies in its middle (0 to below 1); the others
    /// come evenly before and after it.
    pub burst: f64,
    /// How many of a content type's newest blobs are served incomplete on their first fetch.
    pub growing: u32,
    /// Growing blobs stay incomplete, however often they are fetched, until they are this many seconds old.
    pub grow_seconds: u32,
    /// Content items in one listing page.
    pub page_size: usize,
    /// Records in one blob, on average.
    pub records_per_blob: u32,
    /// Share of records without an `Id` (0 to 1).
    pub without_id: f64,
    /// Share of the second deliveries that have other bytes than the first (0 to 1).
    pub conflicts: f64,
    /// Share of blobs that a listing names twice (0 to 1).
    pub relisted: f64,
    /// First moment of the feed in milliseconds since 1970; None: six and a half days before the end.
    pub start_ms: Option<i64>,
    /// End of the feed in milliseconds since 1970; None: 15 minutes before the sandbox's start, to the whole minute. With an
    /// end in the future blobs come as time passes.
    pub end_ms: Option<i64>,
    /// Days after contentCreated until a blob expires.
    pub expiration_days: u32,
    /// Seconds between a subscription's first start and its first content. What is listed then reaches back to a day before
    /// the start.
    pub first_content_seconds: u32,
    /// Requests that one tenant may make in a minute before it is throttled; 0: any number.
    pub requests_per_minute: u32,
    /// Whether blobs are compressed when the client accepts gzip.
    pub gzip: bool,
    /// Whether every subscription has been there for long. Without it none is there yet: each has to be started, and then
    /// holds a day of the past.
    pub subscribed: bool,
}

impl Default for AuditOptions {
    fn default() -> Self {
        AuditOptions {
            duplicates: 0.05,
            late: 0.01,
            longest_delay_minutes: 90,
            burst: 0.0,
            growing: 0,
            grow_seconds: 0,
            page_size: 100,
            records_per_blob: 50,
            without_id: 0.0,
            conflicts: 0.0,
            relisted: 0.02,
            start_ms: None,
            end_ms: None,
            expiration_days: 7,
            first_content_seconds: 0,
            requests_per_minute: 0,
            gzip: true,
            subscribed: true,
        }
    }
}

impl AuditOptions {
    /// Sets one option by its camelCase name, as `--audit` and `POST /sandbox/audit` name it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionsError> {
        match name {
            "duplicates" => self.duplicates = share(name, value)?,
            "late" => self.late = share(name, value)?,
            "withoutId" => self.without_id = share(name, value)?,
            "conflicts" => self.conflicts = share(name, value)?,
            "relisted" => self.relisted = share(name, value)?,
            "longestDelayMinutes" => self.longest_delay_minutes = number(name, value)?,
            "burst" => self.burst = share(name, value)?,
            "growing" => self.growing = number(name, value)?,
            "growSeconds" => self.grow_seconds = number(name, value)?,
            "pageSize" => self.page_size = positive(name, value)?,
            "recordsPerBlob" => self.records_per_blob = positive(name, value)?,
            "expirationDays" => self.expiration_days = positive(name, value)?,
            "firstContentSeconds" => self.first_content_seconds = number(name, value)?,
            "requestsPerMinute" => self.requests_per_minute = number(name, value)?,
            "startTime" => self.start_ms = Some(moment(name, value)?),
            "endTime" => self.end_ms = Some(moment(name, value)?),
            "gzip" => self.gzip = switch(name, value)?,
            "subscribed" => self.subscribed = switch(name, value)?,
            _ => {
                return Err(OptionsError(format!(
                    "there is no audit option '{name}'; use duplicates, late, longestDelayMinutes, burst, growing, growSeconds, pageSize, recordsPerBlob, withoutId, \
                     conflicts, relisted, expirationDays, firstContentSeconds, requestsPerMinute, startTime, endTime, gzip \
                     or subscribed"
                )))
            }
        }
        Ok(())
    }
}

impl FromStr for Preset {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        match text.to_ascii_lowercase().as_str() {
            "partner" => Ok(Preset::Partner),
            "articles" => Ok(Preset::Articles),
            "articles-oob" => Ok(Preset::ArticlesOob),
            "mixed" => Ok(Preset::Mixed),
            "empty" => Ok(Preset::Empty),
            _ => Err(OptionsError(format!(
                "there is no preset '{text}'; use partner, articles, articles-oob, mixed or empty"
            ))),
        }
    }
}

impl FromStr for Signature {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        match text.to_ascii_lowercase().as_str() {
            "rsa" => Ok(Signature::Rsa),
            "filler" => Ok(Signature::Filler),
            _ => Err(OptionsError(format!(
                "there is no signature '{text}'; use rsa or filler"
            ))),
        }
    }
}

/// An option that makes no sense; the text says what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError(pub(crate) String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionsError {}

fn share(name: &str, value: &str) -> Result<f64, OptionsError> {
    match value.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(OptionsError(format!(
            "{name} needs a share from 0 to 1, for example 0.05, not '{value}'"
        ))),
    }
}

pub(crate) fn number<T: FromStr>(name: &str, value: &str) -> Result<T, OptionsError> {
    value
        .parse()
        .map_err(|_| OptionsError(format!("{name} needs a whole number, not '{value}'")))
}

fn positive<T: FromStr + Default + PartialEq>(name: &str, value: &str) -> Result<T, OptionsError> {
    match value.parse::<T>() {
        Ok(n) if n != T::default() => Ok(n),
        _ => Err(OptionsError(format!(
            "{name} needs a whole number above 0, not '{value}'"
        ))),
    }
}

fn switch(name: &str, value: &str) -> Result<bool, OptionsError> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(OptionsError(format!("{name} needs true or false, not '{value}'"))),
    }
}

fn moment(name: &str, value: &str) -> Result<i64, OptionsError> {
    crate::clock::parse_utc_ms(value).ok_or_else(|| {
        OptionsError(format!(
            "{name} needs a UTC time such as 2026-01-31T10:00:00, not '{value}'"
        ))
    })
}
