//! One run of a cmdlet: its reply, and the pages that follow it.

use super::{explain, AdminApi};
use crate::error::{Error, Kind, Result};
use crate::export::envelope::Envelope;
use crate::http::{authorized, random_id, Reply, RequestSpec, Retry};
use reqwest::header::HeaderName;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// Pages of one run; more would be a service that never ends its chain.
const MOST_PAGES: u32 = 10_000;
/// The largest row, in bytes.
const LARGEST_ROW: usize = 32 << 20;
/// Public clients ask up to ten times when they are told to wait.
const PATIENCE: Retry = Retry {
    repeats: 10,
    waits: Duration::from_secs(600),
    budget: None,
};

/// Rows as they come. Dropping it ends the request.
pub(crate) struct Call {
    api: AdminApi,
    cmdlet: &'static str,
    body: Vec<u8>,
    /// Where the next page is; `None` once the last one is open.
    next: Option<Url>,
    open: Option<(Reply, Envelope)>,
    pages: u32,
    warnings: Vec<String>,
}

impl Call {
    pub(super) fn new(api: AdminApi, cmdlet: &'static str, body: Vec<u8>) -> Self {
        Call {
            next: Some(api.address.clone()),
            api,
            cmdlet,
            body,
            open: None,
            pages: 0,
            warnings: Vec::new(),
        }
    }

    /// The next rows, each as its JSON; `None` once there are no more. After an error there are none.
    pub(crate) async fn rows(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        loop {
            let Some((reply, envelope)) = &mut self.open else {
                match self.next.take() {
                    None => return Ok(None),
                    Some(url) => self.open = Some(self.send(url).await?),
                }
                continue;
            };
            let mut rows = Vec::new();
            match reply.chunk().await? {
                Some(chunk) => envelope.push(&chunk, &mut |row| {
                    rows.push(row.bytes.to_vec());
                    Ok(())
                })?,
                None => self.close()?,
            }
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
    }

    /// What the cmdlet has warned of so far. Where it warns that it could not do its work, it says so here alone.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    async fn send(&mut self, url: Url) -> Result<(Reply, Envelope)> {
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(self.astray("an answer that does not end"));
        }
        let name = HeaderName::from_static;
        let spec = RequestSpec::post(url.as_str())?
            .json(Zeroizing::new(self.body.clone()))
            .header(name("x-anchormailbox"), &self.api.anchor())?
            .header(name("prefer"), "odata.maxpagesize=1000")?
            .header(name("x-cmdletname"), self.cmdlet)?
            .header(name("x-responseformat"), "json")?
            .header(name("client-request-id"), &random_id()?)?
            // A cmdlet may change something, and a search's session goes on with every call; a further page is always the same.
            .repeatable(self.pages > 1)
            .retry(PATIENCE)
            .streamed();
        let reply = authorized(&self.api.engine, &self.api.token, spec).await?;
        if reply.is_success() {
            return Ok((reply, Envelope::new(LARGEST_ROW)));
        }
        Err(explain::refusal(&reply, self.cmdlet, &self.api.tenant))
    }

    /// The end of a page.
    fn close(&mut self) -> Result<()> {
        let Some((_, envelope)) = self.open.take() else {
            return Ok(());
        };
        let around = envelope.finish()?;
        self.warnings.extend(around.warnings);
        if let Some(link) = around.next {
            let url = self.api.address.join(&link);
            let url = url.map_err(|_| self.astray("a link that is no address"))?;
            // The token is for this host alone.
            if url.origin() != self.api.address.origin() {
                let host = url.host_str().unwrap_or_default();
                return Err(self.astray(&format!("a link to another host, {host}; nothing was sent there")));
            }
            self.next = Some(url);
        }
        Ok(())
    }

    #[cold]
    fn astray(&self, what: &str) -> Error {
        Error::new(Kind::Protocol, format!("{} gave {what}", self.cmdlet))
            .for_tenant(self.api.tenant.as_str())
            .advise("Check the environment's Exchange host with Get-SecureAppEnvironment, then try again.")
    }
}
