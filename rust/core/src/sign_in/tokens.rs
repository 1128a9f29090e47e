//! The requests that turn an answer into tokens.

use super::address::Attempt;
use super::authority::Authority;
use super::Plan;
use crate::error::Result;
use crate::http::Reply;
use crate::secret::Secret;
use crate::token::{ask_as_client, refused, Question};

/// Redeems an authorization code, once: it is worth nothing to anybody afterwards.
pub(super) async fn redeem_code(plan: &Plan, authority: &Authority, attempt: &Attempt, code: &Secret) -> Result<Reply> {
    let scope = plan.scope();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", attempt.redirect_uri()),
        ("code_verifier", attempt.verifier().expose()),
        ("scope", &scope),
        ("client_info", "1"),
    ];
    let question = Question {
        further: vec![code, attempt.verifier()],
        ..plan.question()
    };
    let reply = ask_as_client(&question, &plan.tokens, &authority.token_endpoint, &fields)
        .await
        .map_err(|error| plan.name(error))?;
    if reply.is_success() && !says_error(&reply) {
        return Ok(reply);
    }
    Err(attempt.explain(refused(&reply, &question)))
}

/// True where a reply is an error whatever its status says.
pub(super) fn says_error(reply: &Reply) -> bool {
    #[derive(serde::Deserialize)]
    struct Said {
        #[serde(default)]
        error: Option<String>,
    }
    serde_json::from_slice::<Said>(reply.bytes()).is_ok_and(|said| said.error.is_some())
}
