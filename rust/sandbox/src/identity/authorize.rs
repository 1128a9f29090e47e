//! The authorize endpoints and the sign-in page (Microsoft Entra documentation, "OAuth 2.0 authorization code flow"; RFC
//! 6749, section 4.1; RFC 7636).
//!
//! Nothing is sent to an address before it is known to be the application's: until then, and where a policy refuses the
//! user, what is wrong is said on a page. The page keeps no session; its form carries the request.

use http::Method;

use crate::estate::Tenant;
use crate::reply::{self, Call, Reply};
use crate::resource::GRAPH;
use crate::signer;
use crate::world::World;

use super::ask::{self, Ask, Failed, Mode, Return};
use super::claims;
use super::code::{Code, Grounds};
use super::error::Refusal;
use super::grant::Form;
use super::page::{self, SignInForm};
use super::party::Party;
use super::policy;
use super::sign_in::{sign_in, Action, Attempt, SignedIn};
use super::Version;

/// The parameters that a request may have, which the page's form carries.
const PARAMETERS: [&str; 14] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "response_mode",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "domain_hint",
    "claims",
];

/// What the endpoint answers.
pub(crate) enum Answer {
    /// A page: the form itself, or what is wrong.
    Page(Reply),
    /// Back to the application with these parameters.
    Back(Return, Vec<(&'static str, String)>),
}

pub(super) fn serve(world: &World, call: &Call, tenant: &str, version: Version) -> Reply {
    let form = match call.method {
        Method::GET => Form::of_query(call),
        _ => Form::read(call),
    };
    answer(world, tenant, version, &form, Attempt::read(&form)).reply()
}

/// Answers a request: with the page, or with what became of an attempt to sign in.
pub(crate) fn answer(world: &World, tenant: &str, version: Version, form: &Form, attempt: Option<Attempt>) -> Answer {
    let ask = match ask::read(world, tenant, version, form) {
        Ok(ask) => ask,
        Err(Failed::OnPage(refusal)) => return Answer::Page(page::refused(400, &refusal)),
        Err(Failed::Back(refused)) => {
            let (back, refusal) = *refused;
            return Answer::Back(back, refusal.parameters(world));
        }
    };
    let Some(attempt) = attempt else {
        return Answer::Page(show(world, &ask, tenant, version, form, None));
    };
    let declined = |text: &str, code| {
        let mut parameters = Refusal::new(code, "access_denied", text).parameters(world);
        parameters.push(("error_subcode", "cancel".to_owned()));
        Answer::Back(ask.back.clone(), parameters)
    };
    match attempt.action {
        Action::Cancel => return declined("the user canceled the authentication", 0),
        Action::Deny => {
            return declined(
                "User declined to consent to access the app. Have the user retry the sign-in and consent to the app.",
                65004,
            )
        }
        Action::Accept => {}
    }
    match sign_in(world, ask.tenant, &attempt).and_then(|who| complete(world, &ask, who, version)) {
        Ok(parameters) => Answer::Back(ask.back, parameters),
        Err(refusal) if policy::blocks(&refusal) => Answer::Page(page::refused(200, &refusal)),
        Err(refusal) => Answer::Page(show(
            world,
            &ask,
            tenant,
            version,
            form,
            Some((&attempt, refusal.text())),
        )),
    }
}

/// Records the consent and issues what the application gets.
fn complete(
    world: &World,
    ask: &Ask<'_>,
    who: SignedIn,
    version: Version,
) -> Result<Vec<(&'static str, String)>, Refusal> {
    consent(world, ask.tenant, &ask.client, &who, ask.needs_consent(world))?;
    let grounds = Grounds {
        user: who.user,
        application_id: ask.client_id.clone(),
        resource: ask.resource.clone().unwrap_or_else(|| GRAPH.to_owned()),
        openid: ask.openid.clone(),
        nonce: ask.nonce.clone(),
    };
    let mut parameters = Vec::new();
    if ask.id_token {
        parameters.push(("id_token", id_token(world, ask.tenant, &grounds, version)?));
    }
    let code = Code {
        grounds,
        redirect_uri: ask.back.redirect_uri.clone(),
        challenge: ask.challenge.clone(),
        issued: world.clock.now(),
        redeemed: false,
    };
    parameters.push(("code", world.codes.issue(world, code)));
    parameters.push(("session_state", world.random().guid()));
    if ask.prompt == "admin_consent" {
        parameters.push(("admin_consent", "True".to_owned()));
    }
    Ok(parameters)
}

/// The id token of a sign-in: signed on version 2; version 1 sends it unsigned.
pub(super) fn id_token(world: &World, tenant: &Tenant, grounds: &Grounds, version: Version) -> Result<String, Refusal> {
    let claims = claims::sign_in(world, tenant, grounds, version == Version::V2);
    match version {
        Version::V1 => Ok(signer::unsigned(&claims)),
        Version::V2 => world
            .signer
            .sign(&claims, false)
            .map_err(|_| Refusal::new(50000, "temporarily_unavailable", "There was an error issuing a token.")),
    }
}

/// Records that `who` has consented for the tenant.
pub(super) fn consent(
    world: &World,
    tenant: &Tenant,
    client: &Party<'_>,
    who: &SignedIn,
    needed: bool,
) -> Result<(), Refusal> {
    if !needed {
        return Ok(());
    }
    if !who.administrator {
        return Err(Refusal::new(
            90094,
            "access_denied",
            format!(
                "The grant requires admin permission. {} needs permission to access resources in your organization that \
                 only an admin can grant.",
                client.name()
            ),
        ));
    }
    client.consent(world, tenant);
    Ok(())
}

fn show(
    world: &World,
    ask: &Ask<'_>,
    tenant: &str,
    version: Version,
    form: &Form,
    failed: Option<(&Attempt, String)>,
) -> Reply {
    let path = match version {
        Version::V1 => "oauth2/authorize",
        Version::V2 => "oauth2/v2.0/authorize",
    };
    let hint = form.get("login_hint").unwrap_or_default();
    let page = SignInForm {
        title: "Sign in",
        purpose: format!("to continue to {} in {}", ask.client.name(), ask.tenant.display_name),
        action: format!("/{tenant}/{path}"),
        hidden: PARAMETERS
            .into_iter()
            .filter_map(|name| Some((name, form.get(name)?.to_owned())))
            .collect(),
        first: None,
        user: failed
            .as_ref()
            .map_or_else(|| hint.to_owned(), |(attempt, _)| attempt.name.clone()),
        permissions: if ask.needs_consent(world) {
            ask.permissions.clone()
        } else {
            Vec::new()
        },
        trouble: failed.map(|(_, trouble)| trouble),
    };
    page.reply(200)
}

impl Answer {
    pub(super) fn reply(self) -> Reply {
        let (back, parameters) = match self {
            Answer::Page(page) => return page,
            Answer::Back(back, parameters) => {
                let parameters = back.with_state(parameters);
                (back, parameters)
            }
        };
        if back.mode == Mode::FormPost {
            return page::form_post(&back.redirect_uri, &parameters);
        }
        let mut reply = reply::reply(302, "text/html; charset=utf-8", "");
        reply::set(&mut reply, http::header::LOCATION, &back.location(&parameters));
        reply::set(&mut reply, http::header::CACHE_CONTROL, "no-store, no-cache");
        reply
    }
}
