//! The core's export as the module starts it, without the module.

use super::account::{self, Cost};
use super::sandbox::Sandbox;
use super::Outcome;
use secureapp_core::{immediate, Credential, Engine, Event, Field, Next, Operation, Request, Value};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The records, their bytes, and what they cost. What is written stays in a new folder among the temporary ones.
pub(crate) fn run(sandbox: &Sandbox, runtime: &Runtime, expected: u64) -> Outcome<(u64, u64, Cost)> {
    let folder = std::env::temp_dir().join(std::process::id().to_string());
    std::fs::create_dir(&folder)?;
    let engine = Engine::new(runtime.handle().clone());
    let now = engine.clock().now_ms();
    let text = |text: &str| Field::Text(text.to_owned());
    let mut environment = Request::new("environment.add")
        .with("name", text("Bench"))
        .with("caPem", Field::Text(sandbox.authority_pem()?));
    for service in ["login", "graph", "partnerCenter", "manage", "outlook", "aadGraph"] {
        environment.set(format!("{service}Host"), text(sandbox.endpoint(service)));
    }
    immediate(&engine, &environment)?;
    let credential = Request::new("credential")
        .with("applicationId", text(sandbox.text("applicationId")))
        .with("tenant", text(sandbox.text("partnerTenantId")))
        .with("secret", Field::Secret(sandbox.text("secret").into()))
        .with("refreshToken", Field::Secret(sandbox.text("refreshToken").into()));
    let request = Request::new("audit_export")
        .with(
            "credential",
            Field::Credential(Arc::new(Credential::open(&credential)?)),
        )
        .with("environment", text("Bench"))
        .with("startTime", Field::Int(now - 7 * 86_400_000))
        .with("endTime", Field::Int(now - 600_000))
        .with("path", Field::Text(folder.to_string_lossy().into_owned()))
        .with("format", text("ndjson"));
    let ((records, bytes), cost) = account::measure(|| {
        let operation = Operation::start(&engine.session(), request)?;
        for (number, tenant) in (0i64..).zip(sandbox.tenants()) {
            let item = Request::new("tenant")
                .with("item", Field::Int(number))
                .with("tenant", text(tenant));
            operation.submit(item)?;
        }
        operation.finish_input();
        runtime.block_on(sum(&operation))
    })?;
    if records != expected {
        return Err(format!("{records} records instead of {expected}").into());
    }
    Ok((records, bytes, cost))
}

async fn sum(operation: &Operation) -> Outcome<(u64, u64)> {
    let mut total = (0, 0);
    loop {
        match operation.next().await? {
            Next::Event(Event::Record(record)) => {
                if record.get("complete").and_then(Value::as_i64) != Some(1) {
                    return Err(format!("not complete: {record:?}").into());
                }
                let number = |key| record.get(key).and_then(Value::as_i64).unwrap_or_default();
                total.0 += u64::try_from(number("records"))?;
                total.1 += u64::try_from(number("bytes"))?;
            }
            Next::Event(_) => {}
            Next::Done => return Ok(total),
        }
    }
}
