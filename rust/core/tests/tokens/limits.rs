//! How many requests are under way at a time, and over how many connections.

use crate::support::*;
use secureapp_core::{engine, Engine, Field, HttpOptions, Operation, Request, Submitted};
use tokio::runtime::Handle;

const TENANTS: usize = 120;

/// An engine in which every request waits for the first to its host, however slow this machine is.
async fn bed_of_many() -> Bed {
    let http = HttpOptions {
        introduction: LONG,
        ..HttpOptions::default()
    };
    bed_with(
        sandbox(TENANTS).await,
        Engine::with_options(Handle::current(), engine::Options { http }),
    )
}

/// Asks for every tenant's token, this many at a time.
fn begin(bed: &Bed, throttle: Option<i64>) -> Operation {
    let mut request: Request = bed.request(&bed.application(), &["forceRefresh"]);
    if let Some(throttle) = throttle {
        request.set("throttle", Field::Int(throttle));
    }
    let operation = Operation::start(&bed.session, request).unwrap();
    for index in 0..TENANTS {
        let taken = operation.submit(item(&bed.tenant(index), GRAPH)).unwrap();
        assert_eq!(taken, Submitted::Taken);
    }
    operation.finish_input();
    operation
}

async fn end(operation: Operation) {
    let answers = finish(&operation).await.unwrap();
    assert_eq!((answers.records.len(), answers.failures.len()), (TENANTS, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_share_the_connection_that_the_first_one_opened() {
    let bed = bed_of_many().await;
    end(begin(&bed, Some(100))).await;
    assert_eq!(bed.requests(), TENANTS as u64);
    assert_eq!(bed.sandbox.control().stats()["connections"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttle_limit_above_the_usual_is_what_the_host_gets() {
    let bed = bed_of_many().await;
    end(begin(&bed, None)).await;
    // 48 where nobody names a number, and again after somebody did.
    let mut before = 0;
    for (asked, gets) in [(None, 48), (Some(100), 100), (Some(7), 7), (None, 48)] {
        bed.hold("before-headers", -1);
        let operation = begin(&bed, asked);
        bed.held("held", before + gets).await;
        bed.sandbox.control().clear_faults();
        let held = bed.sandbox.control().release("hold").held;
        assert_eq!(held, before + gets, "{asked:?}: and no more");
        before = held;
        end(operation).await;
    }
}
