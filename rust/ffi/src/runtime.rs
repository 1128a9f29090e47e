//! What this process has one of: the engine and the threads it works on. Made with the first use, ended by `sa_shutdown`,
//! never made again.

use crate::guard::THREAD_PREFIX;
use crate::status::Status;
use once_cell::sync::OnceCell;
use secureapp_core::{Engine, Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// A command line's work waits for the network far more than it computes; a machine's other cores are its user's.
const MOST_WORKERS: usize = 8;
/// Threads for files and name resolution: far more than jobs of exports run at a time (16 in the whole process), so that a
/// lookup never waits for a writer. They come and go with the work.
const MOST_BLOCKING_THREADS: usize = 64;

static HOST: OnceCell<Host> = OnceCell::new();

struct Host {
    /// `None` after the end. Whoever waits for an operation holds this for reading, so that the threads end last.
    live: RwLock<Option<Live>>,
    process: u32,
}

/// The engine and its threads.
pub(crate) struct Live {
    pub(crate) engine: Arc<Engine>,
    pub(crate) runtime: Runtime,
}

/// Works with the engine, which stays until `work` returns; with `Ok(None)` where the library was shut down.
pub(crate) fn try_with<T>(work: impl FnOnce(&Live) -> Result<T>) -> Result<Option<T>> {
    let host = HOST.get_or_try_init(Host::start)?;
    if host.process != std::process::id() {
        return Err(
            Error::invalid("this process was forked from one that had used SecureAppModel already")
                .advise("Start a new process instead of forking, or fork before the first use."),
        );
    }
    let live = host.live.read().unwrap_or_else(PoisonError::into_inner);
    live.as_ref().map(work).transpose()
}

/// As [`try_with`]; an error where the library was shut down.
pub(crate) fn with<T>(work: impl FnOnce(&Live) -> Result<T>) -> Result<T> {
    try_with(work)?.ok_or_else(|| {
        Error::invalid("SecureAppModel was shut down in this process").advise("Start a new process to use it again.")
    })
}

/// Writes what stores lack, cancels, waits, and ends the threads; what still runs after `timeout` is left behind.
pub(crate) fn shutdown(timeout: Duration) -> Status {
    let deadline = Instant::now() + timeout;
    // A library that was never used is ended too: from now on it stays so.
    let host = HOST.get_or_init(Host::ended);
    if host.process != std::process::id() {
        // The threads are the parent's.
        return Status::Ok;
    }
    let idle = match host.live.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
        None => return Status::Ok,
        Some(live) => {
            live.runtime.block_on(async {
                // What is not written in time is not lost: the refresh token in the store is still valid.
                let _ = tokio::time::timeout(timeout, live.engine.flush_stores()).await;
                live.engine.shutdown();
                let left = deadline.saturating_duration_since(Instant::now());
                tokio::time::timeout(left, live.engine.idle()).await.is_ok()
            })
        }
    };
    // Readers have been told to leave and do so within their grace period.
    let live = host.live.write().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(live) = live {
        live.runtime
            .shutdown_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    if idle {
        Status::Ok
    } else {
        Status::TimedOut
    }
}

/// Readies OpenSSL before its first use. This also tells it not to clean up at exit: its handler would run while
/// threads, ours or the host's, still use it.
pub(crate) fn init_openssl() {
    openssl::init();
}

impl Host {
    fn start() -> Result<Host> {
        init_openssl();
        let workers = std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST_WORKERS));
        let started = AtomicUsize::new(0);
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .worker_threads(workers)
            .max_blocking_threads(MOST_BLOCKING_THREADS)
            // Linux shows 15 characters of it.
            .thread_name_fn(move || format!("{THREAD_PREFIX}{}", started.fetch_add(1, Ordering::Relaxed)))
            .build()
            .map_err(|cause| {
                Error::internal(format!("the library's threads could not be started: {cause}"))
                    .advise("Close other programs, or raise this user's limit of processes and open files.")
            })?;
        let live = Live {
            engine: Engine::new(runtime.handle().clone()),
            runtime,
        };
        Ok(Host {
            live: RwLock::new(Some(live)),
            process: std::process::id(),
        })
    }

    fn ended() -> Host {
        Host {
            live: RwLock::new(None),
            process: std::process::id(),
        }
    }
}
