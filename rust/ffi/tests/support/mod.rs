//! The interface as its Rust tests use it: handles that free themselves, nothing else.
// Each test file is a program of its own and uses a part of this.
#![allow(dead_code, unreachable_pub)]

use secureapp::call::sa_call;
use secureapp::credential::{sa_credential_free, sa_credential_open};
use secureapp::error::{sa_error_detail, sa_error_free, sa_error_status};
use secureapp::op::*;
use secureapp::request::*;
use secureapp::session::{sa_session_free, sa_session_open};
use secureapp::status::Status;
use secureapp::value::sa_value_free;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

pub fn header_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/secureapp.h")
}

/// The header without its comments.
pub fn header_code() -> String {
    let mut code = String::new();
    let mut rest = std::fs::read_to_string(header_path()).expect("the header is in the tree");
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1.to_owned();
    }
    code + &rest
}

/// The functions that the header declares: the names with a parenthesis behind them.
pub fn declared() -> BTreeSet<String> {
    header_code()
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('))
        .filter_map(|word| word.split_once('('))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("sa_"))
        .collect()
}

/// The shared library that this test run built.
pub fn library() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let name = format!(
        "{}secureapp{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    test.parent().expect("a test is in a folder").join(name)
}

/// What a failed call said.
#[derive(Debug)]
pub struct Failure {
    pub status: Status,
    pub message: String,
}

/// Takes over an error that a call gave.
pub fn failure(status: Status, err: *mut secureapp::error::Error) -> Failure {
    let (mut data, mut len) = (null(), 0);
    // SAFETY: a live error and locals.
    unsafe {
        assert_eq!(sa_error_status(err), status);
        assert_eq!(sa_error_detail(err, &mut data, &mut len), Status::Ok);
        // The texts of the map are enough to look for words in.
        let message = String::from_utf8_lossy(std::slice::from_raw_parts(data, len)).into_owned();
        sa_error_free(err);
        Failure { status, message }
    }
}

pub struct Session(pub *mut secureapp::session::Session);

impl Session {
    pub fn open() -> Self {
        let mut session = null_mut();
        // SAFETY: locals.
        assert_eq!(unsafe { sa_session_open(&mut session, null_mut()) }, Status::Ok);
        Session(session)
    }

    pub fn start(&self, request: &Request) -> Result<Op, Failure> {
        let (mut op, mut err) = (null_mut(), null_mut());
        // SAFETY: live handles and locals.
        match unsafe { sa_op_start(self.0, request.0, &mut op, &mut err) } {
            Status::Ok => Ok(Op(op)),
            status => Err(failure(status, err)),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sa_session_free(self.0) };
    }
}

pub struct Request(pub *mut secureapp::request::Request);

impl Request {
    pub fn new(kind: &str) -> Self {
        let mut request = null_mut();
        // SAFETY: locals.
        let status = unsafe { sa_request_new(kind.as_ptr(), kind.len(), &mut request, null_mut()) };
        assert_eq!(status, Status::Ok);
        Request(request)
    }

    /// An item of a `tokens` operation.
    pub fn token(tenant: &str) -> Self {
        Request::new("token")
            .int("item", 0)
            .text("tenant", tenant)
            .text("resource", "https://graph.microsoft.com")
    }

    pub fn text(self, key: &str, value: &str) -> Self {
        // SAFETY: a live handle and borrowed texts.
        let status =
            unsafe { sa_request_set_text(self.0, key.as_ptr(), key.len(), value.as_ptr(), value.len(), null_mut()) };
        assert_eq!(status, Status::Ok);
        self
    }

    pub fn secret(self, key: &str, value: &str) -> Self {
        // SAFETY: a live handle and borrowed texts.
        let status =
            unsafe { sa_request_set_secret(self.0, key.as_ptr(), key.len(), value.as_ptr(), value.len(), null_mut()) };
        assert_eq!(status, Status::Ok);
        self
    }

