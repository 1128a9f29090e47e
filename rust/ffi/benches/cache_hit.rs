//! What a cached token costs through the C interface: one operation, one item after the other, and many at a time.
//!
//! `cargo bench -p secureapp-ffi --bench cache_hit` prints processor time and wall time for each token; the whole way is
//! counted: filling the item, submitting it, and reading its event. Rates on shared machines are noisy: compare
//! numbers of one run.

#[path = "../tests/support/mod.rs"]
mod support;

use secureapp::op::EventKind;
use secureapp::status::Status;
use secureapp_sandbox::{Options, Sandbox};
use std::time::{Duration, Instant};
use support::{Credential, Op, Request, Session};

const TENANTS: usize = 20;
const TOKENS: usize = 200_000;

fn main() {
    let sandbox = Sandbox::start_blocking(Options {
        tenants: TENANTS,
        records: 0,
        ..Options::default()
    })
    .expect("the sandbox starts");
    let facts = sandbox.facts();
    let session = Session::open();
    let add = Request::new("environment.add")
        .text("name", "Bench")
        .text("loginHost", &facts.endpoints.login)
        .text("graphHost", &facts.endpoints.graph)
        .text("partnerCenterHost", &facts.endpoints.partner_center)
        .text("manageHost", &facts.endpoints.manage)
        .text("outlookHost", &facts.endpoints.outlook)
        .text("aadGraphHost", &facts.endpoints.aad_graph)
        .text("caPem", sandbox.ca_pem());
    add.call();
    let credential = Credential::from(
        &Request::new("credential")
            .text("applicationId", &facts.application_id)
            .text("tenant", &facts.partner_tenant_id)
            .secret("secret", &facts.secret),
    );
    let start = Request::new("tokens")
        .text("environment", "Bench")
        .credential(&credential);
    let tenants: Vec<&str> = facts.tenants.iter().map(|tenant| tenant.tenant_id.as_str()).collect();

    let op = session.start(&start).expect("starts");
    run(&op, &tenants, TENANTS, 1);
    println!(
        "{:<28} {:>14} {:>14}",
        "a cached token through C", "CPU us/token", "wall us/token"
    );
    for (name, window) in [("one after the other", 1), ("64 at a time", 64), ("256 at a time", 256)] {
        let (cpu, began) = (cpu_time(), Instant::now());
        run(&op, &tenants, TOKENS, window);
        let (cpu, wall) = (cpu_time() - cpu, began.elapsed());
        println!("{name:<28} {:>14.2} {:>14.2}", per_token(cpu), per_token(wall));
    }
}

/// Asks for `count` tokens, with up to `window` of them on their way, as a pipeline does: hand over what there is, take what
/// has come, wait only when there is nothing.
fn run(op: &Op, tenants: &[&str], count: usize, window: usize) {
    let (mut asked, mut had) = (0, 0);
    while had < count {
        while asked < count && asked - had < window {
            assert_eq!(op.submit(&Request::token(tenants[asked % tenants.len()])), Status::Ok);
            asked += 1;
        }
        let mut timeout = 60_000;
        loop {
            match op.look(timeout) {
                (Status::Ok, kind) if kind == EventKind::Record as u32 => had += 1,
                (Status::Ok, kind) => assert_ne!(kind, EventKind::Failed as u32),
                (status, _) => {
                    assert_eq!((status, timeout), (Status::TimedOut, 0));
                    break;
                }
            }
            timeout = 0;
        }
    }
}

fn per_token(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / TOKENS as f64
}

/// Processor time of the whole process; the sandbox in it has nothing to do while tokens come from the cache.
fn cpu_time() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: a local that may hold any bytes.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let part = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    part(usage.ru_utime) + part(usage.ru_stime)
}
