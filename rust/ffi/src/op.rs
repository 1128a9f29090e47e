//! Operations: started with a request, fed with more of them, read as one ordered stream of events.

use crate::credential::Credential;
use crate::error::Error;
use crate::guard::guard;
use crate::handle::{self, ErrorOut, Handle, Out, Shared};
use crate::pages::Pages;
use crate::request::Request;
use crate::runtime;
use crate::session::Session;
use crate::status::Status;
use crate::text;
use secureapp_core::{Next, Operation, Result, Submitted};
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What an event is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// One result: a map.
    Record = 1,
    /// One item of the input failed, the rest goes on: a map of `target` and `error`.
    Failed = 2,
    /// Something that the user should change: a text.
    Warning = 3,
    /// What is being done: a text.
    Verbose = 4,
    /// Protocol detail without secrets: a text.
    Debug = 5,
    /// One line of progress: a map of `id`, `parent`, `activity`, `status`, `percent`, `completed`.
    Progress = 6,
    /// Something that the user must do now: a map of `kind` (`browser`, `paste` or `device`), `message`, `url`, `userCode`.
    /// `message` says all of it. After `paste` the operation takes an item with a secret `responseUrl`.
    Prompt = 7,
}

/// One command's work.
pub struct Op {
    operation: Operation,
    /// The event that its reader looks at. Locked while there is a reader.
    event: Mutex<Pages>,
}

impl Handle for Op {
    const NAME: &'static str = "op";
    type Owner = Shared;
}

impl Op {
    fn start(session: &Session, request: &Request) -> Result<Op> {
        let operation = runtime::with(|live| {
            let _context = live.runtime.enter();
            Operation::start(&session.0, request.0.clone())
        })?;
        Ok(Op {
            operation,
            event: Mutex::new(Pages::new()),
        })
    }

    /// `None` where nothing came in time.
    fn next(&self, timeout: Duration) -> Result<Option<Next>> {
        let found = runtime::try_with(|live| {
            let context = live.runtime.enter();
            let mut next = pin!(self.operation.next());
            // An operation that has ended says so without a timer and without parking the thread.
            if let Poll::Ready(next) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return next.map(Some);
            }
            if timeout.is_zero() {
                return Ok(None);
            }
            drop(context);
            match live
                .runtime
                .block_on(async { tokio::time::timeout(timeout, next).await })
            {
                Ok(next) => next.map(Some),
                Err(_) => Ok(None),
            }
        })?;
        found.ok_or_else(secureapp_core::Error::cancelled)
    }

    fn reader(&self) -> Result<MutexGuard<'_, Pages>> {
        match self.event.try_lock() {
            Ok(event) => Ok(event),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(secureapp_core::Error::invalid(
                "another thread is already reading this operation",
            )
            .advise("Read an operation from one thread.")),
        }
    }
}

/// Starts the operation that the request names, in a session.
///
/// Ownership: `out` is the caller's, freed with `sa_op_free`. The request stays the caller's.
/// Threads: any.
///
/// # Safety
///
/// - `session` is null or a live session, `request` null or a live request.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_op_start(
    session: *const Session,
    request: *const Request,
    out: *mut *mut Op,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: null or live by contract.
        let session = unsafe { handle::share(session) }?;
        // SAFETY: null or live by contract.
        let request = unsafe { handle::borrow(request) }?;
        out.give(Op::start(&session, request)?);
        Ok(Status::Ok)
    })
}

/// Hands over one more item. `SA_STATUS_WOULD_BLOCK` says that the input is full and the item was not taken: read events,
/// then try again. Fails once the input is finished or the operation has ended.
///
/// Ownership: the item stays the caller's and may be changed and submitted again.
/// Threads: any, also while another waits in `sa_op_next`.
///
/// # Safety
///
/// - `op` is null or a live operation, `item` null or a live request.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_op_submit(op: *const Op, item: *const Request, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let op = unsafe { handle::share(op) }?;
        // SAFETY: null or live by contract.
        let item = unsafe { handle::borrow(item) }?;
        Ok(match op.operation.submit(&item.0)? {
            Submitted::Taken => Status::Ok,
            Submitted::WouldBlock => Status::WouldBlock,
        })
    })
}

