//! Requests of an application that are not for a token from the cache: codes, device codes.

use super::cache::Tokens;
use super::failure::{from_reply, Question};
use super::grant::{self, ServiceTime};
use super::patience::Patience;
use crate::error::Result;
use crate::http::Reply;
use std::sync::Arc;

/// Sends `fields` to `endpoint` with what proves the application, and gives whatever it answers. A certificate that the
/// service does not know yet is waited for, as with a token request.
pub(crate) async fn ask_as_client(
    question: &Question<'_>,
    tokens: &Tokens,
    endpoint: &str,
    fields: &[(&str, &str)],
) -> Result<Reply> {
    let client = question.environment.http()?;
    let mut patience = Patience::new(question.credential, client.first_backoff());
    loop {
        let time = ServiceTime {
            clock: Arc::clone(tokens.clock()),
            ahead_ms: patience.ahead_ms(),
        };
        let spec = grant::client_spec(question, endpoint, fields, time, tokens.clone())?;
        let reply = client.send(&spec).await?;
        if reply.is_success() {
            return Ok(reply);
        }
        let refusal = from_reply(&reply, &question.asked());
        match patience.again(&refusal, &reply, tokens.clock().now_ms()) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(reply),
        }
    }
}
