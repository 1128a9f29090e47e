//! Requests that carry a token from the cache.

use super::reply::Reply;
use super::spec::RequestSpec;
use crate::engine::Engine;
use crate::error::Result;
use crate::operation::log;
use crate::token::{TokenRequest, Tokens};
use std::future::Future;

/// Sends `spec` with the token of `token`, which is asked of the cache each time. A 401 makes the cache refresh that token
/// once (one refresh, however many requests were refused with it), and the request is sent once more.
pub(crate) async fn authorized(engine: &Engine, token: &TokenRequest, spec: RequestSpec) -> Result<Reply> {
    authorized_by(engine.tokens(), token, spec).await
}

/// The same, for what works below the engine.
pub(crate) async fn authorized_by(tokens: &Tokens, token: &TokenRequest, spec: RequestSpec) -> Result<Reply> {
    log::within(token.log().cloned(), exchange(tokens, token, spec)).await
}

/// Asks at the request's pace, if it has one. Each time it is sent it asks for the token anew: a pause may be longer than a
/// token's life.
async fn exchange(tokens: &Tokens, token: &TokenRequest, spec: RequestSpec) -> Result<Reply> {
    let Some(pace) = spec.pace.clone() else {
        return once(tokens, token, spec).await;
    };
    loop {
        let turn = pace.enter().await;
        let reply = match once(tokens, token, spec.clone().turn(&turn)).await {
            Ok(reply) => reply,
            Err(error) => {
                turn.failed();
                return Err(error);
            }
        };
        if !pace.refuses(&reply) {
            match reply.status() {
                500.. => turn.failed(),
                _ => turn.answered(),
            }
            return Ok(reply);
        }
        let Some(wait) = turn.refused(reply.retry_after()) else {
            return Ok(reply);
        };
        log::verbose(|| {
            let (authority, seconds) = (reply.authority(), wait.as_secs_f64());
            format!(
                "{authority} asks for fewer requests for {}: going on in {seconds:.1} s",
                token.subject()
            )
        });
    }
}

async fn once(tokens: &Tokens, token: &TokenRequest, spec: RequestSpec) -> Result<Reply> {
    let client = token.environment().http()?;
    let first = signing_in(&spec, Box::pin(tokens.acquire(token))).await?;
    let reply = client.send(&spec.clone().bearer(first.access_token())?).await?;
    if reply.status() != 401 {
        return Ok(reply);
    }
    log::verbose(|| {
        format!(
            "{} refused the token for {} (HTTP 401): asking for another one",
            reply.authority(),
            token.subject()
        )
    });
    drop(reply);
    let second = signing_in(&spec, Box::pin(tokens.acquire_instead_of(token, &first))).await?;
    client.send(&spec.bearer(second.access_token())?).await
}

/// Waits for a token, which may hold the tenant up as the request does.
async fn signing_in<F: Future + Unpin>(spec: &RequestSpec, work: F) -> F::Output {
    match &spec.turn {
        Some(turn) => turn.sign_in(work).await,
        None => work.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Environment, Service};
    use crate::request::{Field, Request};
    use crate::tenant::TenantId;
    use crate::token::Target;
    use crate::{immediate, Credential, Secret};
    use secureapp_sandbox::{Options, Sandbox, Signature};
    use serde_json::json;
    use std::sync::Arc;

    struct Bed {
        sandbox: Sandbox,
        engine: Arc<Engine>,
        token: TokenRequest,
    }

    impl Bed {
        async fn new() -> Self {
            let options = Options {
                tenants: 1,
                records: 0,
                signature: Signature::Filler,
                ..Options::default()
            };
            let sandbox = Sandbox::start(options).await.unwrap();
            let engine = Engine::new(tokio::runtime::Handle::current());
            let facts = sandbox.facts();
            let text = |text: &str| Field::Text(text.to_owned());
            let add = Request::new("environment.add")
                .with("name", text("Cloud"))
                .with("loginHost", text(&facts.endpoints.login))
                .with("graphHost", text(&facts.endpoints.graph))
                .with("caPem", text(sandbox.ca_pem()));
            immediate(&engine, &add).unwrap();
            let credential = Request::new("credential")
                .with("applicationId", text(&facts.application_id))
                .with("secret", Field::Secret(Secret::from(facts.secret.as_str())))
                .with(
                    "refreshToken",
                    Field::Secret(Secret::from(facts.refresh_token.as_str())),
                );
            let environment = engine.environments().find("cloud").unwrap();
            let target = Target::resource(environment.resource(Service::Graph)).unwrap();
            let tenant = TenantId::parse(&facts.partner_tenant_id).unwrap();
            let credential = Arc::new(Credential::open(&credential).unwrap());
            let token = TokenRequest::new(environment, credential, tenant, target);
            Bed { sandbox, engine, token }
        }

        fn refuse(&self, times: i64) {
            let fault =
                json!({"match": {"service": "graph"}, "times": times, "action": {"kind": "status", "status": 401}});
            self.sandbox.control().add_faults(fault).unwrap();
        }

        async fn get(&self) -> u16 {
            let environment: &Environment = self.token.environment();
            let url = format!("{}/v1.0/contracts", environment.endpoint(Service::Graph).unwrap());
            let spec = RequestSpec::get(&url).unwrap();
            authorized(&self.engine, &self.token, spec).await.unwrap().status()
        }

        fn tokens_asked(&self) -> u64 {
            self.sandbox.control().stats()["tokens"][0]["count"].as_u64().unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn refusals_of_one_token_refresh_it_once() {
        let bed = Bed::new().await;
        assert_eq!(bed.get().await, 200);
        let tokens = bed.engine.tokens();
        let refused = tokens.acquire(&bed.token).await.unwrap();
        let replace = || tokens.acquire_instead_of(&bed.token, &refused);
        let (one, two, three) = tokio::join!(replace(), replace(), replace());
        for token in [one.unwrap(), two.unwrap(), three.unwrap()] {
            assert!(!Arc::ptr_eq(&token, &refused));
        }
        assert_eq!(bed.tokens_asked(), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_that_stays_is_the_answer() {
        let bed = Bed::new().await;
        bed.refuse(-1);
        assert_eq!(bed.get().await, 401);
        assert_eq!(bed.tokens_asked(), 2, "one refresh, no more");
        assert_eq!(bed.sandbox.control().stats()["requests"].as_u64(), Some(4));
    }
}
