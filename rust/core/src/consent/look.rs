//! What a tenant has consented to on one API, as a token shows it.

use super::Api;
use crate::error::{Error, Kind, Result};
use crate::jwt;
use crate::token::{asks_for_consent, SharedRefusals, Target, TokenRequest, Tokens};
use serde::Deserialize;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// The delegated permissions that a token has.
    Scopes(Vec<String>),
    /// Nobody has consented to anything.
    Nothing,
    /// Something else stands in the way of a token.
    Hidden(Error),
}

/// Asks for a new token: what is in the cache may be older than a consent. `question` is one in the tenant, whatever its target.
/// Only a stop is an error.
pub(crate) async fn look(
    tokens: &Tokens,
    refusals: &SharedRefusals,
    question: &TokenRequest,
    api: &Api,
) -> Result<Seen> {
    let question = question
        .clone()
        .for_target(Target::resource(&api.name)?)
        .force_refresh(true);
    match refusals.acquire(tokens, &question).await {
        Ok(token) => Ok(scopes(token.access_token().expose()).map_or_else(|| Seen::Hidden(opaque(api)), Seen::Scopes)),
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) if asks_for_consent(&error) => Ok(Seen::Nothing),
        Err(error) => Ok(Seen::Hidden(error)),
    }
}

fn scopes(token: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Permissions {
        scp: String,
    }
    let claims: Permissions = jwt::known_claims(token)?;
    Some(claims.scp.split_ascii_whitespace().map(str::to_owned).collect())
}

#[cold]
fn opaque(api: &Api) -> Error {
    let message = format!("the token for {} does not say which permissions it has", api.name);
    Error::new(Kind::Protocol, message)
        .advise("See in the Entra admin center, under Enterprise applications, what was consented to.")
}
