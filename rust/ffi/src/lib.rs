//! The C interface of SecureAppModel's core. This page is its contract; `include/secureapp.h` is generated from it and
//! `tests/c/tour.c` is its executable form.
//!
//! # Shape
//!
//! A host opens a session, fills a request, starts an operation with it and pulls the operation's events until it is
//! done: `sa_op_start`, `sa_op_next` .., `sa_op_free`. An operation may take more requests as input meanwhile. Nothing here
//! ever calls back into the host.
//!
//! # Status and errors
//!
//! Every function that can fail returns an `sa_status`: 0 is success, positive numbers are ordinary outcomes (done, timed
//! out, would block), negative ones are failures. Numbers are never reused. Where there is a last parameter `err`, it may be
//! null; otherwise it is set to null on entry and, on failure, to an error that the caller frees with `sa_error_free`.
//! Output parameters are required unless a function says otherwise and are set to null or 0 when there is nothing to give.
//! A defect (a Rust panic) comes back as `SA_STATUS_INTERNAL`; it does not end the process and prints nothing.
//!
//! # Ownership
//!
//! What `_open`, `_new`, `_start`, `_describe` and `sa_call` give is the caller's and has one `_free`, which takes null. A
//! handle may be freed while others that were made from it live: a request keeps the credential that was put into it, an
//! operation keeps its session's connection pools. Inputs are borrowed for the call and copied. Outputs (`data`, `text`)
//! belong to the handle that gave them until the next call of the same function on it, or its free; nothing is freed by the
//! caller but handles.
//!
//! # Texts and values
//!
//! Text is UTF-8 as pointer and length, without a terminator; a null pointer is allowed where the length is 0. Text that is
//! not UTF-8 is refused. Events, descriptions and error details are tagged binary values:
//! one tag byte (`sa_value_tag`), then the value, numbers little-endian: 64-bit integers, IEEE doubles and times
//! (milliseconds since 1970-01-01 UTC) as 8 bytes; texts and bytes as a 32-bit length and the bytes; lists as a 32-bit count
//! and the values; maps as a 32-bit count and, for each entry, the key (length and bytes) and the value.
//!
//! # Threads
//!
//! Any thread may call any function, with these limits: a request is used by one thread at a time; an operation and a
//! signer have one reader at a time (a second one gets `SA_STATUS_INVALID_INPUT`, it does not wait);
//! a handle is freed once, when no other call on it will start. `sa_op_cancel`, `sa_op_submit`, `sa_op_finish_input`,
//! `sa_signer_reply`, `sa_signer_fail` and `sa_signer_decline` may run while another thread waits in `_next` on the same handle, and freeing an
//! operation or a signer while another thread waits in its `_next` makes that call return.
//!
//! # In the host's process
//!
//! The library is a guest: it installs no signal or exit handlers, writes nothing to the standard streams, and changes neither
//! environment nor working directory. Its threads start with the first session or call and are named `secureapp-*`.
//! `sa_shutdown` ends them; it is meant for the end of the process, after it nothing can be started. The library must not be
//! unloaded. It does not work in a forked child of a process that has used it; there, calls are refused.
//!
//! # Secrets
//!
//! Secrets that come in are copied once, into memory that is wiped when its last user lets go. Events and values go out
//! through pages that are left out of core dumps and wiped before they are used again or released.
//!
//! # Versions
//!
//! `sa_abi_version` must equal the `SA_ABI_VERSION` that the host was built with. Functions and request fields may be added
//! within a version; a change to what exists makes a new one.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::missing_safety_doc,
    unsafe_op_in_unsafe_fn
)]
#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod guard;
mod handle;
mod pages;
mod runtime;
mod text;

pub mod status;

pub mod version;

pub mod error;

pub mod session;

pub mod request;

pub mod credential;

pub mod call;

pub mod value;

pub mod op;

pub mod signer;

#[cfg(feature = "test-hooks")]
pub mod test_hooks;
