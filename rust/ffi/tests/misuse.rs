//! What callers get wrong: nulls everywhere, calls in the wrong order, two readers.

mod support;

use secureapp::call::*;
use secureapp::credential::*;
use secureapp::error::*;
use secureapp::op::*;
use secureapp::request::*;
use secureapp::session::*;
use secureapp::signer::*;
use secureapp::status::Status;
use secureapp::value::*;
use secureapp::version::*;
use std::collections::BTreeSet;
use std::ptr::{null, null_mut};
use support::{Credential, Op, Request, Session};

#[test]
fn every_function_takes_nulls() {
    let mut tried = BTreeSet::from(["sa_abi_version", "sa_shutdown"].map(str::to_owned));
    // With an error to give, without one, and without an error parameter.
    macro_rules! with_err {
        ($($name:ident($($argument:expr),*);)*) => {$(
            tried.insert(stringify!($name).to_owned());
            let mut err = null_mut();
            // SAFETY: every function takes nulls; `err` is a local.
            let status = unsafe { $name($($argument,)* &mut err) };
            assert_eq!(status, Status::InvalidInput, stringify!($name));
            // SAFETY: set by the call.
            assert_eq!(unsafe { sa_error_status(err) }, Status::InvalidInput, stringify!($name));
            // SAFETY: freed once.
            unsafe { sa_error_free(err) };
            // SAFETY: every function takes nulls.
            assert_eq!(unsafe { $name($($argument,)* null_mut()) }, Status::InvalidInput, stringify!($name));
        )*};
    }
    macro_rules! without_err {
        ($($name:ident($($argument:expr),*);)*) => {$(
            tried.insert(stringify!($name).to_owned());
            // SAFETY: every function takes nulls.
            assert_eq!(unsafe { $name($($argument),*) }, Status::InvalidInput, stringify!($name));
        )*};
    }
    macro_rules! frees {
        ($($name:ident;)*) => {$(
            tried.insert(stringify!($name).to_owned());
            // SAFETY: null is fine.
            unsafe { $name(null_mut()) };
        )*};
    }
    with_err! {
        sa_session_open(null_mut());
        sa_session_cancel(null());
        sa_request_new(null(), 1, null_mut());
        sa_request_set_text(null_mut(), null(), 0, null(), 0);
        sa_request_add_text(null_mut(), null(), 0, null(), 0);
        sa_request_set_secret(null_mut(), null(), 0, null(), 0);
        sa_request_set_int(null_mut(), null(), 0, 0);
        sa_request_set_credential(null_mut(), null(), 0, null());
        sa_request_set_signer(null_mut(), null(), 0, null());
        sa_credential_open(null(), null_mut());
        sa_credential_describe(null(), null_mut());
        sa_call(null(), null_mut());
        sa_op_start(null(), null(), null_mut());
        sa_op_submit(null(), null());
        sa_op_finish_input(null());
        sa_op_next(null(), 0, null_mut(), null_mut(), null_mut());
        sa_op_credential(null(), null_mut());
        sa_signer_open(null_mut());
        sa_signer_next(null(), 0, null_mut(), null_mut(), null_mut(), null_mut(), null_mut());
        sa_signer_reply(null(), 0, null(), 0);
        sa_signer_fail(null(), 0, null(), 0);
        sa_signer_decline(null(), 0);
    }
    without_err! {
        sa_version(null_mut(), null_mut());
        sa_error_status(null());
        sa_error_detail(null(), null_mut(), null_mut());
        sa_value_data(null(), null_mut(), null_mut());
        sa_op_cancel(null());
    }
    frees! {
        sa_error_free;
        sa_session_free;
        sa_request_free;
        sa_credential_free;
        sa_value_free;
        sa_op_free;
        sa_signer_free;
    }
    assert_eq!(tried, support::declared());
}

#[test]
fn failed_call_leaves_null_where_it_would_have_given_something() {
    let request = Request::new("no.such.operation");
    let session = Session::open();
    let mut op = std::ptr::dangling_mut();
    // SAFETY: live handles and locals.
    assert_eq!(
        unsafe { sa_op_start(session.0, request.0, &mut op, null_mut()) },
        Status::InvalidInput
    );
    assert!(op.is_null());
    let mut value = std::ptr::dangling_mut();
    // SAFETY: live handles and locals.
    assert_eq!(
        unsafe { sa_call(request.0, &mut value, null_mut()) },
        Status::InvalidInput
    );
    assert!(value.is_null());
}

#[test]
fn operation_without_its_credential_is_refused_by_name() {
    let session = Session::open();
    let message = session.start(&Request::new("tokens")).err().expect("refused").message;
    assert!(message.contains("credential"), "{message}");
}

#[test]
fn second_finish_changes_nothing_and_submit_after_it_fails() {
    let op = Op::tokens(&Session::open(), &Credential::open());
    op.finish_input();
    op.finish_input();
    assert_eq!(op.submit(&Request::token("contoso.com")), Status::InvalidInput);
    assert_eq!(op.next(60_000).0, Status::Done);
}

#[test]
fn done_is_said_again() {
    let op = Op::tokens(&Session::open(), &Credential::open());
    op.finish_input();
    for _ in 0..3 {
        assert_eq!(op.next(60_000), (Status::Done, 0, Vec::new()));
    }
    assert_eq!(op.submit(&Request::token("contoso.com")), Status::InvalidInput);
}

#[test]
fn cancel_from_another_thread_ends_a_waiting_next() {
    let op = Op::tokens(&Session::open(), &Credential::open());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| op.next_alone(60_000));
        op.wait_for_reader();
        op.cancel();
        assert_eq!(reader.join().expect("no panic"), Status::Cancelled);
    });
    op.cancel();
    assert_eq!(op.next(0).0, Status::Cancelled);
}

#[test]
fn second_reader_is_turned_away_and_disturbs_nothing() {
    let op = Op::tokens(&Session::open(), &Credential::open());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| op.next_alone(60_000));
        op.wait_for_reader();
        assert_eq!(op.next(0).0, Status::InvalidInput);
        op.finish_input();
        assert_eq!(reader.join().expect("no panic"), Status::Done);
    });
}

#[test]
fn everything_a_running_operation_was_made_from_may_be_freed() {
    let op = {
        let session = Session::open();
        let credential = Credential::open();
        Op::tokens(&session, &credential)
    };
    assert_eq!(op.next(0).0, Status::TimedOut);
    op.finish_input();
    assert_eq!(op.next(60_000).0, Status::Done);
}

#[test]
fn item_of_a_wrong_kind_fails_alone_or_ends_the_operation_with_a_reason() {
    let op = Op::tokens(&Session::open(), &Credential::open());
    assert_eq!(op.submit(&Request::new("nonsense")), Status::Ok);
    op.finish_input();
    let (status, kind, _) = op.next(60_000);
    assert!(
        status == Status::InvalidInput || (status == Status::Ok && kind == EventKind::Failed as u32),
        "{status:?} {kind}"
    );
}
