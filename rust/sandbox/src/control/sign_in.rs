//! A person at the sign-in pages, for tests that have no browser.

use serde::Deserialize;
use serde_json::{json, Value};

use crate::identity::{self, Action, Answer, Attempt, Form, Mode, Version};
use crate::users;
use crate::world::World;

/// `POST /sandbox/sign-in`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    /// The address that a browser would be sent to.
    url: Option<String>,
    /// The code that a device shows.
    user_code: Option<String>,
    /// The partner's administrator where nobody is named.
    user_principal_name: Option<String>,
    /// The user's own where it is not given.
    password: Option<String>,
    #[serde(default = "super::yes")]
    mfa: bool,
    #[serde(default)]
    action: Pressed,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pressed {
    #[default]
    Accept,
    Deny,
    Cancel,
}

/// An answer that goes back is `redirectUri`, `responseMode`, `parameters` and, unless it is posted, the `location`; a page
/// that stays is `status` and `page`.
pub(super) fn run(world: &World, request: Request) -> Result<Value, String> {
    let name = request.user_principal_name.unwrap_or_else(|| world.user.name.clone());
    let password = request.password.unwrap_or_else(|| {
        users::find(&world.estate, world.options.seed, &name).map_or_else(String::new, |user| user.password)
    });
    let attempt = Attempt {
        name,
        password,
        mfa: request.mfa,
        action: match request.action {
            Pressed::Accept => Action::Accept,
            Pressed::Deny => Action::Deny,
            Pressed::Cancel => Action::Cancel,
        },
    };
    match (request.url, request.user_code) {
        (Some(url), None) => at_page(world, &url, attempt),
        (None, Some(code)) => match identity::decide_device(world, &code, &attempt) {
            Ok(approved) => Ok(json!({ "approved": approved })),
            Err(trouble) => Ok(json!({ "status": 200, "page": trouble })),
        },
        _ => Err("give a url or a userCode".to_owned()),
    }
}

fn at_page(world: &World, url: &str, attempt: Attempt) -> Result<Value, String> {
    let rest = url
        .strip_prefix(&world.endpoints.login)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| format!("'{url}' is not on {}", world.endpoints.login))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (tenant, version) = match path.split_once('/') {
        Some((tenant, "oauth2/authorize")) => (tenant, Version::V1),
        Some((tenant, "oauth2/v2.0/authorize")) => (tenant, Version::V2),
        _ => return Err(format!("'{path}' is no sign-in page")),
    };
    Ok(
        match identity::sign_in_answer(world, tenant, version, &Form::of_text(query), Some(attempt)) {
            Answer::Page(page) => {
                json!({ "status": page.status().as_u16(), "page": String::from_utf8_lossy(page.body()) })
            }
            Answer::Back(back, parameters) => {
                let parameters = back.with_state(parameters);
                let mode = match back.mode {
                    Mode::Query => "query",
                    Mode::Fragment => "fragment",
                    Mode::FormPost => "form_post",
                };
                let location = (back.mode != Mode::FormPost).then(|| back.location(&parameters));
                let fields: serde_json::Map<String, Value> = parameters
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                json!({
                    "redirectUri": back.redirect_uri, "responseMode": mode, "location": location, "parameters": fields,
                })
            }
        },
    )
}
