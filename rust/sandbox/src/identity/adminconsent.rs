//! The admin consent page: an administrator consents for a whole organization (Microsoft Entra documentation, "OAuth 2.0
//! client credentials flow", "Request the permissions from a directory admin").

use http::Method;

use crate::reply::{Call, Reply};
use crate::world::World;

use super::ask::{self, wanted, Return};
use super::authorize::{consent, Answer};
use super::error::Refusal;
use super::grant::Form;
use super::page::{self, SignInForm};
use super::party::Party;
use super::sign_in::{sign_in, Action, Attempt};
use super::{authority, Authority, Version};

pub(super) fn serve(world: &World, call: &Call, tenant: &str, version: Version) -> Reply {
    let form = match call.method {
        Method::GET => Form::of_query(call),
        _ => Form::read(call),
    };
    match answer(world, tenant, version, &form) {
        Ok(answer) => answer.reply(),
        Err(refusal) => page::refused(400, &refusal),
    }
}

fn answer(world: &World, name: &str, version: Version, form: &Form) -> Result<Answer, Refusal> {
    let tenant = match authority(world, name)? {
        Authority::Tenant(tenant) => tenant,
        Authority::AnyOrganization => &world.estate.partner,
        Authority::Consumers => return Err(super::checks::consumers()),
    };
    let client_id = form.require("client_id")?;
    let Some(client) = Party::find(world, client_id) else {
        return Err(Refusal::new(
            700016,
            "unauthorized_client",
            format!(
                "Application with identifier '{client_id}' was not found in the directory '{}'.",
                tenant.display_name
            ),
        ));
    };
    let first = client.redirect_uris().into_iter().next();
    let redirect_uri = match form.get("redirect_uri") {
        None => first.ok_or_else(|| Refusal::missing_parameter("redirect_uri"))?,
        asked => ask::redirect_uri(&client, client_id, asked)?,
    };
    let back = Return::query(redirect_uri, form.get("state"));
    let scoped = version == Version::V2 && form.get("scope").is_some();
    let permissions = if scoped {
        wanted(world, tenant, version, form)?.1
    } else {
        vec![format!("Everything that {} asks for", client.name())]
    };
    let Some(attempt) = Attempt::read(form) else {
        return Ok(Answer::Page(show(&client, name, version, form, permissions, None)));
    };
    if attempt.action != Action::Accept {
        let mut parameters =
            Refusal::new(65004, "permission_denied", "The admin canceled the request").parameters(world);
        parameters.push(("tenant", tenant.id.clone()));
        return Ok(Answer::Back(back, parameters));
    }
    let signed_in = sign_in(world, tenant, &attempt).and_then(|who| {
        consent(world, tenant, &client, &who, true)?;
        Ok(who)
    });
    match signed_in {
        Ok(_) => {
            let mut parameters = vec![("tenant", tenant.id.clone()), ("admin_consent", "True".to_owned())];
            if scoped {
                parameters.push(("scope", form.get("scope").unwrap_or_default().to_owned()));
            }
            Ok(Answer::Back(back, parameters))
        }
        Err(refusal) => Ok(Answer::Page(show(
            &client,
            name,
            version,
            form,
            permissions,
            Some((&attempt, refusal.text())),
        ))),
    }
}

fn show(
    client: &Party<'_>,
    tenant: &str,
    version: Version,
    form: &Form,
    permissions: Vec<String>,
    failed: Option<(&Attempt, String)>,
) -> Reply {
    let path = match version {
        Version::V1 => "adminconsent",
        Version::V2 => "v2.0/adminconsent",
    };
    let page = SignInForm {
        title: "Review for your organization",
        purpose: format!("{} asks for permissions in all of the organization.", client.name()),
        action: format!("/{tenant}/{path}"),
        hidden: ["client_id", "redirect_uri", "state", "scope"]
            .into_iter()
            .filter_map(|name| Some((name, form.get(name)?.to_owned())))
            .collect(),
        first: None,
        user: failed
            .as_ref()
            .map(|(attempt, _)| attempt.name.clone())
            .unwrap_or_default(),
        permissions,
        trouble: failed.map(|(_, trouble)| trouble),
    };
    page.reply(200)
}
