//! Whatever bytes come in, every call ends with a status of the table, and what it gives is null unless it succeeded.

mod support;

use proptest::prelude::*;
use secureapp::call::sa_call;
use secureapp::credential::*;
use secureapp::error::{sa_error_free, sa_error_status};
use secureapp::op::*;
use secureapp::request::*;
use secureapp::status::Status;
use secureapp::value::{sa_value_data, sa_value_free};
use std::ptr::{null, null_mut};
use std::sync::Once;
use support::{Credential, Request, Session};

/// One setter and its bytes.
#[derive(Clone, Debug)]
enum Set {
    Text(Vec<u8>, Vec<u8>),
    AddText(Vec<u8>, Vec<u8>),
    Secret(Vec<u8>, Vec<u8>),
    Int(Vec<u8>, i64),
    Credential(Vec<u8>),
}

const KINDS: &[&str] = &[
    "credential",
    "token",
    "tenant",
    "tokens",
    "delegated_tenants",
    "audit_export",
    "credential_test",
    "signer.sign",
    "environment.add",
    "environment.remove",
    "environment.list",
    "environment.get",
    "token.read",
    "json.read",
];

/// Real names, so that requests get past the first check, without those that would let an operation reach a network or a
/// folder: `credential` for operations is set apart.
const KEYS: &[&str] = &[
    "applicationId",
    "tenant",
    "account",
    "secret",
    "refreshToken",
    "acquiredOn",
    "environment",
    "throttle",
    "appOnly",
    "item",
    "resource",
    "scopes",
    "startTime",
    "endTime",
    "contentTypes",
    "format",
    "name",
    "loginHost",
    "caPem",
    "token",
    "text",
    "algorithm",
    "data",
];

fn bytes_or(known: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(known).prop_map(|name| name.as_bytes().to_vec()),
        1 => ".*".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn value_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        ".*".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
        "[{\\[\"0-9a-z:,\\]} ]{0,60}".prop_map(String::into_bytes),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(String::into_bytes),
        "https://[a-z.]{1,20}(:[0-9]{1,6})?/?".prop_map(String::into_bytes),
        "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}".prop_map(String::into_bytes),
    ]
}

fn sets() -> impl Strategy<Value = Vec<Set>> {
    let key = || bytes_or(KEYS);
    let set = prop_oneof![
        (key(), value_bytes()).prop_map(|(key, value)| Set::Text(key, value)),
        (key(), value_bytes()).prop_map(|(key, value)| Set::AddText(key, value)),
        (key(), value_bytes()).prop_map(|(key, value)| Set::Secret(key, value)),
        (key(), any::<i64>()).prop_map(|(key, value)| Set::Int(key, value)),
        key().prop_map(Set::Credential),
    ];
    prop::collection::vec(set, 0..12)
}

/// Checks a status against the error that came with it, and frees that.
fn checked(status: Status, err: *mut secureapp::error::Error) -> Status {
    assert_ne!(status, Status::Internal);
    assert_eq!((status as i32) < 0, !err.is_null());
    if !err.is_null() {
        // SAFETY: set by the call, freed once.
        unsafe {
            assert_eq!(sa_error_status(err), status);
            sa_error_free(err);
        }
    }
    status
}

