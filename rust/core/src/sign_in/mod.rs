//! A user signs in once, and the application gets the refresh token that later runs live on.
//!
//! Two ways: the authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636), whose answer arrives at a one-shot
//! listener on this machine (RFC 8252 section 7.3) or is pasted by the user; and the device code flow (RFC 8628). Both end
//! at [`outcome`], which checks the id token before anything is kept.
//!
//! All of it speaks to the v2 endpoint: v1 does not sign its id tokens, and `{resource}/.default` there is what
//! `resource` means to v1 (Microsoft's "Scopes and permissions in the Microsoft identity platform"). A refresh token is
//! good for either endpoint.

mod address;
mod authority;
mod device;
mod id_token;
mod keys;
mod listener;
mod outcome;
mod page;
mod pending;
mod prompt;
mod redirect;
mod response;
mod tokens;

pub(crate) use device::run as by_device_code;
pub(crate) use outcome::SignedIn;
pub(crate) use pending::Pending;
pub(crate) use redirect::Redirect;

use crate::credential::Credential;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::event::{Event, Prompt};
use crate::operation::{Input, Sink};
use crate::secret::Secret;
use crate::tenant::TenantId;
use crate::token::{Target, Tokens};
use address::Attempt;
use authority::Authority;
use listener::{Arrival, Hall, Listener};
use response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a user may take. The sign-in pages themselves give up earlier.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long a browser may take to fetch the page that says how it ended.
const LAST_PAGE: Duration = Duration::from_secs(3);

/// Who is to sign in where, and for what.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) environment: Arc<Environment>,
    pub(crate) credential: Arc<Credential>,
    pub(crate) tokens: Tokens,
    pub(crate) tenant: TenantId,
    /// What the first access token is for; what the user consents to.
    pub(crate) target: Target,
    /// A sign-in name or an object id; somebody else is refused.
    pub(crate) expected_account: Option<String>,
    /// What a refusal asked the next sign-in to satisfy: JSON, sent as it is.
    pub(crate) claims: Option<String>,
}

impl Plan {
    /// The scopes that are asked for: the target's, an id token, and a refresh token.
    fn scope(&self) -> String {
        let mut scopes: Vec<&str> = self
            .target
            .as_scopes()
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
            .collect();
        for openid in ["openid", "profile", "offline_access"] {
            if !scopes.contains(&openid) {
                scopes.push(openid);
            }
        }
        scopes.join(" ")
    }

    /// The name that the sign-in page starts with.
    fn hint(&self) -> Option<&str> {
        self.expected_account.as_deref().filter(|account| account.contains('@'))
    }

    fn name(&self, error: Error) -> Error {
        error.for_tenant(self.tenant.as_str()).for_resource(self.target.title())
    }
}

/// Waits at a listener of this machine for the browser to come back: at the redirect's port, or at the next free one up to
/// `last_port` where that is given.
pub(crate) async fn by_listener(
    plan: &Plan,
    redirect: Redirect,
    last_port: Option<u16>,
    sink: &Sink,
) -> Result<SignedIn> {
    let listener = Listener::bind(redirect.port(), last_port).await?;
    let authority = authority::discover(plan).await?;
    let redirect_uri = redirect.uri(listener.port());
    let attempt = Attempt::new(redirect_uri)?;
    let address = attempt.address(plan, &authority, "form_post");
    address::try_out(plan, &attempt, &address).await?;
    let hall = Hall::new(listener, redirect.path(), attempt.state());
    let work = async {
        sink.send(Event::Prompt(Prompt::browser(plan, &attempt, address)))
            .await?;
        let response = arrival(plan, &hall, sink).await?;
        let signed_in = complete(plan, &authority, &attempt, response).await;
        hall.show(&signed_in);
        // The result does not depend on whether somebody looks at the page.
        let _ = tokio::time::timeout(LAST_PAGE, hall.seen()).await;
        signed_in
    };
    tokio::select! {
        biased;
        signed_in = work => signed_in,
        () = hall.serve() => Err(Error::internal("the listener ended early")),
    }
}

async fn arrival(plan: &Plan, hall: &Hall, sink: &Sink) -> Result<Response> {
    let limit = Instant::now() + PATIENCE;
    let mut strays = 0;
    loop {
        match tokio::time::timeout_at(limit, hall.next(strays)).await {
            Ok(Arrival::Response(response)) => return Ok(response),
            Ok(Arrival::Stray(count)) => {
                strays = count;
                sink.warning(
                    "An answer that does not belong to this sign-in was ignored: it may come from an older browser tab. \
                     Still waiting for the one that was started now.",
                )
                .await?;
            }
            Err(_) => return Err(plan.name(nobody_came())),
        }
    }
}

#[cold]
fn nobody_came() -> Error {
    Error::new(crate::Kind::Timeout, "nobody finished the sign-in within 15 minutes")
        .advise("Start it again; where this machine's browser cannot be used, use -UseDeviceCode.")
}

/// Gives the user an address to open and takes the address that the browser ended at.
pub(crate) async fn by_pasting(
    plan: &Plan,
    redirect: Redirect,
    pending: &Pending,
    input: &mut Input,
    sink: &Sink,
) -> Result<SignedIn> {
    let authority = authority::discover(plan).await?;
    let attempt = Attempt::new(redirect.uri(0))?;
    // The answer must be where it can be copied from.
    let address = attempt.address(plan, &authority, "query");
    address::try_out(plan, &attempt, &address).await?;
    pending.keep(plan, &authority, &attempt);
    sink.send(Event::Prompt(Prompt::paste(&attempt, address))).await?;
    let Some(item) = input.next().await else {
        return Err(plan.name(
            Error::invalid("no response address was given, so the sign-in is not finished").advise(
                "Sign in at the printed address, then run the command again with -ResponseUrl and the address that the \
                 browser ended at, in the same session and within 15 minutes.",
            ),
        ));
    };
    item.only(&["responseUrl"])?;
    let pasted = item.opt_secret("responseUrl")?.cloned();
    finish(&plan.credential, pending, &pasted.unwrap_or_else(|| Secret::from(""))).await
}

/// Finishes a sign-in that was started earlier in this process with the address that the browser ended at.
pub(crate) async fn finish(credential: &Credential, pending: &Pending, pasted: &Secret) -> Result<SignedIn> {
    let (state, response) = response::pasted(pasted)?;
    let started = pending.take(&state, credential)?;
    complete(&started.plan, &started.authority, &started.attempt, response).await
}

async fn complete(plan: &Plan, authority: &Authority, attempt: &Attempt, response: Response) -> Result<SignedIn> {
    match response {
        Response::Code(code) => {
            let reply = tokens::redeem_code(plan, authority, attempt, &code).await?;
            outcome::read(plan, authority, &reply, Some(attempt.nonce())).await
        }
        Response::Refused(service) => Err(attempt.refusal(plan, *service)),
    }
}
