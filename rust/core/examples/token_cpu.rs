//! Processor time per token, ours beside a bare reqwest loop, against the same sandbox in the same run.
//!
//! `cargo run --release -p secureapp-core --example token_cpu [tokens] [rounds]`; `bench -- tokens` runs it and keeps its table.
//!
//! Each contender runs on threads of its own name, and the kernel's account of these threads is read before and after
//! (Linux only), so the sandbox's own work does not count. Rounds alternate; the median is shown, tab-separated.

use futures_util::stream::{self, StreamExt};
use reqwest::header::CONTENT_TYPE;
use secureapp_core::{immediate, Credential, Engine, Field, Next, Operation, Request, Secret, Submitted};
use secureapp_sandbox::{Options, Sandbox, Signature};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error>>;

const GRAPH: &str = "https://graph.microsoft.com";
/// Requests in flight, for both.
const IN_FLIGHT: usize = 48;

#[derive(Clone, Copy)]
enum Grant {
    Secret,
    RefreshToken,
}

struct Cost {
    cpu: Duration,
    wall: Duration,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let tokens: usize = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let options = Options {
        tenants: tokens,
        records: 0,
        signature: Signature::Filler,
        ..Options::default()
    };
    let sandbox = Sandbox::start_blocking(options)?;
    println!("grant\tbare reqwest\tsecureapp\twall (ours)\tratio");
    for (name, grant) in [("client secret", Grant::Secret), ("refresh token", Grant::RefreshToken)] {
        let (mut bare_costs, mut our_costs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            bare_costs.push(bare(&sandbox, grant)?);
            our_costs.push(ours(&sandbox, grant)?);
        }
        let per_token = |costs: &mut Vec<Cost>| {
            costs.sort_by_key(|cost| cost.cpu);
            costs[costs.len() / 2].cpu.as_secs_f64() * 1e6 / tokens as f64
        };
        let (bare, ours) = (per_token(&mut bare_costs), per_token(&mut our_costs));
        let wall = our_costs[our_costs.len() / 2].wall;
        println!(
            "{name}\t{bare:.1} us\t{ours:.1} us\t{:.0} ms\t{:.2}",
            wall.as_secs_f64() * 1e3,
            ours / bare
        );
    }
    Ok(())
}

/// The loop that a careful person would write: one client, a form, a parsed answer.
fn bare(sandbox: &Sandbox, grant: Grant) -> Outcome<Cost> {
    #[derive(serde::Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: String,
    }
    let facts = sandbox.facts();
    let runtime = threads("bare")?;
    let root = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes())?;
    measure("bare", || {
        runtime.block_on(async {
            let client = reqwest::Client::builder()
                .use_native_tls()
                .no_proxy()
                .add_root_certificate(root)
                .build()?;
            let mut answers = stream::iter(&facts.tenants)
                .map(|tenant| {
                    let mut form = url::form_urlencoded::Serializer::new(String::new());
                    form.append_pair("client_id", &facts.application_id)
                        .append_pair("client_secret", &facts.secret);
                    form.append_pair("resource", GRAPH);
                    match grant {
                        Grant::Secret => form.append_pair("grant_type", "client_credentials"),
                        Grant::RefreshToken => form
                            .append_pair("grant_type", "refresh_token")
                            .append_pair("refresh_token", &facts.refresh_token),
                    };
                    let request = client
                        .post(format!("{}/{}/oauth2/token", facts.endpoints.login, tenant.tenant_id))
                        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .body(form.finish());
                    // On tasks, so that the work is on the counted threads.
                    tokio::spawn(async move {
                        let body = request.send().await?.error_for_status()?.bytes().await?;
                        Ok::<_, reqwest::Error>(serde_json::from_slice::<Answer>(&body))
                    })
                })
                .buffer_unordered(IN_FLIGHT);
            while let Some(answer) = answers.next().await {
                let answer = answer???;
                assert!(!answer.access_token.is_empty() && !answer.expires_in.is_empty());
            }
            Ok(())
        })
    })
}

/// One `tokens` operation, as the module starts it.
fn ours(sandbox: &Sandbox, grant: Grant) -> Outcome<Cost> {
    let facts = sandbox.facts();
    let runtime = threads("ours")?;
    let engine = Engine::new(runtime.handle().clone());
    let text = |text: &str| Field::Text(text.to_owned());
    let add = Request::new("environment.add")
        .with("name", text("Bench"))
        .with("loginHost", text(&facts.endpoints.login))
        .with("caPem", text(sandbox.ca_pem()));
    immediate(&engine, &add)?;
    let mut credential = Request::new("credential")
        .with("applicationId", text(&facts.application_id))
        .with("secret", Field::Secret(Secret::from(facts.secret.as_str())));
    if matches!(grant, Grant::RefreshToken) {
        credential.set(
            "refreshToken",
            Field::Secret(Secret::from(facts.refresh_token.as_str())),
        );
    }
    let start = Request::new("tokens")
        .with(
            "credential",
            Field::Credential(Arc::new(Credential::open(&credential)?)),
        )
        .with("environment", text("Bench"))
        .with("throttle", Field::Int(IN_FLIGHT as i64));
    measure("ours", || {
        runtime.block_on(async {
            let operation = Operation::start(&engine.session(), start)?;
            let (mut sent, mut records) = (0, 0);
            loop {
                while sent < facts.tenants.len() {
                    let item = Request::new("token")
                        .with("tenant", text(&facts.tenants[sent].tenant_id))
                        .with("resource", text(GRAPH));
                    if operation.submit(item)? == Submitted::WouldBlock {
                        break;
                    }
                    sent += 1;
                    if sent == facts.tenants.len() {
                        operation.finish_input();
                    }
                }
                match operation.next().await? {
                    Next::Event(secureapp_core::Event::Record(_)) => records += 1,
                    Next::Event(secureapp_core::Event::Failed(failure)) => return Err(failure.error.into()),
                    Next::Event(_) => {}
                    Next::Done => break,
                }
            }
            assert_eq!(records, facts.tenants.len());
            Ok(())
        })
    })
}

fn threads(name: &str) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
}

fn measure(name: &str, work: impl FnOnce() -> Outcome<()>) -> Outcome<Cost> {
    let (cpu, wall) = (cpu_of(name)?, Instant::now());
    work()?;
    Ok(Cost {
        cpu: cpu_of(name)? - cpu,
        wall: wall.elapsed(),
    })
}

/// Time on the processor of this process's threads of that name, and of the main thread, which drives both.
fn cpu_of(name: &str) -> Outcome<Duration> {
    let mut nanoseconds = 0;
    let main = std::process::id().to_string();
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        let own = std::fs::read_to_string(thread.path().join("comm"))?.trim() == name;
        if own || thread.file_name().to_string_lossy() == main {
            let account = std::fs::read_to_string(thread.path().join("schedstat"))?;
            nanoseconds += account.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}