fn fill(request: &Request, sets: &[Set], credential: &Credential) {
    for set in sets {
        let mut err = null_mut();
        let (key, utf8) = match set {
            Set::Text(key, value) | Set::AddText(key, value) | Set::Secret(key, value) => {
                (key, std::str::from_utf8(value).is_ok())
            }
            Set::Int(key, _) | Set::Credential(key) => (key, true),
        };
        let utf8 = utf8 && std::str::from_utf8(key).is_ok();
        let (k, n) = (key.as_ptr(), key.len());
        // SAFETY: live handles, borrowed bytes and a local.
        let status = unsafe {
            match set {
                Set::Text(_, value) => sa_request_set_text(request.0, k, n, value.as_ptr(), value.len(), &mut err),
                Set::AddText(_, value) => sa_request_add_text(request.0, k, n, value.as_ptr(), value.len(), &mut err),
                Set::Secret(_, value) => sa_request_set_secret(request.0, k, n, value.as_ptr(), value.len(), &mut err),
                Set::Int(_, value) => sa_request_set_int(request.0, k, n, *value, &mut err),
                Set::Credential(_) => sa_request_set_credential(request.0, k, n, credential.0, &mut err),
            }
        };
        let status = checked(status, err);
        if !matches!(set, Set::AddText(..)) {
            assert_eq!(status == Status::Ok, utf8);
        }
    }
}

/// An environment that cannot be reached keeps items that happen to be well formed off the network.
fn add_nowhere() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        let hosts = [
            "loginHost",
            "graphHost",
            "partnerCenterHost",
            "manageHost",
            "outlookHost",
            "aadGraphHost",
        ];
        let add = hosts
            .iter()
            .fold(Request::new("environment.add").text("name", "Nowhere"), |add, host| {
                add.text(host, "https://127.0.0.1:9")
            });
        add.call();
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_answered(kind in bytes_or(KINDS), sets in sets()) {
        let credential = Credential::open();
        let (mut made, mut err) = (std::ptr::dangling_mut(), null_mut());
        // SAFETY: borrowed bytes and locals.
        let status = checked(unsafe { sa_request_new(kind.as_ptr(), kind.len(), &mut made, &mut err) }, err);
        prop_assert_eq!(status == Status::Ok, std::str::from_utf8(&kind).is_ok());
        if status != Status::Ok {
            prop_assert!(made.is_null());
            return Ok(());
        }
        let request = Request(made);
        fill(&request, &sets, &credential);

        let (mut value, mut err) = (std::ptr::dangling_mut(), null_mut());
        // SAFETY: a live handle and locals.
        let status = checked(unsafe { sa_call(request.0, &mut value, &mut err) }, err);
        prop_assert_eq!(status == Status::Ok, !value.is_null());
        if status == Status::Ok {
            let (mut data, mut len) = (null(), 0);
            // SAFETY: a live handle and locals, freed once.
            unsafe {
                prop_assert_eq!(sa_value_data(value, &mut data, &mut len), Status::Ok);
                prop_assert!(!data.is_null() && len > 0);
                sa_value_free(value);
            }
        }

        let (mut opened, mut err) = (std::ptr::dangling_mut(), null_mut());
        // SAFETY: a live handle and locals.
        let status = checked(unsafe { sa_credential_open(request.0, &mut opened, &mut err) }, err);
        prop_assert_eq!(status == Status::Ok, !opened.is_null());
        if status == Status::Ok {
            // SAFETY: freed once.
            unsafe { sa_credential_free(opened) };
        }

        let session = Session::open();
        let (mut op, mut err) = (std::ptr::dangling_mut(), null_mut());
        // SAFETY: live handles and locals.
        let status = checked(unsafe { sa_op_start(session.0, request.0, &mut op, &mut err) }, err);
        prop_assert_eq!(status == Status::Ok, !op.is_null());
        if status == Status::Ok {
            // SAFETY: freed once.
            unsafe { sa_op_free(op) };
        }
    }

    #[test]
    fn any_item_is_answered(sets in sets()) {
        add_nowhere();
        let credential = Credential::open();
        let nowhere = Request::new("tokens").text("environment", "Nowhere").credential(&credential);
        let session = Session::open();
        let op = session.start(&nowhere).expect("starts");
        let item = Request::new("token");
        fill(&item, &sets, &credential);
        prop_assert_eq!(op.submit(&item), Status::Ok);
        op.finish_input();
        // Cancelled rather than waited for: a well-formed item is retried for a while.
        let (status, ..) = op.next(0);
        prop_assert_ne!(status, Status::Internal);
    }
}
