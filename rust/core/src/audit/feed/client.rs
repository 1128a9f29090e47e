//! One tenant's feed: its address, its token, and requests that wait when the feed asks for it.

use super::super::{Delivery, Notice, Part, Shortfall, Source, Window};
use super::subscription::Restarts;
use super::{answer, content, subscription, Since};
use crate::engine::Engine;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::http::{authorized, Pace, Reply, RequestSpec};
use crate::jwt;
use crate::tenant::TenantId;
use crate::token::TokenRequest;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use url::Url;

/// Requests to one tenant's feed in flight at most.
const REQUESTS: usize = 16;

/// A tenant's activity feed.
pub(crate) struct Feed {
    engine: Arc<Engine>,
    token: TokenRequest,
    tenant: TenantId,
    publisher: String,
    /// `https://manage.office.com`.
    endpoint: Url,
    /// `https://manage.office.com/api/v1.0/<tenant>/activity/feed`.
    root: String,
    since: Arc<Since>,
    pace: Arc<Pace>,
    restarts: Restarts,
}

impl Feed {
    /// `token` must be for `tenant`, given as its GUID. `publisher` is the GUID of the company that runs this client: with
    /// it, requests count against that company's quota and not against one that all nameless clients share. `since` is
    /// what the tenant's folder knows of its subscriptions. `held_up` is told when all of the tenant's requests can only wait for
    /// the feed, and when they go on.
    pub(crate) fn new(
        engine: Arc<Engine>,
        token: TokenRequest,
        tenant: TenantId,
        publisher: String,
        since: Arc<Since>,
        held_up: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self> {
        let endpoint = token.environment().endpoint(Service::Manage)?;
        let root = format!("{}/api/v1.0/{tenant}/activity/feed", endpoint.trim_end_matches('/'));
        let endpoint =
            Url::parse(endpoint).map_err(|cause| Error::invalid(format!("'{endpoint}' is not an address: {cause}")))?;
        Ok(Feed {
            pace: Pace::new(
                REQUESTS,
                engine.first_wait(),
                is_throttled,
                engine.quotas().of(&root),
                held_up,
            ),
            restarts: Restarts::default(),
            engine,
            token,
            tenant,
            publisher,
            endpoint,
            root,
            since,
        })
    }

    /// An address below the feed's root, with the publisher.
    pub(super) fn address(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let text = format!("{}/{path}", self.root);
        let mut url = Url::parse(&text).map_err(|cause| Error::internal(format!("'{text}' is no address: {cause}")))?;
        url.query_pairs_mut().extend_pairs(query);
        self.add_publisher(&mut url);
        Ok(url)
    }

    /// An address that the feed named. A token goes there only if it is the feed's own host.
    pub(super) fn named_address(&self, text: &str) -> Result<Url> {
        let bad = |why: String| {
            Error::new(Kind::Protocol, why).for_tenant(self.tenant.as_str()).advise(
                "Check the environment's feed host with Get-SecureAppEnvironment; the token was not sent there.",
            )
        };
        let mut url = self
            .endpoint
            .join(text)
            .map_err(|cause| bad(format!("the feed named an address that is none: {cause}")))?;
        if url.origin() != self.endpoint.origin() {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(bad(format!("the feed named an address on another host, {host}")));
        }
        if !url
            .query_pairs()
            .any(|(name, _)| name.eq_ignore_ascii_case("PublisherIdentifier"))
        {
            self.add_publisher(&mut url);
        }
        Ok(url)
    }

    fn add_publisher(&self, url: &mut Url) {
        url.query_pairs_mut()
            .append_pair("PublisherIdentifier", &self.publisher);
    }

    /// Sends, and sends again while the feed says that there are too many requests. Any other reply is given back.
    pub(super) async fn send(&self, spec: RequestSpec) -> Result<Reply> {
        authorized(&self.engine, &self.token, spec.pace(Some(&self.pace))).await
    }

    /// The error of a failed reply.
    pub(super) fn refused(&self, reply: &Reply, action: &str) -> Error {
        answer::error(reply, action, self.tenant.as_str())
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(super) fn now_ms(&self) -> i64 {
        self.engine.clock().now_ms()
    }

    /// The subscriptions that this run started again.
    pub(super) fn restarts(&self) -> &Restarts {
        &self.restarts
    }

    /// Since when the tenant's subscriptions exist.
    pub(super) fn since(&self) -> &Arc<Since> {
        &self.since
    }

    /// The wait before something that needs a moment is tried again.
    pub(super) fn first_wait(&self) -> Duration {
        self.engine.first_wait()
    }

    /// True where the token says that it holds a permission; unknown counts as true.
    async fn may(&self, permission: &str) -> bool {
        let Ok(token) = self.engine.tokens().acquire(&self.token).await else {
            return true;
        };
        let Ok(claims) = jwt::claims(token.access_token().expose()) else {
            return true;
        };
        let roles = claims.get("roles").and_then(|roles| roles.as_array());
        let scopes = claims.get("scp").and_then(|scopes| scopes.as_str());
        if roles.is_none() && scopes.is_none() {
            return true;
        }
        roles.is_some_and(|roles| roles.iter().any(|role| role.as_str() == Some(permission)))
            || scopes.is_some_and(|scopes| scopes.split(' ').any(|scope| scope == permission))
    }
}

impl Source for Feed {
    const NAME: &'static str = "Office 365 Management Activity API";
    const PART: &'static str = "blob";
    const PARTS: &'static str = "blobs";
    const SELECTED_BY: &'static str = "contentCreated";

    fn longest_window(&self) -> i64 {
        // The reference: "the start and end time must be no more than 24 hours apart".
        24 * 3_600_000
    }

    async fn prepare(&self, content_types: &[String]) -> Result<Vec<Notice>> {
        let mut notices = subscription::ensure(self, content_types).await?;
        if content_types.iter().any(|name| name == "DLP.All") && !self.may("ActivityFeed.ReadDlp").await {
            notices.push(Notice::Warning(format!(
                "{}: without the permission ActivityFeed.ReadDlp the records of DLP.All come without their sensitive values. \
                 Give it to the application and consent to it in this tenant.",
                self.tenant
            )));
        }
        Ok(notices)
    }

    async fn list(&self, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Option<Window>> {
        content::list(self, content_type, window, found).await
    }

    fn shortfall(&self, content_type: &str, window: Window, parts: u64) -> Shortfall {
        self.since.shortfall(content_type, window, parts, self.now_ms())
    }

    async fn read(&self, part: &Part, delivery: &mut Delivery) -> Result<()> {
        content::read(self, part, delivery).await
    }

    /// A blob that is gone takes no other with it.
    fn is_gap(&self, error: &Error) -> bool {
        error.is_broken_off()
            || matches!(
                error.kind(),
                Kind::NotFound | Kind::Protocol | Kind::Server | Kind::Timeout
            )
    }
}

/// The feed throttles with a 403 whose body says AF429, and with a 429.
fn is_throttled(reply: &Reply) -> bool {
    reply.status() == 429 || (reply.status() == 403 && answer::code(reply.bytes()).as_deref() == Some("AF429"))
}
