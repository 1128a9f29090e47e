//! Large files, in pieces.
//!
//! "Attach large files to Outlook messages or events": a file of 3 MB and more goes to an address that the service gives, in pieces
//! of at most 4 MB that follow each other. The address holds what lets one in, so no token goes there, and it is of Exchange
//! Online, not of Graph. A piece is a multiple of 320 KiB, which other upload sessions of Graph ask for and this one accepts.

use super::mailbox::{Draft, Mailbox};
use super::message::read;
use super::File;
use crate::environment::{Environment, Service};
use crate::error::{Error, Kind, Result};
use crate::http::{Reply, RequestSpec};
use crate::operation::log;
use bytes::Bytes;
use reqwest::header::CONTENT_RANGE;
use serde::Deserialize;
use url::Url;

/// From this size on a file goes in pieces; below it the service refuses that.
pub(super) const LARGE: u64 = 3_000_000;
const PIECE: u64 = 12 * 320 * 1024;
/// How often one file's upload is taken up again.
const RESUMPTIONS: u32 = 6;
/// The host of Exchange Online in the public cloud, and where its upload addresses are.
const UPLOAD_HOST: (&str, &str) = ("outlook.office365.com", "outlook.office.com");

#[derive(Deserialize)]
struct Session {
    #[serde(rename = "uploadUrl")]
    upload_url: String,
}

/// Exchange writes names with a capital letter, Graph without.
#[derive(Deserialize)]
struct Progress {
    #[serde(rename = "nextExpectedRanges", alias = "NextExpectedRanges", default)]
    next: Vec<String>,
}

impl Mailbox {
    /// Attaches a file of any size. `told` hears how many of its bytes are there.
    pub(crate) async fn attach_file(&self, draft: &Draft, file: &File, told: &(dyn Fn(u64) + Sync)) -> Result<()> {
        told(0);
        if file.size < LARGE {
            return self.attach(draft, file).await;
        }
        let session: Session = self.upload_session(draft, file).await?.json()?;
        let url = checked(&session.upload_url, self.api.token().environment())
            .map_err(|error| error.for_tenant(self.api.tenant().as_str()))?;
        let mut at = 0;
        let mut resumptions = 0;
        let mut wait = self.api.engine().first_wait();
        while at < file.size {
            let length = PIECE.min(file.size - at);
            let failure = match self.put(&url, file, at, length).await {
                Ok(reply) if reply.status() == 201 => return Ok(()),
                Ok(reply) if reply.is_success() => {
                    at = next(&reply).unwrap_or(at + length).min(file.size);
                    told(at);
                    continue;
                }
                Ok(reply) => self.refused(&reply, "take a piece of an attachment", "Mail.ReadWrite"),
                Err(error) => error,
            };
            if failure.kind() == Kind::Storage || super::is_too_large(&failure) || resumptions == RESUMPTIONS {
                return Err(failure);
            }
            resumptions += 1;
            log::verbose(|| format!("{}: asking where the upload stands", failure.message()));
            tokio::time::sleep(wait).await;
            wait *= 2;
            match self.stands_at(&url).await {
                Ok(Some(next)) => at = next.min(file.size),
                // The session has ended: because all of it is there, or for good.
                Ok(None) if self.has(draft, file).await? => return Ok(()),
                Ok(None) => return Err(failure),
                Err(_) => {}
            }
        }
        Ok(())
    }

    async fn put(&self, url: &Url, file: &File, at: u64, length: u64) -> Result<Reply> {
        let piece = read(file, at, length).await?;
        let range = format!("bytes {at}-{}/{}", at + length - 1, file.size);
        let spec = RequestSpec::put(url.as_str())?
            .octets(Bytes::from(piece))
            .header(CONTENT_RANGE, &range)?
            .budget(self.api.token().budget().cloned());
        self.api.token().environment().http()?.send(&spec).await
    }

    /// The first byte that the service has not got; `None` once it knows of no upload.
    async fn stands_at(&self, url: &Url) -> Result<Option<u64>> {
        let reply = self
            .api
            .token()
            .environment()
            .http()?
            .send(&RequestSpec::get(url.as_str())?)
            .await?;
        match reply.status() {
            404 | 410 => Ok(None),
            _ if reply.is_success() => Ok(next(&reply)),
            _ => Err(reply.error("say where an upload stands")),
        }
    }
}

/// The byte that is expected next; `None` where the answer does not say.
fn next(reply: &Reply) -> Option<u64> {
    let progress: Progress = serde_json::from_slice(reply.bytes()).ok()?;
    progress.next.first()?.split('-').next()?.trim().parse().ok()
}

/// The files go only where the environment's mailboxes are, whatever address came.
fn checked(address: &str, environment: &Environment) -> Result<Url> {
    let astray = |what: String| {
        Error::new(
            Kind::Protocol,
            format!("Graph gave {what} for an attachment; nothing was sent there"),
        )
        .advise("Check the environment's hosts with Get-SecureAppEnvironment, and whether a proxy changes replies.")
        .permanent()
    };
    // Not repeated: it lets one in.
    let url = Url::parse(address).map_err(|_| astray("no address".to_owned()))?;
    let known = |service| environment.known_endpoint(service).and_then(|own| Url::parse(own).ok());
    let own: Vec<Url> = [Service::Graph, Service::Outlook]
        .into_iter()
        .filter_map(known)
        .collect();
    let is_own = own.iter().any(|own| own.origin() == url.origin());
    let is_exchange = own.iter().any(|own| {
        let host = (own.host_str().unwrap_or_default(), url.host_str().unwrap_or_default());
        host == UPLOAD_HOST && url.scheme() == "https" && url.port().is_none()
    });
    if (is_own || is_exchange) && url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(astray(format!("the host {}", url.host_str().unwrap_or_default())))
}
