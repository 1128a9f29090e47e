//! The parts of a token's way that do not wait: the cache, the answer, the table.
//!
//! `cargo bench -p secureapp-core --bench tokens`

use criterion::{black_box, criterion_group, criterion_main, Criterion};
use futures_util::FutureExt;
use secureapp_core::environment::Service;
use secureapp_core::tenant::TenantId;
use secureapp_core::token::{Target, TokenRequest};
use secureapp_core::{immediate, jwt, Credential, Engine, Field, Request, Secret};
use secureapp_sandbox::{Options, Sandbox, Signature};
use std::sync::Arc;

/// What `advice.rs` finds under this name in its own crate.
mod error {
    pub(crate) use secureapp_core::Kind;
}
// Private modules, measured as they are; not everything in them is used here.
#[allow(dead_code, unused_imports)]
#[path = "../src/token/advice.rs"]
mod advice;
#[allow(dead_code, unused_imports)]
#[path = "../src/token/wire.rs"]
mod wire;

struct Bed {
    runtime: tokio::runtime::Runtime,
    engine: Arc<Engine>,
    request: TokenRequest,
    /// Answers the environment's hosts; nothing is asked of it while time is taken.
    _sandbox: Sandbox,
}

fn bed() -> Bed {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options {
        tenants: 1,
        records: 0,
        signature: Signature::Filler,
        ..Options::default()
    };
    let sandbox = Sandbox::start_blocking(options).expect("a sandbox");
    let engine = Engine::new(runtime.handle().clone());
    let facts = sandbox.facts();
    let text = |text: &str| Field::Text(text.to_owned());
    let add = Request::new("environment.add")
        .with("name", text("Bench"))
        .with("loginHost", text(&facts.endpoints.login))
        .with("caPem", text(sandbox.ca_pem()));
    immediate(&engine, &add).expect("an environment");
    let credential = Request::new("credential")
        .with("applicationId", text(&facts.application_id))
        .with("secret", Field::Secret(Secret::from(facts.secret.as_str())))
        .with(
            "refreshToken",
            Field::Secret(Secret::from(facts.refresh_token.as_str())),
        );
    let environment = engine.environments().find("bench").expect("the environment");
    let target = Target::resource(environment.resource(Service::Graph)).expect("a target");
    let tenant = TenantId::parse(&facts.tenants[0].tenant_id).expect("a tenant");
    let credential = Arc::new(Credential::open(&credential).expect("a credential"));
    let request = TokenRequest::new(environment, credential, tenant, target);
    Bed {
        runtime,
        engine,
        request,
        _sandbox: sandbox,
    }
}

fn cache(c: &mut Criterion) {
    let bed = bed();
    bed.runtime
        .block_on(bed.engine.tokens().acquire(&bed.request))
        .expect("a token");
    let tokens = bed.engine.tokens();
    c.bench_function("cache hit", |b| {
        b.iter(|| {
            tokens
                .acquire(black_box(&bed.request))
                .now_or_never()
                .expect("no wait")
                .expect("a token")
        });
    });
    let tenant = bed.request.tenant().to_string();
    c.bench_function("cache hit from texts", |b| {
        b.iter(|| {
            let tenant = TenantId::parse(black_box(&tenant)).expect("a tenant");
            let target = Target::resource(black_box("https://graph.microsoft.com")).expect("a target");
            let request = bed.request.clone().for_tenant(tenant).for_target(target);
            tokens
                .acquire(&request)
                .now_or_never()
                .expect("no wait")
                .expect("a token")
        });
    });
    let token = bed.runtime.block_on(tokens.acquire(&bed.request)).expect("a token");
    c.bench_function("token claims", |b| {
        b.iter(|| jwt::claims(black_box(token.access_token().expose())))
    });
}

fn parts(c: &mut Criterion) {
    let body = format!(
        r#"{{"token_type":"Bearer","scope":"user_impersonation","expires_in":"3599","ext_expires_in":"3599","expires_on":"1700003599","not_before":"1699999700","resource":"https://graph.microsoft.com","access_token":"{}","refresh_token":"{}"}}"#,
        "a".repeat(1800),
        "b".repeat(1200)
    );
    c.bench_function("token reply", |b| {
        b.iter(|| {
            let success: wire::Success<'_> = serde_json::from_str(black_box(&body)).expect("an answer");
            success.life(0, || None)
        });
    });
    c.bench_function("advice lookup", |b| {
        b.iter(|| advice::find(black_box("AADSTS700082")).is_some())
    });
    c.bench_function("scopes", |b| {
        b.iter(|| {
            Target::scopes(
                black_box(&["User.Read", "Mail.Read openid"]),
                "https://graph.microsoft.com",
            )
        });
    });
}

criterion_group!(benches, cache, parts);
criterion_main!(benches);
