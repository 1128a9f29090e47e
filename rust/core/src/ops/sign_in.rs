//! `sign_in`: a user signs in, and the operation makes a credential that holds the refresh token.
//!
//! One record tells who signed in and how; [`Operation::credential`] gives what was made. Where the answer has to be
//! pasted, it is an item of the input with a secret `responseUrl`. With `includeTokens` the record has the tokens too.

use crate::engine::Session;
use crate::environment::Service;
use crate::error::{Error, Result};
use crate::operation::{Context, Operation};
use crate::request::Request;
use crate::secret::Secret;
use crate::sign_in::{self, Plan, Redirect};
use crate::tenant::TenantId;
use crate::token::Target;
use std::sync::Arc;

/// How the answer comes.
enum Way {
    /// At the redirect's port, or at the next free one up to this.
    Listener(Redirect, Option<u16>),
    Pasted(Redirect),
    Device,
    /// The answer of a sign-in that was started earlier.
    Answered(Secret),
}

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    request.only(&[
        "credential",
        "environment",
        "tenant",
        "resource",
        "scopes",
        "redirectUri",
        "port",
        "lastPort",
        "deviceCode",
        "expectedAccount",
        "claims",
        "responseUrl",
        "includeTokens",
    ])?;
    let plan = plan(session, request)?;
    let way = way(request)?;
    let include_tokens = request.flag("includeTokens")?;
    Ok(Operation::spawn(session, move |context| {
        run(context, plan, way, include_tokens)
    }))
}

fn plan(session: &Session, request: &Request) -> Result<Plan> {
    let environment = session
        .engine()
        .environments()
        .find(request.opt_text("environment")?.unwrap_or_default())?;
    let credential = Arc::clone(request.credential("credential")?);
    if credential.managed_identity().is_some() {
        return Err(
            Error::invalid("a managed identity has no users who could sign in to it")
                .advise("Give a credential with the id of an app registration."),
        );
    }
    let tenant = match (request.opt_text("tenant")?, credential.home_tenant()) {
        (Some(text), _) => TenantId::parse(text)?,
        (None, Some(home)) => home.clone(),
        (None, None) => TenantId::parse("organizations")?,
    };
    let graph = environment.resource(Service::Graph);
    let target = match (request.opt_text("resource")?, request.texts("scopes")?) {
        // What a partner's refresh token is for.
        (None, []) => Target::default_of(environment.resource(Service::PartnerCenter), graph),
        (Some(resource), []) => {
            // Says what is wrong with a resource's name better than its scope would.
            Target::resource(resource)?;
            Target::default_of(resource.trim(), graph)
        }
        (None, scopes) => Target::scopes(scopes, graph),
        (Some(_), _) => Err(
            Error::invalid("a sign-in is for a resource or for scopes, not for both")
                .advise("Use -Resource or -Scope."),
        ),
    }?;
    Ok(Plan {
        environment,
        credential,
        tokens: session.engine().tokens().clone(),
        tenant,
        target,
        expected_account: request
            .opt_text("expectedAccount")?
            .map(str::trim)
            .filter(|account| !account.is_empty())
            .map(str::to_owned),
        claims: claims(request)?,
    })
}

fn claims(request: &Request) -> Result<Option<String>> {
    let Some(text) = request.opt_text("claims")?.map(str::trim) else {
        return Ok(None);
    };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(_)) => Ok(Some(text.to_owned())),
        _ => Err(Error::invalid("the claims are not a JSON object")
            .advise("Give what an error said, as it is: $error[0].Exception.Claims.")),
    }
}

fn way(request: &Request) -> Result<Way> {
    let redirect_uri = request.opt_text("redirectUri")?;
    let port = request.opt_int("port")?;
    if request.flag("deviceCode")? {
        if redirect_uri.is_some() || port.is_some() || request.opt_secret("responseUrl")?.is_some() {
            return Err(
                Error::invalid("a device code needs no reply URL, no port and no response")
                    .advise("Leave -RedirectUri, -Port and -ResponseUrl out with -UseDeviceCode."),
            );
        }
        return Ok(Way::Device);
    }
    if let Some(response) = request.opt_secret("responseUrl")? {
        return Ok(Way::Answered(response.clone()));
    }
    Ok(match Redirect::parse(redirect_uri, port)? {
        elsewhere @ Redirect::Elsewhere(_) => Way::Pasted(elsewhere),
        loopback => Way::Listener(loopback, last_port(request)?),
    })
}

fn last_port(request: &Request) -> Result<Option<u16>> {
    request.opt_int("lastPort")?.map(Redirect::read_port).transpose()
}

async fn run(mut context: Context, plan: Plan, way: Way, include_tokens: bool) -> Result<()> {
    let engine = Arc::clone(&context.engine);
    let (cancel, sink) = (context.cancel.clone(), context.sink.clone());
    let input = &mut context.input;
    let signed_in = crate::operation::or_cancelled(&cancel, async {
        match way {
            Way::Device => sign_in::by_device_code(&plan, &sink).await,
            Way::Answered(response) => sign_in::finish(&plan.credential, engine.pending(), &response).await,
            Way::Pasted(redirect) => sign_in::by_pasting(&plan, redirect, engine.pending(), input, &sink).await,
            Way::Listener(redirect, last) => sign_in::by_listener(&plan, redirect, last, &sink).await,
        }
    })
    .await?;
    if let Some(warning) = mfa_warning(&signed_in) {
        sink.warning(warning).await?;
    }
    context.made(&signed_in.credential);
    let record = signed_in.credential.describe().with("methods", signed_in.methods);
    sink.record(match include_tokens {
        true => signed_in.tokens.add_to(record),
        false => record,
    })
    .await
}

/// A refresh token without the mark of multifactor authentication looks as good as any until Partner Center refuses it.
fn mfa_warning(signed_in: &sign_in::SignedIn) -> Option<String> {
    let account = signed_in.account.as_deref().unwrap_or("the user");
    let what = match signed_in.mfa {
        Some(true) => return None,
        Some(false) => format!(
            "The sign-in of {account} was not marked as multifactor authentication (amr: {}).",
            signed_in.methods.join(", ")
        ),
        None => format!(
            "Whether {account} signed in with multifactor authentication cannot be seen (the tokens have no amr)."
        ),
    };
    Some(format!(
        "{what} Partner Center refuses tokens without that mark (900421), and so do customers whose policies ask for it. Usual \
         causes: trusted IP addresses or a trusted location that skip it, a federated identity provider that does not pass it \
         on, third-party MFA such as a custom control, or no MFA policy at all. Remove the cause and sign in again."
    ))
}
