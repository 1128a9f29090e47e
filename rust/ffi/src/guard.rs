//! The boundary: every exported function's body runs in [`guard`], so that neither a panic nor an error leaves
//! untranslated. The only place that knows about panics.
//!
//! A panic here must not print: the terminal is the host's. The hook that sees to it is silent for panics inside a guard and on
//! this library's own threads, and hands all others to the hook that was there before.

use crate::error::Error;
use crate::handle::ErrorOut;
use crate::status::Status;
use secureapp_core::Result;
use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// What this library's threads' names start with.
pub(crate) const THREAD_PREFIX: &str = "secureapp-";

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `body`; gives its status, or that of its error after handing the error to the caller.
pub(crate) fn guard(err: ErrorOut, body: impl FnOnce() -> Result<Status>) -> Status {
    install_hook();
    let entered = Entered::new();
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // A payload may panic when it is dropped; what that leaves is not dropped any more.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        Err(panicked())
    });
    drop(entered);
    let error = match result {
        Ok(status) => return status,
        Err(error) => error,
    };
    let error = Error::new(&error);
    let status = error.status();
    err.write(error);
    status
}

#[cold]
fn panicked() -> secureapp_core::Error {
    // Only where it happened: the message may hold what it should not.
    let place = PLACE.with_borrow_mut(std::mem::take);
    secureapp_core::Error::internal(format!("a defect in SecureAppModel stopped the call ({place})"))
        .advise("Try again; if it happens every time, report it with the command that was run.")
}

/// Marks this thread as inside a guard.
struct Entered;

impl Entered {
    fn new() -> Self {
        DEPTH.set(DEPTH.get().saturating_add(1));
        Entered
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if is_ours() {
                remember(info);
            } else {
                previous(info);
            }
        }));
    });
}

fn is_ours() -> bool {
    DEPTH.get() > 0
        || std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with(THREAD_PREFIX))
}

/// Keeps where it happened, without folders.
fn remember(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, |location| {
        let file = location.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{file}:{}", location.line())
    });
    PLACE.set(place);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null_mut;

    #[test]
    fn panic_becomes_an_internal_error_that_names_its_place_and_not_its_message() {
        let mut err = null_mut();
        // SAFETY: `err` is a local.
        let out = unsafe { ErrorOut::new(&mut err) };
        let status = guard(out, || panic!("the secret is {}", "hunter2"));
        assert_eq!(status, Status::Internal);
        // SAFETY: just set by the guard, freed nowhere else.
        let error = unsafe { Box::from_raw(err) };
        let detail = String::from_utf8_lossy(error.detail()).into_owned();
        assert!(detail.contains("guard.rs:"), "{detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }

    #[test]
    fn panic_payload_that_panics_when_dropped_is_contained() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let status = guard(ErrorOut::none(), || std::panic::panic_any(Bomb));
        assert_eq!(status, Status::Internal);
    }

    #[test]
    fn error_with_nowhere_to_go_is_still_a_status() {
        let status = guard(ErrorOut::none(), || Err(secureapp_core::Error::cancelled()));
        assert_eq!(status, Status::Cancelled);
    }

    #[test]
    fn depth_is_restored_after_a_panic() {
        guard(ErrorOut::none(), || panic!("once"));
        assert_eq!(DEPTH.get(), 0);
    }
}
