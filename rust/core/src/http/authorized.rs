//! Requests that carry a token from the cache.

use super::reply::Reply;
use super::spec::RequestSpec;
use crate::engine::Engine;
use crate::error::Result;
use crate::token::TokenRequest;

/// Sends `spec` with the token of `token`, which is asked of the cache each time. A 401 makes the cache refresh that token
/// once (one refresh, however many requests were refused with it), and the request is sent once more.
pub(crate) async fn authorized(engine: &Engine, token: &TokenRequest, spec: RequestSpec) -> Result<Reply> {
    let client = token.environment().http()?;
    let first = engine.tokens().acquire(token).await?;
    let reply = client.send(&spec.clone().bearer(first.access_token())?).await?;
    if reply.status() != 401 {
        return Ok(reply);
    }
    drop(reply);
    let second = engine.tokens().acquire_instead_of(token, &first).await?;
    client.send(&spec.bearer(second.access_token())?).await
}