    pub fn int(self, key: &str, value: i64) -> Self {
        // SAFETY: a live handle and borrowed texts.
        let status = unsafe { sa_request_set_int(self.0, key.as_ptr(), key.len(), value, null_mut()) };
        assert_eq!(status, Status::Ok);
        self
    }

    /// Has it answered at once, and forgets the answer.
    pub fn call(&self) {
        let (mut value, mut err) = (null_mut(), null_mut());
        // SAFETY: a live handle and locals.
        let status = unsafe { sa_call(self.0, &mut value, &mut err) };
        assert!(status == Status::Ok, "{:?}", failure(status, err));
        // SAFETY: freed once.
        unsafe { sa_value_free(value) };
    }

    pub fn credential(self, credential: &Credential) -> Self {
        let key = "credential";
        // SAFETY: live handles and borrowed texts.
        let status = unsafe { sa_request_set_credential(self.0, key.as_ptr(), key.len(), credential.0, null_mut()) };
        assert_eq!(status, Status::Ok);
        self
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sa_request_free(self.0) };
    }
}

pub struct Credential(pub *mut secureapp::credential::Credential);

impl Credential {
    /// One that is well formed; nobody knows it.
    pub fn open() -> Self {
        Credential::from(
            &Request::new("credential")
                .text("applicationId", "11111111-2222-4333-8444-555555555555")
                .text("tenant", "22222222-2222-4333-8444-555555555555")
                .secret("secret", "not a real one"),
        )
    }

    pub fn from(request: &Request) -> Self {
        let (mut credential, mut err) = (null_mut(), null_mut());
        // SAFETY: a live handle and locals.
        let status = unsafe { sa_credential_open(request.0, &mut credential, &mut err) };
        assert!(status == Status::Ok, "{:?}", failure(status, err));
        Credential(credential)
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sa_credential_free(self.0) };
    }
}

pub struct Op(pub *mut secureapp::op::Op);

// SAFETY: the interface lets any thread use an operation.
unsafe impl Sync for Op {}

impl Op {
    /// An operation that waits for items.
    pub fn tokens(session: &Session, credential: &Credential) -> Self {
        session
            .start(&Request::new("tokens").credential(credential))
            .expect("starts")
    }

    pub fn submit(&self, item: &Request) -> Status {
        // SAFETY: live handles.
        unsafe { sa_op_submit(self.0, item.0, null_mut()) }
    }

    pub fn finish_input(&self) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { sa_op_finish_input(self.0, null_mut()) }, Status::Ok);
    }

    pub fn cancel(&self) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { sa_op_cancel(self.0) }, Status::Ok);
    }

    /// Status, kind and a copy of the bytes.
    pub fn next(&self, timeout_ms: u32) -> (Status, u32, Vec<u8>) {
        let (mut kind, mut data, mut len) = (u32::MAX, std::ptr::dangling(), usize::MAX);
        // SAFETY: a live handle and locals.
        let status = unsafe { sa_op_next(self.0, timeout_ms, &mut kind, &mut data, &mut len, null_mut()) };
        let bytes = if data.is_null() {
            assert_eq!(len, 0);
            Vec::new()
        } else {
            // SAFETY: lent until the next call; this test is the one reader.
            unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
        };
        (status, kind, bytes)
    }

    /// As `next`, without a copy of the bytes.
    pub fn look(&self, timeout_ms: u32) -> (Status, u32) {
        let (mut kind, mut data, mut len) = (0, null(), 0);
        // SAFETY: a live handle and locals.
        let status = unsafe { sa_op_next(self.0, timeout_ms, &mut kind, &mut data, &mut len, null_mut()) };
        (status, kind)
    }

    /// As `next`, for the one reader that `wait_for_reader` looks for: their looks are not its second reader.
    pub fn next_alone(&self, timeout_ms: u32) -> Status {
        loop {
            let (status, ..) = self.next(timeout_ms);
            if status != Status::InvalidInput {
                return status;
            }
        }
    }

    /// Returns once another thread waits in `next`.
    pub fn wait_for_reader(&self) {
        while self.next(0).0 == Status::TimedOut {
            std::thread::yield_now();
        }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sa_op_free(self.0) };
    }
}
