//! Work that waits for the disk, in short jobs on threads that may wait.

use crate::error::{Error, Result};
use tokio::sync::Semaphore;

/// Jobs of all exports in this process that run at a time, and so the threads that they keep busy, however many tenants are
/// exported. A disk gains little from more; processors are kept busy with fewer.
const JOBS: usize = 16;

static TURNS: Semaphore = Semaphore::const_new(JOBS);

/// Runs `work` when its turn comes. Once begun it runs to its end, also when nobody waits for it any more.
pub(crate) async fn job<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let ended = || Error::internal("the writer of an export ended early");
    let turn = TURNS.acquire().await.map_err(|_| ended())?;
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| ended())
}