/// Says that no more items will come. Saying it again changes nothing.
///
/// Threads: any, also while another waits in `sa_op_next`.
///
/// # Safety
///
/// - `op` is null or a live operation.
/// - `err` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_op_finish_input(op: *const Op, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or live by contract.
        let op = unsafe { handle::share(op) }?;
        op.operation.finish_input();
        Ok(Status::Ok)
    })
}

/// Waits up to `timeout_ms` for the next event. `SA_STATUS_OK` gives its `kind` (`sa_event_kind`) and value;
/// `SA_STATUS_DONE` says that the operation has finished, and says so again to every later call; `SA_STATUS_TIMED_OUT`
/// gives nothing. A failure is the operation's end and is repeated to every later call. After `sa_op_cancel` the end is
/// `SA_STATUS_CANCELLED`, never `SA_STATUS_DONE` in the middle of the work.
///
/// Ownership: the bytes belong to `op` until the next `sa_op_next` on it, or its free.
/// Threads: one reader at a time; every other function may run meanwhile.
///
/// # Safety
///
/// - `op` is null or a live operation.
/// - `kind`, `data`, `len` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_op_next(
    op: *const Op,
    timeout_ms: u32,
    kind: *mut u32,
    data: *mut *const u8,
    len: *mut usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let kind = unsafe { Out::new(kind, "kind") }?;
        // SAFETY: null or writable by contract.
        let data = unsafe { Out::new(data, "data") }?;
        // SAFETY: null or writable by contract.
        let len = unsafe { Out::new(len, "len") }?;
        kind.write(0);
        text::lend(&[], &data, &len);
        // SAFETY: null or live by contract.
        let op = unsafe { handle::share(op) }?;
        let mut reader = op.reader()?;
        reader.clear();
        // Most events are there already, and need neither the runtime nor a timer.
        if let Some(event) = op.operation.try_next() {
            kind.write(event.code());
            text::lend(reader.write(&event.into_value())?, &data, &len);
            return Ok(Status::Ok);
        }
        Ok(match op.next(Duration::from_millis(timeout_ms.into()))? {
            None => Status::TimedOut,
            Some(Next::Done) => Status::Done,
            Some(Next::Event(event)) => {
                kind.write(event.code());
                text::lend(reader.write(&event.into_value())?, &data, &len);
                Status::Ok
            }
        })
    })
}

/// Gives the credential that the operation has made, once the record that tells of it has been read. Its secrets are in no
/// record: this is how they go from one operation to the next.
///
/// Ownership: `out` is the caller's, freed with `sa_credential_free`; it outlives the operation. A further call gives a
/// further handle to the same credential.
/// Threads: any, also while another waits in `sa_op_next`.
///
/// # Safety
///
/// - `op` is null or a live operation.
/// - `out` and `err` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_op_credential(op: *const Op, out: *mut *mut Credential, err: *mut *mut Error) -> Status {
    // SAFETY: null or writable by contract.
    let err = unsafe { ErrorOut::new(err) };
    guard(err, || {
        // SAFETY: null or writable by contract.
        let out = unsafe { Out::handle(out) }?;
        // SAFETY: null or live by contract.
        let op = unsafe { handle::share(op) }?;
        out.give(Credential(op.operation.credential()?));
        Ok(Status::Ok)
    })
}

/// Stops the work. Safe at any time, from any thread, as often as you like.
///
/// # Safety
///
/// - `op` is null or a live operation.
#[no_mangle]
pub unsafe extern "C" fn sa_op_cancel(op: *const Op) -> Status {
    guard(ErrorOut::none(), || {
        // SAFETY: null or live by contract.
        let op = unsafe { handle::share(op) }?;
        op.operation.cancel();
        Ok(Status::Ok)
    })
}

/// Frees an operation and cancels what is left of it, without waiting; null is fine. A thread that waits in `sa_op_next`
/// gets `SA_STATUS_CANCELLED`.
///
/// # Safety
///
/// - `op` is null or a live operation, and no other call on it will start.
#[no_mangle]
pub unsafe extern "C" fn sa_op_free(op: *mut Op) {
    guard(ErrorOut::none(), || {
        // SAFETY: null or live by contract; null needs no cancelling.
        if let Ok(shared) = unsafe { handle::share(op.cast_const()) } {
            shared.operation.cancel();
        }
        // SAFETY: by contract.
        unsafe { handle::free(op) };
        Ok(Status::Ok)
    });
}
