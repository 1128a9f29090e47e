//! Whether a token can be had in a customer's tenant, and why not.

use crate::engine::Engine;
use crate::error::Result;
use crate::token::TokenRequest;
use crate::value::Value;

/// Asks for the token. A refusal is the answer that was wanted; only a stop is an error.
pub(crate) async fn try_token(engine: &Engine, token: &TokenRequest) -> Result<Value> {
    let refusal = match engine.tokens().acquire(token).await {
        Ok(_) => None,
        Err(error) if error.is_cancelled() => return Err(error),
        Err(error) => Some(error),
    };
    Ok(Value::map()
        .with("ok", refusal.is_none())
        .with("error", refusal.map(|error| error.to_value())))
}
