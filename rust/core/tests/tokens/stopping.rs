//! Stopping at each stage: what ends at once, and what must not.

use crate::support::*;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_last_asker_ends_the_request() {
    for stage in ["before-headers", "after-headers", "mid-body"] {
        let bed = bed(1).await;
        bed.hold(stage, 1);
        let operation = bed.begin(&bed.application(), &[], vec![item(&bed.tenant(0), GRAPH)]);
        bed.held("held", 1).await;
        operation.cancel();
        assert!(finish(&operation).await.unwrap_err().is_cancelled(), "{stage}");
        bed.held("closed", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_was_sent_is_not_lost() {
    let bed = bed(1).await;
    bed.hold("before-headers", 1);
    let user = bed.user();
    let operation = bed.begin(&user, &[], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 1).await;
    operation.cancel();
    assert!(finish(&operation).await.unwrap_err().is_cancelled());
    // Asked again while it is still under way: the same flight, or what it recorded.
    let again = bed.begin(&user, &[], vec![item(&bed.tenant(0), GRAPH)]);
    bed.release();
    bed.held("released", 1).await;
    finish(&again).await.unwrap().record();
    assert_eq!(bed.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_in_a_back_off_sends_no_more() {
    for refresh in [true, false] {
        let bed = bed(1).await;
        bed.answer_with(-1, 503, json!({"Retry-After": "30"}), "busy");
        let who = if refresh { bed.user() } else { bed.application() };
        let operation = bed.begin(&who, &[], vec![item(&bed.tenant(0), GRAPH)]);
        // The answer is under way or there; either way the next thing would be a long wait.
        while bed.asked() + bed.requests() == 0 {
            tokio::task::yield_now().await;
        }
        operation.cancel();
        assert!(finish(&operation).await.unwrap_err().is_cancelled());
        // Whoever asks next is not told of the stop.
        bed.sandbox.control().clear_faults();
        bed.ask(&who, item(&bed.tenant(0), GRAPH)).await.record();
        assert_eq!(bed.requests(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stops_what_it_began_and_nothing_else() {
    let bed = bed(1).await;
    bed.hold("before-headers", 1);
    let user = bed.user();
    let mine = bed.begin(&user, &[], vec![item(&bed.tenant(0), GRAPH)]);
    bed.held("held", 1).await;
    let other = bed.engine.session();
    let theirs = secureapp_core::Operation::start(&other, bed.request(&user, &[])).unwrap();
    theirs.submit(item(&bed.tenant(0), GRAPH)).unwrap();
    theirs.finish_input();
    bed.session.cancel();
    assert!(finish(&mine).await.unwrap_err().is_cancelled());
    bed.release();
    finish(&theirs).await.unwrap().record();
    assert_eq!(bed.asked(), 1);
}
